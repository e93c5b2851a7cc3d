"""From configuration and environment to plain values."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from edge.config.consul_models import Consul, ConsulCheck, UpstreamConsul
from edge.config.load import load_config
from edge.config.models import Config
from edge.consul.client import Scope
from edge.consul.settings import (
    agent_for_command,
    agent_from_environment,
    agent_of,
    check_of,
    gateway_definition,
    lookup_of,
    manners_of,
    service_definition,
)
from edge.core.consul_definition import Check
from edge.core.problem import ProblemsError


def config(folder: Path, consul: str, bind: str = "127.0.0.1:8080", env: dict[str, str] | None = None) -> Config:
    """A configuration with this consul section."""
    file = folder / "edge.yaml"
    file.write_text(
        f"listeners: [{{bind: '{bind}'}}]\nconsul: {consul}\napis: [{{name: a, reflection: true, upstream: u}}]\n"
        "upstreams: {u: {endpoints: ['127.0.0.1:1']}}\n"
    )
    return load_config(file, env or {})


def test_agent_of_a_configuration(tmp_path: Path) -> None:
    """Address, token and its file, scope, consistency."""
    (tmp_path / "token").write_text("hunter2\n")
    given = config(
        tmp_path,
        "{address: 'http://10.0.0.1:8500', token: 'file:token', datacenter: dc2, namespace: ns, consistency: stale}",
    )
    assert given.consul is not None
    agent = agent_of(given, given.consul)
    assert (str(agent.place), agent.token.current(), agent.consistency) == ("http://10.0.0.1:8500", "hunter2", "stale")
    assert agent.scope == Scope("dc2", "ns")
    (tmp_path / "token").write_text("rotated!")
    assert agent.token.current() == "rotated!"


def test_the_issues_own_token_may_be_missing(tmp_path: Path) -> None:
    """`${CONSUL_HTTP_TOKEN:-}`."""
    for env, token in (({}, ""), ({"CONSUL_HTTP_TOKEN": "t"}, "t")):
        given = config(tmp_path, "{token: '${CONSUL_HTTP_TOKEN:-}'}", env=env)
        assert given.consul is not None
        assert agent_of(given, given.consul).token.current() == token


def test_tls_and_sockets(tmp_path: Path) -> None:
    """A bundle and a name; a file that went bad since the load is a problem with its place."""
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    given = config(tmp_path, "{address: 'https://10.0.0.1:8501', tls: {ca: ca.pem, server_name: server.dc1.consul}}")
    assert given.consul is not None
    place = agent_of(given, given.consul).place
    assert place.tls is not None
    assert (place.server_name, place.tls.verify_mode) == ("server.dc1.consul", ssl.CERT_REQUIRED)
    (tmp_path / "ca.pem").write_text("nonsense")
    with pytest.raises(ProblemsError, match="certificates cannot be loaded"):
        agent_of(given, given.consul)
    given = config(tmp_path, "{address: 'unix:///run/consul.sock'}")
    assert given.consul is not None
    assert agent_of(given, given.consul).place.socket == "/run/consul.sock"


@pytest.mark.parametrize(
    ("env", "address"),
    [
        ({}, "http://127.0.0.1:8500"),
        ({"CONSUL_HTTP_ADDR": "10.0.0.1:8500"}, "http://10.0.0.1:8500"),
        ({"CONSUL_HTTP_ADDR": "10.0.0.1:8501", "CONSUL_HTTP_SSL": "true"}, "https://10.0.0.1:8501"),
        ({"CONSUL_HTTP_ADDR": "https://10.0.0.1:8501"}, "https://10.0.0.1:8501"),
        ({"CONSUL_HTTP_ADDR": "unix:///run/c.sock"}, "unix:///run/c.sock"),
    ],
)
def test_address_from_the_environment(env: dict[str, str], address: str) -> None:
    """As Consul's own command reads it."""
    assert str(agent_from_environment(env).place) == address


def test_rest_of_the_environment(tmp_path: Path) -> None:
    """Token or its file, namespace, verification, names; nonsense is a problem."""
    (tmp_path / "token").write_text("from-file")
    by_file = {"CONSUL_HTTP_TOKEN_FILE": str(tmp_path / "token")}
    assert agent_from_environment(by_file).token.current() == "from-file"
    assert agent_from_environment({**by_file, "CONSUL_HTTP_TOKEN": "t"}).token.current() == "from-file"
    gone = {"CONSUL_HTTP_TOKEN_FILE": str(tmp_path / "gone")}
    assert agent_from_environment({**gone, "CONSUL_HTTP_TOKEN": "t"}).token.current() == "t"
    assert agent_from_environment({"CONSUL_NAMESPACE": "ns", "CONSUL_PARTITION": "ap"}).scope == Scope("", "ns", "ap")
    https = {"CONSUL_HTTP_ADDR": "https://a:1", "CONSUL_TLS_SERVER_NAME": "n"}
    checked, unchecked = (
        agent_from_environment(https),
        agent_from_environment({**https, "CONSUL_HTTP_SSL_VERIFY": "false"}),
    )
    assert checked.place.tls is not None
    assert unchecked.place.tls is not None
    assert (checked.place.server_name, checked.place.tls.verify_mode) == ("n", ssl.CERT_REQUIRED)
    assert unchecked.place.tls.verify_mode == ssl.CERT_NONE
    for bad in ({"CONSUL_HTTP_ADDR": "ftp://a"}, {"CONSUL_HTTP_ADDR": "https://a:1", "CONSUL_CACERT": "/nonexistent"}):
        with pytest.raises(ProblemsError):
            agent_from_environment(bad)


@pytest.mark.parametrize(("bind", "address", "port"), [("10.0.0.5:8443", "10.0.0.5", 8443), (":8080", "", 8080)])
def test_gateway_registers_what_it_listens_on(tmp_path: Path, bind: str, address: str, port: int) -> None:
    """With a TTL; a listener on all interfaces is reached at the agent's address. The port keeps two on one machine apart."""
    definition = gateway_definition(config(tmp_path, "{service: edge, register: {tags: [rest]}}", bind))
    assert definition is not None
    assert (definition.name, definition.id, definition.address, definition.port) == (
        "edge",
        f"edge-{port}",
        address,
        port,
    )
    assert definition.checks == (Check("ttl", interval_s=15.0),)
    assert definition.tags == ("rest",)


def test_gateway_registers_what_is_said(tmp_path: Path) -> None:
    """Everything can be said; nothing said is no registration."""
    definition = gateway_definition(
        config(
            tmp_path,
            "{service: edge, register: {id: e, address: 192.0.2.1, port: 443, connect: native, checks: [{tcp: '192.0.2.1:443'}]}}",
        )
    )
    assert definition is not None
    assert (definition.id, definition.address, definition.port, definition.connect) == ("e", "192.0.2.1", 443, "native")
    assert [check.kind for check in definition.checks] == ["tcp"]
    assert gateway_definition(config(tmp_path, "{service: edge}")) is None
    assert gateway_definition(config(tmp_path, "null")) is None


@pytest.mark.parametrize(("register", "port"), [("{}", 8443), ("{port: 443}", 443)])
def test_gateway_registers_the_listener_of_the_mesh(tmp_path: Path, register: str, port: int) -> None:
    """As Connect-native, whichever of the listeners it is."""
    file = tmp_path / "edge.yaml"
    file.write_text(
        f"listeners: [{{bind: ':8080'}}, {{bind: '10.0.0.5:8443', mesh: true}}]\nconsul: {{service: edge, register: {register}}}\n"
        "apis: [{name: a, reflection: true, upstream: u}]\nupstreams: {u: {endpoints: ['127.0.0.1:1']}}\n"
    )
    definition = gateway_definition(load_config(file, {}))
    assert definition is not None
    assert (definition.connect, definition.address, definition.port) == ("native", "10.0.0.5", port)
    assert definition.body()["Connect"] == {"Native": True}


def test_other_services(tmp_path: Path) -> None:
    """Their ID is their name unless they have one."""
    given = config(
        tmp_path,
        "{services: [{name: web, port: 1, meta: {b: x, a: y}, weights: {passing: 3, warning: 0}, connect: sidecar, sidecar_port: 20000}]}",
    )
    assert given.consul is not None
    definition = service_definition(given.consul.services[0])
    assert (definition.id, definition.meta, definition.weight, definition.warning_weight) == (
        "web",
        (("a", "y"), ("b", "x")),
        3,
        0,
    )
    assert (definition.connect, definition.sidecar_port, definition.checks) == ("sidecar", 20000, ())


@pytest.mark.parametrize(
    ("given", "check"),
    [
        ({"grpc": "a:1/s", "tls": True, "interval": "2s", "timeout": "1s"}, Check("grpc", "a:1/s", 2.0, 1.0, tls=True)),
        ({"http": "http://a", "tls_skip_verify": True}, Check("http", "http://a", tls_skip_verify=True)),
        ({"tcp": "a:1", "deregister_after": "90s"}, Check("tcp", "a:1", deregister_after_s=90.0)),
        ({"ttl": "15s"}, Check("ttl", interval_s=15.0)),
    ],
)
def test_checks(given: dict[str, object], check: Check) -> None:
    """Each kind."""
    assert check_of(ConsulCheck.model_validate(given)) == check


@pytest.mark.parametrize(
    ("given", "connect", "gateway"),
    [
        ({"dial": "native"}, True, ""),
        ({"dial": "plain"}, False, ""),
        ({"dial": "mesh-gateway", "datacenter": "dc2"}, True, "local"),
    ],
)
def test_upstreams(given: dict[str, object], connect: bool, gateway: str) -> None:
    """Which instances are meant."""
    lookup = lookup_of(UpstreamConsul.model_validate({"service": "web", "tags": ["a"], "only_passing": True, **given}))
    assert lookup is not None
    assert (lookup.service, lookup.connect, lookup.gateway, lookup.tags, lookup.only_passing) == (
        "web",
        connect,
        gateway,
        ("a",),
        True,
    )
    assert lookup.scope.datacenter == given.get("datacenter", "")


def test_wait_is_how_long_queries_block(tmp_path: Path) -> None:
    """The rest is not for operators to choose."""
    given = config(tmp_path, "{wait: 90s}")
    assert given.consul is not None
    assert manners_of(given.consul) == replace(manners_of(Consul()), block_s=90.0)


def test_behind_a_sidecar_there_is_nothing_to_look_up() -> None:
    """It chooses itself."""
    assert (
        lookup_of(UpstreamConsul.model_validate({"service": "web", "dial": "sidecar", "listener": "127.0.0.1:9191"}))
        is None
    )


def test_a_command_hears_the_flag_then_the_variable_then_the_file(tmp_path: Path) -> None:
    """Piece by piece: a variable for the address leaves the file's token, namespace and datacenter."""
    (tmp_path / "token").write_text("of-file")
    (tmp_path / "other").write_text("of-flag")
    given = config(
        tmp_path,
        "{address: 'http://file:8500', token: 'file:token', datacenter: dc2, namespace: ns, consistency: stale}",
    )
    agent = agent_for_command(given, {})
    assert (str(agent.place), agent.token.current(), agent.scope) == ("http://file:8500", "of-file", Scope("dc2", "ns"))
    assert agent.consistency == "default", "a plan must not be made of what a follower still believes"
    agent = agent_for_command(given, {"CONSUL_HTTP_ADDR": "env:1", "CONSUL_NAMESPACE": "other", "CONSUL_HTTP_SSL": ""})
    assert (str(agent.place), agent.token.current(), agent.scope) == ("http://env:1", "of-file", Scope("dc2", "other"))
    env = {"CONSUL_HTTP_ADDR": "env:1", "CONSUL_HTTP_TOKEN": "of-env"}
    agent = agent_for_command(given, env, "http://flag:1", tmp_path / "other", "dc1")
    assert (str(agent.place), agent.token.current(), agent.scope) == ("http://flag:1", "of-flag", Scope("dc1", "ns"))
    assert agent_for_command(given, env).token.current() == "of-env"


def test_a_command_without_a_consul_section_asks_the_default(tmp_path: Path) -> None:
    agent = agent_for_command(config(tmp_path, "null"), {})
    assert (str(agent.place), agent.token.current()) == ("http://127.0.0.1:8500", "")


def test_a_command_dials_with_the_files_tls(tmp_path: Path) -> None:
    """Its CA, its certificate, its server name; a variable takes the place of each."""
    ca, cert = trustme.CA(), None
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    cert = ca.issue_cert("client.example")
    cert.private_key_pem.write_to_path(tmp_path / "key.pem")
    cert.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    given = config(
        tmp_path,
        "{address: 'https://file:8501', tls: {ca: ca.pem, cert: cert.pem, key: key.pem, server_name: server.dc1.consul}}",
    )
    agent = agent_for_command(given, {})
    assert agent.place.tls is not None
    assert agent.place.server_name == "server.dc1.consul"
    assert len(agent.place.tls.get_ca_certs()) == 1
    assert agent_for_command(given, {"CONSUL_TLS_SERVER_NAME": "x"}).place.server_name == "x"
    with pytest.raises(ProblemsError):
        agent_for_command(given, {"CONSUL_CACERT": str(tmp_path / "none.pem")})
