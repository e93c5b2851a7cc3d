"""What every section has in common."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from edge.config.section import Count, Model, Timeout


class Sample(Model):
    """A section."""

    timeout: Timeout
    """How long."""
    count: Count = 1
    """How many."""


def test_frozen() -> None:
    """A snapshot cannot change under a call."""
    sample = Sample.model_validate({"timeout": "1s"})
    with pytest.raises(ValidationError, match="frozen"):
        setattr(sample, "count", 2)  # noqa: B010  # mypy knows that it is frozen


def test_unknown_keys_are_refused() -> None:
    """A misspelt key is not silently a default."""
    with pytest.raises(ValidationError, match="extra"):
        Sample.model_validate({"timeout": "1s", "cuont": 2})


@pytest.mark.parametrize("data", [{"timeout": "0s"}, {"timeout": "1s", "count": 0}, {"timeout": "1s", "count": True}])
def test_bounds(data: dict[str, object]) -> None:
    """A timeout is more than nothing, a count at least one."""
    with pytest.raises(ValidationError):
        Sample.model_validate(data)


def test_docstrings_are_descriptions() -> None:
    """The text under a field is its documentation."""
    assert Sample.model_fields["timeout"].description == "How long."
