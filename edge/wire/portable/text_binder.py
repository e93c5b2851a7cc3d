"""
Named text values into message fields: what query parameters and form fields have in common.

Owns how a name is resolved (`a.b.c` in either spelling, `map[key]`), that a singular field is given once, that one member of a
oneof is set, and that a field the path has bound keeps its value. Source: google/api/http.proto, rules for query parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from google.protobuf.message import Message

from edge.wire.codec import BindingError, Source
from edge.wire.portable.misfit import Misfit, shown
from edge.wire.portable.path import PathBinder, same
from edge.wire.portable.plan import FieldPlan, Held, MessagePlan

Names = tuple[str, ...]
Seen = set[tuple[Names, object]]

_WORD = {Source.QUERY: "query", Source.BODY: "body"}


class Target(NamedTuple):
    """Where a parameter goes: the fields down to its own, and the text of the map key if it is a map."""

    steps: tuple[FieldPlan, ...]
    key: str | None


class TextBinder:
    """
    Binds text to the fields of one message type.

    `prefix` leads from the request message to it. `closed` is the field that the body binds: only repeated fields in it take more.
    """

    def __init__(
        self,
        plan: MessagePlan,
        path: PathBinder,
        source: Source,
        max_depth: int,
        *,
        prefix: tuple[FieldPlan, ...] = (),
        closed: str = "",
    ) -> None:
        self._plan = plan
        self._bound = {
            (*(step.name for step in v.parents), v.leaf.name): index for index, v in enumerate(path.variables)
        }
        self._source = source
        self._max_depth = max_depth
        self._prefix = prefix
        self._closed = closed

    def bind(self, message: Message, name: str, text: str, captures: Sequence[str], seen: Seen) -> bool:
        """Put one value in its field. False when the name means no field that may be given here. Raises BindingError."""
        target = self._resolve(name)
        if target is None:
            return False
        steps, key = target
        names = tuple(step.name for step in steps)
        leaf = steps[-1]
        if names[0] == self._closed and (not leaf.repeated or key is not None):
            return False
        value = self._read(leaf, names, text)
        parent = self._descend(message, steps, names)
        if names in self._bound:
            self._agree(leaf, parent, names, text, value, captures[self._bound[names]])
        elif key is not None:
            self._put(leaf, parent, names, key, value, seen)
        elif leaf.repeated:
            leaf.append(parent, value)
        else:
            self._once(names, None, seen)
            leaf.assign(parent, value)
        return True

    def _resolve(self, name: str) -> Target | None:
        field = self._plan.fields.get(name)
        if field is not None:
            if field.map_key is not None:
                raise self._error((name,), f"is a map: name the key, {name}[key]=value")
            return Target((*self._prefix, field), None)
        dotted, bracket, key = name.partition("[")
        steps = self._walk(dotted)
        if steps is None:
            return None
        if not bracket:
            if steps[-1].map_key is not None:
                raise self._error(_names(steps), f"is a map: name the key, {dotted}[key]=value")
            return Target(steps, None)
        if steps[-1].map_key is None or not key.endswith("]"):
            raise self._error(_names(steps), f"{shown(name)} is no entry of a map: write name[key]")
        return Target(steps, key[:-1])

    def _walk(self, dotted: str) -> tuple[FieldPlan, ...] | None:
        """The fields a dotted name goes through; None when one does not exist."""
        steps = list(self._prefix)
        plan = self._plan
        for position, segment in enumerate(dotted.split(".")):
            if position:
                plan = self._enter(steps)
            field = plan.fields.get(segment)
            if field is None:
                return None
            steps.append(field)
        return tuple(steps)

    def _enter(self, steps: list[FieldPlan]) -> MessagePlan:
        last = steps[-1]
        if last.repeated:
            raise self._error(_names(steps), "a dotted name cannot go through a repeated field or a map")
        if last.message is None:
            raise self._error(_names(steps), "is not a message, it has no fields")
        if last.message.special:
            raise self._error(_names(steps), f"is a {last.message.full_name}: it is given whole, as text")
        if len(steps) >= self._max_depth:
            raise self._error(_names(steps[:3]), "the name goes too deep")
        return last.message

    def _read(self, leaf: FieldPlan, names: Names, text: str) -> Held:
        if leaf.read is None:
            raise self._error(names, "is a message: it cannot be given as text")
        try:
            return leaf.read(text)
        except Misfit as misfit:
            raise self._error(names, misfit.description) from None

    def _descend(self, message: Message, steps: tuple[FieldPlan, ...], names: Names) -> Message:
        """The message that holds the last step. A oneof on the way that is set otherwise is refused."""
        parent = message
        last = len(steps) - 1
        for position, step in enumerate(steps):
            taken = step.taken_by(parent)
            if taken is not None:
                raise self._error(
                    names[: position + 1], f"cannot be set beside {taken}: a message has one of {step.oneof}"
                )
            if position != last:
                parent = getattr(parent, step.name)
        return parent

    def _agree(self, leaf: FieldPlan, parent: Message, names: Names, text: str, value: Held, capture: str) -> None:
        current = getattr(parent, leaf.name)
        if not same(current[0] if leaf.repeated else current, value):
            raise self._error(names, f"the path says {shown(capture)}, the {_WORD[self._source]} says {shown(text)}")

    def _put(self, leaf: FieldPlan, parent: Message, names: Names, text: str, value: Held, seen: Seen) -> None:
        assert leaf.map_key is not None
        try:
            key = leaf.map_key(text)
        except Misfit as misfit:
            raise self._error(names, f"key: {misfit.description}") from None
        self._once(names, key, seen)
        leaf.put(parent, key, value)

    def _once(self, names: Names, key: object, seen: Seen) -> None:
        if (names, key) in seen:
            where = "" if key is None else f" for the key {shown(key)}"
            raise self._error(names, f"is given twice{where}")
        seen.add((names, key))

    def _error(self, names: Names, description: str) -> BindingError:
        return BindingError(self._source, ".".join(names), description)


def _names(steps: Sequence[FieldPlan]) -> Names:
    return tuple(step.name for step in steps)
