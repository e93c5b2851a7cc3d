"""CORS and WebSocket in the file: off unless written, and never everything with credentials."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from edge.config.api_models import Api
from edge.config.browser_models import Cors, WebSocket


def api(**fields: object) -> Api:
    return Api.model_validate({"name": "a", "upstream": "u", **fields})


def test_off_by_default() -> None:
    assert (api().cors, api().websocket) == (None, None)
    assert api(websocket=False).websocket is None
    assert api(websocket=True).websocket == WebSocket()


def test_defaults() -> None:
    cors = Cors.model_validate({"origins": ["https://a.example"]})
    assert (cors.methods, cors.headers, cors.credentials, cors.max_age) == ((), (), False, 600.0)


@pytest.mark.parametrize(
    ("cors", "message"),
    [
        ({"origins": ["a.example"]}, "is not an origin"),
        ({"origins": ["re:("]}, "is not a regular expression"),
        ({"origins": ["*"], "credentials": True}, "any page act as the user"),
        ({"origins": ["https://a.example", "*"], "credentials": True}, "any page act as the user"),
        ({"origins": []}, "at least 1"),
    ],
)
def test_what_is_refused_at_load(cors: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        api(cors=cors)
