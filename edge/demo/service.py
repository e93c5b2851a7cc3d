"""
The bookstore as a process: `python -m edge.demo.service --port 50051`.

Owns its start and its end: one line on standard output once it serves, exit 0 on SIGTERM or SIGINT after running calls
had a moment, exit 2 when the port is taken.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

from edge.demo import messages, seed, serving
from edge.demo.books import Books
from edge.demo.community import Community
from edge.demo.feeds import Feeds
from edge.demo.files import Files
from edge.demo.laboratory import Laboratory
from edge.demo.messages import Messages
from edge.demo.orders import Orders
from edge.demo.publishing import Publishing
from edge.demo.search import Search
from edge.demo.shelves import Shelves
from edge.demo.store import Shop

GRACE_S = 2.0


@dataclass(slots=True)
class Bookstore:
    """A running bookstore. `port` is the one it got."""

    server: grpc.aio.Server
    health: Any
    port: int

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Say NOT_SERVING, let running calls finish for `grace_s` seconds, end."""
        await self.health.enter_graceful_shutdown()
        await self.server.stop(grace_s)


def implementations(shop: Shop) -> list[object]:
    """Everything that implements RPCs, on one shop."""
    books = Books(shop)
    return [
        Shelves(shop),
        books,
        Search(shop, books),
        Files(shop),
        Community(shop),
        Publishing(shop),
        Orders(shop),
        Feeds(shop, books),
        Laboratory(shop.messages),
    ]


async def start(port: int = 0, *, known: Messages | None = None, now_s: Callable[[], float] = time.time) -> Bookstore:
    """Serve a freshly seeded bookstore on a loopback port; RuntimeError when it is taken. `known` saves compiling."""
    shop = seed.fill(Shop(known or messages.load(), now_s))
    server = grpc.aio.server(options=serving.OPTIONS)
    serving.add_services(server, shop.messages, implementations(shop))
    serving.add_reflection(server, shop.messages)
    health = await serving.add_health(server)
    got = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    return Bookstore(server, health, got)


async def serve(port: int) -> int:
    """Serve until told to end; the exit code."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    try:
        bookstore = await start(port)
    except RuntimeError as error:
        sys.stderr.write(f"bookstore: cannot listen on 127.0.0.1:{port}: {error}\n")
        return 2
    sys.stdout.write(f"bookstore: serving on 127.0.0.1:{bookstore.port}\n")
    sys.stdout.flush()
    await ended.wait()
    await bookstore.stop()
    return 0


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m edge.demo.service", description="The demo's bookstore, over gRPC.")
    parser.add_argument("--port", type=int, default=50051, help="loopback port; 0 lets the system choose")
    sys.exit(asyncio.run(serve(parser.parse_args().port)))


if __name__ == "__main__":
    main()
