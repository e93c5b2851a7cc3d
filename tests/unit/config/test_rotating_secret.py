"""Secrets that may change while the gateway runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from edge.config.rotating_secret import RotatingSecret
from edge.config.secret import Secret, Substituted


class Holder(BaseModel):
    """One of them."""

    token: RotatingSecret


def read(value: object, base: Path = Path()) -> RotatingSecret:
    """As a configuration's value."""
    return Holder.model_validate({"token": value}, context={"base": str(base)}).token


def test_file_is_remembered(tmp_path: Path) -> None:
    """Its path is absolute: the process may change its folder."""
    (tmp_path / "token").write_text("hunter2\n")
    found = read("file:token", tmp_path)
    assert found.secret == Secret("hunter2")
    assert found.file == tmp_path / "token"


def test_environment_cannot_change() -> None:
    """So there is nothing to read again."""
    assert read(Substituted("hunter2")) == RotatingSecret(Secret("hunter2"), None)


def test_empty_is_none() -> None:
    """`${TOKEN:-}` may come to nothing."""
    assert read("") == RotatingSecret(None)


@pytest.mark.parametrize("value", ["hunter2", 7, None, "file:missing", ["hunter2"]])
def test_others_are_refused(value: object) -> None:
    """A secret in the file itself among them."""
    with pytest.raises(ValidationError):
        read(value)


def test_it_never_shows_itself() -> None:
    """In no repr, str or dump."""
    holder = Holder(token=RotatingSecret(Secret("hunter2"), Path("/run/token")))
    assert "hunter2" not in f"{holder!r} {holder.token} {holder.model_dump()} {holder.model_dump_json()}"
    assert holder.model_dump() == {"token": "***"}
    assert Holder.model_json_schema()["properties"]["token"]["type"] == "string"
