"""
A client and a service that are not there, for running the gateway's code on one request.

Owns that nothing is sent: what would be is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from edge.ingress.service import Answer, Header
from edge.outcome import OK, Fault, Refusal
from edge.upstream.call import Done, MessageStream, Running, UnaryReply, UnaryRequest


class Recorder:
    """An upstream that keeps the request instead of sending it."""

    def __init__(self) -> None:
        self.request: UnaryRequest | None = None

    def unary(self, request: UnaryRequest, done: Done) -> Running:
        """`Upstream.unary`."""
        self.request = request
        done(Refusal(Fault.UPSTREAM_UNAVAILABLE, detail="edge explain sends nothing"))
        return self

    def cancel(self) -> None:
        """`Running.cancel`: nothing runs."""

    async def open_stream(
        self, path: bytes, metadata: Sequence[Header] = (), deadline: float | None = None, **_: object
    ) -> MessageStream:
        """`Upstream.open_stream`."""
        return _RecordedStream(self, UnaryRequest(path, b"", metadata, deadline))


class _RecordedStream:
    """A stream to nowhere: what was to be sent is known once its client has ended it well."""

    def __init__(self, recorder: Recorder, request: UnaryRequest) -> None:
        self._recorder = recorder
        self._request = request
        self._ended = asyncio.Event()
        self.outcome: UnaryReply | Refusal | None = None

    async def send(self, message: bytes, *, end: bool = False) -> None:
        self._request = self._request if self._request.message else replace(self._request, message=message)

    async def end(self) -> None:
        self._recorder.request = self._request
        self.cancel()

    async def head(self) -> Sequence[Header] | None:
        await self._ended.wait()
        return None

    async def receive(self) -> bytes | None:
        return None

    def take(self, count: int, size_bytes: int) -> list[bytes]:
        return []

    def cancel(self) -> None:
        self.outcome = self.outcome or Refusal(Fault.UPSTREAM_UNAVAILABLE, detail="edge explain sends nothing")
        self._ended.set()


class GivenBody:
    """The body of the request, in one piece."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self) -> bytes:
        """`BodySource.read`."""
        body, self._body = self._body, b""
        return body


class ShownAnswer:
    """The answer of a streaming call, kept."""

    def __init__(self) -> None:
        self.answer = Answer(OK)

    def start(self, status: int, headers: Sequence[Header]) -> None:
        """`AnswerSink.start`."""
        self.answer = Answer(status, headers)

    async def write(self, data: bytes) -> None:
        """`AnswerSink.write`."""
        self.answer = self.answer._replace(body=self.answer.body + data)

    def end(self, trailers: Sequence[Header] = ()) -> None:
        """`AnswerSink.end`."""

    def abort(self) -> None:
        """`AnswerSink.abort`."""
