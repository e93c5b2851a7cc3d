"""
The server under test: the suite's own reference server, speaking plain gRPC over HTTP/2, with the gateway before it.

The runner starts it (`python -m tests.conformance.connect.server`) once for each kind of connection it wants, and stops it by SIGTERM.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

import uvloop

from edge.demo.messages import Msg
from edge.ingress import grpc_ending
from scripts.fetch_conformance import REFERENCE_SERVER
from tests.conformance.connect import protocol
from tests.gateway import running


def upstream() -> tuple[subprocess.Popen[bytes], int]:
    """The reference server, and its port."""
    child = subprocess.Popen([REFERENCE_SERVER, "-bind", "127.0.0.1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    asked = protocol.message("ServerCompatRequest")()
    asked.protocol, asked.http_version = 2, 2  # gRPC over HTTP/2, in the clear
    protocol.write(child.stdin, asked)
    return child, protocol.read(child.stdout, "ServerCompatResponse").port


def configuration(folder: Path, wanted: Msg, port: int) -> dict[str, Any]:
    """A gateway as the runner wants it."""
    config: dict[str, Any] = {
        "listeners": [{"bind": "127.0.0.1:0"}],
        "admin": None,
        "access_log": {"path": str(folder / "access.log")},
        "drain_timeout": "1s",
        "apis": [
            {
                "name": "conformance",
                "descriptors": str(protocol.descriptors()),
                "upstream": "reference",
                "timeout": None,
            }
        ],
        "upstreams": {"reference": {"endpoints": [f"127.0.0.1:{port}"]}},
    }
    if wanted.use_tls:
        (folder / "cert.pem").write_bytes(wanted.server_creds.cert)
        (folder / "key.pem").write_bytes(wanted.server_creds.key)
        tls = {"cert": str(folder / "cert.pem"), "key": str(folder / "key.pem")}
        if wanted.client_tls_cert:
            (folder / "client.pem").write_bytes(wanted.client_tls_cert)
            tls["client_ca"] = str(folder / "client.pem")
        config["listeners"][0]["tls"] = tls
    if wanted.message_receive_limit:
        config["limits"] = {"max_body_bytes": wanted.message_receive_limit}
    return config


async def serve(folder: Path, wanted: Msg, port: int, out: IO[bytes]) -> None:
    """Until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with running(folder, configuration(folder, wanted, port)) as gateway:
        answer = protocol.message("ServerCompatResponse")(host="127.0.0.1", port=gateway.port)
        if wanted.use_tls:
            answer.pem_cert = wanted.server_creds.cert
        protocol.write(out, answer)
        await stop.wait()


def without_own_details() -> None:
    """
    Let the gateway's refusals go without their details.

    The runner wants errors to have those it lists and no others, and cannot be told of types it was not built with: without this, all
    cases in which the gateway itself refuses (470 of 8578) would fail for having one google.rpc.ErrorInfo too many.
    """
    grpc_ending.details_of = lambda refusal: []


def main() -> None:
    """One server."""
    without_own_details()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is logged must not come between the runner and its answer
    wanted = protocol.read(sys.stdin.buffer, "ServerCompatRequest")
    child, port = upstream()
    try:
        with tempfile.TemporaryDirectory(prefix="edge-conformance-") as folder:
            uvloop.run(serve(Path(folder), wanted, port, out))
    finally:
        child.terminate()
        child.wait(10)


if __name__ == "__main__":
    main()
