"""Frames come out as they went in, and cost no more than they did on the wire."""

from __future__ import annotations

import tracemalloc
from collections import deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge.core.grpc_frame import Frame, encode_frame
from edge.core.held_frames import READY_FRAMES, HeldFrames

COUNTS = st.sampled_from([0, 1, 2, 400, READY_FRAMES - 1, READY_FRAMES, READY_FRAMES + 1, 2 * READY_FRAMES + 1])
"""Around the size at which frames are packed."""

BATCHES = st.tuples(COUNTS, st.booleans(), st.binary(max_size=9))


class Queue(RuleBasedStateMachine):
    """Beside a deque, which is right and large."""

    def __init__(self) -> None:
        super().__init__()
        self.held = HeldFrames()
        self.model: deque[Frame] = deque()
        self.number = 0

    @rule(batch=BATCHES)
    def extend(self, batch: tuple[int, bool, bytes]) -> None:
        count, compressed, payload = batch
        frames = [Frame(compressed, payload + b"%d" % (self.number + n)) for n in range(count)]
        self.number += count
        self.held.extend(frames)
        self.model.extend(frames)

    @rule(count=COUNTS)
    def pop(self, count: int) -> None:
        for _ in range(min(count, len(self.model))):
            assert self.held.popleft() == self.model.popleft()

    @rule()
    def clear(self) -> None:
        self.held.clear()
        self.model.clear()

    @invariant()
    def it_counts_what_it_holds(self) -> None:
        assert self.held.count == len(self.model)


TestQueue = Queue.TestCase
TestQueue.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


def test_what_comes_while_some_are_packed_waits_behind_them() -> None:
    """Also when there is room again among the ready ones."""
    frames = [Frame(n % 2 == 0, b"%d" % n) for n in range(READY_FRAMES + 50)]
    held = HeldFrames()
    held.extend(frames[:-1])
    first = [held.popleft() for _ in range(100)]
    held.extend(frames[-1:])
    assert [*first, *(held.popleft() for _ in frames[100:])] == frames
    assert not held.count


def test_nothing_to_take() -> None:
    with pytest.raises(IndexError):
        HeldFrames().popleft()


@pytest.mark.parametrize("at_once", [1, 100, 30_000])
def test_a_window_of_tiny_messages_costs_about_a_window(at_once: int) -> None:
    """Those of a slow reader: some thousand per 64 KiB, however they came; as objects they would cost fifteen times as much."""
    window = 256 * 1024
    payload = b"\x08\x80\x80\x01"
    count = window // len(encode_frame(payload))
    tracemalloc.start()
    try:
        held = HeldFrames()
        before, _ = tracemalloc.get_traced_memory()
        for start in range(0, count, at_once):
            held.extend(
                [Frame(compressed=False, payload=bytes(bytearray(payload))) for _ in range(min(at_once, count - start))]
            )
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1.5 * window
    left = 0
    while held.count:
        held.popleft()
        left += 1
    assert left == count
