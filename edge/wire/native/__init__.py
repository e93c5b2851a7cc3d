"""
The native engine: `edge_native`, a Rust extension of its own package (native/), behind the interfaces of `edge.wire`.

Owns the fitting of the extension's classes to the interfaces; importing this package fails with ImportError where the extension is not
installed. `edge.wire.engines` decides which engine runs.
"""

from __future__ import annotations

import edge_native

from edge.core.glitches import GlitchBudget
from edge.wire.codec import ApiCodec, Engine
from edge.wire.http1 import ReadLimits, RenderAnswer, RequestReader
from edge.wire.native.api import NativeApiCodec
from edge.wire.native.h2_session import NativeH2Session
from edge.wire.native.http1_reader import NativeRequestReader
from edge.wire.session import H2Session, Role, SessionSettings


class NativeEngine:
    """edge.wire.codec.Engine in Rust."""

    name = "native"
    version: str = edge_native.__version__

    def api(self, descriptor_set: bytes) -> ApiCodec:
        """A codec for a serialized FileDescriptorSet. Raises CompileError when it does not hang together."""
        return NativeApiCodec(descriptor_set)

    def session(self, role: Role, settings: SessionSettings, budget: GlitchBudget | None = None) -> H2Session:
        """One HTTP/2 connection; the peer's misbehaviour is charged to `budget`."""
        return NativeH2Session(role, settings, budget)

    def request_reader(self, limits: ReadLimits) -> RequestReader:
        """The requests of one HTTP/1.1 connection."""
        return NativeRequestReader(limits)

    @property
    def render(self) -> RenderAnswer:
        """Makes the bytes of an HTTP/1.1 answer."""
        return edge_native.render


NATIVE: Engine = NativeEngine()

__all__ = ["NATIVE", "NativeEngine"]
