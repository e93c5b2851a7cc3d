"""Kubernetes' sections: types and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from edge.config.kubernetes_models import UpstreamKubernetes


@pytest.mark.parametrize(("written", "kept"), [("grpc", "grpc"), (50051, "50051"), ("50051", "50051"), (None, None)])
def test_a_port(written: object, kept: str | None) -> None:
    """A name, or a number written either way."""
    assert UpstreamKubernetes.model_validate({"service": "a", "port": written}).port == kept


@pytest.mark.parametrize("wrong", [
    {"service": "A"}, {"service": "a.b"}, {"service": "a" * 64}, {"service": "a", "namespace": ""}, {"service": "a", "port": 0},
    {"service": "a", "port": "70000"}, {"service": "a", "port": True}, {"service": "a", "port": "a_b"}, {"service": "a", "zone": ""},
    {"service": "a", "family": "ipv5"}, {},
])  # fmt: skip
def test_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UpstreamKubernetes.model_validate(wrong)
