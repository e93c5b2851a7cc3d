"""Gateways that the REST tests share: one before a recorder, one before the real bookstore."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway import bookstore_config
from tests.matrix.rest_site import Site, recorded, serving
from tests.upstreams.bookstore import BookstoreProcess


@pytest.fixture(scope="session")
def _recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with recorded(tmp_path_factory.mktemp("lab")) as site:
        yield site


@pytest.fixture
def lab(_recorded: Site) -> Site:
    """The bookstore's API with default options before a recorder, which echoes until told otherwise."""
    return _recorded.fresh()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The real bookstore behind a gateway that compiles its protos; tests make what they change."""
    folder = tmp_path_factory.mktemp("shop")
    with BookstoreProcess() as upstream, serving(folder, bookstore_config(folder, upstream.port)) as site:
        yield site
