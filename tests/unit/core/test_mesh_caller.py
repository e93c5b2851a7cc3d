"""In which words a service is told who called."""

from __future__ import annotations

import hashlib

from edge.core.consul_identity import MeshService
from edge.core.mesh_caller import Caller, forwarded_client_cert

US, THEM = "spiffe://td.test/ns/default/dc/dc1/svc/edge", "spiffe://td.test/ns/default/dc/dc1/svc/web"


def test_the_element_is_envoys() -> None:
    """By, Hash and URI, in the order and form of Envoy's SANITIZE_SET."""
    digest = hashlib.sha256(b"leaf").hexdigest()
    assert forwarded_client_cert(US, THEM, b"leaf") == f"By={US};Hash={digest};URI={THEM}".encode()


def test_a_caller_does_not_print_what_is_forwarded() -> None:
    """Logs have the ID."""
    assert "Hash" not in repr(Caller(THEM, MeshService("web", "dc1"), forwarded_client_cert(US, THEM, b"leaf")))
