"""`python -m tests.conformance.openapi`: the long run, some 20,000 cases, with its figures. Ends with 1 if anything is found."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from scripts.fetch_schemathesis import fetched
from tests.conformance.openapi.run import LONG, schemathesis
from tests.gateway import bookstore_config
from tests.matrix.rest_site import compiled, serving
from tests.upstreams.bookstore import BookstoreProcess


def main() -> int:
    """Serve the bookstore and run."""
    if not fetched():
        print("schemathesis is not there: python scripts/fetch_schemathesis.py says why")
        return 2
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory() as name, BookstoreProcess() as upstream:
        folder = Path(name)
        with serving(folder, bookstore_config(folder, upstream.port, api=compiled(folder))) as site:
            report, told = schemathesis(folder, site.gateway.url, LONG, seed)
    print(told)
    # The number, too: a crash of schemathesis' own worker ends a run early and is no failure to it.
    passed = report and report["exit_code"] == 0 and report["test_cases"]["generated"] >= LONG.least
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
