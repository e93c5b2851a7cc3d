"""The `upstreams` section."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from edge.config.address import Address
from edge.config.secret import Substituted
from edge.config.upstream_models import Upstream


def test_defaults_notice_dead_connections() -> None:
    """Plaintext, pings every 20 s, reconnect within a second."""
    upstream = Upstream.model_validate({"endpoints": ["[::1]:50051"]})
    assert upstream.endpoints == (Address("::1", 50051),)
    assert upstream.tls is None
    assert (upstream.keepalive.interval, upstream.keepalive.timeout) == (20.0, 5.0)
    assert (upstream.reconnect.initial, upstream.reconnect.max) == (0.05, 0.8)


def test_an_upstream_may_be_found_in_consul() -> None:
    """Instead of endpoints; that it is one of them is checked in source_checks."""
    upstream = Upstream.model_validate({"consul": {"service": "books"}})
    assert upstream.endpoints == ()
    assert upstream.consul is not None
    assert (upstream.consul.service, upstream.consul.dial) == ("books", "native")


def test_nothing_may_wait() -> None:
    """max_pending 0 refuses at once; negative is an error."""
    assert Upstream.model_validate({"endpoints": ["a:1"], "max_pending": 0}).max_pending == 0
    with pytest.raises(ValidationError):
        Upstream.model_validate({"endpoints": ["a:1"], "max_pending": -1})


def test_metadata_is_secret() -> None:
    """A whole upstream can be logged."""
    upstream = Upstream.model_validate({"endpoints": ["a:1"], "metadata": {"authorization": Substituted("hunter2")}})
    assert "hunter2" not in repr(upstream)
    assert upstream.metadata["authorization"].reveal() == "hunter2"


@pytest.mark.parametrize(
    ("section", "fixed", "located", "name"),
    [
        ({"endpoints": ["books.shop:1"]}, True, False, None),
        ({"endpoints": ["10.0.0.1:1", "books.shop.:1"], "dns": "strict"}, False, True, "books.shop"),
        ({"endpoints": ["10.0.0.1:1"], "tls": {"spiffe_ids": ["spiffe://td/a"]}}, True, True, None),
        ({"kubernetes": {"service": "books", "namespace": "shop"}}, False, True, "books.shop.svc"),
        ({"consul": {"service": "books"}}, False, False, None),
    ],
)
def test_who_tells_the_endpoints(section: dict[str, object], fixed: bool, located: bool, name: str | None) -> None:
    """And by which name those at addresses are called."""
    upstream = Upstream.model_validate(section)
    assert (upstream.fixed, upstream.located, upstream.service_name) == (fixed, located, name)
