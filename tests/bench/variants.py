"""
Under which conditions the scenes are measured: the rows of the yardstick are scenes times these.

Owns which scene is measured under which variant, and that a variant means the same for every server it names.
"""

from __future__ import annotations

from dataclasses import dataclass

SMALL = ("GET small", "POST small")
EDGE, ENVOY, GRPC_GATEWAY = "edge", "Envoy", "grpc-gateway"


@dataclass(frozen=True)
class Variant:
    """Conditions, and the scenes measured under them; no `scenes`: all of them."""

    name: str
    scenes: tuple[str, ...] = ()
    policies: bool = False
    """Access log and every policy; without, the access log is off on both sides. Metrics are always counted."""
    upstream_tls: bool = False
    """mTLS to the service."""
    downstream_tls: bool = False
    workers: int = 1
    peers: tuple[str, ...] = (ENVOY,)

    def measures(self, scene: str) -> bool:
        """Whether the scene is measured under it."""
        return not self.scenes or scene in self.scenes


BARE = Variant("bare", peers=(ENVOY, GRPC_GATEWAY))
TLS = Variant("TLS from clients", scenes=("GET small",), downstream_tls=True)
VARIANTS = (
    BARE,
    Variant("policies", scenes=(*SMALL, "gRPC, h2 to h2"), policies=True),
    Variant("mTLS to the service", scenes=("GET small",), upstream_tls=True),
    TLS,
    Variant("2 workers", scenes=("GET small",), workers=2),
)
