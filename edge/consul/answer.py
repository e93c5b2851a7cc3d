"""
What comes back from a Consul agent: an answer with what its headers say of it, or an error that says what to do.

Owns the reading of the headers. A header that is missing or unreadable counts as the harmless value, except that no index is no
index: the rules of edge.core.consul_index make of it what they must.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from edge.core.consul_last_good import Alarm, Provenance


class Kind(Enum):
    """Why there is no answer."""

    UNREACHABLE = "unreachable"
    """No connection, no answer in time, or half of one."""
    DENIED = "denied"
    """403: the token."""
    REFUSED = "refused"
    """Another 4xx: the request."""
    NOT_FOUND = "not_found"
    """404."""
    FAILED = "failed"
    """5xx: no leader, a server that cannot be reached, rate limits."""
    UNREADABLE = "unreadable"
    """Not the JSON it should be, or too large."""


class ConsulError(Exception):
    """A request that Consul did not answer as hoped; the text is for operators."""

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(text)
        self.kind = kind

    @property
    def alarm(self) -> Alarm:
        """The alarm a watch raises for it."""
        if self.kind is Kind.DENIED:
            return Alarm.DENIED
        return Alarm.NO_LEADER if "leader" in str(self) and self.kind is Kind.FAILED else Alarm.UNREACHABLE


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON body and the facts beside it. `index` is None where the endpoint has none."""

    body: Any
    index: int | None
    filtered: bool
    known_leader: bool
    last_contact_s: float
    default_deny: bool
    authenticated: bool
    content_hash: str
    streamed: bool
    """From the agent's streaming backend, which says nothing true of leader, staleness and access rules."""

    def provenance(self, *, restarted: bool) -> Provenance:
        """What the answer says of itself, for edge.core.consul_last_good."""
        return Provenance(
            filtered=self.filtered,
            authenticated=self.authenticated,
            default_deny=self.default_deny,
            known_leader=self.known_leader,
            last_contact_s=self.last_contact_s,
            restarted=restarted,
            streamed=self.streamed,
        )


def read_answer(body: Any, headers: Mapping[str, str], *, authenticated: bool) -> Answer:  # noqa: ANN401  # JSON of any shape
    """An answer of a body and its response headers (names in any case, as aiohttp's mapping has them)."""
    return Answer(
        body=body,
        index=_whole(headers.get("X-Consul-Index")),
        filtered=headers.get("X-Consul-Results-Filtered-By-ACLs") == "true",
        known_leader=headers.get("X-Consul-KnownLeader", "true") != "false",
        last_contact_s=(_whole(headers.get("X-Consul-LastContact")) or 0) / 1000,
        default_deny=headers.get("X-Consul-Default-ACL-Policy") == "deny",
        authenticated=authenticated,
        content_hash=headers.get("X-Consul-ContentHash", ""),
        streamed=headers.get("X-Consul-Query-Backend") == "streaming",
    )


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
