"""Whole answers on a sink for streams."""

from __future__ import annotations

import pytest

from edge.ingress.service import Answer
from edge.ingress.whole import send_whole
from tests.unit.ingress.rpc_scenes import Sink


async def test_it_has_its_length() -> None:
    sink = Sink()
    assert await send_whole(sink, Answer(400, ((b"a", b"b"),), b"body", trailers=((b"t", b"v"),))) == 400
    assert (sink.status, sink.headers, sink.written) == (400, ((b"a", b"b"), (b"content-length", b"4")), [b"body"])
    assert sink.trailers == ((b"t", b"v"),)


@pytest.mark.parametrize("status", [204, 304])
async def test_or_no_body_at_all(status: int) -> None:
    sink = Sink()
    await send_whole(sink, Answer(status, (), b"body"))
    assert (sink.headers, sink.written) == ((), [])
    assert sink.trailers == ()
