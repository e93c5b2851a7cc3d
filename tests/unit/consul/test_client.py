"""A request to an agent, and what its answer comes to."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from aiohttp import web

from edge.config.secret import Secret
from edge.consul.answer import ConsulError, Kind
from edge.consul.client import AgentPlace, Consistency, ConsulClient, Scope, segment
from edge.consul.token import TokenSource
from edge.consul.transport import Place
from tests.unit.consul.serving import Answering, Server, answering


def saying(status: int = 200, text: str = "[]", headers: Mapping[str, str] | None = None) -> Answering:
    """Always the same."""

    async def answer(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.Response(status=status, text=text, content_type="application/json", headers=headers)

    return answer


def client(
    server: Server, *, token: str = "", scope: Scope | None = None, consistency: Consistency = "default"
) -> ConsulClient:
    """Of a server."""
    source = TokenSource(Secret(token) if token else None)
    return ConsulClient(AgentPlace(Place(server.url), source, scope or Scope(), consistency))


async def test_read_carries_token_scope_and_consistency() -> None:
    """The request's scope wins where it says something."""
    async with answering(saying(headers={"X-Consul-Index": "9"})) as server:
        async with client(server, token="t", scope=Scope("dc1", "team"), consistency="stale") as consul:
            answer = await consul.read("/v1/x", [("tag", "a")], needs="service:read", scope=Scope(datacenter="dc2"))
            assert (answer.body, answer.index, answer.authenticated) == ([], 9, True)
            await consul.read("/v1/agent/x", needs="x", consistent=False)
            await consul.read("/v1/y", needs="x", scope=Scope(peer="east"))
        first, second, third = server.asked
        assert dict(first.query) == {"tag": "a", "dc": "dc2", "ns": "team", "stale": ""}
        assert first.headers["X-Consul-Token"] == "t"
        assert dict(second.query) == {"dc": "dc1", "ns": "team"}
        assert dict(third.query) == {"ns": "team", "peer": "east", "stale": ""}  # a peer's service has no datacenter


async def test_no_token_no_header(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even py-consul's own CONSUL_HTTP_TOKEN: what the configuration says counts."""
    monkeypatch.setenv("CONSUL_HTTP_TOKEN", "from-the-environment")
    monkeypatch.setenv("CONSUL_HTTP_ADDR", "http://192.0.2.1:8500")
    async with answering(saying(headers={"X-Consul-Index": "9"})) as server:
        async with client(server) as consul:
            assert not (await consul.read("/v1/x", needs="x")).authenticated
            await consul.kv.get("key")
        assert all("X-Consul-Token" not in request.headers for request in server.asked)
        assert len(server.asked) == 2


async def test_py_consuls_methods_use_our_token() -> None:
    """Each time anew."""
    async with answering(saying(headers={"X-Consul-Index": "9"})) as server:
        async with client(server, token="ours") as consul:
            await consul.health.service("web")
        assert server.asked[0].headers["X-Consul-Token"] == "ours"


async def test_write_sends_json_and_takes_an_empty_answer() -> None:
    """As registrations are answered."""

    async def empty(request: web.BaseRequest) -> web.Response:
        assert await request.json() == {"a": 1}
        return web.Response()

    async with answering(empty) as server, client(server) as consul:
        assert (await consul.write("PUT", "/v1/x", {"a": 1}, [("cas", "0")], needs="x")).body is None
        assert dict(server.asked[0].query) == {"cas": "0"}


@pytest.mark.parametrize(
    ("status", "text", "kind", "words"),
    [
        (403, "Permission denied", Kind.DENIED, 'service:read on "web"'),
        (500, "rpc error making call: ACL not found", Kind.DENIED, "revoked"),
        (404, "no such thing", Kind.NOT_FOUND, "no such thing"),
        (400, "bad filter", Kind.REFUSED, "bad filter"),
        (429, "slow down", Kind.REFUSED, "slow down"),
        (500, "No cluster leader", Kind.FAILED, "No cluster leader"),
        (503, "", Kind.FAILED, "status 503"),
        (301, "", Kind.REFUSED, "redirected"),
        (200, "{not json", Kind.UNREADABLE, "no JSON"),
    ],
)
async def test_errors_say_what_happened(status: int, text: str, kind: Kind, words: str) -> None:
    """In Consul's words and ours."""
    async with answering(saying(status, text)) as server, client(server, token="t") as consul:
        with pytest.raises(ConsulError, match=words) as caught:
            await consul.read("/v1/x", needs='service:read on "web"')
        assert caught.value.kind is kind


async def test_body_of_another_type_is_none() -> None:
    """A proxy's HTML is not taken for Consul's answer."""

    async def html(request: web.BaseRequest) -> web.Response:
        return web.Response(text=json.dumps([1]), content_type="text/html")

    async with answering(html) as server, client(server) as consul:
        assert (await consul.read("/v1/x", needs="x")).body is None


@pytest.mark.parametrize("name", ["", ".", "..", "a/b"])
def test_names_that_lead_elsewhere(name: str) -> None:
    """Are no part of a path."""
    with pytest.raises(ValueError, match="part of a path"):
        segment(name)


def test_other_names_pass() -> None:
    """The transport quotes them."""
    assert [segment(name) for name in ("web", "we b", "a?b", "service:web:1")] == [
        "web",
        "we b",
        "a?b",
        "service:web:1",
    ]
