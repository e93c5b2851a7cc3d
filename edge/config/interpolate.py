"""
`${NAME}` and `${NAME:-default}` in the values of a configuration; `$$` is a dollar sign.

Owns the grammar and the rule for secrets: text counts as coming from the environment (Substituted) only when no default was
used, because a default is written into the file. Keys are never substituted, and what a variable holds is not substituted
again. A `$` before anything but `{` or `$` stands for itself, so `$alt` needs no escape. Source: POSIX.1-2017 XCU 2.6.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from edge.config.document import Data, Document, Loc, Unsubstituted
from edge.config.secret import Substituted

_REFERENCE = re.compile(r"\$\$|\$\{(?P<inside>[^}]*)(?P<end>\}?)")
_INSIDE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-.*)?", re.ASCII | re.DOTALL)


def interpolate(document: Document, env: Mapping[str, str]) -> None:
    """Substitute in all of the document's values; what cannot be is noted as a problem and left as written."""
    document.data = _walk(document.data, (), lambda text, loc: _substituted(text, env, document, loc))


def _walk(data: Data, loc: Loc, change: Callable[[str, Loc], str]) -> Data:
    if isinstance(data, str):
        return change(data, loc) if "$" in data else data
    if isinstance(data, dict):
        return {key: _walk(value, (*loc, key), change) for key, value in data.items()}
    if isinstance(data, list):
        return [_walk(value, (*loc, index), change) for index, value in enumerate(data)]
    return data


def _substituted(text: str, env: Mapping[str, str], document: Document, loc: Loc) -> str:
    from_env = defaulted = failed = False

    def replace(match: re.Match[str]) -> str:
        nonlocal from_env, defaulted, failed
        if match[0] == "$$":
            return "$"
        inside = _INSIDE.fullmatch(match["inside"]) if match["end"] else None
        if inside is None:
            failed = True
            document.add(loc, f'"{match[0]}": not a reference', "write ${NAME} or ${NAME:-default}; $$ is a plain $")
            return match[0]
        name, default = inside["name"], inside["default"]
        # As in a shell, `:-` also replaces a variable that is set to nothing.
        if env.get(name) or (name in env and default is None):
            from_env = True
            return env[name]
        if default is not None:
            defaulted = True
            return default.removeprefix(":-")
        failed = True
        document.add(loc, f"${{{name}}}: {name} is not set", f"set {name}, or write ${{{name}:-default}}")
        return match[0]

    result = _REFERENCE.sub(replace, text)
    if failed:
        return Unsubstituted(result)
    return Substituted(result) if from_env and not defaulted else result
