"""
What the codec's tests share: the test protos compiled once, bindings in one line, and google.protobuf.json_format beside them.

The codecs made here are of the engine that runs the test (`use`): tests that name no engine run on each (conftest).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import google.api
import grpc_tools
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_tools import protoc

from edge.wire.codec import ApiCodec, JsonOptions, MethodCodec, Render, RequestMessage, ResponseBody
from edge.wire.portable import PORTABLE

HERE = Path(__file__).parent
FILES = ("everything.proto", "proto2.proto", "edition.proto")


@cache
def descriptor_set() -> bytes:
    """The test protos and all they import, as protoc orders them (dependencies first)."""
    roots = [HERE, Path(grpc_tools.__file__).parent / "_proto", Path(next(iter(google.api.__path__))).parent.parent]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set.binpb"
        arguments = [f"-I{root}" for root in roots] + ["--include_imports", f"--descriptor_set_out={out}", *FILES]
        assert protoc.main(["protoc", *arguments]) == 0
        return out.read_bytes()


def _native(descriptors: bytes) -> ApiCodec:
    from edge.wire.native.api import NativeApiCodec  # only where the extension is built

    return NativeApiCodec(descriptors)


ENGINES: dict[str, Callable[[bytes], ApiCodec]] = {"portable": PORTABLE.api}
if find_spec("edge_native") is not None:
    ENGINES["native"] = _native

_running = "portable"


def use(engine: str) -> None:
    """Make codecs by this engine from now on; those made before follow."""
    global _running
    _running = engine


@cache
def _api_of(engine: str) -> ApiCodec:
    return ENGINES[engine](descriptor_set())


def api() -> ApiCodec:
    """The codec of the test protos."""
    return _api_of(_running)


def api_of(descriptors: bytes) -> ApiCodec:
    """The codec of other descriptors."""
    return ENGINES[_running](descriptors)


@cache
def pool() -> DescriptorPool:
    """The same descriptors in a pool the engine does not know: what a service would have."""
    result = DescriptorPool()
    for file in FileDescriptorSet.FromString(descriptor_set()).file:
        result.AddSerializedFile(file.SerializeToString())
    return result


def message_class(name: str) -> Any:
    """A message class of that pool."""
    return GetMessageClass(pool().FindMessageTypeByName(name))


class Switching:
    """A binding under the engine that runs (edge.wire.codec.MethodCodec): modules make theirs once, for all engines."""

    def __init__(self, **binding: Any) -> None:
        self._binding = binding
        self._codecs: dict[str, MethodCodec] = {}
        self._codec()  # what does not compile is to fail where it is written

    def _codec(self) -> MethodCodec:
        if _running not in self._codecs:
            self._codecs[_running] = api().method(**self._binding)
        return self._codecs[_running]

    @property
    def takes_raw(self) -> bool:
        return self._codec().takes_raw

    @property
    def gives_raw(self) -> bool:
        return self._codec().gives_raw

    def request(self, path: Sequence[str], query: str, body: bytes, content_type: str) -> RequestMessage:
        return self._codec().request(path, query, body, content_type)

    def response(self, message: bytes, render: Render) -> ResponseBody:
        return self._codec().response(message, render)


@cache
def _method_of(engine: str, **binding: Any) -> MethodCodec:
    return Switching(**binding)


def method(
    request: str = "t.All",
    response: str = "t.All",
    path: tuple[str, ...] = (),
    body: str = "*",
    response_body: str = "",
    http_method: str = "POST",
    **options: Any,
) -> MethodCodec:
    """A binding; keyword arguments that are left are JsonOptions."""
    return _method_of(
        _running,
        input_type=request,
        output_type=response,
        path_fields=path,
        body=body,
        response_body=response_body,
        http_method=http_method,
        options=JsonOptions(**options),
    )


def bind(codec: MethodCodec, *path: str, query: str = "", body: bytes | str = b"", type_: str = "") -> RequestMessage:
    """Bind one request."""
    return codec.request(path, query, body.encode() if isinstance(body, str) else body, type_)


def bound(codec: MethodCodec, *path: str, query: str = "", body: bytes | str = b"", name: str = "t.BookRequest") -> Any:
    """Bind one request and read the message as a service would."""
    return message_class(name).FromString(bind(codec, *path, query=query, body=body).message)


def read(text: bytes | str, name: str = "t.All", **options: Any) -> Any:
    """A JSON body as a message of type `name`."""
    return bound(method(name, **options), body=text, name=name)


def printed(message: Any, **options: Any) -> bytes:
    """A message as the gateway answers it."""
    codec = method(response=message.DESCRIPTOR.full_name, **options)
    return codec.response(message.SerializeToString(), bind(method(body="", **options)).render).body
