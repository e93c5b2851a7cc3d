"""
The same requests to a real Envoy with grpc_json_transcoder and to the gateway, before the same recording upstream.

For every generated request the upstream message, the status and the decoded JSON are equal. Messages are compared decoded: Envoy
writes fields in the order of the JSON, we in the order of their numbers, and both are the same message. What is meant to differ
(transcoding.md section 3) follows, each row asserted on both sides.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge.demo.messages import FILES, find_root, load
from edge.descriptors.compile import compile_protos
from tests.gateway import running_bookstore
from tests.matrix.requests import BASE, RestRequest, generated
from tests.peers.envoy import Transcoding, running_envoy, without_response_body
from tests.upstreams.recorder import Recorded, Recorder, Reply

pytestmark = pytest.mark.envoy
COUNT = 400
SPECIMEN = load().Specimen


def echo(call: Recorded) -> Reply:
    """
    What was asked is the answer, as a service would write it.

    Decoded and encoded again: Envoy sends default values on the wire, and prints whatever is on the wire.
    """
    return Reply(SPECIMEN.FromString(call.message).SerializeToString())


@dataclass
class Pair:
    """Both gateways and what stands behind them."""

    edge: httpx.AsyncClient
    envoy: httpx.AsyncClient
    upstream: Recorder

    async def ask(self, request: RestRequest) -> tuple[Seen, Seen]:
        """What each makes of a request: ours, Envoy's."""
        return await self._one(self.edge, request), await self._one(self.envoy, request)

    async def _one(self, client: httpx.AsyncClient, request: RestRequest) -> Seen:
        before = len(self.upstream.calls)
        headers = {} if request.body is None else {"content-type": "application/json"}
        answer = await client.request(request.method, request.target, content=request.body, headers=headers)
        # Envoy opens the stream before it has read the body; what it resets then may have reached the service as a head alone.
        calls = [call for call in self.upstream.calls[before:] if call.messages]
        return Seen(answer.status_code, answer.content, [(call.path, call.message) for call in calls])


@dataclass(frozen=True)
class Seen:
    """A status, a body, and the calls the upstream got."""

    status: int
    body: bytes
    calls: list[tuple[str, bytes]]

    def json(self) -> Any:
        return json.loads(self.body)

    def is_json(self) -> bool:
        try:
            self.json()
        except ValueError:
            return False
        return True


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    compiled = tmp_path / "envoy.binpb"
    compiled.write_bytes(without_response_body(compile_protos([find_root()], FILES)))
    async with Recorder() as upstream:
        upstream.default = echo
        what = Transcoding(compiled, ["bookstore.v1.Bookstore", "bookstore.v1.Laboratory"], upstream.port)
        with running_envoy(tmp_path, what) as envoy:
            async with (
                running_bookstore(tmp_path, upstream.port) as gateway,
                gateway.client() as ours,
                httpx.AsyncClient(base_url=f"http://127.0.0.1:{envoy.port}", trust_env=False, timeout=30) as theirs,
            ):
                yield Pair(ours, theirs, upstream)


async def test_generated_requests_mean_the_same_to_envoy(pair: Pair) -> None:
    """A few hundred requests over every kind of binding: equal message upstream, equal status, equal JSON."""
    for request in generated(COUNT):
        ours, theirs = await pair.ask(request)
        assert ours.status == theirs.status == 200, (request, ours, theirs)
        (our_call,), (their_call,) = ours.calls, theirs.calls
        assert our_call[0] == their_call[0]
        assert SPECIMEN.FromString(our_call[1]) == SPECIMEN.FromString(their_call[1]), request
        assert ours.json() == response_field(request, theirs.json()), request


RESPONSE_FIELDS: dict[str, tuple[str, Any]] = {
    ":strings": ("strings", []),
    ":messages": ("messages", []),
    ":map": ("mapStringString", {}),
    ":int64": ("int64Value", "0"),
    ":enum": ("enumValue", "COLOUR_UNSPECIFIED"),
    ":string": ("stringValue", ""),
    ":timestamp": ("timestamp", None),
}
"""What each binding's response_body names (Envoy's copy of the descriptors has none), and how its default is printed."""


def response_field(request: RestRequest, whole: Any) -> Any:
    """The part of Envoy's answer that the binding's response_body names."""
    for verb, (field, default) in RESPONSE_FIELDS.items():
        if request.target == BASE + verb:
            return whole.get(field, default)
    return whole


async def test_plus_in_a_query_is_a_space_to_us_and_literal_to_envoy(pair: Pair) -> None:
    """Section 3: Google's clients and HTML forms write a space as `+`."""
    ours, theirs = await pair.ask(RestRequest("GET", f"{BASE}?string_value=a+b"))
    assert (ours.json()["stringValue"], theirs.json()["stringValue"]) == ("a b", "a+b")


def not_transcoded(seen: Seen) -> bool:
    """Envoy sent the REST request on as it was; what came back is whatever a gRPC server says to that, and no JSON."""
    return not seen.calls and not seen.is_json()


async def test_an_unknown_parameter_is_refused_by_us_and_sent_on_untranscoded_by_envoy(pair: Pair) -> None:
    """Section 3: a misspelt parameter must not silently mean something else."""
    ours, theirs = await pair.ask(RestRequest("GET", f"{BASE}?no_such=1"))
    assert (ours.status, ours.calls) == (400, [])
    assert "no_such" in ours.json()["message"]
    assert not_transcoded(theirs)


@pytest.mark.parametrize("query", ["string_value=other", "stringValue=other"])
async def test_the_path_wins_over_the_query(pair: Pair, query: str) -> None:
    """Section 3: Envoy lets the query override what the path said, so no rule on paths could be relied on."""
    ours, theirs = await pair.ask(RestRequest("GET", f"{BASE}/mine/1/COLOUR_RED?{query}"))
    assert (ours.status, ours.calls) == (400, [])
    assert ours.json()["details"][1]["fieldViolations"][0]["field"] == "string_value"
    assert SPECIMEN.FromString(theirs.calls[0][1]).string_value == "other"


async def test_the_same_value_in_path_and_query_is_fine(pair: Pair) -> None:
    """Section 3: only a different value is a contradiction."""
    ours, _ = await pair.ask(RestRequest("GET", f"{BASE}/mine/1/COLOUR_RED?string_value=mine"))
    assert ours.status == 200
    assert SPECIMEN.FromString(ours.calls[0][1]).string_value == "mine"


async def test_the_path_wins_over_the_body(pair: Pair) -> None:
    """Section 3: the same for a body that carries the path's field; `shelf.id` comes from the path of this PATCH."""
    body = json.dumps({"id": "2", "theme": "x"}).encode()
    ours, theirs = await pair.ask(RestRequest("PATCH", "/v1/shelves/1", body))
    assert (ours.status, ours.calls) == (400, [])
    assert ours.json()["details"][1]["fieldViolations"][0]["field"] == "shelf.id"
    update = load().UpdateShelfRequest
    assert update.FromString(theirs.calls[0][1]).shelf.id == 2, "to Envoy the body wins"


async def test_an_unknown_path_is_404_in_json(pair: Pair) -> None:
    """Section 3: Envoy sends it on to the service as it is."""
    ours, theirs = await pair.ask(RestRequest("GET", "/v1/nothing"))
    assert (ours.status, ours.json()["code"], ours.calls) == (404, 5, [])
    assert not_transcoded(theirs)


async def test_a_wrong_method_is_405_with_allow(pair: Pair) -> None:
    """Section 3, P8: 405 and what would be allowed."""
    answer = await pair.edge.put("/v1/shelves")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert answer.json()["details"][0]["reason"] == "METHOD_NOT_ALLOWED"


async def test_an_escaped_slash_in_one_segment_is_decoded_by_both(pair: Pair) -> None:
    """Section 3: `%2F` in a single-segment variable."""
    ours, theirs = await pair.ask(RestRequest("GET", f"{BASE}/a%2Fb/1/COLOUR_RED"))
    assert ours.json()["stringValue"] == theirs.json()["stringValue"] == "a/b"


async def test_broken_json_is_400_as_status_with_the_place(pair: Pair) -> None:
    """Section 3: Envoy says 400 in plain text."""
    ours, theirs = await pair.ask(RestRequest("POST", BASE, b'{"stringValue": tru}'))
    assert (ours.status, theirs.status) == (400, 400)
    assert ours.json()["details"][1]["@type"].endswith("google.rpc.BadRequest")
    assert ours.calls == []
    assert not theirs.is_json()


async def test_a_method_without_a_rule_is_not_served_over_rest_unless_asked(pair: Pair) -> None:
    """Section 3: neither serves it; ours takes a POST to an RPC's own path for a Connect call, and says so by the shape of its errors."""
    ours, _ = await pair.ask(RestRequest("POST", "/bookstore.v1.Laboratory/Unbound", b"[]"))
    assert (ours.status, ours.json()["code"], ours.calls) == (400, "invalid_argument", [])
