"""Connect's errors and ends of streams as JSON."""

from __future__ import annotations

import json

from edge.core.connect_error import ConnectError, Detail, end_of_stream, error_body


def test_an_error_has_its_code_message_and_details() -> None:
    """Details are base64 without padding, with a form for people where there is one."""
    error = ConnectError(5, "no shelf 9", [Detail("a.B", b"\x01", {"x": 1}), Detail("c.D", b"\x01\x02")])
    assert json.loads(error_body(error)) == {
        "code": "not_found",
        "message": "no shelf 9",
        "details": [{"type": "a.B", "value": "AQ", "debug": {"x": 1}}, {"type": "c.D", "value": "AQI"}],
    }


def test_what_is_empty_is_left_out() -> None:
    """The protocol's fields are optional but for the code."""
    assert error_body(ConnectError(13)) == b'{"code":"internal"}'
    assert end_of_stream(None, ()) == b"{}"


def test_an_end_of_stream_gathers_the_values_of_one_name() -> None:
    """Metadata values are lists."""
    end = end_of_stream(ConnectError(1), [(b"x-a", b"1"), (b"x-b-bin", b"AQ"), (b"x-a", b"2")])
    assert json.loads(end) == {"error": {"code": "canceled"}, "metadata": {"x-a": ["1", "2"], "x-b-bin": ["AQ"]}}
