"""The shapes of fields: single, array and object, of scalars and of messages (B2)."""

from __future__ import annotations

import json
import time

import pytest
from google.protobuf.descriptor import FieldDescriptor as F

from edge.wire.codec import BindingError
from edge.wire.portable import fillers
from edge.wire.portable.misfit import Misfit
from edge.wire.portable.scalars import CONVERTERS, string
from tests.unit.wire.portable.compiling import bind, message_class, method, read

INT = CONVERTERS[F.TYPE_INT32]


def test_every_shape() -> None:
    """B2: scalar, message, repeated, map, enum and nested."""
    message = read(
        '{"i32":1,"i64s":["1",2],"view":"BOOK_VIEW_FULL","views":[1,"BOOK_VIEW_FULL"],"inners":[{"a":"x"},{}],"byNumber":{"1":{"a":"y"}},"labels":{"k":"v"},"inner":{"next":{"b":2}}}'
    )
    assert (message.i32, list(message.i64s), list(message.views)) == (1, [1, 2], [2 - 1, 2])
    assert [inner.a for inner in message.inners] == ["x", ""]
    assert message.by_number[1].a == "y"
    assert message.inner.next.b == 2


def test_a_list_that_fails_leaves_nothing_behind() -> None:
    message = message_class("t.All")()
    with pytest.raises(Misfit) as caught:
        fillers.scalars_filler("texts", string, 100)(message, ["a", 1], 2)
    assert caught.value.path == "[1]"
    assert not message.texts


def test_keys_that_mean_the_same_are_one_key_given_twice() -> None:
    message = message_class("t.All")()
    with pytest.raises(Misfit, match="twice"):
        fillers.scalar_map_filler("by_flag", INT, INT, 100)(message, {"1": 1, "01": 2}, 2)


@pytest.mark.parametrize("value", [None, "x", 1, {}])
def test_an_array_is_an_array(value: object) -> None:
    with pytest.raises(Misfit, match="must be an array"):
        fillers.scalars_filler("texts", string, 100)(message_class("t.All")(), value, 2)


@pytest.mark.parametrize(
    "text", ['{"byU64":{"1":"","01":""}}', '{"byNumber":{"-1":{},"-01":{}}}', '{"byFlag":{"true":1},"byFlag":{}}']
)
def test_a_map_key_is_given_once_however_the_map_is_held(text: str) -> None:
    """B6: maps with integer keys are held as lists of entries; they are maps all the same."""
    with pytest.raises(BindingError, match="twice"):
        read(text)


def test_chosen_integer_keys_cost_no_more_than_others() -> None:
    """B6: protobuf's own hash folds a key's halves together, so that all these keys would fall into one bucket (20 s, here 0.1)."""
    body = json.dumps({"byU64": {str(n << 32 | n): "" for n in range(50_000)}}).encode()
    codec = method("t.All")
    started = time.process_time()
    message = bind(codec, body=body).message
    codec.response(message, bind(codec, body=b"{}").render)
    assert time.process_time() - started < 2


def test_an_integer_map_wants_the_required_fields_of_its_messages() -> None:
    """B9: an entry that says nothing holds an empty message, and that lacks its required field."""
    with pytest.raises(BindingError, match="required"):
        read('{"olds":{"5":{}}}', "t2.OldMaps")
    assert read('{"olds":{"5":{"id":"x"}},"closed":{"0":"NIL"}}', "t2.OldMaps").olds[5].id == "x"
