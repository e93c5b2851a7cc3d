"""Notes by full name."""

from __future__ import annotations

from edge.openapi.notes import Note
from tests.unit.openapi.making import Room

_BODY = """
// A message.
message M {
  // A field.
  string a = 1 [deprecated = true];
  string b = 2 [(google.api.field_behavior) = REQUIRED, (google.api.field_behavior) = IMMUTABLE]; // Behind it.
  // Inside.
  message Inner {
    // Deep.
    int32 c = 1;
  }
  // One of.
  oneof o { string d = 3; }
}
// An enum.
enum E {
  // Zero.
  E_ZERO = 0;
  E_OLD = 1 [deprecated = true];
}
"""


def test_every_kind_of_element() -> None:
    """Messages, fields, nested ones, oneofs, enums and their values."""
    notes = Room(_BODY).notes
    assert notes.of("t.v1.M") == Note("A message.")
    assert notes.of("t.v1.M.a") == Note("A field.", deprecated=True)
    assert notes.of("t.v1.M.b") == Note("Behind it.", behaviors=("REQUIRED", "IMMUTABLE"))
    assert notes.of("t.v1.M.Inner").text == "Inside."
    assert notes.of("t.v1.M.Inner.c").text == "Deep."
    assert notes.of("t.v1.M.o").text == "One of."
    assert notes.of("t.v1.E").text == "An enum."
    assert notes.of("t.v1.E.E_ZERO").text == "Zero."
    assert notes.of("t.v1.E.E_OLD").deprecated


def test_nothing_said() -> None:
    """An element without a comment, and one that does not exist."""
    assert Room("").notes.of("t.v1.Nothing") == Note() == Room("").notes.of("nowhere")
