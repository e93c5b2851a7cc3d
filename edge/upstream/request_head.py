"""
The head of a gRPC request: what is the same for every call of a path is prepared once.

Owns what an upstream's calls say in front of their metadata, and that metadata of the operator's takes the place of what a call
brings under the same names: a client must not be able to set beside the operator's credential one of its own.
Source: PROTOCOL-HTTP2.md (Requests).
"""

from __future__ import annotations

from collections.abc import Sequence

from edge import __version__
from edge.core.grpc_timeout import format_timeout
from edge.upstream.call import Header

_MAX_PREPARED = 4096  # one per path and authority; paths come from routes, but nothing here relies on that
_USER_AGENT = f"edge-gateway/{__version__}".encode()


class RequestHeads:
    """Of one upstream. `authority` is said in place of the address; `metadata` is added to every call."""

    __slots__ = ("_authority", "_metadata", "_own_names", "_prepared", "_scheme")

    def __init__(self, scheme: bytes, authority: str | None, metadata: Sequence[Header]) -> None:
        self._scheme = scheme
        self._authority = authority
        self._metadata = tuple(metadata)
        self._own_names = frozenset(name for name, _ in metadata)
        self._prepared: dict[tuple[bytes, str], tuple[Header, ...]] = {}

    def of(self, path: bytes, metadata: Sequence[Header], remaining_s: float | None, address: str) -> list[Header]:
        """A call's head; `remaining_s` of its deadline is told as grpc-timeout."""
        authority = self._authority or address
        head = self._prepared.get((path, authority)) or self._prepare(path, authority)
        if self._own_names:
            metadata = [*self._metadata, *(entry for entry in metadata if entry[0] not in self._own_names)]
        if remaining_s is None:
            return [*head, *metadata]
        return [*head, (b"grpc-timeout", format_timeout(remaining_s)), *metadata]

    def _prepare(self, path: bytes, authority: str) -> tuple[Header, ...]:
        """
        The part that is the same for every call of a path.

        No grpc-accept-encoding: on a mesh's links compression costs both ends more than it saves. A service that compresses
        with gzip all the same is understood.
        """
        head = (
            (b":method", b"POST"),
            (b":scheme", self._scheme),
            (b":path", path),
            (b":authority", authority.encode("latin-1")),
            (b"te", b"trailers"),
            (b"content-type", b"application/grpc"),
            (b"user-agent", _USER_AGENT),
        )
        if len(self._prepared) < _MAX_PREPARED:
            self._prepared[(path, authority)] = head
        return head
