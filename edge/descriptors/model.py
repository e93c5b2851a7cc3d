"""
What an API description comes down to: a self-contained descriptor set, its RPCs, and the HTTP bindings of each.

Owns these plain, frozen values; loaders make them, `edge.routes` compiles them.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.problem import Problem


@dataclass(frozen=True, slots=True)
class Rpc:
    """One method of a gRPC service. `service` and the types are full names without a leading dot."""

    service: str
    method: str
    input_type: str
    output_type: str
    client_streaming: bool = False
    server_streaming: bool = False
    idempotent: bool = False  # idempotency_level is set: safe or idempotent by the service's own word
    side_effect_free: bool = False  # idempotency_level is NO_SIDE_EFFECTS: Connect clients may use GET

    @property
    def selector(self) -> str:
        """`package.Service.Method`, as google.api.HttpRule names it."""
        return f"{self.service}.{self.method}"

    @property
    def path(self) -> str:
        """`/package.Service/Method`, the HTTP/2 path of a call."""
        return f"/{self.service}/{self.method}"


@dataclass(frozen=True, slots=True)
class HttpBinding:
    """
    One HTTP binding of an RPC: a method and a template, before compilation.

    `http_method` is upper case, or `*` for any. `source` says where the rule was written, for error texts
    (`bookstore/v1/bookstore.proto:41`, `edge.yaml:17`). `generated` marks a default binding (POST /pkg.Service/Method).
    """

    rpc: Rpc
    http_method: str
    template: str
    body: str = ""
    response_body: str = ""
    source: str = ""
    generated: bool = False


@dataclass(frozen=True, slots=True)
class Description:
    """
    One API's services as loaded.

    `descriptor_set` is a serialized FileDescriptorSet with every dependency in it. `problems` are warnings, and errors of services and
    rules: with one of those the description is not to be served.
    """

    descriptor_set: bytes
    rpcs: tuple[Rpc, ...]
    bindings: tuple[HttpBinding, ...]
    problems: tuple[Problem, ...] = ()
