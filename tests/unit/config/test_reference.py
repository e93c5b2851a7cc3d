"""docs/configuration.md is made of the models and current."""

from __future__ import annotations

from pathlib import Path

from edge.config.reference import markdown

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_page_is_current() -> None:
    """When this fails: edge schema --markdown > docs/configuration.md."""
    assert PAGE.read_text() == markdown()


def test_defaults_and_types_read_as_written() -> None:
    """One row of each kind."""
    page = markdown()
    for row in (
        "| `bind` | address | required |",
        "| `timeout` | duration | `15s` |",
        "| `max_body_bytes` | size | `4MiB` |",
        "| `compression` | `true` or `false` | `true` |",
        "| `int64` | `string`, `number` | `string` |",
        "| `endpoints` | list of address | empty |",
        "| `token` | secret | none |",
        "| `metadata` | mapping of secret | empty |",
        "| `trusted_proxies` | list of IP network | empty |",
        "| `tls` | section | none |",
    ):
        assert row in page


def test_every_section_has_its_heading_once() -> None:
    """HttpRule contains itself and is listed once."""
    headings = [line for line in markdown().splitlines() if line.startswith("## ")]
    assert "## apis[].http.rules[].custom" in headings
    assert "## upstreams.NAME.tls" in headings
    assert len(headings) == len(set(headings))
    assert not any("additional_bindings[]" in heading for heading in headings)
