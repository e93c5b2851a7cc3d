"""
Connect's reading of heads: POST of a message or of a stream of them, or GET of a method without side effects.

Owns the refusals of what fits no method: 404, 405, 415, 505. Source: https://connectrpc.com/docs/protocol.
"""

from __future__ import annotations

from http import HTTPMethod

from edge.core.connect_envelope import end_envelope
from edge.core.connect_error import end_of_stream, error_body
from edge.core.connect_get import GetCall, MalformedGetError, parse_get
from edge.core.connect_timeout import parse_timeout_ms
from edge.core.content_coding import IDENTITY
from edge.core.grpc_frame import PREFIX_BYTES
from edge.core.message_coding import takes_gzip
from edge.ingress.connect_ending import error_of, http_status_of
from edge.ingress.connect_stream import MEDIA_TYPE, ConnectStream
from edge.ingress.connect_unary import ConnectUnary
from edge.ingress.grpc_terms import CODINGS
from edge.ingress.message_form import MessageForm, form_of
from edge.ingress.opening import Opening, resolve
from edge.ingress.rpc_target import is_streaming, needs_http2, rpc_target
from edge.ingress.service import Answer, Call, Head, Header, StreamCall
from edge.ingress.stream_call import StreamCall as StreamingCall
from edge.ingress.unary_call import UnaryCall
from edge.outcome import HTTP_FAULTS, OK, Fault, FieldViolation, Refusal
from edge.routes import Target

_ACCEPTED = ",".join(CODINGS[1:]).encode("ascii")
_UNARY = "application/"
_STREAMING = MEDIA_TYPE + "+"


class ConnectFront:
    """`DialectFront` for Connect."""

    def open(self, opening: Opening) -> Call | StreamCall | Refusal:
        """Find the RPC by its path, and what kind of it the head speaks."""
        target = rpc_target(opening)
        if isinstance(target, Refusal):
            return target
        refusal = (
            _method_refusal(opening.head, target) or needs_http2(opening, target) or _version_refusal(opening.head)
        )
        if refusal is None:
            streaming = is_streaming(target)
            refusal = resolve(
                opening,
                target,
                deadline_from_route=not streaming,
                asked_by=b"connect-timeout-ms",
                parse=parse_timeout_ms,
            )
        if refusal is not None:
            return refusal
        if opening.head.method == HTTPMethod.GET:
            return _get(opening, target)
        return _stream(opening, target) if streaming else _post(opening, target)

    def refused(self, opening: Opening, refusal: Refusal) -> Answer:
        """The error as the client will look for it: a unary one, or the end of a stream. HTTP's own faults are always unary."""
        error = error_of(refusal, None)
        media_type = _media_type(opening.head)
        if media_type.startswith(_STREAMING) and refusal.fault not in HTTP_FAULTS:
            kind = media_type.encode("ascii", "replace")
            return Answer(OK, [(b"content-type", kind)], end_envelope(end_of_stream(error, ())))
        assert error is not None
        headers: list[Header] = [(b"content-type", b"application/json")]
        if refusal.allow:
            headers.append((b"allow", ", ".join(refusal.allow).encode("ascii")))
        if refusal.fault is Fault.MESSAGE_CODING_UNSUPPORTED:
            headers.append((b"accept-encoding", _ACCEPTED))
        return Answer(http_status_of(refusal), headers, error_body(error))


def _media_type(head: Head) -> str:
    return head.get(b"content-type").partition(";")[0].strip().lower()


def _method_refusal(head: Head, target: Target) -> Refusal | None:
    """GET repeats freely, in caches and browsers: only a method that says it has no side effects may be called so."""
    may_get = target.rpc.side_effect_free and not is_streaming(target)
    allowed = (HTTPMethod.POST.value, HTTPMethod.GET.value) if may_get else (HTTPMethod.POST.value,)
    return None if head.method in allowed else Refusal(Fault.METHOD_NOT_ALLOWED, allow=allowed)


def _version_refusal(head: Head) -> Refusal | None:
    version = head.get(b"connect-protocol-version")
    return _invalid("connect-protocol-version", "must be 1") if version not in ("", "1") else None


def _invalid(field: str, description: str) -> Refusal:
    return Refusal(
        Fault.INVALID_ARGUMENT, message=f"{field}: {description}", violations=(FieldViolation(field, description),)
    )


def _coding_refusal(coding: str) -> Refusal | None:
    if coding in CODINGS:
        return None
    message = f"messages compressed with {coding[:32]!r} are not understood"
    return Refusal(Fault.MESSAGE_CODING_UNSUPPORTED, message=message)


def _get(opening: Opening, target: Target) -> UnaryCall | Refusal:
    try:
        call = parse_get(opening.head.query)
    except MalformedGetError as error:
        return _invalid("query", str(error))
    return _unary(opening, form_of(call.encoding, target), call.compression, call)


def _post(opening: Opening, target: Target) -> UnaryCall | Refusal:
    media_type = _media_type(opening.head)
    form = form_of(media_type.removeprefix(_UNARY), target) if media_type.startswith(_UNARY) else None
    return _unary(opening, form, opening.head.get(b"content-encoding"), None)


def _unary(opening: Opening, form: MessageForm | None, coding: str, get: GetCall | None) -> UnaryCall | Refusal:
    if form is None:
        return Refusal(Fault.MEDIA_TYPE_UNSUPPORTED)
    return _coding_refusal(coding or IDENTITY) or UnaryCall(opening, ConnectUnary(opening, form, coding, get))


def _stream(opening: Opening, target: Target) -> StreamingCall | Refusal:
    media_type = _media_type(opening.head)
    form = form_of(media_type.removeprefix(_STREAMING), target) if media_type.startswith(_STREAMING) else None
    if form is None:
        return Refusal(Fault.MEDIA_TYPE_UNSUPPORTED)
    coding = opening.head.get(b"connect-content-encoding") or IDENTITY
    bound = None if target.rpc.client_streaming else PREFIX_BYTES + opening.serving.max_body_bytes
    compress = opening.serving.apis[target.api].compression
    gzip = compress and takes_gzip(opening.head.get(b"connect-accept-encoding"))
    speech = ConnectStream(opening, form, coding, gzip=gzip)
    return _coding_refusal(coding) or StreamingCall(opening, speech, max_body_bytes=bound)
