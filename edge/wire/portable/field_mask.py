"""
The update mask of a PATCH: which fields of the resource the JSON body speaks of.

Owns the walk: singular messages are entered, everything with a form of its own (map, repeated field, Any, Struct, Value and the other
well-known types) is one path. An explicit mask, and a body `*`, are left alone.
Source: https://google.aip.dev/134, grpc-gateway's FieldMaskFromRequestBody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message

from edge.wire.portable.json_parse import Json
from edge.wire.portable.plan import FieldPlan, MessagePlan, Proto
from edge.wire.portable.well_known import FIELD_MASK


class UpdateMask:
    """The automatic mask of one binding: the field it fills, and the resource's plan."""

    def __init__(self, mask: str, resource: MessagePlan) -> None:
        self._mask = mask
        self._resource = resource

    def fill(self, message: Message, given: Json) -> None:
        """Set the mask from the body's JSON value unless the request brought one. `{}` sets an empty mask, no body none."""
        if type(given) is not dict or message.HasField(self._mask):
            return
        mask: Proto = getattr(message, self._mask)
        mask.SetInParent()
        mask.paths.extend(_paths(self._resource, given, ""))


def update_mask(plan: MessagePlan, body: str, http_method: str) -> UpdateMask | None:
    """The automatic mask of a binding, None where there is none to fill."""
    resource = plan.named(body) if http_method == "PATCH" else None
    if resource is None or resource.repeated or resource.message is None or resource.message.special:
        return None
    masks = {field.name for field in plan.fields.values() if _is_mask(field) and field.name != body}
    return UpdateMask(masks.pop(), resource.message) if len(masks) == 1 else None


def _is_mask(field: FieldPlan) -> bool:
    return field.message is not None and field.message.full_name == FIELD_MASK and not field.repeated


def _paths(plan: MessagePlan, value: dict[str, Any], prefix: str) -> Iterator[str]:
    for key, item in value.items():
        field = plan.fields.get(key)
        if field is None:
            continue
        path = f"{prefix}{field.name}"
        if _is_entered(field) and item:
            assert field.message is not None
            yield from _paths(field.message, item, f"{path}.")
        else:
            yield path


def _is_entered(field: FieldPlan) -> bool:
    return field.message is not None and not field.repeated and not field.message.special
