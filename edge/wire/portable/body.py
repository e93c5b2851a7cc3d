"""
Request bodies into messages: nothing, JSON for the whole message or one field, raw bytes for an HttpBody, HTML forms.

Owns which of these a binding takes and which media types that allows. No bytes are no body: their declared type does not matter.
Source: google/api/http.proto (body), google/api/httpbody.proto.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from google.protobuf.message import Message

from edge.core.query_string import MalformedQueryError, parse_query
from edge.wire.codec import BindingError, CompileError, JsonOptions, Source
from edge.wire.portable.json_parse import Json, parse_json
from edge.wire.portable.media_type import is_form, is_json
from edge.wire.portable.misfit import Misfit, shortened
from edge.wire.portable.path import ABSENT, PathBinder
from edge.wire.portable.plan import FieldPlan, MessagePlan, Proto
from edge.wire.portable.text_binder import Seen, TextBinder

HTTP_BODY = "google.api.HttpBody"


class BodyBinder(Protocol):
    """How one binding takes its body."""

    def bind(self, message: Message, body: bytes, content_type: str) -> Json:
        """Put the body in the message; its JSON value, or ABSENT. Raises BindingError."""

    def bind_after_path(self, message: Message, body: bytes, content_type: str, captures: Sequence[str]) -> None:
        """Bind what must respect the path field by field. Raises BindingError."""


class NoBody:
    """A binding without a body: what comes is not looked at."""

    def bind(self, message: Message, body: bytes, content_type: str) -> Json:
        """Nothing to bind."""
        return ABSENT

    def bind_after_path(self, message: Message, body: bytes, content_type: str, captures: Sequence[str]) -> None:
        """Nothing to bind."""


class RawBody(NoBody):
    """Any bytes of any type, into an HttpBody: the request itself, or its field `name`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def bind(self, message: Message, body: bytes, content_type: str) -> Json:
        """Keep the bytes and their type as they are."""
        target: Proto = getattr(message, self._name) if self._name else message
        target.content_type = content_type
        target.data = body
        return ABSENT


class JsonBody(NoBody):
    """JSON for the whole message (`field` None) or for one field; forms too where the API allows them (`form`)."""

    def __init__(
        self, plan: MessagePlan, field: FieldPlan | None, form: TextBinder | None, *, ignore_unknown: bool
    ) -> None:
        self._plan = plan
        self._field = field
        self._form = form
        self._ignore_unknown = ignore_unknown

    def bind(self, message: Message, body: bytes, content_type: str) -> Json:
        """Decode and fill."""
        if not body or (self._form is not None and is_form(content_type)):
            return ABSENT
        if not is_json(content_type):
            raise BindingError(Source.MEDIA_TYPE, "", f"the body must be application/json, not {content_type[:100]}")
        try:
            value = parse_json(body)
            self._fill(message, value)
        except Misfit as misfit:
            raise BindingError(Source.BODY, misfit.path, misfit.description, offset=misfit.offset) from None
        return value

    def _fill(self, message: Message, value: Json) -> None:
        field = self._field
        if field is None:
            self._plan.fill(message, value, 1)
        elif value is not None or field.takes_null:
            try:
                field.fill(message, value, 1)
            except Misfit as misfit:
                raise misfit.within(field.name) from None

    def bind_after_path(self, message: Message, body: bytes, content_type: str, captures: Sequence[str]) -> None:
        """A form's fields are bound like query parameters."""
        if not body or self._form is None or not is_form(content_type):
            return
        try:
            pairs = parse_query(body.decode("ascii"), plus_is_space=True)
        except (MalformedQueryError, UnicodeDecodeError) as error:
            raise BindingError(Source.BODY, "", f"the form is malformed: {error}") from None
        seen: Seen = set()
        for name, text in pairs:
            if not self._form.bind(message, name, text, captures, seen) and not self._ignore_unknown:
                raise BindingError(Source.BODY, shortened(name), "no such field")


def body_binder(plan: MessagePlan, body: str, path: PathBinder, options: JsonOptions) -> BodyBinder:
    """The binder for a binding's `body`. Raises CompileError when it names no top-level field."""
    if not body:
        return NoBody()
    ignore = options.unknown_fields == "ignore"
    if body == "*":
        if plan.full_name == HTTP_BODY and options.http_body == "raw":
            return RawBody("")
        return JsonBody(plan, None, _form(plan, path, options, ()), ignore_unknown=ignore)
    field = plan.named(body)
    if field is None:
        raise CompileError(body, f"body must be * or a top-level field of {plan.full_name}")
    if field.message is None or field.repeated:
        return JsonBody(plan, field, None, ignore_unknown=ignore)
    if field.message.full_name == HTTP_BODY:
        return RawBody(field.name)
    return JsonBody(plan, field, _form(field.message, path, options, (field,)), ignore_unknown=ignore)


def _form(
    plan: MessagePlan, path: PathBinder, options: JsonOptions, prefix: tuple[FieldPlan, ...]
) -> TextBinder | None:
    if not options.form or plan.special:
        return None
    return TextBinder(plan, path, Source.BODY, options.max_depth, prefix=prefix)
