"""What a compiled field knows."""

from __future__ import annotations

import pytest

from edge.wire.codec import JsonOptions
from edge.wire.portable.decode import Decoder
from edge.wire.portable.misfit import Misfit
from edge.wire.portable.plan import MessagePlan
from edge.wire.portable.schema import Schema
from tests.unit.wire.portable.compiling import descriptor_set


def _plan(name: str) -> MessagePlan:
    schema = Schema(descriptor_set())
    descriptor = schema.message(name)
    assert descriptor is not None
    return Decoder(schema, JsonOptions()).plan(descriptor)


def test_both_spellings_name_one_field() -> None:
    """Q1: the JSON name, even a custom one, and the proto name."""
    fields = _plan("t.All").fields
    assert fields["veryOdd"] is fields["odd_name"]
    assert fields["twoWords"] is fields["two_words"]
    assert "oddName" not in fields


def test_only_real_oneofs_exclude() -> None:
    fields = _plan("t.All").fields
    assert fields["maybe"].oneof is None
    assert fields["name"].oneof == "choice"


def test_the_other_member_of_a_oneof_is_found() -> None:
    plan = _plan("t.All")
    message = plan.new()
    plan.fields["name"].assign(message, "x")
    assert plan.fields["number"].taken_by(message) == "name"
    assert plan.fields["name"].taken_by(message) is None
    with pytest.raises(Misfit, match="beside name"):
        plan.fields["number"].guard(message, {"number": 1}, "number")


def test_an_empty_message_is_present_once_assigned() -> None:
    plan = _plan("t.All")
    message = plan.new()
    plan.fields["ts"].assign(message, plan.fields["ts"].message.new())  # type: ignore[union-attr]  # ts is a message
    assert message.HasField("ts")
