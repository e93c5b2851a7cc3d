"""
The portable engine: google.protobuf messages read and printed by plans compiled at load. It runs wherever Python does.

It is the reference for the others: what it takes, gives and refuses is right, or a defect here.
"""

from __future__ import annotations

import h2

from edge.core.glitches import GlitchBudget
from edge.wire.codec import ApiCodec, Engine
from edge.wire.http1 import ReadLimits, RenderAnswer, RequestReader
from edge.wire.portable.api import PortableApiCodec
from edge.wire.portable.h2_session import PortableH2Session
from edge.wire.portable.http1_answer import render
from edge.wire.portable.http1_reader import PortableRequestReader
from edge.wire.session import H2Session, Role, SessionSettings


class PortableEngine:
    """edge.wire.codec.Engine in Python."""

    name = "portable"
    version: str = h2.__version__

    def api(self, descriptor_set: bytes) -> ApiCodec:
        """A codec for a serialized FileDescriptorSet. Raises CompileError when it does not hang together."""
        return PortableApiCodec(descriptor_set)

    def session(self, role: Role, settings: SessionSettings, budget: GlitchBudget | None = None) -> H2Session:
        """One HTTP/2 connection; the peer's misbehaviour is charged to `budget`."""
        return PortableH2Session(role, settings, budget)

    def request_reader(self, limits: ReadLimits) -> RequestReader:
        """The requests of one HTTP/1.1 connection."""
        return PortableRequestReader(limits)

    @property
    def render(self) -> RenderAnswer:
        """Makes the bytes of an HTTP/1.1 answer."""
        return render


PORTABLE: Engine = PortableEngine()

__all__ = ["PORTABLE", "PortableEngine"]
