"""
What an HTTP/2 session costs a call, either role and engine: `python -m tests.bench.h2_sessions [--streams 1000000]`.

The peer's bytes are made beforehand by the same exchange, so that only the session under test is timed: what changes from call to
call (a request id, a timeout) does here too. With `--streams`, one connection carries so many streams, and the cost of the
first and of the last ten thousand stand beside each other. CPU time, by thousands of calls; ratios between rows of one run
count, not the times.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from itertools import pairwise
from time import thread_time

from edge.core.glitches import GlitchBudget
from edge.wire.portable.h2_session import PortableH2Session
from edge.wire.session import DataReceived, H2Session, Header, Role, SessionSettings

MESSAGE = b"\0\0\0\0\x19" + b"twenty-five bytes, so to say"[:25]
RESPONSE = [(b":status", b"200"), (b"content-type", b"application/grpc")]
TRAILERS = [(b"grpc-status", b"0"), (b"grpc-message", b"")]
ANSWER = [(b":status", b"200"), (b"content-type", b"application/json"), (b"content-length", b"30"),
          (b"date", b"Tue, 24 Nov 2026 07:00:00 GMT")]  # fmt: skip
MakeSession = Callable[..., H2Session]


def engines() -> dict[str, MakeSession]:
    """The engines that are installed."""
    found: dict[str, MakeSession] = {"portable": PortableH2Session}
    try:
        from edge.wire.native.h2_session import NativeH2Session
    except ImportError:
        return found
    return {**found, "native": NativeH2Session}


def grpc_request(number: int) -> list[Header]:
    """What the gateway sends to a service."""
    return [
        (b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/bookstore.v1.Bookstore/GetBook"), (b":authority", b"bookstore:50051"),
        (b"te", b"trailers"), (b"content-type", b"application/grpc"), (b"user-agent", b"edge/0.1"),
        (b"grpc-timeout", b"%dm" % (10_000 - number % 100)), (b"x-request-id", b"%032x" % number),
    ]  # fmt: skip


def get_request(number: int) -> list[Header]:
    """What a client asks the gateway."""
    return [
        (b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/v1/shelves/%d/books/2?view=FULL" % (number % 50)),
        (b":authority", b"api.example.com"), (b"user-agent", b"curl/8.0"), (b"accept", b"*/*"), (b"x-request-id", b"%032x" % number),
    ]  # fmt: skip


def settled(make: MakeSession, role: Role) -> tuple[H2Session, H2Session]:
    """A session under test and its peer, past their SETTINGS."""
    budget = GlitchBudget(0.0) if role is Role.SERVER else None
    session = make(role, SessionSettings(), budget)
    peer = engines_peer(Role.SERVER if role is Role.CLIENT else Role.CLIENT)
    for _ in range(2):
        peer.receive(session.take())
        session.receive(peer.take())
    return session, peer


def engines_peer(role: Role) -> H2Session:
    """The fastest engine there is prepares the bytes."""
    return list(engines().values())[-1](role)


def client_calls(make: MakeSession, count: int) -> list[float]:
    """Seconds of each thousand unary calls in the client role."""
    session, peer = settled(make, Role.CLIENT)
    answers = []
    for number in range(count):
        stream = 1 + 2 * number
        peer.receive(_request_bytes(peer, number, stream))
        peer.send_headers(stream, RESPONSE, end=False)
        peer.send_data(stream, MESSAGE, end=False)
        peer.send_headers(stream, TRAILERS, end=True)
        answers.append(peer.take())
    heads = [grpc_request(number) for number in range(count)]
    marks = []
    for number, (head, answer) in enumerate(zip(heads, answers, strict=True)):
        if number % 1000 == 0:
            marks.append(thread_time())
        stream = session.open(head, end=False)
        session.send_data(stream, MESSAGE, end=True)
        session.take()
        for event in session.receive(answer):
            if event.__class__ is DataReceived:
                session.acknowledge(stream, event.flow_bytes)
    marks.append(thread_time())
    return [after - before for before, after in pairwise(marks)]


_writer: dict[int, H2Session] = {}


def _request_bytes(peer: H2Session, number: int, stream: int) -> bytes:
    """A request as a client of the peer's would send it."""
    writer = _writer.get(id(peer))
    if writer is None:
        _writer.clear()
        writer = _writer[id(peer)] = engines_peer(Role.CLIENT)
        writer.take()
    assert writer.open(grpc_request(number), end=True) == stream
    data = writer.take()
    writer.reset(stream, 8)
    writer.take()
    return data


def server_calls(make: MakeSession, count: int) -> list[float]:
    """Seconds of each thousand GETs in the server role."""
    session, peer = settled(make, Role.SERVER)
    questions = []
    for number in range(count):
        stream = peer.open(get_request(number), end=True)
        questions.append(peer.take())
        peer.reset(stream, 8)
        peer.take()
    marks = []
    for number, question in enumerate(questions):
        if number % 1000 == 0:
            marks.append(thread_time())
        session.receive(question)
        stream = 1 + 2 * number
        session.send_headers(stream, ANSWER, end=False)
        session.send_data(stream, MESSAGE, end=True)
        session.take()
    marks.append(thread_time())
    return [after - before for before, after in pairwise(marks)]


def endless(make: MakeSession, count: int) -> tuple[float, float]:
    """Microseconds per exchange, both ends: the median thousand of the first and of the last ten thousand of one connection."""
    session, peer = settled(make, Role.CLIENT)
    head, marks = grpc_request(1), []
    for number in range(count):
        if number % 1000 == 0:
            marks.append(thread_time())
        stream = session.open(head, end=False)
        session.send_data(stream, MESSAGE, end=True)
        for event in peer.receive(session.take()):
            if event.__class__ is DataReceived:
                peer.acknowledge(stream, event.flow_bytes)
        peer.send_headers(stream, RESPONSE, end=False)
        peer.send_data(stream, MESSAGE, end=False)
        peer.send_headers(stream, TRAILERS, end=True)
        for event in session.receive(peer.take()):
            if event.__class__ is DataReceived:
                session.acknowledge(stream, event.flow_bytes)
    marks.append(thread_time())
    spans = [after - before for before, after in pairwise(marks)]
    return statistics.median(spans[:10]) * 1000, statistics.median(spans[-10:]) * 1000


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--streams", type=int, default=0)
    arguments = parser.parse_args()
    for name, make in engines().items():
        client, server = client_calls(make, arguments.calls), server_calls(make, arguments.calls)
        for role, spans in (("client", client), ("server", server)):
            best, median = min(spans) * 1000, statistics.median(spans) * 1000
            print(f"{name:9} {role}: {median:6.2f} us per call (best thousand {best:.2f})")
    if arguments.streams:
        name, make = list(engines().items())[-1]
        first, last = endless(make, arguments.streams)
        print(
            f"{name}: {arguments.streams} streams of one connection, both ends: first 10k {first:.2f} us, last 10k {last:.2f} us"
        )


if __name__ == "__main__":
    main()
