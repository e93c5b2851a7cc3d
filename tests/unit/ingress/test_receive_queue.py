"""A byte queue against the obvious model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.ingress.receive_queue import ReceiveQueue


@given(st.lists(st.binary(min_size=1, max_size=5) | st.integers(0, 5), max_size=20))
def test_bytes_come_out_in_order(steps: list[bytes | int]) -> None:
    """Add, or take all and put back what was not used, as a connection does."""
    queue, model = ReceiveQueue(), b""
    for step in steps:
        if isinstance(step, bytes):
            queue.add(step)
            model += step
        else:
            data, offset = queue.take()
            assert data[offset:] == model
            assert len(queue) == 0
            used = min(step, len(model))
            model = model[used:]
            if model:
                queue.hold(data, offset + used)
        assert len(queue) == len(model)
