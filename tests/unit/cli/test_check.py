"""`edge check`: the verdict, its exit code, and the lines of problems found beyond the file itself."""

from __future__ import annotations

from pathlib import Path

from edge.cli.check import judge, placed
from edge.config.load import load_config
from edge.core.problem import Problem
from tests.unit.cli.conftest import Edge

SPARE = "  spare:\n    endpoints: [127.0.0.1:50053]\n"


def append(path: Path, text: str) -> None:
    """More lines for a file."""
    path.write_text(path.read_text() + text)


def test_a_good_file(edge: Edge, shop: Path) -> None:
    """One line of summary, exit 0."""
    result = edge("check")
    assert (result.code, result.out) == (0, "edge.yaml: ok, 1 API, 5 routes\n")


def test_warnings_fail_only_when_strict(edge: Edge, shop: Path) -> None:
    """An unused upstream does not stop a gateway, but may stop a pipeline."""
    append(shop, SPARE)
    result = edge("check")
    assert result.code == 0
    assert result.out.startswith("edge.yaml:12: upstreams.spare: warning: not used by any API\n    fix: ")
    assert result.out.endswith("edge.yaml: ok, 1 warning, 1 API, 5 routes\n")
    assert edge("check", "--strict").code == 2


def test_errors_are_counted(edge: Edge, shop: Path) -> None:
    """All at once, exit 2, the summary last."""
    append(shop, SPARE + "limts: {}\n")
    shop.write_text(shop.read_text().replace("timeout: 5s", "timeout: 5"))
    result = edge("check")
    assert result.code == 2
    assert [line.split(": ")[0] for line in result.out.splitlines() if line.startswith("edge.yaml:")][:3] == [
        "edge.yaml:7",
        "edge.yaml:12",
        "edge.yaml:14",
    ]
    assert result.out.splitlines()[-1] == "edge.yaml: 2 errors, 1 warning"


def test_problems_of_protos_and_routes_are_found(edge: Edge, shop: Path) -> None:
    """The file may be right and what it names wrong."""
    proto = shop.parent / "protos" / "shop.proto"
    proto.write_text(proto.read_text().replace('"/v1/things/{id}:watch"', '"/v1/things/{id}"'))
    result = edge("check")
    assert result.code == 2
    assert "shop.v1.Shop.Watch" in result.out
    proto.write_text("syntax = nonsense")
    assert edge("check").code == 2


def test_json(edge: Edge, shop: Path) -> None:
    """For machines: each problem with its line as a number."""
    append(shop, "limts: {}\n")
    result = edge("check", "--json")
    assert result.code == 2
    assert result.json == {
        "file": "edge.yaml",
        "ok": False,
        "errors": 1,
        "warnings": 0,
        "problems": [
            {
                "severity": "error",
                "place": "edge.yaml:12",
                "line": 12,
                "path": "limts",
                "message": '"limts" is not a key here',
                "fix": 'did you mean "limits"?',
            }
        ],
    }


def test_problems_without_a_line_get_their_settings(shop: Path) -> None:
    """Loaders know paths inside the file; the configuration knows the lines."""
    config = load_config(shop, {"SECRET": "x"})
    found = placed([Problem("", "apis[0].services[1]", "no such service"), Problem("a.proto:3", "x", "y")], config)
    assert [problem.place for problem in found] == [f"{shop}:4", "a.proto:3"]


def test_a_missing_file_is_a_verdict(tmp_path: Path) -> None:
    """Not an exception."""
    verdict = judge(tmp_path / "no.yaml")
    assert (verdict.errors, verdict.warnings, verdict.snapshot) == (1, 0, None)


def test_reflection_is_told(edge: Edge, shop: Path) -> None:
    """Routes that only the upstream knows are not counted as none."""
    shop.write_text(shop.read_text().replace("protos: {roots: [protos], files: [shop.proto]}", "reflection: true"))
    assert edge("check").out == "edge.yaml: ok, 1 API, 0 routes (shop: routes are asked of the upstream)\n"
