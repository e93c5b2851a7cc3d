"""
The whole gateway with an identity from files or the SPIFFE Workload API, and no Consul: mutual TLS to a service known by SPIFFE ID.

The service is grpcio's server with certificates of its own that rotate in step; the Workload API is served over a unix socket by the
standard's own proto, and asked by the `spiffe` client.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import grpc
import httpx
import pytest

from certs.files import FileSource
from edge.app import identity
from tests.consul.scenes import until
from tests.gateway import RunningGateway, running
from tests.identity.scenes import Files, Mesh, Workload, configuration, workload
from tests.unit.certs.mint import EDGE, SHOP, Minted, mint, root
from tests.unit.upstream import services

ROTATIONS = 10
CALLS_PER_STEP = 30


@pytest.fixture(params=["files", "workload API"])
def ours(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Files | Workload]:
    """Both sources, in turn."""
    monkeypatch.setattr(identity, "FileSource", partial(FileSource, interval_s=0.03, settle_s=0.01))
    with ExitStack() as stack:
        yield Files(tmp_path) if request.param == "files" else stack.enter_context(workload(tmp_path))


def has(gateway: RunningGateway, leaf: Minted) -> Callable[[], object]:
    """Whether the gateway presents this leaf."""

    def look() -> object:
        source = gateway.gateway._locating.presents
        current = None if source is None else source.current()
        return current is not None and current.chain[0] == leaf.der

    return look


@pytest.mark.slow
async def test_rotation_of_root_and_leaf_under_load(ours: Files | Workload, tmp_path: Path) -> None:
    """Every rotation on both sides, each old root withdrawn: no call fails, and connections are really made anew."""
    mesh = Mesh(ours)
    outcomes: Counter[int] = Counter()

    def calls_beyond(number: int) -> bool:
        return outcomes.total() >= number

    with services.serving(credentials=mesh.credentials()) as service:
        async with (
            running(tmp_path, configuration(tmp_path, service.port, ours.section)) as gateway,
            gateway.client() as client,
        ):
            over = asyncio.Event()

            async def load() -> None:
                while not over.is_set():
                    got = await client.get("/v1/items/7")
                    outcomes[got.status_code] += 1
                    await asyncio.sleep(0.005)

            loads = [asyncio.create_task(load()) for _ in range(4)]
            for _ in range(ROTATIONS):
                old, new = mesh.ca, root()
                for signer, roots in ((old, (old, new)), (new, (new, old)), (new, (new,))):
                    leaf = mesh.hold(signer, *roots)
                    await until(has(gateway, leaf), "the new identity")
                    before = outcomes.total()
                    await until(partial(calls_beyond, before + CALLS_PER_STEP), "calls")
            over.set()
            await asyncio.gather(*loads)
            generation = gateway.gateway._locating.located["shop"].peers
            assert generation is not None
            assert generation.generation >= 3 * ROTATIONS
    print(f"{ROTATIONS} rotations of root and leaf, {outcomes.total()} calls: {dict(outcomes)}")
    assert set(outcomes) == {200}


async def test_readiness_waits_for_a_leaf(tmp_path: Path) -> None:
    """Without one: not ready, and calls say why; calls of the first moments wait for it."""
    with workload(tmp_path) as ours:
        silent = ours.agent
        ca = root()
        edge, shop = mint(ca, EDGE), mint(ca, SHOP)
        credentials = grpc.ssl_server_credentials([(shop.key_pem, shop.chain_pem)], ca.pem, require_client_auth=True)
        with services.serving(credentials=credentials) as service:
            config = configuration(tmp_path, service.port, ours.section)
            async with (
                running(tmp_path, config) as gateway,
                gateway.client() as client,
                httpx.AsyncClient(base_url=gateway.admin_url, trust_env=False) as admin,
            ):
                answer = await admin.get("/readyz")
                assert answer.status_code == 503
                (reason,) = answer.json()["reasons"]
                assert reason.startswith("upstream shop: no certificate from SPIFFE Workload API")
                waiting = asyncio.create_task(client.get("/v1/items/7"))
                await asyncio.sleep(0.1)
                assert not waiting.done()
                ours.give(edge, ca)
                assert (await waiting).status_code == 200
                assert (await admin.get("/readyz")).status_code == 200
                told = (await admin.get("/discovery")).json()["certificate"]
                assert (told["spiffe_id"], told["fault"]) == (EDGE, None)
                lines = (await admin.get("/metrics")).text.splitlines()
                (line,) = [line for line in lines if line.startswith("edge_identity_not_after_seconds ")]
                assert float(line.split()[1]) == told["not_after"]
                silent.say(grpc.StatusCode.PERMISSION_DENIED)
                await until(lambda: gateway.gateway._locating.faults(), "the withdrawal")
                answer = await client.get("/v1/items/7")
                assert answer.status_code == 503
                assert "PERMISSION_DENIED" in str(await gateway.logged('"status":503'))


@pytest.mark.parametrize(
    ("leaf", "check"),
    [
        (lambda ca: mint(ca, EDGE), "identity: the peer is"),
        (lambda ca: mint(ca, SHOP.replace("td.test", "other.test")), "trust-domain"),
        (lambda ca: mint(root(), SHOP), "unable to get local issuer"),
        (lambda ca: mint(ca, SHOP, EDGE), "uri-san"),
        (lambda ca: mint(ca, SHOP, ends_s=-1), "expired"),
        (lambda ca: mint(ca, dns=["shop.example"]), "uri-san"),
    ],
    ids=["another service", "another trust domain", "another root", "two URIs", "expired", "a DNS name"],
)
async def test_nobody_else_is_believed(leaf: Callable[[Minted], Minted], check: str, tmp_path: Path) -> None:
    """Not a byte of a call reaches another; the access log names the check."""
    files, ca = Files(tmp_path), root()
    files.give(mint(ca, EDGE), ca)
    theirs = leaf(ca)
    credentials = grpc.ssl_server_credentials([(theirs.key_pem, theirs.chain_pem)], ca.pem, require_client_auth=True)
    with services.serving(credentials=credentials) as service:
        async with running(tmp_path, configuration(tmp_path, service.port, files.section)) as gateway:
            async with gateway.client() as client:
                assert (await client.get("/v1/items/7")).status_code == 503
            assert check in str(await gateway.logged("/v1/items/7"))
        assert service.seen.metadata == {}


async def test_an_identity_is_asked_for_only_where_it_is_used(tmp_path: Path) -> None:
    """A section alone starts nothing; a reload that uses it does, and one that changes nothing keeps source and connections."""
    with workload(tmp_path) as ours:
        mesh = Mesh(ours)
        with services.serving(credentials=mesh.credentials()) as service:
            config = configuration(tmp_path, service.port, ours.section)
            tls = config["upstreams"]["shop"].pop("tls")
            async with running(tmp_path, config) as gateway, gateway.client() as client:
                assert gateway.gateway._locating.presents is None
                assert ours.agent.streams == 0
                config["upstreams"]["shop"]["tls"] = tls
                (tmp_path / "edge.yaml").write_text(json.dumps(config))
                await gateway.gateway.reload()
                assert (await client.get("/v1/items/7")).status_code == 200
                source, located = gateway.gateway._locating.presents, gateway.gateway._locating.located["shop"]
                await gateway.gateway.reload()
                assert gateway.gateway._locating.presents is source
                assert gateway.gateway._locating.located["shop"] is located
                (endpoint,) = gateway.gateway._pools["shop"][1].state().endpoints
                assert endpoint.connections == 1
                assert ours.agent.streams == 1
