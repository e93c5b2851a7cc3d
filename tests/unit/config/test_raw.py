"""Reading data of unknown shape: another type counts as absent."""

from __future__ import annotations

from edge.config.document import Data, Unsubstituted
from edge.config.raw import is_known, items, listed, named, section, text

DATA: Data = {"map": {"a": {"x": 1}, "b": 2}, "list": [{"y": 1}, 2, [3]], "text": "t", "empty": "", "number": 5}


def test_right_types() -> None:
    """What is there comes back, with its place."""
    assert section(DATA, "map") == {"a": {"x": 1}, "b": 2}
    assert items(DATA, "list") == [{"y": 1}, 2, [3]]
    assert text(DATA, "text") == "t"
    assert list(listed(DATA, "list")) == [(("list", 0), {"y": 1})]
    assert list(named(DATA, "map")) == [(("map", "a"), {"x": 1})]


def test_wrong_types_are_absent() -> None:
    """No check fails on data the schema refuses."""
    for data in (DATA, None, [], "x", 5):
        assert section(data, "text") == {}
        assert items(data, "text") == []
        assert text(data, "number") is None
        assert text(data, "empty") is None
        assert list(listed(data, "map")) == []
        assert list(named(data, "list")) == []


def test_unknown_text_is_absent() -> None:
    """A value whose reference failed has been reported already."""
    assert text({"a": Unsubstituted("${X}")}, "a") is None
    assert is_known("x")
    assert not is_known(Unsubstituted("${X}"))
