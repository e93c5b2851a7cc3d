"""
Request bodies and the contents of successful answers.

Owns which media types each has: JSON, forms where the API takes them, whatever an HttpBody holds, and for streams the three forms a
client chooses from by Accept. Source: google/api/http.proto (body, response_body), google/api/httpbody.proto.
"""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from edge.openapi.references import reference
from edge.openapi.required import Use
from edge.openapi.schemas import Bound, Schemas
from edge.openapi.source import Json
from edge.routes import Route
from edge.wire.portable import well_known
from edge.wire.portable.answer import is_raw
from edge.wire.portable.body import HTTP_BODY

JSON, FORM, NDJSON, EVENTS = (
    "application/json",
    "application/x-www-form-urlencoded",
    "application/x-ndjson",
    "text/event-stream",
)
_ANY_MEDIA = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
_PATCH = "PATCH"


def request_body(route: Route, message: Descriptor, bound: Bound, schemas: Schemas, *, form: bool) -> Json | None:
    """
    The request body of a route, None without one. `message` is its input, `bound` the fields the path fills.

    It is required when its field is, or when a field in it is: an absent body is an empty message.
    """
    body = route.binding.body
    if not body:
        return None
    field = None if body == "*" else message.fields_by_name[body]
    if _is_raw_body(message, field):
        return {"content": _ANY_MEDIA, **_described(field, schemas)}
    use = Use.PATCH if route.binding.http_method == _PATCH else Use.INPUT
    if field is None:
        schema = schemas.written_out(message, use, bound) if bound else schemas.message(message, use)
        required = bool(_required_in(message, bound, schemas)) and use is Use.INPUT
    else:
        below = [path[1:] for path in bound if path[0] == field.name and len(path) > 1]
        schema = schemas.value(field, use, below)
        required = schemas.is_required(field)
    found: Json = {"content": _contents(schema, field or message, stream=route.rpc.client_streaming, form=form)}
    return {**_described(field, schemas), **found, **({"required": True} if required else {})}


def _contents(schema: Json, what: Descriptor | FieldDescriptor, *, stream: bool, form: bool) -> Json:
    if stream:
        return {JSON: {"schema": {"type": "array", "items": schema}}, NDJSON: {"schema": schema}}
    contents: Json = {JSON: {"schema": schema}}
    if form and _has_form(what):
        contents[FORM] = {"schema": schema}
    return contents


def _has_form(what: Descriptor | FieldDescriptor) -> bool:
    """HTML forms fill messages, not single values."""
    if isinstance(what, Descriptor):
        return what.full_name not in well_known.SPECIAL
    message = what.message_type
    return message is not None and not what.is_repeated and message.full_name not in well_known.SPECIAL


def _is_raw_body(message: Descriptor, field: FieldDescriptor | None) -> bool:
    if field is None:
        return bool(message.full_name == HTTP_BODY)
    return bool(field.message_type and field.message_type.full_name == HTTP_BODY and not field.is_repeated)


def _described(field: FieldDescriptor | None, schemas: Schemas) -> Json:
    text = schemas.note(field.full_name).text if field is not None else ""
    return {"description": text} if text else {}


def _required_in(message: Descriptor, bound: Bound, schemas: Schemas) -> list[FieldDescriptor]:
    return [field for field in message.fields if (field.name,) not in bound and schemas.is_required(field)]


def answer_content(route: Route, message: Descriptor, schemas: Schemas, *, envelope: bool = False) -> Json:
    """The content of a successful answer; `message` is the route's output. `envelope`: how the API streams."""
    name = route.binding.response_body
    field = message.fields_by_name[name] if name else None
    if is_raw(message, field):
        return _ANY_MEDIA
    schema = schemas.message(message, Use.OUTPUT) if field is None else _field_answer(field, schemas)
    return _stream(schema, envelope=envelope) if route.rpc.server_streaming else {JSON: {"schema": schema}}


def _field_answer(field: FieldDescriptor, schemas: Schemas) -> Json:
    """One field as the whole answer: null where its absence can be told, but `{}` for a plain message."""
    schema = schemas.value(field, Use.OUTPUT)
    message = field.message_type
    if not field.has_presence or (message and message.full_name not in well_known.SPECIAL):
        return schema
    if "type" not in schema and "$ref" not in schema:
        return schema  # any JSON value already
    return {"anyOf": [schema, {"type": "null"}]}


def _stream(schema: Json, *, envelope: bool) -> Json:
    """Messages one by one. An error after the first is told in the stream; an array then ends without its bracket."""
    failed = {"type": "object", "properties": {"error": reference("edge.Error")}, "required": ["error"]}
    whole: Json = {"type": "array", "items": schema}
    if envelope:
        result = {"type": "object", "properties": {"result": schema}, "required": ["result"]}
        whole = {"description": "Each line.", "anyOf": [failed, result]}
    return {
        JSON: {"schema": whole},
        NDJSON: {"schema": {"description": "Each line.", "anyOf": [failed, schema]}},
        EVENTS: {"schema": {"description": "The data of each event; of `event: error`, a Status.", **_data(schema)}},
    }


def _data(schema: Json) -> Json:
    return {"type": "string", "contentMediaType": JSON, "contentSchema": {"anyOf": [reference("edge.Error"), schema]}}
