"""The HTTP/1.1 readers that are installed, and everything one reads of some bytes, for tests that hold all of them to the same rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from edge.core.http1_head import FlawKind
from edge.ingress.http1_limits import Http1Limits
from edge.wire.http1 import Parts, ReadLimits, RequestReader
from edge.wire.portable.http1_answer import render as portable_render
from edge.wire.portable.http1_reader import PortableRequestReader

try:
    import edge_native

    from edge.wire.native.http1_reader import (
        NativeRequestReader as NativeRequestReader,  # for the tests to take from here
    )

    native_render = edge_native.render
except (ImportError, AttributeError):
    NativeRequestReader = None  # type: ignore[assignment,misc]  # the extension is optional
    native_render = portable_render

HAS_NATIVE = NativeRequestReader is not None
needs_native = pytest.mark.skipif(not HAS_NATIVE, reason="the Rust extension is not built: `make native` does it")

MakeReader = Callable[[ReadLimits], RequestReader]

READERS = [
    pytest.param(PortableRequestReader, id="portable"),
    pytest.param(NativeRequestReader, id="native", marks=needs_native),
]
RENDERERS = [
    pytest.param(portable_render, id="portable"),
    pytest.param(native_render, id="native", marks=needs_native),
]


@dataclass
class Read:
    """A request: its head, its body and whether another may follow; `rest` is where in the data it ended."""

    parts: Parts
    body: bytes
    keep_alive: bool
    expected: bool
    rest: int


@dataclass
class Reading:
    """All that was read of some bytes. `begun`: what was left of them is the beginning of a request."""

    requests: list[Read] = field(default_factory=list)
    flaw: FlawKind | None = None
    unsound: Parts | None = None
    begun: bool = False


def read_all(
    make: MakeReader,
    data: bytes,
    cuts: Sequence[int] = (),
    limits: Http1Limits | None = None,
    *,
    max_body: int = 1 << 20,
    stepwise: bool = False,
) -> Reading:
    """
    Feed `data` in the pieces that `cuts` makes, as a connection does: to the first flaw or the last request.

    `stepwise`: never take a request as a whole.
    """
    reader, reading = make(limits or Http1Limits()), Reading()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    body, expected, headed, fed = b"", False, False, False
    for start, end in pairwise(edges):
        piece, offset = data[start:end], 0
        while offset < len(piece):
            before = offset
            if stepwise or fed:
                offset = reader.feed(piece, offset)
            else:
                read = reader.read(piece, offset)
                offset = len(piece) if isinstance(read, tuple) else read
                assert not isinstance(read, tuple) or (reader.complete and read == reader.parts)
            fed = True
            assert before < offset <= len(piece)
            if reader.flaw is not None:
                reading.flaw = reader.flaw.kind
                reading.unsound = reader.parts if reader.head_complete and not headed else None
                return reading
            if reader.head_complete and not headed:
                headed, expected, reader.max_body_bytes = True, reader.expects_continue, max_body
            if headed:
                body += reader.take_body()
            if reader.complete:
                reading.requests.append(Read(reader.parts, body, reader.keep_alive, expected, start + offset))
                if not reader.keep_alive:
                    return reading
                reader.reset()
                body, headed, fed = b"", False, False
    reading.begun = reader.begun
    return reading
