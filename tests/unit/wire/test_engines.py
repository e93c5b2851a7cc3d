"""Which engine runs."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from edge.core.problem import ProblemsError
from edge.wire.engines import INTERFACE, choose, without_native
from edge.wire.session import Role, SessionSettings

HAS_NATIVE = getattr(find_spec("edge_native") and import_module("edge_native"), "INTERFACE", 1) == INTERFACE
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def missing_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "edge_native", None)  # an import of it fails
    monkeypatch.delitem(sys.modules, "edge.wire.native", raising=False)


@pytest.mark.skipif(not HAS_NATIVE, reason="edge-native is not installed")
def test_the_native_engine_runs_where_it_is_installed() -> None:
    assert choose({}).name == "native"


@pytest.mark.usefixtures("missing_extension")
def test_the_portable_engine_runs_elsewhere() -> None:
    assert choose({}).name == "portable"


def test_the_environment_can_insist_on_the_portable_engine() -> None:
    assert choose({"EDGE_ENGINE": "portable"}).name == "portable"


@pytest.mark.usefixtures("missing_extension")
def test_an_engine_insisted_on_and_missing_is_a_problem() -> None:
    with pytest.raises(ProblemsError, match="EDGE_ENGINE: the native engine does not load") as raised:
        choose({"EDGE_ENGINE": "native"})
    assert "make native" in raised.value.problems[0].fix


def test_an_engine_nobody_knows_is_a_problem() -> None:
    with pytest.raises(ProblemsError, match="there is no engine 'fast'"):
        choose({"EDGE_ENGINE": "fast"})


def test_every_engine_says_its_version_and_makes_sessions() -> None:
    engine = choose({})
    assert engine.version
    assert engine.session(Role.CLIENT, SessionSettings()).take().startswith(b"PRI * HTTP/2.0")


@pytest.fixture(params=[None, INTERFACE - 1, INTERFACE + 1])
def another_build(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extension that loads, but was built for another gateway; the first of all did not say for which."""
    extension = ModuleType("edge_native")
    if request.param is not None:
        extension.INTERFACE = request.param  # type: ignore[attr-defined]  # a module made here
    monkeypatch.setitem(sys.modules, "edge_native", extension)


@pytest.mark.usefixtures("another_build")
def test_an_extension_of_another_build_is_left_alone() -> None:
    """And it is said why."""
    assert choose({}).name == "portable"
    assert "built for another version of edge" in without_native()


@pytest.mark.usefixtures("another_build")
def test_an_extension_of_another_build_cannot_be_insisted_on() -> None:
    with pytest.raises(ProblemsError, match="built for another version of edge"):
        choose({"EDGE_ENGINE": "native"})


@pytest.mark.usefixtures("missing_extension")
def test_a_missing_extension_is_told_from_one_that_does_not_fit() -> None:
    assert "is not installed" in without_native()


def test_the_source_of_the_extension_is_for_this_gateway() -> None:
    source = (ROOT / "native/src/lib.rs").read_text()
    assert re.search(rf"^const INTERFACE: u32 = {INTERFACE};$", source, re.MULTILINE)
