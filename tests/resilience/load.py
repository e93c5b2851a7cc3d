"""
A closed-loop HTTP/1.1 load over raw sockets that keeps account of every request: sent = answered + lost + refused.

    load = Load(port, "/v1/shelves", connections=50)
    async with load.running(): ...
    load.answers, load.lost, load.refused, load.sent

It decides nothing and retries nothing: a connection that ends is counted and made anew. Times are the loop's.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

STUCK_S = 30.0
"""A request without an answer for so long hangs: the load ends with an error."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, and when its request began and ended."""

    status: int
    headers: dict[str, str]
    body: bytes
    began_s: float
    ended_s: float

    @property
    def took_s(self) -> float:
        """From the request's first byte to the answer's last."""
        return self.ended_s - self.began_s

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


@dataclass
class Load:
    """So many connections, each with one request at a time and `pause_s` between two."""

    port: int
    target: str
    connections: int = 50
    pause_s: float = 0.02
    headers: str = ""
    sent: int = 0
    answers: list[Answer] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)
    """When a connection ended with its request unanswered."""
    refused: list[float] = field(default_factory=list)
    """When a connection could not be made."""
    _stop: bool = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Load]:
        """Load while the block runs; on leaving, what was sent is still awaited."""
        self._stop = False
        async with asyncio.TaskGroup() as group:
            for _ in range(self.connections):
                group.create_task(self._drive())
            try:
                yield self
            finally:
                self._stop = True

    async def for_s(self, seconds: float) -> Load:
        """Load for so long."""
        async with self.running():
            await asyncio.sleep(seconds)
        return self

    async def _drive(self) -> None:
        while not self._stop:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                self.refused.append(asyncio.get_running_loop().time())
                await asyncio.sleep(self.pause_s)
                continue
            try:
                await self._converse(reader, writer)
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests on one connection until it ends."""
        loop = asyncio.get_running_loop()
        request = f"GET {self.target} HTTP/1.1\r\nhost: load\r\n{self.headers}\r\n".encode()
        while not self._stop:
            began_s = loop.time()
            self.sent += 1
            try:
                writer.write(request)
                async with asyncio.timeout(STUCK_S):
                    status, headers, body = await read_answer(reader)
            except (OSError, asyncio.IncompleteReadError):
                self.lost.append(loop.time())
                return
            self.answers.append(Answer(status, headers, body, began_s, loop.time()))
            if headers.get("connection") == "close":
                return
            await asyncio.sleep(self.pause_s)

    @property
    def accounted(self) -> bool:
        """Every request sent was answered or seen lost."""
        return self.sent == len(self.answers) + len(self.lost)

    @property
    def failed(self) -> list[Answer]:
        """Answers that are not 200."""
        return [answer for answer in self.answers if answer.status != 200]

    def statuses(self) -> dict[int, int]:
        """How many answers of each status."""
        return dict(sorted(Counter(answer.status for answer in self.answers).items()))

    def took_ms(self, share: float) -> float:
        """A quantile of how long answers took."""
        times = sorted(answer.took_s for answer in self.answers)
        return times[min(len(times) - 1, int(len(times) * share))] * 1000


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """One whole answer with a length. Raises IncompleteReadError when the connection ends before it does."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split(" ")[1]), headers, await reader.readexactly(int(headers.get("content-length", "0")))


def check_status(answer: Answer) -> str:
    """A failed answer is a JSON google.rpc.Status with ErrorInfo, and says when to come back if it is 503; the reason."""
    assert answer.headers["content-type"] == "application/json", answer
    status = answer.json()
    assert set(status) == {"code", "message", "details"}, answer
    info = status["details"][0]
    assert info["@type"] == "type.googleapis.com/google.rpc.ErrorInfo", answer
    assert info["domain"] == "edge-gateway", answer
    if answer.status == 503:
        assert int(answer.headers["retry-after"]) >= 1, answer
        assert any(detail["@type"].endswith("google.rpc.RetryInfo") for detail in status["details"]), answer
    return str(info["reason"])
