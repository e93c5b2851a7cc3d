"""
The RPC a path names, for the dialects whose paths are `/package.Service/Method`.

Owns the refusals of a head that names none, or names one in a way it cannot be called. Source: PROTOCOL-HTTP2.md (Requests);
transcoding.md W (bidi over HTTP/1.1).
"""

from __future__ import annotations

from edge.ingress.opening import Opening
from edge.outcome import Fault, Refusal
from edge.routes import Target

_HALF_DUPLEX = ("1.0", "1.1")


def rpc_target(opening: Opening) -> Target | Refusal:
    """The target of a head's path."""
    serving = opening.serving
    target = serving.routes.targets.get(opening.head.path)
    if target is not None:
        return target
    if serving.loading:
        return Refusal(Fault.NOT_READY, detail=f"loading: {', '.join(serving.loading)}", retry_after_s=1.0)
    return Refusal(Fault.RPC_UNKNOWN)


def is_streaming(target: Target) -> bool:
    """Whether either side may send more than one message."""
    return target.rpc.client_streaming or target.rpc.server_streaming


def needs_http2(opening: Opening, target: Target) -> Refusal | None:
    """HTTP/1.1 clients and proxies send the whole request before they read the answer: a dialogue would wait for ever."""
    rpc = target.rpc
    if rpc.client_streaming and rpc.server_streaming and opening.head.version in _HALF_DUPLEX:
        return Refusal(Fault.HTTP_VERSION_UNSUPPORTED, message="bidirectional streaming needs HTTP/2")
    return None
