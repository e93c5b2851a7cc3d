"""
One client per dialect, each checking every answer it gets; a failed one ends the soak.

`Clients.all` are the honest ones; what they ask for leaves nothing behind in the bookstore, so that only the gateway could grow.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import httpx
from websockets.asyncio.client import connect

from tests.upstreams.bookstore import known

RPC = "/bookstore.v1.Laboratory/EchoSpecimen"
COUNT = "/bookstore.v1.Feeds/Count"
CHAT = "/bookstore.v1.Feeds/Chat"
IMPORT = "/bookstore.v1.Feeds/ImportBooks"
MESSAGES = 50
TEXT = "soak " * 40

Client = Callable[[], Awaitable[None]]


def frame(message: bytes) -> bytes:
    """A gRPC frame, a Connect envelope."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """Flags and payload of each."""
    found = []
    while data:
        size = int.from_bytes(data[1:5], "big")
        found.append((data[0], data[5 : 5 + size]))
        data = data[5 + size :]
    return found


class Clients:
    """Of one gateway, over connections that are kept."""

    def __init__(self, port: int, http: httpx.AsyncClient, channel: Any) -> None:
        self._port = port
        self._http = http
        self._channel = channel
        self._specimen: bytes = known().Specimen(string_value=TEXT).SerializeToString()
        self._count: bytes = known().CountRequest(to=MESSAGES).SerializeToString()
        self.all: dict[str, Client] = {
            "REST unary": self.rest_unary,
            "REST array": self.rest_array,
            "REST NDJSON": self.rest_ndjson,
            "REST SSE": self.rest_sse,
            "REST NDJSON up": self.rest_up,
            "REST refused": self.rest_refused,
            "gRPC unary": self.grpc_unary,
            "gRPC down": self.grpc_down,
            "gRPC up": self.grpc_up,
            "gRPC both": self.grpc_both,
            "gRPC-Web": self.grpc_web,
            "gRPC-Web text": self.grpc_web_text,
            "gRPC-Web down": self.grpc_web_down,
            "Connect unary": self.connect_unary,
            "Connect down": self.connect_down,
            "WebSocket": self.websocket,
        }

    async def _post(self, path: str, content_type: str, body: bytes, **headers: str) -> bytes:
        answer = await self._http.post(path, content=body, headers={"content-type": content_type, **headers})
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.content

    async def _counted(self, accept: str) -> str:
        answer = await self._http.get(f"/v1/lab/count?to={MESSAGES}", headers={"accept": accept})
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.text

    async def rest_unary(self) -> None:
        body = json.dumps({"stringValue": TEXT}).encode()
        assert json.loads(await self._post("/v1/lab/specimen", "application/json", body)) == {"stringValue": TEXT}

    async def rest_array(self) -> None:
        assert len(json.loads(await self._counted("application/json"))) == MESSAGES

    async def rest_ndjson(self) -> None:
        assert len((await self._counted("application/x-ndjson")).splitlines()) == MESSAGES

    async def rest_sse(self) -> None:
        assert (await self._counted("text/event-stream")).count("data:") == MESSAGES

    async def rest_up(self) -> None:
        """Books for a shelf that is not there: read, refused one by one, not kept."""
        line = json.dumps({"shelf": "999999", "book": {"title": TEXT}}).encode() + b"\n"
        answer = json.loads(await self._post("/v1/books:import", "application/x-ndjson", line * 5))
        assert len(answer["failures"]) == 5, answer

    async def rest_refused(self) -> None:
        answer = await self._http.get("/v1/lab/specimen?nothing_such=1")
        assert answer.status_code == 400, answer.text

    async def grpc_unary(self) -> None:
        assert await self._channel.unary_unary(RPC)(self._specimen) == self._specimen

    async def grpc_down(self) -> None:
        assert len([each async for each in self._channel.unary_stream(COUNT)(self._count)]) == MESSAGES

    async def grpc_up(self) -> None:
        request = known().ImportBooksRequest(shelf=999999, book=known().Book(title=TEXT)).SerializeToString()
        answer = await self._channel.stream_unary(IMPORT)(iter([request] * 5))
        assert len(known().ImportBooksResponse.FromString(answer).failures) == 5

    async def grpc_both(self) -> None:
        call = self._channel.stream_stream(CHAT)()
        for text in ("hello", TEXT, "bye"):
            await call.write(known().ChatMessage(text=text).SerializeToString())
            assert known().ChatMessage.FromString(await call.read()).text
        assert await call.code() is grpc.StatusCode.OK

    async def grpc_web(self) -> None:
        answer = frames(await self._post(RPC, "application/grpc-web+proto", frame(self._specimen)))
        assert [answer[0], answer[1][0]] == [(0, self._specimen), 0x80], answer

    async def grpc_web_text(self) -> None:
        body = base64.b64encode(frame(self._specimen))
        answer = await self._post(RPC, "application/grpc-web-text+proto", body)
        assert base64.b64decode(answer).startswith(frame(self._specimen))

    async def grpc_web_down(self) -> None:
        answer = frames(await self._post(COUNT, "application/grpc-web+proto", frame(self._count)))
        assert (len(answer), answer[-1][0]) == (MESSAGES + 1, 0x80)

    async def connect_unary(self) -> None:
        body = json.dumps({"stringValue": TEXT}).encode()
        answer = await self._post(RPC, "application/json", body, **{"connect-protocol-version": "1"})
        assert json.loads(answer) == {"stringValue": TEXT}

    async def connect_down(self) -> None:
        answer = frames(await self._post(COUNT, "application/connect+proto", frame(self._count)))
        assert (len(answer), answer[-1]) == (MESSAGES + 1, (2, b"{}"))

    async def websocket(self) -> None:
        target = f"ws://127.0.0.1:{self._port}/v1/chat"
        async with connect(target, proxy=None, compression=None) as socket:
            for text in ("hello", TEXT, "bye"):
                await socket.send(json.dumps({"text": text}))
                assert json.loads(await socket.recv())["text"]
            await socket.wait_closed()
            assert socket.close_code == 1000, (socket.close_code, socket.close_reason)
