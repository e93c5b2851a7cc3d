"""The gateway's own log: one JSON object per event, whoever speaks, and no failure of its own."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from edge.telemetry.log import configure


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_events_are_json_lines_with_time_level_name_and_fields() -> None:
    stream = io.StringIO()
    configure(stream=stream)
    structlog.get_logger("edge.x").warning("it happened", number=7)
    event = json.loads(stream.getvalue())
    assert event.pop("time").endswith("Z")
    assert event == {"event": "it happened", "level": "warning", "logger": "edge.x", "number": 7}


def test_libraries_come_out_the_same_way_with_their_exception_as_text() -> None:
    stream = io.StringIO()
    configure(stream=stream)
    try:
        raise RuntimeError("bug")
    except RuntimeError:
        logging.getLogger("asyncio").exception("Task exception was never %s", "retrieved")
    event = json.loads(stream.getvalue())
    assert (event["event"], event["level"]) == ("Task exception was never retrieved", "error")
    assert "RuntimeError: bug" in event["exception"]


def test_an_event_cannot_forge_another() -> None:
    stream = io.StringIO()
    configure(stream=stream)
    structlog.get_logger("edge").info('x\n{"event":"forged"}', path="a\nb")
    assert stream.getvalue().count("\n") == 1


def test_levels_below_the_chosen_one_are_silent() -> None:
    stream = io.StringIO()
    configure(stream=stream, level="ERROR")
    structlog.get_logger("edge").warning("no")
    assert stream.getvalue() == ""


def test_a_terminal_gets_the_console_form() -> None:
    stream = io.StringIO()
    configure(stream=stream, json=False)
    structlog.get_logger("edge").info("for eyes", number=7)
    assert "for eyes" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


@pytest.mark.parametrize("json", [True, False])
def test_an_exception_tells_where_and_what_but_no_values(json: bool) -> None:
    """What a function held when it failed may be a client's credentials."""
    stream = io.StringIO()
    configure(stream=stream, json=json)

    def fail(credentials: str) -> None:
        raise RuntimeError("bug")

    try:
        fail("".join(("s3c", "r3t")))
    except RuntimeError:
        structlog.get_logger("edge").exception("a call failed")
    assert "in fail" in stream.getvalue()
    assert "RuntimeError: bug" in stream.getvalue()
    assert "s3cr3t" not in stream.getvalue()


def test_a_closed_standard_error_costs_lines_only() -> None:
    stream = io.StringIO()
    handler = configure(stream=stream)
    stream.close()
    structlog.get_logger("edge").error("nobody hears")
    assert handler.lost == 1
