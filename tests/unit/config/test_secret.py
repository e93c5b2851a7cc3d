"""Secrets: where they may come from, and that nothing shows them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from edge.config.secret import Secret, Substituted


class Section(BaseModel):
    """A section with a secret."""

    token: Secret


def load(value: object, base: Path | str = ".") -> Section:
    """A section validated as the loader does."""
    return Section.model_validate({"token": value}, context={"base": str(base)})


def refusal(value: object, base: Path | str = ".") -> str:
    """The message a value is refused with."""
    with pytest.raises(ValidationError) as caught:
        load(value, base)
    return caught.value.errors()[0]["msg"]


def test_from_the_environment() -> None:
    """Text that was substituted is a secret."""
    assert load(Substituted("hunter2")).token.reveal() == "hunter2"


def test_from_a_file(tmp_path: Path) -> None:
    """A file's text without its last line break, relative to the configuration's folder."""
    (tmp_path / "token").write_bytes(b"hunter2\r\n")
    assert load("file:token", tmp_path).token.reveal() == "hunter2"


@pytest.mark.parametrize("value", ["hunter2", "", 5, None, ["hunter2"]])
def test_inline_is_refused_and_not_quoted(value: object) -> None:
    """What stands in the file itself is no secret any more."""
    message = refusal(value)
    assert message == "a secret is written into the file"


def test_nothing_shows_it() -> None:
    """repr, str, format, dump and schema errors hide the value."""
    section = load(Substituted("hunter2"))
    shown = [
        repr(section),
        str(section),
        f"{section.token}",
        section.model_dump_json(),
        repr(section.model_dump()),
        repr(section.token),
    ]
    assert not any("hunter2" in text for text in shown)


def test_compared_by_value() -> None:
    """A reload can see that a secret has changed."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert hash(Secret("a")) == hash(Secret("a"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the secret is empty"),
        (b"a\nb", "line break"),
        (b"a\x00b", "control character"),
        (b"\xff", "is not UTF-8"),
        (b"x" * 70000, "larger than 64 KiB"),
    ],
)
def test_unusable_file(tmp_path: Path, content: bytes, message: str) -> None:
    """What could not be sent as a header is refused when it is read."""
    (tmp_path / "token").write_bytes(content)
    assert message in refusal("file:token", tmp_path)


def test_missing_file(tmp_path: Path) -> None:
    """The path is told, so that it can be corrected."""
    assert "no-such" in refusal("file:no-such", tmp_path)


@pytest.mark.parametrize("value", ["file:/dev/zero", "file:.", "file:", "file:a\0b", "file:" + "x" * 5000])
def test_what_is_no_file(value: str, tmp_path: Path) -> None:
    """Devices are not read, and no path raises."""
    assert "no such file" in refusal(value, tmp_path)


def test_own_instance_passes() -> None:
    """Code may construct sections from secrets."""
    assert Section(token=Secret("a")).token.reveal() == "a"
