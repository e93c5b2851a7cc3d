"""Real grpcio services to call, in threads of their own, so that nothing of theirs runs on the loop under test."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from edge.upstream.dial import TlsOptions, make_security
from edge.upstream.endpoint import DialPlan
from edge.upstream.pool import Pool
from edge.wire.portable.h2_session import PortableH2Session
from edge.wire.session import H2Session, Role, SessionSettings


@dataclass
class Seen:
    """What the service observed."""

    running: int = 0
    peak: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    streamed: int = 0
    metadata: dict[str, str | bytes] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Handlers(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in its stubs only
    """Methods by the last part of their path; messages are bytes."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    def service(self, handler_call_details: Any) -> Any:
        name = handler_call_details.method.rsplit("/", 1)[1]
        if name in ("Chat", "Count"):
            return grpc.stream_stream_rpc_method_handler(getattr(self, name))
        return grpc.unary_unary_rpc_method_handler(getattr(self, name))

    def Echo(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self.seen.metadata = dict(context.invocation_metadata())
        context.send_initial_metadata((("x-first", "1"),))
        context.set_trailing_metadata((("x-last", "2"), ("x-raw-bin", b"\x00\xff")))
        return request

    def Slow(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        with self.seen.lock:
            self.seen.running += 1
            self.seen.peak = max(self.seen.peak, self.seen.running)
        time.sleep(0.02)
        with self.seen.lock:
            self.seen.running -= 1
        return request

    def Fail(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        detail = any_pb2.Any()
        detail.Pack(error_details_pb2.ErrorInfo(reason="NO_SUCH_BOOK", domain="test"))
        status = status_pb2.Status(code=5, message="no such bóok ", details=[detail])
        context.abort_with_status(rpc_status.to_status(status))

    def Hang(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        ended = threading.Event()
        if not context.add_callback(ended.set):
            ended.set()
        with self.seen.lock:
            self.seen.running += 1
        ended.wait(10)
        self.seen.ended.set()
        return b""

    def Large(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        return bytes(int(request))

    def Chat(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        for request in requests:
            yield request[::-1]

    def Count(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        count, size = map(int, next(requests).split())
        for number in range(count):
            with self.seen.lock:
                self.seen.streamed = number + 1
            yield number.to_bytes(4, "big") + bytes(size - 4)


@dataclass
class Service:
    """A running service."""

    port: int
    seen: Seen


@contextmanager
def serving(
    *options: tuple[str, int], credentials: grpc.ServerCredentials | None = None, port: int = 0, workers: int = 16
) -> Iterator[Service]:
    """A service on loopback; stopped without grace at the end."""
    pool = futures.ThreadPoolExecutor(workers)
    settings = (
        ("grpc.max_receive_message_length", 8 << 20),
        ("grpc.max_send_message_length", 8 << 20),
        ("grpc.so_reuseport", 0),
    )
    server = grpc.server(pool, options=(*settings, *options))
    seen = Seen()
    server.add_generic_rpc_handlers((Handlers(seen),))
    address = f"127.0.0.1:{port}"
    bound = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    server.start()
    try:
        yield Service(bound, seen)
    finally:
        server.stop(None).wait()
        pool.shutdown(wait=True)


def session() -> H2Session:
    return PortableH2Session(Role.CLIENT, SessionSettings())


def plan(tls: TlsOptions | None = None, **more: Any) -> DialPlan:
    return DialPlan(make_security(tls), session, **more)


def pool_to(*ports: int, tls: TlsOptions | None = None, host: str = "127.0.0.1", **more: Any) -> Pool:
    """A pool with tests' short times."""
    dial = {
        name: more.pop(name)
        for name in ("timing", "connect_timeout_s", "backoff_initial_s", "backoff_max_s")
        if name in more
    }
    return Pool("test", [(host, port) for port in ports], plan(tls, **dial), **more)
