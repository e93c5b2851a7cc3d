"""Failures carry a code, a message and google.rpc details."""

from __future__ import annotations

from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2, status_pb2

from edge.core.grpc_status import Code
from edge.demo import failure


def details_of(raised: failure.Failure) -> list[str]:
    status = status_pb2.Status.FromString(raised.status())
    assert status.code == raised.code
    assert status.message == raised.message
    return [detail.TypeName() for detail in status.details]


def test_not_found_names_the_resource() -> None:
    raised = failure.not_found("Book", "shelves/1/books/9")
    assert raised.code == Code.NOT_FOUND
    assert details_of(raised) == ["google.rpc.ErrorInfo", "google.rpc.ResourceInfo"]
    assert raised.details[0].reason == "BOOK_NOT_FOUND"
    assert raised.details[0].domain == "bookstore.example.com"


def test_invalid_lists_every_field() -> None:
    raised = failure.invalid(("a", "is wrong"), ("b.c", "too"))
    assert raised.code == Code.INVALID_ARGUMENT
    assert [violation.field for violation in raised.details[0].field_violations] == ["a", "b.c"]
    assert details_of(raised)[0] == "google.rpc.BadRequest"


def test_the_other_failures_have_their_codes_and_details() -> None:
    assert failure.already_exists("Shelf", "shelves/1").code == Code.ALREADY_EXISTS
    assert failure.stale("shelves/1").code == Code.ABORTED
    assert failure.full("Book", 3).code == Code.RESOURCE_EXHAUSTED
    more = error_details_pb2.Help()
    raised = failure.precondition("CLOSED", "shop", "the shop is closed", more)
    assert details_of(raised) == ["google.rpc.PreconditionFailure", "google.rpc.ErrorInfo", "google.rpc.Help"]


def test_a_ready_made_any_is_passed_on_as_it_is() -> None:
    unknown = AnyMessage(type_url="type.googleapis.com/elsewhere.v1.Mystery", value=b"\xff")
    status = status_pb2.Status.FromString(failure.Failure(2, "?", [unknown]).status())
    assert status.details[0].type_url == unknown.type_url
    assert status.details[0].value == b"\xff"
