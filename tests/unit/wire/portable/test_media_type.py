"""Which bodies are JSON."""

from __future__ import annotations

import pytest

from edge.wire.portable.media_type import is_form, is_json


@pytest.mark.parametrize(
    "text",
    [
        "",
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json ; Charset="utf-8"',
        "application/json;charset=utf8",
        "application/merge-patch+json",
        "application/vnd.x+json; v=1",
    ],
)
def test_json(text: str) -> None:
    """B4: json with any charset spelling, +json, absent."""
    assert is_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "text/plain",
        "application/xml",
        "application/json; charset=latin1",
        "text/json",
        "application/jsonp",
        "json",
        "image/svg+json",
    ],
)
def test_not_json(text: str) -> None:
    assert not is_json(text)


def test_form() -> None:
    assert is_form("application/x-www-form-urlencoded; charset=UTF-8")
    assert not is_form("multipart/form-data; boundary=x")
