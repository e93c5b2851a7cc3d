"""Which fields are required, by use."""

from __future__ import annotations

import pytest

from edge.openapi.required import Required, Use
from tests.unit.openapi.making import Room

_BODY = """
message Leaf { string a = 1 [(google.api.field_behavior) = REQUIRED]; optional string b = 2; }
message Holder { Leaf leaf = 1; Holder self = 2; }
message Plain { string a = 1; }
message Out { string a = 1 [(google.api.field_behavior) = REQUIRED, (google.api.field_behavior) = OUTPUT_ONLY]; }
message Loop { Back back = 1; }
message Back { Loop loop = 1; Leaf leaf = 2; }
"""


@pytest.fixture(scope="module")
def room() -> Room:
    """The room of these messages."""
    return Room(_BODY)


def test_requests_and_answers(room: Room) -> None:
    """REQUIRED binds requests, but no PATCH and no answer."""
    required = Required(room.notes, print_defaults=False)
    field = room.message("Leaf").fields_by_name["a"]
    assert [required.is_required(field, use) for use in (Use.INPUT, Use.PATCH, Use.OUTPUT)] == [True, False, False]
    assert not required.is_required(room.message("Out").fields_by_name["a"], Use.INPUT)


def test_printed_defaults(room: Room) -> None:
    """Then answers have every field that cannot be absent."""
    required = Required(room.notes, print_defaults=True)
    fields = room.message("Leaf").fields_by_name
    assert [required.is_required(fields[name], Use.OUTPUT) for name in "ab"] == [True, False]


def test_only_what_differs_has_a_schema_of_its_own(room: Room) -> None:
    """In the message itself or in one it holds, however far down and round."""
    required = Required(room.notes, print_defaults=False)
    uses = {
        name: required.use_for(room.message(name), Use.INPUT) for name in ("Plain", "Loop", "Back", "Holder", "Leaf")
    }
    assert uses == {"Plain": Use.OUTPUT, "Loop": Use.INPUT, "Back": Use.INPUT, "Holder": Use.INPUT, "Leaf": Use.INPUT}
    assert required.use_for(room.message("Leaf"), Use.PATCH) is Use.OUTPUT
    assert required.use_for(room.message("Leaf"), Use.OUTPUT) is Use.OUTPUT


@pytest.mark.parametrize("order", [("Leaf", "Back", "Loop"), ("Loop", "Back", "Leaf"), ("Back", "Leaf", "Loop")])
def test_the_order_of_asking_does_not_matter(room: Room, order: tuple[str, ...]) -> None:
    """What was settled for one message serves the next."""
    required = Required(room.notes, print_defaults=False)
    assert [required.use_for(room.message(name), Use.INPUT) for name in order] == [Use.INPUT] * 3


def test_printed_nulls(room: Room) -> None:
    """Then also those whose absence is null; proto3 `optional` still may be missing."""
    required = Required(room.notes, print_defaults=True, print_nulls=True)
    assert required.is_required(room.message("Holder").fields_by_name["leaf"], Use.OUTPUT)
    assert not required.is_required(room.message("Leaf").fields_by_name["b"], Use.OUTPUT)
