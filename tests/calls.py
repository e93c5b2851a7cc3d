"""An upstream's unary call, awaited: the tests' way to make one, and to cancel one by cancelling its task."""

from __future__ import annotations

import asyncio

from edge.outcome import Refusal
from edge.upstream.call import UnaryReply, UnaryRequest, Upstream


async def unary(upstream: Upstream, request: UnaryRequest) -> UnaryReply | Refusal:
    """One call and its outcome, which must come once."""
    outcome: asyncio.Future[UnaryReply | Refusal] = asyncio.get_running_loop().create_future()
    running = upstream.unary(request, outcome.set_result)
    try:
        return await outcome
    except asyncio.CancelledError:
        running.cancel()
        raise
