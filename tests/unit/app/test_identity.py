"""Which source the identity section means, and what is shown of one."""

from __future__ import annotations

import time
from pathlib import Path

from certs.files import FileSource
from certs.workload_api import WorkloadApiSource
from edge.app.identity import certificate_page, identity_source
from tests.unit.app.configs import config
from tests.unit.certs.fixed_source import FixedSource
from tests.unit.certs.mint import EDGE, TD, identity, mint, root

CA, OTHER = root(), root("other.test")


async def test_files_are_relative_to_the_configuration(tmp_path: Path) -> None:
    """Roots of other trust domains with them."""
    leaf = mint(CA, EDGE)
    for name, pem in (("c", leaf.chain_pem), ("k", leaf.key_pem), ("r", CA.pem), ("o", OTHER.pem)):
        (tmp_path / f"{name}.pem").write_bytes(pem)
    files = {"cert": "c.pem", "key": "k.pem", "trust_bundle": "r.pem", "federated": {"other.test": "o.pem"}}
    loaded = config(tmp_path, identity={"files": files})
    assert loaded.identity is not None
    source = identity_source(loaded, loaded.identity)
    assert isinstance(source, FileSource)
    await source.start()
    found = source.current()
    await source.stop()
    assert found is not None
    assert str(found.spiffe_id) == EDGE
    assert found.bundles == {TD: {CA.der}, "other.test": {OTHER.der}}


def test_the_workload_api(tmp_path: Path) -> None:
    """With its socket and the identity wanted."""
    section = {"workload_api": {"socket": "unix:///run/a.sock", "spiffe_id": EDGE}}
    loaded = config(tmp_path, identity=section)
    assert loaded.identity is not None
    source = identity_source(loaded, loaded.identity)
    assert isinstance(source, WorkloadApiSource)
    assert (source._socket, source._spiffe_id) == ("unix:///run/a.sock", EDGE)


def test_what_is_shown() -> None:
    """No key, no certificate; the reason where there is none."""
    assert certificate_page(None) is None
    source = FixedSource()
    shown = certificate_page(source)
    assert shown is not None
    assert set(shown) == {"source", "fault"}
    source.publish(identity(mint(CA, EDGE), CA))
    shown = certificate_page(source)
    assert shown is not None
    assert set(shown) == {"source", "fault", "spiffe_id", "not_after", "serial", "trust_domains"}
    assert shown["spiffe_id"] == EDGE
    assert isinstance(shown["not_after"], float)
    assert shown["not_after"] > time.time()
