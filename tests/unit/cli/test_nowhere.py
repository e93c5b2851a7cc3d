"""What would be sent is kept, and only if it would be sent to its end."""

from __future__ import annotations

from edge.cli.nowhere import GivenBody, Recorder, ShownAnswer
from edge.outcome import Fault, Refusal
from edge.upstream.call import UnaryRequest
from tests.calls import unary


async def test_a_unary_request_is_kept_and_refused() -> None:
    recorder = Recorder()
    request = UnaryRequest(b"/a.B/C", b"m")
    refusal = await unary(recorder, request)
    assert isinstance(refusal, Refusal)
    assert refusal.fault is Fault.UPSTREAM_UNAVAILABLE
    assert recorder.request is request


async def test_of_a_stream_the_first_message_is_kept_once_it_ends_well() -> None:
    recorder = Recorder()
    stream = await recorder.open_stream(b"/a.B/C", ((b"a", b"b"),), 7.0)
    await stream.send(b"first")
    await stream.send(b"second")
    assert recorder.request is None
    await stream.end()
    sent = recorder.request
    assert sent is not None
    assert (sent.path, sent.message, sent.metadata, sent.deadline) == (b"/a.B/C", b"first", ((b"a", b"b"),), 7.0)
    assert (await stream.head(), await stream.receive()) == (None, None)
    assert isinstance(stream.outcome, Refusal)


async def test_a_stream_that_breaks_off_was_not_sent() -> None:
    recorder = Recorder()
    stream = await recorder.open_stream(b"/a.B/C")
    await stream.send(b"first")
    stream.cancel()
    assert await stream.head() is None
    assert recorder.request is None


async def test_body_and_answer() -> None:
    body = GivenBody(b"x")
    assert (await body.read(), await body.read()) == (b"x", b"")
    shown = ShownAnswer()
    shown.start(400, ((b"a", b"b"),))
    await shown.write(b"1")
    await shown.write(b"2")
    shown.end()
    assert (shown.answer.status, shown.answer.headers, shown.answer.body) == (400, ((b"a", b"b"),), b"12")
