"""Tests that speak of requests and answers, and of no engine, run on every engine there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.wire.portable import compiling

OF_EVERY_ENGINE = {
    "test_against_json_format",
    "test_answer",
    "test_any_type",
    "test_api",
    "test_body",
    "test_decode",
    "test_encode",
    "test_field_mask",
    "test_fillers",
    "test_method",
    "test_partial",
    "test_path",
    "test_query",
    "test_text_binder",
    "test_well_known",
}


@pytest.fixture(scope="module", autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[None]:
    """The engine under test."""
    compiling.use(getattr(request, "param", "portable"))
    yield
    compiling.use("portable")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test of such a module once per engine."""
    if metafunc.module.__name__.rpartition(".")[2] in OF_EVERY_ENGINE:
        metafunc.parametrize("engine", list(compiling.ENGINES), indirect=True, scope="module")
