"""
Root and leaf of both sides rotate under load, each old root withdrawn: the gateway's pool against a grpcio server, no call fails.

Connections are drained as the gateway is to do it: each asked for its generation, and `Connection.drain` called when that has a reason.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from functools import partial

import grpc
import pytest

from certs.devca import Authority, new_authority
from certs.generation import generation_of
from certs.identity import make_identity
from certs.leaf import Side
from certs.peer import PeerRules
from certs.rotation import RotatingContexts
from edge.upstream.call import UnaryReply, UnaryRequest
from edge.upstream.pool import Pool
from tests.calls import unary
from tests.certs.test_real_peers import DOMAIN, EDGE, SHOP, pool_over
from tests.unit.certs.fixed_source import FixedSource
from tests.unit.upstream import services

ROTATIONS = 20
CALLS_PER_S = 300


class Mesh:
    """What both sides hold: the service's certificate and the roots it knows callers by, and our source."""

    service: grpc.ServerCertificateConfiguration

    def __init__(self) -> None:
        self.ours = FixedSource()
        self.signer = authority()
        self.trust(self.signer)

    def configuration(self) -> grpc.ServerCertificateConfiguration:
        """What grpcio asks for at each handshake."""
        return self.service

    def hold(self, signer: Authority, *roots: Authority) -> None:
        """Both sides present leaves of `signer` and trust `roots`."""
        self.signer = signer
        self.trust(*roots)

    def trust(self, *roots: Authority) -> None:
        now = time.time()
        shop, edge = (self.signer.issue(who, now, 3600) for who in (SHOP, EDGE))
        pems = b"".join(one.root.certificate_pem for one in roots)
        self.service = grpc.ssl_server_certificate_configuration([(shop.key_pem, shop.certificate_pem)], pems)
        bundle = {DOMAIN: [one.root.certificate for one in roots]}
        self.ours.publish(make_identity([edge.certificate], edge.key, bundle, now))


def authority() -> Authority:
    return new_authority(DOMAIN, time.time(), 86_400)


def drain_what_must(pool: Pool, contexts: RotatingContexts) -> Counter[str]:
    """What a pool does when its contexts tell of a change."""
    drained: Counter[str] = Counter()
    for endpoint in pool._slots._endpoints:
        for connection in tuple(endpoint.links):
            assert connection._transport is not None
            generation = generation_of(connection._transport.get_extra_info("ssl_object"))
            assert generation is not None
            if (reason := contexts.drain_reason(generation)) is not None:
                drained[reason] += 1
                connection.drain()
    return drained


@pytest.mark.slow
async def test_twenty_rotations_of_root_and_leaf_under_load() -> None:
    """Zero failed calls, and each withdrawn root has its connections drained."""
    mesh = Mesh()
    credentials = grpc.dynamic_ssl_server_credentials(
        mesh.service, mesh.configuration, require_client_authentication=True
    )
    contexts = RotatingContexts(mesh.ours, PeerRules(Side.UPSTREAM, frozenset({SHOP})))
    outcomes: Counter[str] = Counter()
    drained: Counter[str] = Counter()
    with services.serving(credentials=credentials) as service:
        pool = pool_over(contexts, service.port)
        contexts.watch(lambda: drained.update(drain_what_must(pool, contexts)))
        over = asyncio.Event()
        load = asyncio.ensure_future(_load(pool, outcomes, over))
        for _ in range(ROTATIONS):
            old, new = mesh.signer, authority()
            steps = (partial(mesh.trust, old, new), partial(mesh.hold, new, new, old), partial(mesh.trust, new))
            for step in steps:
                before = outcomes.total()
                step()
                while outcomes.total() < before + CALLS_PER_S // 15:
                    await asyncio.sleep(0.005)
        over.set()
        await load
        await pool.close(1)
    contexts.close()
    print(
        f"{ROTATIONS} rotations of root and leaf, {outcomes.total()} calls: {dict(outcomes)}; drained: {dict(drained)}"
    )
    assert set(outcomes) == {"ok"}
    assert outcomes["ok"] >= ROTATIONS * 3 * (CALLS_PER_S // 15)
    assert drained["a root that it trusts was withdrawn"] >= ROTATIONS


async def _load(pool: Pool, outcomes: Counter[str], over: asyncio.Event) -> None:
    calls: set[asyncio.Task[None]] = set()

    async def one() -> None:
        deadline = asyncio.get_running_loop().time() + 30
        reply = await unary(pool, UnaryRequest(b"/t.S/Echo", b"hello", deadline=deadline))
        outcomes["ok" if isinstance(reply, UnaryReply) else str(reply)] += 1

    while not over.is_set():
        task = asyncio.ensure_future(one())
        calls.add(task)
        task.add_done_callback(calls.discard)
        await asyncio.sleep(1 / CALLS_PER_S)
    await asyncio.gather(*calls)
