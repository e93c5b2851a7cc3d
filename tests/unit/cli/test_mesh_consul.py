"""The Consul that `edge mesh` talks to, by the variables Consul's own command reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.cli.mesh_consul import consul_from
from edge.core.problem import ProblemsError


@pytest.mark.parametrize(
    ("env", "url"),
    [
        ({}, "http://127.0.0.1:8500"),
        ({"CONSUL_HTTP_ADDR": "consul:8500"}, "http://consul:8500"),
        ({"CONSUL_HTTP_ADDR": "consul:8501", "CONSUL_HTTP_SSL": "true"}, "https://consul:8501"),
        ({"CONSUL_HTTP_ADDR": "https://consul:8501/"}, "https://consul:8501"),
    ],
)
def test_addresses(env: dict[str, str], url: str) -> None:
    """With a scheme or without."""
    found = consul_from(env, "dc1")
    assert (found.url, found.datacenter, found.tls is not None) == (url, "dc1", url.startswith("https"))


def test_tokens(tmp_path: Path) -> None:
    """From the variable, or from a file."""
    (tmp_path / "token").write_text("from-file\n")
    assert consul_from({"CONSUL_HTTP_TOKEN": "given"}).token == "given"
    assert consul_from({"CONSUL_HTTP_TOKEN_FILE": str(tmp_path / "token")}).token == "from-file"


@pytest.mark.parametrize(
    "env",
    [
        {"CONSUL_HTTP_ADDR": "unix:///run/consul.sock"},
        {"CONSUL_HTTP_TOKEN_FILE": "/no/such/file"},
        {"CONSUL_HTTP_ADDR": "https://c:1", "CONSUL_CACERT": "/no/such/file"},
    ],
)
def test_what_cannot_be_used_is_bad_input(env: dict[str, str]) -> None:
    """Not a traceback."""
    with pytest.raises(ProblemsError):
        consul_from(env)
