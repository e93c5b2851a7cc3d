"""
Who may call what, as a picture: Mermaid for a page, SVG for anywhere.

Owns the layout: callers left, services right, each RPC a row of its service's box, one line from a caller to each RPC it may call. No
line is no access. Text from the configuration is escaped. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from meshconfig.plan import Allowance, Caller, MeshPlan, PlannedService, Rpc

_ROW, _HEAD, _GAP = 22, 48, 28
_LEFT, _CALLER_WIDTH, _RIGHT, _SERVICE_WIDTH = 24, 230, 480, 420
_COLOURS = ("#0b6bcb", "#b54708", "#087443", "#8b3fc7", "#b42318", "#475467")
MOST_ROWS = 24
"""A service with more RPCs has the rest in one row."""


def mermaid(plan: MeshPlan) -> str:
    """A flowchart; what is on a line is how many RPCs, or which one."""
    callers = {caller: f"c{number}" for number, caller in enumerate(_callers(plan))}
    lines = ["flowchart LR"]
    lines += [f'  {key}["{_quoted(caller.service)}<br/>{_account(caller)}"]' for caller, key in callers.items()]
    for number, service in enumerate(plan.services):
        lines.append(
            f'  s{number}["{_quoted(service.service)}<br/>{service.namespace}, {service.protocol} {service.port}"]'
        )
        lines += [
            f'  {callers[each.caller]} -->|"{_label(service, each)}"| s{number}'
            for each in plan.callers_of(service.key)
        ]
    lines.append(f"  style {callers[plan.gateway.caller]} stroke-width:3px")
    return "\n".join(lines) + "\n"


def _label(service: PlannedService, allowance: Allowance) -> str:
    if not service.by_rpc:
        return "everything (tcp)"
    return _quoted(str(allowance.rpcs[0])) if len(allowance.rpcs) == 1 else f"{len(allowance.rpcs)} RPCs"


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;")


def _account(caller: Caller) -> str:
    return f"{caller.namespace}/{caller.service_account}"


def _callers(plan: MeshPlan) -> list[Caller]:
    """The gateway first."""
    others = {allowance.caller for allowance in plan.allowed} - {plan.gateway.caller}
    return [plan.gateway.caller, *sorted(others)]


@dataclass(frozen=True, slots=True)
class _Box:
    """A service's box; `rows` are the y of each RPC's row."""

    service: PlannedService
    top: int
    height: int
    rows: dict[Rpc, int]
    names: tuple[tuple[int, str], ...]


def svg(plan: MeshPlan) -> str:
    """The picture, with a title for those who hear it."""
    boxes = _boxes(plan)
    callers = _callers(plan)
    height = max(boxes[-1].top + boxes[-1].height if boxes else 0, 40 + len(callers) * (_HEAD + _GAP)) + 56
    width = _RIGHT + _SERVICE_WIDTH + _LEFT
    places = {caller: 40 + number * (_HEAD + _GAP) for number, caller in enumerate(callers)}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="13" role="img" aria-labelledby="title">',
        '<title id="title">Who may call what</title>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for number, caller in enumerate(callers):
        parts += _edges(plan, boxes, caller, places[caller], _COLOURS[number % len(_COLOURS)])
    for number, caller in enumerate(callers):
        bold = caller == plan.gateway.caller
        parts += _caller(caller, places[caller], _COLOURS[number % len(_COLOURS)], bold=bold)
    for box in boxes:
        parts += _service(box)
    parts.append(
        _text(
            _LEFT, height - 18, "What has no line is denied. " + f"From {plan.source}, {plan.config_hash}.", "#475467"
        )
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _boxes(plan: MeshPlan) -> list[_Box]:
    boxes, top = [], 40
    for service in plan.services:
        rpcs = sorted({rpc for allowance in plan.callers_of(service.key) for rpc in allowance.rpcs})
        shown, rest = (rpcs, 0) if len(rpcs) <= MOST_ROWS else (rpcs[: MOST_ROWS - 1], len(rpcs) - MOST_ROWS + 1)
        rows = {rpc: top + _HEAD + 16 + min(at, MOST_ROWS - 1) * _ROW for at, rpc in enumerate(rpcs)}
        names = [(rows[rpc], str(rpc)) for rpc in shown]
        if rest:
            names.append((rows[rpcs[-1]], f"{rest} more RPCs"))
        height = _HEAD + len(names) * _ROW + 8
        boxes.append(_Box(service, top, height, rows, tuple(names)))
        top += height + _GAP
    return boxes


def _edges(plan: MeshPlan, boxes: list[_Box], caller: Caller, top: int, colour: str) -> Iterator[str]:
    start_x, start_y, end_x = _LEFT + _CALLER_WIDTH, top + _HEAD // 2, _RIGHT
    bend = (end_x - start_x) // 2
    for box in boxes:
        rows = {
            box.rows[rpc] for each in plan.callers_of(box.service.key) if each.caller == caller for rpc in each.rpcs
        }
        for y in sorted(rows):
            curve = f"M{start_x} {start_y} C{start_x + bend} {start_y} {end_x - bend} {y} {end_x} {y}"
            yield f'<path d="{curve}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-opacity="0.75"/>'
            yield f'<circle cx="{end_x}" cy="{y}" r="3.5" fill="{colour}"/>'


def _caller(caller: Caller, top: int, colour: str, *, bold: bool) -> Iterator[str]:
    yield _rect(_LEFT, top, _CALLER_WIDTH, _HEAD, colour, 2.5 if bold else 1.2)
    yield _text(_LEFT + 12, top + 20, caller.service, "#101828", bold=True)
    yield _text(_LEFT + 12, top + 38, _account(caller), "#475467")


def _service(box: _Box) -> Iterator[str]:
    service = box.service
    yield _rect(_RIGHT, box.top, _SERVICE_WIDTH, box.height, "#98a2b3", 1.2, fill="none")
    yield _text(_RIGHT + 14, box.top + 20, service.service, "#101828", bold=True)
    note = "" if service.by_rpc else ": whoever may call one may call all"
    yield _text(
        _RIGHT + 14,
        box.top + 38,
        f"{service.namespace}, {service.protocol} {service.port}{note}",
        "#475467",
    )
    for y, name in box.names:
        yield _text(_RIGHT + 14, y + 4, name, "#101828")


def _rect(x: int, y: int, width: int, height: int, stroke: str, line: float, fill: str = "#ffffff") -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{fill}" stroke="{stroke}" stroke-width="{line}"/>'


def _text(x: int, y: int, text: str, colour: str, *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x}" y="{y}" fill="{colour}"{weight}>{escape(text)}</text>'
