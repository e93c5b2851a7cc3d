"""Where our identity comes from, and who is known by one."""

from __future__ import annotations

import pytest

from edge.config.document import read_document
from edge.config.identity_checks import check_identity

WHO = "identity: {workload_api: {}}\n"


def found(text: str) -> list[str]:
    """`path: message` of what is noted; each has a fix."""
    document = read_document(text, "edge.yaml")
    check_identity(document)
    assert all(problem.fix for problem in document.problems)
    return [f"{problem.path}: {problem.message}" for problem in document.problems]


def upstream(tls: str, who: str = WHO) -> list[str]:
    return found(f"{who}upstreams: {{u: {{endpoints: ['a:1'], tls: {{{tls}}}}}}}\n")


def test_one_source() -> None:
    """Files or the Workload API."""
    assert found(WHO) == []
    assert found("identity: {}\n") == ["identity: nothing says where our certificate comes from"]
    assert found("identity: {files: {}, workload_api: {}}\n") == [
        "identity.workload_api: our certificate comes from files already"
    ]


@pytest.mark.parametrize("who", [WHO, "consul: {service: edge}\n"], ids=["identity", "Consul"])
def test_either_says_who_we_are(who: str) -> None:
    """Ours, or that of our service in Consul."""
    assert upstream("spiffe_ids: ['spiffe://td/a']", who) == []


@pytest.mark.parametrize("who", ["", "consul: {}\n"])
def test_nobody_says_who_we_are(who: str) -> None:
    assert upstream("spiffe_ids: ['spiffe://td/a']", who) == [
        "upstreams.u.tls.spiffe_ids: the gateway presents a certificate there, and nothing says whose"
    ]


@pytest.mark.parametrize("key", ["ca", "cert", "key", "uri_san"])
def test_no_second_word_on_trust(key: str) -> None:
    """`spiffe_ids` says all of it; the server name is only sent."""
    assert upstream(f"spiffe_ids: ['spiffe://td/a'], server_name: a.b, {key}: x") == [
        f"upstreams.u.tls.{key}: spiffe_ids has both ends prove who they are by the gateway's own identity and its trust bundle"
    ]


def test_somebody_must_be_expected() -> None:
    assert upstream("spiffe_ids: []") == ["upstreams.u.tls.spiffe_ids: it is empty: nobody could answer"]


def test_consul_knows_the_identities_itself() -> None:
    """And dials by them with `native`."""
    given = "upstreams: {u: {consul: {service: a, dial: plain}, tls: {spiffe_ids: ['spiffe://td/a']}}}\n"
    assert found(WHO + given) == ["upstreams.u.tls.spiffe_ids: Consul says who answers at each instance"]
