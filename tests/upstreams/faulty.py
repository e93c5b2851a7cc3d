"""
Upstreams that fail, as child processes: killed and restarted on their port, frozen, hanging, sending GOAWAY, allowing few streams.

    with Faulty(max_streams=1) as upstream:         # also: hang=True, delay_s=0.2, max_age_s=0.5 (GOAWAY), max_age_grace_s
        ...                                         # the gateway, dialling upstream.address
        upstream.kill()                             # kill -9: connections are reset, the port refuses
        upstream.restart()                          # another process on the same port
        upstream.freeze(); upstream.thaw()          # SIGSTOP, SIGCONT: the kernel still accepts, nobody answers

It answers every call on any path with the request's own bytes and the initial metadata `x-upstream-pid`.
A call of a path that ends in `/Hang` is never answered, whatever the options; one that ends in `/Abort` is UNAVAILABLE.
`served` asks the child how many calls it has begun (path `/test/Served`), which is not counted itself.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import grpc

from tests.upstreams.child import ChildUpstream
from tests.upstreams.recorder import OPTIONS, AnyPath

SERVED = "/test/Served"


@dataclass
class Faulty(ChildUpstream):
    """A grpcio server with one fault, in a child process."""

    hang: bool = False
    delay_s: float = 0.0
    max_age_s: float = 0.0
    max_age_grace_s: float = 5.0
    max_streams: int = 0

    def command(self) -> Sequence[str]:
        """This module, told its fault."""
        return ["-m", "tests.upstreams.faulty", *self._arguments()]

    def served(self) -> int:
        """How many calls this child has begun. Blocks; from asynchronous tests use asyncio.to_thread."""
        with grpc.insecure_channel(self.address) as channel:
            return int(channel.unary_unary(SERVED, None, None)(b"", timeout=30))

    def _arguments(self) -> list[str]:
        values = {
            "--port": self.port,
            "--hang": int(self.hang),
            "--delay-s": self.delay_s,
            "--max-age-s": self.max_age_s,
            "--max-age-grace-s": self.max_age_grace_s,
            "--max-streams": self.max_streams,
        }
        return [str(part) for pair in values.items() for part in pair]


@dataclass
class _Behaviour:
    """What the child does with calls."""

    hang: bool
    delay_s: float
    served: int = 0

    async def serve(self, path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        """Echo, or whatever was asked for."""
        if path == SERVED:
            yield str(self.served).encode()
            return
        self.served += 1
        await context.send_initial_metadata((("x-upstream-pid", str(os.getpid())),))
        if self.hang or path.endswith("/Hang"):
            await asyncio.Event().wait()
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if path.endswith("/Abort"):
            await context.abort(grpc.StatusCode.UNAVAILABLE, "as told")
        async for message in requests:
            yield message


def _options(arguments: argparse.Namespace) -> list[tuple[str, int]]:
    options = list(OPTIONS)
    if arguments.max_age_s:
        options.append(("grpc.max_connection_age_ms", int(arguments.max_age_s * 1000)))
        options.append(("grpc.max_connection_age_grace_ms", int(arguments.max_age_grace_s * 1000)))
    if arguments.max_streams:
        options.append(("grpc.max_concurrent_streams", arguments.max_streams))
    return options


async def _run(arguments: argparse.Namespace) -> None:
    server = grpc.aio.server(options=_options(arguments))
    behaviour = _Behaviour(bool(arguments.hang), arguments.delay_s)
    server.add_generic_rpc_handlers((AnyPath(behaviour.serve),))
    port = server.add_insecure_port(f"127.0.0.1:{arguments.port}")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--hang", type=int, default=0)
    parser.add_argument("--delay-s", type=float, default=0.0)
    parser.add_argument("--max-age-s", type=float, default=0.0)
    parser.add_argument("--max-age-grace-s", type=float, default=5.0)
    parser.add_argument("--max-streams", type=int, default=0)
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
