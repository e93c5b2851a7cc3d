"""
The native HTTP/2 session: the Rust extension's class under the name this project uses.

Owns nothing: the rules are in `native/src/h2`, held equal to the portable engine's by tests/unit/wire/test_h2_equality.py.
"""

from __future__ import annotations

from edge_native import H2Session


class NativeH2Session(H2Session):
    """
    One HTTP/2 connection; see `edge.wire.session.H2Session` for what each method promises.

    Beyond the interface: `send_with(stream, headers, data, end=)` is `send_headers` and `send_data`; `held()` counts open streams
    and remembered resets. Fastest when header lists are lists in which fields that repeat are the very same tuples (constants): these
    are known by identity. Header lists of events are shared between events of equal blocks and must not be changed. What a
    stream's own state forbids (data after its end) raises RuntimeError: a bug of the caller, never of the peer.
    """

    __slots__ = ()
