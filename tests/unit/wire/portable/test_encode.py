"""From messages to JSON: names, enums, defaults, integers, order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.wire.codec import EncodeError, Render
from edge.wire.portable.encode import dump
from tests.unit.wire.portable.compiling import message_class, method, printed, read

BOOK = '{"i64":"5","i64s":["1","2"],"view":"BOOK_VIEW_FULL","veryOdd":"x","twoWords":"y","byU64":{"7":"AQ=="}}'


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ({}, {}),
        ({"int64": "number"}, {"i64": 5, "i64s": [1, 2]}),
        ({"enums": "numbers"}, {"view": 2}),
        ({"enums": "short"}, {"view": "FULL"}),
    ],
)
def test_values_by_option(options: dict[str, Any], changed: dict[str, Any]) -> None:
    """R1: int64 as string or number, enums as names, numbers or short names."""
    assert json.loads(printed(read(BOOK), **options)) == {**json.loads(BOOK), **changed}


def test_proto_names() -> None:
    """R1: proto names or JSON names."""
    assert set(json.loads(printed(read(BOOK), proto_names=True))) == {
        "i64",
        "i64s",
        "view",
        "odd_name",
        "two_words",
        "by_u64",
    }


def test_defaults_are_omitted_or_printed() -> None:
    """R1, R2: fields without presence print their default; an empty repeated field is [], an empty map {}."""
    empty = message_class("t.All")()
    assert printed(empty) == b"{}"
    full = json.loads(printed(empty, print_defaults=True))
    assert (full["i32"], full["i64"], full["text"], full["flag"], full["dbl"], full["view"]) == (
        0,
        "0",
        "",
        False,
        0,
        "BOOK_VIEW_UNSPECIFIED",
    )
    assert (full["texts"], full["inners"], full["labels"], full["byNumber"]) == ([], [], {}, {})
    assert not {"maybe", "inner", "name", "number", "ts", "wI64", "self"} & full.keys()


def test_presence_is_told() -> None:
    assert json.loads(printed(read('{"maybe":0,"name":"","inner":{}}'))) == {"maybe": 0, "name": "", "inner": {}}


def test_pretty() -> None:
    """R1: pretty by request."""
    codec = method()
    body = codec.response(read('{"i32":1}').SerializeToString(), Render(pretty=True)).body
    assert body == b'{\n  "i32": 1\n}'


def test_text_stays_utf8() -> None:
    assert printed(read('{"text":"\\u00e9\\u2028"}')) == '{"text":"é\u2028"}'.encode()


def test_numbers_no_name_stands_for_are_printed_as_numbers() -> None:
    """R5: an enum value of a newer service."""
    assert printed(read('{"view":77}')) == b'{"view":77}'


def test_unknown_fields_are_dropped() -> None:
    """R5: fields of a newer service are dropped, never an error."""
    newer = read('{"text":"x"}').SerializeToString() + b"\xc2\x3e\x03abc"
    assert method().response(newer, Render()).body == b'{"text":"x"}'


def test_extensions_are_dropped() -> None:
    old = read('{"id":"x"}', "t2.Old").SerializeToString() + b"\xa2\x06\x01y"
    assert method("t2.Old", "t2.Old").response(old, Render()).body == b'{"id":"x"}'


def test_maps_print_in_order() -> None:
    """Equal messages print equal bytes: keys sorted, numbers as numbers."""
    text = printed(
        read('{"labels":{"b":"1","a":"2"},"byNumber":{"10":{},"9":{},"-1":{}},"byFlag":{"true":1,"false":0}}')
    )
    assert text == b'{"labels":{"a":"2","b":"1"},"byNumber":{"-1":{},"9":{},"10":{}},"byFlag":{"false":0,"true":1}}'


@pytest.mark.parametrize("message", [b"\xff", b"\x0a\x05a", b"\x72\x02\xff\xfe"])
def test_bytes_that_are_no_message(message: bytes) -> None:
    with pytest.raises(EncodeError):
        method().response(message, Render())


def test_what_json_cannot_hold() -> None:
    with pytest.raises(EncodeError):
        dump(2**70, pretty=False)


def test_an_endless_chain_of_anys_is_no_crash() -> None:
    cls = message_class("google.protobuf.Any")
    message = cls(type_url="x/t.Inner")
    for _ in range(2000):
        message = cls(type_url="x/google.protobuf.Any", value=message.SerializeToString())
    outer = message_class("t.All")(any=message)
    with pytest.raises(EncodeError):
        printed(outer)


def test_integer_maps_print_in_the_order_of_their_keys_and_the_last_of_two_entries_counts() -> None:
    """R1: as protobuf reads a map, though such maps are held as lists of entries."""
    all_ = message_class("t.All")
    wire = b"".join(all_(by_u64={key: value}).SerializeToString() for key, value in ((10, b"a"), (9, b"b"), (10, b"")))
    assert json.loads(printed_wire(wire)) == {"byU64": {"9": "Yg==", "10": ""}}
    assert list(json.loads(printed_wire(wire))["byU64"]) == ["9", "10"]


def printed_wire(wire: bytes) -> bytes:
    """Bytes as they come from a service, as the gateway answers them."""
    return method("t.All").response(wire, Render()).body


def test_a_closed_enum_drops_what_it_does_not_know_from_maps_too() -> None:
    """R5, B9: protobuf keeps such an entry among the unknown fields; a list of entries has to be held to the same."""
    wire = b"\x0a\x04\x08\x01\x10\x09" + b"\x0a\x04\x08\x02\x10\x01" + b"\x0a\x04\x08\x03\x10\x00"
    assert json.loads(method("t2.OldMaps", "t2.OldMaps").response(wire, Render()).body) == {
        "closed": {"2": "UNIT", "3": "NIL"}
    }


@pytest.mark.parametrize("wire", [b"\x12\x06\x0a\x01\xff\x12\x01a", b"\x12\x06\x0a\x01\xff\x12\x01a\x12\x03\x0a\x01a"])
def test_a_map_key_that_is_not_utf8_has_no_json_form(wire: bytes) -> None:
    """B9: proto2 does not check its strings, JSON does."""
    with pytest.raises(EncodeError):
        method("t2.OldMaps", "t2.OldMaps").response(wire, Render())


def test_messages_that_are_not_set_are_null_where_nulls_are_printed() -> None:
    """As protojson's EmitUnpopulated: not members of a oneof, and not proto3 `optional`, which is one."""
    empty = message_class("t.All")()
    full = json.loads(printed(empty, print_defaults=True, print_nulls=True))
    assert [full[name] for name in ("inner", "ts", "wI64", "self")] == [None] * 4
    assert not {"maybe", "name", "number"} & full.keys()
    assert (full["i32"], full["texts"]) == (0, [])
    assert printed(empty, print_nulls=True) == b"{}"
