"""
What is asked of the gateway and its peers: small GET, small POST, 100 KB and 1 MB bodies both ways, gRPC passed through, a stream.

The upstream's answers are static files, so that the load on its core stays small; they are made here from the demo's descriptors.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from edge.demo.messages import FILES, find_root
from edge.descriptors.compile import compile_protos

SERVICES = ("bookstore.v1.Bookstore", "bookstore.v1.Laboratory", "bookstore.v1.Feeds")
STREAMED = 200
"""Messages of a streamed answer; they come as fast as nginx sends a file."""


@dataclass(frozen=True)
class Scene:
    """
    One kind of request, and the gRPC answer the upstream gives to it, `messages` times.

    `grpc`: the request is gRPC itself, `body` its frame, and h2load sends it; else it is HTTP, and wrk does.
    """

    name: str
    method: str
    path: str
    body: bytes
    rpc_path: str
    answer: bytes
    messages: int = 1
    grpc: bool = False
    expected: Any = None
    """The JSON of one answer, apart from fields at their default."""
    accepts: str = ""
    """What the client says it takes: a content coding."""
    at_once: int = 32
    """Requests at once: fewer of large ones, for what is not finished when the time is up is not counted."""


def descriptor_set() -> bytes:
    """The bookstore's FileDescriptorSet."""
    return compile_protos([find_root()], FILES)


def scenes(compiled: bytes) -> list[Scene]:
    """The scenes of the yardstick."""
    book = {
        "id": "2",
        "shelf": "1",
        "title": "Gödel, Escher, Bach",
        "isbn": "978-0465026562",
        "tags": ["logic", "music"],
        "pages": 777,
    }
    event = {"sequence": "7", "kind": "KIND_CREATED", "book": book}
    body = json.dumps({"title": "A new book", "isbn": "978-3-16-148410-0", "pages": 321, "tags": ["a", "b"]}).encode()
    return [
        Scene(
            "GET small",
            "GET",
            "/v1/shelves/1/books/2?view=BOOK_VIEW_FULL",
            b"",
            "/bookstore.v1.Bookstore/GetBook",
            _message(compiled, "bookstore.v1.Book", book),
            expected=book,
        ),
        Scene(
            "POST small",
            "POST",
            "/v1/shelves/1/books",
            body,
            "/bookstore.v1.Bookstore/CreateBook",
            _message(compiled, "bookstore.v1.Book", book),
            expected=book,
        ),
        _payload(compiled, "POST 100 KB", 900, at_once=8),
        _payload(compiled, "POST 1 MB", 9000, at_once=4),
        Scene(
            "gRPC, h2 to h2",
            "POST",
            "/bookstore.v1.Bookstore/GetBook",
            _frame(_message(compiled, "bookstore.v1.GetBookRequest", {"shelf": "1", "book": "2"})),
            "/bookstore.v1.Bookstore/GetBook",
            _message(compiled, "bookstore.v1.Book", book),
            grpc=True,
        ),
        Scene(
            f"a message of a stream of {STREAMED}",
            "GET",
            "/v1/books:watch",
            b"",
            "/bookstore.v1.Feeds/WatchBooks",
            _message(compiled, "bookstore.v1.BookEvent", event),
            expected=event,
            messages=STREAMED,
            at_once=8,
        ),
    ]


def _payload(compiled: bytes, name: str, items: int, *, at_once: int) -> Scene:
    payload = {"items": [_item(number) for number in range(items)]}
    return Scene(
        name,
        "POST",
        "/v1/lab/payload",
        json.dumps(payload).encode(),
        "/bookstore.v1.Laboratory/EchoPayload",
        _message(compiled, "bookstore.v1.Payload", payload),
        expected=payload,
        at_once=at_once,
    )


def _frame(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


def _item(number: int) -> dict[str, Any]:
    return {
        "id": str(number),
        "name": f"item number {number}",
        "score": number / 7,
        "tags": ["red", "heavy"],
        "active": True,
    }


def _message(compiled: bytes, name: str, value: dict[str, Any]) -> bytes:
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(compiled).file:
        pool.Add(file)
    kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
    return json_format.ParseDict(value, kind(), ignore_unknown_fields=False).SerializeToString()


def write_answers(folder: Path, of: list[Scene]) -> None:
    """Write each answer as gRPC frames, a file per RPC: of scenes that share an RPC, the last one's."""
    for scene in of:
        path = folder / scene.rpc_path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_frame(scene.answer) * scene.messages)
