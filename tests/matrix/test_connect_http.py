"""Connect and gRPC-Web as plain HTTP clients (httpx, curl) speak them to a whole gateway, over HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
from urllib.parse import quote

import pytest

from edge.core.grpc_frame import encode_frame
from edge.core.grpc_web import trailer_frame
from tests.matrix.rest_site import ECHO_SPECIMEN, Site
from tests.upstreams.bookstore import known
from tests.upstreams.recorder import Reply

COUNT = "/bookstore.v1.Feeds/Count"
CHAT = "/bookstore.v1.Feeds/Chat"


def sent(lab: Site) -> str:
    """The string the service got."""
    text: str = lab.seen().string_value
    return text


def test_connect_is_curl_with_json(lab: Site) -> None:
    """No header but the content type; unknown fields do no harm, misfits are named."""
    answer = lab.post(ECHO_SPECIMEN, {"stringValue": "a", "newerField": 1})
    assert (answer.status_code, answer.json()) == (200, {"stringValue": "a"})
    assert answer.headers["content-type"] == "application/json"
    assert sent(lab) == "a"
    answer = lab.fresh().post(ECHO_SPECIMEN, {"int32Value": "x"})
    assert answer.status_code == 400
    error = answer.json()
    assert error["code"] == "invalid_argument"
    assert error["details"][0]["debug"]["reason"] == "INVALID_ARGUMENT"
    assert lab.recorder.calls == []


def test_connect_get_is_cacheable_http(lab: Site) -> None:
    """Side-effect-free methods only; ETag and 304 come with it."""
    message = known().Specimen(string_value="g").SerializeToString()
    lab.recorder.default = Reply(message, headers=(("etag", '"v1"'),))
    query = f"connect=v1&encoding=json&message={quote(json.dumps({'stringValue': 'g'}))}"
    answer = lab.get(f"{ECHO_SPECIMEN}?{query}")
    assert (answer.status_code, answer.json(), answer.headers["etag"]) == (200, {"stringValue": "g"}, '"v1"')
    assert lab.get(f"{ECHO_SPECIMEN}?{query}", if_none_match='"v1"').status_code == 304
    binary = base64.urlsafe_b64encode(message).decode().rstrip("=")
    assert lab.get(f"{ECHO_SPECIMEN}?connect=v1&encoding=proto&base64=1&message={binary}").content == message
    refused = lab.get(f"/bookstore.v1.Bookstore/CreateShelf?{query}")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


def test_connect_compresses_both_ways(lab: Site) -> None:
    """By HTTP's own means."""
    body = json.dumps({"stringValue": "x" * 5000}).encode()
    answer = lab.ask("POST", ECHO_SPECIMEN, gzip.compress(body), content_encoding="gzip", accept_encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json() == json.loads(body)


def test_a_connect_stream_ends_in_an_envelope(lab: Site) -> None:
    """Over HTTP/1.1."""
    messages = [known().CountResponse(number=n).SerializeToString() for n in (1, 2)]
    lab.recorder.default = Reply(messages=messages, code=9, text="enough", trailers=(("x-t", "1"),))
    answer = lab.ask("POST", COUNT, encode_frame(b"{}"), content_type="application/connect+json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/connect+json")
    first, second, end = _envelopes(answer.content)
    assert (first[0], second[0], end[0]) == (0, 0, 2)
    assert [json.loads(each[1]) for each in (first, second)] == [{"number": 1}, {"number": 2}]
    told = json.loads(end[1])
    assert (told["error"], told["metadata"]["x-t"]) == ({"code": "failed_precondition", "message": "enough"}, ["1"])


@pytest.mark.parametrize("text", [False, True])
def test_grpc_web_over_http_1(lab: Site, text: bool) -> None:
    """Bytes and text; the trailers are the last frame."""
    message = known().Specimen(string_value="w").SerializeToString()
    lab.recorder.default = Reply(message, headers=(("x-a", "1"),), trailers=(("x-t", "1"),))
    kind = "application/grpc-web-text" if text else "application/grpc-web+proto"
    body = encode_frame(message)
    answer = lab.ask("POST", ECHO_SPECIMEN, base64.b64encode(body) if text else body, content_type=kind, x_grpc_web="1")
    expected = [encode_frame(message), trailer_frame([(b"grpc-status", b"0"), (b"x-t", b"1")])]
    wire = [base64.b64encode(piece) for piece in expected] if text else expected
    assert (answer.status_code, answer.content) == (200, b"".join(wire))
    assert (answer.headers["content-type"], answer.headers["x-a"]) == (kind, "1")
    assert lab.recorder.last.message == message


def test_a_dialogue_over_http_1_is_505(lab: Site) -> None:
    """W; over HTTP/2 it is spoken."""
    body = encode_frame(b"")
    for kind in ("application/grpc-web", "application/connect+proto", "application/grpc"):
        assert lab.ask("POST", CHAT, body, content_type=kind).status_code == 505
    assert lab.recorder.calls == []
    done = subprocess.run(
        [
            *("curl", "-sS", "--max-time", "10", "--http2-prior-knowledge", "-w", "%{http_code} %{http_version}"),
            *("-H", "content-type: application/connect+proto", "--data-binary", "@-", f"{lab.gateway.url}{CHAT}"),
        ],
        input=body,
        capture_output=True,
        check=True,
    )
    assert done.stdout == encode_frame(b"") + b"\2\0\0\0\2{}" + b"200 2"


def _envelopes(body: bytes) -> list[tuple[int, bytes]]:
    """Flags and payloads."""
    found = []
    while body:
        size = int.from_bytes(body[1:5], "big")
        found.append((body[0], body[5 : 5 + size]))
        body = body[5 + size :]
    return found
