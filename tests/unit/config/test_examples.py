"""The configurations in docs/examples load as they stand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import trustme

from edge.config.load import load_config

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs" / "examples"
ENV = {"ORDERS_TOKEN": "hunter2"}


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file the examples name."""
    root = tmp_path_factory.mktemp("root")
    (root / "protos").symlink_to(ROOT / "protos")
    folder = root / "docs" / "examples"
    folder.mkdir(parents=True)
    (folder / "bookstore.binpb").touch()
    for sub in ("tls", "secrets"):
        (folder / sub).mkdir()
    (folder / "secrets" / "orders-key").write_text("hunter3\n")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "tls" / "mesh-ca.pem"))
    for name in ("gateway", "mesh"):
        cert = ca.issue_cert(f"{name}.example")
        cert.private_key_pem.write_to_path(str(folder / "tls" / f"{name}.key"))
        cert.cert_chain_pems[0].write_to_path(str(folder / "tls" / f"{name}.pem"))
    return folder


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
def test_example_loads(name: str, surroundings: Path) -> None:
    """Without a problem and without a warning."""
    config = load_config(Path(shutil.copy(EXAMPLES / name, surroundings)), ENV)
    assert config.warnings == ()
