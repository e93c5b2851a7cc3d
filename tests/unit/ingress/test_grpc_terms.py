"""What a gRPC or gRPC-Web call is carried in."""

from __future__ import annotations

import pytest

from edge.core.grpc_web import trailer_frame
from edge.ingress.grpc_terms import GRPC, GRPC_WEB, GRPC_WEB_TEXT, Terms, Wire, terms_of
from edge.outcome import Fault, Refusal
from tests.unit.ingress.rpc_scenes import RpcScene, frames, head
from tests.unit.keeping import FEW, LONG, kept_bytes

WIRES = (GRPC, GRPC_WEB, GRPC_WEB_TEXT)
TARGET = RpcScene().serving.routes.targets["/pkg.Svc/Unary"]


@pytest.mark.parametrize(
    ("content_type", "wire", "form"),
    [
        ("application/grpc", GRPC, "proto"),
        ("Application/gRPC+Proto; x=y", GRPC, "proto"),
        ("application/grpc+json", GRPC, "json"),
        ("application/grpc-web", GRPC_WEB, "proto"),
        ("application/grpc-web-text+proto", GRPC_WEB_TEXT, "proto"),
    ],
)
def test_the_content_type_names_wire_and_form(content_type: str, wire: Wire, form: str) -> None:
    """In any case, with any parameters; the answer has the same one."""
    terms = terms_of(head(content_type=content_type, grpc_encoding="gzip"), WIRES, TARGET, compress=True)
    assert isinstance(terms, Terms)
    assert (terms.wire, terms.form.name, terms.coding) == (wire, form, "gzip")
    assert terms.media_type.decode() == content_type.partition(";")[0].lower()


@pytest.mark.parametrize(
    ("accepted", "compress", "gzip"),
    [
        ("identity, deflate, gzip", True, True),
        ("gzip", True, True),
        ("identity,deflate", True, False),
        ("xgzip", True, False),
        ("", True, False),
        ("gzip", False, False),
    ],
)
def test_answers_are_compressed_where_client_and_api_will(accepted: str, compress: bool, gzip: bool) -> None:
    """Both have their say."""
    terms = terms_of(
        head(content_type="application/grpc", grpc_accept_encoding=accepted), WIRES, TARGET, compress=compress
    )
    assert isinstance(terms, Terms)
    assert terms.gzip is gzip


def test_what_is_not_understood_is_refused() -> None:
    """By kind."""
    for content_type in ("application/grpc+xml", "application/grpc-foo", "text/plain", ""):
        refusal = terms_of(head(content_type=content_type), WIRES, TARGET, compress=True)
        assert isinstance(refusal, Refusal)
        assert refusal.fault is Fault.MEDIA_TYPE_UNSUPPORTED
    refusal = terms_of(head(content_type="application/grpc", grpc_encoding="lzma"), WIRES, TARGET, compress=True)
    assert isinstance(refusal, Refusal)
    assert refusal.fault is Fault.MESSAGE_CODING_UNSUPPORTED


def test_trailers_go_where_the_wire_has_them() -> None:
    """Behind the body, or at its end."""
    trailers = [(b"grpc-status", b"0")]
    assert GRPC.ending(trailers) == (b"", trailers)
    assert GRPC_WEB.ending(trailers) == (trailer_frame(trailers), ())
    rest, behind = GRPC_WEB_TEXT.ending(trailers)
    decoder = GRPC_WEB_TEXT.text()
    assert decoder is not None
    assert (decoder.feed(rest), behind) == (trailer_frame(trailers), ())


@pytest.mark.parametrize("size", [0, 1, 2, 3, 1000])
def test_a_body_is_as_long_as_its_wire_makes_it(size: int) -> None:
    """The bound holds the largest message, and not much more."""
    message = bytes(size)
    assert GRPC.body_bytes(size) == GRPC_WEB.body_bytes(size) == len(frames(message))
    carried = GRPC_WEB_TEXT.carried(frames(message))
    assert len(carried) <= GRPC_WEB_TEXT.body_bytes(size) <= len(carried) + 16


def test_long_content_types_are_not_remembered() -> None:
    """They are understood all the same."""

    def say(number: int) -> None:
        text = f"application/grpc;x={number}" + "a" * LONG
        assert isinstance(terms_of(head(content_type=text), WIRES, TARGET, compress=True), Terms)

    assert kept_bytes(say) < FEW
