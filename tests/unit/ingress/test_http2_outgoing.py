"""What a stream has to send, against a session that takes as little as it is told to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.ingress.http2_outgoing import Outgoing
from edge.wire.portable.h2_session import PortableH2Session
from edge.wire.session import DataReceived, HeadersReceived, Role, SessionSettings, TrailersReceived
from tests.unit.ingress.http2_wire import request

HEAD = [(b":status", b"200")]


def sessions(window: int) -> tuple[PortableH2Session, PortableH2Session]:
    """A server and its client, joined, with one stream open whose window is this."""
    client = PortableH2Session(Role.CLIENT, SessionSettings(stream_window_bytes=window))
    server = PortableH2Session(Role.SERVER)
    client.open(request(), end=True)
    server.receive(client.take())
    client.receive(server.take())
    return server, client


def test_a_head_alone_ends_the_stream_with_it() -> None:
    server, client = sessions(1000)
    outgoing = Outgoing()
    outgoing.begin(HEAD)
    outgoing.end()
    assert outgoing.push(server, 1, 100)
    assert (outgoing.over, outgoing.waiting) == (True, False)
    assert client.receive(server.take()) == [HeadersReceived(1, HEAD, end=True)]


@given(st.integers(0, 300), st.integers(1, 120), st.integers(1, 90), st.booleans())
def test_everything_arrives_in_order_whatever_is_taken_at_a_time(
    size: int, window: int, limit: int, trailers: bool
) -> None:
    server, client = sessions(window)
    body = bytes(n % 256 for n in range(size))
    outgoing = Outgoing()
    outgoing.begin(HEAD)
    outgoing.add(body)
    outgoing.end([(b"t", b"1")] if trailers else [])
    received, kinds = b"", []
    while outgoing.waiting:
        moved = outgoing.push(server, 1, limit)
        events = client.receive(server.take())
        assert moved or not events
        for event in events:
            kinds.append(type(event))
            if isinstance(event, DataReceived):
                assert len(event.data) <= limit
                received += event.data
                client.acknowledge(1, event.flow_bytes)
        server.receive(client.take())
    assert received == body
    assert outgoing.body_bytes == size
    assert outgoing.over
    assert kinds[0] is HeadersReceived
    assert (kinds[-1] is TrailersReceived) == trailers


def test_pieces_are_added_one_after_the_other() -> None:
    server, client = sessions(10)
    outgoing = Outgoing()
    outgoing.begin(HEAD)
    outgoing.add(b"0123456789ab")
    assert outgoing.push(server, 1, 100)
    assert outgoing.waiting
    assert not outgoing.push(server, 1, 100)  # no window
    client.receive(server.take())
    client.acknowledge(1, 10)
    server.receive(client.take())
    assert outgoing.push(server, 1, 100)
    assert not outgoing.waiting
    assert not outgoing.over


@pytest.mark.parametrize("ended", [True, False])
def test_cleared_it_wants_nothing_more(ended: bool) -> None:
    outgoing = Outgoing()
    outgoing.begin(HEAD)
    outgoing.add(b"x")
    if ended:
        outgoing.end()
    outgoing.clear()
    assert (outgoing.over, outgoing.waiting) == (True, False)
