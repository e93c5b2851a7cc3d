"""Consul's sections: types, defaults and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from edge.config.consul_models import (
    AgentUrl,
    Consul,
    ConsulCheck,
    ConsulService,
    Near,
    Port,
    ServiceId,
    ServiceName,
    UpstreamConsul,
    Word,
)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("http://127.0.0.1:8500", "http://127.0.0.1:8500"),
        ("127.0.0.1:8500", "http://127.0.0.1:8500"),
        ("https://consul.example:8501/", "https://consul.example:8501"),
        ("https://[fd00::1]:8501/consul", "https://[fd00::1]:8501/consul"),
        ("unix:///run/consul/http.sock", "unix:///run/consul/http.sock"),
    ],
)
def test_agent_addresses(written: str, kept: str) -> None:
    """URLs, host and port alone, sockets."""
    assert TypeAdapter(AgentUrl).validate_python(written) == kept


@pytest.mark.parametrize(
    "written",
    [
        "",
        "http://",
        "ftp://a:1",
        "http://a:0",
        "http://a:99999",
        "http://u:p@a:1",
        "http://a:1?x=1",
        "http://a:1#f",
        "unix://run/sock",
        "unix:sock",
        "http://[::1",
    ],
)
def test_addresses_that_name_no_agent(written: str) -> None:
    """Each with a fix."""
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(AgentUrl).validate_python(written)
    assert caught.value.errors()[0]["ctx"]["fix"].startswith("write http://127.0.0.1:8500")


@pytest.mark.parametrize(("kind", "good", "bad"), [
    (ServiceName, ["web", "web.v1_2-a", "a" * 128], ["", "-web", "web-", "we b", "a/b", "a" * 129, "wéb"]),
    (ServiceId, ["web:1.a-b_c", "a"], ["", "a b", 'a"b', "a/b", ":a"]),
    (Word, ["dc1", "v1.2"], ["", "_agent", "a/b"]),
    (Near, ["node-1", "_agent", "_ip"], ["", "_node", "a/b"]),
])  # fmt: skip
def test_names(kind: Any, good: list[str], bad: list[str]) -> None:
    """What could lead a path or a filter elsewhere is refused."""
    adapter: TypeAdapter[str] = TypeAdapter(kind)
    assert [adapter.validate_python(each) for each in good] == good
    for each in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(each)


@pytest.mark.parametrize("value", [0, -1, 65536, True, "x"])
def test_ports(value: object) -> None:
    """1 to 65535."""
    with pytest.raises(ValidationError):
        TypeAdapter(Port).validate_python(value)


@pytest.mark.parametrize("meta", [{"a b": "1"}, {"consul-x": "1"}, {"a": "x" * 513}, {f"k{n}": "" for n in range(64)}])
def test_metadata_consul_would_not_take(meta: dict[str, str]) -> None:
    """Said at load, not at the first registration."""
    with pytest.raises(ValidationError):
        ConsulService(name="web", port=1, meta=meta)


def test_wait_is_at_most_what_agents_grant() -> None:
    """Ten minutes."""
    assert Consul.model_validate({"wait": "10m"}).wait == 600.0
    with pytest.raises(ValidationError):
        Consul.model_validate({"wait": "11m"})


def test_defaults() -> None:
    """The local agent, no token, default consistency, mTLS to the instances."""
    consul = Consul()
    assert (consul.address, consul.token.secret, consul.consistency, consul.wait) == (
        "http://127.0.0.1:8500",
        None,
        "default",
        300.0,
    )
    assert consul.register_ is None
    assert UpstreamConsul(service="web").dial == "native"
    assert ConsulCheck(grpc="a:1").interval == 10.0


def test_register_is_written_without_an_underscore() -> None:
    """`{}` is a registration with all defaults."""
    found = Consul.model_validate({"service": "edge", "register": {}}).register_
    assert found is not None
    assert found.port is None
