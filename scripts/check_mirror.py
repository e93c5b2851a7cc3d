"""
Every source file of edge has its mirror in tests/unit: `edge/core/x.py` is tested by `tests/unit/core/test_x.py`, `certs/x.py` by
`tests/unit/certs/test_x.py`, `meshconfig/x.py` by `tests/unit/meshconfig/test_x.py`.

Exempt are files that hold no decision: package markers and pure vocabulary (a file of which nothing is callable logic).
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VOCABULARY = {
    "edge/wire/session.py",  # interface: its engines are tested
    "edge/wire/codec.py",
    "edge/descriptors/model.py",
    "edge/ingress/service.py",
    "edge/ingress/http1_state.py",
    "edge/upstream/call.py",
    "edge/exchange.py",
    "edge/ingress/serving.py",
    "edge/openapi/source.py",
    "meshconfig/document.py",
    "meshconfig/consul_store.py",
}


def missing() -> list[str]:
    """Source files without a mirror test, as lines to print."""
    lines = []
    for source in sorted(
        [*(ROOT / "edge").rglob("*.py"), *(ROOT / "certs").rglob("*.py"), *(ROOT / "meshconfig").rglob("*.py")]
    ):
        name = source.relative_to(ROOT).as_posix()
        if source.name in {"__init__.py", "__main__.py"} or name in VOCABULARY:
            continue
        below = source.relative_to(ROOT / "edge") if name.startswith("edge/") else source.relative_to(ROOT)
        mirror = ROOT / "tests" / "unit" / below.with_name(f"test_{source.name}")
        if not mirror.exists():
            lines.append(f"{name}: no {mirror.relative_to(ROOT).as_posix()}")
    return lines


def main() -> int:
    """Print what is missing; exit 1 when anything is."""
    lines = missing()
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
