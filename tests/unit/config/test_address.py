"""host:port and IP networks: what they mean, what is refused."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from edge.config.address import Address, Network


class Section(BaseModel):
    """A section with a network."""

    network: Network


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("[::1]:80", "::1", 80),
        ("[0:0:0:0:0:0:0:1]:80", "::1", 80),
        (":8080", "", 8080),
        ("localhost:50051", "localhost", 50051),
        ("books.default.svc.cluster.local.:1", "books.default.svc.cluster.local.", 1),
        ("_grpc.example:65535", "_grpc.example", 65535),
        ("127.0.0.1:0", "127.0.0.1", 0),
    ],
)
def test_address(text: str, host: str, port: int) -> None:
    """Host without brackets, port as a number."""
    assert Address.parse(text) == Address(host, port)


@pytest.mark.parametrize(
    ("written", "fix"),
    [
        (8080, "write 127.0.0.1:8080, or :8080 for all interfaces"),
        ("localhost", "write localhost:8080"),
        ("[::1]", "write [::1]:8080"),
        ("::1:80", "put an IPv6 address in brackets: [::1]:80"),
        ("http://a.example:80/x", "write host:port alone: a.example:80"),
        ("127.0.0.256:80", "write it as in 127.0.0.1:80"),
        ("127.1:80", "write it as in 127.0.0.1:80"),
        ("[::g]:80", "write it as in [::1]:80"),
    ],
)
def test_no_address_with_its_own_fix(written: object, fix: str) -> None:
    """A frequent mistake is told what it should have been."""
    with pytest.raises(PydanticCustomError) as caught:
        Address.parse(written)
    assert caught.value.context is not None
    assert caught.value.context["fix"] == fix


@pytest.mark.parametrize(
    "written",
    [
        "",
        ":",
        "a:",
        "a:b",
        "a:65536",
        "a:-1",
        "a:+1",
        "a: 1",
        "a b:1",
        "-a:1",
        "a..b:1",
        "a/b:1",
        "a:١",
        None,
        True,
        [],
        "a:000080",
    ],
)
def test_no_address(written: object) -> None:
    """Anything else is refused."""
    with pytest.raises(PydanticCustomError):
        Address.parse(written)


def test_sexagesimal_trap() -> None:
    """YAML 1.1 reads 8080:30 as the number 484830; here it is a host of digits, and refused as that."""
    with pytest.raises(PydanticCustomError, match="no IPv4 address"):
        Address.parse("8080:30")


@given(st.ip_addresses(), st.integers(0, 65535))
def test_reads_what_it_prints(host: object, port: int) -> None:
    """parse ∘ str = identity for every IP address."""
    address = Address(str(host), port)
    assert Address.parse(str(address)) == address


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    """No text raises anything but the declared error."""
    try:
        address = Address.parse(text)
    except PydanticCustomError:
        return
    assert 0 <= address.port <= 65535


def test_wildcard() -> None:
    """All interfaces, in each spelling."""
    assert [Address.parse(text).is_wildcard for text in (":1", "0.0.0.0:1", "[::]:1", "127.0.0.1:1")] == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("text", ["10.0.0.0/8", "fd00::/8", "192.0.2.1"])
def test_network(text: str) -> None:
    """Networks of both families; one address is a network."""
    assert Section.model_validate({"network": text}).network == ip_network(text)


@pytest.mark.parametrize(
    ("written", "fix"),
    [
        ("10.0.0.1/8", "write 10.0.0.0/8, or the one address without /"),
        ("everyone", "write it as in 10.0.0.0/8 or fd00::/8"),
        (5, "write it as in 10.0.0.0/8 or fd00::/8"),
    ],
)
def test_no_network(written: object, fix: str) -> None:
    """Host bits set, or no network at all."""
    with pytest.raises(ValidationError) as caught:
        Section.model_validate({"network": written})
    assert caught.value.errors()[0]["ctx"]["fix"] == fix
