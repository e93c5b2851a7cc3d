"""
R33, R57 from the other side: whoever calls the gateway over the mesh without a certificate that proves a service of it.

Every bad certificate of tests/certs/hostile.py, in real handshakes on uvloop, which says nothing of those that fail: none is served a byte,
and the log names what was wrong.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path

import pytest
import uvloop
from structlog.testing import capture_logs

from tests.certs.hostile import CA, CASES, PARTNER
from tests.certs.test_hostile_certificates import GOOD
from tests.consul.callers import called, presenting
from tests.consul.test_called_from_mesh import inbound_of, page, ready_within
from tests.gateway import running
from tests.peers.consul_double import running_double
from tests.unit.certs.fixed_source import FixedSource
from tests.unit.certs.mint import EDGE, TD, Minted, identity, mint
from tests.upstreams.recorder import Recorder

REQUEST = b"GET /v1/shelves/1 HTTP/1.1\r\nhost: edge\r\nconnection: close\r\n\r\n"


async def answer(port: int, context: ssl.SSLContext | None) -> bytes:
    """All that is said to a caller before the connection ends."""
    said = b""
    with suppress(OSError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        try:
            writer.write(REQUEST)
            while piece := await reader.read(65536):
                said += piece
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
    return said


def test_no_bad_certificate_gets_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The good one, asked first and last, is served: it is the certificates that are refused."""
    ours = FixedSource(identity(mint(CA, EDGE), CA, federated={"partner.test": [PARTNER]}))
    monkeypatch.setattr("edge.app.mesh.connect_source", lambda *_: ours)
    uvloop.run(_try_all(tmp_path))


async def _try_all(folder: Path) -> None:
    cases = [(case.name, case.leaf, case.downstream) for case in CASES if case.downstream]
    cases.append(("a gateway of the mesh", mint(CA, f"spiffe://{TD}/gateway/mesh/dc/dc1"), "service: "))
    nothing: list[tuple[str, Minted | None, str]] = [("no certificate", None, "peer did not return a certificate")]
    async with running_double() as double, Recorder() as upstream:
        given = called(folder, double, "edge", upstream.port)
        with capture_logs() as logged:
            async with running(folder, given) as gateway:
                await ready_within(gateway)
                assert (await answer(gateway.port, presenting(GOOD))).startswith(b"HTTP/1.1 200 ")
                for name, leaf, reason in (*cases, *nothing):
                    logged.clear()
                    inbound_of(gateway)._told.clear()  # the same reason again is logged ever more seldom
                    assert await answer(gateway.port, presenting(leaf)) == b"", name
                    (told,) = [entry for entry in logged if entry["event"] == "a caller was refused"]
                    assert any(part in told["reason"] for part in reason.split("|")), (name, told)
                assert await answer(gateway.port, None) == b""  # no TLS at all
                assert (await answer(gateway.port, presenting(GOOD))).startswith(b"HTTP/1.1 200 ")
                refused = (await page(gateway))["connections_refused"]
        assert len(upstream.calls) == 2
        assert sum(refused.values()) >= len(cases) + 1
        print(f"{len(cases) + 1} callers that prove nothing: none served, {dict(refused)}")
