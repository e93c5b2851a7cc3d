"""
Compatibility profiles end to end: `envoy` beside a real Envoy on the same requests, `grpc-gateway` against what its source says.

What a profile does not change is asserted too: the rows that keep paths and policies true (transcoding.md section 3).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.matrix.rest_site import ECHO_SPECIMEN, LAB, Site, descriptor_set, recorded
from tests.peers.envoy import Transcoding, running_envoy, without_response_body
from tests.upstreams.bookstore import known
from tests.upstreams.recorder import Reply

COUNT, COUNT_RPC = "/v1/lab/count?to=2", "/bookstore.v1.Feeds/Count"
SERVICES = ("bookstore.v1.Bookstore", "bookstore.v1.Laboratory", "bookstore.v1.Feeds")
NUMBERS = Reply(messages=[known().CountResponse(number=n).SerializeToString() for n in (1, 2)])
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def _grpc_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with recorded(tmp_path_factory.mktemp("gg"), api={"profile": "grpc-gateway"}) as site:
        yield site


@pytest.fixture
def migrated(_grpc_gateway: Site) -> Site:
    """A gateway for clients of grpc-gateway."""
    return _grpc_gateway.fresh()


def test_grpc_gateway_prints_everything(migrated: Site) -> None:
    """EmitUnpopulated: defaults, and null for messages that are not set; lowerCamel, enums by name, int64 as text."""
    printed = migrated.get(f"{LAB}?enum_value=COLOUR_RED").json()
    assert (printed["int64Value"], printed["strings"], printed["mapStringString"]) == ("0", [], {})
    assert (printed["enumValue"], printed["messageValue"], printed["timestamp"]) == ("COLOUR_RED", None, None)
    assert "optionalInt32" not in printed


def test_grpc_gateway_ignores_what_it_does_not_know(migrated: Site) -> None:
    """Parameters and fields, the system parameters of others among them; `+` is a space and 1 is true."""
    assert migrated.get(f"{LAB}?nope=1&$fields=nope&string_value=a+b&bool_value=1").status_code == 200
    assert (migrated.seen().string_value, migrated.seen().bool_value) == ("a b", True)
    migrated.fresh()
    assert migrated.post(f"{LAB}?nope=1", {"nope": 1, "int32Value": 3}).status_code == 200
    assert migrated.seen().int32_value == 3


def test_grpc_gateway_answers_a_wrong_method_with_501(migrated: Site) -> None:
    """And an unknown path with 404: google.rpc.Status both."""
    wrong, unknown = migrated.ask("PUT", LAB), migrated.get("/v1/nothing")
    assert (wrong.status_code, wrong.json()["code"], wrong.headers["allow"]) == (501, 12, "GET, HEAD, POST")
    assert (unknown.status_code, unknown.json()["code"]) == (404, 5)
    assert set(wrong.json()) == {"code", "message", "details"}


def test_grpc_gateway_passes_permanent_headers_renamed(migrated: Site) -> None:
    """`grpcgateway-*`, Authorization also as it is, `Grpc-Metadata-*` without the prefix, nothing else."""
    migrated.get(LAB, cookie="a=b", authorization="Bearer x", grpc_metadata_foo="1", x_other="2", user_agent="me")
    call = migrated.recorder.last
    assert (call.values("grpcgateway-cookie"), call.values("grpcgateway-user-agent")) == (["a=b"], ["me"])
    assert call.values("authorization") == call.values("grpcgateway-authorization") == ["Bearer x"]
    assert (call.values("foo"), call.values("x-other"), call.values("cookie")) == (["1"], [], [])
    assert call.values("x-forwarded-for") == ["127.0.0.1"]


def test_grpc_gateway_prefixes_all_response_metadata(migrated: Site) -> None:
    """Standard names too; trailers for who takes them."""
    migrated.recorder.default = Reply(headers=(("etag", "1"), ("x-cost", "3")), trailers=(("x-sum", "9"),))
    answer = migrated.get(LAB, te="trailers")
    found = {
        name: answer.headers.get(name) for name in ("grpc-metadata-etag", "grpc-metadata-x-cost", "grpc-trailer-x-sum")
    }
    assert list(found.values()) == ["1", "3", "9"]
    assert "etag" not in answer.headers


def test_grpc_gateway_streams_in_envelopes(migrated: Site) -> None:
    """NDJSON of type application/json; an error after a message is the last line, one before it has its status."""
    migrated.recorder.replies[COUNT_RPC] = NUMBERS
    answer = migrated.get(COUNT)
    assert answer.text == '{"result":{"number":1}}\n{"result":{"number":2}}\n'
    assert answer.headers["content-type"] == "application/json"
    migrated.recorder.replies[COUNT_RPC] = Reply(code=5, text="no", messages=NUMBERS.messages)
    assert json.loads(migrated.get(COUNT).text.splitlines()[-1]) == {
        "error": {"code": 5, "message": "no", "details": []}
    }
    migrated.recorder.replies[COUNT_RPC] = Reply(code=5, text="no")
    assert (early := migrated.get(COUNT)).status_code == 404
    assert early.json() == {"code": 5, "message": "no", "details": []}


@pytest.mark.parametrize("profile", ["edge", "grpc-gateway", "envoy"])
def test_the_path_wins_in_every_profile(tmp_path: Path, profile: str) -> None:
    """Section 3: a value in the query or the body that contradicts the path is refused; so are method overrides and odd paths."""
    with recorded(tmp_path, api={"profile": profile}) as site:
        site.refused(site.get(f"{LAB}/mine/1/COLOUR_RED?string_value=other"), field_name="string_value")
        site.refused(site.ask("PATCH", "/v1/shelves/1", '{"id":"2"}'), field_name="shelf.id")
        site.refused(site.ask("POST", f"{LAB}/a/1/COLOUR_RED", "{}", x_http_method_override="GET"), _wrong(profile))
        assert site.raw_get(f"{LAB}/../1/COLOUR_RED")[0] == 400
        site.refused(site.ask("POST", LAB, "string_value=a", content_type="application/x-www-form-urlencoded"), 415)


def _wrong(profile: str) -> int:
    return 501 if profile == "grpc-gateway" else 405


def test_what_the_file_says_wins(tmp_path: Path) -> None:
    """An explicit key against its profile."""
    own = {"json": {"defaults": False}, "query": {"unknown": "reject"}}
    with recorded(tmp_path, api={"profile": "grpc-gateway", **own}) as site:
        assert site.get(f"{LAB}?bool_value=1").json() == {"boolValue": True}
        assert site.get(f"{LAB}?nope=1").status_code == 400


# The same requests to a gateway with the profile `envoy` and to an Envoy, one recorder behind both.


@pytest.fixture(scope="module")
def _both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, httpx.Client]]:
    folder = tmp_path_factory.mktemp("envoy")
    compiled = folder / "envoy.binpb"
    compiled.write_bytes(without_response_body(descriptor_set()))
    with recorded(folder, api={"profile": "envoy"}) as site:
        what = Transcoding(compiled, SERVICES, site.recorder.port)
        with (
            running_envoy(folder, what) as envoy,
            httpx.Client(base_url=f"http://127.0.0.1:{envoy.port}", trust_env=False, timeout=30) as theirs,
        ):
            yield site, theirs


@pytest.fixture
def both(_both: tuple[Site, httpx.Client]) -> tuple[Site, httpx.Client]:
    """Ours and theirs, with nothing of earlier tests."""
    _both[0].fresh()
    return _both


def asked_of_both(
    both: tuple[Site, httpx.Client], method: str, target: str, **request: Any
) -> tuple[httpx.Response, httpx.Response, bytes, bytes]:
    """Both answers, and what the service was asked by each."""
    site, theirs = both
    site.recorder.calls.clear()
    answers = site.http.request(method, target, **request), theirs.request(method, target, **request)
    ours, envoys = site.recorder.calls
    return *answers, ours.message, envoys.message


@pytest.mark.envoy
@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", f"{LAB}?string_value=a+b", None),
        ("GET", f"{LAB}?string_value=a%20b&bool_value=1", None),
        ("POST", LAB, '{"nope":1,"stringValue":"a","int64Value":"5","messageValue":{"nope":[]}}'),
    ],
)
def test_envoy_reads_and_prints_the_same(
    both: tuple[Site, httpx.Client], method: str, target: str, body: str | None
) -> None:
    """`+` is a plus, 1 is true, unknown fields are lost, defaults are left out."""
    ours, theirs, our_call, their_call = asked_of_both(both, method, target, content=body, headers=JSON if body else {})
    specimen = known().Specimen
    assert specimen.FromString(our_call) == specimen.FromString(their_call)
    assert (ours.status_code, ours.json()) == (theirs.status_code, theirs.json())


@pytest.mark.envoy
def test_envoy_fills_no_mask(both: tuple[Site, httpx.Client]) -> None:
    """A PATCH arrives with the fields the body has and an empty mask."""
    both[0].recorder.default = Reply()
    *_, ours, theirs = asked_of_both(both, "PATCH", "/v1/shelves/1", content='{"theme":"x"}', headers=JSON)
    update = known().UpdateShelfRequest
    assert update.FromString(ours) == update.FromString(theirs)
    assert not update.FromString(ours).HasField("update_mask")


@pytest.mark.envoy
@pytest.mark.parametrize("code", range(17))
def test_envoy_has_the_same_status_and_fields(both: tuple[Site, httpx.Client], code: int) -> None:
    """The HTTP status of every gRPC code, the status in the head, response metadata by its own name. The body is ours alone: JSON."""
    said = "" if not code else f"n\u00e9 {code}"
    metadata = (("x-cost", "3"), ("etag", '"1"'), ("x-b-bin", b"\x01\x02"))
    both[0].recorder.replies[ECHO_SPECIMEN] = Reply(code=code, text=said, headers=metadata, trailers=(("x-sum", "9"),))
    ours, theirs, _, _ = asked_of_both(both, "GET", LAB)
    names = ("x-cost", "etag", "x-b-bin", "grpc-status", "grpc-message", "x-sum", "content-type")
    assert ours.status_code == theirs.status_code
    assert [ours.headers.get(name) for name in names] == [theirs.headers.get(name) for name in names]
    if code:
        assert theirs.content == b""
        assert ours.json() == {"code": code, "message": said, "details": []}


@pytest.mark.envoy
def test_envoy_passes_the_same_headers(both: tuple[Site, httpx.Client]) -> None:
    """A client's own headers reach the service under their own names."""
    sent = {"x-my": "1", "cookie": "a=b", "accept-language": "de", "authorization": "Bearer x"}
    asked_of_both(both, "GET", LAB, headers=sent)
    ours, theirs = both[0].recorder.calls
    for name, value in sent.items():
        assert ours.values(name) == theirs.values(name) == [value]


@pytest.mark.envoy
def test_envoy_streams_an_array(both: tuple[Site, httpx.Client]) -> None:
    """Of the same bytes; an error before the first message has its status with us, while Envoy says 200 and an empty array."""
    recorder = both[0].recorder
    recorder.replies[COUNT_RPC] = replace(NUMBERS, headers=(("x-cost", "3"),))
    ours, theirs, _, _ = asked_of_both(both, "GET", COUNT)
    assert ours.content == theirs.content
    for name in ("content-type", "x-cost"):
        assert ours.headers[name] == theirs.headers[name]
    recorder.replies[COUNT_RPC] = Reply(code=5, text="no", headers=(("x-h", "1"),))
    ours, theirs, _, _ = asked_of_both(both, "GET", COUNT)
    assert (ours.status_code, ours.json()["code"], ours.headers["x-h"]) == (404, 5, "1")
    assert (theirs.status_code, theirs.content) == (200, b"[]")


@pytest.mark.envoy
def test_what_stays_ours_beside_envoy(both: tuple[Site, httpx.Client]) -> None:
    """An unknown parameter and an unknown path are refused in JSON, where Envoy sends the request on as it was."""
    site, theirs = both
    for target, status in ((f"{LAB}?nope=1", 400), ("/v1/nothing", 404)):
        site.fresh()
        site.refused(site.get(target), status)
        answer = theirs.get(target)
        assert not answer.headers.get("content-type", "").startswith("application/json")
