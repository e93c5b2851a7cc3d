"""`edge certs`: an authority, leaves from it, and chains shown."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from certs.devca_files import read_folder
from tests.unit.certs.mint import EDGE, SHOP, mint, root
from tests.unit.cli.conftest import Edge

ID = "spiffe://dev.example/ns/default/dc/dc1/svc/shop"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def tls(edge: Edge) -> Path:
    """A folder with an authority."""
    assert edge("certs", "ca", "dev.example").code == 0
    return Path("tls")


def test_an_authority_and_a_leaf(edge: Edge) -> None:
    """Files with their modes, and what was made, for people."""
    made = edge("certs", "ca", "dev.example", "-o", "ours")
    assert made.code == 0
    assert "subject     CN=dev.example,O=edge development CA\n" in made.out
    assert "key file    ours/ca-key.pem (0600)\n" in made.out
    issued = edge("certs", "issue", ID, "--ca", "ours", "-o", "leaves", "--dns", "shop.test", "--dns", "shop")
    assert issued.code == 0
    assert f"SPIFFE ID   {ID}\nDNS         shop.test\nDNS         shop\n" in issued.out
    assert "expires in 23 h 59 min" in issued.out
    assert stat.S_IMODE(Path("leaves/shop-key.pem").stat().st_mode) == 0o600
    assert edge("certs", "show", "leaves/shop.pem", "ours/ca.pem").code == 0


def test_json(edge: Edge, tls: Path) -> None:
    """The same facts for machines, from each command."""
    issued = edge("certs", "issue", ID, "--json", "--ttl", "2h").json
    assert issued["certificate"] == "tls/shop.pem"
    assert issued["key_file"] == "tls/shop-key.pem"
    assert issued["spiffe_id"] == ID
    assert issued["warnings"] == []
    shown = edge("certs", "show", "tls/shop.pem", "tls/ca.pem", "--json").json
    assert [one["file"] for one in shown] == ["tls/shop.pem", "tls/ca.pem"]
    assert shown[0]["certificates"][0]["sha256"] == issued["sha256"]
    assert shown[1]["certificates"][0]["kind"] == "CA"


def test_nothing_is_overwritten_unless_forced(edge: Edge, tls: Path) -> None:
    """Exit 1 and the file's name; --force does it."""
    before = (tls / "ca-key.pem").read_bytes()
    refused = edge("certs", "ca", "dev.example")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "edge certs: tls/ca.pem is there already; --force overwrites it\n"
    assert (tls / "ca-key.pem").read_bytes() == before
    assert edge("certs", "ca", "dev.example", "--force").code == 0
    assert (tls / "ca-key.pem").read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ca", "Dev.Example"], "TRUST_DOMAIN: error: 'spiffe://Dev.Example': a trust domain is made of"),
        (["ca", "dev.example", "--ttl", "9"], "--ttl: error: '9' has no unit"),
        (["ca", "dev.example", "--ttl", "0s", "-o", "x"], "--ttl: error: '0s' is no time at all"),
        (["issue", ID, "--ca", "nowhere"], "--ca: error: cannot read nowhere/ca.pem: No such file"),
        (["issue", "spiffe://other.test/shop"], "is not of dev.example, the authority's trust domain"),
        (["issue", "shop"], "a SPIFFE ID starts with spiffe://"),
        (["issue", "spiffe://dev.example"], "has no path"),
        (["issue", ID, "--ttl", "8759h"], ""),
        (["issue", ID, "--ttl", "8761h"], "the authority itself ends at"),
        (["issue", ID, "--name", "../shop"], "'../shop' cannot be the name of the files"),
        (["issue", "spiffe://dev.example/ca"], "'ca' cannot be the name of the files"),
        (["issue", ID, "--dns", "schön.test"], "is no DNS name"),
        (["show", "nowhere.pem"], "nowhere.pem: error: cannot read nowhere.pem"),
        (["show", "tls/ca-key.pem"], "tls/ca-key.pem: error: no PEM certificate in it"),
        (["show"], "Missing argument"),
    ],
)
def test_bad_input_is_exit_2_with_a_text(arguments: list[str], said: str, edge: Edge, tls: Path) -> None:
    """A user's mistake is told, not thrown; the place comes first."""
    result = edge("certs", *arguments)
    assert result.code == (2 if said else 0)
    assert said in result.err
    assert "Traceback" not in result.err


def test_show_ends_with_1_when_there_is_a_warning(edge: Edge) -> None:
    """For scripts: expired, two URIs; each warning on a line."""
    Path("bad.pem").write_bytes(mint(root(), SHOP, EDGE, begins_s=-7200, ends_s=-3600).pem)
    result = edge("certs", "show", "bad.pem")
    assert result.code == 1
    assert "warning     validity: expired at" in result.out
    assert "warning     uri-san: 2 URI SANs; exactly one is allowed" in result.out
    assert "expired 1 h ago" in result.out


def test_a_folder_that_cannot_be_written(edge: Edge) -> None:
    """Exit 1, the path and the reason."""
    Path("file").write_text("")
    result = edge("certs", "ca", "dev.example", "-o", "file/tls")
    assert result.code == 1
    assert "cannot write" in result.err


def test_without_name_constraints(edge: Edge) -> None:
    """For verifiers that cannot read the extension."""
    for flags, expected in (([], True), (["--no-name-constraints"], False)):
        edge("certs", "ca", "dev.example", "--force", *flags)
        found = [one.oid._name for one in read_folder(Path("tls")).root.certificate.extensions]
        assert ("nameConstraints" in found) is expected


@pytest.mark.parametrize("command", ["ca", "issue", "show"])
def test_help_has_an_example_and_the_exit_codes(command: str, edge: Edge) -> None:
    """A line to paste."""
    result = edge("certs", command, "--help")
    assert result.code == 0
    assert f"Example: edge certs {command} " in result.out
    assert "Exit codes: 0 ok, 1 failed, 2 bad input." in " ".join(result.out.split())
