"""The fields of a line, and that nobody can forge one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.outcome import Fault, Refusal
from edge.telemetry.access_log import AccessLog, line_of
from edge.telemetry.line_writer import LineWriter
from edge.telemetry.sink import Sink
from tests.unit.telemetry.exchanges import exchange


def test_a_line_tells_everything_of_a_call() -> None:
    line = line_of(exchange(user_agent="curl/8"), 0.0123456, "2026-01-01T00:00:00.000Z")
    assert json.loads(line) == {
        "time": "2026-01-01T00:00:00.000Z",
        "request_id": "id-1",
        "dialect": "rest",
        "method": "GET",
        "path": "/v1/x",
        "protocol": "1.1",
        "api": "bookstore",
        "rpc": "bookstore.v1.Bookstore.GetBook",
        "status": 200,
        "grpc_code": "OK",
        "request_bytes": 3,
        "response_bytes": 40,
        "duration_ms": 12.345,
        "upstream_ms": 5.0,
        "upstream": "10.0.0.1:50051",
        "peer": "127.0.0.1:4",
        "user_agent": "curl/8",
    }


def test_a_refused_request_tells_the_fault_and_the_detail_that_the_client_was_not_told() -> None:
    x = exchange(
        target=None,
        status=503,
        grpc_code=14,
        upstream_address="",
        refusal=Refusal(Fault.UPSTREAM_UNAVAILABLE, detail="connect 10.0.0.1:1: refused"),
    )
    fields = json.loads(line_of(x, 0.001, "now"))
    assert (fields["fault"], fields["detail"]) == ("UPSTREAM_UNAVAILABLE", "connect 10.0.0.1:1: refused")
    assert (fields["rpc"], fields["api"], fields["upstream"], fields["upstream_ms"]) == (None, None, None, None)
    assert fields["grpc_code"] == "UNAVAILABLE"


def test_a_code_without_a_name_is_its_number() -> None:
    assert json.loads(line_of(exchange(grpc_code=77), 0.0, "now"))["grpc_code"] == "77"


@pytest.mark.parametrize("evil", ['\n{"status":200}', "a\r\nb", "\x00\x1b[2J", '"', "\u2028", "\x85"])
def test_a_client_cannot_forge_lines(evil: str) -> None:
    """However it breaks in a path, an id or a user agent, the line stays one and printable."""
    line = line_of(exchange(path=evil, request_id=evil, user_agent=evil), 0.0, "now")
    assert line.count(b"\n") == 1
    assert line.endswith(b"}\n")
    assert not any(byte < 0x20 for byte in line[:-1])
    assert json.loads(line)["path"] == evil


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_makes_one_valid_line(text: str) -> None:
    """Lone surrogates too."""
    line = line_of(exchange(path=text, user_agent=text), 0.0, "now")
    assert json.loads(line)["path"] == text.encode("utf-8", "replace").decode()
    assert line.count(b"\n") == 1


async def test_the_time_is_the_end_of_the_call_in_utc(tmp_path: Path) -> None:
    writer = LineWriter(Sink(str(tmp_path / "log")), lambda _: None)
    AccessLog(writer, wall=lambda: 1769903999.35).write([(exchange(started=100.0), 100.5)], 100.6)
    await writer.close()
    assert json.loads((tmp_path / "log").read_text())["time"] == "2026-01-31T23:59:59.250Z"
