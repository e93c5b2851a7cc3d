"""py-consul's HTTP layer with bounds."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from consul.base import Response

from edge.consul import transport
from edge.consul.answer import ConsulError, Kind
from edge.consul.transport import Place, Transport
from tests.unit.consul.serving import answering


def whole(response: Response) -> Response:
    """A callback that keeps all."""
    return response


async def hello(request: web.BaseRequest) -> web.Response:
    """200."""
    return web.Response(
        text=f"{request.method} {request.path_qs} {await request.text()}", headers={"X-Consul-Index": "7"}
    )


async def test_methods_paths_and_bodies() -> None:
    """Parameters may repeat; a path's segments are quoted."""
    async with answering(hello) as server:
        layer = Transport(Place(server.url))
        got = await layer.get(whole, "/v1/a b?c", [("tag", "x"), ("tag", "y z"), ("stale", "")])
        assert (got.code, got.body, got.headers["x-consul-index"]) == (
            200,
            "GET /v1/a%20b%3Fc?tag=x&tag=y+z&stale= ",
            "7",
        )
        assert (await layer.put(whole, "/p", data="x")).body == "PUT /p x"
        assert (await layer.post(whole, "/p", data=b"y")).body == "POST /p y"
        assert (await layer.delete(whole, "/p")).body == "DELETE /p "
        assert (await layer.get(whole, "/r", raw=True)).body == b"GET /r "
        await layer.close()


async def test_answer_that_is_too_large_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without reading it whole, whether its length was told or not."""
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", 1000)
    sent = 0

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            sent += 500
            await response.write(b"x" * 500)
            await asyncio.sleep(0.001)

    async with answering(endless) as server:
        layer = Transport(Place(server.url))
        with pytest.raises(ConsulError, match="larger than") as caught:
            await layer.get(whole, "/v1/x")
        assert caught.value.kind is Kind.UNREADABLE
        await layer.close()


async def test_no_answer_in_time() -> None:
    """Its own timeout, or the request's."""

    async def silent(request: web.BaseRequest) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with answering(silent) as server:
        layer = Transport(Place(server.url), timeout_s=0.1)
        for given in (None, 0.05):
            with pytest.raises(ConsulError, match="no answer within") as caught:
                await layer.get(whole, "/v1/x", connections_timeout=given)
            assert caught.value.kind is Kind.UNREACHABLE
        await layer.close()


async def test_redirects_are_not_followed() -> None:
    """A token would go with them."""

    async def elsewhere(request: web.BaseRequest) -> web.Response:
        return web.Response(status=307, headers={"Location": "http://192.0.2.1/"})

    async with answering(elsewhere) as server:
        layer = Transport(Place(server.url))
        assert (await layer.get(whole, "/v1/x")).code == 307
        assert len(server.asked) == 1
        await layer.close()


async def test_unreachable_in_plain_words(free_port: int) -> None:
    """Refused, or a socket that is not there."""
    for place, words in (
        (Place(f"http://127.0.0.1:{free_port}"), "connection refused"),
        (Place("http://localhost", socket="/nonexistent/s"), "no such file"),
    ):
        layer = Transport(place)
        with pytest.raises(ConsulError, match=words) as caught:
            await layer.get(whole, "/v1/x")
        assert caught.value.kind is Kind.UNREACHABLE
        assert str(caught.value).startswith(str(place))
        await layer.close()


@pytest.fixture
def free_port(unused_tcp_port: int) -> int:
    """A port nobody listens on."""
    return unused_tcp_port


async def test_half_an_answer_is_none() -> None:
    """The connection broke in the middle of the body."""

    async def half(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"x" * 10)
        assert request.transport is not None
        request.transport.close()
        return response

    async with answering(half) as server:
        layer = Transport(Place(server.url))
        with pytest.raises(ConsulError) as caught:
            await layer.get(whole, "/v1/x")
        assert caught.value.kind is Kind.UNREACHABLE
        await layer.close()


async def test_unix_socket(tmp_path: Path) -> None:
    """As agents may be given one."""
    path = str(tmp_path / "s")
    async with answering(hello, path):
        layer = Transport(Place("http://localhost", socket=path))
        assert (await layer.get(whole, "/v1/x")).code == 200
        await layer.close()


async def test_tls_is_checked(tmp_path: Path) -> None:
    """A certificate that is not trusted, or of another name, is refused; `server_name` is the name asked for."""
    ca, other = trustme.CA(), trustme.CA()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("server.dc1.consul").configure_cert(server_side)
    runner = web.ServerRunner(web.Server(hello), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_side).start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}"

    async def ask(trusted: trustme.CA, name: str | None) -> int:
        context = ssl.create_default_context()
        trusted.configure_trust(context)
        layer = Transport(Place(url, tls=context, server_name=name))
        try:
            return int((await layer.get(whole, "/v1/x")).code)
        finally:
            await layer.close()

    try:
        assert await ask(ca, "server.dc1.consul") == 200
        for trusted, name in ((other, "server.dc1.consul"), (ca, None), (ca, "server.dc2.consul")):
            with pytest.raises(ConsulError, match="not trusted"):
                await ask(trusted, name)
    finally:
        await runner.cleanup()
