"""
One RPC under one HTTP binding: request parts to a message, a message to an answer.

Owns the order of binding - JSON body, path, form, query, update mask - which is what makes the path win: it overwrites nothing
silently, and all that comes after it finds its fields taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from edge.wire.codec import BindingError, Render, RequestMessage, ResponseBody, Source
from edge.wire.portable.answer import Answer, RawAnswer
from edge.wire.portable.any_type import serialize
from edge.wire.portable.body import BodyBinder, RawBody
from edge.wire.portable.field_mask import UpdateMask
from edge.wire.portable.misfit import Misfit
from edge.wire.portable.path import PathBinder
from edge.wire.portable.plan import MessagePlan
from edge.wire.portable.query import QueryBinder


class PortableMethodCodec:
    """A compiled binding (edge.wire.codec.MethodCodec)."""

    __slots__ = ("_answer", "_body", "_mask", "_new", "_path", "_query", "gives_raw", "takes_raw")

    def __init__(
        self,
        plan: MessagePlan,
        path: PathBinder,
        body: BodyBinder,
        query: QueryBinder,
        mask: UpdateMask | None,
        answer: Answer,
    ) -> None:
        self._new = plan.new
        self._path = path
        self._body = body
        self._query = query
        self._mask = mask
        self._answer = answer
        self.takes_raw = isinstance(body, RawBody)
        self.gives_raw = isinstance(answer, RawAnswer)

    def request(self, path: Sequence[str], query: str, body: bytes, content_type: str) -> RequestMessage:
        """Bind one request. Raises BindingError."""
        message = self._new()
        given = self._body.bind(message, body, content_type)
        self._path.bind(message, path, given)
        self._body.bind_after_path(message, body, content_type, path)
        render, captured = self._query.bind(message, query, path)
        if self._mask is not None:
            self._mask.fill(message, given)
        return RequestMessage(_bytes(message), render, captured)

    def response(self, message: bytes, render: Render) -> ResponseBody:
        """Print one response. Raises EncodeError."""
        return self._answer.print(message, render)


def _bytes(message: Message) -> bytes:
    try:
        return serialize(message)
    except Misfit as misfit:
        raise BindingError(Source.BODY, misfit.path, misfit.description) from None
