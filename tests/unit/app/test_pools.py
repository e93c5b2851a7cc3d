"""Pools follow the configuration: kept where nothing changed, made where something did."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from edge.app.pools import _authority, make_pools
from edge.config.upstream_models import Upstream
from edge.core.problem import ProblemsError
from tests.unit.app.configs import config


async def test_an_unchanged_upstream_keeps_its_pool(tmp_path: Path) -> None:
    first = make_pools(config(tmp_path), {})
    assert make_pools(config(tmp_path), first)["shop"][1] is first["shop"][1]


async def test_a_changed_upstream_gets_another(tmp_path: Path) -> None:
    first = make_pools(config(tmp_path), {})
    moved = {"shop": {"endpoints": ["127.0.0.1:2"]}}
    assert make_pools(config(tmp_path, upstreams=moved), first)["shop"][1] is not first["shop"][1]


async def test_a_renewed_certificate_gets_another_pool(tmp_path: Path) -> None:
    """Its file keeps its name; the section of the configuration says nothing of it."""
    authority = trustme.CA()
    upstreams = {"shop": {"endpoints": ["127.0.0.1:1"], "tls": {"cert": "both.pem", "key": "both.pem"}}}

    def issue() -> None:
        authority.issue_cert("a.example").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "both.pem"))

    issue()
    loaded = config(tmp_path, upstreams=upstreams)
    first = make_pools(loaded, {})
    assert make_pools(loaded, first)["shop"][1] is first["shop"][1]
    issue()
    assert make_pools(loaded, first)["shop"][1] is not first["shop"][1]


async def test_certificates_that_do_not_belong_together_are_a_problem_with_a_place(tmp_path: Path) -> None:
    """The pair was right when the file was checked, and is not any more when it is loaded."""
    authority = trustme.CA()
    one, other = authority.issue_cert("a.example"), authority.issue_cert("b.example")
    one.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    one.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    upstreams = {"shop": {"endpoints": ["127.0.0.1:1"], "tls": {"cert": "cert.pem", "key": "key.pem"}}}
    loaded = config(tmp_path, upstreams=upstreams)
    other.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    with pytest.raises(ProblemsError) as caught:
        make_pools(loaded, {})
    (problem,) = caught.value.problems
    assert problem.path == "upstreams.shop.tls"
    assert problem.fix


@pytest.mark.parametrize(
    ("section", "authority"),
    [
        ({"endpoints": ["books.shop:1"]}, None),
        ({"endpoints": ["books.shop.:1"], "mesh": "istio"}, "books.shop:1"),
        ({"endpoints": ["books.shop:1"], "mesh": "istio", "authority": "other:2"}, "other:2"),
        ({"endpoints": ["books.shop.:1"], "dns": "strict"}, "books.shop:1"),
        ({"endpoints": ["10.0.0.1:9", "books.shop:1"], "dns": "strict"}, "books.shop:1"),
        ({"endpoints": ["books.shop:1", "books.shop:2"], "dns": "strict"}, "books.shop"),
        ({"kubernetes": {"service": "books", "namespace": "shop"}}, "books.shop.svc"),
        ({"kubernetes": {"service": "books"}, "authority": "other:2"}, "other:2"),
    ],
)
def test_what_calls_say_in_authority(section: dict[str, object], authority: str | None) -> None:
    """None is the endpoint's own; where that is an address nobody wrote, the name that was written."""
    assert _authority(Upstream.model_validate(section)) == authority


async def test_pods_carry_certificates_of_the_services_name(tmp_path: Path) -> None:
    """Not of their addresses; a name of the operator's counts first."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for more, name in (({}, "books.shop.svc"), ({"server_name": "books.example"}, "books.example")):
        section = {"kubernetes": {"service": "books", "namespace": "shop"}, "tls": {"ca": "ca.pem", **more}}
        pool = make_pools(config(tmp_path, upstreams={"shop": section}), {})["shop"][1]
        assert pool._slots._plan.security.name_for("10.0.0.1") == name


async def test_known_by_spiffe_id_nothing_is_dialled_by_the_pools_own_rules(tmp_path: Path) -> None:
    """Each endpoint brings its own; one that did not would be refused, not trusted."""
    section = {"endpoints": ["127.0.0.1:1"], "tls": {"spiffe_ids": ["spiffe://td/a"]}}
    loaded = config(tmp_path, upstreams={"shop": section}, identity={"workload_api": {}})
    pool = make_pools(loaded, {})["shop"][1]
    assert pool.state().endpoints == ()
    assert "nobody is known" in (pool._slots._plan.security.fault() or "")
