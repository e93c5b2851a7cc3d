"""
List E (errors) of transcoding.md through a whole gateway: statuses, the google.rpc.Status body, every kind of detail, and upstreams
that do not answer as gRPC should.
"""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.rpc import error_details_pb2, status_pb2

from tests.gateway import bookstore_config, running_bookstore
from tests.matrix.rest_site import LAB, Site, compiled, serving, shaped
from tests.upstreams.faulty import Faulty
from tests.upstreams.plain import Plain, Scripted
from tests.upstreams.recorder import Reply

GRPC = ("content-type", "application/grpc")
STATUS_OF_CODE = {
    1: 499,
    2: 500,
    3: 400,
    4: 504,
    5: 404,
    6: 409,
    7: 403,
    8: 429,
    9: 400,
    10: 409,
    11: 400,
    12: 501,
    13: 500,
    14: 503,
    15: 500,
    16: 401,
}


@pytest.mark.parametrize(("code", "status"), STATUS_OF_CODE.items())
def test_e1_http_status_of_each_code(lab: Site, code: int, status: int) -> None:
    """E1, E2: the service's code decides the status; code and message are told as they are."""
    lab.recorder.default = Reply(code=code, text=f"told {code}")
    answer = lab.get(LAB)
    assert shaped(answer, status) == {"code": code, "message": f"told {code}", "details": []}
    assert ("www-authenticate" in answer.headers) == (code == 16)


def test_e1_the_service_s_own_challenge_stands(lab: Site) -> None:
    """E1: WWW-Authenticate from its metadata is not doubled."""
    lab.recorder.default = Reply(code=16, text="who", trailers=(("www-authenticate", 'Basic realm="x"'),))
    assert lab.get(LAB).headers.get_list("www-authenticate") == ['Basic realm="x"']


ERROR_INFO = {
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    "reason": "AS_TOLD",
    "domain": "bookstore.example.com",
    "metadata": {"caller": "laboratory"},
}
DETAILS: dict[str, Any] = {
    "DETAIL_BAD_REQUEST": {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [
            {"field": "title", "description": "must not be empty"},
            {"field": "pages", "description": "must not be negative"},
        ],
    },
    "DETAIL_ERROR_INFO": ERROR_INFO,
    "DETAIL_RETRY_INFO": {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.500s"},
    "DETAIL_OUT_OF_STOCK": {
        "@type": "type.googleapis.com/bookstore.v1.OutOfStock",
        "book": "2",
        "requested": 10,
        "available": 3,
    },
    "DETAIL_UNKNOWN_TYPE": {"@type": "type.googleapis.com/elsewhere.v1.Mystery", "value": "CCo="},
    "DETAIL_BROKEN": {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "value": "Cv8="},
}


@pytest.mark.parametrize("kind", DETAILS)
def test_e2_every_kind_of_detail(shop: Site, kind: str) -> None:
    """E2 against the real service: known types as JSON; an unknown type or broken bytes keep their type and value."""
    answer = shop.post("/v1/lab/fail", {"code": "FAILED_PRECONDITION", "message": "m", "details": [kind]})
    assert shaped(answer, 400)["details"] == [DETAILS[kind]]


def test_e2_all_details_in_their_order(shop: Site) -> None:
    """E2, E4: and the RetryInfo among them becomes Retry-After, rounded up."""
    answer = shop.post("/v1/lab/fail", {"code": "UNAVAILABLE", "message": "later", "details": list(reversed(DETAILS))})
    assert shaped(answer, 503)["details"] == list(reversed(DETAILS.values()))
    assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    "message", ["", "ä 日本 \U0001f600", "50% off %41 %", "line\nbreak\ttab\x7f\x01", 'quo"te \\', "a" * 5000]
)
def test_e3_any_message(shop: Site, message: str) -> None:
    """E3: grpc-message is percent-encoded on the wire; what the service said is what the client reads."""
    body = shaped(shop.post("/v1/lab/fail", {"code": 5, "message": message}), 404)
    assert body["message"] == message


def test_e_errors_of_the_real_service(shop: Site) -> None:
    """E2: a typical one, with its two details."""
    body = shaped(shop.get("/v1/shelves/1/books/999"), 404)
    assert body["code"] == 5
    assert [detail["@type"].rpartition(".")[2] for detail in body["details"]] == ["ErrorInfo", "ResourceInfo"]


@asynccontextmanager
async def before(folder: Path, scripted: Scripted) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway whose upstream gives one raw HTTP/2 answer."""
    async with Plain(scripted) as upstream:
        api = compiled(folder)
        async with running_bookstore(folder, upstream.port, api=api) as gateway, gateway.client() as client:
            yield client


def details_bin(padded: bool) -> str:
    """A grpc-status-details-bin whose base64 needs padding."""
    status = status_pb2.Status(code=5, message="gone")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason="R"))
    while len(status.SerializeToString()) % 3 == 0:
        status.message += "!"
    text = base64.b64encode(status.SerializeToString()).decode()
    assert text.endswith("=")
    return text if padded else text.rstrip("=")


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("trailers_only", [True, False])
async def test_e3_details_with_and_without_padding_in_either_place(
    tmp_path: Path, padded: bool, trailers_only: bool
) -> None:
    """E3: base64 padded or not, in a trailers-only answer or in trailers behind a head."""
    status = (("grpc-status", "5"), ("grpc-message", "gone%20%C3%A4"), ("grpc-status-details-bin", details_bin(padded)))
    scripted = Scripted(headers=(GRPC, *status)) if trailers_only else Scripted(trailers=status)
    async with before(tmp_path, scripted) as client:
        body = shaped(await client.get(LAB), 404)
    assert body["message"] == "gone ä"
    assert body["details"] == [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "R"}]


@pytest.mark.parametrize("details", ["!!!not base64!!!", base64.b64encode(b"\xff\xff\xff").decode(), ""])
async def test_e3_broken_details_cost_only_themselves(tmp_path: Path, details: str) -> None:
    """E3: the code and the message still reach the client."""
    headers = (GRPC, ("grpc-status", "5"), ("grpc-message", "gone"), ("grpc-status-details-bin", details))
    async with before(tmp_path, Scripted(headers=headers)) as client:
        assert shaped(await client.get(LAB), 404) == {"code": 5, "message": "gone", "details": []}


@pytest.mark.parametrize(("status", "code"), [("99", 500), ("17", 500), ("-1", 500), ("x", 500), ("", 500)])
async def test_e1_codes_nobody_knows_are_500(tmp_path: Path, status: str, code: int) -> None:
    """E1: above 16, negative or no number at all."""
    async with before(tmp_path, Scripted(headers=(GRPC, ("grpc-status", status), ("grpc-message", "odd")))) as client:
        shaped(await client.get(LAB), code)


@pytest.mark.parametrize(
    ("status", "code", "answered"),
    [(400, 13, 500), (401, 16, 401), (403, 7, 403), (404, 12, 501), (429, 14, 503), (502, 14, 503), (503, 14, 503),
     (504, 14, 503), (500, 2, 500), (200, 2, 500)],
)  # fmt: skip
async def test_e5_an_upstream_that_is_no_grpc(tmp_path: Path, status: int, code: int, answered: int) -> None:
    """E5, E6: HTML from something in between is mapped by gRPC's table, and none of it is shown."""
    html = Scripted(
        status, (("content-type", "text/html"), ("server", "nginx-internal-7")), b"<h1>secret host 10.0.0.7</h1>"
    )
    async with before(tmp_path, html) as client:
        answer = await client.get(LAB)
        assert shaped(answer, answered)["code"] == code
        assert answer.json()["details"][0]["reason"] == "UPSTREAM_HTTP_ERROR"
        assert "secret" not in answer.text
        assert "nginx" not in str(answer.headers)


OK_TRAILERS = (("grpc-status", "0"),)


@pytest.mark.parametrize(
    "scripted",
    [Scripted(body=b"\0\0\0\0\x05ab", trailers=OK_TRAILERS), Scripted(body=b"\x07\0\0\0\0\x00", trailers=OK_TRAILERS),
     Scripted(body=b"\x01\0\0\0\x01x", trailers=OK_TRAILERS), Scripted(body=b"\0\0\0\0\0"), Scripted(trailers=OK_TRAILERS),
     Scripted(body=b"\0\0\0\0\0\0\0\0\0\0", trailers=OK_TRAILERS), Scripted(body=b"\0\0\0\0\0", trailers=(("x", "y"),))],
    ids=["cut short", "bad flag", "compressed in nothing", "no trailers", "no message", "two messages", "no status"],
)  # fmt: skip
async def test_e5_grpc_that_breaks_its_own_rules(tmp_path: Path, scripted: Scripted) -> None:
    """E5: 500 as a Status, whatever it was."""
    async with before(tmp_path, scripted) as client:
        assert shaped(await client.get(LAB), 500)["details"][0]["reason"] == "UPSTREAM_MALFORMED"


@pytest.mark.parametrize(("reset", "status"), [(0x2, 500), (0x8, 499), (0xB, 429), (0xC, 403)])
async def test_e5_a_reset_by_the_upstream(tmp_path: Path, reset: int, status: int) -> None:
    """E5: RST_STREAM by gRPC's table."""
    async with before(tmp_path, Scripted(body=b"\0", reset=reset)) as client:
        assert shaped(await client.get(LAB), status)["details"][0]["reason"] == "UPSTREAM_RESET"


@pytest.fixture(scope="module")
def orphan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A gateway whose upstream is not there."""
    folder = tmp_path_factory.mktemp("orphan")
    with socket.socket() as taken:  # bound and not listening: nobody else can get the port meanwhile
        taken.bind(("127.0.0.1", 0))
        with serving(folder, bookstore_config(folder, taken.getsockname()[1], api=compiled(folder))) as site:
            yield site


def test_e4_an_upstream_that_is_down(orphan: Site) -> None:
    """E4, E6: 503 at once, with Retry-After equal to RetryInfo if there is one, naming no host."""
    answer = orphan.get("/v1/shelves")
    body = shaped(answer, 503)
    assert body["details"][0] | {"metadata": None} == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "UPSTREAM_UNAVAILABLE",
        "domain": "edge-gateway",
        "metadata": None,
    }
    assert "127.0.0.1" not in answer.text
    retry = [detail for detail in body["details"] if detail["@type"].endswith("RetryInfo")]
    assert bool(retry) == ("retry-after" in answer.headers)


@pytest.mark.parametrize(
    ("request_bytes", "status", "reason"),
    [(b"GET /v1/none HTTP/1.1\r\nHost: e\r\n", 404, "ROUTE_NOT_FOUND"),
     (b"PUT /v1/shelves HTTP/1.1\r\nHost: e\r\nContent-Length: 0\r\n", 405, "METHOD_NOT_ALLOWED"),
     (b"GET /v1/shelves?x=1 HTTP/1.1\r\nHost: e\r\n", 400, "INVALID_ARGUMENT"),
     (b"GET /v1/shelves/.. HTTP/1.1\r\nHost: e\r\n", 400, "MALFORMED_REQUEST"),
     (b"GET /v1/shelves HTTP/1.1\r\nHost: e\r\nX: " + b"a" * 70_000 + b"\r\n", 431, "HEADERS_TOO_LARGE"),
     (b"GET /v1/shelves?a=" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: e\r\n", 414, "URI_TOO_LONG"),
     (b"GARBAGE\r\n", 400, "MALFORMED_REQUEST"),
     (b"POST /v1/shelves HTTP/1.1\r\nHost: e\r\nContent-Length: 99999999\r\n", 413, "BODY_TOO_LARGE"),
     (b"POST /v1/shelves HTTP/1.1\r\nHost: e\r\nExpect: miracles\r\nContent-Length: 2\r\n", 417, "EXPECTATION_FAILED"),
     (b"POST /v1/shelves HTTP/1.1\r\nHost: e\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n", 415, "MEDIA_TYPE_UNSUPPORTED"),
     (b"GET /v1/books:watch?replay=x HTTP/1.1\r\nHost: e\r\n", 400, "INVALID_ARGUMENT"),
     (b"GET /v1/shelves HTTP/3.0\r\nHost: e\r\n", 505, "HTTP_VERSION_UNSUPPORTED")],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_e4_every_error_of_the_gateway_has_one_shape(lab: Site, request_bytes: bytes, status: int, reason: str) -> None:
    """E4: from the HTTP parser to the codec: JSON, code, message, ErrorInfo with our domain, and a request id."""
    answer = lab.raw(request_bytes + b"Connection: close\r\n\r\n{}")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    assert b"content-type: application/json\r\n" in head.lower() + b"\r\n"
    told = json.loads(body)
    assert told["message"]
    assert told["details"][0] == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "edge-gateway",
    }
    assert lab.recorder.calls == []


def test_e4_overload_tells_when_to_come_back(tmp_path: Path) -> None:
    """E4: more calls at once than `limits.max_in_flight`: 503 with RetryInfo equal to Retry-After."""
    with Faulty(hang=True) as upstream:
        config = bookstore_config(tmp_path, upstream.port, api=compiled(tmp_path), limits={"max_in_flight": 1})
        with serving(tmp_path, config) as site, socket.create_connection(("127.0.0.1", site.gateway.port)) as waiting:
            waiting.sendall(b"GET /v1/shelves HTTP/1.1\r\nHost: e\r\n\r\n")
            for _ in range(200):  # the first call is on its way: ask until it is in
                answer = site.get("/v1/shelves", grpc_timeout="250m")
                if answer.status_code == 503:
                    break
            body = shaped(answer, 503)
            assert body["details"][0]["reason"] == "OVERLOADED"
            (retry,) = [detail for detail in body["details"] if detail["@type"].endswith("RetryInfo")]
            assert float(retry["retryDelay"].removesuffix("s")) <= int(answer.headers["retry-after"])


def test_e6_no_error_names_hosts_files_or_frames(orphan: Site) -> None:
    """E6: neither bodies nor headers tell how the gateway is made."""
    for answer in (orphan.get("/v1/shelves"), orphan.post("/v1/lab/tree", b"{"), orphan.get("/v1/none")):
        told = (answer.text + str(answer.headers)).lower()
        for word in ("traceback", ".py", "127.0.0.1:5", "python", "uvloop", 'file "'):
            assert word not in told
