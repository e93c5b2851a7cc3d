"""An API's codec: compiled bindings, shared plans, details of errors."""

from __future__ import annotations

import json

import pytest
from google.protobuf import any_pb2, timestamp_pb2
from google.rpc import error_details_pb2, status_pb2

from edge.wire.codec import CompileError, JsonOptions
from edge.wire.portable import PORTABLE, PortableEngine
from tests.unit.wire.portable.compiling import api, api_of, descriptor_set, method


def test_the_engine_has_a_name() -> None:
    assert (PORTABLE.name, PortableEngine.name) == ("portable", "portable")


@pytest.mark.parametrize(("request_", "response"), [("t.Nope", "t.All"), ("t.All", "t.Nope"), ("t.BookView", "t.All")])
def test_unknown_types_are_refused_at_load(request_: str, response: str) -> None:
    """C5: an unknown type is a precise load error."""
    with pytest.raises(CompileError):
        method(request_, response)


def test_a_failed_compilation_leaves_nothing_half_made() -> None:
    codec = api_of(descriptor_set())
    for _ in range(2):
        with pytest.raises(CompileError, match="groups"):
            codec.method(
                input_type="t2.AroundGroup",
                output_type="t.All",
                path_fields=(),
                body="",
                response_body="",
                http_method="GET",
                options=JsonOptions(),
            )


def test_details_by_type() -> None:
    """E2: each detail with its @type, also when the API does not import error_details.proto."""
    status = status_pb2.Status(code=5, message="m")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason="R", domain="d", metadata={"b": "1", "a": "2"}))
    status.details.add().Pack(timestamp_pb2.Timestamp(seconds=1))
    details = [json.loads(text) for text in api().status_details(status.SerializeToString())]
    assert details == [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "R",
            "domain": "d",
            "metadata": {"a": "2", "b": "1"},
        },
        {"@type": "type.googleapis.com/google.protobuf.Timestamp", "value": "1970-01-01T00:00:01Z"},
    ]


def test_details_that_cannot_be_decoded_are_kept() -> None:
    """E2: {"@type", "value": base64}; bytes that are no Status give nothing."""
    status = status_pb2.Status(
        details=[any_pb2.Any(type_url="x/nope", value=b"\x01"), any_pb2.Any(type_url="x/t.Inner", value=b"\xff")]
    )
    details = [json.loads(text) for text in api().status_details(status.SerializeToString())]
    assert details == [{"@type": "x/nope", "value": "AQ=="}, {"@type": "x/t.Inner", "value": "/w=="}]
    assert api().status_details(b"\xff") == []
