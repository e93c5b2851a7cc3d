"""
What a watch of EndpointSlices has heard, and what to ask next.

Owns the protocol's rules: a list gives the whole truth and a version, events follow it from there, a bookmark moves the version alone;
a version the server has forgotten (410, as a status or as an event) means a new list; any other error keeps version and set. A list that
cannot be had never empties the set. Times are the caller's clock, in seconds.
Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from edge.core.endpoint_slices import Endpoints, PodQuery, Slice, endpoints_of

GONE = 410
_REFUSED = (401, 403)


class WatchAlarm(Enum):
    """What keeps the set from being known to be true."""

    UNREACHABLE = "unreachable"
    DENIED = "denied"
    MALFORMED = "malformed"


class MalformedError(ValueError):
    """An answer is not what the API says."""


class SliceWatch:
    """The slices of one Service. `version` is None when the next step is a list, else what to watch from."""

    def __init__(self, query: PodQuery) -> None:
        self._query = query
        self._slices: dict[str, Slice] = {}
        self.version: str | None = None
        self.endpoints: Endpoints | None = None
        """None until a list was had."""
        self.alarm: WatchAlarm | None = None
        self.reason = ""
        self.confirmed_at: float | None = None
        """When the API server last said that it is so, or opened a watch from what we have."""

    def listed(self, body: Any, now: float) -> None:  # noqa: ANN401  # JSON of another's
        """A list, whole. Raises MalformedError."""
        try:
            version = body["metadata"]["resourceVersion"]
            slices = {str(each["metadata"]["name"]): each for each in body.get("items") or ()}
        except (KeyError, TypeError, AttributeError):
            raise MalformedError("the list has another shape than the API's") from None
        self._slices, self.version = slices, str(version)
        self._well(now)

    def watching(self, now: float) -> None:
        """The server has opened a watch from `version`: nothing it knows of was missed."""
        self.confirmed_at, self.alarm, self.reason = now, None, ""

    def heard(self, event: Any, now: float) -> None:  # noqa: ANN401  # JSON of another's
        """One event. Raises MalformedError; after one of 410 the next step is a list."""
        try:
            kind, thing = event["type"], event["object"]
            if kind == "ERROR":
                self._erred(thing)
                return
            name, version = thing["metadata"].get("name"), thing["metadata"]["resourceVersion"]
        except (KeyError, TypeError, AttributeError):
            raise MalformedError("an event has another shape than the API's") from None
        if kind in {"ADDED", "MODIFIED"}:
            self._slices[str(name)] = thing
        elif kind == "DELETED":
            self._slices.pop(str(name), None)
        elif kind != "BOOKMARK":
            raise MalformedError(f"an event is of the unknown type {str(kind)[:40]!r}")
        self.version = str(version)
        self._well(now)

    def failed(self, status: int, reason: str) -> None:
        """A list or watch was refused with a status, or with 0 could not be made: the set stays."""
        if status == GONE:
            self.version = None
            return
        self.alarm = WatchAlarm.DENIED if status in _REFUSED else WatchAlarm.UNREACHABLE
        self.reason = reason

    def malformed(self, reason: str) -> None:
        """What came cannot be understood: the set stays, and a list is to tell the truth anew."""
        self.version = None
        self.alarm, self.reason = WatchAlarm.MALFORMED, reason

    def _erred(self, status: Mapping[str, Any]) -> None:
        code = status.get("code")
        self.failed(code if isinstance(code, int) else 0, str(status.get("message") or "the watch ended with an error"))

    def _well(self, now: float) -> None:
        self.endpoints = endpoints_of(self._slices.values(), self._query)
        self.watching(now)
