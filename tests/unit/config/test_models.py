"""The file as a whole: safe defaults, and the way from a setting to a path or a line."""

from __future__ import annotations

from pathlib import Path

from edge.config.address import Address
from edge.config.load import load_config
from edge.config.models import Admin, Config, Limits, Listener, ListenerTls

MINIMAL = {
    "listeners": [{"bind": "127.0.0.1:8080"}],
    "apis": [{"name": "a", "reflection": True, "upstream": "u"}],
    "upstreams": {"u": {"endpoints": ["127.0.0.1:50051"]}},
}


def test_defaults_are_safe() -> None:
    """Loopback admin, bounded sizes and times."""
    config = Config.model_validate(MINIMAL)
    assert config.admin == Admin(bind=Address("127.0.0.1", 9901))
    assert config.limits == Limits()
    assert (config.limits.max_uri_bytes, config.limits.max_header_bytes, config.limits.max_body_bytes) == (
        8192,
        65536,
        4194304,
    )
    assert config.limits.header_timeout == 10.0
    assert config.trusted_proxies == ()
    assert config.drain_timeout == 30.0


def test_admin_can_be_off() -> None:
    """null is no admin listener."""
    assert Config.model_validate({**MINIMAL, "admin": None}).admin is None


def test_listener_versions() -> None:
    """min_version may be written without quotes."""
    assert ListenerTls.model_validate({"cert": "c", "key": "k", "min_version": 1.3}).min_version == "1.3"
    assert Listener.model_validate({"bind": ":1"}).tls is None


def test_paths_start_from_the_files_folder(tmp_path: Path) -> None:
    """Wherever the process runs."""
    file = tmp_path / "edge.yaml"
    file.write_text(
        "listeners: [{bind: ':1'}]\napis: [{name: a, reflection: true, upstream: u}]\nupstreams: {u: {endpoints: ['a:1']}}\n"
    )
    config = load_config(file, {})
    assert config.base == str(tmp_path)
    assert config.resolve("tls/x.pem") == tmp_path / "tls" / "x.pem"
    assert config.resolve("/etc/x.pem") == Path("/etc/x.pem")


def test_place_of_a_setting(tmp_path: Path) -> None:
    """The line of a setting, or of what is around it."""
    file = tmp_path / "edge.yaml"
    file.write_text(
        "listeners: [{bind: ':1'}]\napis:\n  - name: a\n    reflection: true\n    upstream: u\nupstreams: {u: {endpoints: ['a:1']}}\n"
    )
    config = load_config(file, {})
    assert config.place("apis[0].upstream") == f"{file}:5"
    assert config.place("apis[0].http.rules[3].get") == f"{file}:3"
    assert config.place("nothing.here") == ""
    assert Config.model_validate(MINIMAL).place("apis[0]") == ""
