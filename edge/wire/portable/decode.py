"""
From JSON values to messages: compiles each message type, once, into closures that fill it.

Owns the proto3 JSON mapping's reading half: both spellings of names, null as absence, one member per oneof, bounded depth,
unknown fields refused or skipped. Source: https://protobuf.dev/programming-guides/json/.
"""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from edge.wire.codec import CompileError, JsonOptions
from edge.wire.portable import fillers, well_known
from edge.wire.portable.any_type import any_filler
from edge.wire.portable.enums import NULL_VALUE, enum_converter
from edge.wire.portable.json_parse import Json, refuse_deeper
from edge.wire.portable.misfit import Misfit, kind
from edge.wire.portable.plan import FieldPlan, Fill, MessagePlan, Read
from edge.wire.portable.scalars import CONVERTERS, Convert, text_converters
from edge.wire.portable.schema import Schema, is_plain_entry, map_entry

_MAX_KEY_CHARACTERS = 100


class Decoder:
    """The reading plans of one API under one set of options, compiled on demand and kept."""

    def __init__(self, schema: Schema, options: JsonOptions) -> None:
        self._schema = schema
        self._max_depth = options.max_depth
        self._ignore_unknown = options.unknown_fields == "ignore"
        self._text = text_converters(options.lenient_bools)
        self._plans: dict[str, MessagePlan] = {}
        self._pending: list[tuple[Descriptor, MessagePlan]] = []
        self._declared: list[str] = []  # by the compilation that runs

    def plan(self, descriptor: Descriptor) -> MessagePlan:
        """The plan of a message type and, with it, of all it can contain. Raises CompileError for a group."""
        self._declared.clear()
        plan = self._declare(descriptor)
        try:
            while self._pending:
                self._compile(*self._pending.pop())
        except CompileError:
            # What was declared on the way refers to what failed: forget it all, or the next caller would get a half-made plan.
            self._pending.clear()
            for name in self._declared:
                del self._plans[name]
            raise
        return plan

    def _compile(self, descriptor: Descriptor, plan: MessagePlan) -> None:
        fields = [self._field(field) for field in descriptor.fields]
        plan.fields.update({field.name: field for field in fields})
        plan.fields.update({field.json_name: field for field in fields})

    def _declare(self, descriptor: Descriptor) -> MessagePlan:
        """The plan object of a type, its fields perhaps still to come: types refer to each other in circles and long chains."""
        plan = self._plans.get(descriptor.full_name)
        if plan is None:
            special = descriptor.full_name in well_known.SPECIAL
            plan = MessagePlan(descriptor.full_name, self._schema.class_of(descriptor), special, _unfinished)
            plan.fill = self._message_filler(descriptor, plan)
            self._plans[descriptor.full_name] = plan
            self._declared.append(descriptor.full_name)
            if not special:
                self._pending.append((descriptor, plan))
        return plan

    def _message_filler(self, descriptor: Descriptor, plan: MessagePlan) -> Fill:
        if descriptor.full_name == well_known.ANY:
            return any_filler(self._plan_of_url, self._max_depth)
        if plan.special:
            return well_known.filler(descriptor, self._max_depth)
        return self._object_filler(plan)

    def _object_filler(self, plan: MessagePlan) -> Fill:
        fields, max_depth, ignore_unknown = plan.fields, self._max_depth, self._ignore_unknown

        def fill(message: Message, value: Json, depth: int) -> None:
            if type(value) is not dict:
                raise Misfit(f"must be an object, not {kind(value)}")
            if depth > max_depth:
                raise Misfit("the JSON is nested too deep")
            for key, item in value.items():
                field = fields.get(key)
                if field is None:
                    if not ignore_unknown:
                        raise Misfit(f"{plan.full_name} has no such field", path=key[:_MAX_KEY_CHARACTERS])
                    refuse_deeper(item, max_depth - depth)
                elif item is not None or field.takes_null:
                    try:
                        if field.guarded:
                            field.guard(message, value, key)
                        field.fill(message, item, depth + 1)
                    except Misfit as misfit:
                        raise misfit.within(field.name) from None

        return fill

    def _plan_of_url(self, url: str) -> MessagePlan | None:
        descriptor = self._schema.of_url(url)
        return None if descriptor is None else self.plan(descriptor)

    def _field(self, field: FieldDescriptor) -> FieldPlan:
        if field.type == FieldDescriptor.TYPE_GROUP:
            raise CompileError(field.full_name, "groups (and delimited fields) have no JSON form")
        entry = map_entry(field)
        element = field if entry is None else entry.fields_by_name["value"]
        message = self._declare(element.message_type) if element.message_type else None
        return FieldPlan(
            name=field.name,
            json_name=field.json_name,
            number=field.number,
            fill=self._field_filler(field, message) if entry is None else self._map_filler(field.name, entry, message),
            oneof=shared_oneof(field),
            takes_null=not field.is_repeated and takes_null(element),
            repeated=field.is_repeated,
            presence=field.has_presence,
            map_key=None if entry is None else self._map_key(entry),
            plain_entries=entry is not None and is_plain_entry(entry),
            message=message,
            read=self._reader(element, message),
        )

    def _map_key(self, entry: Descriptor) -> Convert:
        return self._text[entry.fields_by_name["key"].type]

    def _map_filler(self, name: str, entry: Descriptor, message: MessagePlan | None) -> Fill:
        key, value = self._map_key(entry), message or self._converter(entry.fields_by_name["value"])
        if is_plain_entry(entry):
            return fillers.entries_filler(name, key, value, self._max_depth)
        if isinstance(value, MessagePlan):
            return fillers.message_map_filler(name, key, value, self._max_depth)
        return fillers.scalar_map_filler(name, key, value, self._max_depth)

    def _field_filler(self, field: FieldDescriptor, message: MessagePlan | None) -> Fill:
        name = field.name
        if message is None:
            convert = self._converter(field)
            return (
                fillers.scalars_filler(name, convert, self._max_depth)
                if field.is_repeated
                else fillers.scalar_filler(name, convert)
            )
        return (
            fillers.messages_filler(name, message, self._max_depth)
            if field.is_repeated
            else fillers.message_filler(name, message)
        )

    def _converter(self, field: FieldDescriptor) -> Convert:
        enum = field.enum_type
        return CONVERTERS[field.type] if enum is None else enum_converter(enum, text=False)

    def _reader(self, field: FieldDescriptor, message: MessagePlan | None) -> Read | None:
        if field.message_type is None or message is None:
            enum = field.enum_type
            return self._text[field.type] if enum is None else enum_converter(enum, text=True)
        if not message.special:
            return None
        fill = well_known.text_filler(field.message_type, self._text, self._max_depth)
        if fill is None:
            return None
        fill_text, new = fill, message.new

        def read(text: str) -> Message:
            result = new()
            fill_text(result, text)
            return result

        return read


def shared_oneof(field: FieldDescriptor) -> str | None:
    """The oneof a field shares with others; the synthetic one around a proto3 optional field has no other."""
    oneof = field.containing_oneof
    return oneof.name if oneof is not None and len(oneof.fields) > 1 else None


def takes_null(field: FieldDescriptor) -> bool:
    """Whether null is a value of the field and not its absence."""
    if field.message_type:
        return bool(field.message_type.full_name == well_known.VALUE)
    return bool(field.enum_type and field.enum_type.full_name == NULL_VALUE)


def _unfinished(message: Message, value: Json, depth: int) -> None:
    raise AssertionError("the plan is not compiled yet")
