"""
The picture of a run: CPU per request as a ratio to each peer's, with the spread over the rounds and the line at 1.0.

The scale is logarithmic: half as much and twice as much are as far from the line.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from tests.bench.findings import Findings, Ratio
from tests.bench.variants import ENVOY, GRPC_GATEWAY

COLOURS = {ENVOY: "#ac6199", GRPC_GATEWAY: "#00a29c"}
TICKS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)


def draw(findings: Findings, title: str, path: Path) -> bool:
    """Write the picture; False when there is no ratio to draw."""
    mpl.use("Agg")
    by_peer = {peer: findings.cpu_ratios(peer) for peer in COLOURS}
    rows = list(dict.fromkeys(row for ratios in by_peer.values() for row in ratios))
    if not rows:
        return False
    figure, axes = pyplot.subplots(figsize=(9, 1.6 + 0.55 * len(rows)), layout="constrained")
    for peer, ratios in by_peer.items():
        _bars(axes, rows, peer, ratios)
    axes.axvline(1.0, color="black", linewidth=1.2)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(TICKS))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, 0.4), max(high * 1.25, 1.6))
    axes.set_yticks(range(len(rows)), rows)
    axes.invert_yaxis()
    axes.set_xlabel("CPU per request (streams: per message), edge / peer; left of 1.0 edge needs less")
    axes.set_title(title, fontsize=10)
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="best", title="peer")
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
    return True


def _bars(axes: Axes, rows: list[str], peer: str, ratios: dict[str, Ratio]) -> None:
    offset = -0.2 if peer == ENVOY else 0.2
    known = [(place, ratios[row]) for place, row in enumerate(rows) if row in ratios]
    if not known:
        return
    medians = [ratio.median for _, ratio in known]
    spread = [[ratio.median - ratio.low for _, ratio in known], [ratio.high - ratio.median for _, ratio in known]]
    places = [place + offset for place, _ in known]
    # A bar from the line to the ratio: on a logarithmic scale there is no zero to begin at.
    axes.barh(
        places,
        [median - 1 for median in medians],
        left=1.0,
        height=0.36,
        xerr=spread,
        capsize=3,
        color=COLOURS[peer],
        label=peer,
    )
    for place, (_, ratio) in zip(places, known, strict=True):
        axes.annotate(
            f"{ratio.median:.2f}",
            (max(ratio.high, 1.0), place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
