"""The `apis` section: defaults, aliases and the short form of reflection."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from edge.config.api_models import Api, HttpRule, Json, Query, ReflectionSource


def api(**fields: object) -> Api:
    """An API with these fields."""
    return Api.model_validate({"name": "a", "upstream": "u", **fields})


def test_defaults_are_strict() -> None:
    """Unknown fields and parameters are refused, JSON is the proto3 mapping."""
    assert api().json_ == Json(names="json", enums="names", int64="string", unknown_fields="reject")
    assert api().query == Query(unknown="reject", plus_is_space=True, lenient_bools=False)
    assert (api().timeout, api().max_response_bytes) == (15.0, 4 * 1024 * 1024)
    assert not api().default_bindings


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (True, ReflectionSource()),
        (False, None),
        (None, None),
        ({"refresh": "5m"}, ReflectionSource.model_validate({"refresh": "5m"})),
    ],
)
def test_reflection(written: object, meant: ReflectionSource | None) -> None:
    """true is all defaults; below the loader there is a section or nothing."""
    assert api(reflection=written).reflection == meant


def test_json_is_the_key() -> None:
    """The Python name is not accepted."""
    assert api(json={"pretty": True}).json_.pretty
    with pytest.raises(ValidationError):
        api(json_={"pretty": True})


def test_rules_nest() -> None:
    """A rule has bindings of its own kind; its source is empty unless a loader set it."""
    rule = HttpRule.model_validate(
        {"selector": "a.B.C", "get": "/x", "additional_bindings": [{"custom": {"kind": "HEAD", "path": "/x"}}]}
    )
    assert rule.additional_bindings[0].custom is not None
    assert rule.source == ""
