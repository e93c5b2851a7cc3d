"""
What is known of a message type before the first request: for each field, in either spelling, how it is read.

Owns the two values the compiler (`decode`) fills in and everything that reads requests (bodies, paths, queries, masks) walks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from edge.wire.portable.misfit import Misfit
from edge.wire.portable.scalars import Convert

Proto = Any
"""A message whose class was made from a descriptor: its attributes are its fields."""

Held = Any
"""What a message field holds: a Python scalar, an enum's number, or a message."""

Fill = Callable[[Any, Any, int], None]
"""(message, JSON value, nesting level of the value): puts the value into the message, or raises Misfit."""

Read = Callable[[str], Any]
"""From path or query text to a scalar or a whole message, or raises Misfit."""


@dataclass(slots=True, eq=False)
class MessagePlan:
    """
    A message type. `fields` has each field under its JSON name and its proto name.

    `special` marks the well-known types with a JSON form of their own: they are read whole, never field by field.
    """

    full_name: str
    new: Callable[[], Message]
    special: bool
    fill: Fill
    fields: dict[str, FieldPlan] = field(default_factory=dict)

    def named(self, name: str) -> FieldPlan | None:
        """The field of this proto name, which another field's JSON name may hide in `fields`. For use at load: it searches."""
        return next((each for each in self.fields.values() if each.name == name), None)


@dataclass(slots=True, eq=False)
class FieldPlan:
    """
    One field. `message` is the plan of its value, or of its elements' or map values'; None for scalars and enums.

    `read` takes one value (or element) from text; None when the type has no text form. `map_key` is set for maps; with
    `plain_entries` protobuf holds the map as a list of entries (`schema` says why).
    """

    name: str
    json_name: str
    number: int
    fill: Fill
    oneof: str | None = None
    takes_null: bool = False
    repeated: bool = False
    presence: bool = False
    map_key: Convert | None = None
    plain_entries: bool = False
    message: MessagePlan | None = None
    read: Read | None = None
    guarded: bool = field(init=False)

    def __post_init__(self) -> None:
        self.guarded = self.oneof is not None or self.name != self.json_name

    def guard(self, message: Message, value: dict[str, Any], key: str) -> None:
        """Refuse a field given in both spellings, and a second member of a oneof."""
        if key == self.name != self.json_name and self.json_name in value:
            raise Misfit(f"is given twice, as {self.name} and as {self.json_name}")
        taken = self.taken_by(message)
        if taken is not None:
            raise Misfit(f"cannot be set beside {taken}: a message has one of {self.oneof}")

    def taken_by(self, message: Message) -> str | None:
        """The other member of this field's oneof that is set, if any."""
        if self.oneof is None:
            return None
        member = message.WhichOneof(self.oneof)
        return None if member == self.name else member

    def assign(self, message: Message, value: Held) -> None:
        """Set this singular field of `message` to what `read` gave."""
        if self.message is None:
            setattr(message, self.name, value)
        else:
            target = getattr(message, self.name)
            target.CopyFrom(value)
            target.SetInParent()

    def append(self, message: Message, value: Held) -> None:
        """Append what `read` gave to this repeated field of `message`."""
        getattr(message, self.name).append(value)

    def put(self, message: Message, key: Held, value: Held) -> None:
        """Add an entry that is not there yet to this map of `message`."""
        entries = getattr(message, self.name)
        if self.plain_entries:
            entries.add(key=key, value=value)
        elif self.message is None:
            entries[key] = value
        else:
            entries[key].CopyFrom(value)
