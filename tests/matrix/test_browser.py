"""A page of another origin in a real browser: CORS as it is enforced, and a conversation over WebSocket."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.browser.chromium import CHROMIUM, FLAGS, needs_chromium
from tests.gateway import bookstore_config, running
from tests.matrix.rest_site import compiled
from tests.upstreams.bookstore import bookstore

PAGE = """
<!doctype html><title>a page</title><script type="module">
const gateway = "127.0.0.1:%(port)d", got = {}
const told = async (name, does) => { try { got[name] = await does() } catch (error) { got[name] = String(error) } }

await told("read", async () => (await (await fetch(`http://${gateway}/v1/shelves/1`)).json()).id)
await told("error", async () => {
  const answer = await fetch(`http://${gateway}/v1/shelves/99999`)
  return [answer.status, (await answer.json()).code, answer.headers.has("x-request-id")]
})
await told("preflighted", async () => {
  const answer = await fetch(`http://${gateway}/bookstore.v1.Bookstore/GetShelf`,
    {method: "POST", headers: {"content-type": "application/json", "connect-protocol-version": "1"}, body: '{"shelf":"1"}'})
  return [answer.status, (await answer.json()).id]
})
await told("unrouted", () => fetch(`http://${gateway}/v1/shelves/1`, {method: "PUT"}))
await told("unlisted", () => fetch(`http://${gateway}/v1/shelves/1`, {headers: {"x-unlisted": "1"}}))

const opened = (path, protocols) => new Promise((done, failed) => {
  const ws = new WebSocket(`ws://${gateway}${path}`, protocols)
  ws.binaryType = "arraybuffer"
  ws.onopen = () => done(ws)
  ws.onerror = () => failed("refused")
})
const ending = (ws) => new Promise(done => {
  const came = []
  ws.onmessage = ({data}) => came.push(data)
  ws.onclose = ({code, reason}) => done([came, code, reason])
})
await told("chat", async () => {
  const ws = await opened("/v1/chat", ["edge.json"]), answers = []
  for (const text of ["one", "two"]) {
    ws.send(JSON.stringify({from: "page", text}))
    answers.push(JSON.parse(await new Promise(done => ws.onmessage = ({data}) => done(data))).text)
  }
  const end = ending(ws)
  ws.send("")
  return [ws.protocol, answers, ...(await end)]
})
await told("failure", async () => {
  const [came, code, reason] = await ending(await opened("/v1/lab/count?to=1&code=9"))
  return [came.slice(0, 2), JSON.parse(came[2]).code, code, reason]
})
await fetch("/result", {method: "POST", body: JSON.stringify(got)})
</script>
"""


@asynccontextmanager
async def page_server(gateway_port: dict[str, int], results: asyncio.Queue[dict[str, Any]]) -> AsyncIterator[int]:
    """The page's own origin, where it tells what it saw."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE % gateway_port, content_type="text/html")

    async def result(request: web.Request) -> web.Response:
        results.put_nowait(await request.json(loads=json.loads))
        return web.Response()

    app = web.Application()
    app.add_routes([web.get("/", page), web.post("/result", result)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def seen_by_chromium(folder: Path, url: str, results: asyncio.Queue[dict[str, Any]]) -> dict[str, Any]:
    """What the page at `url` tells, opened in a fresh profile."""
    assert CHROMIUM is not None
    profile = f"--user-data-dir={folder / 'profile'}"
    quiet = asyncio.subprocess.DEVNULL
    command = (CHROMIUM, *FLAGS, profile, url)
    browser = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        return await asyncio.wait_for(results.get(), 60)
    finally:
        os.killpg(browser.pid, signal.SIGKILL)  # its helpers, too: the group is its own
        await browser.wait()


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("listed", [True, False])
async def test_a_page_of_another_origin(tmp_path: Path, listed: bool) -> None:
    """Where it is listed it reads answers and errors, is kept to what is allowed, and talks both ways; elsewhere it gets nothing."""
    results: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    gateway_port: dict[str, int] = {}
    async with bookstore() as (address, _), page_server(gateway_port, results) as page_port:
        origin = f"http://localhost:{page_port}"
        cors = {"origins": [origin if listed else "https://other.example"]}
        choices = {**compiled(tmp_path), "cors": cors, "websocket": True}
        config = bookstore_config(tmp_path, int(address.rpartition(":")[2]), api=choices)
        async with running(tmp_path, config) as gateway:
            gateway_port["port"] = gateway.port
            got = await seen_by_chromium(tmp_path, f"{origin}/", results)
    blocked = "TypeError: Failed to fetch"
    if not listed:
        assert {name: got[name] for name in ("read", "error", "preflighted")} == dict.fromkeys(
            ("read", "error", "preflighted"), blocked
        )
        assert (got["chat"], got["failure"]) == ("refused", "refused")
        return
    assert got == {
        "read": "1",
        "error": [404, 5, True],
        "preflighted": [200, "1"],
        "unrouted": blocked,
        "unlisted": blocked,
        "chat": ["edge.json", ["You said: one", "You said: two"], [], 1000, ""],
        "failure": [['{"number":1}', ""], 9, 4009, "counted to 1, then failed as told"],
    }
