"""Header fields to metadata and back: what passes, what is renamed, what is dropped."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.metadata import MetadataRules, plain, request_metadata, response_headers, status_override

ALL = MetadataRules()
PREFIXED = MetadataRules(forward_all=False)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (b"accept-language", b"de", [(b"accept-language", b"de")]),
        (b"authorization", b"Bearer t", [(b"authorization", b"Bearer t")]),
        (b"grpc-metadata-x-colour", b"red", [(b"x-colour", b"red")]),
        (b"grpc-metadata-trace-bin", b"AAEC", [(b"trace-bin", b"AAEC")]),
        (b"grpc-metadata-trace-bin", b"AAE=", [(b"trace-bin", b"AAE")]),
        (b"grpc-metadata-trace-bin", b"!!", []),
        (b"grpc-metadata-grpc-status", b"0", []),
        (b"grpc-metadata-content-type", b"text/html", []),
        (b"grpc-timeout", b"1S", []),
        (b"connection", b"close", []),
        (b"te", b"trailers", []),
        (b"upgrade", b"h2c", []),
        (b"host", b"example.org", []),
        (b"x-forwarded-for", b"10.0.0.1", []),
        (b"x-forwarded-client-cert", b"URI=spiffe://a", []),
        (b"grpc-metadata-x-forwarded-client-cert", b"URI=spiffe://a", []),
        (b"l5d-client-id", b"a", []),
        (b"x-consul-token", b"a", []),
        (b"x-tenant", b"acme", []),
        (b"x-tenancy", b"kept", [(b"x-tenancy", b"kept")]),
        (b"x_tenant", b"acme", []),
        (b"x-name", b"\xc3\xa9", []),
        (b"x-name", b"a\x00b", []),
        (b"x-name", b"a\tb", []),
        (b"x-name", b"a\r\nx-tenant: b", []),
        (b"x name", b"a", []),
        (b"grpc-metadata-", b"a", []),
    ],
)
def test_a_request_header_passes_is_renamed_or_dropped(name: bytes, value: bytes, expected: list[object]) -> None:
    """H1, H2, H5, H6, X5: one header at a time under the default rules."""
    assert request_metadata([(name, value)], ALL) == expected


def test_headers_nominated_by_connection_are_dropped_but_never_ours() -> None:
    """H2: `Connection: x-user` ends x-user here; it cannot strip a Grpc-Metadata field."""
    headers = [(b"connection", b"X-User, grpc-metadata-a"), (b"x-user", b"1"), (b"grpc-metadata-a", b"2")]
    assert request_metadata(headers, ALL) == [(b"a", b"2")]


def test_prefixed_mode_lets_only_prefixed_headers_through() -> None:
    """H1: with forward: prefixed a plain header stays outside."""
    assert request_metadata([(b"accept", b"a"), (b"grpc-metadata-b", b"c")], PREFIXED) == [(b"b", b"c")]


def test_authorization_and_underscores_follow_their_rules() -> None:
    """H2, H6: both are explicit choices."""
    strict = MetadataRules(authorization=False)
    assert request_metadata([(b"authorization", b"x"), (b"grpc-metadata-authorization", b"y")], strict) == []
    assert request_metadata([(b"a_b", b"x")], MetadataRules(underscores=True)) == [(b"a_b", b"x")]


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_no_value_that_could_end_a_line_ever_passes(name: bytes, value: bytes) -> None:
    """H5: whatever a client sends, metadata is printable ASCII under a lower-case token."""
    for key, text in request_metadata([(name, value), (b"grpc-metadata-" + name, value)], ALL):
        assert key == key.lower()
        assert all(0x20 <= byte < 0x7F for byte in key + text)


@given(st.binary(max_size=40))
def test_binary_metadata_arrives_as_the_same_bytes(value: bytes) -> None:
    """H1: -bin values pass padded or not, and are sent without padding."""
    for text in (base64.b64encode(value), base64.b64encode(value).rstrip(b"=")):
        ((_, sent),) = request_metadata([(b"grpc-metadata-a-bin", text)], ALL)
        assert base64.b64decode(sent + b"=" * (-len(sent) % 4)) == value


def test_response_metadata_goes_out_under_its_prefix_or_its_standard_name() -> None:
    """H3: standard names as they are, the rest prefixed, reserved ones not at all."""
    headers = [
        (b"etag", b'"1"'),
        (b"x-cost", b"3"),
        (b"grpc-status", b"0"),
        (b"content-type", b"a"),
        (b"x-bad", b"\r\n"),
    ]
    assert response_headers(headers, [], with_trailers=False) == [(b"etag", b'"1"'), (b"grpc-metadata-x-cost", b"3")]


def test_trailers_go_out_only_to_a_client_that_takes_trailers() -> None:
    """H3: Grpc-Trailer-* needs TE: trailers."""
    trailers = [(b"x-sum", b"9")]
    assert response_headers([], trailers, with_trailers=False) == []
    assert response_headers([], trailers, with_trailers=True) == [(b"grpc-trailer-x-sum", b"9")]


@pytest.mark.parametrize(
    ("value", "expected"), [(b"201", 201), (b"404", 404), (b"100", None), (b"2000", None), (b"abc", None), (b"", None)]
)
def test_a_service_may_choose_a_final_status(value: bytes, expected: int | None) -> None:
    """H4: x-http-code counts when it is a final HTTP status."""
    assert status_override([(b"x-http-code", value)]) == expected


def test_plain_leaves_out_what_grpc_cannot_carry() -> None:
    """H5: our own metadata is held to the same rule as the client's."""
    assert plain([(b"a", "b"), (b"c", ""), (b"d", "é"), (b"e", "f\ng")]) == [(b"a", b"b")]
