"""What we rely on in python-hyper's h2, so that a new version that changes it is noticed here."""

from __future__ import annotations

import pytest
from h2.connection import ConnectionState, H2Connection
from h2.events import WindowUpdated
from h2.exceptions import ProtocolError
from hyperframe.frame import GoAwayFrame, SettingsFrame, WindowUpdateFrame

from edge.wire.portable.h2_connection import GatewayConnection
from edge.wire.session import SessionSettings


@pytest.mark.parametrize(
    "name",
    [
        "_receive_headers_frame",
        "_receive_data_frame",
        "_begin_new_stream",
        "_prepare_for_sending",
        "_stream_is_closed_by_reset",
    ],
)
def test_h2_still_has_what_is_overridden_or_called(name: str) -> None:
    assert callable(getattr(H2Connection, name))


def test_h2_alone_gives_up_on_goaway_and_ours_does_not() -> None:
    """The reason for overriding h2's state machine; when h2 changes its mind, ours can go."""
    frames = GoAwayFrame(0).serialize() + WindowUpdateFrame(0, window_increment=1).serialize()
    plain = H2Connection()
    plain.initiate_connection()
    with pytest.raises(ProtocolError):
        plain.receive_data(frames)
    ours = GatewayConnection(SessionSettings(), client_side=True)
    assert isinstance(list(ours.feed(frames))[-1], WindowUpdated)
    assert ours.state_machine.state is ConnectionState.IDLE


def test_the_preface_announces_our_settings() -> None:
    settings = SessionSettings(stream_window_bytes=70_000, connection_window_bytes=100_000, max_frame_bytes=20_000)
    sent = GatewayConnection(settings, client_side=True).data_to_send()
    assert sent.startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    frame, length = SettingsFrame.parse_frame_header(memoryview(sent[24:33]))
    frame.parse_body(memoryview(sent[33 : 33 + length]))
    assert isinstance(frame, SettingsFrame)
    assert frame.settings[SettingsFrame.ENABLE_PUSH] == 0
    assert frame.settings[SettingsFrame.INITIAL_WINDOW_SIZE] == 70_000
    assert frame.settings[SettingsFrame.MAX_FRAME_SIZE] == 20_000
    assert sent.endswith(WindowUpdateFrame(0, window_increment=100_000 - 65535).serialize())
