"""The native codec: what is its own beside the tests that every engine passes (tests/unit/wire/portable, test_codecs_agree)."""

from __future__ import annotations

import gc
import time
import weakref
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from edge.wire.codec import BindingError, JsonOptions, MethodCodec, Render
from edge.wire.portable.schema import Schema
from tests.unit.wire.portable.compiling import descriptor_set, message_class

pytest.importorskip("edge_native", reason="the native engine is not built")

from edge.wire.native import NATIVE  # only where the extension is built
from edge.wire.native.api import NativeApiCodec  # only where the extension is built

API = NativeApiCodec(descriptor_set())


def method(request: str = "t.All", response: str = "t.All", body: str = "*", **binding: Any) -> MethodCodec:
    """A native binding."""
    given: dict[str, Any] = {"path_fields": (), "response_body": "", "http_method": "POST", "options": JsonOptions()}
    return API.method(input_type=request, output_type=response, body=body, **given | binding)


def test_the_engine_has_a_name() -> None:
    assert NATIVE.name == "native"
    assert isinstance(NATIVE.api(descriptor_set()), NativeApiCodec)


def test_equal_requests_are_equal_bytes_whatever_the_order_of_their_keys() -> None:
    """Fields are written in the order of their numbers, entries in that of their keys, at any depth."""
    codec = method("t.Book")
    one = codec.request((), "", b'{"title":"t","name":"n","details":{"b":1,"a":"x"},"labels":{"a":"1","b":"2"}}', "")
    other = codec.request((), "", b'{"labels":{"b":"2","a":"1"},"details":{"a":"x","b":1},"name":"n","title":"t"}', "")
    assert one.message == other.message


def test_what_the_path_adds_to_the_body_is_one_message_on_the_wire() -> None:
    """Some decoders keep only the second of two parts: a message is never sent in two."""
    codec = method("t.BookRequest", body="book", path_fields=("book.name", "book.details.b"))
    wire = codec.request(
        ("n", "5"), "note=x&book.authors=z", b'{"title":"t","authors":["y"],"details":{"a":"x"}}', ""
    ).message
    expected = message_class("t.BookRequest")(note="x")
    expected.book.name, expected.book.title = "n", "t"
    expected.book.authors.extend(["y", "z"])
    expected.book.details.a, expected.book.details.b = "x", 5
    assert wire == expected.SerializeToString(deterministic=True)


def test_a_method_without_system_parameters_renders_one_shared_way() -> None:
    """The common request makes no Render of its own."""
    codec = method()
    assert codec.request((), "", b"{}", "").render is codec.request((), "", b"", "").render


def test_as_many_captures_as_variables_are_needed() -> None:
    with pytest.raises(ValueError, match="captures"):
        method("t.BookRequest", path_fields=("shelf",)).request((), "", b"", "")


def test_types_an_any_names_are_told_when_they_are_first_met() -> None:
    """A type that no binding uses costs nothing until an Any holds it."""
    api = NativeApiCodec(descriptor_set())
    codec = api.method(
        input_type="t.Inner",
        output_type="google.protobuf.Any",
        path_fields=(),
        body="*",
        response_body="",
        http_method="POST",
        options=JsonOptions(),
    )
    assert not api.knows("t.Book")
    held = message_class("google.protobuf.Any")(type_url="x/t.Book", value=b"\x1a\x01t")
    assert codec.response(held.SerializeToString(), Render()).body == b'{"@type":"x/t.Book","title":"t"}'
    assert api.knows("t.Book")


def test_types_that_there_are_not_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer may hold a million Anys of them, and each question would be one to Python."""
    api = NativeApiCodec(descriptor_set())
    codec = api.method(
        input_type="google.protobuf.Any",
        output_type="google.protobuf.Any",
        path_fields=(),
        body="*",
        response_body="",
        http_method="POST",
        options=JsonOptions(),
    )
    asked: list[str] = []
    found = Schema.message

    def message(self: Schema, name: str) -> Descriptor | None:
        asked.append(name)
        return found(self, name)

    monkeypatch.setattr(Schema, "message", message)
    for name, known in (("t.Unknown", False), ("t.All", True)):
        url = f"a/{name}".encode()
        codec.response(b"\x0a" + bytes([len(url)]) + url, Render())
        assert (name in asked) == known, name


def test_an_api_that_the_native_codec_does_not_know_whole_is_served_by_the_portable_one() -> None:
    files = FileDescriptorSet()
    message = files.file.add(name="n.proto", package="n", syntax="proto2").message_type.add(name="N")
    message.options.message_set_wire_format = True
    message.extension_range.add(start=4, end=2**31 - 1)
    api = NativeApiCodec(files.SerializeToString())
    assert api.unknown == "N is a message set"
    codec = api.method(
        input_type="n.N",
        output_type="n.N",
        path_fields=(),
        body="*",
        response_body="",
        http_method="POST",
        options=JsonOptions(),
    )
    assert type(codec).__module__.startswith("edge.wire.portable")


def test_a_dropped_api_is_freed() -> None:
    """A reload makes a new one: the types of the old must not stay."""
    api = NativeApiCodec(descriptor_set())
    codec = api.method(
        input_type="t.All",
        output_type="t.All",
        path_fields=(),
        body="*",
        response_body="",
        http_method="POST",
        options=JsonOptions(),
    )
    telling = weakref.ref(api.telling)
    del api, codec
    gc.collect()
    assert telling() is None


def _best_s(codec: MethodCodec, body: bytes) -> float:
    spent = []
    for _ in range(3):
        started = time.process_time()
        codec.request((), "", body, "")
        spent.append(time.process_time() - started)
    return min(spent)


def test_a_body_of_many_small_values_costs_what_as_many_bytes_of_text_do() -> None:
    """E1: four megabytes of `[],` are no more than some dozens of times a copy of them (the portable engine: thousands)."""
    codec = method()
    many, plain = b'{"value":[' + b"[]," * 1_300_000 + b"0]}", b'{"text":"' + b"x" * 4_000_000 + b'"}'
    many_s, plain_s = _best_s(codec, many), _best_s(codec, plain)
    print(f"E1 {len(many)} bytes of empty arrays: {many_s * 1e3:.1f} ms; of text: {plain_s * 1e3:.2f} ms")
    assert many_s < 200 * plain_s


def test_an_any_within_anys_whose_type_comes_last_is_looked_through_once() -> None:
    """E1: twice as many levels over the same bytes cost about the same."""
    codec = method()
    kind = b'"@type":"x/google.protobuf.Any"'

    def nested(levels: int) -> bytes:
        filler = b'{"@type":"x/google.protobuf.Value","value":[' + b"[]," * 100_000 + b"0]}"
        return b'{"any":' + b'{"value":' * levels + filler + (b"," + kind + b"}") * levels + b"}"

    few_s, many_s = _best_s(codec, nested(20)), _best_s(codec, nested(40))
    print(f"E1 20 / 40 Anys around 300 kB: {few_s * 1e3:.1f} / {many_s * 1e3:.1f} ms")
    assert many_s < 4 * few_s


@pytest.mark.parametrize("levels", [101, 899, 901, 5000, 10**6])
def test_depth_is_refused_without_a_stack_of_it(levels: int) -> None:
    """E1: a million levels are refused, in fields that are skipped too."""
    codec = method(options=JsonOptions(unknown_fields="ignore"))
    for body in (
        b'{"value":' + b"[" * levels + b"]" * levels + b"}",
        b'{"nope":' + b"[" * levels + b"]" * levels + b"}",
    ):
        with pytest.raises(BindingError, match="too deep"):
            codec.request((), "", body, "")
