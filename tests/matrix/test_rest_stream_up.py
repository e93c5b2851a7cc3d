"""Streams of requests over REST, and both ways at once: transcoding.md B10, B11."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived

from edge.descriptors.compile import compile_protos
from tests.gateway import bookstore_config, running
from tests.matrix.rest_site import Site
from tests.matrix.test_rest_stream import gateway_before
from tests.upstreams.bookstore import known
from tests.upstreams.streaming import streaming

LINES = "application/x-ndjson"
IMPORT = "/v1/books:import"
BOOKS = [{"shelf": "1", "book": {"title": f"Number {n}", "author": "authors/stanislaw-lem"}} for n in range(3)]


def imported(answer: httpx.Response) -> tuple[int, int]:
    """How many books were taken, how many were not."""
    assert answer.status_code == 200, answer.text
    value = answer.json()
    return value.get("created", 0), len(value.get("failures", ()))


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", json.dumps(BOOKS)),
        ("application/json", json.dumps(BOOKS, indent=2)),
        ("application/json", "".join(json.dumps(book) for book in BOOKS)),
        ("application/json", "\n\n".join(json.dumps(book, indent=1) for book in BOOKS)),
        (LINES, "".join(json.dumps(book) + "\n" for book in BOOKS)),
        ("application/jsonl; charset=utf-8", "\n".join(json.dumps(book) for book in BOOKS)),
    ],
)
def test_b10_array_lines_and_concatenated(shop: Site, content_type: str, body: str) -> None:
    assert imported(shop.ask("POST", IMPORT, body, content_type=content_type)) == (3, 0)


@pytest.mark.parametrize("body", ["", "[]", " [ ] "])
def test_b10_no_messages(shop: Site, body: str) -> None:
    assert imported(shop.ask("POST", IMPORT, body)) == (0, 0)


def test_b10_one_byte_chunks(shop: Site) -> None:
    """Chunked by the byte, which httpx sends as it is told."""
    body = json.dumps(BOOKS).encode()
    assert imported(shop.http.post(IMPORT, content=(body[i : i + 1] for i in range(len(body))))) == (3, 0)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (json.dumps(BOOKS)[:-1] + ',{"shelf":"x"}]', "message 4: shelf: 'x' is not an integer"),
        (json.dumps(BOOKS)[:-1] + ",", "message 4 of the body is cut short"),
        (json.dumps(BOOKS) + "x", "message 4 of the body follows the end of the array"),
        ('[{"shelf":1}{"shelf":2}]', "message 2 of the body follows another without a comma"),
        ('[{"shelf":1},{"shelf":2,"shelf":3}]', "message 2: shelf: the key appears twice in one object"),
        ("[" * 1000, "message 1 of the body is nested too deep"),
    ],
)
def test_b10_an_error_after_messages(shop: Site, body: str, message: str) -> None:
    """400 that says which; the service has taken nothing for whole."""
    answer = shop.ask("POST", IMPORT, body)
    assert (answer.status_code, answer.json()["message"].partition(" (at")[0]) == (400, message)


def test_b10_a_message_too_large(shop: Site) -> None:
    """Each has the limit; together they may be larger."""
    large = {"shelf": "1", "book": {"title": "x" * 3_000_000}}
    assert imported(shop.post(IMPORT, [large, large])) == (0, 2)
    answer = shop.post(IMPORT, [{"book": {"title": "x" * 5_000_000}}])
    assert answer.status_code == 413


async def test_b10_what_breaks_off_is_not_taken_for_whole(tmp_path: Path) -> None:
    """The service is cancelled: an answer of its own would not be heard any more. (grpcio ends the requests before it says so.)"""
    got: list[bytes] = []
    how: list[str] = []

    async def service(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        try:
            async for request in requests:
                got.append(request)
            yield b""
            how.append("answered")
        except BaseException:
            how.append("cancelled")
            raise

    async with gateway_before(tmp_path, service) as gateway, gateway.client() as client:
        first_seen = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield b'{"shelf":1}'
            while not got:
                await asyncio.sleep(0.01)
            first_seen.set()
            yield b'{"shelf":"x"}'

        answer = await client.post(IMPORT, content=body())
        assert answer.status_code == 400
        assert first_seen.is_set()
        for _ in range(500):
            if how:
                break
            await asyncio.sleep(0.02)
        assert how == ["cancelled"]


@pytest.mark.parametrize("flags", [("-H", "Expect:"), ()], ids=["at once", "100-continue"])
async def test_both_ways_at_once(shop_url: str, flags: Sequence[str]) -> None:
    """A conversation by curl: each answer is read before the next word is said."""
    curl = await asyncio.create_subprocess_exec(
        "curl", "-sSN", *flags, "-X", "POST", "-T", ".", "-H", f"Content-Type: {LINES}", f"{shop_url}/v1/chat",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert curl.stdin is not None
    assert curl.stdout is not None
    for word, reply in (("one", "You said: one"), ("two", "You said: two"), ("bye", "Goodbye.")):
        curl.stdin.write(json.dumps({"text": word}).encode() + b"\n")
        await curl.stdin.drain()
        line = await asyncio.wait_for(curl.stdout.readline(), 10)
        assert json.loads(line)["text"] == reply
    curl.stdin.close()
    assert await asyncio.wait_for(curl.wait(), 10) == 0


@pytest.fixture
def shop_url(shop: Site) -> str:
    return shop.gateway.url


def test_both_ways_at_once_over_http2(shop: Site) -> None:
    """The same over HTTP/2, frame by frame: curl 7.88 forgets about its standard input there."""
    client = H2Connection(H2Configuration(client_side=True))
    with socket.create_connection(("127.0.0.1", shop.gateway.port), timeout=20) as sock:
        client.initiate_connection()
        target = [(":method", "POST"), (":path", "/v1/chat"), (":scheme", "http"), (":authority", "e")]
        client.send_headers(1, [*target, ("content-type", LINES)])
        for word, reply in (("one", b"You said: one"), ("bye", b"Goodbye.")):
            client.send_data(1, json.dumps({"text": word}).encode() + b"\n")
            said = b""
            while b"\n" not in said:
                sock.sendall(client.data_to_send())
                events = client.receive_data(sock.recv(65536))
                said += b"".join(event.data for event in events if isinstance(event, DataReceived))
            assert reply in said


def test_both_ways_the_client_ends_first(shop: Site) -> None:
    answer = shop.ask("POST", "/v1/chat", '[{"text":"a"},{"text":"b"}]')
    assert [message["text"] for message in answer.json()] == ["You said: a", "You said: b"]


def test_both_ways_the_service_ends_first(shop: Site) -> None:
    """The client is told that the connection ends; what it still sends is passed over, and never taken for a request."""
    with socket.create_connection(("127.0.0.1", shop.gateway.port), timeout=20) as sock:
        sock.sendall(b"POST /v1/chat HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n")
        said = b'{"text":"bye"}'
        sock.sendall(b"%x\r\n%b\r\n" % (len(said), said))
        answer = b""
        while not answer.endswith(b"0\r\n\r\n"):
            answer += sock.recv(65536)
        assert b"Goodbye." in answer
        sock.sendall(b"3\r\n{} \r\n0\r\n\r\nGET /v1/lab/count?to=0 HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n")
        assert b"\r\nconnection: close\r\n" in answer
        assert b"".join(iter(lambda: sock.recv(65536), b"")) == b""


async def test_an_error_in_a_conversation_is_told_in_its_form(shop_url: str) -> None:
    """B10 and S5 together: after an answer has begun, a bad message ends it with an error line."""
    reader, writer = await asyncio.open_connection(*shop_url.removeprefix("http://").split(":"))
    writer.write(
        f"POST /v1/chat HTTP/1.1\r\nHost: e\r\nContent-Type: {LINES}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    writer.write(b'e\r\n{"text":"one"}\r\n')
    assert b"You said: one" in await asyncio.wait_for(_until(reader, b"one"), 10)
    writer.write(b"7\r\n{oops}\n\r\n")
    told = await asyncio.wait_for(_until(reader, b"0\r\n\r\n"), 10)
    assert b'{"error":{"code":3,"message":"message 2: ' in told
    writer.close()
    await writer.wait_closed()


async def _until(reader: asyncio.StreamReader, end: bytes) -> bytes:
    got = b""
    while end not in got:
        piece = await reader.read(65536)
        assert piece, got
        got += piece
    return got


PROTO = """
syntax = "proto3";
package up.v1;
import "google/api/annotations.proto";
import "google/api/httpbody.proto";
service Up {
  rpc Upload(stream UploadRequest) returns (UploadAnswer) {
    option (google.api.http) = {post: "/v1/up/{name}" body: "content"};
  }
  rpc Store(stream google.api.HttpBody) returns (UploadAnswer) {
    option (google.api.http) = {post: "/v1/store" body: "*"};
  }
  rpc Label(stream LabelRequest) returns (UploadAnswer) {
    option (google.api.http) = {post: "/v1/label/{name}" body: "label"};
  }
}
message UploadRequest { string name = 1; google.api.HttpBody content = 2; bool keep = 3; }
message Label { string text = 1; }
message LabelRequest { string name = 1; Label label = 2; bool keep = 3; }
message UploadAnswer { int64 pieces = 1; int64 bytes = 2; }
"""


class UpService:
    """Keeps what it is sent; the answer counts it."""

    def __init__(self, folder: Path) -> None:
        (folder / "up.proto").write_text(PROTO)
        self._pool = DescriptorPool()
        for file in FileDescriptorSet.FromString(compile_protos([folder], ["up.proto"])).file:
            self._pool.Add(file)
        self.got: list[bytes] = []

    def message(self, name: str, data: bytes) -> Any:
        """A message of the service's, decoded."""
        full = name if "." in name else f"up.v1.{name}"
        return GetMessageClass(self._pool.FindMessageTypeByName(full)).FromString(data)

    async def serve(self, path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        async for request in requests:
            self.got.append(request)
        yield self.message("UploadAnswer", b"").__class__(pieces=len(self.got)).SerializeToString()


def up_config(folder: Path, port: int) -> dict[str, Any]:
    return bookstore_config(folder, port, api={"protos": {"roots": [str(folder)], "files": ["up.proto"]}})


async def test_b11_an_upload_in_pieces(tmp_path: Path) -> None:
    """Larger than any message may be; every piece has its type and what path and query say."""
    service = UpService(tmp_path)
    data = bytes(range(256)) * 4096 * 8  # 8 MiB
    async with (
        streaming(service.serve) as port,
        running(tmp_path, up_config(tmp_path, port)) as gateway,
        gateway.client() as client,
    ):
        answer = await client.post("/v1/up/a%20b?keep=true", content=data, headers={"content-type": "image/png"})
        assert answer.status_code == 200, answer.text
        pieces = [service.message("UploadRequest", each) for each in service.got]
        assert answer.json() == {"pieces": str(len(pieces))}
        assert len(pieces) > 2
        assert b"".join(piece.content.data for piece in pieces) == data
        assert {(piece.name, piece.keep, piece.content.content_type) for piece in pieces} == {
            ("a b", True, "image/png")
        }
        assert max(len(each) for each in service.got) < 512 * 1024


async def test_b11_the_body_as_the_message_itself(tmp_path: Path) -> None:
    service = UpService(tmp_path)
    async with (
        streaming(service.serve) as port,
        running(tmp_path, up_config(tmp_path, port)) as gateway,
        gateway.client() as client,
    ):
        for content in (b"some text", b""):
            service.got.clear()
            await client.post("/v1/store", content=content, headers={"content-type": "text/plain"})
            (piece,) = [service.message("google.api.HttpBody", each) for each in service.got]
            assert (piece.content_type, piece.data) == ("text/plain", content)


async def test_b10_path_and_query_are_in_every_message(tmp_path: Path) -> None:
    """Where the rule's body is a field, the rest comes from outside it; the path still wins."""
    service = UpService(tmp_path)
    async with (
        streaming(service.serve) as port,
        running(tmp_path, up_config(tmp_path, port)) as gateway,
        gateway.client() as client,
    ):
        answer = await client.post("/v1/label/x?keep=true", content=b'[{"text":"a"},{"text":"b"}]')
        assert answer.status_code == 200, answer.text
        got = [service.message("LabelRequest", each) for each in service.got]
        assert [(each.name, each.label.text, each.keep) for each in got] == [("x", "a", True), ("x", "b", True)]
        service.got.clear()
        answer = await client.post("/v1/label/x?name=y", content=b"[]")
        assert answer.status_code == 400
        assert service.got == []


async def test_a_slow_service_slows_the_client(tmp_path: Path) -> None:
    """Back-pressure the other way: what the service does not read is not let in, whatever a client would send."""
    go_on = asyncio.Event()

    async def service(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        await go_on.wait()
        count = 0
        async for _ in requests:
            count += 1
        yield known().ImportBooksResponse(created=count).SerializeToString()

    line = b'{"book":{"title":"' + b"x" * 65_000 + b'"}}\n'
    async with gateway_before(tmp_path, service) as gateway:
        loop = asyncio.get_running_loop()
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", gateway.port))
        await loop.sock_sendall(
            sock, b"POST %b HTTP/1.1\r\nHost: e\r\nContent-Length: %d\r\n\r\n" % (IMPORT.encode(), 1000 * len(line))
        )
        sent = await _until_stuck(sock, line)
        assert 0 < sent < 16 * 1024 * 1024
        sock.close()
        go_on.set()


async def _until_stuck(sock: socket.socket, line: bytes) -> int:
    """Send until it takes longer than a second; how many bytes were taken."""
    sent = 0
    while True:
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(sock, line), 1.0)
        except TimeoutError:
            return sent
        sent += len(line)
