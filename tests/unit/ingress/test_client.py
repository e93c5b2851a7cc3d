"""Who sent a request, and what the service is told of it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

from edge.core.forwarded import Forwarded
from edge.ingress.client import client_of
from tests.unit.ingress.rpc_scenes import head
from tests.unit.keeping import FEW, LONG, kept_bytes


def test_a_client_without_a_proxy_is_its_connection() -> None:
    """Whatever it claims; what it does not say is not told."""
    read = replace(head(host="api.example", x_forwarded_for="10.0.0.1", x_forwarded_host="evil"), peer="192.0.2.1")
    client = client_of(read, ())
    assert client.origin == Forwarded("192.0.2.1", "192.0.2.1", "http", "api.example")
    assert client.metadata == [
        (b"x-forwarded-for", b"192.0.2.1"),
        (b"x-forwarded-proto", b"http"),
        (b"x-forwarded-host", b"api.example"),
    ]
    assert client_of(replace(read, secure=True), ()).origin.proto == "https"


def test_a_trusted_proxy_is_believed() -> None:
    """And named in the chain; the user agent is the client's."""
    said = {
        "host": "edge",
        "x_forwarded_for": "203.0.113.5",
        "x_forwarded_proto": "https",
        "x_forwarded_host": "api.example",
    }
    read = replace(head(user_agent="curl/8", **said), peer="192.0.2.1")
    client = client_of(read, (ip_network("192.0.2.0/24"),))
    assert client.origin.client == "203.0.113.5"
    assert client.user_agent == "curl/8"
    assert client.metadata == [
        (b"x-forwarded-for", b"203.0.113.5, 192.0.2.1"),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-host", b"api.example"),
        (b"x-forwarded-user-agent", b"curl/8"),
    ]


def test_what_is_remembered_of_clients_is_small() -> None:
    """One that says another host or agent each time makes us hold next to nothing."""

    def say(number: int) -> None:
        text = f"{number}" + "a" * LONG
        for said in ({"host": text}, {"user_agent": text}):
            assert text.encode() in dict(client_of(head(**said), ()).metadata).values()

    assert kept_bytes(say) < FEW
