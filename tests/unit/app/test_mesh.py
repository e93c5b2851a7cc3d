"""What a worker shares with Consul: made, kept and ended. The whole gateway with real peers: tests/consul."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge.app.mesh import Mesh
from edge.config.consul_models import UpstreamConsul
from edge.config.models import Config
from edge.upstream.pool import Pool
from tests.consul.scenes import asked, until
from tests.peers.consul_double import ConsulDouble, running_double
from tests.unit.app.configs import config
from tests.unit.upstream.services import plan


def given(folder: Path, double: ConsulDouble, dial: str = "native", **consul: Any) -> Config:
    upstreams = {"shop": {"consul": {"service": "shop", "dial": dial}}}
    return config(folder, consul={"address": double.url, "service": "edge", **consul}, upstreams=upstreams)


def made(of: Config, *, registers: bool = False) -> Mesh:
    assert of.consul is not None
    return Mesh(of, of.consul, registers=registers)


def test_who_needs_our_certificate() -> None:
    wanted = {dial: UpstreamConsul.model_validate({"service": "a", "dial": dial}).by_identity for dial in
              ("native", "mesh-gateway", "plain", "sidecar")}  # fmt: skip
    assert wanted == {"native": True, "mesh-gateway": True, "plain": False, "sidecar": False}


async def test_our_certificate_is_asked_for_only_when_used(tmp_path: Path) -> None:
    async with running_double() as double:
        plain, native = given(tmp_path, double, "plain"), given(tmp_path, double)
        mesh, pool = made(plain), Pool("shop", [], plan())
        await mesh.follow(plain, {"shop": pool})
        assert mesh.presents is None
        assert mesh.page()["certificate"] is None
        await mesh.follow(native, {"shop": pool})
        source = mesh.presents
        assert source is not None
        await until(source.current, "our certificate")
        told = mesh.page()["certificate"]
        assert isinstance(told, dict)
        assert told["spiffe_id"].endswith("/svc/edge")
        await pool.close(0)
        await mesh.close()


async def test_readiness_names_each_upstream(tmp_path: Path) -> None:
    async with running_double() as double:
        await double.stop()
        loaded = given(tmp_path, double, "plain")
        mesh, pool = made(loaded), Pool("shop", [], plan())
        await mesh.follow(loaded, {"shop": pool})
        reason = mesh.faults()["shop"]
        assert reason.startswith("waiting for Consul")
        await pool.close(0)
        await mesh.close()


async def test_the_registration_is_this_processes_only_when_asked(tmp_path: Path) -> None:
    """Registered, then withdrawn; a worker under a supervisor does neither."""
    async with running_double() as double:
        loaded = given(tmp_path, double, register={"port": 8080})
        silent, mesh = made(loaded), made(loaded, registers=True)
        assert silent.registration is None
        silent.register()
        await silent.withdraw()
        await silent.close()
        mesh.register()
        assert mesh.registration is not None
        registration = mesh.registration
        await until(lambda: registration.state().registered, "registered")
        await mesh.withdraw()
        status, _, _ = await asked(double, "GET", "/v1/agent/service/edge-8080")
        assert status == 404
        await mesh.close()
