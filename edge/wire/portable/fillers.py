"""
How one field of a message is filled from JSON: a closure per shape - single, array or object, of scalars or of messages.

Owns the error path (`authors[2].name`, `labels[k]`) and the refusal of too deep nesting and of map keys that mean the same.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from edge.wire.portable.json_parse import Json
from edge.wire.portable.misfit import Misfit, kind
from edge.wire.portable.plan import Fill, Held, MessagePlan, Proto
from edge.wire.portable.scalars import Convert


def scalar_filler(name: str, convert: Convert) -> Fill:
    """A singular scalar or enum."""

    def fill(message: Message, value: Json, depth: int) -> None:
        setattr(message, name, convert(value))

    return fill


def message_filler(name: str, plan: MessagePlan) -> Fill:
    """A singular message; it is present even when the value is `{}`."""

    def fill(message: Message, value: Json, depth: int) -> None:
        target = getattr(message, name)
        target.SetInParent()
        plan.fill(target, value, depth)

    return fill


def scalars_filler(name: str, convert: Convert, max_depth: int) -> Fill:
    """A repeated scalar or enum."""

    def fill(message: Message, value: Json, depth: int) -> None:
        items: list[Any] = []
        array = _array(value, depth, max_depth)
        try:
            for item in array:
                items.append(convert(item))  # its length is the index of the item that does not fit
        except Misfit as misfit:
            raise misfit.at(len(items)) from None
        getattr(message, name).extend(items)

    return fill


def messages_filler(name: str, plan: MessagePlan, max_depth: int) -> Fill:
    """A repeated message."""

    def fill(message: Message, value: Json, depth: int) -> None:
        items = getattr(message, name)
        for index, item in enumerate(_array(value, depth, max_depth)):
            try:
                plan.fill(items.add(), item, depth + 1)
            except Misfit as misfit:
                raise misfit.at(index) from None

    return fill


def scalar_map_filler(name: str, convert_key: Convert, convert: Convert, max_depth: int) -> Fill:
    """A map of scalars or enums."""

    def fill(message: Message, value: Json, depth: int) -> None:
        entries = getattr(message, name)
        for text, item in _object(value, depth, max_depth).items():
            try:
                entries[_new_key(entries, convert_key(text))] = convert(item)
            except Misfit as misfit:
                raise misfit.at(text) from None

    return fill


def message_map_filler(name: str, convert_key: Convert, plan: MessagePlan, max_depth: int) -> Fill:
    """A map of messages."""

    def fill(message: Message, value: Json, depth: int) -> None:
        entries = getattr(message, name)
        for text, item in _object(value, depth, max_depth).items():
            try:
                plan.fill(entries[_new_key(entries, convert_key(text))], item, depth + 1)
            except Misfit as misfit:
                raise misfit.at(text) from None

    return fill


def entries_filler(name: str, convert_key: Convert, value_of: MessagePlan | Convert, max_depth: int) -> Fill:
    """A map that protobuf holds as a list of entries. Keys are compared as texts: Python hashes those with a secret seed."""
    put = _message_putter(value_of) if isinstance(value_of, MessagePlan) else _scalar_putter(value_of)

    def fill(message: Message, value: Json, depth: int) -> None:
        add = getattr(message, name).add
        seen: set[str] = set()
        for text, item in _object(value, depth, max_depth).items():
            try:
                key = convert_key(text)
                _new_key(seen, str(key))
                seen.add(str(key))
                put(add(key=key), item, depth + 1)
            except Misfit as misfit:
                raise misfit.at(text) from None

    return fill


def _scalar_putter(convert: Convert) -> Fill:
    def put(entry: Proto, value: Json, depth: int) -> None:
        entry.value = convert(value)

    return put


def _message_putter(plan: MessagePlan) -> Fill:
    def put(entry: Proto, value: Json, depth: int) -> None:
        entry.value.SetInParent()
        plan.fill(entry.value, value, depth)

    return put


def _array(value: Json, depth: int, max_depth: int) -> list[Any]:
    if type(value) is not list:
        raise Misfit(f"must be an array, not {kind(value)}")
    if depth > max_depth:
        raise Misfit("the JSON is nested too deep")
    return value


def _object(value: Json, depth: int, max_depth: int) -> dict[str, Any]:
    if type(value) is not dict:
        raise Misfit(f"must be an object, not {kind(value)}")
    if depth > max_depth:
        raise Misfit("the JSON is nested too deep")
    return value


def _new_key(entries: Proto, key: Held) -> Held:
    """`key`, unless it is there already: `1` and `01` are one key."""
    if key in entries:
        raise Misfit("is given twice")
    return key
