"""Broken configurations against their golden texts: every problem at once, each with its line, path, value and fix."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config.address import Address
from edge.config.load import load_config
from edge.core.problem import ProblemsError

GOLDEN = Path(__file__).parents[2] / "golden" / "config"
BROKEN = sorted(path.name for path in GOLDEN.iterdir() if path.suffix in {".yaml", ".json"})
ENV = {"EDGE_GOLDEN_WORD": "word"}


def problems_of(path: Path, env: dict[str, str] | None = None) -> ProblemsError:
    """The error that loading must raise."""
    with pytest.raises(ProblemsError) as caught:
        load_config(path, ENV if env is None else env)
    return caught.value


@pytest.mark.parametrize("name", BROKEN)
def test_broken_file_reports_everything(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each broken file's problems equal the text beside it. EDGE_UPDATE_GOLDEN=1 rewrites the texts: read the diff."""
    monkeypatch.chdir(GOLDEN)
    text = f"{problems_of(Path(name))}\n"
    expected = (GOLDEN / name).with_suffix(".txt")
    if os.environ.get("EDGE_UPDATE_GOLDEN"):
        expected.write_text(text)
    assert text == expected.read_text()


DESIGN = """\
# edge.yaml - complete: this alone exposes a gRPC service as REST, gRPC, gRPC-Web and Connect
listeners:
  - bind: 127.0.0.1:8080
admin:
  bind: 127.0.0.1:9901
apis:
  - name: bookstore
    protos: {roots: [protos], files: [bookstore/v1/bookstore.proto]}   # or descriptors: file.binpb, or reflection: true
    upstream: bookstore
upstreams:
  bookstore:
    endpoints: [127.0.0.1:50051]
"""


def write(folder: Path, text: str, name: str = "edge.yaml") -> Path:
    """A configuration file, with an empty proto where the example looks for one."""
    proto = folder / "protos" / "bookstore" / "v1" / "bookstore.proto"
    proto.parent.mkdir(parents=True, exist_ok=True)
    proto.touch()
    path = folder / name
    path.write_text(text)
    return path


def test_the_designs_file_loads_verbatim(tmp_path: Path) -> None:
    """The file of the design is complete."""
    config = load_config(write(tmp_path, DESIGN), {})
    assert config.listeners[0].bind == Address("127.0.0.1", 8080)
    assert config.upstreams["bookstore"].endpoints == (Address("127.0.0.1", 50051),)
    assert config.warnings == ()


def test_warnings_do_not_stop(tmp_path: Path) -> None:
    """They come with the configuration."""
    config = load_config(write(tmp_path, DESIGN + "  spare:\n    endpoints: [127.0.0.1:50052]\n"), {})
    assert [problem.path for problem in config.warnings] == ["upstreams.spare"]


def test_variables_reach_numbers_and_secrets(tmp_path: Path) -> None:
    """A substituted value is validated like a written one."""
    text = DESIGN + "    max_connections: ${N}\n    metadata: {authorization: 'Bearer ${TOKEN}'}\n"
    config = load_config(write(tmp_path, text), {"N": "7", "TOKEN": "hunter2"})
    assert config.upstreams["bookstore"].max_connections == 7
    assert config.upstreams["bookstore"].metadata["authorization"].reveal() == "Bearer hunter2"
    assert "hunter2" not in repr(config)


def test_http_rules_know_their_line(tmp_path: Path) -> None:
    """Routes made of configured rules can say where they were written."""
    rules = "    http:\n      rules:\n        - selector: a.B.C\n          get: /x\n          additional_bindings:\n            - put: /x\n"
    path = write(tmp_path, DESIGN.replace("    upstream: bookstore\n", "    upstream: bookstore\n" + rules))
    rule = load_config(path, {}).apis[0].http.rules[0]
    assert (rule.source, rule.additional_bindings[0].source) == (f"{path}:12", f"{path}:15")


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        (b"a: \xff\n", ":1", "the byte 0xFF is not UTF-8"),
        (b"a: 1\n" + b"#" * (17 * 1024 * 1024), "", "is larger than 16 MiB"),
    ],
    ids=["not utf-8", "too large"],
)
def test_unreadable_content(tmp_path: Path, content: bytes, place: str, message: str) -> None:
    """What is no text of sensible size is refused before it is parsed."""
    path = tmp_path / "edge.yaml"
    path.write_bytes(content)
    (problem,) = problems_of(path).problems
    assert (problem.place, problem.message) == (f"{path}{place}", message)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    """The path is told, and how to give another."""
    for path in (tmp_path / "no.yaml", tmp_path):
        (problem,) = problems_of(path).problems
        assert problem.place == str(path)
        assert problem.message.startswith("cannot be read: ")
        assert problem.fix == "give the path of a configuration file, as in -c edge.yaml"


def test_byte_order_mark_is_no_character(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    assert load_config(write(tmp_path, "\ufeff" + DESIGN), {}).apis[0].name == "bookstore"


_VALUES = st.sampled_from(
    ["", " 5", " x", " [x]", " {x: 1}", " true", " '${X}'", " -1", " 10s", " &a [1]", " *a", "\n  - y", "\n\t", " \x00"]
)


@given(st.integers(0, len(DESIGN.splitlines()) - 1), _VALUES)
def test_no_mutation_of_a_file_ends_in_a_traceback(line: int, value: str) -> None:
    """Whatever stands on a line, loading gives a configuration or problems with a message each."""
    lines = DESIGN.splitlines()
    lines[line] = lines[line].partition(":")[0] + ":" + value
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), "\n".join(lines))
        with contextlib.suppress(ProblemsError):
            load_config(path, {})
