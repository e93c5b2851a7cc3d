"""
An upstream of one function, for streams whose pace a test decides.

    async def function(path, requests, context):            # an asynchronous generator of serialized messages
        yield ...

    async with streaming(function) as port:
        ...                                                 # the gateway, dialling 127.0.0.1:port
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc

from tests.upstreams.recorder import OPTIONS, AnyPath

Function = Callable[[str, AsyncIterator[bytes], Any], AsyncIterator[bytes]]


@asynccontextmanager
async def streaming(function: Function) -> AsyncIterator[int]:
    """Serve any path by `function`; the port."""
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((AnyPath(function),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)
