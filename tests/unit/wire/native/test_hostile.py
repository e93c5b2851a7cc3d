"""Input made to cost: what takes longer than in proportion to its size, or a stack, or memory, is refused or done another way."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf import any_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorSet

from edge.wire.codec import BindingError, EncodeError, JsonOptions, MethodCodec, Render

pytest.importorskip("edge_native", reason="the native engine is not built")

from edge.wire.native.api import NativeApiCodec  # only where the extension is built

_FORM = "application/x-www-form-urlencoded"
_TEXT = FieldDescriptorProto.TYPE_STRING
_NUMBER = FieldDescriptorProto.TYPE_INT32
_MESSAGE = FieldDescriptorProto.TYPE_MESSAGE


def _field(
    message: DescriptorProto, name: str, kind: FieldDescriptorProto.Type.ValueType, of: str = "", *, many: bool = False
) -> None:
    label = FieldDescriptorProto.LABEL_REPEATED if many else FieldDescriptorProto.LABEL_OPTIONAL
    message.field.add(name=name, number=len(message.field) + 1, type=kind, type_name=of or None, label=label)


def _descriptors() -> bytes:
    """`h.M` holds itself, lists, maps and an Any; `h.Q` an `h.M` as its body."""
    files = FileDescriptorSet()
    files.file.add().ParseFromString(any_pb2.DESCRIPTOR.serialized_pb)
    file = files.file.add(name="h.proto", package="h", syntax="proto3", dependency=["google/protobuf/any.proto"])
    node = file.message_type.add(name="M")
    _field(node, "text", _TEXT)
    _field(node, "child_node", _MESSAGE, ".h.M")
    _field(node, "texts", _TEXT, many=True)
    _field(node, "any", _MESSAGE, ".google.protobuf.Any")
    for name, of in (("Words", ""), ("Anys", ".google.protobuf.Any")):
        entry = node.nested_type.add(name=f"{name}Entry")
        entry.options.map_entry = True
        _field(entry, "key", _NUMBER)
        _field(entry, "value", _MESSAGE if of else _TEXT, of)
        _field(node, name.lower(), _MESSAGE, f".h.M.{name}Entry", many=True)
    asked = file.message_type.add(name="Q")
    _field(asked, "body", _MESSAGE, ".h.M")
    return files.SerializeToString()


API = NativeApiCodec(_descriptors())


def _method(request: str = "h.M", body: str = "*", **options: Any) -> MethodCodec:
    return API.method(
        input_type=request,
        output_type="h.M",
        path_fields=(),
        body=body,
        response_body="",
        http_method="POST",
        options=JsonOptions(**options),
    )


def _varint(number: int) -> bytes:
    return (
        b"" if number < 0 else bytes([number]) if number < 128 else bytes([number & 127 | 128]) + _varint(number >> 7)
    )


def _held(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _anys(levels: int) -> bytes:
    """An Any in an Any, and so on."""
    heads, size = [], 0
    for _ in range(levels):
        heads.append(_held(1, b"x/google.protobuf.Any") + b"\x12" + _varint(size))
        size += len(heads[-1])
    return b"".join(reversed(heads))


@pytest.mark.parametrize(
    ("around", "render"),
    [
        (lambda anys: _held(4, anys), Render()),
        (lambda anys: _held(4, anys), Render(fields=("text",))),
        (lambda anys: _held(6, b"\x08\x01" + _held(2, anys)) + _held(6, b"\x08\x01"), Render()),
    ],
    ids=["printed", "not selected", "of a key that comes again"],
)
def test_anys_within_anys_do_not_use_up_the_stack(around: Callable[[bytes], bytes], render: Render) -> None:
    """Each Any begins to count messages anew: 50,000 are refused, be they printed or only checked."""
    with pytest.raises(EncodeError, match="too deep"):
        _method().response(around(_anys(50_000)), render)


def test_anys_that_are_only_checked_may_nest_deeper_than_those_printed() -> None:
    """What a mask drops is no reason to refuse an answer that would be printed without it."""
    assert _method().response(_held(1, b"x") + _held(4, _anys(300)), Render(fields=("text",))).body == b'{"text":"x"}'


def _spent_s(attempt: Callable[[], object]) -> float:
    spent = []
    for _ in range(3):
        started = time.process_time()
        attempt()
        spent.append(time.process_time() - started)
    return min(spent)


def _growth(attempt: Callable[[int], object], size: int) -> float:
    """How many times longer eight times as much takes: about eight, or sixty-four."""
    return _spent_s(lambda: attempt(8 * size)) / _spent_s(lambda: attempt(size))


@pytest.mark.parametrize(
    "form",
    [
        lambda count: b"texts=&" * count + b"child_node.texts=&" * count,
        lambda count: "&".join(f"words[{key}]=" for key in range(2 * count)).encode(),
    ],
    ids=["below many siblings", "entries of a map"],
)
def test_a_form_costs_in_proportion_to_its_parameters(form: Callable[[int], bytes]) -> None:
    """Where a parameter belongs is found without a walk over those before it."""
    codec = _method(form=True)
    forms = {count: form(count) for count in (4000, 32_000)}
    growth = _growth(lambda count: codec.request((), "", forms[count], _FORM), 4000)
    print(f"eight times the parameters take {growth:.1f} times as long")
    assert growth < 30


def test_parameters_do_not_each_look_through_the_body() -> None:
    """A thousand parameters over a body of many elements cost little more than the body."""
    codec = _method("h.Q", body="body")
    body = b'{"texts":[' + b'"",' * 100_000 + b'""]}'
    query = "&".join(["body.child_node.texts="] * 1000)
    alone_s = _spent_s(lambda: codec.request((), "", body, ""))
    with_query_s = _spent_s(lambda: codec.request((), query, body, ""))
    print(f"the body {alone_s * 1e3:.1f} ms, with a thousand parameters {with_query_s * 1e3:.1f} ms")
    assert with_query_s < 20 * alone_s


def test_a_refusal_is_not_worded_by_reading_the_body_once_per_level() -> None:
    """What fails deep in a long body costs what it costs in a shallow one."""
    codec = _method()

    def refused(levels: int) -> None:
        inner = b'{"text":1,"texts":[' + b'"",' * 100_000 + b'""]}'
        with pytest.raises(BindingError, match="must be a string"):
            codec.request((), "", b'{"child_node":' * levels + inner + b"}" * levels, "")

    shallow_s, deep_s = _spent_s(lambda: refused(1)), _spent_s(lambda: refused(90))
    print(f"1 level {shallow_s * 1e3:.1f} ms, 90 levels {deep_s * 1e3:.1f} ms")
    assert deep_s < 10 * shallow_s


def test_messages_in_parts_at_every_level_are_refused() -> None:
    """Putting them together holds the answer once more at each level."""
    bomb, plain = _held(3, b"x" * 1_000_000), _held(3, b"x")
    for _ in range(90):
        bomb, plain = _held(2, bomb) + _held(2, b""), _held(2, plain) + _held(2, b"")
    assert _method().response(plain, Render()).body.count(b"childNode") == 90
    with pytest.raises(EncodeError, match="too many parts"):
        _method().response(bomb, Render())


def test_a_message_in_parts_whose_part_is_no_message_is_refused() -> None:
    """At any level, in an Any too: what is in it was not checked with what is around it."""
    good, bad = _held(2, _held(1, b"x")) + _held(2, b""), _held(2, b"\xff") + _held(2, b"")
    assert _method().response(_held(2, good) + _held(2, b""), Render()).body
    with pytest.raises(EncodeError, match="decoded"):
        _method().response(_held(2, bad) + _held(2, b""), Render())
    wrapped = _held(4, _held(1, b"x/h.M") + _held(2, bad))
    answer = _method().response(_held(2, wrapped) + _held(2, b""), Render()).body
    assert b'"value":"' in answer, "kept as base64"
