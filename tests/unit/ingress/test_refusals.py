"""What the byte level objects to, as refusals the client can act on."""

from __future__ import annotations

import pytest

from edge.core.content_coding import CodingError, CodingErrorKind
from edge.ingress.refusals import binding_refusal, coding_refusal
from edge.outcome import Fault, FieldViolation
from edge.wire.codec import BindingError, Source


def test_a_field_that_does_not_fit_is_named_with_its_place() -> None:
    """B6: the field, the reason and the offset."""
    refusal = binding_refusal(BindingError(Source.BODY, "book.pages", "is not a number", offset=17))
    assert (refusal.fault, refusal.http_status) == (Fault.INVALID_ARGUMENT, 400)
    assert refusal.violations == (FieldViolation("book.pages", "is not a number (at offset 17 of the body)"),)


def test_a_body_that_is_no_json_at_all_is_blamed_as_the_body() -> None:
    assert binding_refusal(BindingError(Source.BODY, "", "trailing garbage")).violations[0].field == "body"


def test_a_type_nobody_takes_is_415() -> None:
    """B4."""
    assert binding_refusal(BindingError(Source.MEDIA_TYPE, "", "text/csv is not supported")).http_status == 415


@pytest.mark.parametrize(
    ("kind", "status"),
    [(CodingErrorKind.UNKNOWN, 415), (CodingErrorKind.CORRUPT, 400), (CodingErrorKind.TOO_LARGE, 413)],
)
def test_codings_fail_by_kind(kind: CodingErrorKind, status: int) -> None:
    """B5: unknown, broken, too large."""
    refusal = coding_refusal(CodingError(kind, "because"))
    assert (refusal.http_status, refusal.public_message) == (status, "because")
