"""
Who calls us over the mesh, as its certificate has proved: for decisions, the log and the service behind us.

Owns the words in which the service is told: one element of x-forwarded-client-cert as Envoy writes it (By, Hash, URI), made anew by us and
never taken over from a request.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from edge.core.consul_identity import MeshService


@dataclass(frozen=True, slots=True)
class Caller:
    """The peer of a connection. `forwarded` is the value of x-forwarded-client-cert for its calls."""

    spiffe_id: str
    service: MeshService
    forwarded: bytes = field(default=b"", repr=False)


def forwarded_client_cert(ours: str, theirs: str, leaf: bytes) -> bytes:
    """The element for a connection between two SPIFFE IDs (whose grammar has no character to quote), `leaf` the caller's as DER."""
    return f"By={ours};Hash={hashlib.sha256(leaf).hexdigest()};URI={theirs}".encode("ascii")
