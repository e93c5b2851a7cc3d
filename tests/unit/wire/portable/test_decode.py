"""From JSON to messages: names, null, oneofs, depth, unknown fields, and the dialects of protobuf."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.wire.codec import BindingError, CompileError, Source
from tests.unit.wire.portable.compiling import bind, message_class, method, read


def refused(text: str | bytes, name: str = "t.All", **options: Any) -> BindingError:
    """The refusal of a body."""
    with pytest.raises(BindingError) as caught:
        bind(method(name, **options), body=text)
    assert caught.value.source is Source.BODY
    return caught.value


def test_both_spellings_of_names() -> None:
    """Q1, B9: proto name and JSON name, even a custom one, are read."""
    assert read('{"odd_name":"x","two_words":"y"}') == read('{"veryOdd":"x","twoWords":"y"}')
    assert refused('{"oddName":"x"}').field == "oddName"


def test_one_field_in_two_spellings_is_given_twice() -> None:
    """B6: a duplicate key in disguise."""
    for text in ('{"two_words":"a","twoWords":"b"}', '{"twoWords":"a","two_words":"b"}'):
        error = refused(text)
        assert (error.field, "twice" in error.description) == ("two_words", True)


def test_null_is_absence() -> None:
    """B1: null is as if the field were not there, for every kind of field."""
    names = ("i32", "text", "maybe", "i64s", "labels", "inner", "name", "ts", "wI64", "view", "struct")
    text = json.dumps(dict.fromkeys(names))
    assert read(text) == message_class("t.All")()


def test_null_is_a_value_where_a_type_says_so() -> None:
    """B8: Value and NullValue hold null."""
    message = read('{"value":null,"values":[null],"nothing":null}')
    assert message.value.WhichOneof("kind") == "null_value"
    assert message.values[0].WhichOneof("kind") == "null_value"
    assert message.WhichOneof("choice") == "nothing"


@pytest.mark.parametrize(
    "text", ['{"texts":[null]}', '{"inners":[null]}', '{"labels":{"a":null}}', '{"views":[null]}', '{"stamps":[null]}']
)
def test_null_inside_a_list_or_map_is_refused(text: str) -> None:
    refused(text)


def test_an_empty_message_is_present() -> None:
    """B1: absent, null and {} differ."""
    assert read('{"inner":{}}').HasField("inner")
    assert not read('{"inner":null}').HasField("inner")
    assert not read("{}").HasField("inner")


def test_two_members_of_a_oneof_are_refused() -> None:
    """Q3 for bodies: a oneof has one member, nulls do not count."""
    assert "beside name" in refused('{"name":"a","number":1}').description
    assert refused('{"inner":{"left":"a","right":""}}').field == "inner.right"
    assert read('{"name":null,"number":1}').number == 1


def test_proto3_optional() -> None:
    """B9: an explicit default is present."""
    assert read('{"maybe":0}').HasField("maybe")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"nope":1}', "nope"),
        ('{"inner":{"nope":1}}', "inner.nope"),
        ('{"inners":[{},{"nope":1}]}', "inners[1].nope"),
        ('{"byNumber":{"7":{"b":"x"}}}', "by_number[7].b"),
        ('{"texts":["a",1]}', "texts[1]"),
        ('{"labels":{"k":1}}', "labels[k]"),
        ('{"inner":{"next":{"tags":["a",[]]}}}', "inner.next.tags[1]"),
        ('{"inner":[]}', "inner"),
        ('{"texts":{}}', "texts"),
        ('{"labels":[]}', "labels"),
        ('{"i32":"x"}', "i32"),
        ('{"any":{"@type":"a/t.Inner","b":""}}', "any.b"),
        ('{"struct":{"a":{"b":[1e999]}}}', "struct.a.b[0]"),
    ],
)
def test_the_field_to_blame_is_named(text: str, field: str) -> None:
    """B6: 400 names the field, by its proto path."""
    assert refused(text).field == field


@pytest.mark.parametrize("body", ["[]", "1", '"x"', "null", "true"])
def test_a_message_is_an_object(body: str) -> None:
    assert "must be an object" in refused(body).description


def test_unknown_fields_are_refused_or_skipped() -> None:
    """B7: ignore|reject."""
    assert "no such field" in refused('{"i32":1,"nope":{"a":[1]}}').description
    assert read('{"i32":1,"nope":{"a":[1]}}', unknown_fields="ignore").i32 == 1


def test_depth_is_bounded() -> None:
    """B6: a hundred levels pass, one more is refused, whatever they are made of."""
    assert read('{"self":' * 99 + "{}" + "}" * 99).HasField("self")
    for deep in (
        '{"self":' * 100 + "{}" + "}" * 100,
        '{"value":' + "[" * 100 + "]" * 100 + "}",
        '{"struct":' + '{"a":' * 99 + "{}" + "}" * 99 + "}",
        '{"self":' * 99 + '{"texts":[]}' + "}" * 99,
        '{"self":' * 99 + '{"labels":{}}' + "}" * 99,
        '{"any":' + '{"@type":"a/google.protobuf.Any","value":' * 100 + "{}" + "}" * 101,
    ):
        assert "too deep" in refused(deep).description
    assert "too deep" in refused('{"nope":' + "[" * 200 + "]" * 200 + "}", unknown_fields="ignore").description


def test_every_type_of_map_key() -> None:
    """B2: maps with string, int and bool keys."""
    message = read(
        '{"labels":{"":"x"},"byNumber":{"-5":{}},"byFlag":{"true":1,"false":2},"byU64":{"18446744073709551615":""}}'
    )
    assert dict(message.by_flag) == {True: 1.0, False: 2.0}
    assert list(message.by_number) == [-5]
    assert list(message.by_u64) == [2**64 - 1]


@pytest.mark.parametrize(
    "text",
    [
        '{"byNumber":{"x":{}}}',
        '{"byFlag":{"1":1}}',
        '{"byU64":{"-1":""}}',
        '{"byNumber":{"1":{},"01":{}}}',
        '{"byU64":{"1":"","1.0":""}}',
    ],
)
def test_bad_map_keys_are_refused(text: str) -> None:
    refused(text)


def test_proto2() -> None:
    """B9: proto2 - required, defaults, closed enums, names that are Python's own."""
    message = read('{"id":"x","closed":"TWO","from":"a","class":"b","OddCase":"c"}', "t2.Old")
    assert (message.count, message.closed, getattr(message, "class")) == (7, 2, "b")
    assert "no value of" in refused('{"id":"x","closed":3}', "t2.Old").description
    assert refused('{"id":"x","child":{}}', "t2.Old").field == "child.id"
    assert (refused("{}", "t2.Old").field, refused("{}", "t2.Old").description) == ("id", "is required")


def test_editions() -> None:
    """B9: edition 2023 - presence by feature, legacy required."""
    message = read('{"explicit":"","implicit":"","legacy":"x","open":7}', "t3.Modern")
    assert (message.HasField("explicit"), message.open) == (True, 7)
    assert refused("{}", "t3.Modern").field == "legacy"


@pytest.mark.parametrize("name", ["t2.Grouped", "t2.AroundGroup", "t3.Delimited"])
def test_groups_are_refused_at_load(name: str) -> None:
    """B9: groups rejected, in requests and in answers, however deep."""
    with pytest.raises(CompileError, match="groups"):
        method(name)
    with pytest.raises(CompileError, match="groups"):
        method("t.All", name)
