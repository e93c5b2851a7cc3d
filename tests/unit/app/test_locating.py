"""Which upstreams are located, kept and let go. With real peers: tests/identity, tests/kubernetes, tests/sidecar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from certs.source import CertificateSource
from edge.app.located import Written
from edge.app.locating import Locating
from edge.config.models import Config
from edge.upstream.name_lookup import NameLookup
from edge.upstream.pool import Pool
from tests.unit.app.configs import config
from tests.unit.certs.fixed_source import FixedSource
from tests.unit.certs.mint import EDGE, SHOP, identity, mint, root
from tests.unit.upstream.services import plan

CA = root()
OURS = FixedSource(identity(mint(CA, EDGE), CA))
BY_ID: dict[str, Any] = {"endpoints": ["127.0.0.1:1"], "tls": {"spiffe_ids": [SHOP]}}
STRICT: dict[str, Any] = {"endpoints": ["localhost:1"], "dns": "strict"}


async def consul() -> CertificateSource:
    return OURS


async def nobody() -> CertificateSource:
    raise AssertionError("Consul's identity was asked for")


def given(folder: Path, upstream: dict[str, Any], **top: Any) -> Config:
    return config(folder, upstreams={"shop": upstream}, **top)


async def test_what_the_file_tells_whole_is_left_alone(tmp_path: Path) -> None:
    """Fixed endpoints, or Consul's: no task, no identity."""
    locating = Locating()
    assert await locating.follow(given(tmp_path, {"endpoints": ["a:1"], "tls": {}}), {}, nobody)
    assert locating.located == {}
    assert locating.page() == {"upstreams": {}, "certificate": None}
    await locating.close()


async def test_an_upstream_is_kept_while_its_section_is(tmp_path: Path) -> None:
    """And replaced, or let go, with it."""
    locating, pools = Locating(), {"shop": Pool("shop", [], plan())}
    await locating.follow(given(tmp_path, STRICT), pools, nobody)
    first = locating.located["shop"]
    assert isinstance(first.source, NameLookup)
    await locating.follow(given(tmp_path, STRICT), pools, nobody)
    assert locating.located["shop"] is first
    await locating.follow(given(tmp_path, {**STRICT, "dns_refresh": "1s"}), pools, nobody)
    assert locating.located["shop"] is not first
    assert first.source._task is None
    await locating.follow(given(tmp_path, {"endpoints": ["a:1"]}), pools, nobody)
    assert locating.located == {}
    await pools["shop"].close(0)
    await locating.close()


async def test_consuls_identity_where_the_file_has_no_other(tmp_path: Path) -> None:
    """It is Consul's source to end, and Consul's page that shows it."""
    locating, pools = Locating(), {"shop": Pool("shop", [], plan())}
    loaded = given(tmp_path, BY_ID, consul={"service": "edge"})
    assert await locating.follow(loaded, pools, consul)
    assert isinstance(locating.located["shop"].source, Written)
    assert locating.faults() == {}
    assert locating.presents is None
    await pools["shop"].close(0)
    await locating.close()


async def test_a_changed_identity_waits_for_the_next_start(tmp_path: Path) -> None:
    """And says so; the source of the start is used on."""
    locating, pools = Locating(), {"shop": Pool("shop", [], plan())}
    section: dict[str, Any] = {"workload_api": {"socket": f"unix://{tmp_path}/none.sock"}}
    assert await locating.follow(given(tmp_path, BY_ID, identity=section), pools, nobody)
    source = locating.presents
    reason = locating.faults()["shop"]
    assert reason.startswith("no certificate from SPIFFE Workload API")
    assert await locating.follow(given(tmp_path, BY_ID, identity=section), pools, nobody)
    section["workload_api"]["spiffe_id"] = EDGE
    assert not await locating.follow(given(tmp_path, BY_ID, identity=section), pools, nobody)
    assert locating.presents is source
    await pools["shop"].close(0)
    await locating.close()
