"""What every HTTP/2 engine must do: client and server in memory, and a client against frames written by hand."""

from __future__ import annotations

import re

import h2.connection
import pytest
from hpack.hpack import Decoder, Encoder
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.core.glitches import GlitchBudget
from edge.core.grpc_frame import encode_frame
from edge.core.header_rules import head_fault
from edge.wire.session import (
    CANCEL,
    ENHANCE_YOUR_CALM,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    ConnectionFailed,
    DataReceived,
    GoAwayReceived,
    H2Event,
    H2Session,
    Header,
    HeadersReceived,
    HeadersTooLarge,
    MalformedHeaders,
    PingAcknowledged,
    Role,
    SessionSettings,
    SettingsReceived,
    StreamReset,
    StreamsExhausted,
    TrailersReceived,
    WindowOpened,
    list_bytes,
)
from tests.unit.wire.h2_engines import ENGINES, MakeSession, head, wire

REQUEST = [
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":path", b"/a.B/C"),
    (b":authority", b"h"),
    (b"te", b"trailers"),
]
RESPONSE = [(b":status", b"200"), (b"content-type", b"application/grpc")]
TRAILERS = [(b"grpc-status", b"0")]


class Pair:
    """A client and a server session joined in memory."""

    def __init__(
        self, engine: MakeSession, client: SessionSettings | None = None, server: SessionSettings | None = None
    ) -> None:
        self.client = engine(Role.CLIENT, client)
        self.server = engine(Role.SERVER, server)
        self.at_client: list[H2Event] = []
        self.at_server: list[H2Event] = []

    def exchange(self) -> None:
        """Carry bytes until both sides are silent."""
        while True:
            up, down = self.client.take(), self.server.take()
            if not up and not down:
                return
            self.at_server += self.server.receive(up)
            self.at_client += self.client.receive(down)

    def drain(self) -> tuple[list[H2Event], list[H2Event]]:
        """What either side was told since the last time."""
        self.exchange()
        seen = self.at_client, self.at_server
        self.at_client, self.at_server = [], []
        return seen


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> MakeSession:
    return request.param  # type: ignore[no-any-return]  # one of ENGINES


@pytest.fixture
def pair(engine: MakeSession) -> Pair:
    pair = Pair(engine)
    pair.drain()
    return pair


def test_the_first_thing_either_side_learns_is_settings(engine: MakeSession) -> None:
    theirs = SessionSettings(max_concurrent_streams=7, max_header_list_bytes=5000)
    at_client, at_server = Pair(engine, server=theirs).drain()
    assert at_client[0] == SettingsReceived(7, max_header_list_bytes=5000)
    assert isinstance(at_server[0], SettingsReceived)


@pytest.mark.parametrize("offered", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_other_protocols_on_streams_are_announced_and_taken_or_neither(
    engine: MakeSession, offered: bool, named: bool
) -> None:
    """RFC 8441: where they are not, the request is malformed, as is one that names no authority."""
    server = engine(Role.SERVER, SessionSettings(connect_protocol=offered))
    client = h2.connection.H2Connection()
    client.config.validate_outbound_headers = False
    client.initiate_connection()
    client.receive_data(server.take())
    assert client.remote_settings.enable_connect_protocol == offered
    authority = [(":authority", "h")] if named else []
    asks = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/a"), *authority]
    client.send_headers(1, asks)
    events = [type(event) for event in server.receive(client.data_to_send())]
    taken = offered and named
    assert (HeadersReceived in events, StreamReset in events) == (taken, not taken)


def test_a_unary_call(pair: Pair) -> None:
    stream = pair.client.open(REQUEST, end=False)
    assert pair.client.send_data(stream, b"question", end=True) == 8
    _, at_server = pair.drain()
    assert at_server == [HeadersReceived(stream, REQUEST, end=False), DataReceived(stream, b"question", 8, end=True)]
    pair.server.send_headers(stream, RESPONSE, end=False)
    pair.server.send_data(stream, b"answer", end=False)
    pair.server.send_headers(stream, TRAILERS, end=True)
    at_client, _ = pair.drain()
    assert at_client == [
        HeadersReceived(stream, RESPONSE, end=False),
        DataReceived(stream, b"answer", 6, end=False),
        TrailersReceived(stream, TRAILERS),
    ]


def test_trailers_only_and_interim_heads(pair: Pair) -> None:
    stream = pair.client.open(REQUEST, end=True)
    pair.exchange()
    pair.server.send_headers(stream, [(b":status", b"103")], end=False)
    pair.server.send_headers(stream, [*RESPONSE, *TRAILERS], end=True)
    at_client, _ = pair.drain()
    assert at_client == [
        HeadersReceived(stream, [(b":status", b"103")], end=False, interim=True),
        HeadersReceived(stream, [*RESPONSE, *TRAILERS], end=True),
    ]


def test_flow_control_holds_and_releases_what_the_reader_acknowledges(engine: MakeSession) -> None:
    """3 MB through a 64 KiB window: never more than the window is under way, and all of it arrives."""
    pair = Pair(engine, server=SessionSettings(stream_window_bytes=65535, connection_window_bytes=65535))
    pair.drain()
    stream = pair.client.open(REQUEST, end=False)
    body = bytes(range(256)) * 12_000
    sent, received = 0, b""
    while len(received) < len(body):
        sent += pair.client.send_data(stream, body[sent:], end=True)
        _, at_server = pair.drain()
        chunk = [event for event in at_server if isinstance(event, DataReceived)]
        assert 0 < sum(event.flow_bytes for event in chunk) <= 65535
        assert sent == len(body) or pair.client.send_data(stream, body[sent:], end=True) == 0
        for event in chunk:
            received += event.data
            pair.server.acknowledge(stream, event.flow_bytes)
        at_client, _ = pair.drain()
        assert WindowOpened(stream) in at_client
    assert received == body


def test_the_connections_window_bounds_all_streams_together(engine: MakeSession) -> None:
    pair = Pair(engine, server=SessionSettings(stream_window_bytes=200_000, connection_window_bytes=65535))
    pair.drain()
    first, second = pair.client.open(REQUEST, end=False), pair.client.open(REQUEST, end=False)
    assert pair.client.send_data(first, bytes(60_000), end=True) == 60_000
    assert pair.client.send_data(second, bytes(60_000), end=True) == 5535
    pair.exchange()
    pair.server.acknowledge(first, 60_000)
    at_client, _ = pair.drain()
    assert WindowOpened(0) in at_client
    assert pair.client.send_data(second, bytes(54_465), end=True) == 54_465


def test_data_is_cut_to_the_frame_size(pair: Pair) -> None:
    stream = pair.client.open(REQUEST, end=False)
    pair.client.send_data(stream, bytes(40_000), end=True)
    _, at_server = pair.drain()
    assert [len(event.data) for event in at_server if isinstance(event, DataReceived)] == [16384, 16384, 7232]


def test_a_long_head_is_continued(pair: Pair) -> None:
    head = [*REQUEST, *((b"x-%d" % number, b"v" * 900) for number in range(50))]
    stream = pair.client.open(head, end=True)
    _, at_server = pair.drain()
    assert at_server == [HeadersReceived(stream, head, end=True)]


def test_an_empty_body_ends_the_stream(pair: Pair) -> None:
    stream = pair.client.open(REQUEST, end=False)
    assert pair.client.send_data(stream, b"", end=True) == 0
    _, at_server = pair.drain()
    assert at_server[-1] == DataReceived(stream, b"", 0, end=True)


def test_the_peers_stream_limit_is_kept(engine: MakeSession) -> None:
    pair = Pair(engine, server=SessionSettings(max_concurrent_streams=1))
    pair.drain()
    stream = pair.client.open(REQUEST, end=True)
    assert not pair.client.can_open()
    with pytest.raises(StreamsExhausted):
        pair.client.open(REQUEST, end=True)
    pair.exchange()
    pair.server.send_headers(stream, RESPONSE, end=True)
    pair.exchange()
    assert pair.client.can_open()


def test_a_server_refuses_a_stream_over_its_limit_and_keeps_the_rest(engine: MakeSession) -> None:
    pair = Pair(engine, server=SessionSettings(max_concurrent_streams=1))
    first, second = pair.client.open(REQUEST, end=True), pair.client.open(REQUEST, end=True)  # before the settings came
    at_client, at_server = pair.drain()
    assert StreamReset(second, REFUSED_STREAM) in at_client
    assert [event.stream for event in at_server if isinstance(event, HeadersReceived)] == [first]


def test_reset_both_ways(pair: Pair) -> None:
    mine, theirs = pair.client.open(REQUEST, end=False), pair.client.open(REQUEST, end=False)
    pair.drain()
    pair.client.reset(mine, CANCEL)
    pair.server.reset(theirs, ENHANCE_YOUR_CALM)
    at_client, at_server = pair.drain()
    assert at_server == [StreamReset(mine, CANCEL)]
    assert at_client == [StreamReset(theirs, ENHANCE_YOUR_CALM)]


def test_a_stream_that_is_gone_takes_everything_and_sends_nothing(pair: Pair) -> None:
    stream = pair.client.open(REQUEST, end=False)
    pair.client.reset(stream, CANCEL)
    pair.drain()
    assert pair.client.send_data(stream, b"late", end=True) == 4
    pair.client.send_headers(stream, TRAILERS, end=True)
    pair.client.reset(stream, CANCEL)
    assert pair.client.take() == b""


def test_ping_is_answered(pair: Pair) -> None:
    pair.client.ping(b"12345678")
    at_client, _ = pair.drain()
    assert at_client == [PingAcknowledged(b"12345678")]


def test_after_goaway_running_calls_finish_in_both_directions(pair: Pair) -> None:
    """No new stream, but data still flows up and the whole answer comes down."""
    stream = pair.client.open(REQUEST, end=False)
    pair.exchange()
    pair.server.go_away()
    at_client, _ = pair.drain()
    assert at_client == [GoAwayReceived(stream, 0)]
    assert not pair.client.can_open()
    pair.client.send_data(stream, b"rest", end=True)
    _, at_server = pair.drain()
    assert at_server == [DataReceived(stream, b"rest", 4, end=True)]
    pair.server.send_headers(stream, RESPONSE, end=False)
    pair.server.send_headers(stream, TRAILERS, end=True)
    at_client, _ = pair.drain()
    assert [type(event) for event in at_client] == [HeadersReceived, TrailersReceived]


def test_a_stream_after_our_goaway_is_refused(pair: Pair) -> None:
    pair.client.open(REQUEST, end=True)
    pair.exchange()
    pair.server.go_away()
    late = pair.client.open(REQUEST, end=True)  # crossed on the wire
    at_client, at_server = pair.drain()
    assert at_server[1:] == []
    assert StreamReset(late, REFUSED_STREAM) in at_client


# A client against frames written by hand.


@pytest.fixture
def client(engine: MakeSession) -> H2Session:
    client = engine(Role.CLIENT)
    client.receive(wire(SettingsFrame(0)))
    return client


def test_goaway_and_the_rest_of_the_answer_in_one_read(client: H2Session) -> None:
    """h2 alone would fail on the frame after GOAWAY, and drop what was waiting to be written."""
    first, second = client.open(REQUEST, end=False), client.open(REQUEST, end=False)
    client.take()
    client.send_data(first, b"unwritten", end=True)
    events = client.receive(
        wire(
            head(first, RESPONSE),
            GoAwayFrame(0, last_stream_id=first),
            DataFrame(first, b"data"),
            head(first, TRAILERS, end=True),
        )
    )
    assert [type(event) for event in events] == [HeadersReceived, GoAwayReceived, DataReceived, TrailersReceived]
    assert second > first
    assert b"unwritten" in client.take()


def test_an_index_means_what_the_table_holds_now(client: H2Session) -> None:
    """Blocks of the same octets, between which the peer has sent another field to the table: nothing read before may be told again."""
    encoder = Encoder()
    fields = [(b"x-a", b"1"), (b"x-a", b"1"), (b"x-b", b"2"), (b"x-b", b"2"), (b"x-b", b"2")]
    blocks = []
    for field in fields:
        stream = client.open(REQUEST, end=True)
        blocks.append(encoder.encode([RESPONSE[0], field]))
        (event,) = client.receive(wire(HeadersFrame(stream, blocks[-1], flags=["END_HEADERS", "END_STREAM"])))
        assert event == HeadersReceived(stream, [RESPONSE[0], field], end=True)
    assert blocks[1] == blocks[3] == blocks[4]


def test_a_block_that_fills_the_table_fills_it_each_time(client: H2Session) -> None:
    """As nginx answers: each head puts the same fields into the table again, where a later one finds as many."""
    # A literal with incremental indexing is 0x40 and the index of a name in the static table.
    adds = b"\x88\x76\x05nginx\x5f\x10application/grpc"
    said = [(b":status", b"200"), (b"server", b"nginx"), (b"content-type", b"application/grpc")]
    content_type, server = said[2], said[1]
    finds = b"\x88\xbe\xbf\xc0\xc1"  # the four newest entries
    for block, fields in ((adds, said), (adds, said), (finds, [said[0], *(content_type, server) * 2]), (adds, said)):
        stream = client.open(REQUEST, end=True)
        (event,) = client.receive(wire(HeadersFrame(stream, block, flags=["END_HEADERS", "END_STREAM"])))
        assert event == HeadersReceived(stream, fields, end=True)
    stream = client.open(REQUEST, end=True)
    beyond = b"\x88" + bytes([0xC0 + 4])  # three times two entries were put in, the seventh is none
    events = client.receive(wire(HeadersFrame(stream, beyond, flags=["END_HEADERS", "END_STREAM"])))
    assert isinstance(events[-1], ConnectionFailed)


def test_the_smallest_table_of_one_frame_is_signalled(client: H2Session) -> None:
    """RFC 7541 4.2: a peer that named a small table and then a large one has emptied its own in between."""
    client.open(REQUEST, end=True)
    client.take()
    sizes = b"".join(b"\0\1" + size.to_bytes(4, "big") for size in (64, 4096))
    client.receive(b"\0\0\x0c\4\0\0\0\0\0" + sizes)
    client.take()
    client.open(REQUEST, end=True)
    block = client.take()[9:]  # one HEADERS frame
    decoder = Decoder()
    assert block[0] & 0xE0 == 0x20, "the block begins with a table size"
    assert list(decoder.decode(block, raw=True)) == REQUEST
    assert decoder.header_table_size <= 64


def test_heads_without_end_break_their_stream_alone(client: H2Session) -> None:
    """A service may announce its answer 100 times; what comes after the reset harms no other call."""
    first, second = client.open(REQUEST, end=True), client.open(REQUEST, end=True)
    hint = wire(head(first, [(b":status", b"103")]))
    events = client.receive(hint * 100)
    assert [type(event) for event in events] == [HeadersReceived] * 100
    assert client.receive(hint) == [StreamReset(first, PROTOCOL_ERROR, by_peer=False)]
    assert client.receive(hint + wire(head(second, RESPONSE))) == [HeadersReceived(second, RESPONSE, end=False)]


def test_padding_counts_in_flow_bytes(client: H2Session) -> None:
    stream = client.open(REQUEST, end=True)
    padded = DataFrame(stream, b"abc", pad_length=10, flags=["PADDED"])
    events = client.receive(wire(head(stream, RESPONSE), padded))
    assert events[-1] == DataReceived(stream, b"abc", 14, end=False)


@pytest.mark.parametrize(
    "broken",
    [
        [head(1, [(b"no-status", b"x")])],
        [head(1, [*RESPONSE, (b"Upper", b"x")])],
        [head(1, [*RESPONSE, (b"x", b"a\nb")])],
        [head(1, RESPONSE), head(1, TRAILERS)],
        [head(1, RESPONSE), head(1, [(b":status", b"200")], end=True)],
        [head(1, [(b":status", b"100")], end=True)],
        [head(1, [*RESPONSE, (b"content-length", b"x")])],
        [head(1, [*RESPONSE, (b"content-length", b"3")]), DataFrame(1, b"four")],
        [DataFrame(1, b"before the head")],
        [head(1, RESPONSE), WindowUpdateFrame(1, window_increment=2**31 - 1)],
    ],
)
def test_a_malformed_answer_costs_its_stream_alone(client: H2Session, broken: list[Frame]) -> None:
    bad, good = client.open(REQUEST, end=True), client.open(REQUEST, end=True)
    events = client.receive(wire(*broken, head(good, [*RESPONSE, *TRAILERS], end=True)))
    resets = [event for event in events if isinstance(event, StreamReset)]
    assert [(event.stream, event.by_peer) for event in resets] == [(bad, False)]
    assert events[-1] == HeadersReceived(good, [*RESPONSE, *TRAILERS], end=True)
    assert client.can_open()


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", 0x6),
        (wire(head(2, RESPONSE)), PROTOCOL_ERROR),
        (wire(head(99, RESPONSE)), PROTOCOL_ERROR),
        (wire(WindowUpdateFrame(0, window_increment=2**31 - 1)), 0x3),
        (wire(HeadersFrame(1, b"\xff\xff\xff\xff\xff", flags=["END_HEADERS"])), 0x9),
        (wire(head(1, [*RESPONSE, (b"x", b"y" * 70_000)]))[:16384], None),
    ],
)
def test_a_broken_connection_is_the_last_event(client: H2Session, frames: bytes, code: int | None) -> None:
    client.open(REQUEST, end=True)
    client.take()
    events = client.receive(frames)
    if code is None:
        return
    assert isinstance(events[-1], ConnectionFailed)
    assert events[-1].code == code
    assert client.take()[3] == 0x7, "a GOAWAY is left to write"
    assert client.receive(wire(SettingsFrame(0))) == []
    assert not client.can_open()


def test_events_before_the_failure_are_not_lost(client: H2Session) -> None:
    stream = client.open(REQUEST, end=True)
    events = client.receive(wire(head(stream, [*RESPONSE, *TRAILERS], end=True), head(2, RESPONSE)))
    assert [type(event) for event in events] == [HeadersReceived, ConnectionFailed]


def test_a_header_list_over_our_limit_ends_the_connection(engine: MakeSession) -> None:
    client = engine(Role.CLIENT, SessionSettings(max_header_list_bytes=1000))
    client.receive(wire(SettingsFrame(0)))
    stream = client.open(REQUEST, end=True)
    events = client.receive(wire(head(stream, [*RESPONSE, (b"x", b"y" * 1000)])))
    assert isinstance(events[-1], ConnectionFailed)
    assert events[-1].code == ENHANCE_YOUR_CALM


def test_a_window_the_peer_enlarges_by_settings_is_told(client: H2Session) -> None:
    stream = client.open(REQUEST, end=False)
    assert client.send_data(stream, bytes(70_000), end=True) == 65535
    client.receive(wire(WindowUpdateFrame(0, window_increment=1 << 20)))
    assert client.send_data(stream, bytes(4465), end=True) == 0
    assert client.receive(wire(SettingsFrame(0, settings={0x4: 100_000})))[-1] == WindowOpened(0)
    assert client.send_data(stream, bytes(4465), end=True) == 4465


def test_late_frames_for_a_stream_we_reset_do_no_harm(client: H2Session) -> None:
    stream = client.open(REQUEST, end=True)
    client.reset(stream, CANCEL)
    events = client.receive(
        wire(head(stream, RESPONSE), DataFrame(stream, b"x"), head(stream, TRAILERS, end=True), RstStreamFrame(stream))
    )
    assert events == []
    assert client.can_open()


def test_the_connection_window_survives_data_nobody_reads(client: H2Session) -> None:
    """1.6 MB for streams that were reset pass through a 1 MB window: it must be given back."""
    for _ in range(100):
        stream = client.open(REQUEST, end=True)
        client.reset(stream, CANCEL)
        assert client.receive(wire(DataFrame(stream, bytes(16384)))) == []
        client.take()
    assert client.can_open()


def test_the_connection_window_survives_data_that_breaks_its_stream(client: H2Session) -> None:
    """As above, where each DATA frame is what breaks its stream (more than the content-length)."""
    for _ in range(100):
        stream = client.open(REQUEST, end=True)
        client.receive(wire(head(stream, [*RESPONSE, (b"content-length", b"3")])))
        assert client.receive(wire(DataFrame(stream, bytes(16384)))) == [
            StreamReset(stream, PROTOCOL_ERROR, by_peer=False)
        ]
        client.take()
    assert client.can_open()


fixed_engine = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the fixture is a class


@pytest.mark.parametrize(("window", "earned"), [(100_000, True), (1024, True), (1023, False)])
def test_a_window_that_opens_by_drops_earns_nothing(engine: MakeSession, window: int, earned: bool) -> None:
    """CVE-2019-9517: what the window cuts must be worth a frame."""
    budget = GlitchBudget(0.0)
    client, server = engine(Role.CLIENT, SessionSettings(stream_window_bytes=window)), engine(Role.SERVER, None, budget)
    stream = client.open(REQUEST, end=True)
    server.receive(client.take())
    server.send_headers(stream, RESPONSE, end=False)
    budget.level = 100.0
    assert server.send_data(stream, bytes(5000), end=True) == min(window, 5000)
    assert (budget.level < 100.0) == earned


@fixed_engine
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_no_bytes_raise(engine: MakeSession, chunks: list[bytes]) -> None:
    for role in Role:
        session = engine(role)
        for chunk in chunks:
            session.receive(chunk)
        session.take()


_frames = st.builds(
    lambda kind, flags, stream, payload: (
        len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload
    ),
    st.integers(0, 12),
    st.integers(0, 255),
    st.integers(0, 6),
    st.binary(max_size=30),
)


@fixed_engine
@given(st.lists(_frames, max_size=12))
def test_no_frames_raise(engine: MakeSession, frames: list[bytes]) -> None:
    """Whatever comes, both roles answer with events, and may be used afterwards."""
    client = engine(Role.CLIENT)
    stream = client.open(REQUEST, end=False)
    for frame in frames:
        client.receive(frame)
    client.send_data(stream, b"x", end=True)
    client.acknowledge(stream, 1)
    client.take()
    server = engine(Role.SERVER)
    server.receive(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"".join(frames))
    server.go_away()
    server.take()


@pytest.mark.parametrize("make", ENGINES)
@pytest.mark.parametrize("size", [0, 1, 65_530, 65_531, 65_535, 200_000])
def test_opening_a_call_is_opening_a_stream_and_sending_its_message_framed(make: MakeSession, size: int) -> None:
    """The same bytes go out, and the same rest is left, at the window's edge as well: also where the prefix is all that fits."""
    one, two = make(Role.CLIENT), make(Role.CLIENT)
    framed = encode_frame(bytes(range(256)) * 800)[: size + 5]
    framed = framed[:1] + size.to_bytes(4, "big") + framed[5:]
    stream = one.open(REQUEST, end=False)
    taken = one.send_data(stream, framed, end=True)
    assert two.open_call(REQUEST, framed[5:]) == (stream, len(framed) - taken)
    assert one.take() == two.take()


@pytest.mark.parametrize("make", ENGINES)
@pytest.mark.parametrize("window", range(7))
def test_a_message_is_cut_where_the_window_ends_also_in_its_prefix(make: MakeSession, window: int) -> None:
    client = make(Role.CLIENT)
    client.receive(wire(SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: window})))
    stream, left = client.open_call(REQUEST, b"ab")
    assert left == 7 - window
    client.receive(wire(WindowUpdateFrame(stream, window_increment=10)))
    assert client.send_data(stream, b"\0\0\0\0\2ab"[-left:], end=True) == left
    server = make(Role.SERVER)
    events = server.receive(client.take())
    assert b"".join(event.data for event in events if isinstance(event, DataReceived)) == b"\0\0\0\0\2ab"


@pytest.mark.parametrize("make", ENGINES)
def test_a_call_without_a_message_is_its_head(make: MakeSession) -> None:
    one, two = make(Role.CLIENT), make(Role.CLIENT)
    assert two.open_call(REQUEST, None) == (one.open(REQUEST, end=False), 0)
    assert one.take() == two.take()
    assert one.send_data(1, b"x", end=True) == two.send_data(1, b"x", end=True) == 1
    assert one.take() == two.take()


MALFORMED: list[list[Header]] = [
    [*REQUEST, (b"x", b"a\r\nb")],
    [*REQUEST, (b"x", b"a\0b")],
    [*REQUEST, (b"x", b"a\n")],
    [*REQUEST, (b"X-Upper", b"1")],
    [*REQUEST, (b"", b"1")],
    [*REQUEST, (b"a b", b"1")],
    [*REQUEST, (b"x", b"1"), (b":path", b"/other")],
    [*REQUEST, REQUEST[0]],
    [*REQUEST, (b":status", b"200")],
    [*REQUEST, (b":strange", b"1")],
    [(b"x", b"1"), *REQUEST],
    [*REQUEST, (b"connection", b"close")],
    [*REQUEST[:2], (b":path", b"/\n"), REQUEST[3]],
]


@pytest.mark.parametrize("make", ENGINES)
@pytest.mark.parametrize("message", [None, b"x"])
@pytest.mark.parametrize("used", [False, True])
def test_a_head_that_must_not_be_sent_is_refused_before_anything_has_changed(
    make: MakeSession, message: bytes | None, used: bool
) -> None:
    """In the words of the header rules; what follows is written as if it had not been, by a session that knows the fields or does not."""
    touched, other = make(Role.CLIENT), make(Role.CLIENT)
    if used:
        for each in (touched, other):
            each.open_call(REQUEST, b"x")
            each.take()
    start = b"" if used else other.take()
    for headers in MALFORMED:
        with pytest.raises(MalformedHeaders, match=re.escape(str(head_fault(headers)))):
            touched.open_call(headers, message)
        assert touched.take() == start
        start = b""
    good = [*REQUEST, (b"te", b"trailers"), (b"x", b" spaced "), (b"user-agent", b"new")]
    assert touched.open_call(good, message) == other.open_call(good, message)
    assert touched.take() == other.take()


@pytest.mark.parametrize("make", ENGINES)
def test_a_head_larger_than_the_peer_takes_is_refused_before_anything_has_changed(make: MakeSession) -> None:
    """To the octet, as SETTINGS_MAX_HEADER_LIST_SIZE counts; malformed is said first."""
    client = make(Role.CLIENT)
    client.receive(wire(SettingsFrame(0, settings={SettingsFrame.MAX_HEADER_LIST_SIZE: list_bytes(REQUEST) + 40})))
    client.take()
    for message in (None, b"x"):
        with pytest.raises(HeadersTooLarge):
            client.open_call([*REQUEST, (b"x", b"12345678")], message)
        with pytest.raises(MalformedHeaders):
            client.open_call([*REQUEST, (b"x", b"1234567\n")], message)
        assert client.take() == b""
    assert client.open_call([*REQUEST, (b"x", b"1234567")], b"x") == (1, 0)


@pytest.mark.parametrize("make", ENGINES)
@pytest.mark.parametrize("message", [None, b"x"])
def test_a_session_that_is_closing_opens_no_call(make: MakeSession, message: bytes | None) -> None:
    session = make(Role.CLIENT)
    session.go_away()
    session.take()
    with pytest.raises(StreamsExhausted):
        session.open_call(REQUEST, message)
    assert session.take() == b""
