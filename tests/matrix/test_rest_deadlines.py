"""
List D (deadlines) of transcoding.md through a whole gateway: what the service is told remains, and what the client gets when none does.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway import running_bookstore
from tests.matrix.rest_site import LAB, Site, compiled, recorded, shaped
from tests.upstreams.plain import Plain, Scripted
from tests.upstreams.recorder import Reply

DEFAULT_S = 15.0


TRIES = 5
"""A busy machine can only leave less time: what most of so many calls are left is what the gateway leaves them."""


def remaining(site: Site, *fields: str) -> float:
    """The seconds the service was told it has, at most, of some calls with these header fields."""
    return max(_remaining(site, *fields) for _ in range(TRIES))


def _remaining(site: Site, *fields: str) -> float:
    site.fresh()
    status, answer = site.raw_get(LAB, *fields)
    if status == 504:  # none
        return 0.0
    assert status == 200, answer
    left_s = site.recorder.last.time_remaining_s
    assert left_s is not None
    return left_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2S", 2.0), ("5000m", 5.0), ("3000000u", 3.0), ("99999999n", 0.0999), ("1M", DEFAULT_S), ("1H", DEFAULT_S),
     ("99999999H", DEFAULT_S), ("00000005S", 5.0)],
)  # fmt: skip
def test_d1_d2_the_nearer_of_client_and_route(lab: Site, text: str, seconds: float) -> None:
    """D1, D2: every unit; the smaller of client and route; what remains of it is forwarded, never more."""
    assert seconds - 1.0 < remaining(lab, f"Grpc-Timeout: {text}") <= seconds + 0.05


@pytest.mark.parametrize("text", ["5", "S", "5s", "123456789S", "-1S", "1.5S", " ", "5 S", "+5S", "5X", "٣S"])
def test_d1_what_is_no_timeout_is_400(lab: Site, text: str) -> None:
    """D1: and names the header."""
    answer = lab.raw(f"GET {LAB} HTTP/1.1\r\nHost: e\r\nConnection: close\r\nGrpc-Timeout: {text}\r\n\r\n".encode())
    if text == " ":  # an empty field value is no value
        assert answer.startswith(b"HTTP/1.1 200 ")
        return
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"field":"grpc-timeout"' in answer
    assert lab.recorder.calls == []


def test_d2_the_route_s_timeout_without_one_of_the_client(lab: Site) -> None:
    """D2: the service is told of ours."""
    assert DEFAULT_S - 2 < remaining(lab) <= DEFAULT_S + 0.05


@pytest.fixture(scope="module")
def _hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with recorded(tmp_path_factory.mktemp("hasty"), api={"timeout": "2s"}) as site:
        yield site


@pytest.fixture
def hasty(_hasty: Site) -> Site:
    """A gateway whose routes have two seconds."""
    return _hasty.fresh()


def test_d2_an_api_s_own_timeout(hasty: Site) -> None:
    """D2: `timeout: 2s`; a client cannot have more, but less."""
    assert 1.0 < remaining(hasty, "Grpc-Timeout: 10S") <= 2.05
    assert 0.0 < remaining(hasty, "Grpc-Timeout: 1000m") <= 1.05


def test_d2_the_time_the_body_took_is_gone(hasty: Site) -> None:
    """D2: the deadline counts from the head's arrival: what the body's arrival took does not remain."""
    with socket.create_connection(("127.0.0.1", hasty.gateway.port)) as sock:
        sock.sendall(f"POST {LAB} HTTP/1.1\r\nHost: e\r\nConnection: close\r\nContent-Length: 2\r\n\r\n".encode())
        time.sleep(0.5)
        sock.sendall(b"{}")
        assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")
    left_s = hasty.recorder.last.time_remaining_s
    assert left_s is not None
    assert left_s < 1.55


@pytest.mark.parametrize("asked", [None, "100m"])
def test_d3_expiry_is_504(hasty: Site, asked: str | None) -> None:
    """D3: DEADLINE_EXCEEDED as a Status, when it is due and not much later."""
    hasty.recorder.default = Reply(delay_s=6.0)
    details: list[Any] = []
    for _ in range(5):
        # The service knows the deadline too: on a busy machine its own DEADLINE_EXCEEDED, without details, may be first.
        started = time.monotonic()
        answer = hasty.get(LAB, **({"grpc_timeout": asked} if asked else {}))
        assert time.monotonic() - started < 5.5  # before the service would have answered
        body = shaped(answer, 504)
        assert body["code"] == 4
        if details := body["details"]:
            break
    assert details, "the service was first, five times"
    assert details[0]["reason"] == "DEADLINE_EXCEEDED"


def test_d3_a_deadline_that_has_passed(lab: Site) -> None:
    """D3: `0S` is 504 without a call that could not succeed."""
    assert shaped(lab.get(LAB, grpc_timeout="0S"), 504)["code"] == 4
    assert lab.recorder.calls == []


def test_d3_the_service_s_own_deadline_exceeded_is_504_too(lab: Site) -> None:
    """D3, E1: told as the service's, without our ErrorInfo."""
    lab.recorder.default = Reply(code=4, text="mine")
    assert shaped(lab.get(LAB), 504) == {"code": 4, "message": "mine", "details": []}


def test_d_against_the_real_service(shop: Site) -> None:
    """D3: Slow for 5 s with 200 ms to go; and in time when there is enough."""
    assert shaped(shop.get("/v1/lab/slow?delay=5s", grpc_timeout="200m"), 504)["code"] == 4
    assert shop.get("/v1/lab/slow?delay=0.01s", grpc_timeout="5S").status_code == 200


async def test_d2_grpc_timeout_on_the_wire(tmp_path: Path) -> None:
    """D2: the header the service gets is at most 8 digits and a unit, and less than what the client sent."""
    async with Plain(Scripted(headers=(("content-type", "application/grpc"), ("grpc-status", "5")))) as upstream:
        async with (
            running_bookstore(tmp_path, upstream.port, api=compiled(tmp_path)) as gateway,
            gateway.client() as client,
        ):
            await client.get(LAB, headers={"grpc-timeout": "2S"})
        told = upstream.requests[0]["grpc-timeout"]
        assert told.endswith("m")
        assert 1_000 <= int(told[:-1]) < 2_000
        assert upstream.requests[0]["te"] == "trailers"
