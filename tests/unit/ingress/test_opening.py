"""What is known of a call once its head was read."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest

from edge.core.forwarded import Forwarded
from edge.exchange import Dialect, Exchange
from edge.ingress.client import Client
from edge.ingress.opening import Opening, metadata_of, resolve
from edge.outcome import Fault, Refusal
from edge.pipeline import Pipeline
from tests.unit.ingress.rpc_scenes import RpcScene, fields, head

TARGET = "/pkg.Svc/Unary"


def opening(**headers: str) -> Opening:
    """Of a head that came at 99.0."""
    client = Client(Forwarded("192.0.2.1", "", "https", ""), "curl/8", [(b"x-forwarded-for", b"192.0.2.1")])
    read = replace(head("POST", TARGET, **headers), started=99.0)
    return Opening(RpcScene().serving, Pipeline(()), Dialect.GRPC, read, client, "id")


@pytest.mark.parametrize(
    ("timeout", "from_route", "deadline"),
    [("", True, 114.0), ("2S", True, 101.0), ("1H", True, 114.0), ("", False, None), ("2S", False, 101.0)],
)
def test_the_deadline_is_the_nearer_one(timeout: str, from_route: bool, deadline: float | None) -> None:
    """Counted from the head's first byte; a stream has the client's only."""
    given = opening(grpc_timeout=timeout)
    target = given.serving.routes.targets[TARGET]
    assert resolve(given, target, deadline_from_route=from_route) is None
    assert (given.target, given.deadline) == (target, deadline)


def test_a_dialect_reads_timeouts_its_own_way() -> None:
    """And what it cannot read is the client's fault."""
    given = opening(grpc_timeout="never looked at", timeout_ms="7000")
    target = given.serving.routes.targets[TARGET]

    def read(text: bytes) -> float:
        return int(text) / 1000

    assert resolve(given, target, deadline_from_route=False, asked_by=b"timeout-ms", parse=read) is None
    assert given.deadline == 106.0
    refusal = resolve(given, target, deadline_from_route=False, asked_by=b"grpc-timeout", parse=read)
    assert isinstance(refusal, Refusal)
    assert (refusal.fault, refusal.violations[0].field) == (Fault.INVALID_ARGUMENT, "grpc-timeout")


def test_the_service_is_told_who_and_where_the_client_is_by_us() -> None:
    """Whatever the client says of it."""
    given = opening(x_a="1", x_forwarded_for="10.0.0.1", x_request_id="mine")
    resolve(given, given.serving.routes.targets[TARGET], deadline_from_route=False)
    assert fields(metadata_of(given, [(b"edge-more", "2")])) == {
        "x-a": "1",
        "x-forwarded-for": "192.0.2.1",
        "edge-more": "2",
    }


def test_it_is_the_exchange_that_policies_see() -> None:
    """Everything that is known of a call from its head, and nothing yet of what became of it."""
    given = opening()
    known = Exchange(Dialect.GRPC, "POST", TARGET, "2", "192.0.2.1", "id", 99.0, "curl/8")
    assert isinstance(given, Exchange)
    assert {each.name: getattr(given, each.name) for each in dataclasses.fields(Exchange)} == dataclasses.asdict(known)
