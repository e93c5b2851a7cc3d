"""The packages supply google/* and nothing else."""

from __future__ import annotations

import pytest

from edge.descriptors import packages
from edge.descriptors.compile import compile_protos
from tests.unit.descriptors.sources import names


@pytest.mark.parametrize(
    "name",
    [
        "google/api/annotations.proto",
        "google/api/httpbody.proto",
        "google/rpc/error_details.proto",
        "google/type/money.proto",
        "google/protobuf/timestamp.proto",
        "google/protobuf/descriptor.proto",
        "google/longrunning/operations.proto",
    ],
)
def test_google_files_are_supplied_under_their_own_name(name: str) -> None:
    assert packages.supplies(name)
    assert names(compile_protos((), [name]))[-1] == name


@pytest.mark.parametrize(
    "name",
    [
        "grpc/health/v1/health.proto",
        "google/api/none.proto",
        "google/api/http_pb2.py",
        "google",
        "google/../grpc_tools/_proto/google/protobuf/any.proto",
        "",
    ],
)
def test_nothing_else_in_the_packages_can_be_imported(name: str) -> None:
    assert not packages.supplies(name)
