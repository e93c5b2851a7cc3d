"""
The byte level: HTTP/2 sessions and the JSON-protobuf codec, as one interface with interchangeable engines.

Sans-IO: bytes in, events and bytes out; no socket, no clock. `session` and `codec` hold the interfaces, `portable` the
reference engine (python h2, google.protobuf). Every engine passes the same tests (docs/adr/0002-two-engines.md).
"""
