"""
The portable engine: google.protobuf messages read and printed by plans compiled at load. It runs wherever Python does.

It is the reference for the others: what it takes, gives and refuses is right, or a defect here.
"""

from __future__ import annotations

from edge.wire.codec import ApiCodec, Engine
from edge.wire.portable.api import PortableApiCodec


class PortableEngine:
    """edge.wire.codec.Engine in Python."""

    name = "portable"

    def api(self, descriptor_set: bytes) -> ApiCodec:
        """A codec for a serialized FileDescriptorSet. Raises CompileError when it does not hang together."""
        return PortableApiCodec(descriptor_set)


PORTABLE: Engine = PortableEngine()

__all__ = ["PORTABLE", "PortableEngine"]
