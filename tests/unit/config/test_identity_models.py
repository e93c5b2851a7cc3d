"""The identity section: types and what they refuse."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from edge.config.identity_models import Identity, SpiffeName, WorkloadSocket


@pytest.mark.parametrize("written", ["unix:///run/spire/agent.sock", "tcp://127.0.0.1:8081"])
def test_a_workload_api(written: str) -> None:
    """As SPIFFE_ENDPOINT_SOCKET has it."""
    assert TypeAdapter(WorkloadSocket).validate_python(written) == written


@pytest.mark.parametrize(
    "written", ["/run/spire/agent.sock", "unix:run/a.sock", "unix://run/a.sock", "http://a", "tcp:///a", ""]
)
def test_no_workload_api(written: str) -> None:
    with pytest.raises(ValidationError, match=r"is no address of a Workload API|names no socket"):
        TypeAdapter(WorkloadSocket).validate_python(written)


@pytest.mark.parametrize("written", ["spiffe://Td/a", "spiffe://td/a/", "http://td/a", "spiffe://td/../a", "td/a"])
def test_no_spiffe_id(written: str) -> None:
    """The strict grammar: what a certificate could never carry is refused here."""
    with pytest.raises(ValidationError, match="is no SPIFFE ID"):
        TypeAdapter(SpiffeName).validate_python(written)


def test_files_need_all_three() -> None:
    """A certificate, its key, and whom to trust."""
    with pytest.raises(ValidationError) as caught:
        Identity.model_validate({"files": {}})
    assert [error["loc"] for error in caught.value.errors()] == [
        ("files", "cert"),
        ("files", "key"),
        ("files", "trust_bundle"),
    ]
