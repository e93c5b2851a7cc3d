"""
The honest client in a process of its own: `python -m tests.resilience.bystander PORT PATH`, a line for each request, until it is ended.

Every 50 ms a new TLS connection and one GET, whether the last one was answered or not, so that a server that stalls is asked no less.
A line is when the request began (monotonic seconds), its status (0: none came), and how long it took from connect to the last byte.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time

import uvloop

EVERY_S = 0.05
GIVE_UP_S = 10.0


async def ask(port: int, path: str, context: ssl.SSLContext) -> None:
    """One request on a connection of its own."""
    began_s, status = time.monotonic(), 0
    try:
        async with asyncio.timeout(GIVE_UP_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
                answer = await reader.read()
                status = int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError):
        pass
    print(f"{began_s:.4f} {status} {(time.monotonic() - began_s) * 1000:.3f}", flush=True)


async def main(port: int, path: str) -> None:
    """Until the process is ended."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    async with asyncio.TaskGroup() as asking:
        next_s = time.monotonic()
        while True:
            asking.create_task(ask(port, path, context))
            next_s += EVERY_S
            await asyncio.sleep(next_s - time.monotonic())


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2]))
