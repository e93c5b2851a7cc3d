"""
R33, R57 end to end: the running gateway dials what Consul lists as `shop`, and something else answers there.

Every bad certificate of tests/certs/hostile.py: not one byte of a call reaches it, the client gets a clean 503, and the access log names
the check that failed.
"""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import httpx
import pytest

from tests.certs.hostile import CA, CASES, PARTNER
from tests.certs.test_hostile_certificates import GOOD, _presenting, _says
from tests.consul.scenes import HASTY, asked, until
from tests.consul.test_gateway import SHELF, instances
from tests.consul.test_native_dial import native
from tests.gateway import RunningGateway, running
from tests.peers.consul_double import ConsulDouble, running_double
from tests.unit.certs.fixed_source import FixedSource
from tests.unit.certs.meeting import serving
from tests.unit.certs.mint import EDGE, Minted, identity, mint


async def _told(
    double: ConsulDouble, gateway: RunningGateway, client: httpx.AsyncClient, leaf: Minted
) -> tuple[int, int, str]:
    """A call to a service with this certificate: the status, the bytes it got, the access log's reason."""
    async with serving(_presenting(ssl.PROTOCOL_TLS_SERVER, leaf)) as service:
        sidecar = {"Name": "shop-proxy", "Kind": "connect-proxy", "Port": service.port, "Address": "127.0.0.1"}
        status, told, _ = await asked(
            double, "PUT", "/v1/agent/service/register", {**sidecar, "Proxy": {"DestinationServiceName": "shop"}}
        )
        assert status == 200, told
        pool = gateway.gateway._pools["bookstore"][1]
        await until(lambda: [each.port for each in pool._slots._endpoints] == [service.port], "the endpoint")
        before = len(_lines(gateway))
        answer = await client.get(SHELF)
        await until(lambda: len(_lines(gateway)) > before, "the access log's line")
        return answer.status_code, service.served, str(json.loads(_lines(gateway)[-1]))


def _lines(gateway: RunningGateway) -> list[str]:
    log = gateway.access_log
    return log.read_text().splitlines() if log.exists() else []


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_no_bad_certificate_is_ever_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The good one, asked first and last, gets bytes: it is the certificates that are refused."""
    ours = FixedSource(identity(mint(CA, EDGE), CA, federated={"partner.test": [PARTNER]}))
    monkeypatch.setattr("edge.app.mesh.connect_source", lambda *_: ours)
    monkeypatch.setattr("edge.app.mesh.manners_of", lambda _: HASTY)
    cases = [case for case in CASES if case.upstream]
    async with (
        running_double() as double,
        running(tmp_path, native(tmp_path, double, "edge", "shop")) as gateway,
        gateway.client() as client,
    ):
        _, served, _ = await _told(double, gateway, client, GOOD)
        assert served > 0
        assert instances(gateway) == 1
        for case in cases:
            status, served, line = await _told(double, gateway, client, case.leaf)
            assert (status, served) == (503, 0), (case.name, line)
            assert _says(line, case.upstream), (case.name, line)
        _, served, _ = await _told(double, gateway, client, GOOD)
        assert served > 0
    print(f"{len(cases)} bad certificates: none used, each with its reason in the access log")
