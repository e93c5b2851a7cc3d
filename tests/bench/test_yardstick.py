"""The yardstick's own rules: a ratio is within a round, a slow server is not spared, unequal work is not measured."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.bench import answers, open_loop
from tests.bench.findings import Findings, Sample, ratio
from tests.bench.scenes import Scene

STALL_S = 0.4
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def stalling_port() -> Iterator[int]:
    """A server that answers at once, but for one pause in which it answers nobody."""
    pause = threading.Lock()
    asked = [0]

    def serve(connection: socket.socket) -> None:
        with connection:
            while connection.recv(4096):
                with pause:
                    asked[0] += 1
                    if asked[0] == 20:
                        time.sleep(STALL_S)
                connection.sendall(_ANSWER)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_a_stall_is_felt_by_all_that_were_due(stalling_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 400 a second over 1 s, a stall of 0.4 s is felt by some 160 requests, not by the one on each of two connections."""
    monkeypatch.setattr(open_loop, "CONNECTIONS", 2)
    pace = open_loop.drive(stalling_port, "/", rate=400, seconds=1)
    assert (pace.errors, pace.unanswered) == (0, 0)
    assert pace.p99_ms > STALL_S * 1000 * 0.7
    assert pace.p99_ms >= pace.p50_ms


def test_a_ratio_is_taken_within_a_round() -> None:
    """The second round is slow for both: the ratio does not see it, nor does it pair one round with another."""
    found = ratio([10.0, 100.0, 30.0], [20.0, 200.0, 15.0])
    assert (found.median, found.low, found.high) == (0.5, 0.5, 2.0)
    assert str(found) == "**0.50** (0.50-2.00)"


def test_ratios_are_of_rows_the_peer_was_measured_in() -> None:
    findings = Findings()
    for server, cpu_us in (("edge", 50.0), ("Envoy", 100.0)):
        findings.add("bare", "GET small", server, Sample(cpu_us, 1, 1, 1, 1, 0))
    findings.add("bare", "gRPC", "edge", Sample(1, 1, 1, 1, 1, 0))
    assert {row: each.median for row, each in findings.cpu_ratios("Envoy").items()} == {"GET small, bare": 0.5}


def _scene(messages: int = 1) -> Scene:
    return Scene("a scene", "GET", "/", b"", "/a.B/C", b"", messages=messages, expected={"id": "2", "pages": 0})


@pytest.mark.parametrize("body", [{"id": "2"}, {"id": "2", "pages": 0, "state": "STATE_UNSPECIFIED"}])
def test_fields_at_their_default_are_no_difference(body: object) -> None:
    answers.compare("peer", _scene(), json.dumps(body).encode())


def test_a_stream_may_be_an_array_or_lines() -> None:
    answers.compare("peer", _scene(2), b'[{"id":"2"},{"id":"2"}]')
    answers.compare("peer", _scene(2), b'{"result":{"id":"2"}}\n{"result":{"id":"2"}}\n')


@pytest.mark.parametrize("body", [b'{"id":"3"}', b"[]", b'{"id":"2","more":1}'])
def test_another_answer_is_not_measured(body: bytes) -> None:
    with pytest.raises(answers.UnequalWorkError, match="a scene: peer answers"):
        answers.compare("peer", _scene(), body)
