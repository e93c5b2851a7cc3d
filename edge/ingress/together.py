"""
Messages that are there at once, in one write.

Owns that none is lost when a later one cannot be said: what came before it is sent, as if each had gone alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge.ingress.service import AnswerSink


async def say_together(answer: AnswerSink, messages: Sequence[bytes], said: Callable[[bytes], bytes]) -> None:
    """Send each as `said` writes it. Raises what `said` raises."""
    pieces: list[bytes] = []
    try:
        for message in messages:
            pieces.append(said(message))  # those made so far are needed when one cannot be
    finally:
        if pieces:
            await answer.write(b"".join(pieces))
