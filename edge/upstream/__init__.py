"""
The upstream side: pools of HTTP/2 connections to gRPC services over `edge.wire`, and the calls made on them.

Each upstream has a pool of its own, so that one that hangs cannot take another's connections.
"""
