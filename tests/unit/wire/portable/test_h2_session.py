"""What is the portable session's own; the rest is in tests/unit/wire/test_h2_sessions.py, for every engine."""

from __future__ import annotations

from edge.wire.portable.h2_session import PortableH2Session
from edge.wire.session import CANCEL, Role
from tests.unit.wire.test_h2_sessions import REQUEST, RESPONSE, TRAILERS


def _joined() -> tuple[PortableH2Session, PortableH2Session]:
    client, server = PortableH2Session(Role.CLIENT), PortableH2Session(Role.SERVER)
    server.receive(client.take())
    client.receive(server.take())
    return client, server


def test_nothing_is_kept_of_streams_that_ended() -> None:
    client, server = _joined()
    for number in range(3000):
        stream = client.open(REQUEST, end=True)
        server.receive(client.take())
        server.send_headers(stream, RESPONSE, end=number % 2 == 0)
        if number % 2:
            server.send_headers(stream, TRAILERS, end=True)
        client.receive(server.take())
    for session in (client, server):
        assert not session._h2.streams
        assert not session._h2._closed_streams


def test_reset_streams_are_remembered_up_to_a_bound() -> None:
    client, _ = _joined()
    for _ in range(5000):
        client.reset(client.open(REQUEST, end=True), CANCEL)
        client.take()
    assert not client._h2.streams
    assert len(client._h2._closed_streams) == 1024
