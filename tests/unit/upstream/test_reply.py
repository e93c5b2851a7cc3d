"""What heads, trailers and resets mean as gRPC."""

from __future__ import annotations

import base64

import pytest

from edge.outcome import Fault, Refusal
from edge.upstream import reply
from edge.upstream.call import UnaryReply

HEAD = [(b":status", b"200"), (b"content-type", b"application/grpc")]


@pytest.mark.parametrize(
    "kind", [b"application/grpc", b"application/grpc+proto", b"application/grpc;charset=x", b"Application/gRPC"]
)
def test_grpc_heads_pass(kind: bytes) -> None:
    assert reply.head_refusal([(b":status", b"200"), (b"content-type", kind)]) is None


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (b"200", b"text/html", 2),
        (b"200", b"application/grpc-web", 2),
        (b"200", None, 2),
        (b"400", b"application/grpc", 13),
        (b"401", b"text/html", 16),
        (b"403", b"text/html", 7),
        (b"404", b"text/html", 12),
        (b"429", b"text/html", 14),
        (b"502", b"text/html", 14),
        (b"503", b"application/grpc", 14),
        (b"504", b"text/html", 14),
        (b"500", b"text/html", 2),
    ],
)
def test_what_is_not_grpc_is_mapped_by_its_http_status(status: bytes, kind: bytes | None, code: int) -> None:
    headers = [(b":status", status)] + ([(b"content-type", kind)] if kind else [])
    refusal = reply.head_refusal(headers)
    assert refusal is not None
    assert (refusal.fault, refusal.grpc_code) == (Fault.UPSTREAM_HTTP_ERROR, code)
    assert reply.trailers_only(headers) == refusal


def test_a_status_decides_even_beside_an_http_error() -> None:
    """http-grpc-status-mapping.md is for answers without a grpc-status only."""
    assert reply.trailers_only(
        [(b":status", b"503"), (b"grpc-status", b"5"), (b"grpc-message", b"gone%21")]
    ) == UnaryReply(5, None, text="gone!")


def test_success_brings_message_and_metadata() -> None:
    head = reply.read_head((*HEAD, (b"grpc-encoding", b"identity"), (b"x-a", b"1")))
    assert isinstance(head, reply.Head)
    got = reply.conclude(head.metadata, [(b"grpc-status", b"0"), (b"x-b", b"2")], b"m")
    assert got == UnaryReply(0, b"m", headers=((b"x-a", b"1"),), trailers=((b"x-b", b"2"),))


@pytest.mark.parametrize("pad", [b"", b"="])
def test_failure_brings_text_and_details_and_no_message(pad: bytes) -> None:
    raw = base64.b64encode(b"\x08\x05").rstrip(b"=") + pad
    trailers = [(b"grpc-status", b"5"), (b"grpc-message", b"caf%C3%A9"), (b"grpc-status-details-bin", raw)]
    assert reply.conclude((), trailers, b"ignored") == UnaryReply(5, None, text="café", details=b"\x08\x05")


def test_no_status_is_malformed() -> None:
    got = reply.conclude((), [(b"x", b"y")], b"m")
    assert isinstance(got, Refusal)
    assert got.fault is Fault.UPSTREAM_MALFORMED


@pytest.mark.parametrize(
    ("reset", "code"), [(0, 13), (2, 13), (3, 13), (7, 14), (8, 1), (0xB, 8), (0xC, 7), (0x5, 2), (999, 2)]
)
def test_resets_are_mapped_by_the_specification(reset: int, code: int) -> None:
    refusal = reply.reset_refusal(reset)
    assert (refusal.fault, refusal.grpc_code) == (Fault.UPSTREAM_RESET, code)


OK = [(b"grpc-status", b"0"), (b"grpc-message", b""), (b"x-last", b"2")]


def test_an_answer_is_read_as_its_parts_are() -> None:
    """Of what was read before and of what is new alike."""
    for number in (b"1", b"1", b"2"):
        head = [*HEAD, (b"grpc-encoding", b"gzip"), (b"x-first", number)]
        said = reply.read_answer(tuple(head), tuple(OK))
        assert said is not None
        assert said == ((reply.read_head(tuple(head)).metadata), reply.read_trailers(tuple(OK)))  # type: ignore[union-attr]  # it is good
        assert (said.metadata, said.ending.metadata) == (((b"x-first", number),), ((b"x-last", b"2"),))


@pytest.mark.parametrize(
    ("head", "trailers"), [([(b":status", b"503")], OK), ([*HEAD], []), ([(b":status", b"200")], [(b"x", b"1")])]
)
def test_an_answer_of_which_a_part_is_not_grpc_is_none(
    head: list[tuple[bytes, bytes]], trailers: list[tuple[bytes, bytes]]
) -> None:
    assert reply.read_answer(tuple(head), tuple(trailers)) is None


def test_metadata_is_what_nobody_has_reserved() -> None:
    """By name: pseudo-fields, grpc-*, and the two that describe the body."""
    reserved = [b":status", b":x", b"grpc-status", b"grpc-x", b"content-type", b"content-length"]
    custom = [b"content-typ", b"grpc", b"x-grpc-", b"x", b"date"]
    fields = [(name, b"v") for pair in zip(reserved, [*custom, b"z"], strict=True) for name in pair]
    assert [name for name, _ in reply.metadata(fields)] == [*custom, b"z"]
