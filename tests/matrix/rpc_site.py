"""A gateway before a service of any path that talks back, for asynchronous gRPC clients in the test's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from tests.gateway import RunningGateway, bookstore_config, running
from tests.matrix.rest_site import compiled
from tests.upstreams.recorder import OPTIONS, AnyPath

UNARY = "/bookstore.v1.Laboratory/EchoSpecimen"
DOWN = "/bookstore.v1.Feeds/Count"
UP = "/bookstore.v1.Feeds/ImportBooks"
HANG = b"hang"
BOTH = "/bookstore.v1.Feeds/Chat"


@dataclass
class Talker:
    """
    Answers every message at once with `<` before it; `closing` is what it says when the client has no more.

    `over` counts the calls that have ended, whichever way.
    """

    closing: bytes = b""
    over: int = 0
    heard: list[bytes] = field(default_factory=list)
    began: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        # grpcio tells a handler of a cancellation by this callback only, and then calls it done like any other end.
        context.add_done_callback(self._done)
        self.began.set()
        await context.send_initial_metadata((("x-path", path),))
        async for message in requests:
            self.heard.append(message)
            if message == HANG:
                await asyncio.Event().wait()
            if path != UP:
                yield b"<" + message
        if self.closing or path == UP:
            yield self.closing
        context.set_trailing_metadata((("x-count", str(len(self.heard))),))

    def _done(self, context: Any) -> None:
        self.over += 1


@dataclass
class RpcSite:
    """The gateway, a channel to it, and the service behind it."""

    gateway: RunningGateway
    channel: Any  # grpc.aio.Channel, whose stubs want serializers that it does not
    talker: Talker


@asynccontextmanager
async def talking(folder: Path, **choices: Any) -> AsyncIterator[RpcSite]:
    """Serve; `choices` as for `bookstore_config`."""
    talker = Talker()
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((AnyPath(talker.__call__),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    choices["api"] = {**compiled(folder), **choices.get("api", {})}
    try:
        async with (
            running(folder, bookstore_config(folder, port, **choices)) as gateway,
            grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel,
        ):
            yield RpcSite(gateway, channel, talker)
    finally:
        await server.stop(None)
