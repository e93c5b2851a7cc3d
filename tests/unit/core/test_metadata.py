"""Header fields to metadata and back: what passes, what is renamed, what is dropped."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.metadata import (
    MetadataRules,
    plain,
    request_metadata,
    response_headers,
    rpc_metadata,
    rpc_told,
    status_fields,
    status_override,
    told,
)
from tests.unit.keeping import FEW, LONG, kept_bytes

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
        (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ==", []),
        (b"sec-websocket-protocol", b"edge.json", []),
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


def test_joined_binary_values_are_several() -> None:
    """Browsers' fetch joins what was given apart; text values stay as they are, for commas may be part of them."""
    fields = [(b"x-bin", b"AQ==, Ag,,!"), (b"x", b"a, b")]
    assert request_metadata(fields, ALL) == [(b"x-bin", b"AQ"), (b"x-bin", b"Ag"), (b"x-bin", b""), (b"x", b"a, b")]


def test_in_the_rpc_dialects_metadata_keeps_its_names() -> None:
    """But for what the dialect or HTTP says itself, and for values that would break out of their line."""
    kept = [(b"x-a", b"1"), (b"x-a", b"2"), (b"x-b-bin", b"AQ"), (b"etag", b'"t"'), (b"empty", b"")]
    reserved = b"grpc-status grpc-foo connect-timeout-ms content-type content-length date trailer x-request-id connection".split()
    dropped = [*((name, b"1") for name in reserved), (b"x-c", b"a\r\nb"), (b"x d", b"1"), (b":status", b"200")]
    assert rpc_metadata([*dropped, *kept, *dropped]) == kept


@pytest.mark.parametrize(
    "name", [b"x-grpc-web", b"connect-protocol-version", b"connect-timeout-ms", b"connect-accept-encoding"]
)
def test_what_a_dialect_says_of_itself_is_no_metadata(name: bytes) -> None:
    """The service sees the same call whatever the dialect."""
    assert request_metadata([(name, b"1")], ALL) == []


def test_plain_leaves_out_what_grpc_cannot_carry() -> None:
    """H5: our own metadata is held to the same rule as the client's."""
    assert plain([(b"a", "b"), (b"c", ""), (b"d", "é"), (b"e", "f\ng")]) == [(b"a", b"b")]


def test_where_events_go_on_always_passes() -> None:
    """A browser cannot say it under another name (S7)."""
    headers = [(b"last-event-id", b"7"), (b"x-a", b"1")]
    assert request_metadata(headers, PREFIXED) == [(b"last-event-id", b"7")]


PERMANENT = MetadataRules(forward_all=False, permanent=True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"cookie", [(b"grpcgateway-cookie", b"v")]),
        (b"user-agent", [(b"grpcgateway-user-agent", b"v")]),
        (b"content-type", [(b"grpcgateway-content-type", b"v")]),
        (b"authorization", [(b"authorization", b"v"), (b"grpcgateway-authorization", b"v")]),
        (b"grpc-metadata-x", [(b"x", b"v")]),
        (b"x-other", []),
        (b"host", []),
        (b"x-tenant", []),
    ],
)
def test_permanent_fields_pass_as_grpc_gateway_names_them(name: bytes, expected: list[object]) -> None:
    """H1: grpc-gateway's own rule; nothing else passes but Grpc-Metadata-*."""
    assert request_metadata([(name, b"v")], PERMANENT) == expected


def test_permanent_fields_are_held_to_the_other_rules() -> None:
    """Values gRPC cannot carry, fields nominated away, Authorization where it is kept out: under no name."""
    assert request_metadata([(b"cookie", b"a\x00")], PERMANENT) == []
    assert request_metadata([(b"connection", b"cookie"), (b"cookie", b"a")], PERMANENT) == []
    closed = MetadataRules(forward_all=False, permanent=True, authorization=False)
    assert request_metadata([(b"authorization", b"x")], closed) == []


def test_response_names() -> None:
    """H3: standard fields under their own names, or everything prefixed, or nothing."""
    headers = [(b"etag", b"1"), (b"x-cost", b"3"), (b"content-type", b"a"), (b"grpc-x", b"a"), (b"x-http-code", b"201")]
    assert response_headers(headers, [], with_trailers=False, names="prefixed") == [
        (b"grpc-metadata-etag", b"1"),
        (b"grpc-metadata-x-cost", b"3"),
    ]
    assert response_headers(headers, [], with_trailers=False, names="bare") == [(b"etag", b"1"), (b"x-cost", b"3")]


@pytest.mark.parametrize(
    "name", [b"date", b"x-request-id", b"connection", b"keep-alive", b"transfer-encoding", b"te", b":a"]
)
def test_bare_names_never_touch_what_http_says_itself(name: bytes) -> None:
    """H2, H5."""
    assert response_headers([(name, b"a"), (b"x", b"a\r\nb: c")], [], with_trailers=False, names="bare") == []


def test_bare_names_are_of_headers() -> None:
    """Trailers keep the prefix that tells them apart."""
    assert response_headers([], [(b"x-sum", b"9")], with_trailers=True, names="bare") == [(b"grpc-trailer-x-sum", b"9")]


def test_a_status_as_header_fields() -> None:
    """As in gRPC's trailers: the message percent-encoded, so that it cannot end a line."""
    assert status_fields(5, "n\u00e9\r\n") == [(b"grpc-status", b"5"), (b"grpc-message", b"n%C3%A9%0D%0A")]


def test_a_verdict_on_a_name_is_the_same_the_second_time_and_never_one_on_its_value() -> None:
    """Names are remembered, per API; values are looked at each time, all of them and not the first alone."""
    rules = MetadataRules()
    for _ in range(2):
        given_headers = [
            (b"x-a", b"1"),
            (b"x-b", b"\xff"),
            (b"x-tenant", b"acme"),
            (b"x-c", b"3"),
            (b"x-d-bin", b"AAE="),
        ]
        assert request_metadata(given_headers, rules) == [(b"x-a", b"1"), (b"x-c", b"3"), (b"x-d-bin", b"AAE")]
        assert request_metadata([(b"x-a", b"1"), (b"x-b", b"\xff")], rules) == [(b"x-a", b"1")]
        assert request_metadata([(b"connection", b"x-a, close"), (b"x-a", b"1"), (b"x-c", b"3")], rules) == [
            (b"x-c", b"3")
        ]
        assert request_metadata([(b"connection", b"keep-alive"), (b"x-a", b"1")], rules) == [(b"x-a", b"1")]
    assert request_metadata([(b"authorization", b"t")], MetadataRules(authorization=False)) == []
    assert request_metadata([(b"authorization", b"t")], rules) == [(b"authorization", b"t")]


def test_names_without_end_are_not_remembered_without_end() -> None:
    """A client chooses them."""
    rules = MetadataRules()
    for number in range(2000):
        assert request_metadata([(b"x-%d" % number, b"1")], rules) == [(b"x-%d" % number, b"1")]
    assert len(rules._keys) == 1024


def test_response_metadata_is_told_as_it_is_translated() -> None:
    """`told` and `rpc_told` are the plain functions, remembered."""
    headers, trailers = ((b"x-http-code", b"201"), (b"etag", b"1"), (b"x-a", b"b")), ((b"x-t", b"9"),)
    for with_trailers in (True, False, True):
        fields, status = told(headers, trailers, "standard", with_trailers=with_trailers)
        assert list(fields) == response_headers(headers, trailers, with_trailers=with_trailers)
        assert status == 201
    assert list(rpc_told(headers)) == rpc_metadata(headers)


def test_long_names_are_not_remembered() -> None:
    """They are judged each time, so that a client that says another one each time makes us hold next to nothing."""
    rules = MetadataRules()

    def say(number: int) -> None:
        name = b"x%d" % abs(number) + b"a" * LONG
        assert request_metadata([(name, b"1")], rules) == [(name, b"1")]

    assert kept_bytes(say) < FEW
