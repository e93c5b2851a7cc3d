"""
List B (request bodies, all but streams) of transcoding.md through a whole gateway: what the service received for what was sent.

Section 3's rows on path against body and on JSON errors are here too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.matrix.rest_site import LAB, Site, checked, echo, recorded
from tests.upstreams.bookstore import known
from tests.upstreams.recorder import Reply

PUT = f"{LAB}/x"


def got(site: Site, value: Any) -> Any:
    """The Specimen the service received for a body of binding `*`."""
    answer = site.fresh().post(LAB, value)
    assert answer.status_code == 200, answer.text
    return site.seen()


def refused(site: Site, value: Any, field: str | None = None, target: str = LAB) -> dict[str, Any]:
    """The Status for a body that never reaches the service."""
    answer = site.fresh().post(target, value)
    return site.refused(answer, 400, field)


@pytest.mark.parametrize("body", [None, b"", b"{}"])
def test_b1_an_empty_body_is_an_empty_message(lab: Site, body: bytes | None) -> None:
    """B1: for `*`, nothing and `{}` are the same, whatever Content-Type says."""
    assert lab.ask("POST", LAB, body).json() == {}
    assert lab.recorder.last.message == b""


def test_b1_absent_null_and_empty_differ_for_a_body_field(lab: Site) -> None:
    """B1: no body or `null` leave the field unset, `{}` sets it to an empty message."""
    for body, is_set in ((None, False), (b"", False), (b"null", False), (b"{}", True)):
        assert lab.fresh().ask("PUT", PUT, body).status_code == 200
        assert lab.seen().HasField("message_value") is is_set, body


def test_b1_null_is_no_message(lab: Site) -> None:
    """B1: `null` for the whole message is not JSON of a message."""
    refused(lab, b"null")


@pytest.mark.parametrize(
    ("verb", "value", "field", "expected"),
    [("strings", ["a", ""], "strings", ["a", ""]), ("strings", [], "strings", []),
     ("map", {"a": "b"}, "map_string_string", {"a": "b"}),
     ("int64", "9007199254740993", "int64_value", 2**53 + 1), ("int64", -3, "int64_value", -3),
     ("enum", "COLOUR_RED", "enum_value", 1),
     ("enum", 7, "enum_value", 7), ("string", "a", "string_value", "a")],
)  # fmt: skip
def test_b2_a_body_field_of_every_kind(lab: Site, verb: str, value: Any, field: str, expected: Any) -> None:
    """B2: lists, maps, numbers, enums and texts as the whole body; R3: the answer is the field alone."""
    answer = lab.post(f"{LAB}:{verb}", value)
    received = getattr(lab.seen(), field)
    assert (
        list(received) if isinstance(expected, list) else dict(received) if isinstance(expected, dict) else received
    ) == expected
    if verb != "int64":
        assert answer.json() == value


def test_b2_messages_in_lists_and_nested(lab: Site) -> None:
    """B2: a repeated message, and a message three levels deep."""
    inner = [{"word": "a", "inner": {"inner": {"words": ["x", "y"]}}}, {}]
    assert lab.post(f"{LAB}:messages", inner).json() == inner
    assert list(lab.seen().messages[0].inner.inner.words) == ["x", "y"]
    assert len(lab.seen().messages) == 2


@pytest.mark.parametrize(
    ("verb", "value"),
    [("strings", {"a": 1}), ("strings", "a"), ("map", ["a"]), ("string", 1), ("int64", {}), ("messages", [1])],
)
def test_b2_a_body_of_another_kind_is_400(lab: Site, verb: str, value: Any) -> None:
    """B2: naming the field, whose name the client cannot see in its own JSON."""
    body = refused(lab, value, target=f"{LAB}:{verb}")
    assert body["details"][1]["fieldViolations"][0]["field"].split("[")[0] in {
        "strings",
        "map_string_string",
        "string_value",
        "int64_value",
        "messages",
    }


def test_b3_a_body_where_none_belongs_does_not_hang(lab: Site) -> None:
    """B3: a GET with a body is served, the body is read away, and the connection stays usable."""
    for _ in range(3):
        assert lab.ask("GET", f"{LAB}?stringValue=a", b"x" * 100_000, content_type="text/plain").json() == {
            "stringValue": "a"
        }
    assert lab.ask("DELETE", "/v1/shelves/7", b'{"force": true}').status_code == 200
    assert lab.recorder.last.message == known().DeleteShelfRequest(shelf=7).SerializeToString()


@pytest.mark.parametrize(
    ("body", "field"),
    [(b'{"stringValue": "a", "stringValue": "b"}', "stringValue"), (b'{"stringValue": "a", "string_value": "b"}', "string_value"),
     (b'{"messageValue": {"word": "a", "word": "b"}}', "messageValue.word"), (b'{"choiceString": "a", "choiceInt64": "1"}', None),
     (b'{"stringValue": "a"} x', None), (b'{"stringValue": "a"}{}', None), (b'{"stringValue": "a",}', None), (b"{", None),
     (b"[]", None),
     (b'"a"', None), (b'{"stringValue": "\xc3\x28"}', None), (b'{"stringValue": "\\ud800"}', None),
     (b'\xef\xbb\xbf{"stringValue": "a"}', None),
     (b'{"doubleValue": NaN}', None), (b'{"stringValue": "\n"}', None), (b"{'a': 1}", None), (b'{"int32Value": 01}', None),
     (b'{"int64Value": ' + b"9" * 5000 + b"}", None)],
)  # fmt: skip
def test_b6_json_with_two_readings_is_400(lab: Site, body: bytes, field: str | None) -> None:
    """B6, section 3: duplicate keys, trailing garbage, bad UTF-8, lone surrogates, BOM: a Status with BadRequest."""
    status = refused(lab, body)
    assert status["details"][1]["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    if field is not None:
        assert status["details"][1]["fieldViolations"][0]["field"] in {field, "string_value", "message_value.word"}


def test_b6_an_error_in_json_says_where(lab: Site) -> None:
    """B6: the offset in the body, and the field as the proto calls it."""
    assert "offset 16" in refused(lab, b'{"stringValue": tru}')["message"]
    refused(lab, {"messageValue": {"inner": {"number": "x"}}}, "message_value.inner.number")
    refused(lab, {"strings": ["a", 1]}, "strings[1]")


@pytest.mark.parametrize("depth", [101, 10_000, 200_000])
def test_b6_deep_nesting_is_400(lab: Site, depth: int) -> None:
    """B6: messages, lists in Values, and lists nobody asked for, deeper than 100."""
    refused(lab, b'{"jsonValue": ' + b"[" * depth + b"]" * depth + b"}")
    refused(lab, b"[" * depth)
    if depth < 10_000:
        refused(lab, b'{"specimen":' * depth + b"{}" + b"}" * depth)


def test_b6_nesting_up_to_the_limit_passes(lab: Site) -> None:
    """B6: 90 levels are fine, both ways."""
    body = b'{"specimen":' * 90 + b"{}" + b"}" * 90
    assert lab.post(LAB, body).content == body.replace(b" ", b"")


def test_b6_a_body_over_the_limit_is_413(lab: Site) -> None:
    """B6: 32 MB against a limit of 4 MiB, declared and chunked."""
    large = b'{"stringValue": "' + b"a" * (32 * 1024 * 1024) + b'"}'
    lab.refused(lab.post(LAB, large), 413)
    answer = lab.raw(
        b"POST "
        + LAB.encode()
        + b" HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n500000\r\n"
        + b"a" * 0x500000
    )
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_b6_a_large_body_within_the_limit(tmp_path: Path) -> None:
    """B6: 32 MB where the operator allows it."""
    size = 32 * 1024 * 1024
    with recorded(tmp_path, api={"max_response_bytes": "64MiB"}, limits={"max_body_bytes": "40MiB"}) as site:
        site.recorder.default = Reply()
        assert site.ask("POST", LAB, b'{"stringValue": "' + b"a" * size + b'"}').status_code == 200
        assert len(site.seen().string_value) == size


def test_b7_unknown_fields(lab: Site, tmp_path: Path) -> None:
    """B7: 400 naming the field by default, ignored by choice, at any depth."""
    refused(lab, {"noSuch": 1}, "noSuch")
    refused(lab, {"messageValue": {"noSuch": 1}}, "message_value.noSuch")
    with recorded(tmp_path, api={"json": {"unknown_fields": "ignore"}}) as site:
        assert got(site, {"noSuch": {"a": [1]}, "stringValue": "a", "messageValue": {"nope": 1}}).string_value == "a"


def test_b7_the_path_wins_over_the_body(lab: Site) -> None:
    """B7, section 3: the same value is fine, another is 400 and not forwarded; a sibling of the path's field is the body's own."""
    lab.refused(lab.ask("PATCH", "/v1/shelves/1", '{"id": "2", "theme": "x"}'), 400, "shelf.id")
    assert lab.ask("PATCH", "/v1/shelves/1", '{"id": 1, "theme": "x"}').status_code == 200
    assert (lab.seen("UpdateShelfRequest").shelf.id, lab.seen("UpdateShelfRequest").shelf.theme) == (1, "x")
    lab.fresh().refused(lab.post("/v1/books/2:move", {"book": "3", "toShelf": "1"}), 400, "book")
    assert lab.post("/v1/books/2:move", {"book": 2, "toShelf": "1"}).status_code == 200


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [({"int64Value": "5"}, "int64_value", 5), ({"int64Value": 5}, "int64_value", 5), ({"int32Value": 1.0}, "int32_value", 1),
     ({"int32Value": "1e3"}, "int32_value", 1000), ({"uint64Value": "18446744073709551615"}, "uint64_value", 2**64 - 1),
     ({"doubleValue": "-Infinity"}, "double_value", float("-inf")), ({"doubleValue": "1.5"}, "double_value", 1.5),
     ({"doubleValue": 5}, "double_value", 5.0),
     ({"bytesValue": "_-8"}, "bytes_value", b"\xff\xef"), ({"bytesValue": "/+8="}, "bytes_value", b"\xff\xef"),
     ({"enumValue": -1}, "enum_value", -1),
     ({"enumValue": "COLOUR_VERDANT"}, "enum_value", 2), ({"anotherName": "a"}, "renamed", "a"),
     ({"stringValue": None}, "string_value", ""),
     ({"boolValue": True}, "bool_value", True), ({"stringValue": "\U0001f600"}, "string_value", "\U0001f600")],
)  # fmt: skip
def test_b8_values_by_the_proto3_mapping(lab: Site, value: Any, field: str, expected: Any) -> None:
    """B8: 64-bit integers as text or number, whole floats, base64 in both alphabets, enums by number."""
    assert getattr(got(lab, value), field) == expected


@pytest.mark.parametrize(
    ("value", "field"),
    [({"int32Value": 1.5}, "int32_value"), ({"int32Value": 2**31}, "int32_value"), ({"int32Value": True}, "int32_value"),
     ({"boolValue": "true"}, "bool_value"),
     ({"boolValue": 1}, "bool_value"), ({"stringValue": 1}, "string_value"), ({"enumValue": "PINK"}, "enum_value"),
     ({"bytesValue": "!"}, "bytes_value"),
     ({"floatValue": 1e39}, "float_value"), ({"uint32Value": -1}, "uint32_value"), ({"strings": [None]}, "strings[0]"),
     ({"timestamp": 5}, "timestamp"),
     ({"mapInt32String": {"x": "a"}}, "map_int32_string"), ({"anyValue": {"@type": "type.googleapis.com/none.Such"}}, "any_value")],
)  # fmt: skip
def test_b8_values_that_do_not_fit(lab: Site, value: Any, field: str) -> None:
    """B8: each is 400 and names its field."""
    status = refused(lab, value)
    assert status["details"][1]["fieldViolations"][0]["field"].startswith(field)


def test_b8_well_known_types(lab: Site) -> None:
    """B8: all of them in and out again."""
    value = {
        "timestamp": "2026-01-02T03:04:05.000000006Z",
        "duration": "-1.000000001s",
        "fieldMask": "a.bC,d",
        "structValue": {"a": [1.5, None, {"b": True}]},
        "jsonValue": None,
        "listValue": [1.5, "x", []],
        "emptyValue": {},
        "wrappedInt64": "7",
        "wrappedBool": False,
        "wrappedBytes": "YQ==",
        "anyValue": {"@type": "type.googleapis.com/bookstore.v1.Stock", "copies": 3, "location": "B"},
        "timestamps": ["1970-01-01T00:00:00Z"],
        "durations": {"a": "3s"},
    }
    answer = lab.post(LAB, value)
    assert answer.json() == value
    stock = known().Stock()
    assert lab.seen().any_value.Unpack(stock)
    assert (stock.copies, stock.location) == (3, "B")
    assert list(lab.seen().field_mask.paths) == ["a.b_c", "d"]
    assert lab.seen().duration.nanos == -1


def test_b8_any_of_a_well_known_type(lab: Site) -> None:
    """B8: `{"@type": …, "value": …}`, and an Any in an Any."""
    inner = {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1.500s"}
    outer = {"@type": "type.googleapis.com/google.protobuf.Any", "value": inner}
    assert lab.post(LAB, {"anyValue": outer}).json() == {"anyValue": outer}


def own_api(folder: Path, text: str) -> dict[str, Any]:
    """An API of one .proto file."""
    (folder / "own.proto").write_text(text)
    return {"descriptors": None, "protos": {"roots": [str(folder)], "files": ["own.proto"]}}


RPC = 'service Own { rpc Do(M) returns (M) { option (google.api.http) = {post: "/do" body: "*"}; } }\n'
IMPORT = 'import "google/api/annotations.proto";\n'


def test_b9_proto2(tmp_path: Path) -> None:
    """B9: presence, defaults, required fields and extensions' neighbours of proto2."""
    text = (
        'syntax = "proto2";\npackage own;\n'
        + IMPORT
        + "message M { optional int32 a = 1 [default = 5]; repeated int32 b = 2 [packed = true]; }\n"
        + RPC
    )
    with recorded(tmp_path, api=own_api(tmp_path, text)) as site:
        assert site.post("/do", {"a": 0, "b": [1, 2]}).json() == {"a": 0, "b": [1, 2]}
        assert site.recorder.last.message == b"\x08\x00\x12\x02\x01\x02"
        assert site.post("/do", {}).json() == {}


def test_b9_editions_and_odd_names(tmp_path: Path) -> None:
    """B9: edition 2023 (explicit presence by default), names that are no lowerCamelCase."""
    text = (
        'edition = "2023";\npackage own;\n'
        + IMPORT
        + "message M { int32 A_B = 1; string camelCase = 2; int32 c__d_ = 3; }\n"
        + RPC
    )
    with recorded(tmp_path, api=own_api(tmp_path, text)) as site:
        answer = site.post("/do", {"A_B": 0, "camelCase": "x", "c__d_": 1})
        assert answer.status_code == 200, answer.text
        assert site.recorder.last.message == b"\x08\x00\x12\x01x\x18\x01"
        assert site.post("/do", answer.json()).json() == answer.json()


def test_b9_groups_are_refused_at_load(tmp_path: Path) -> None:
    """B9: proto2 groups have no JSON form; the rule and the field are named."""
    group = "message M { optional group Pair = 1 { optional int32 a = 2; } optional int32 b = 3; }\n"
    (found,) = checked(tmp_path, api=own_api(tmp_path, 'syntax = "proto2";\npackage own;\n' + IMPORT + group + RPC))
    assert "own.M.pair: groups" in found.message
    assert found.place == "own.proto:5"


def test_echo_is_what_these_tests_rely_on(lab: Site) -> None:
    """The recorder's answer is the request itself."""
    assert lab.recorder.default is echo
