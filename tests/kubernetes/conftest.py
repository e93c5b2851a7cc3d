"""One real API server for the tests of this folder; skipped where it is not built."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers.kubernetes_api import KubernetesApi, built, running_api


@pytest.fixture(scope="session")
def kubernetes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubernetesApi]:
    pytest.importorskip("kubernetes", reason="the official client is not installed")
    if not built():
        pytest.skip("no Kubernetes API server: run make kubernetes")
    with running_api(tmp_path_factory.mktemp("kubernetes")) as api:
        yield api
