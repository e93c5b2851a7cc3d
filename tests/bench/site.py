"""
What all servers of a run share: descriptors, the services behind them, certificates, the cores they are pinned to.

Owns the pinning: gateways on core 0, services and load on core 1, so that a gateway's cost is never its neighbour's wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from tests.bench import backend
from tests.bench.scenes import Scene, descriptor_set, scenes, write_answers
from tests.peers.envoy import without_response_body

GATEWAY_CORE, LOAD_CORE = 0, 1
NAME = "service.test"
"""What the service's certificate says it is."""


@dataclass(frozen=True)
class Certificates:
    """One pair for every server and client, and who signed it; PEM files."""

    ca: Path
    cert: Path
    key: Path


@dataclass(frozen=True)
class Site:
    """What a server is started with."""

    folder: Path
    descriptors: Path
    for_envoy: Path
    scenes: list[Scene]
    plain_port: int
    mtls_port: int
    direct_port: int
    """The same answers over HTTP/1.1, with no gateway before them: the floor of every latency."""
    certificates: Certificates
    parts: list[Path] = field(default_factory=list)

    def answer(self, scene: Scene) -> None:
        """Have the services give this scene's answer from now on: scenes of other sizes share its RPC."""
        for part in self.parts:
            write_answers(part / "answers", [scene])


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Services that answer, and what is known of them."""
    compiled = descriptor_set()
    descriptors, for_envoy = folder / "bookstore.binpb", folder / "envoy.binpb"
    descriptors.write_bytes(compiled)
    for_envoy.write_bytes(without_response_body(compiled))
    plan = scenes(compiled)
    certificates = _certificates(folder)
    tls = backend.Tls(certificates.ca, certificates.cert, certificates.key)
    parts: list[Path] = []
    with ExitStack() as stack:

        def serve(name: str, *, tls: backend.Tls | None = None, http2: bool = True) -> int:
            part = folder / name
            part.mkdir()
            parts.append(part)
            write_answers(part / "answers", plan)
            return stack.enter_context(backend.running_backend(part, core=LOAD_CORE, tls=tls, http2=http2))

        yield Site(
            folder,
            descriptors,
            for_envoy,
            plan,
            plain_port=serve("plain"),
            mtls_port=serve("mtls", tls=tls),
            direct_port=serve("direct", http2=False),
            certificates=certificates,
            parts=parts,
        )


def _certificates(folder: Path) -> Certificates:
    authority = trustme.CA()
    pair = authority.issue_cert(NAME, "127.0.0.1")
    made = Certificates(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    authority.cert_pem.write_to_path(str(made.ca))
    made.cert.write_bytes(b"".join(blob.bytes() for blob in pair.cert_chain_pems))
    pair.private_key_pem.write_to_path(str(made.key))
    return made
