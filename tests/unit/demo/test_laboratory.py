"""Echoes and failures to order."""

from __future__ import annotations

import pytest

from edge.demo.failure import Failure
from edge.demo.laboratory import Laboratory
from edge.demo.messages import Messages


@pytest.fixture
def laboratory(new: Messages) -> Laboratory:
    return Laboratory(new)


def test_echoes_give_back_the_message_itself(new: Messages, laboratory: Laboratory) -> None:
    specimen = new.Specimen(int64_value=-1)
    assert laboratory.echo_specimen(specimen) is specimen
    node = new.Node(label="x")
    assert laboratory.echo_tree(node) is node


def test_a_payload_of_the_size_asked_for_is_made(new: Messages, laboratory: Laboratory) -> None:
    assert len(laboratory.echo_payload(new.Payload(make_bytes=102_400)).text) == 102_400
    assert laboratory.echo_payload(new.Payload(text="x")).text == "x"
    with pytest.raises(Failure, match="make_bytes"):
        laboratory.echo_payload(new.Payload(make_bytes=-1))


def test_a_body_comes_back_alone(new: Messages, laboratory: Laboratory) -> None:
    body = {"content_type": "text/x", "data": b"1"}
    assert laboratory.echo_body(new.EchoBodyRequest(name="n", body=body)).data == b"1"


def test_every_kind_of_detail_can_be_had(new: Messages, laboratory: Laboratory) -> None:
    with pytest.raises(Failure, match="broken") as raised:
        laboratory.fail(new.FailRequest(code="UNAVAILABLE", message="broken", details=[1, 2, 3, 4, 5, 6, 99]))
    assert raised.value.code == 14
    names = [detail.DESCRIPTOR.name for detail in raised.value.details]
    assert names == ["BadRequest", "ErrorInfo", "RetryInfo", "OutOfStock", "Any", "Any"]
    assert raised.value.status()


def test_ok_fails_to_fail(new: Messages, laboratory: Laboratory) -> None:
    laboratory.fail(new.FailRequest(details=[1]))


async def test_waiting_is_bounded_and_measured(new: Messages, laboratory: Laboratory) -> None:
    assert (await laboratory.slow(new.SlowRequest(), None)).HasField("waited")
    for seconds in (-1, 601):
        with pytest.raises(Failure, match="delay"):
            await laboratory.slow(new.SlowRequest(delay={"seconds": seconds}), None)
