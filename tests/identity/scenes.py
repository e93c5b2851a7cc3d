"""A mesh without Consul: a gRPC service that demands certificates, and two ways for the gateway to get its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from tests.unit.certs.mint import EDGE, SHOP, Minted, mint, root
from tests.unit.certs.workload_server import Agent, response, svid

PROTO = """
syntax = "proto3";
package shop.v1;
import "google/api/annotations.proto";
message Item { int64 id = 1; }
service Shop { rpc Echo(Item) returns (Item) { option (google.api.http) = {get: "/v1/items/{id}"}; } }
"""


class Files:
    """The gateway's identity as a Kubernetes secret is mounted: a folder whose `..data` link is swapped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._number = 0

    @property
    def section(self) -> dict[str, Any]:
        """The configuration's `identity`."""
        return {
            "files": {name: str(self.folder / "secret" / f"{name}.pem") for name in ("cert", "key", "trust_bundle")}
        }

    def give(self, leaf: Minted, *roots: Minted) -> None:
        """Swap in a whole set."""
        secret = self.folder / "secret"
        self._number += 1
        data = secret / f"..{self._number}"
        data.mkdir(parents=True)
        for name, pem in (
            ("cert", leaf.chain_pem),
            ("key", leaf.key_pem),
            ("trust_bundle", b"".join(one.pem for one in roots)),
        ):
            (data / f"{name}.pem").write_bytes(pem)
            link = secret / f"{name}.pem"
            if not link.is_symlink():
                link.symlink_to(f"..data/{name}.pem")
        (secret / "..new").symlink_to(data.name)
        os.replace(secret / "..new", secret / "..data")


class Workload:
    """The gateway's identity from a Workload API on a unix socket."""

    def __init__(self, agent: Agent, socket: str) -> None:
        self.agent = agent
        self.section = {"workload_api": {"socket": socket}}

    def give(self, leaf: Minted, *roots: Minted) -> None:
        self.agent.say(response([svid(leaf, EDGE, *roots)]))


class Mesh:
    """Both sides' certificates; each step is taken by both."""

    service: grpc.ServerCertificateConfiguration

    def __init__(self, ours: Files | Workload) -> None:
        self.ours = ours
        self.ca = root()
        self.hold(self.ca, self.ca)

    def hold(self, signer: Minted, *roots: Minted) -> Minted:
        """Both present new leaves of `signer` and trust `roots`; our leaf."""
        self.ca = signer
        edge, shop = mint(signer, EDGE), mint(signer, SHOP)
        pems = b"".join(one.pem for one in roots)
        self.service = grpc.ssl_server_certificate_configuration([(shop.key_pem, shop.chain_pem)], pems)
        self.ours.give(edge, *roots)
        return edge

    def credentials(self) -> grpc.ServerCredentials:
        return grpc.dynamic_ssl_server_credentials(
            self.service, lambda: self.service, require_client_authentication=True
        )


def configuration(folder: Path, port: int, identity: dict[str, Any], expected: str = SHOP) -> dict[str, Any]:
    """One API to the service that is `expected` at this port."""
    (folder / "shop.proto").write_text(PROTO)
    return {
        "listeners": [{"bind": "127.0.0.1:0"}],
        "admin": {"bind": "127.0.0.1:0"},
        "access_log": {"path": str(folder / "access.log")},
        "drain_timeout": "2s",
        "identity": identity,
        "apis": [{"name": "shop", "protos": {"roots": [str(folder)], "files": ["shop.proto"]}, "upstream": "shop"}],
        "upstreams": {"shop": {"endpoints": [f"127.0.0.1:{port}"], "tls": {"spiffe_ids": [expected]}}},
    }


@contextmanager
def workload(folder: Path) -> Iterator[Workload]:
    """With the agent running."""
    from tests.unit.certs.workload_server import serving

    agent = Agent()
    with serving(agent, folder / "agent.sock") as socket:
        yield Workload(agent, socket)
