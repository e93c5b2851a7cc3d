"""
Refusals for what codecs and content codings object to, with the field and the reason the client needs to mend its request.

Owns the mapping from the byte level's own errors to faults; the texts are the codecs' own.
"""

from __future__ import annotations

from edge.core.content_coding import CodingError, CodingErrorKind
from edge.outcome import Fault, FieldViolation, Refusal
from edge.wire.codec import BindingError, Source

_CODING_FAULTS = {
    CodingErrorKind.UNKNOWN: Fault.MEDIA_TYPE_UNSUPPORTED,
    CodingErrorKind.CORRUPT: Fault.INVALID_ARGUMENT,
    CodingErrorKind.TOO_LARGE: Fault.BODY_TOO_LARGE,
}


def binding_refusal(error: BindingError) -> Refusal:
    """400 naming the field, or 415 when the body's type is at fault."""
    if error.source is Source.MEDIA_TYPE:
        return Refusal(Fault.MEDIA_TYPE_UNSUPPORTED, message=error.description)
    place = "" if error.offset is None else f" (at offset {error.offset} of the body)"
    violation = FieldViolation(error.field or error.source.name.lower(), error.description + place)
    return Refusal(Fault.INVALID_ARGUMENT, message=f"{error}{place}", violations=(violation,))


def coding_refusal(error: CodingError) -> Refusal:
    """413 for a body that grows past the limit, 415 for a coding we do not know, 400 for one that is broken."""
    return Refusal(_CODING_FAULTS[error.kind], message=error.description)
