"""What an apply writes down."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshconfig.items import Item, Key
from meshconfig.journal import Journal


def test_what_is_noted_is_read_back_and_private(tmp_path: Path) -> None:
    """Its file is readable by its owner alone, and gone when finished."""
    path = tmp_path / "journal"
    journal = Journal.begin(path)
    assert path.stat().st_mode & 0o777 == 0o600
    journal.note(Key("k", "n", "p"), None, Item({}, {"Name": "p"}, "edge:edge"))
    journal.note(Key("k", "n"), Item({}, {"Name": "old"}, ""), None)
    first, second = Journal(path).noted()
    assert (first.key, first.before, first.after) == (Key("k", "n", "p"), None, {"Name": "p"})
    assert (second.before, second.after, second.owner_before) == ({"Name": "old"}, None, "")
    with pytest.raises(FileExistsError):
        Journal.begin(path)
    journal.finish()
    assert not path.exists()


def test_a_line_that_was_cut_off_was_never_acted_on(tmp_path: Path) -> None:
    """The disk filled, or the machine died, while it was written."""
    path = tmp_path / "journal"
    journal = Journal.begin(path)
    journal.note(Key("k", "n"), None, None)
    with path.open("a") as file:
        file.write('{"key": ["k", "m"')
    assert [entry.key.name for entry in journal.noted()] == ["n"]
