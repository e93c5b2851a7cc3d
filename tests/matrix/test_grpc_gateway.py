"""
The profile `grpc-gateway` beside a real grpc-gateway: the same requests to both, one recorder behind both.

Held equal: the status, the answer (as JSON, since protojson puts spaces where it likes), the fields of its head that speak of the call,
and what the service was asked. What is meant to differ is listed in docs/profiles.md, and asserted here to differ just so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import httpx
import pytest

from tests.matrix.rest_site import ECHO_SPECIMEN, LAB, Site, recorded
from tests.peers.go_gateway import needs_grpc_gateway, running_grpc_gateway
from tests.upstreams.bookstore import known
from tests.upstreams.recorder import Recorded, Reply

pytestmark = needs_grpc_gateway

COUNT, COUNT_RPC = "/v1/lab/count?to=2", "/bookstore.v1.Feeds/Count"
NUMBERS = Reply(messages=[known().CountResponse(number=n).SerializeToString() for n in (1, 2)])
JSON = {"content-type": "application/json"}


class Pair(NamedTuple):
    """Ours and theirs."""

    site: Site
    theirs: httpx.Client

    def ask(self, method: str, target: str, **request: Any) -> Both:
        """The same of both, one after the other."""
        calls = self.site.recorder.calls
        calls.clear()
        ours = self.site.http.request(method, target, **request)
        split = len(calls)
        theirs = self.theirs.request(method, target, **request)
        return Both(ours, theirs, calls[:split], calls[split:])


class Both(NamedTuple):
    """Both answers, and the calls each led to."""

    ours: httpx.Response
    theirs: httpx.Response
    our_calls: list[Recorded]
    their_calls: list[Recorded]

    def agree(self, *fields: str) -> None:
        """On status, body and these fields, and on what was asked of the service."""
        assert self.ours.status_code == self.theirs.status_code, (self.ours.text, self.theirs.text)
        assert _body(self.ours) == _body(self.theirs)
        for name in ("content-type", *fields):
            assert self.ours.headers.get_list(name) == self.theirs.headers.get_list(name), name
        assert [(call.path, _message(call)) for call in self.our_calls] == [
            (call.path, _message(call)) for call in self.their_calls
        ]


def _body(answer: httpx.Response) -> Any:
    try:
        return [json.loads(line, parse_constant=str) for line in answer.text.split("\n") if line]
    except ValueError:
        return answer.content


def _message(call: Recorded) -> Any:
    """Decoded: two serializations of one message need not be the same bytes."""
    kinds = {ECHO_SPECIMEN: "Specimen", "/bookstore.v1.Bookstore/UpdateShelf": "UpdateShelfRequest"}
    kind = kinds.get(call.path)
    return call.messages if kind is None else str(getattr(known(), kind).FromString(call.message))  # a NaN equals none


@pytest.fixture(scope="module")
def _pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    plain = {"accept-encoding": "identity"}
    with (
        recorded(tmp_path_factory.mktemp("gg"), api={"profile": "grpc-gateway"}) as site,
        running_grpc_gateway(site.recorder.port) as url,
        httpx.Client(base_url=url, headers=plain, trust_env=False, timeout=30) as theirs,
    ):
        yield Pair(site, theirs)


@pytest.fixture
def pair(_pair: Pair) -> Pair:
    """With nothing of earlier tests."""
    _pair.site.fresh()
    return _pair


@pytest.mark.parametrize(
    "query",
    [
        "", "string_value=a", "stringValue=a", "string_value=a+b", "string_value=a%20b%2Bc", "string_value=%E2%82%AC",
        "bool_value=1", "bool_value=true", "int32_value=-3", "int64_value=9007199254740993",
        "uint64_value=18446744073709551615", "float_value=1.5", "double_value=-0.25", "double_value=1e300",
        "bytes_value=AQI%3D", "enum_value=COLOUR_RED", "enum_value=1",
        "strings=a&strings=b", "int32s=1&int32s=2", "optional_int32=0",
        "timestamp=2024-02-29T12:00:00.5Z", "duration=1.5s", "field_mask=a,b",
        "message_value.word=x", "message_value.word=x&message_value.number=3",
        "nope=1", "nope.deeper=1", "$alt=json&$fields=nope&key=k", "wrapper_string=w", "map_string_string[a]=b",
    ],
)  # fmt: skip
def test_a_query_is_read_and_the_answer_printed_the_same(pair: Pair, query: str) -> None:
    """Names of both kinds, every type, what is unknown."""
    pair.ask("GET", f"{LAB}?{query}").agree()


@pytest.mark.parametrize(
    "query",
    [
        "int32_value=x",
        "int32_value=2147483648",
        "bool_value=maybe",
        "enum_value=COLOUR_NONE",
        "duration=1",
        "timestamp=now",
    ],
)
def test_a_query_that_does_not_fit_is_refused_by_both(pair: Pair, query: str) -> None:
    """400, INVALID_ARGUMENT; the words are each one's own."""
    both = pair.ask("GET", f"{LAB}?{query}")
    assert (both.ours.status_code, both.theirs.status_code) == (400, 400)
    assert both.ours.json()["code"] == both.theirs.json()["code"] == 3
    assert both.our_calls == both.their_calls == []


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"stringValue":"a","int64Value":"5","boolValue":true}',
        '{"string_value":"a","int64_value":5}',
        '{"nope":1,"stringValue":"a"}',
        '{"messageValue":{"word":"x","nope":[]},"messages":[{"word":"y"},{}]}',
        '{"enumValue":"COLOUR_RED","bytesValue":"AQI=","doubleValue":"NaN","floatValue":-1.5}',
        '{"timestamp":"2024-02-29T12:00:00Z","duration":"-1.5s","fieldMask":"a,bC.d"}',
        '{"mapStringString":{"b":"1","a":"2"},"strings":["x",""]}',
        '{"jsonValue":{"a":[1,null,{"b":true}]}}',
        '{"stringValue":null,"messageValue":null}',
        '{"stringValue":"\\ud83d\\ude00 <&> \\u2028"}',
    ],
)
def test_a_body_is_read_and_the_answer_printed_the_same(pair: Pair, body: str) -> None:
    """The whole message as JSON."""
    pair.ask("POST", LAB, content=body, headers=JSON).agree()


@pytest.mark.parametrize(
    "body",
    ["{", "[]", '"x"', '{"int32Value":"x"}', '{"stringValue":1}'],
)
def test_a_body_that_does_not_fit_is_refused_by_both(pair: Pair, body: str) -> None:
    both = pair.ask("POST", LAB, content=body, headers=JSON)
    assert (both.ours.status_code, both.theirs.status_code) == (400, 400), (both.ours.text, both.theirs.text)
    assert both.ours.json()["code"] == both.theirs.json()["code"] == 3


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", f"{LAB}/a/5/COLOUR_RED", None),
        ("GET", f"{LAB}/a%20b/5/1", None),
        ("GET", f"{LAB}/word:deep", None),
        ("PUT", f"{LAB}/name", '{"word":"x"}'),
        ("POST", f"{LAB}:strings", '["a","b"]'),
        ("POST", f"{LAB}:messages", '[{"word":"a"}]'),
        ("POST", f"{LAB}:map", '{"a":"b"}'),
        ("POST", f"{LAB}:string", '"a"'),
        ("POST", f"{LAB}:json", '{"a":[1]}'),
        ("POST", f"{LAB}:timestamp", '"2024-01-01T00:00:00Z"'),
    ],
)
def test_paths_verbs_and_parts_of_messages(pair: Pair, method: str, target: str, body: str | None) -> None:
    """Captures, a verb, a field as the body and as the answer."""
    pair.ask(method, target, content=body, headers=JSON if body else {}).agree()


def test_a_patch_has_the_same_mask(pair: Pair) -> None:
    """Of the body's fields."""
    pair.site.recorder.default = Reply()
    both = pair.ask("PATCH", "/v1/shelves/1", content='{"theme":"x"}', headers=JSON)
    both.agree()
    assert known().UpdateShelfRequest.FromString(both.our_calls[0].message).update_mask.paths == ["theme"]


@pytest.mark.parametrize("code", range(17))
def test_every_code_has_the_same_status_and_body(pair: Pair, code: int) -> None:
    """With its message, non-ASCII characters and all."""
    pair.site.recorder.replies[ECHO_SPECIMEN] = Reply(code=code, text="" if not code else f"n\u00e9 {code}")
    pair.ask("GET", LAB).agree()


def test_metadata_comes_back_under_the_same_names(pair: Pair) -> None:
    """Standard ones prefixed, binary ones in base64; trailers for who takes them."""
    metadata = (("x-cost", "3"), ("etag", '"1"'), ("x-b-bin", b"\\x01\\x02"), ("x-cost", "4"))
    pair.site.recorder.replies[ECHO_SPECIMEN] = Reply(headers=metadata, trailers=(("x-sum", "9"),))
    names = ("grpc-metadata-x-cost", "grpc-metadata-etag", "etag", "x-cost")
    pair.ask("GET", LAB).agree(*names)
    both = pair.ask("GET", LAB, headers={"te": "trailers"})
    both.agree(*names)
    assert both.ours.headers["grpc-trailer-x-sum"] == "9"  # theirs is an HTTP trailer, which httpx does not show


SENT = {
    "cookie": "a=b", "authorization": "Bearer x", "user-agent": "me", "accept-language": "de", "referer": "http://r/",
    "grpc-metadata-foo": "1", "grpc-metadata-b-bin": "AQI=", "x-other": "2", "x-request-id": "r",
}  # fmt: skip


_OWN = {"user-agent", "x-forwarded-host"}
"""Each tells its own: which gRPC library calls, and which port was asked."""


def test_headers_reach_the_service_under_the_same_names(pair: Pair) -> None:
    """`grpcgateway-*`, Authorization twice, `Grpc-Metadata-*` bare; nothing else of the client's."""
    both = pair.ask("GET", LAB, headers=SENT)
    (ours,), (theirs,) = both.our_calls, both.their_calls
    more = {"x-forwarded-proto", "x-forwarded-user-agent", "x-request-id"}  # what we say of the request besides
    passed = {(name, value) for name, value in ours.metadata if name not in {*more, *_OWN}}
    expected = {(name, value) for name, value in theirs.metadata if name not in _OWN}
    assert passed ^ expected == set()
    assert {name for name, _ in theirs.metadata} >= _OWN


def test_streams_are_envelopes(pair: Pair) -> None:
    """Lines of results; an error after a message is the last line, one before it has its status."""
    pair.site.recorder.replies[COUNT_RPC] = NUMBERS
    pair.ask("GET", COUNT).agree()
    pair.site.recorder.replies[COUNT_RPC] = replace(NUMBERS, code=5, text="no")
    pair.ask("GET", COUNT).agree()


def test_what_is_not_there_has_the_same_status_and_code(pair: Pair) -> None:
    """The message and the details are ours: they say why."""
    for method, target in (("GET", "/v1/nothing"), ("PUT", LAB), ("DELETE", "/v1/lab/count"), ("GET", "/")):
        both = pair.ask(method, target)
        assert both.ours.status_code == both.theirs.status_code, target
        assert both.ours.json()["code"] == both.theirs.json()["code"]
        assert set(both.ours.json()) == set(both.theirs.json()) == {"code", "message", "details"}


# What stays ours (docs/profiles.md): each must still differ, or its line in the list is wrong.


@pytest.mark.parametrize(
    ("method", "target", "body", "theirs"),
    [
        ("GET", f"{LAB}?bool_value=T", None, 200),
        ("POST", LAB, '{"enumValue":"NONE"}', 200),
        ("POST", LAB, '{"stringValue":"a"} x', 200),
        ("GET", f"{LAB}/a/5/COLOUR_RED?string_value=b", None, 200),
        ("PUT", f"{LAB}/name?string_value=b", "{}", 200),
    ],
)
def test_what_we_refuse_and_they_need_not(pair: Pair, method: str, target: str, body: str | None, theirs: int) -> None:
    """Values they guess at or drop, and a path that the query contradicts."""
    both = pair.ask(method, target, content=body, headers=JSON if body else {})
    assert (both.ours.status_code, both.theirs.status_code) == (400, theirs), both.theirs.text
    assert both.our_calls == []


def test_a_method_override_is_theirs_alone(pair: Pair) -> None:
    """A POST that says it is a GET, by a field or by being a form."""
    override = {"x-http-method-override": "GET", "content-type": "application/x-www-form-urlencoded"}
    both = pair.ask("POST", f"{LAB}/a/5/COLOUR_RED", content="", headers=override)
    assert (both.ours.status_code, both.theirs.status_code) == (501, 200)
    both = pair.ask("POST", f"{LAB}/a/5/COLOUR_RED", content="a=b", headers={"content-type": override["content-type"]})
    assert (both.ours.status_code, both.theirs.status_code) == (501, 200)


def test_a_stream_without_messages_has_a_type_here(pair: Pair) -> None:
    """Theirs has a status and nothing else."""
    pair.site.recorder.replies[COUNT_RPC] = Reply(messages=())
    both = pair.ask("GET", COUNT)
    assert (both.ours.status_code, both.theirs.status_code) == (200, 200)
    assert both.ours.content == both.theirs.content == b""
    assert (both.ours.headers.get("content-type"), both.theirs.headers.get("content-type")) == (
        JSON["content-type"],
        None,
    )
