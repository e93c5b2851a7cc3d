"""A SPIFFE Workload API on a unix socket, as SPIRE's agent serves it, in threads of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path

import grpc
from cryptography.hazmat.primitives import serialization
from spiffe._proto import workload_pb2, workload_pb2_grpc

from tests.unit.certs.mint import Minted

Answer = workload_pb2.X509SVIDResponse | grpc.StatusCode | None


def svid(leaf: Minted, uri: str, *roots: Minted) -> workload_pb2.X509SVID:
    """One identity as the standard's proto has it: DER throughout, the key as PKCS #8."""
    return workload_pb2.X509SVID(
        spiffe_id=uri,
        x509_svid=b"".join(one.public_bytes(serialization.Encoding.DER) for one in leaf.chain),
        x509_svid_key=leaf.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        bundle=b"".join(one.der for one in roots),
    )


def response(svids: Sequence[workload_pb2.X509SVID], **federated: Minted) -> workload_pb2.X509SVIDResponse:
    """One message of the stream: the whole truth."""
    bundles = {f"spiffe://{name.replace('_', '.')}": one.der for name, one in federated.items()}
    return workload_pb2.X509SVIDResponse(svids=svids, federated_bundles=bundles)


class Agent(workload_pb2_grpc.SpiffeWorkloadAPIServicer):
    """Answers each stream with the newest message first, then with what is said; a status ends the streams, None does so with OK."""

    def __init__(self) -> None:
        self.streams = 0
        self._newest: Answer = None
        self._waiting: list[queue.SimpleQueue[Answer]] = []
        self._lock = threading.Lock()

    def say(self, answer: Answer) -> None:
        with self._lock:
            self._newest = answer
            for each in self._waiting:
                each.put(answer)

    def FetchX509SVID(
        self, request: workload_pb2.X509SVIDRequest, context: grpc.ServicerContext
    ) -> Iterator[workload_pb2.X509SVIDResponse]:
        if ("workload.spiffe.io", "true") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "security header missing from request")
        said: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        with self._lock:
            self.streams += 1
            self._waiting.append(said)
            if self._newest is not None:
                said.put(self._newest)
        context.add_callback(lambda: said.put(None))
        try:
            while (answer := said.get()) is not None:
                if isinstance(answer, grpc.StatusCode):
                    context.abort(answer, "told so")
                else:
                    yield answer
        finally:
            with self._lock:
                self._waiting.remove(said)


@contextmanager
def serving(agent: Agent, path: Path) -> Iterator[str]:
    """The agent at `unix://path`."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    workload_pb2_grpc.add_SpiffeWorkloadAPIServicer_to_server(agent, server)  # type: ignore[no-untyped-call]  # generated
    server.add_insecure_port(f"unix:{path}")
    server.start()
    try:
        yield f"unix://{path}"
    finally:
        server.stop(0).wait()
