"""
Which fields a message must have, by what the message is used for.

Owns the three uses. Fields are REQUIRED in requests by their own annotation, but not in a PATCH, which brings only what changes. An
answer leaves out what holds its default, so nothing is sure to be there, unless the API prints defaults. A message has a schema of its
own for a use only where that makes a difference, in it or in a message it holds.
"""

from __future__ import annotations

from enum import Enum

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from edge.openapi.notes import Notes
from edge.wire.portable.schema import is_nullable


class Use(Enum):
    """What a message's JSON is used for; the value marks the schemas that differ from an answer's."""

    OUTPUT = ""
    INPUT = "-Input"
    PATCH = "-Patch"


class Required:
    """Answers for one API."""

    def __init__(self, notes: Notes, *, print_defaults: bool, print_nulls: bool = False) -> None:
        self._notes = notes
        self._print_defaults = print_defaults
        self._print_nulls = print_nulls
        self._distinct: dict[tuple[str, Use], bool] = {}

    def is_required(self, field: FieldDescriptor, use: Use) -> bool:
        """Whether the field is always there."""
        if field.is_required:
            return True
        if use is Use.OUTPUT:
            return self._print_defaults and (not field.has_presence or (self._print_nulls and is_nullable(field)))
        behaviors = self._notes.of(field.full_name).behaviors
        return use is Use.INPUT and "REQUIRED" in behaviors and "OUTPUT_ONLY" not in behaviors

    def use_for(self, message: Descriptor, use: Use) -> Use:
        """`use`, or OUTPUT where the message looks the same for both."""
        key = (message.full_name, use)
        if use is not Use.OUTPUT and key not in self._distinct:
            self._compare(message, use)
        return use if use is not Use.OUTPUT and self._distinct[key] else Use.OUTPUT

    def _compare(self, root: Descriptor, use: Use) -> None:
        """Settle the root and all it can hold: what differs makes its holders differ."""
        holders: dict[str, set[str]] = {}
        differing = self._explore(root, use, holders)
        found = set(differing)
        while differing:
            for holder in holders.get(differing.pop(), ()):
                if holder not in found:
                    found.add(holder)
                    differing.append(holder)
        for name in holders:
            self._distinct[name, use] = name in found

    def _explore(self, root: Descriptor, use: Use, holders: dict[str, set[str]]) -> list[str]:
        """Fill `holders` with every message reachable and who holds it; those that differ by their own fields or are known to."""
        differing = []
        holders[root.full_name] = set()
        waiting = [root]
        while waiting:
            message = waiting.pop()
            known = self._distinct.get((message.full_name, use))
            if known is None:
                waiting += self._unseen(message, holders)
            if known or (known is None and self._differs(message, use)):
                differing.append(message.full_name)
        return differing

    @staticmethod
    def _unseen(message: Descriptor, holders: dict[str, set[str]]) -> list[Descriptor]:
        """The messages it holds that are new to `holders`; it is noted as the holder of all of them."""
        unseen = []
        for inner in (field.message_type for field in message.fields if field.message_type):
            if inner.full_name not in holders:
                holders[inner.full_name] = set()
                unseen.append(inner)
            holders[inner.full_name].add(message.full_name)
        return unseen

    def _differs(self, message: Descriptor, use: Use) -> bool:
        return any(self.is_required(field, use) != self.is_required(field, Use.OUTPUT) for field in message.fields)
