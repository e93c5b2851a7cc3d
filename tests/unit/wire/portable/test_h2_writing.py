"""What is written directly, read back by h2 itself, and what it earns the reader."""

from __future__ import annotations

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded, TrailersReceived
from h2.settings import SettingCodes, Settings

from edge.core import glitches
from edge.core.glitches import GlitchBudget
from edge.wire.portable.h2_connection import GatewayConnection
from edge.wire.session import SessionSettings

HEAD = [(b":status", b"200"), (b"x", b"y" * 40_000)]
REQUEST = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")]


class Scene:
    """Our server with a plain h2 client that has asked once, and can be sent `window` bytes."""

    def __init__(self, window: int = 65_535) -> None:
        self.budget = GlitchBudget(0.0)
        self.server = GatewayConnection(SessionSettings(), client_side=False, budget=self.budget)
        self.client = H2Connection(H2Configuration(header_encoding=None))
        values = {SettingCodes.INITIAL_WINDOW_SIZE: window, SettingCodes.MAX_HEADER_LIST_SIZE: 1 << 20}
        self.client.local_settings = Settings(client=True, initial_values=values)
        self.client.decoder.max_header_list_size = 1 << 20
        self.client.initiate_connection()
        self.client.send_headers(1, REQUEST, end_stream=True)
        list(self.server.feed(self.client.data_to_send()))
        self.read()
        self.budget.level = 100.0

    def read(self) -> list[Event]:
        events: list[Event] = []
        data = self.server.data_to_send()
        for start in range(0, len(data), 10_000):
            events += self.client.receive_data(data[start : start + 10_000])
        return events


def test_a_head_a_body_and_trailers_are_what_h2_reads() -> None:
    scene = Scene()
    scene.server.write_headers(1, HEAD, end=False)  # needs continuations
    assert scene.server.write_data(1, bytes(40_000), end=False) == 40_000
    scene.server.write_headers(1, [(b"t", b"1")], end=True)
    events = scene.read()
    kinds = [type(event) for event in events if not isinstance(event, StreamEnded)]
    assert kinds == [ResponseReceived, DataReceived, DataReceived, DataReceived, TrailersReceived]
    assert sum(len(event.data) for event in events if isinstance(event, DataReceived)) == 40_000
    earned = glitches.ANSWERED * (1 + 3 + 1)
    assert scene.budget.level == 100 - earned


@pytest.mark.parametrize(("window", "earned"), [(65_535, True), (2000, True), (1, False)])
def test_a_window_that_opens_by_drops_earns_nothing(window: int, earned: bool) -> None:
    scene = Scene(window)
    scene.server.write_headers(1, [(b":status", b"200")], end=False)
    level = scene.budget.level
    assert scene.server.write_data(1, bytes(5000), end=True) == min(window, 5000)
    assert (scene.budget.level < level) == earned


def test_an_interim_head_earns_nothing() -> None:
    scene = Scene()
    scene.server.write_headers(1, [(b":status", b"100")], end=False)
    assert scene.budget.level == 100
