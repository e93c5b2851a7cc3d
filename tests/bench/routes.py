"""
`python -m tests.bench.routes`: what a lookup costs as the table grows, and what loading costs.

One table each of 10, 1,000 and 10,000 routes, with a codec that does nothing; lookups take turns over the tables, so that a busy
machine slows all of them alike. The ratio to the smallest table is the figure that counts: a flat match keeps it near 1.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from edge.routes import RouteTable, compile_routes
from tests.stub_api import api

SIZES = (10, 1_000, 10_000)
ROUNDS, LOOKUPS = 7, 2_000

# Ten rules to a collection, in the proportions of real APIs: mostly standard methods, some verbs, little `**`.
RULES = (
    "GET /v1/c{n}",
    "POST /v1/c{n}",
    "GET /v1/c{n}/{{id}}",
    "PATCH /v1/c{n}/{{item.id}}",
    "DELETE /v1/c{n}/{{id}}",
    "POST /v1/c{n}/{{id}}:archive",
    "GET /v1/{{name=projects/*/c{n}/*}}",
    "POST /v1/{{name=projects/*/c{n}/*}}:move",
    "GET /v1/{{parent=projects/*}}/c{n}",
    "GET /v1/files{n}/{{path=**}}",
)

# What is looked up, in collection {n}.
CASES = {
    "literal": ("GET", "/v1/c{n}"),
    "one variable": ("GET", "/v1/c{n}/1234567890"),
    "escaped variable": ("GET", "/v1/c{n}/a%20b%2Fc"),
    "verb": ("POST", "/v1/c{n}/1234567890:archive"),
    "resource name": ("GET", "/v1/projects/acme/c{n}/1234567890"),
    "rest of path": ("GET", "/v1/files{n}/a/b/c/d/e/f"),
    "wrong method": ("PUT", "/v1/c{n}/1234567890"),
    "unknown path": ("GET", "/v2/c{n}/1234567890"),
}


def load(size: int) -> tuple[RouteTable, float]:
    """A table of `size` routes and the seconds it took."""
    rules = [rule.format(n=n) for n in range(size // len(RULES)) for rule in RULES]
    source = api(*rules)
    started = time.perf_counter()
    routes, problems = compile_routes([source])
    spent = time.perf_counter() - started
    if problems or len(routes.routes) != size:
        raise SystemExit(f"the table of {size} routes is not what it should be: {problems[:3]}")
    return routes, spent


def lookup_us(routes: RouteTable, method: str, path: str) -> float:
    """Microseconds of one lookup, over paths spread through the whole table."""
    collections = len(routes.routes) // len(RULES)
    paths = [path.format(n=step * collections // 100) for step in range(100)] * (LOOKUPS // 100)
    lookup: Callable[[str, str], object] = routes.lookup
    started = time.perf_counter()
    for each in paths:
        lookup(method, each)
    return (time.perf_counter() - started) / len(paths) * 1e6


def main() -> None:
    """Print the table."""
    loaded = [load(size) for size in SIZES]
    print(f"{'lookup, µs':<20}" + "".join(f"{size:>10,}" for size in SIZES) + f"{'ratio':>8}")
    for name, (method, path) in CASES.items():
        rounds = [[lookup_us(routes, method, path) for routes, _ in loaded] for _ in range(ROUNDS)]
        medians = [statistics.median(column) for column in zip(*rounds, strict=True)]
        print(f"{name:<20}" + "".join(f"{us:>10.2f}" for us in medians) + f"{medians[-1] / medians[0]:>8.2f}")
    print(f"{'load, ms':<20}" + "".join(f"{seconds * 1000:>10.1f}" for _, seconds in loaded))


if __name__ == "__main__":
    main()
