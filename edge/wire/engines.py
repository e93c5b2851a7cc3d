"""
Which engine runs: the native one where it is installed, the portable one elsewhere or where the environment asks for it.

Owns the choice, made once per process, and the sentence that says what it means. Nothing above asks which engine it has.
Source: docs/adr/0002-two-engines.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import cast

from edge.core.problem import Problem, ProblemsError
from edge.wire.codec import Engine
from edge.wire.portable import PORTABLE

VARIABLE = "EDGE_ENGINE"
"""Set to `portable` or `native` to insist on one."""

WITHOUT_NATIVE = (
    "the native engine is not installed, requests cost several times the CPU (make native builds it, with cargo)"
)


def choose(environ: Mapping[str, str]) -> Engine:
    """The engine to run. Raises ProblemsError when EDGE_ENGINE cannot be followed."""
    wanted = environ.get(VARIABLE, "")
    if wanted not in ("", "native", "portable"):
        raise _unfit(f"there is no engine {wanted!r}", "unset it, or set it to `native` or `portable`")
    if wanted == "portable":
        return PORTABLE
    try:
        return cast(Engine, import_module("edge.wire.native").NATIVE)
    except ImportError as error:
        if wanted == "native":
            raise _unfit(f"the native engine does not load: {error}", "install edge-native, or unset it") from error
        return PORTABLE


def _unfit(reason: str, fix: str) -> ProblemsError:
    return ProblemsError([Problem("environment", VARIABLE, reason, fix)])


@cache
def engine() -> Engine:
    """The engine of this process."""
    return choose(os.environ)
