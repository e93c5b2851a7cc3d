"""
Path captures into message fields.

Owns the rule that the path wins: what it binds, a body may repeat but not change, directly or through another member of
a oneof. Queries and forms are held to the same by `text_binder`, which runs after this.
Source: google/api/http.proto (path variables: non-repeated primitive fields, never maps).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from edge.wire.codec import BindingError, CompileError, Source
from edge.wire.portable.json_parse import Json
from edge.wire.portable.misfit import Misfit, shown
from edge.wire.portable.plan import FieldPlan, Held, MessagePlan, Read
from edge.wire.portable.well_known import PATH_TYPES

ABSENT: Json = object()
"""In place of a body's JSON value when there is none (JSON null is a value)."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One path variable: the fields from the request message down to the one it fills, and how its text is read."""

    name: str
    parents: tuple[FieldPlan, ...]
    leaf: FieldPlan
    read: Read


class PathBinder:
    """The path variables of one binding. `body` as in the binding."""

    def __init__(self, plan: MessagePlan, fields: Sequence[str], body: str, repeated: bool) -> None:
        self.variables = tuple(_variable(plan, name, repeated) for name in fields)
        _refuse_overlaps(self.variables)
        self._body = body

    def bind(self, message: Message, captures: Sequence[str], given: Json) -> None:
        """Set each variable's field. `given` is the body's JSON value, already in the message. Raises BindingError."""
        for variable, text in zip(self.variables, captures, strict=True):
            value = _read(variable, text)
            parent = _descend(message, variable)
            leaf = variable.leaf
            if given is not ABSENT and self._agrees(variable, parent, text, value, given):
                continue
            if leaf.repeated:
                leaf.append(parent, value)
            else:
                leaf.assign(parent, value)

    def _agrees(self, variable: Variable, parent: Message, text: str, value: Held, given: Json) -> bool:
        """Whether the body gives the variable's field the same value; False when it gives none; a different one is refused."""
        told = _told(given, variable, self._body)
        if told is None:
            return False
        if not _holds(variable.leaf, parent, value):
            description = f"the path says {shown(text)}, the body says {shown(told)}"
            raise BindingError(Source.BODY, variable.name, description)
        return True


def same(one: Held, other: Held) -> bool:
    """Whether two values of a field are equal; NaN is equal to itself here."""
    return bool(one == other or (one != one and other != other))  # that is what NaN is


def _holds(leaf: FieldPlan, message: Message, value: Held) -> bool:
    held = getattr(message, leaf.name)
    if leaf.repeated:
        return len(held) == 1 and same(held[0], value)
    return same(held, value)


def _read(variable: Variable, text: str) -> Held:
    try:
        return variable.read(text)
    except Misfit as misfit:
        raise BindingError(Source.PATH, variable.name, misfit.description) from None


def _descend(message: Message, variable: Variable) -> Message:
    """The message that holds the variable's field. A oneof on the way that the body set otherwise is refused."""
    parent = message
    for step in variable.parents:
        _refuse_sibling(parent, step, variable.name)
        parent = getattr(parent, step.name)
    _refuse_sibling(parent, variable.leaf, variable.name)
    return parent


def _refuse_sibling(message: Message, step: FieldPlan, name: str) -> None:
    taken = step.taken_by(message)
    if taken is not None:
        raise BindingError(Source.BODY, name, f"the path sets {step.name} of oneof {step.oneof}, the body sets {taken}")


def _told(given: Json, variable: Variable, body: str) -> Json:
    """What the body's JSON says of the variable's field; None when nothing."""
    steps = (*variable.parents, variable.leaf)
    if body != "*":
        if steps[0].name != body:
            return None
        steps = steps[1:]
    for step in steps:
        if type(given) is not dict:
            return None
        given = given.get(step.json_name, given.get(step.name))
    return given


def _variable(plan: MessagePlan, name: str, repeated: bool) -> Variable:
    steps: list[FieldPlan] = []
    message: MessagePlan | None = plan
    for segment in name.split("."):
        if steps:
            message = _parent(steps[-1], name)
        assert message is not None
        step = message.named(segment)
        if step is None:
            raise CompileError(name, f"{message.full_name} has no field {segment!r}")
        steps.append(step)
    *parents, leaf = steps
    if leaf.map_key is not None or (leaf.repeated and not repeated):
        raise CompileError(name, f"a path variable cannot fill a {'map' if leaf.map_key else 'repeated field'}")
    if leaf.read is None or (leaf.message is not None and leaf.message.full_name not in PATH_TYPES):
        raise CompileError(name, "a path variable cannot fill a message; name one of its fields")
    return Variable(name, tuple(parents), leaf, leaf.read)


def _parent(step: FieldPlan, name: str) -> MessagePlan:
    if step.message is None:
        raise CompileError(name, f"{step.name} is not a message, it has no fields")
    if step.repeated or step.message.special:
        raise CompileError(
            name, f"a path variable cannot reach into {step.name}: it is repeated, a map or a well-known type"
        )
    return step.message


def _refuse_overlaps(variables: Sequence[Variable]) -> None:
    """Two variables may neither name one field nor two members of one oneof."""
    members: dict[tuple[str, ...], str] = {}
    for variable in variables:
        above: tuple[str, ...] = ()
        for step in (*variable.parents, variable.leaf):
            if step.oneof is not None:
                key = (*above, f"oneof {step.oneof}")
                if members.setdefault(key, step.name) != step.name:
                    raise CompileError(variable.name, f"and {members[key]} are of one oneof, {step.oneof}")
            above = (*above, step.name)
        if above in members:
            raise CompileError(variable.name, "is bound twice by the path")
        members[above] = variable.name
