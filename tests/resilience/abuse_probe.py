"""
After how much of an attack a connection is ended: one connection over TLS that sends unit by unit and looks.

Owns the pace: slow enough that the server's word comes before many more units are under way, fast enough that time forgives little.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests.resilience.assailant import trusting
from tests.resilience.h2_attacks import CALM, GOAWAY, PREFACE, Attack, frames

BATCH_UNITS = 5
PACE_S = 0.002


async def ended_after(port: int, attack: Attack, limit: int, source: str) -> tuple[int | None, bool]:
    """Units sent when the server had ended the connection, None if `limit` were not enough; whether with ENHANCE_YOUR_CALM."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(), local_addr=(source, 0))
    heard = asyncio.ensure_future(_listen(reader))
    sent = 0
    try:
        writer.write(PREFACE + attack.opening)
        while not heard.done() and sent < limit:
            large = len(attack.unit(1)) > 1000
            for _ in range(1 if large else BATCH_UNITS):
                writer.write(attack.unit(2 * sent + 1))
                sent += 1
            await asyncio.sleep(PACE_S)
        await asyncio.wait([heard], timeout=1.0)
    finally:
        ended = heard.done()
        writer.transport.abort()
        heard.cancel()
        with suppress(asyncio.CancelledError):
            await heard
    return (sent if ended else None), ended and heard.result()


async def _listen(reader: asyncio.StreamReader) -> bool:
    """Until the connection is closed, or a GOAWAY says what was wrong: Envoy keeps the socket for a second more."""
    received, codes = b"", [0]
    with suppress(OSError):
        while not any(codes) and (data := await reader.read(65536)):
            received += data
            codes = [int.from_bytes(payload[4:8], "big") for kind, payload in frames(received) if kind == GOAWAY]
    return CALM in codes
