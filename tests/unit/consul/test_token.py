"""The token as it is now."""

from __future__ import annotations

import os
from pathlib import Path

from edge.config.secret import Secret
from edge.consul.token import TokenSource


def test_none_and_fixed() -> None:
    """Without a file there is nothing to watch."""
    assert TokenSource().current() == ""
    assert TokenSource(Secret("a")).current() == "a"


def test_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    """Written over or replaced, as Vault and Kubernetes do."""
    file = tmp_path / "token"
    file.write_text("one\n")
    source = TokenSource(file=file)
    assert source.current() == "one"
    file.write_text("second")
    assert source.current() == "second"
    (tmp_path / "new").write_text("thirds")
    os.utime(
        tmp_path / "new", ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns)
    )  # same size, same time: another file
    (tmp_path / "new").replace(file)
    assert source.current() == "thirds"


def test_file_is_not_read_while_it_stays(tmp_path: Path) -> None:
    """One stat a request."""
    file = tmp_path / "token"
    file.write_text("one")
    source = TokenSource(file=file)
    source.current()
    before = file.stat()
    with file.open("r+") as opened:
        opened.write("two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert source.current() == "one"


def test_file_in_the_middle_of_a_change_leaves_the_last_token(tmp_path: Path) -> None:
    """Gone, empty, unreadable, not text: it is tried again."""
    file = tmp_path / "token"
    file.write_text("one")
    source = TokenSource(Secret("zero"), file)
    assert source.current() == "one"
    file.unlink()
    assert source.current() == "one"
    for raw in (b"", b"\n", b"\xff\xfe", b"a\x00b"):
        file.write_bytes(raw)
        assert source.current() == "one"
    file.unlink()
    file.mkdir()
    assert source.current() == "one"
    file.rmdir()
    file.write_text("two")
    assert source.current() == "two"


def test_first_token_stands_until_the_file_tells_another(tmp_path: Path) -> None:
    """The configuration has read it once already."""
    assert TokenSource(Secret("zero"), tmp_path / "missing").current() == "zero"
