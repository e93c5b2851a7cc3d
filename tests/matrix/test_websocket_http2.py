"""RPCs over WebSockets on HTTP/2 streams (RFC 8441), with clients that are not ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.browser.chromium import chromium, needs_chromium
from tests.gateway import RunningGateway, bookstore_config, running
from tests.matrix.rest_site import compiled, serving
from tests.matrix.test_rest_stream import steady
from tests.matrix.test_websocket import CORS, FEEDS, configured, say, shop
from tests.matrix.websocket_on_h2 import STREAM, connection_to, open_websocket
from tests.upstreams.bookstore import BookstoreProcess, known
from tests.upstreams.streaming import streaming

__all__ = ["shop"]  # the fixture


async def test_it_is_offered_where_an_api_is(shop: RunningGateway, tmp_path: Path) -> None:
    """By the setting, which a client must wait for; elsewhere the request is malformed."""
    async with connection_to(shop.port) as client:
        assert client.offered
    folder = tmp_path / "without"
    folder.mkdir()
    async with running(folder, configured(folder, 1, websocket=None)) as gateway, connection_to(gateway.port) as client:
        assert not client.offered
        await client.ask("/v1/chat")
        assert client.reset == 1


async def test_a_conversation(shop: RunningGateway) -> None:
    """Each answer comes before the next question; an empty text frame is the half-close; the stream ends with the WebSocket."""
    async with open_websocket(shop.port, "/v1/chat", ("sec-websocket-protocol", "other, edge.json")) as ws:
        assert ws.fields["sec-websocket-protocol"] == "edge.json"
        assert not {"upgrade", "connection", "sec-websocket-accept"} & set(ws.fields)
        for text in ("hello", "what's new?"):
            await ws.say(say(text))
            assert json.loads(await ws.hear() or "")["text"] == f"You said: {text}"
        await ws.say("")
        assert await ws.rest() == ([], 1000)
        await ws.until(lambda: ws.ended)
    line = await shop.logged()
    assert (line["dialect"], line["status"], line["grpc_code"], line["protocol"]) == ("websocket", 200, "OK", "2"), line


async def test_an_error_is_a_status_and_a_close_code(shop: RunningGateway) -> None:
    """As over HTTP/1.1: the message, an empty frame, the google.rpc.Status, 4000 and the code."""
    async with open_websocket(shop.port, "/v1/lab/count?to=1&code=5") as ws:
        (message, end, status), code = await ws.rest()
    assert (message, end, json.loads(status)["code"], code) == ('{"number":1}', "", 5, 4005)


async def test_protobuf_by_the_path_of_the_rpc(shop: RunningGateway) -> None:
    """Binary frames, unchanged."""
    async with open_websocket(shop.port, f"{FEEDS}/Count", ("sec-websocket-protocol", "edge.proto")) as ws:
        await ws.say(known().CountRequest(to=2).SerializeToString())
        counted, code = await ws.rest()
    assert [known().CountResponse.FromString(bytes(data)).number for data in counted if isinstance(data, bytes)] == [
        1,
        2,
    ]
    assert code == 1000


@pytest.mark.parametrize(
    ("path", "fields", "protocol", "status"),
    [
        ("/v1/nothing/here", (), "websocket", 404),
        ("/v1/chat", (("origin", "https://evil.example"),), "websocket", 403),
        ("/v1/chat", (("sec-websocket-protocol", "chat"),), "websocket", 400),
        ("/v1/chat", (), "connect-udp", 405),
    ],
)
async def test_what_is_refused_has_its_status(
    shop: RunningGateway, path: str, fields: tuple[tuple[str, str], ...], protocol: str, status: int
) -> None:
    async with connection_to(shop.port) as client:
        await client.ask(path, *fields, protocol=protocol)
        assert client.status == status
        assert client.fields["content-type"] == "application/json"


async def test_other_calls_go_on_beside_it(shop: RunningGateway) -> None:
    """It has one stream of the connection, no more."""
    async with open_websocket(shop.port, "/v1/chat") as ws:
        head = [(":method", "GET"), (":scheme", "http"), (":path", "/v1/shelves/1"), (":authority", "edge")]
        ws.status = 0
        ws.h2.send_headers(STREAM + 2, head, end_stream=True)
        await ws.until(lambda: ws.ended)
        assert ws.status == 200
        ws.ended = False
        await ws.say(say("hello"))
        assert json.loads(await ws.hear() or "")["text"] == "You said: hello"


@pytest.mark.parametrize("how", ["reset", "half-close", "close", "connection"])
async def test_a_client_that_leaves_cancels_the_call(tmp_path: Path, how: str) -> None:
    """However it does; the log says so."""
    began, over = asyncio.Event(), asyncio.Event()

    async def service(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        context.add_done_callback(lambda _: over.set())
        began.set()
        await asyncio.sleep(60)
        yield b""

    async with streaming(service) as port, running(tmp_path, configured(tmp_path, port)) as gateway:
        async with open_websocket(gateway.port, "/v1/chat") as ws:
            await ws.say(say("hello"))
            await asyncio.wait_for(began.wait(), 10)
            if how == "reset":
                ws.h2.reset_stream(STREAM, 8)
            elif how == "half-close":
                ws.h2.end_stream(STREAM)
            elif how == "close":
                ws.ws.send_close(1000)
            await ws.send()
            if how != "connection":
                await asyncio.wait_for(over.wait(), 8)
            if how == "close":
                await ws.until(lambda: ws.ended)
                assert ws.ws.close_rcvd is not None
        await asyncio.wait_for(over.wait(), 8)
        assert (await gateway.logged())["grpc_code"] == "CANCELLED"


async def test_a_slow_reader_slows_the_service(tmp_path: Path) -> None:
    """The stream's window is all that is let through; when it opens, all the rest comes."""
    produced = 0
    message = known().ChatMessage(text="x" * 10_000).SerializeToString()

    async def service(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        nonlocal produced
        for _ in range(500):
            produced += 1
            yield message

    async with (
        streaming(service) as port,
        running(tmp_path, configured(tmp_path, port)) as gateway,
        open_websocket(gateway.port, "/v1/chat") as ws,
    ):
        await steady(lambda: produced)
        assert produced < 400
        await ws.say("")
        came, code = await ws.rest()
    assert (len(came), code, produced) == (500, 1000, 500)


async def test_a_service_that_reads_slowly_slows_the_client(tmp_path: Path) -> None:
    """The window does not open for what nobody has taken."""
    go_on = asyncio.Event()
    got = 0

    async def service(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        nonlocal got
        await go_on.wait()
        async for _ in requests:
            got += 1
        yield b""

    async with (
        streaming(service) as port,
        running(tmp_path, configured(tmp_path, port)) as gateway,
        open_websocket(gateway.port, "/v1/chat") as ws,
    ):

        async def sender() -> None:
            for _ in range(4000):
                await ws.say(say("x" * 3900))

        sending = asyncio.create_task(sender())
        await asyncio.sleep(2.0)
        assert not sending.done()
        go_on.set()
        await asyncio.wait_for(sending, 60)
        await ws.say("")
        await ws.rest()
    assert got == 4000


async def test_a_silent_client_is_pinged_and_then_left(tmp_path: Path) -> None:
    """One that answers stays."""

    async def service(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        await asyncio.sleep(60)
        yield b""

    config = configured(tmp_path, 1, websocket={"ping_interval": "500ms"})
    async with streaming(service) as port:
        config["upstreams"]["bookstore"]["endpoints"] = [f"127.0.0.1:{port}"]
        async with running(tmp_path, config) as gateway, open_websocket(gateway.port, "/v1/chat") as ws:
            answered = asyncio.get_running_loop().time() + 2.5
            while asyncio.get_running_loop().time() < answered:
                await ws._turn()  # hears pings, and has pongs to send
                await ws.send()
            assert not ws.ended
            ws.ws.data_to_send()
            await ws.until(lambda: ws.ended or ws.reset is not None)


PAGE = """
new Promise((resolve) => {
  const told = [], ws = new WebSocket(location.origin.replace("https", "wss") + "/v1/chat");
  ws.onopen = () => ws.send(JSON.stringify({from: "me", text: "hello"}));
  ws.onmessage = (event) => { told.push(JSON.parse(event.data).text); ws.send(""); };
  ws.onclose = (event) => resolve(JSON.stringify([told, event.code]));
  ws.onerror = () => told.push("error");
})
"""


@needs_chromium
@pytest.mark.slow
def test_chromium_opens_one_on_the_connection_it_has(tmp_path: Path) -> None:
    """A page that came over HTTP/2: its WebSocket is a stream of the same connection."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "all.pem"))
    tls = {"cert": "all.pem", "key": "all.pem"}
    with BookstoreProcess() as upstream:
        config = bookstore_config(tmp_path, upstream.port, api={**compiled(tmp_path), "websocket": True, "cors": CORS})
        config["listeners"] = [{"bind": "127.0.0.1:0", "tls": tls}]
        with serving(tmp_path, config) as site:
            url = f"https://127.0.0.1:{site.gateway.port}/v1/shelves/1"
            with chromium(tmp_path, url, "--ignore-certificate-errors") as browser, browser.page() as page:
                page.until("document.body && document.body.textContent.includes('theme')")
                assert json.loads(page.value(PAGE)) == [["You said: hello"], 1000]
            line = asyncio.run(site.gateway.logged('"dialect":"websocket"'))
    assert (line["protocol"], line["status"]) == ("2", 200)
