"""
The compiled table of routes: which RPC, under which binding, a method and path mean.

Owns `Route` and the answer to a lookup. The decision itself (specificity, backtracking) is `core.route_trie`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.descriptors.model import HttpBinding, Rpc
from edge.wire.codec import ApiCodec, MethodCodec


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One binding, ready to serve. Times in seconds, sizes in bytes."""

    api: str
    rpc: Rpc
    binding: HttpBinding
    codec: MethodCodec
    api_codec: ApiCodec
    upstream: str
    timeout_s: float
    max_response_bytes: int
