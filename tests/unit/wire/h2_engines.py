"""The HTTP/2 engines that are installed, for tests that hold all of them to the same rules, and frames written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pytest
from hpack.hpack import Encoder
from hyperframe.frame import Frame, HeadersFrame

from edge.core.glitches import GlitchBudget
from edge.wire.portable.h2_session import PortableH2Session
from edge.wire.session import H2Session, Header, Role, SessionSettings

try:
    from edge.wire.native.h2_session import NativeH2Session
except ImportError:
    NativeH2Session = None  # type: ignore[assignment,misc]  # the extension is optional

HAS_NATIVE = NativeH2Session is not None
needs_native = pytest.mark.skipif(not HAS_NATIVE, reason="the Rust extension is not built: `make native` does it")


class MakeSession(Protocol):
    """An engine's class."""

    def __call__(
        self, role: Role, settings: SessionSettings | None = None, budget: GlitchBudget | None = None
    ) -> H2Session: ...


def native() -> MakeSession:
    """The native engine; only in tests that are skipped without it."""
    assert NativeH2Session is not None
    return NativeH2Session


ENGINES = [
    pytest.param(PortableH2Session, id="portable"),
    pytest.param(NativeH2Session, id="native", marks=needs_native),
]


def wire(*frames: Frame) -> bytes:
    """The bytes of frames."""
    return b"".join(frame.serialize() for frame in frames)


def head(stream: int, headers: Sequence[Header], *, end: bool = False) -> HeadersFrame:
    """HEADERS whose block needs no table."""
    flags = ["END_HEADERS", "END_STREAM"] if end else ["END_HEADERS"]
    block = Encoder().encode([(name, value, True) for name, value in headers])  # sensitive: enters no table
    return HeadersFrame(stream, block, flags=flags)
