"""How durations and sizes are written, and what is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from edge.config.models import Limits
from edge.config.units import Bytes, Seconds, no_bool, true_as_section, written_as_text


class Section(BaseModel):
    """A section with one of each."""

    timeout: Seconds = Seconds(1.5)
    size: Bytes = Bytes(1024)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("2s", 2.0),
        ("5m", 300.0),
        ("1h", 3600.0),
        ("1.5s", 1.5),
        (" 2 s ", 2.0),
        ("0s", 0.0),
        ("0.1ms", 0.0001),
    ],
)
def test_duration(text: str, seconds: float) -> None:
    """A duration is a number and a unit, and a plain float below the configuration."""
    parsed = Section(timeout=text).timeout
    assert parsed == seconds
    assert isinstance(parsed, float)


@pytest.mark.parametrize(
    ("written", "fix"),
    [
        (15, "write 15s (or ms, m, h)"),
        (0.5, "write 0.5s (or ms, m, h)"),
        ("15", "write 15s (or ms, m, h)"),
        ("15 parsecs", "write a number and a unit: 250ms, 2s, 5m or 1h"),
        ("-1s", "write a number and a unit: 250ms, 2s, 5m or 1h"),
        ("1e3s", "write a number and a unit: 250ms, 2s, 5m or 1h"),
        ("1m30s", "write a number and a unit: 250ms, 2s, 5m or 1h"),
        ("١s", "write a number and a unit: 250ms, 2s, 5m or 1h"),
        (True, "write a number and a unit: 250ms, 2s, 5m or 1h"),
        (None, "write a number and a unit: 250ms, 2s, 5m or 1h"),
        ("8785h", "write a duration such as 1h"),
    ],
)
def test_no_duration(written: object, fix: str) -> None:
    """A bare number or anything else is refused, with what to write instead."""
    with pytest.raises(PydanticCustomError) as caught:
        Seconds.parse(written)
    assert caught.value.context is not None
    assert caught.value.context["fix"] == fix


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("64KiB", 65536),
        ("4MiB", 4194304),
        ("1GiB", 1073741824),
        ("1MB", 1000000),
        ("1kB", 1000),
        ("512", 512),
        (512, 512),
        ("7B", 7),
    ],
)
def test_size(written: object, size: int) -> None:
    """Binary units count by 1024, decimal ones by 1000, a bare number counts bytes."""
    assert Section(size=written).size == size


@pytest.mark.parametrize("written", ["4 megabytes", -1, 1.5, "1.5MiB", "KiB", True, None, "1mb", "9999999999999999"])
def test_no_size(written: object) -> None:
    """Fractions, negative numbers and unknown units are refused."""
    with pytest.raises(PydanticCustomError, match="is not a size"):
        Bytes.parse(written)


@given(st.integers(min_value=0, max_value=10**15 - 1))
def test_size_reads_what_it_prints(size: int) -> None:
    """parse ∘ str = identity."""
    assert Bytes.parse(str(Bytes(size))) == size


@given(st.integers(min_value=0, max_value=31_000_000_000))
def test_duration_reads_what_it_prints(milliseconds: int) -> None:
    """parse ∘ str keeps a duration to the microsecond."""
    duration = Seconds(milliseconds / 1000)
    assert Seconds.parse(str(duration)) == pytest.approx(duration, abs=1e-6)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.25, "250ms"), (2.0, "2s"), (1.5, "1.5s"), (300.0, "5m"), (7200.0, "2h"), (0.0, "0s")]
)
def test_duration_prints_as_written(seconds: float, text: str) -> None:
    """A default shows as an operator would write it."""
    assert str(Seconds(seconds)) == text


def test_values_are_plain_below_the_configuration() -> None:
    """JSON printers and C libraries take float and int, not their subclasses; defaults are no exception."""
    limits = Limits.model_validate({"header_timeout": "1s", "max_uri_bytes": "1KiB"})
    for value in (limits.header_timeout, limits.body_timeout, Limits().idle_timeout):
        assert type(value) is float
    for size in (limits.max_uri_bytes, limits.max_body_bytes, Limits().max_header_bytes):
        assert type(size) is int


def test_own_instances_pass() -> None:
    """Code may construct sections from typed values."""
    assert Section(timeout=Seconds(0.2), size=Bytes(3)).timeout == 0.2


def test_dump_is_what_an_operator_writes() -> None:
    """A section as JSON can be loaded again."""
    dumped = Section().model_dump_json()
    assert json.loads(dumped) == {"timeout": "1.5s", "size": "1KiB"}
    assert Section.model_validate_json(dumped) == Section()


def test_bool_is_no_count() -> None:
    """true is not 1."""
    assert no_bool(5) == 5
    with pytest.raises(PydanticCustomError):
        no_bool(True)


def test_version_number_is_text() -> None:
    """1.3 without quotes is a YAML number."""
    assert written_as_text(1.3) == "1.3"
    assert written_as_text("1.3") == "1.3"


def test_true_means_all_defaults() -> None:
    """true is the section, false is none."""
    assert true_as_section(True) == {}
    assert true_as_section(False) is None
    assert true_as_section({"a": 1}) == {"a": 1}


def test_errors_do_not_quote() -> None:
    """Quoting is done by whoever knows whether the value may be shown."""
    with pytest.raises(ValidationError) as caught:
        Section(timeout="hunter2")
    assert "hunter2" not in caught.value.errors()[0]["msg"]
