"""What splits and failovers say about the rest of the file."""

from __future__ import annotations

import pytest

from edge.config.document import read_document
from edge.config.traffic_checks import check_traffic, reached, ways_out

UPSTREAMS = "b: {endpoints: ['b:1']}, c: {endpoints: ['c:1']}, d: {consul: {service: d}}, s: {consul: {service: s, dial: sidecar}}"


def found(upstreams: str, mesh: str = "{}") -> list[tuple[str, str]]:
    """Paths and messages."""
    document = read_document(f"upstreams: {{{upstreams}, {UPSTREAMS}}}\nmesh: {mesh}\n", "edge.yaml")
    check_traffic(document)
    return [(problem.path, problem.message) for problem in document.problems]


A = "endpoints: ['a:1']"


@pytest.mark.parametrize(
    ("upstream", "path", "words"),
    [
        ("split: {subsets: {x: {weight: 90}, y: {upstream: b, weight: 10}}}", "", ""),
        ("split: {subsets: {x: {weight: 90}, y: {upstream: b, weight: 5}}}", "a.split.subsets", "sum to 95"),
        ("split: {subsets: {x: {}, y: {upstream: b}}}", "a.split.subsets", "no subset has a weight"),
        ("split: {subsets: {x: {upstream: bb, weight: 100}}}", "a.split.subsets.x.upstream", '"bb" is no upstream'),
        ("split: {subsets: {x: {labels: {v: '1'}, weight: 100}}}", "a.split.subsets.x.labels", "finds no labels"),
        ("split: {subsets: {x: {labels: {v: '1'}, upstream: b, weight: 100}}}", "a.split.subsets.x.labels", "already says"),
        ("failover: {upstreams: [b, c]}", "", ""),
        ("failover: {}", "a.failover", "nowhere to go"),
        ("failover: {upstreams: [b, b]}", "a.failover.upstreams[1]", "listed twice"),
        ("failover: {upstreams: [x]}", "a.failover.upstreams[0]", "no upstream"),
        ("failover: {datacenters: [dc2]}", "a.failover.datacenters", "no Consul service"),
        ("failover: {upstreams: [a]}", "a.failover.upstreams[0]", "leads back to itself: a -> a"),
        ("split: 7", "", ""),
    ],
)  # fmt: skip
def test_each_rule_of_the_gateways_own(upstream: str, path: str, words: str) -> None:
    """Below `upstreams` the gateway does it."""
    problems = found(f"a: {{{A}, {upstream}}}")
    assert [each[0] for each in problems[:1]] == ([f"upstreams.{path}"] if path else []), problems
    assert not path or words in problems[0][1], problems


def test_labels_and_datacenters_need_a_consul_service_we_choose_in() -> None:
    """A sidecar chooses itself; a prepared query takes no filter; a peer has no datacenters."""
    split, failover = "split: {subsets: {x: {labels: {v: '1'}, weight: 100}}}", "failover: {datacenters: [dc2]}"
    assert found(f"a: {{consul: {{service: a}}, {split}, {failover}}}") == []
    assert len(found(f"a: {{consul: {{service: a, dial: sidecar}}, {split}, {failover}}}")) == 2
    assert [path for path, _ in found(f"a: {{consul: {{query: a}}, {split}}}")] == [
        "upstreams.a.split.subsets.x.labels"
    ]
    assert [path for path, _ in found(f"a: {{consul: {{service: a, peer: p}}, {failover}}}")] == [
        "upstreams.a.failover.datacenters"
    ]


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("split: {subsets: {x: {labels: {v: '1'}}}}", ""),
        ("split: {subsets: {x: {labels: {v: '1'}, weight: 50}}}", "split.subsets"),
        ("split: {subsets: {x: {}}}", "split.subsets.x"),
        ("split: {subsets: {x: {upstream: b}}}", "split.subsets.x.upstream"),
        ("split: {sticky: x-a, subsets: {x: {labels: {v: '1'}}}}", "split.sticky"),
        ("failover: {datacenters: [dc2]}", ""),
        ("failover: {}", "failover.datacenters"),
        ("failover: {datacenters: [dc2, dc2]}", "failover.datacenters[1]"),
        ("failover: {datacenters: [dc2], upstreams: [b]}", "failover.upstreams"),
        ("split: {by: edge, subsets: {x: {upstream: b, weight: 100}}}", ""),
        ("failover: {by: edge, datacenters: [dc2]}", "failover.datacenters"),
    ],
)
def test_the_mesh_does_less(service: str, path: str) -> None:
    """No sticky shares, no other upstreams; and with `by: edge` the gateway's own rules hold."""
    problems = found(f"a: {{{A}}}", f"{{services: {{a: {{{service}}}}}}}")
    assert [each[0] for each in problems] == ([f"mesh.services.a.{path}"] if path else [])


def test_a_circle_is_told_once_however_long() -> None:
    """Splits and failovers alike, wherever they are written."""
    problems = found(
        f"a: {{{A}, split: {{subsets: {{x: {{weight: 50}}, y: {{upstream: e, weight: 50}}}}}}}},"
        f" e: {{{A}, failover: {{upstreams: [f]}}}}, f: {{{A}}}",
        "{services: {f: {failover: {by: edge, upstreams: [a]}}}}",
    )
    assert [message for _, message in problems] == ["leads back to itself: a -> e -> f -> a"]


def test_two_who_would_do_the_same() -> None:
    """The gateway twice, or the gateway and the mesh: a call would be divided twice."""
    upstream = f"a: {{{A}, failover: {{upstreams: [b]}}}}"
    for by in ("edge, upstreams: [c]", "mesh, datacenters: [dc2]"):
        problems = found(upstream, f"{{services: {{a: {{failover: {{by: {by}}}}}}}}}")
        assert [path for path, _ in problems] == ["mesh.services.a.failover"]
        assert "upstreams.a.failover already says that" in problems[0][1]


def test_a_pools_name_is_not_an_upstreams() -> None:
    """Logs and metrics could not tell them apart."""
    split = "consul: {service: a}, split: {subsets: {x: {labels: {v: '1'}, weight: 100}}}"
    assert [path for path, _ in found(f"a: {{{split}}}, a/x: {{{A}}}")] == ["upstreams.a.split"]


def test_what_calls_may_reach() -> None:
    """Through any number of steps; a mesh's own failover is not the gateway's."""
    data = read_document(
        "upstreams: {a: {failover: {upstreams: [b]}}, b: {split: {subsets: {x: {upstream: c}}}}, c: {}, d: {}}\n"
        "mesh: {services: {c: {failover: {by: mesh, upstreams: [d]}}}}",
        "edge.yaml",
    ).data
    assert reached(data, {"a"}) == {"a", "b", "c"}
    assert ways_out(data)["b"] == {"c": ("upstreams", "b", "split", "subsets", "x", "upstream")}
