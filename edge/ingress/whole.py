"""
A whole answer on a sink for streams: what a streaming call answers when there is nothing to stream.

Owns that such an answer looks like any other: with its length, and without a body where its status allows none.
"""

from __future__ import annotations

from edge.ingress.http1_response import BODILESS
from edge.ingress.service import Answer, AnswerSink


async def send_whole(sink: AnswerSink, answer: Answer) -> int:
    """Send it, head to end; the status sent."""
    if answer.status in BODILESS:
        sink.start(answer.status, answer.headers)
    else:
        sink.start(answer.status, (*answer.headers, (b"content-length", b"%d" % len(answer.body))))
        await sink.write(answer.body)
    sink.end(answer.trailers)
    return answer.status
