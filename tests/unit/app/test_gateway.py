"""A gateway from start to drained: readiness, reload, and what is given back."""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from edge.app.gateway import Gateway
from edge.config.load import load_config
from edge.core.problem import ProblemsError
from edge.runtime.sockets import Bind, bind_all
from tests.gateway import RunningGateway, bookstore_config, running_bookstore
from tests.upstreams.recorder import Recorder, Reply


async def get(url: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(url)


async def reload(gateway: RunningGateway, folder: Path, config: dict[str, Any]) -> None:
    (folder / "edge.yaml").write_text(json.dumps(config))
    await gateway.gateway.reload()


async def test_a_gateway_is_ready_counts_and_logs(tmp_path: Path) -> None:
    """Readiness, metrics and one access-log line for one call."""
    async with Recorder() as upstream, running_bookstore(tmp_path, upstream.port) as gateway:
        assert (await get(f"{gateway.admin_url}/readyz")).json() == {"ready": True, "reasons": []}
        assert (await get(f"{gateway.url}/v1/shelves/1")).status_code == 200
        metrics = (await get(f"{gateway.admin_url}/metrics")).text
        assert (
            'edge_requests_total{api="bookstore",code="OK",dialect="rest",rpc="bookstore.v1.Bookstore.GetShelf"'
            in metrics
        )
        assert "127.0.0.1" in (await get(f"{gateway.admin_url}/upstreams")).text
    (line,) = (tmp_path / "access.log").read_text().splitlines()
    told = json.loads(line)
    assert (told["rpc"], told["status"], told["upstream"]) == (
        "bookstore.v1.Bookstore.GetShelf",
        200,
        f"127.0.0.1:{upstream.port}",
    )


async def test_a_reload_takes_effect_at_once_and_keeps_warm_connections(tmp_path: Path) -> None:
    async with Recorder() as upstream, running_bookstore(tmp_path, upstream.port) as gateway:
        assert (await get(f"{gateway.url}/v1/alias/1")).status_code == 404
        pool = gateway.gateway._pools["bookstore"][1]
        rules = [{"selector": "bookstore.v1.Bookstore.GetShelf", "get": "/v1/alias/{shelf}"}]
        await reload(gateway, tmp_path, bookstore_config(tmp_path, upstream.port, api={"http": {"rules": rules}}))
        assert (await get(f"{gateway.url}/v1/alias/1")).status_code == 200
        assert gateway.gateway._pools["bookstore"][1] is pool


async def test_a_wrong_configuration_is_refused_and_the_old_one_serves_on(tmp_path: Path) -> None:
    async with Recorder() as upstream, running_bookstore(tmp_path, upstream.port) as gateway:
        broken = bookstore_config(tmp_path, upstream.port, api={"services": ["bookstore.v1.Nothing"]})
        with pytest.raises(ProblemsError, match="Nothing"):
            await reload(gateway, tmp_path, broken)
        assert (await get(f"{gateway.url}/v1/shelves/1")).status_code == 200


async def test_a_moved_upstream_gets_the_calls_after_a_reload(tmp_path: Path) -> None:
    async with Recorder() as old, Recorder() as new, running_bookstore(tmp_path, old.port) as gateway:
        await get(f"{gateway.url}/v1/shelves/1")
        await reload(gateway, tmp_path, bookstore_config(tmp_path, new.port))
        await get(f"{gateway.url}/v1/shelves/2")
        assert (len(old.calls), len(new.calls)) == (1, 1)


async def test_a_drain_lets_a_running_call_finish(tmp_path: Path) -> None:
    """The call gets its answer, a later one finds no listener, and the admin listener says why before it ends."""
    async with Recorder(default=Reply(delay_s=2.0)) as upstream, running_bookstore(tmp_path, upstream.port) as gateway:
        call = asyncio.ensure_future(get(f"{gateway.url}/v1/shelves/1"))
        while not upstream.calls:
            await asyncio.sleep(0.01)
        drain = asyncio.ensure_future(gateway.gateway.drain(20.0))
        await asyncio.sleep(0)
        assert (await get(f"{gateway.admin_url}/readyz")).json()["reasons"] == ["draining"]
        with pytest.raises(httpx.ConnectError):
            await get(f"{gateway.url}/v1/shelves/2")
        assert (await call).status_code == 200
        await drain


async def test_a_certificate_that_is_gone_keeps_the_gateway_from_starting(tmp_path: Path) -> None:
    """What the file named at load time and is missing at start is told with its path."""
    authority = trustme.CA()
    authority.issue_cert("a.example").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "both.pem"))
    (tmp_path / "edge.yaml").write_text(
        json.dumps(
            {
                **bookstore_config(tmp_path, 1),
                "listeners": [{"bind": "127.0.0.1:0", "tls": {"cert": "both.pem", "key": "both.pem"}}],
            }
        )
    )
    config = load_config(tmp_path / "edge.yaml", {})
    (tmp_path / "both.pem").unlink()
    (listener,) = bind_all([Bind("127.0.0.1", 0)])
    gateway = Gateway(lambda: config)
    with listener, pytest.raises(ProblemsError, match=r"both\.pem"):
        await gateway.start([listener], None)
    await gateway.drain(0.0)


async def test_a_call_that_began_before_a_reload_ends_with_the_upstream_it_began_with(tmp_path: Path) -> None:
    """Its head was matched, its body is still on the way: the pool it will use must not have been closed meanwhile."""
    async with Recorder() as old, Recorder() as new, running_bookstore(tmp_path, old.port) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(b"POST /v1/shelves HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{")
        await asyncio.sleep(0.05)
        await reload(gateway, tmp_path, bookstore_config(tmp_path, new.port))
        await asyncio.sleep(0.05)
        writer.write(b"}")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        assert (len(old.calls), len(new.calls)) == (1, 0)
        writer.close()
        await writer.wait_closed()
    assert not gateway.gateway._beside


async def test_a_renewed_certificate_is_presented_after_a_reload(tmp_path: Path) -> None:
    """The file keeps its name, and the listener its socket."""

    def issue() -> bytes:
        pair = trustme.CA().issue_cert("localhost")
        pair.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "both.pem"))
        return ssl.PEM_cert_to_DER_cert(pair.cert_chain_pems[0].bytes().decode())

    async def presented(port: int) -> bytes:
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
        certificate: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.transport.abort()
        return certificate

    listeners = [{"bind": "127.0.0.1:0", "tls": {"cert": "both.pem", "key": "both.pem"}}]
    first = issue()
    async with running_bookstore(tmp_path, 1, listeners=listeners) as gateway:
        assert await presented(gateway.port) == first
        second = issue()
        await gateway.gateway.reload()
        assert await presented(gateway.port) == second


async def test_a_limit_changes_at_the_next_start_only(tmp_path: Path) -> None:
    async with Recorder() as upstream, running_bookstore(tmp_path, upstream.port) as gateway:
        await reload(gateway, tmp_path, bookstore_config(tmp_path, upstream.port, limits={"max_body_bytes": "1KiB"}))
        async with gateway.client() as client:
            answer = await client.post("/v1/shelves", content=b"{" + b" " * 2000 + b"}")
        assert answer.status_code == 200


async def test_the_description_is_served_and_documented_on_the_admin_listener(tmp_path: Path) -> None:
    """`/openapi.json` on the listener, `/docs` on the admin one; `openapi: false` keeps an API's to itself."""
    async with Recorder() as upstream:
        async with running_bookstore(tmp_path, upstream.port) as gateway:
            served = await get(f"{gateway.url}/openapi.json")
            assert served.headers["content-type"] == "application/json"
            assert "/v1/shelves/{shelf}" in served.json()["paths"]
            assert (await get(f"{gateway.url}/openapi/bookstore.json")).content == served.content
            assert (await get(f"{gateway.admin_url}/docs/openapi/bookstore.json")).content == served.content
            assert "<script" in (await get(f"{gateway.admin_url}/docs")).text
        async with running_bookstore(tmp_path, upstream.port, api={"openapi": False}) as gateway:
            assert (await get(f"{gateway.url}/openapi.json")).status_code == 404
            assert (await get(f"{gateway.admin_url}/docs/openapi/bookstore.json")).status_code == 404
