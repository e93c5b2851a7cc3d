"""Which engine runs."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest

from edge.core.problem import ProblemsError
from edge.wire.engines import choose
from edge.wire.session import Role, SessionSettings

HAS_NATIVE = find_spec("edge_native") is not None


@pytest.fixture
def without_native(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "edge_native", None)  # an import of it fails
    monkeypatch.delitem(sys.modules, "edge.wire.native", raising=False)


@pytest.mark.skipif(not HAS_NATIVE, reason="edge-native is not installed")
def test_the_native_engine_runs_where_it_is_installed() -> None:
    assert choose({}).name == "native"


@pytest.mark.usefixtures("without_native")
def test_the_portable_engine_runs_elsewhere() -> None:
    assert choose({}).name == "portable"


def test_the_environment_can_insist_on_the_portable_engine() -> None:
    assert choose({"EDGE_ENGINE": "portable"}).name == "portable"


@pytest.mark.usefixtures("without_native")
def test_an_engine_insisted_on_and_missing_is_a_problem() -> None:
    with pytest.raises(ProblemsError, match="EDGE_ENGINE: the native engine does not load") as raised:
        choose({"EDGE_ENGINE": "native"})
    assert "install edge-native" in raised.value.problems[0].fix


def test_an_engine_nobody_knows_is_a_problem() -> None:
    with pytest.raises(ProblemsError, match="there is no engine 'fast'"):
        choose({"EDGE_ENGINE": "fast"})


def test_every_engine_says_its_version_and_makes_sessions() -> None:
    engine = choose({})
    assert engine.version
    assert engine.session(Role.CLIENT, SessionSettings()).take().startswith(b"PRI * HTTP/2.0")
