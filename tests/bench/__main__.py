"""
`python -m tests.bench`: the yardstick. The gateway beside Envoy and grpc-gateway, in one run, on one core, in alternating rounds.

All get the same descriptors, the same service and the same load. The tables give medians over the rounds and, as what counts on a machine
that is not quiet, ratios with their spread. docs/benchmarks/README.md says what each row means. A whole run takes some 20 minutes,
`--quick` four; a run that leaves anything out is printed and not kept, unless `--output` names a folder.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import envoy_server, grpc_gateway_server, machine, table
from tests.bench.findings import Findings
from tests.bench.measuring import Effort, measure
from tests.bench.site import LOAD_CORE, running_site

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks"


def main() -> int:
    """Parse arguments, measure, print, keep."""
    given = _arguments()
    lacking = [f"{name} (apt-get install {machine.PROGRAMS[name]})" for name in machine.missing()]
    lacking += [] if envoy_server.available() else ["Envoy (make setup)"]
    if lacking:
        print(f"make bench needs what is not here: {', '.join(lacking)}", file=sys.stderr)
        return 2
    if not grpc_gateway_server.available():
        print("without grpc-gateway as a peer: `make grpc-gateway` builds it", file=sys.stderr)
    os.sched_setaffinity(0, {LOAD_CORE})  # what this process does itself must not disturb the gateways
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # for thousands of connections, here and in the servers
    effort = Effort(given.rounds, given.seconds, given.idle, _wanted(given.only))
    facts = machine.facts()
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as folder, running_site(Path(folder)) as site:
        findings = measure(site, effort)
    folder_of_results = given.output or (None if given.quick or given.only else RESULTS)
    drawn = folder_of_results is not None and keep(findings, facts, folder_of_results)
    page = table.markdown(findings, facts, _command(), picture=drawn)
    print(page)
    if folder_of_results is not None:
        (folder_of_results / "results.md").write_text(page)
    return 0


def keep(findings: Findings, facts: dict[str, str], folder: Path) -> bool:
    """Write the samples and the picture; whether there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"facts": facts, "command": _command(), **findings.plain()}
    (folder / "results.json").write_text(json.dumps(content, indent=1) + "\n")
    try:
        from tests.bench.picture import draw  # matplotlib is an extra of its own
    except ImportError:
        print("no picture: matplotlib is not installed (pip install -e '.[bench]')", file=sys.stderr)
        return False
    title = f"edge {facts['edge'].replace('**', '')} · Envoy {facts['Envoy']}"
    return draw(findings, title, folder / table.PICTURE)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="The gateway beside Envoy and grpc-gateway."
    )
    parser.add_argument("--rounds", type=int, help="turns of each server per row (5; quick: 2)")
    parser.add_argument("--seconds", type=int, help="of load per turn (4; quick: 1)")
    parser.add_argument("--idle", type=int, help="connections at rest (2000; quick: 300)")
    parser.add_argument("--quick", action="store_true", help="to see that it works: the figures are worth little")
    parser.add_argument("--only", action="append", default=[], help="rows whose name contains this; may be repeated")
    parser.add_argument("--output", type=Path, help="folder for results.md, results.json and the picture")
    given = parser.parse_args()
    for name, full, quick in (("rounds", 5, 2), ("seconds", 4, 1), ("idle", 2000, 300)):
        if getattr(given, name) is None:
            setattr(given, name, quick if given.quick else full)
    return given


def _wanted(only: list[str]) -> Callable[[str], bool]:
    return lambda row: not only or any(part.lower() in row.lower() for part in only)


def _command() -> str:
    return shlex.join(["python", "-m", "tests.bench", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
