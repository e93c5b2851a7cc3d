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
    """Instead of endpoints; that it is one of the two is checked in consul_checks."""
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
