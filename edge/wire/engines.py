"""
Which engine runs: the native one where it is installed, the portable one elsewhere or where the environment asks for it.

Owns the choice, made once per process, and the sentence that says what it means: an extension of another build is noticed here, before
any request. Nothing above asks which engine it has.
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

EXTENSION = "edge_native"
VARIABLE = "EDGE_ENGINE"
"""Set to `portable` or `native` to insist on one."""

INTERFACE = 3
"""What the extension must have been built for (native/src/lib.rs): one built for another would fail at some request, not at start."""

COST = "requests cost several times the CPU"


def without_native() -> str:
    """Why the native engine does not run, where it does not, and what that means."""
    try:
        _native()
    except ImportError as error:
        if error.name == EXTENSION:
            return f"the native engine is not installed, {COST} (make native builds it, with cargo)"
        return f"the native engine does not fit: {error}, {COST} (make native builds it anew, with cargo)"
    return f"{VARIABLE} asks for the portable engine, {COST}"


def _native() -> Engine:
    """Raises ImportError where the extension is missing, or was built for another gateway than this."""
    built = getattr(import_module(EXTENSION), "INTERFACE", 1)
    if built != INTERFACE:
        raise ImportError(f"it was built for another version of edge (interface {built}, not {INTERFACE})")
    return cast(Engine, import_module("edge.wire.native").NATIVE)


def choose(environ: Mapping[str, str]) -> Engine:
    """The engine to run. Raises ProblemsError when EDGE_ENGINE cannot be followed."""
    wanted = environ.get(VARIABLE, "")
    if wanted not in ("", "native", "portable"):
        raise _unfit(f"there is no engine {wanted!r}", "unset it, or set it to `native` or `portable`")
    if wanted == "portable":
        return PORTABLE
    try:
        return _native()
    except ImportError as error:
        if wanted == "native":
            raise _unfit(
                f"the native engine does not load: {error}", "build it with `make native`, or unset it"
            ) from error
        return PORTABLE


def _unfit(reason: str, fix: str) -> ProblemsError:
    return ProblemsError([Problem("environment", VARIABLE, reason, fix)])


@cache
def engine() -> Engine:
    """The engine of this process."""
    return choose(os.environ)
