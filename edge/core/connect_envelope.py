"""
Connect's envelope for the end of a stream. Its messages are enveloped as gRPC frames its own (`core.grpc_frame`).

Owns the flag that tells the two apart. Source: https://connectrpc.com/docs/protocol (Enveloped-Message).
"""

from __future__ import annotations

_END_OF_STREAM = b"\x02"


def end_envelope(payload: bytes) -> bytes:
    """The last envelope of an answer; `payload` is an EndStreamResponse."""
    return _END_OF_STREAM + len(payload).to_bytes(4, "big") + payload
