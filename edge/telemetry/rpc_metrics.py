"""
What is counted of one RPC's calls.

Owns the request path's share of the metrics: per call two dictionary look-ups, two bisections and integer additions, no
lock, no system call. `publish` carries the sums over to prometheus_client.
"""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import Counter, Gauge, Histogram

from edge.core.grpc_status import Code
from edge.core.tally import Tally
from edge.exchange import Dialect, Exchange

LATENCY_BOUNDS_S = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
"""Half a millisecond to half a minute: a gateway adds less than the first, the default deadline lies between the last two."""

_CODE_NAMES = {code.value: code.name for code in Code}


def code_label(code: int) -> str:
    """The label for a gRPC code; all codes without a name share one, since an upstream chooses the number."""
    return _CODE_NAMES.get(code, "OTHER")


@dataclass(frozen=True, slots=True)
class RpcFamilies:
    """The metrics whose labels begin with api and rpc."""

    requests: Counter
    duration: Histogram
    upstream_duration: Histogram
    in_flight: Gauge
    request_bytes: Counter
    response_bytes: Counter


class RpcMetrics:
    """One RPC's counts since they were last published. `changed` is the list to stand on once there are any."""

    __slots__ = (
        "_changed",
        "_duration",
        "_ended",
        "_families",
        "_in_flight",
        "_is_listed",
        "_labels",
        "_request_bytes",
        "_response_bytes",
        "_upstream_duration",
    )

    def __init__(self, families: RpcFamilies, api: str, rpc: str, changed: list[RpcMetrics]) -> None:
        self._families = families
        self._labels = (api, rpc)
        self._changed = changed
        self._is_listed = False
        self._in_flight = 0
        self._ended: dict[tuple[Dialect, int, int], int] = {}
        self._duration = Tally(LATENCY_BOUNDS_S)
        self._upstream_duration = Tally(LATENCY_BOUNDS_S)
        self._request_bytes = 0
        self._response_bytes = 0

    def began(self) -> None:
        """A call was admitted."""
        self._in_flight += 1
        if not self._is_listed:
            self._list()

    def finished(self, x: Exchange) -> None:
        """An admitted call is over: a `Settle`."""
        self._in_flight -= 1
        if not self._is_listed:
            self._list()

    def ended(self, x: Exchange, duration_s: float) -> None:
        """A call is over, admitted or not; everything about it is in `x`."""
        ended, key = self._ended, (x.dialect, x.grpc_code, x.status)
        ended[key] = ended.get(key, 0) + 1
        self._duration.observe(duration_s)
        if x.upstream_address:
            self._upstream_duration.observe(x.upstream_s)
        self._request_bytes += x.request_bytes
        self._response_bytes += x.response_bytes
        if not self._is_listed:
            self._list()

    def _list(self) -> None:
        self._is_listed = True
        self._changed.append(self)

    def publish(self) -> None:
        """Add what was counted to the published metrics and start again at zero."""
        self._is_listed = False
        families, labels = self._families, self._labels
        families.in_flight.labels(*labels).set(self._in_flight)
        if not self._ended:
            return
        for (dialect, code, status), count in self._ended.items():
            families.requests.labels(*labels, dialect, code_label(code), status).inc(count)
        self._ended.clear()
        _add(families.duration.labels(*labels), self._duration)
        _add(families.upstream_duration.labels(*labels), self._upstream_duration)
        families.request_bytes.labels(*labels).inc(self._request_bytes)
        families.response_bytes.labels(*labels).inc(self._response_bytes)
        self._request_bytes = self._response_bytes = 0


def _add(histogram: Histogram, tally: Tally) -> None:
    """Add many observations at once, for which the library has no public way; the tests watch over these two attributes."""
    counts, total = tally.take()
    if total or any(counts):
        histogram._sum.inc(total)
        for bucket, count in zip(histogram._buckets, counts, strict=True):
            if count:
                bucket.inc(count)
