"""
The access log: one JSON object per line and call.

Owns the fields of a line (docs/operations.md lists them) and that a line cannot be forged: every value a client chose is a
JSON string, in which control characters are escaped. The query is left out, for it may hold secrets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import structlog

from edge.core.grpc_status import Code
from edge.core.timestamp import Timestamps
from edge.exchange import Exchange
from edge.telemetry.line_writer import LineWriter

_log = structlog.get_logger("edge.call")

_CODE_NAMES = {code.value: code.name for code in Code}


class AccessLog:
    """Writes the lines of calls. `wall` is the Unix clock in seconds."""

    def __init__(self, lines: LineWriter, *, wall: Callable[[], float] = time.time) -> None:
        self._lines = lines
        self._wall = wall
        self._timestamps = Timestamps()

    def write(self, ended: Sequence[tuple[Exchange, float]], now: float) -> None:
        """Queue the lines of calls that are over, each with the time of its end, on the clock of `started` and of `now`."""
        offset_s = self._wall() - now
        text = self._timestamps.text
        lines: list[bytes] = []
        for x, at in ended:
            try:
                lines.append(line_of(x, at - x.started, text(at + offset_s)))
            except Exception:  # noqa: BLE001  # a bug of ours must not cost the other lines
                _log.exception("a call could not be logged", request_id=x.request_id)
        self._lines.write_all(lines)


def line_of(x: Exchange, duration_s: float, at: str) -> bytes:
    """The line, with its line feed. `at` is the time of the answer's last byte."""
    fields = _fields(x, duration_s, at)
    try:
        return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # a lone surrogate in some text
        return orjson.dumps(_printable(fields), option=orjson.OPT_APPEND_NEWLINE)


def _fields(x: Exchange, duration_s: float, at: str) -> dict[str, Any]:
    target, refusal = x.target, x.refusal
    fields: dict[str, Any] = {
        "time": at,
        "request_id": x.request_id,
        "dialect": x.dialect,
        "method": x.http_method,
        "path": x.path,
        "protocol": x.http_version,
        "api": target.api if target else None,
        "rpc": target.selector if target else None,
        "status": x.status,
        "grpc_code": _CODE_NAMES.get(x.grpc_code) or str(x.grpc_code),
        "request_bytes": x.request_bytes,
        "response_bytes": x.response_bytes,
        "duration_ms": int(duration_s * 1e6) / 1000,
        "upstream_ms": int(x.upstream_s * 1e6) / 1000 if x.upstream_address else None,
        "upstream": x.upstream_address or None,
        "peer": x.peer,
    }
    if x.upstream_via:
        fields["upstream_via"] = x.upstream_via
    if refusal is not None:
        fields["fault"] = refusal.fault.name
        fields["detail"] = refusal.detail or refusal.public_message
    if x.caller:
        fields["caller"] = x.caller
    if x.user_agent:
        fields["user_agent"] = x.user_agent
    return fields


def _printable(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """The same value with every lone surrogate as a question mark."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_printable(key): _printable(item) for key, item in value.items()}
    return value
