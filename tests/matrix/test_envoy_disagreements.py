"""
Where the gateway and a real Envoy answer one request differently: a table of the kinds, each asserted on both sides.

Found by sending some twenty thousand mutated requests to both. What is not in this table, in test_envoy_differential or in section 3 of
the transcoding rules, they agree on. A row whose other side changes fails too: then the reason beside it is out of date.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import DecodeError

from edge.demo.messages import FILES, find_root, load
from edge.descriptors.compile import compile_protos
from tests.gateway import running_bookstore
from tests.matrix.raw_http import RawClient, RawReply
from tests.matrix.requests import BASE
from tests.peers.envoy import Transcoding, running_envoy, without_response_body
from tests.upstreams.recorder import Recorded, Recorder

pytestmark = pytest.mark.envoy

JSON = "application/json"
SPECIMEN = load().Specimen
BROKEN = "a message no service can read"
UNTRANSCODED = "sent on as it was"


@dataclass(frozen=True)
class Row:
    """
    One kind of difference. `ours` and `theirs` are a refusal's status, or what the service was asked (fields of the Specimen).

    `why` is the line that says ours is right.
    """

    name: str
    target: str
    ours: Any
    theirs: Any
    why: str
    body: bytes | None = None
    method: str = ""
    content_type: str = JSON


def get(name: str, target: str, ours: Any, theirs: Any, why: str) -> Row:
    return Row(name, target, ours, theirs, why)


def post(name: str, body: str, ours: Any, theirs: Any, why: str) -> Row:
    return Row(name, BASE, ours, theirs, why, body.encode())


_RFC8259 = "RFC 8259: this is no JSON, and others on the way would read something else in it"
_MAPPING = "the proto3 JSON mapping does not have it"
_IJSON = "RFC 7493: two readers would take different values (B6)"

TABLE = [
    # Paths
    get("traversal", f"{BASE}/../1/COLOUR_RED", 400, {"string_value": "..", "int64_value": 1, "enum_value": 1}, "X2"),
    get(
        "escaped traversal",
        f"{BASE}/%2e%2e/1/COLOUR_RED",
        400,
        {"string_value": "..", "int64_value": 1, "enum_value": 1},
        "X2: a service that joins paths is not to be led out of its folder",
    ),
    get(
        "traversal with a parameter",
        f"{BASE}/..;x/1/COLOUR_RED",
        400,
        {"string_value": "..;x", "int64_value": 1, "enum_value": 1},
        "X2: servlet containers strip ;x before they resolve dots",
    ),
    get("NUL", f"{BASE}/%00/1/COLOUR_RED", 400, {"string_value": "\0", "int64_value": 1, "enum_value": 1}, "X2"),
    get(
        "bad escape", f"{BASE}/%zz/1/COLOUR_RED", 400, {"string_value": "%zz", "int64_value": 1, "enum_value": 1}, "P5"
    ),
    get("not UTF-8", f"{BASE}/%ff/1/COLOUR_RED", 400, BROKEN, "P5: a protobuf string is UTF-8"),
    get(
        "backslash", f"{BASE}/a\\b/1/COLOUR_RED", 400, {"string_value": "a\\b", "int64_value": 1, "enum_value": 1}, "X2"
    ),
    get("trailing slash", f"{BASE}/", 404, {}, "P6"),
    get(
        "empty segment",
        f"{BASE}//1/COLOUR_RED",
        404,
        {"int64_value": 1, "enum_value": 1},
        "P6: `*` is one segment, not none",
    ),
    get("escaped literal", "/v1/lab/%73pecimen", {}, UNTRANSCODED, "RFC 3986 6.2.2.2: the same path"),
    get(
        "verb registered elsewhere",
        f"{BASE}/a/1/COLOUR_RED:deep",
        400,
        UNTRANSCODED,
        "P4: a verb is one only on its own template; here it is part of the (wrong) enum",
    ),
    Row("HEAD", BASE, {}, UNTRANSCODED, "R6: GET answers HEAD", method="HEAD"),
    # Queries
    get("given twice", f"{BASE}?int32_value=1&int32_value=2", 400, {"int32_value": 2}, "Q3"),
    get("given in both spellings", f"{BASE}?int32Value=1&int32_value=2", 400, {"int32_value": 2}, "Q3"),
    get("through a repeated field", f"{BASE}?messages.word=a", 400, {"messages": [{"word": "a"}]}, "Q3"),
    get(
        "through a timestamp",
        f"{BASE}?timestamp.seconds=1",
        400,
        {"timestamp": {"seconds": 1}},
        "its JSON form is a text (Q4)",
    ),
    get("map entry", f"{BASE}?map_string_string[a]=b", {"map_string_string": {"a": "b"}}, UNTRANSCODED, "Q4"),
    get("struct", f"{BASE}?struct_value=%7B%7D", {"struct_value": {}}, 400, "Q4: Struct as JSON text"),
    get(
        "value",
        f"{BASE}?json_value=1",
        {"json_value": {"number_value": 1}},
        {"json_value": {"string_value": "1"}},
        "Q4",
    ),
    get("value that is no JSON", f"{BASE}?json_value=a", 400, {"json_value": {"string_value": "a"}}, "Q4"),
    get(
        "quoted wrapper",
        f"{BASE}?wrapped_string=%22a%22",
        {"wrapped_string": {"value": "a"}},
        {"wrapped_string": {"value": '"a"'}},
        "Q4: quoted or bare",
    ),
    get("name without value", f"{BASE}?strings", {"strings": [""]}, {}, "Q2: an empty value, not none"),
    get("unknown name without value", f"{BASE}?nope", 400, {}, "Q3: unknown all the same"),
    get("bad escape in a query", f"{BASE}?string_value=%zz", 400, {"string_value": "%zz"}, "Q2"),
    get("not UTF-8 in a query", f"{BASE}?string_value=%C3", 400, BROKEN, "a protobuf string is UTF-8"),
    get(
        "bool as a number",
        f"{BASE}?bool_value=1",
        400,
        {"bool_value": True},
        "Q4: true and false; lenient_bools by option",
    ),
    get("bool as a word", f"{BASE}?bool_value=yes", 400, {"bool_value": True}, "Q4"),
    get(
        "integer with exponent",
        f"{BASE}?int32_value=1e2",
        {"int32_value": 100},
        400,
        "B8: 1e2 quoted or not, says the mapping",
    ),
    get("integer with plus", f"{BASE}?int32_value=%2B1", 400, {"int32_value": 1}, _MAPPING),
    get("hexadecimal float", f"{BASE}?double_value=0x1", 400, {"double_value": 1}, _MAPPING),
    get("short enum name", f"{BASE}?enum_value=RED", {"enum_value": 1}, 400, "what people write; full names win"),
    get("system parameter", f"{BASE}?$alt=json&key=k", {}, UNTRANSCODED, "Q5: what generated clients send"),
    Row(
        "query beside body *", f"{BASE}?int32_value=1", 400, {"int32_value": 1}, "http.proto: no parameters then", b"{}"
    ),
    Row(
        "query into the body's field",
        f"{BASE}/w?message_value.word=a",
        400,
        {"string_value": "w", "message_value": {"word": "a"}},
        "Q5: other fields only",
        b"{}",
        "PUT",
    ),
    # Bodies
    Row(
        "body on a GET",
        BASE,
        {},
        {"int32_value": 1},
        "http.proto: without `body` there is none",
        b'{"int32Value":1}',
        "GET",
    ),
    Row(
        "no body for a field",
        f"{BASE}/w",
        {"string_value": "w"},
        {"string_value": "w", "message_value": {}},
        "B1",
        b"",
        "PUT",
    ),
    Row("other media type", BASE, 415, {"int32_value": 1}, "B4", b'{"int32Value":1}', content_type="text/plain"),
    Row("other charset", BASE, 415, {}, "B4: JSON is UTF-8", b"{}", content_type=f"{JSON}; charset=latin-1"),
    post("unknown field", '{"nope":1}', 400, {}, "B7: a misspelt field must not be lost; ignore by option"),
    post("trailing comma", '{"int32Value":1,}', 400, {"int32_value": 1}, _RFC8259),
    post("bare key", "{int32Value:1}", 400, {"int32_value": 1}, _RFC8259),
    post("single quotes", "{'int32Value':1}", 400, {"int32_value": 1}, _RFC8259),
    post("control character", '{"stringValue":"a\nb"}', 400, {"string_value": "a\nb"}, _RFC8259),
    post("unknown escape", '{"stringValue":"\\a"}', 400, {"string_value": "a"}, _RFC8259),
    post("number without digits", '{"int32Value":1.}', 400, {"int32_value": 1}, _RFC8259),
    post("duplicate key", '{"int32Value":1,"int32Value":2}', 400, {"int32_value": 2}, _IJSON),
    post("both spellings", '{"int32Value":1,"int32_value":2}', 400, {"int32_value": 2}, _IJSON),
    post("one map key twice", '{"mapInt32String":{"1":"a","01":"b"}}', 400, {"map_int32_string": {1: "b"}}, _IJSON),
    post("null in a list", '{"strings":["a",null]}', 400, {"strings": ["a"]}, _MAPPING),
    post("null in a map", '{"mapStringString":{"a":null}}', 400, {"map_string_string": {"a": ""}}, _MAPPING),
    post("one for many", '{"strings":"a"}', 400, {"strings": ["a"]}, _MAPPING),
    post("bool as text", '{"boolValue":"true"}', 400, {"bool_value": True}, _MAPPING),
    post("object for a timestamp", '{"timestamp":{}}', 400, {"timestamp": {}}, _MAPPING),
    post("object for a wrapper", '{"wrappedInt64":{}}', 400, {"wrapped_int64": {}}, _MAPPING),
    post("integer text with exponent", '{"int64Value":"1e2"}', {"int64_value": 100}, 400, "B8: quoted or not"),
    post(
        "leap second",
        '{"timestamp":"2020-01-01T00:00:60Z"}',
        400,
        {"timestamp": {"seconds": 1577836860}},
        "timestamp.proto: smeared",
    ),
    post(
        "empty fraction",
        '{"timestamp":"2020-01-01T00:00:00.Z"}',
        400,
        {"timestamp": {"seconds": 1577836800}},
        "RFC 3339",
    ),
    post("half a padding", '{"bytesValue":"YQ="}', {"bytes_value": b"a"}, 400, "B8: with or without padding"),
    post("line break in base64", '{"bytesValue":"YQ==\\n"}', 400, {"bytes_value": b"a"}, "RFC 4648 3.3"),
    post(
        "mask in snake case",
        '{"fieldMask":"foo_bar"}',
        400,
        {"field_mask": {"paths": ["foo_bar"]}},
        "field_mask.proto: camel case",
    ),
    post(
        "capital in a mask",
        '{"fieldMask":"Foo"}',
        {"field_mask": {"paths": ["_foo"]}},
        {"field_mask": {"paths": ["foo"]}},
        _MAPPING,
    ),
    post(
        "any of another host",
        '{"anyValue":{"@type":"x/google.protobuf.Empty"}}',
        {"any_value": {"type_url": "x/google.protobuf.Empty"}},
        400,
        "any.proto: what follows the last slash names the type",
    ),
    post(
        "any without its value",
        '{"anyValue":{"@type":"type.googleapis.com/google.protobuf.Int64Value"}}',
        400,
        ...,
        "B8",
    ),
]
"""Every row is one kind; `...` for Envoy stands for any message."""


def _read(call: Recorded) -> Any:
    try:
        return SPECIMEN.FromString(call.message)
    except DecodeError:
        return BROKEN


@dataclass
class Pair:
    """Both gateways, and what the service behind them hears."""

    edge: RawClient
    envoy: RawClient
    upstream: Recorder

    async def ask(self, client: RawClient, row: Row) -> Any:
        """What becomes of a request: the message the service is asked, UNTRANSCODED, or the status of a refusal."""
        self.upstream.clear()
        headers = {} if row.body is None else {"content-type": row.content_type}
        method = row.method or ("GET" if row.body is None else "POST")
        reply = await client.ask(method, row.target, headers, row.body)
        if self.upstream.calls:
            return _read(self.upstream.last)
        return UNTRANSCODED if _passed_on(reply) else reply.status


def _passed_on(reply: RawReply) -> bool:
    """Envoy gave the REST request to the gRPC service as it was, which refuses such a thing in one way or another."""
    media_type = reply.headers.get("content-type")
    return media_type == "application/grpc" or (media_type != JSON and reply.status in (415, 502, 503))


@pytest.fixture(scope="module")
def descriptor_set() -> bytes:
    return without_response_body(compile_protos([find_root()], FILES))


@pytest.fixture
async def pair(tmp_path: Path, descriptor_set: bytes) -> AsyncIterator[Pair]:
    compiled = tmp_path / "envoy.binpb"
    compiled.write_bytes(descriptor_set)
    async with Recorder() as upstream:
        what = Transcoding(compiled, ["bookstore.v1.Laboratory"], upstream.port)
        with running_envoy(tmp_path, what) as envoy:
            async with (
                running_bookstore(tmp_path, upstream.port) as gateway,
                RawClient(gateway.port) as ours,
                RawClient(envoy.port) as theirs,
            ):
                yield Pair(ours, theirs, upstream)


async def test_each_kind_of_difference_is_as_the_table_says(pair: Pair) -> None:
    """All rows before one pair of gateways; every row that is out of date is told."""
    wrong = []
    for row in TABLE:
        ours, theirs = await pair.ask(pair.edge, row), await pair.ask(pair.envoy, row)
        if not _is(ours, row.ours) or not _is(theirs, row.theirs):
            wrong.append(f"{row.name} ({row.why}): ours {ours!r}, Envoy {theirs!r}")
    assert not wrong, "\n".join(wrong)


def test_every_row_is_a_difference_with_a_reason() -> None:
    assert all(row.ours != row.theirs and row.why for row in TABLE)
    assert len({row.name for row in TABLE}) == len(TABLE)


def _is(seen: Any, said: Any) -> bool:
    if isinstance(said, dict):
        return bool(seen == SPECIMEN(**said))
    return not isinstance(seen, int | str) if said is ... else bool(seen == said)
