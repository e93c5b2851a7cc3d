"""The curl lines."""

from __future__ import annotations

import shlex

import pytest

from edge.demo import tour
from edge.demo.tour import STEPS, Step


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)
def test_every_line_is_one_shell_line_that_names_its_url(step: Step) -> None:
    line = step.line("http://127.0.0.1:1")
    assert "\n" not in line
    words = shlex.split(line)
    assert words[:2] == ["curl", "-s"]
    assert f"http://127.0.0.1:1{step.path}" in words


def test_a_get_needs_no_x_and_a_post_gets_it_from_its_body() -> None:
    assert Step("", "/a", {}).line("http://h") == "curl -s http://h/a"
    assert Step("", "/a", {}, "POST", "{}").line("http://h") == "curl -s http://h/a -d '{}'"
    assert Step("", "/a", {}, "POST").line("http://h") == "curl -s -X POST http://h/a"
    assert Step("", "/a?b", {}, "PATCH", "{}").line("http://h") == "curl -s -X PATCH 'http://h/a?b' -d '{}'"


def test_an_answer_keeps_its_promise_when_it_has_at_least_what_was_promised() -> None:
    step = Step("", "/", {"a": 1})
    assert step.differs(200, b'{"a": 1, "b": 2}') == ""
    assert "different" in step.differs(200, b'{"a": 2}')
    assert "not JSON" in step.differs(200, b"<html>")
    assert "status 500" in step.differs(500, b'{"a": 1}')
    assert Step("", "/", "abc").differs(200, b"xabcx") == ""
    assert "no 'abc'" in Step("", "/", "abc").differs(200, b"")


def test_promises_read_as_the_answer_does() -> None:
    assert Step("", "/", {"a": 1, "b": "x"}).promise() == '200 {"a": 1, "b": "x", …}'
    assert Step("", "/", "text", status=404).promise() == "404 text"


def test_the_text_has_every_step_at_its_own_listener() -> None:
    text = tour.text("http://gate", "http://admin")
    assert text.count("curl -s") == len(STEPS)
    assert "http://admin/metrics" in text
    assert tour.target("http://127.0.0.1:81") == ("127.0.0.1", 81)
