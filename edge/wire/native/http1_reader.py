"""
The native HTTP/1.1 reader: the Rust extension's class under the name this project uses.

Owns nothing: the rules are in `native/src/http1`, held equal to the portable engine's by tests/unit/wire/test_http1_equality.py.
"""

from __future__ import annotations

from edge_native import RequestReader

NativeRequestReader = RequestReader
"""
One request at a time; see `edge.wire.http1.RequestReader` for what each name promises.

The very class, not one below it: the extension then knows its object by one comparison, at each of a request's calls.
"""
