"""
List H (headers and metadata) and X1, X3-X5 of transcoding.md through a whole gateway, as far as HTTP/1.1 goes.

Header fields go over a raw socket where an HTTP client would refuse to send them.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.gateway import bookstore_config, running_bookstore
from tests.matrix.rest_site import LAB, Site, compiled, recorded, serving
from tests.upstreams.plain import Plain, Scripted
from tests.upstreams.recorder import Reply


def arrived(site: Site, *fields: str, target: str = LAB) -> dict[str, list[str | bytes]]:
    """The metadata the service got for a GET with these header fields."""
    site.fresh()
    status, answer = site.raw_get(target, *fields)
    assert status == 200, answer
    (call,) = site.recorder.calls
    return {key: call.values(key) for key, _ in call.metadata}


def test_h1_end_to_end_headers_pass_under_their_names(lab: Site) -> None:
    """H1: lower-case, in order, several of one name stay apart."""
    metadata = arrived(lab, "X-Thing: a", "X-THING: b", "Accept-Language: de", "Traceparent: 00-1-2-01")
    assert metadata["x-thing"] == ["a", "b"]
    assert metadata["accept-language"] == ["de"]
    assert metadata["traceparent"] == ["00-1-2-01"]


def test_h1_the_grpc_metadata_prefix(lab: Site) -> None:
    """H1: `Grpc-Metadata-X` becomes `x`."""
    assert arrived(lab, "Grpc-Metadata-Colour: red")["colour"] == ["red"]


def test_h1_binary_metadata(lab: Site) -> None:
    """H1: `-Bin` values are base64, padded or not; what is not is dropped."""
    metadata = arrived(lab, "Grpc-Metadata-A-Bin: /w8=", "B-Bin: /w8", "C-Bin: ***")
    assert metadata["a-bin"] == [b"\xff\x0f"]
    assert metadata["b-bin"] == [b"\xff\x0f"]
    assert "c-bin" not in metadata


@pytest.mark.parametrize(
    "field",
    ["X-Bad: caf\xe9", "X-Bad: a\tb", "Grpc-Metadata-B\u00e4d: x", "Grpc-Metadata-: x", "Grpc-Metadata-:path: /x"],
)
def test_h1_what_grpc_cannot_carry_is_dropped_not_500(lab: Site, field: str) -> None:
    """H1: values outside printable ASCII and keys that are none; the call itself goes on, or HTTP itself refuses the line."""
    answer = lab.raw(f"GET {LAB} HTTP/1.1\r\nHost: e\r\nConnection: close\r\n{field}\r\n\r\n".encode("latin-1"))
    assert answer.split(b" ", 2)[1] in (b"200", b"400")
    for call in lab.recorder.calls:
        assert not {"x-bad", "path", ":path", ""} & {key for key, _ in call.metadata if key != ":path"}


def test_h1_only_prefixed_by_choice(tmp_path: Path) -> None:
    """H1: `metadata.forward: prefixed` lets nothing else of the client's through."""
    with recorded(tmp_path, api={"metadata": {"forward": "prefixed"}}) as site:
        metadata = arrived(site, "X-Thing: a", "Grpc-Metadata-B: b", "Authorization: Bearer t")
        assert metadata["b"] == ["b"]
        assert "x-thing" not in metadata
        assert "x-request-id" in metadata


def test_h2_hop_by_hop_fields_end_here(lab: Site) -> None:
    """H2: the fixed ones and those that Connection names."""
    metadata = arrived(
        lab, "Keep-Alive: 5", "Proxy-Authorization: Basic x", "Upgrade: h2c", "TE: trailers", "Trailer: X-T",
     "Proxy-Connection: close",
        "Connection: X-Secret", "X-Secret: 1", "Expect: 100-continue",
    )  # fmt: skip
    gone = {
        "keep-alive",
        "proxy-authorization",
        "upgrade",
        "trailer",
        "proxy-connection",
        "connection",
        "x-secret",
        "expect",
        "host",
        "content-length",
    }
    assert not gone & set(metadata)


def test_h2_forwarded_fields_are_ours(lab: Site) -> None:
    """H2: from an untrusted peer X-Forwarded-* is replaced by what we see."""
    metadata = arrived(
        lab,
        "X-Forwarded-For: 1.2.3.4",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: evil",
        "Forwarded: for=1.2.3.4",
        "X-Real-IP: 1.2.3.4",
        "X-Forwarded-User-Agent: evil",
        "User-Agent: honest",
    )
    assert metadata["x-forwarded-for"] == ["127.0.0.1"]
    assert metadata["x-forwarded-proto"] == ["http"]
    assert metadata["x-forwarded-host"] == ["edge"]
    assert metadata["x-forwarded-user-agent"] == ["honest"]
    assert not {"forwarded", "x-real-ip"} & set(metadata)


def test_h2_forwarded_fields_of_a_trusted_proxy(tmp_path: Path) -> None:
    """H2: appended to when the peer is in `trusted_proxies`; the client in the access log is the one it names."""
    with recorded(tmp_path, trusted_proxies=["127.0.0.0/8"]) as site:
        metadata = arrived(
            site, "X-Forwarded-For: 9.9.9.9, 1.2.3.4", "X-Forwarded-Proto: https", "X-Forwarded-Host: shop.example"
        )
        assert metadata["x-forwarded-for"] == ["9.9.9.9, 1.2.3.4, 127.0.0.1"]
        assert metadata["x-forwarded-proto"] == ["https"]
        assert metadata["x-forwarded-host"] == ["shop.example"]
        log = site.gateway.access_log
    assert json.loads(log.read_text().splitlines()[-1])["peer"] == "1.2.3.4"


def test_h2_authorization_by_choice(lab: Site, tmp_path: Path) -> None:
    """H2: passed by default, held back by `metadata.authorization: false`, whatever prefix it comes with."""
    assert arrived(lab, "Authorization: Bearer t")["authorization"] == ["Bearer t"]
    with recorded(tmp_path, api={"metadata": {"authorization": False}}) as site:
        assert "authorization" not in arrived(site, "Authorization: Bearer t", "Grpc-Metadata-Authorization: Bearer t")


def test_h3_response_metadata(lab: Site) -> None:
    """H3: standard names as they are, others as Grpc-Metadata-*; trailers only when asked for; binary values as base64."""
    headers = (
        ("x-cost", "3"),
        ("location", "/v1/x"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("blob-bin", b"\xff"),
    )
    lab.recorder.default = Reply(headers=headers, trailers=(("x-late", "4"), ("retry-after", "9")))
    answer = lab.get(LAB)
    assert (answer.headers["grpc-metadata-x-cost"], answer.headers["location"]) == ("3", "/v1/x")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert base64.b64decode(answer.headers["grpc-metadata-blob-bin"] + "==") == b"\xff"
    assert answer.headers["retry-after"] == "9"
    assert "grpc-trailer-x-late" not in answer.headers
    assert lab.get(LAB, te="trailers").headers["grpc-trailer-x-late"] == "4"


def test_h3_metadata_of_an_error(lab: Site) -> None:
    """H3: an error's metadata arrives too."""
    lab.recorder.default = Reply(code=7, text="no", headers=(("x-why", "because"),), trailers=(("x-late", "4"),))
    answer = lab.get(LAB, te="trailers")
    assert (answer.status_code, answer.headers["grpc-metadata-x-why"], answer.headers["grpc-trailer-x-late"]) == (
        403,
        "because",
        "4",
    )


@pytest.mark.parametrize(
    ("code", "status"),
    [("201", 201), ("404", 404), ("302", 302), ("100", 200), ("99", 200), ("abc", 200), ("2000", 200)],
)
def test_h4_the_service_may_choose_the_status(lab: Site, code: str, status: int) -> None:
    """H4: `x-http-code`, final statuses only, and it is not shown."""
    lab.recorder.default = Reply(headers=(("x-http-code", code),))
    answer = lab.get(LAB)
    assert answer.status_code == status
    assert not [name for name in answer.headers if "http-code" in name]


def test_h4_a_status_without_a_body_has_none(lab: Site) -> None:
    """H4: 204 and 304 by x-http-code leave the connection in step."""
    lab.recorder.default = Reply(headers=(("x-http-code", "204"),))
    for _ in range(3):
        answer = lab.get(LAB)
        assert (answer.status_code, answer.content) == (204, b"")
        assert "content-length" not in answer.headers


async def test_h5_no_response_header_can_be_injected(tmp_path: Path) -> None:
    """H5: metadata with control characters, or in the name of framing, does not reach the client."""
    headers = (
        ("content-type", "application/grpc"),
        ("x-tab", "a\tb"),
        ("transfer-encoding-x", "ok"),
        ("content-encoding", "gzip"),
        ("x-http-code", "2 0"),
        ("grpc-status", "5"),
        ("grpc-message", "a%0D%0AX-Evil:%201"),
    )
    async with (
        Plain(Scripted(headers=headers)) as upstream,
        running_bookstore(tmp_path, upstream.port, api=compiled(tmp_path)) as gateway,
        gateway.client() as client,
    ):
        answer = await client.get(LAB)
    assert answer.status_code == 404
    assert answer.json()["message"] == "a\r\nX-Evil: 1"
    assert not {"x-evil", "content-encoding", "grpc-metadata-content-encoding", "grpc-metadata-x-tab"} & set(
        answer.headers
    )


@pytest.mark.parametrize(
    "line", [b"X-A: b\rX-Evil: 1", b"X-A: b\nX-Evil: 1", b"X-A: b\0c", b"X A: b", b"X-A : b", b" folded"]
)
def test_h5_request_lines_with_two_readings_are_400(lab: Site, line: bytes) -> None:
    """H5, X4: a bare CR or LF, NUL, space before the colon, folding."""
    answer = lab.raw(b"GET " + LAB.encode() + b" HTTP/1.1\r\nHost: e\r\nConnection: close\r\n" + line + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ") or (
        b"x-evil" not in str(lab.recorder.calls).encode() and answer.startswith(b"HTTP/1.1 200 ")
    )


def test_h6_underscores_by_choice(lab: Site, tmp_path: Path) -> None:
    """H6: dropped by default, since some servers take `x_user` for `x-user`; allowed by `metadata.underscores`."""
    assert "x_user" not in arrived(lab, "X_User: a")
    with recorded(tmp_path, api={"metadata": {"underscores": "allow"}}) as site:
        assert arrived(site, "X_User: a")["x_user"] == ["a"]


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_x1_method_override_is_not_obeyed(lab: Site, header: str) -> None:
    """X1: neither by a header nor by a parameter."""
    answer = lab.ask("POST", "/v1/shelves/1", b"", **{header: "DELETE"})
    assert lab.refused(answer, 405)["code"] == 12
    lab.refused(lab.ask("POST", "/v1/shelves/1?_method=DELETE", b""), 405)


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: 2\r\nContent-Length: 3\r\n",
     b"Transfer-Encoding: chunked, gzip\r\n",
     b"Transfer-Encoding: xchunked\r\n", b"Content-Length: +2\r\n", b"Content-Length: 0x2\r\n",
     b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
     b"Transfer-Encoding:\x0bchunked\r\n", b"Content-Length: 1 2\r\n"],
)  # fmt: skip
def test_x4_ambiguous_framing_is_refused_and_the_connection_closed(lab: Site, head: bytes) -> None:
    """X4: nothing behind it is ever read as a request of its own."""
    smuggled = b"GET " + LAB.encode() + b"?stringValue=smuggled HTTP/1.1\r\nHost: e\r\n\r\n"
    answer = lab.raw(b"POST " + LAB.encode() + b" HTTP/1.1\r\nHost: e\r\n" + head + b"\r\n{}" + smuggled)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 "))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert lab.recorder.calls == []


def test_x4_too_many_and_too_large_header_fields(lab: Site) -> None:
    """X4: 431."""
    many = "".join(f"X-{n}: 1\r\n" for n in range(200))
    answer = lab.raw(f"GET {LAB} HTTP/1.1\r\nHost: e\r\n{many}\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "name",
    ["X-Forwarded-Client-Cert", "L5d-Client-Id", "L5d-Dst-Override", "X-Consul-Token", "X-Tenant", "X-Tenant-Id",
     "X-Envoy-Peer-Metadata", "X-Edge-Principal",
     "Edge-Unknown-Query", "Grpc-Status", "Grpc-Message", "Grpc-Encoding", "X-SSL-Client-Verify"],
)  # fmt: skip
@pytest.mark.parametrize("prefix", ["", "Grpc-Metadata-"])
def test_x5_no_client_can_claim_an_identity(lab: Site, prefix: str, name: str) -> None:
    """X5: under its own name or behind the prefix."""
    assert name.lower() not in arrived(lab, f"{prefix}{name}: forged")


def test_x5_request_ids(lab: Site) -> None:
    """X5, E4: a client's well-formed id is kept, told to the service and back; a bad one is replaced."""
    assert arrived(lab, "X-Request-Id: abc-123")["x-request-id"] == ["abc-123"]
    assert lab.get(LAB, x_request_id="abc-123").headers["x-request-id"] == "abc-123"
    replaced = lab.get(LAB, x_request_id="a b" + "c" * 500).headers["x-request-id"]
    assert replaced != "a b" + "c" * 500
    assert replaced


def test_upstream_metadata_of_the_operator(tmp_path: Path) -> None:
    """H2: `upstreams.*.metadata` is added to every call; the client cannot take its place."""
    (tmp_path / "token").write_text("s3cret\n")
    with recorded(tmp_path) as plain:
        config = bookstore_config(tmp_path, plain.recorder.port, api=compiled(tmp_path))
        config["upstreams"]["bookstore"]["metadata"] = {"x-token": f"file:{tmp_path / 'token'}"}
        with serving(tmp_path, config, plain.recorder) as site:
            assert arrived(site, "X-Token: forged")["x-token"] == ["s3cret"]
