"""One call from its body to its settled end: each way out is recorded, and settled once."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable

import pytest

from edge.exchange import Exchange
from edge.ingress.service import Answer, answer_to
from edge.outcome import Fault, Refusal
from edge.pipeline import Admission
from edge.upstream.call import UnaryReply
from edge.wire.codec import BindingError, Source
from tests.unit.ingress.scenes import Scene, head


class Gate:
    """A policy that takes one permit and gives it back, or refuses."""

    name = "gate"

    def __init__(self, *, refuse: bool = False, wait: bool = False) -> None:
        self.held = 0
        self._refuse = refuse
        self._wait = wait

    def admit(self, x: Exchange) -> Admission | Awaitable[Admission]:
        if self._wait:
            return self._later()
        return self._now()

    async def _later(self) -> Admission:
        await asyncio.sleep(0)
        return self._now()

    def _now(self) -> Admission:
        if self._refuse:
            return Refusal(Fault.OVERLOADED)
        self.held += 1
        return self._give_back

    def _give_back(self, x: Exchange) -> None:
        self.held -= 1


async def test_a_call_goes_through_and_is_told() -> None:
    """The common path: match, bind, forward, print, settle."""
    gate = Gate()
    scene = Scene(gate)
    answer = await scene.ask(head(query="q=1"), b"body")
    assert (answer.status, answer.body) == (200, b'"yes"')
    (x,) = scene.ended
    assert (x.status, x.grpc_code, x.request_bytes, x.response_bytes) == (200, 0, 4, 5)
    assert (x.upstream_address, x.upstream_s, x.refusal) == ("192.0.2.9:50051", 0.25, None)
    assert scene.upstream.asked[0].path == b"/pkg.Svc/M1"
    assert scene.upstream.asked[0].message == b"x|q=1|body"
    assert gate.held == 0


@pytest.mark.parametrize("wait", [False, True])
async def test_a_policy_refuses_before_the_body_is_bound(wait: bool) -> None:
    """ADR 4: a refused caller costs no decoding."""
    scene = Scene(Gate(refuse=True, wait=wait))
    scene.api.codec.fails = AssertionError("bound")
    assert (await scene.ask(head())).status == 503
    assert scene.upstream.asked == []


async def test_a_body_that_does_not_fit_is_400_and_never_forwarded() -> None:
    """B6."""
    scene = Scene(gate := Gate())
    scene.api.codec.fails = BindingError(Source.BODY, "a.b", "is not a number")
    answer = await scene.ask(head())
    assert (answer.status, scene.upstream.asked, gate.held) == (400, [], 0)
    assert json.loads(answer.body)["message"] == "a.b: is not a number"


async def test_a_coded_body_is_inflated_within_bounds() -> None:
    """B5: 1000 bytes are allowed here."""
    scene = Scene()
    await scene.ask(head("POST", "/v1/a", content_encoding="gzip"), gzip.compress(b"x" * 1000))
    assert scene.upstream.asked[0].message == b"|" + b"x" * 1000
    bomb = await scene.ask(head("POST", "/v1/a", content_encoding="gzip"), gzip.compress(b"x" * 1001))
    assert bomb.status == 413
    assert (await scene.ask(head("POST", "/v1/a", content_encoding="lzma"), b"x")).status == 415
    assert (await scene.ask(head("POST", "/v1/a", content_encoding="gzip"), b"x")).status == 400


async def test_a_services_error_keeps_its_code_and_text() -> None:
    """E1, E2."""
    scene = Scene()
    scene.upstream.reply = UnaryReply(5, None, "no shelf 9")
    answer = await scene.ask(head())
    assert (answer.status, json.loads(answer.body)["message"]) == (404, "no shelf 9")
    assert (scene.ended[0].grpc_code, scene.ended[0].refusal) == (5, None)


async def test_an_upstream_that_cannot_be_reached_is_told_as_a_refusal() -> None:
    """E4."""
    scene = Scene()
    scene.upstream.reply = Refusal(Fault.UPSTREAM_UNAVAILABLE, "connection refused: 10.0.0.7", retry_after_s=0.5)
    answer = await scene.ask(head())
    assert answer.status == 503
    assert b"10.0.0.7" not in answer.body
    assert scene.ended[0].refusal is scene.upstream.reply


async def test_an_answer_that_cannot_be_printed_is_500() -> None:
    """R5: the service's fault, not the client's."""
    scene = Scene()
    scene.api.codec.cannot_print = True
    assert (await scene.ask(head())).status == 500
    assert scene.ended[0].refusal is not None
    assert scene.ended[0].refusal.fault is Fault.UPSTREAM_MALFORMED


async def test_a_bug_of_ours_is_500_without_its_text_and_settled() -> None:
    """E6."""
    scene = Scene(gate := Gate())
    scene.api.codec.fails = RuntimeError("secret path")
    answer = await scene.ask(head())
    assert (answer.status, gate.held) == (500, 0)
    assert b"secret" not in answer.body


async def test_a_client_that_leaves_cancels_the_call_and_gives_everything_back() -> None:
    """D, S6: the cancellation reaches the upstream call; the log says CANCELLED."""
    scene = Scene(gate := Gate())
    scene.upstream.hang = True
    call = scene.begin(head())
    assert not isinstance(call, Answer)
    assert not call.streams
    task = asyncio.ensure_future(answer_to(call, b""))
    await asyncio.sleep(0)
    assert gate.held == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    call.sent(0)
    assert scene.upstream.cancelled == 1
    assert (scene.ended[0].status, scene.ended[0].grpc_code, gate.held) == (499, 1, 0)


async def test_an_abandoned_call_is_told_too() -> None:
    """A body that never came."""
    scene = Scene(gate := Gate())
    call = scene.begin(head("POST", "/v1/a"))
    assert not isinstance(call, Answer)
    assert not call.streams
    answer = call.abandon(Refusal(Fault.REQUEST_TIMEOUT))
    call.sent(len(answer.body))
    assert (answer.status, scene.ended[0].status, gate.held) == (408, 408, 0)


async def test_metadata_names_the_caller_by_our_own_word() -> None:
    """H2, H5: our own entries, and captured parameters; what gRPC cannot carry is left out."""
    scene = Scene()
    await scene.ask(head(query="odd=1", user_agent="curl/8", accept_language="de", host="caf\xe9"))
    told = dict(scene.metadata)
    assert told[b"accept-language"] == b"de"
    assert told[b"x-forwarded-user-agent"] == b"curl/8"
    assert told[b"x-request-id"] == b"new-id"
    assert told[b"edge-unknown-query"] == b"odd=1"
    assert b"x-forwarded-host" not in told


async def test_response_metadata_becomes_headers_and_may_choose_the_status() -> None:
    """H3, H4."""
    scene = Scene()
    scene.upstream.reply = UnaryReply(
        0, b"ok", headers=[(b"x-http-code", b"201"), (b"x-cost", b"3")], trailers=[(b"x-sum", b"9")]
    )
    answer = await scene.ask(head(te="trailers"))
    assert answer.status == 201
    assert (b"grpc-metadata-x-cost", b"3") in answer.headers
    assert (b"grpc-trailer-x-sum", b"9") in answer.headers
    assert (b"grpc-trailer-x-sum", b"9") not in (await scene.ask(head())).headers


class Endless:
    """A policy that waits for ever, so that its call can be left."""

    name = "waits"

    def __init__(self) -> None:
        self.waiting = self.left = 0

    async def admit(self, x: Exchange) -> Admission:
        self.waiting += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.left += 1
        return None


@pytest.mark.parametrize("turns", [0, 3])
async def test_a_client_that_leaves_while_a_policy_waits_is_told_of_when_the_policy_has_ended(turns: int) -> None:
    """However early it leaves: nothing of the call is left, and the service never heard of it."""
    scene = Scene(policy := Endless())
    call = scene.begin(head())
    assert not isinstance(call, Answer)
    assert not call.streams
    answers: list[Answer | None] = []
    call.finish(b"", answers.append)
    for _ in range(turns):
        await asyncio.sleep(0)
    call.cancel()
    assert answers == []
    for _ in range(5):
        await asyncio.sleep(0)
    call.sent(0)
    assert (answers, policy.waiting, policy.left, scene.upstream.asked) == ([None], 1, 1, [])
    assert scene.ended[0].grpc_code == 1


async def test_a_cancellation_behind_the_answer_changes_nothing() -> None:
    """The client leaves while it is sent."""
    scene = Scene()
    call = scene.begin(head())
    assert not isinstance(call, Answer)
    assert not call.streams
    answer = await answer_to(call, b"")
    call.cancel()
    call.sent(len(answer.body))
    assert (scene.upstream.cancelled, scene.ended[0].status, scene.ended[0].refusal) == (0, 200, None)
