"""
What of protobuf the native codec does not know: an API that uses it is served by the portable engine.

Owns the list: message sets, JSON names that two fields share (both legacies of proto2), and well-known types that a descriptor set
declares differently from google/protobuf.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf import any_pb2, duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorSet

from edge.wire.portable.schema import Schema
from edge.wire.portable.well_known import FIELD_MASK, SPECIAL

_STANDARD = (any_pb2, duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)


def unknown_to_native(schema: Schema, descriptor_set: bytes) -> str | None:
    """What the native codec does not know of a descriptor set that the portable engine has taken; None when it knows it all."""
    for module in _STANDARD:
        for standard in module.DESCRIPTOR.message_types_by_name.values():
            own = schema.message(standard.full_name)
            if standard.full_name in SPECIAL and own is not None and _shape(own) != _shape(standard):
                return f"{standard.full_name} is not the standard one"
    for file in FileDescriptorSet.FromString(descriptor_set).file:
        for message in _nested(file.message_type):
            if message.options.message_set_wire_format:
                return f"{message.name} is a message set"
            if len({field.json_name for field in message.field}) != len(message.field) and _collides(message):
                return f"two fields of {message.name} share a JSON name"
    return None


def mask_field(request: Descriptor, body: str, http_method: str) -> FieldDescriptor | None:
    """The field that the update mask of a PATCH fills by itself, None where there is none."""
    resource = request.fields_by_name.get(body) if http_method == "PATCH" else None
    if resource is None or resource.is_repeated or not resource.message_type or is_special(resource.message_type):
        return None
    masks = [field for field in request.fields if _is_mask(field) and field.name != body]
    return masks[0] if len(masks) == 1 else None


def is_special(descriptor: Descriptor) -> bool:
    """Whether a type has a JSON form of its own."""
    return descriptor.full_name in SPECIAL


def _is_mask(field: FieldDescriptor) -> bool:
    return bool(field.message_type and field.message_type.full_name == FIELD_MASK and not field.is_repeated)


def _shape(descriptor: Descriptor) -> list[tuple[int, int, bool, str]]:
    return [(field.number, field.type, field.is_repeated, field.name) for field in descriptor.fields]


def _nested(messages: Iterable[DescriptorProto]) -> Iterator[DescriptorProto]:
    pending = list(messages)
    while pending:
        message = pending.pop()
        pending += message.nested_type
        yield message


def _collides(message: DescriptorProto) -> bool:
    """Whether two fields share a JSON name; one that is not given is made of the proto name, as protoc makes it."""
    names = [field.json_name or _camel(field.name) for field in message.field]
    return len(set(names)) != len(names)


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)
