"""
google.protobuf.Any, both ways: a message that names its type.

Owns the form `{"@type": url, ...fields}`, `{"@type": url, "value": json}` for special types, and `{"@type": url, "value": base64}` for
what cannot be decoded: an answer is never lost for one unknown detail. A request with an unknown type is refused.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from google.protobuf.message import EncodeError as ProtobufEncodeError
from google.protobuf.message import Message

from edge.wire.codec import CompileError
from edge.wire.portable.json_parse import Json
from edge.wire.portable.misfit import Misfit, kind, shown
from edge.wire.portable.plan import Fill, MessagePlan, Proto

_EMPTY = "google.protobuf.Empty"

PlanOfUrl = Callable[[str], MessagePlan | None]


def any_filler(plan_of_url: PlanOfUrl, max_depth: int) -> Fill:
    """How an Any is read from JSON."""

    def fill(message: Proto, value: Json, depth: int) -> None:
        if type(value) is not dict:
            raise Misfit(f"must be an object, not {kind(value)}")
        if depth > max_depth:
            raise Misfit("the JSON is nested too deep")
        if not value:
            return
        plan = _named_plan(plan_of_url, value.get("@type"))
        inner = plan.new()
        _fill_inner(plan, inner, {key: item for key, item in value.items() if key != "@type"}, depth)
        message.type_url, message.value = value["@type"], serialize(inner)

    return fill


def _named_plan(plan_of_url: PlanOfUrl, url: Json) -> MessagePlan:
    if type(url) is not str:
        raise Misfit("must name the message's type", path="@type")
    try:
        plan = plan_of_url(url)
    except CompileError as error:
        raise Misfit(str(error), path="@type") from None
    if plan is None:
        raise Misfit(f"{shown(url)} is no message type of this API", path="@type")
    return plan


def _fill_inner(plan: MessagePlan, inner: Message, rest: dict[str, Any], depth: int) -> None:
    if not plan.special:
        plan.fill(inner, {} if _is_nothing(plan, rest) else rest, depth)
        return
    if rest.keys() != {"value"}:
        raise Misfit(f"must hold its {plan.full_name} under value, and nothing else")
    try:
        plan.fill(inner, rest["value"], depth + 1)
    except Misfit as misfit:
        raise misfit.within("value") from None


def _is_nothing(plan: MessagePlan, rest: dict[str, Any]) -> bool:
    """Go's protojson counts Empty among the special types and writes `"value": {}`; the other implementations write nothing."""
    return plan.full_name == _EMPTY and rest == {"value": {}}


def serialize(message: Message) -> bytes:
    """The message's bytes, map entries in order. Raises Misfit when a required field is missing."""
    try:
        return message.SerializeToString(deterministic=True)
    except ProtobufEncodeError:
        missing = message.FindInitializationErrors()  # type: ignore[attr-defined]  # every implementation has it, the stubs do not
        raise Misfit("is required", path=missing[0] if missing else "") from None


def opaque(type_url: str, value: bytes) -> dict[str, Any]:
    """An Any whose content stays bytes."""
    return {"@type": type_url, "value": b64encode(value).decode()}
