"""
Which HTTP request headers become gRPC metadata, and which response metadata becomes HTTP headers.

Owns the trust boundary for header fields: hop-by-hop fields end here, names that claim an identity never pass, and no value
outside printable ASCII does (so no CR, LF or NUL). What may not pass is dropped, not refused: a stray header is no reason for a 400.
Source: RFC 9110 section 7.6.1; PROTOCOL-HTTP2.md (Custom-Metadata); transcoding.md H1-H6 and X5 by way of docs/adr/0005-metadata.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from edge.core.grpc_status import decode_binary, encode_binary, encode_message

Header = tuple[bytes, bytes]

PREFIX = b"grpc-metadata-"
"""A request header `Grpc-Metadata-X` names the metadata key `x` outright, whatever the forwarding mode (grpc-gateway's convention)."""

TRAILER_PREFIX = b"grpc-trailer-"

ResponseNames = Literal["standard", "prefixed", "bare"]
"""What response metadata is called in HTTP: PREFIX but for standard fields, PREFIX for all, or its own name."""

_PERMANENT_PREFIX = b"grpcgateway-"
_PERMANENT = frozenset(
    b"accept accept-charset accept-language accept-ranges authorization cache-control content-type cookie date expect from if-match "
    b"if-modified-since if-none-match if-schedule-tag-match if-unmodified-since max-forwards origin pragma referer user-agent via "
    b"warning".split()
)
"""What grpc-gateway holds for permanent fields (v2, runtime/context.go); Host, which is on its list too, never gets there."""

_ALWAYS = frozenset((b"last-event-id",))
"""What a browser says of its own accord and cannot say otherwise: where server-sent events are to go on."""

# Fields about this connection or this message's HTTP form: they end at the gateway (RFC 9110 7.6.1), or it writes its own.
_OURS = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade http2-settings "
    b"sec-websocket-key sec-websocket-version sec-websocket-protocol sec-websocket-extensions "
    b"host content-length content-type content-encoding accept-encoding expect user-agent x-grpc-web "
    b"connect-protocol-version connect-timeout-ms connect-content-encoding connect-accept-encoding "
    b"x-forwarded-for x-forwarded-proto x-forwarded-host x-forwarded-port x-forwarded-user-agent forwarded x-real-ip x-request-id".split()
)

# Names by which a mesh or a gateway states who is calling: only we may say that (X5; Envoy CVE-2024-45806, CVE-2026-47778).
_IDENTITY = re.compile(
    rb"(x-forwarded-client-cert|x-ssl-.*|ssl-client-.*|l5d-.*|x-consul-.*|x-envoy-.*|x-istio-.*|x-tenant(-.*)?|x-edge-.*|edge-.*|grpc-.*|:.*)\Z"
)
_KEY = re.compile(rb"[0-9a-z_.-]+\Z")
_VALUE = re.compile(rb"[\x20-\x7e]*\Z")

# Response metadata with a meaning of its own in HTTP: it goes out under its own name, all else as Grpc-Metadata-*.
_STANDARD_RESPONSE = frozenset(
    b"etag last-modified cache-control expires age location content-disposition content-language content-location link vary "
    b"retry-after www-authenticate set-cookie deprecation sunset".split()
)
_RESERVED_RESPONSE = re.compile(
    rb"(grpc-.*|:.*|content-type|content-length|content-encoding|transfer-encoding|connection|te|trailer|x-http-code|"
    rb"l5d-.*|x-envoy-.*|x-consul-.*)\Z"
)
# The last three are what a mesh's proxies tell their own application: addresses, routes and timings of the inside.
_SIDECAR_RESPONSE = (b"l5d-", b"x-envoy-", b"x-consul-")


@dataclass(frozen=True, slots=True)
class MetadataRules:
    """
    One API's choices. `forward_all` false lets only Grpc-Metadata-* through; `authorization` whether Authorization passes;
    `underscores` whether names with `_` do (servers that fold `_` and `-` can be fooled with them).

    `permanent`, where not all are forwarded, lets the permanent HTTP fields through as grpcgateway-*, and Authorization as it is.
    `response` names the fields of answers. `grpc_status` puts a unary call's status into the head, as Envoy does.
    """

    forward_all: bool = True
    authorization: bool = True
    underscores: bool = False
    permanent: bool = False
    response: ResponseNames = "standard"
    grpc_status: bool = False
    _keys: dict[bytes, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)


_MAX_KEYS = 1024
"""Names whose verdict is remembered, per API: a client that fills this makes further names be judged each time."""

_MAX_KEY_BYTES = 128
"""Of a name that is remembered: what a client can make us hold is small."""

_DROPPED, _LOOK = b"", b":"
"""Verdicts on a name beside the key it becomes: it never passes; the value must be looked at."""

_NOMINATES_NOTHING = frozenset((b"keep-alive", b"close"))


def request_metadata(headers: Sequence[Header], rules: MetadataRules) -> list[Header]:
    """The metadata a request's headers become, in order. Names must be lower case already, values without white space around them."""
    if rules.permanent:
        return _looked_at(headers, rules)
    metadata: list[Header] = []
    keys = rules._keys  # a memory of these rules' verdicts
    for name, value in headers:
        key = keys.get(name)
        if key is None:
            key = _learn(name, rules)
        if key == _LOOK:
            if name == b"connection" and value.lower() in _NOMINATES_NOTHING:
                continue
            return _looked_at(headers, rules)
        if key:
            metadata.append((key, value))
    # One look at all values: each for itself would cost as much as all the rest here.
    if not metadata or _VALUE.match(b"".join([value for _, value in metadata])):
        return metadata
    return [entry for entry in metadata if _VALUE.match(entry[1])]


def _learn(name: bytes, rules: MetadataRules) -> bytes:
    """The verdict on a name."""
    verdict = _verdict(name, rules)
    keys = rules._keys  # as above
    if len(keys) < _MAX_KEYS and len(name) <= _MAX_KEY_BYTES:
        keys[name] = verdict
    return verdict


def _verdict(name: bytes, rules: MetadataRules) -> bytes:
    if name == b"connection":
        return _LOOK
    prefixed = name.startswith(PREFIX)
    if name in _OURS or not (prefixed or rules.forward_all or name in _ALWAYS):
        return _DROPPED
    key = name[len(PREFIX) :] if prefixed else name
    if not _may_pass(key, rules):
        return _DROPPED
    return _LOOK if key.endswith(b"-bin") else key


def _looked_at(headers: Sequence[Header], rules: MetadataRules) -> list[Header]:
    """What `request_metadata` gives where it depends on more than the names."""
    nominated = _nominated(headers)
    metadata: list[Header] = _permanent(headers, nominated, rules) if rules.permanent else []
    for name, value in headers:
        if name in _OURS or name in nominated:
            continue
        prefixed = name.startswith(PREFIX)
        if not (prefixed or rules.forward_all or name in _ALWAYS):
            continue
        key = name[len(PREFIX) :] if prefixed else name
        # HTTP may join the values of a field by commas (RFC 9110 5.2), of which base64 has none; services do not take them apart.
        values = value.split(b",") if key.endswith(b"-bin") and b"," in value else (value,)
        for each in values:
            entry = _entry(key, each.strip(b" \t"), rules)
            if entry is not None:
                metadata.append(entry)
    return metadata


def _permanent(headers: Sequence[Header], nominated: frozenset[bytes], rules: MetadataRules) -> list[Header]:
    """The permanent fields as grpc-gateway passes them on: renamed, and Authorization under its own name too."""
    metadata: list[Header] = []
    for name, value in headers:
        if name not in _PERMANENT or name in nominated or not _VALUE.match(value):
            continue
        if name == b"authorization":
            if not rules.authorization:
                continue
            metadata.append((name, value))
        metadata.append((_PERMANENT_PREFIX + name, value))
    return metadata


def _nominated(headers: Sequence[Header]) -> frozenset[bytes]:
    """Names that Connection declares hop-by-hop. Grpc-Metadata-* cannot be nominated away: it is ours to read."""
    names: set[bytes] = set()
    for name, value in headers:
        if name == b"connection":
            names.update(token.strip().lower() for token in value.split(b","))
    return frozenset(token for token in names if not token.startswith(PREFIX))


def _may_pass(key: bytes, rules: MetadataRules) -> bool:
    """Whether metadata of this name may come from a client."""
    if key in _OURS or _IDENTITY.match(key) or not _KEY.match(key):
        return False
    if b"_" in key and not rules.underscores:
        return False
    return key != b"authorization" or rules.authorization


def _entry(key: bytes, value: bytes, rules: MetadataRules) -> Header | None:
    if not _may_pass(key, rules) or not _VALUE.match(value):
        return None
    if key.endswith(b"-bin"):
        binary = decode_binary(value)
        return None if binary is None else (key, encode_binary(binary))
    return key, value


def plain(entries: Iterable[tuple[bytes, str]]) -> list[Header]:
    """Metadata of our own making from values that came from outside: empty ones and those that gRPC cannot carry are left out."""
    encoded = ((key, value.encode("latin-1", "replace")) for key, value in entries)
    return [(key, value) for key, value in encoded if value and _VALUE.match(value)]


@lru_cache(maxsize=64)  # services say the same ones over and over; one that does not makes others be judged again
def told(
    headers: tuple[Header, ...], trailers: tuple[Header, ...], names: ResponseNames, with_trailers: bool
) -> tuple[tuple[Header, ...], int | None]:
    """What response metadata comes to in HTTP: `response_headers` and `status_override`."""
    fields = response_headers(headers, trailers, with_trailers=with_trailers, names=names)
    return tuple(fields), status_override(headers)


def response_headers(
    headers: Iterable[Header], trailers: Iterable[Header], *, with_trailers: bool, names: ResponseNames = "standard"
) -> list[Header]:
    """
    The HTTP headers that response metadata becomes.

    Standard names (ETag, Location, …) pass as they are, from headers or trailers; the rest of the headers as Grpc-Metadata-*, the rest
    of the trailers as Grpc-Trailer-* when the client said `TE: trailers`; `names` may say otherwise of the headers. Reserved names
    and values that HTTP cannot carry are dropped.
    """
    out: list[Header] = []
    if names == "bare":
        out, headers = [field for field in rpc_metadata(headers) if not _RESERVED_RESPONSE.match(field[0])], ()
    standard = frozenset() if names == "prefixed" else _STANDARD_RESPONSE
    for source, prefix, wanted in ((headers, PREFIX, True), (trailers, TRAILER_PREFIX, with_trailers)):
        for name, value in source:
            if _RESERVED_RESPONSE.match(name) or not _KEY.match(name) or not _VALUE.match(value):
                continue
            if name in standard:
                out.append((name, value))
            elif wanted:
                out.append((prefix + name, value))
    return out


# What the RPC dialects and the HTTP under them say themselves, in fields that service metadata must not touch.
_RESERVED_RPC = frozenset(
    b"content-type content-length content-encoding accept-encoding transfer-encoding connection proxy-connection keep-alive upgrade "
    b"te trailer date x-request-id".split()
)


def rpc_metadata(headers: Iterable[Header]) -> list[Header]:
    """
    Response metadata in the dialects where it goes out under its own names (gRPC, gRPC-Web, Connect).

    Reserved names and values that HTTP cannot carry are dropped.
    """
    return [
        (name, value)
        for name, value in headers
        if name not in _RESERVED_RPC
        and not name.startswith((b"grpc-", b"connect-", b":", *_SIDECAR_RESPONSE))
        and _KEY.match(name)
        and _VALUE.match(value)
    ]


@lru_cache(maxsize=64)  # as `told`
def rpc_told(headers: tuple[Header, ...]) -> tuple[Header, ...]:
    """`rpc_metadata`, remembered."""
    return tuple(rpc_metadata(headers))


def status_override(headers: Iterable[Header]) -> int | None:
    """The HTTP status a service asks for by the response metadata `x-http-code`; only final statuses count."""
    for name, value in headers:
        if name == b"x-http-code" and len(value) == 3 and value.isdigit() and value[0] in b"2345":
            return int(value)
    return None


def status_fields(code: int, message: str) -> list[Header]:
    """A gRPC status as header fields, as it stands in gRPC's trailers."""
    return [(b"grpc-status", b"%d" % code), (b"grpc-message", encode_message(message))]
