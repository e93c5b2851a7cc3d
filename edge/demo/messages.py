"""
The bookstore's message classes, made at start from its .proto files: no generated code is kept anywhere.

Owns one descriptor pool, so that the classes, the services' descriptors and reflection all speak of the same types.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, TypeAlias

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pool import DescriptorPool

from edge.descriptors.compile import compile_protos

Msg: TypeAlias = Any
"""A message (or message class) made at start: the type checker cannot know its fields."""

PACKAGE = "bookstore.v1"
FILES = tuple(
    f"bookstore/v1/{stem}.proto"
    for stem in ("bookstore", "community", "publishing", "orders", "feeds", "laboratory")
)  # fmt: skip
SERVICES = ("Bookstore", "Community", "Publishing", "Files", "Orders", "Feeds", "Laboratory")


def find_root() -> Path:
    """The folder of .proto files: beside the package in a checkout, under the prefix's share/ when installed."""
    places = (Path(__file__).resolve().parents[2] / "protos", Path(sys.prefix) / "share" / "edge" / "protos")
    for place in places:
        if (place / FILES[0]).is_file():
            return place
    raise FileNotFoundError(f"the demo's .proto files are in none of: {', '.join(map(str, places))}")


class Messages:
    """Message classes by name: `messages.Book` is bookstore.v1.Book, `messages.of` takes any full name."""

    def __init__(self, descriptor_set: bytes) -> None:
        self.pool = DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(descriptor_set).file:
            self.pool.AddSerializedFile(file.SerializeToString())
        self._classes: dict[str, Msg] = {}

    def __getattr__(self, name: str) -> Msg:
        return self.of(f"{PACKAGE}.{name}")

    def of(self, full_name: str) -> Msg:
        """The class of a message type; KeyError when the protos have none of that name."""
        known = self._classes.get(full_name)
        if known is None:
            known = message_factory.GetMessageClass(self.pool.FindMessageTypeByName(full_name))
            self._classes[full_name] = known
        return known

    def number(self, enum: str, value: str) -> int:
        """The number of an enum's value, both by name."""
        return int(self.pool.FindEnumTypeByName(f"{PACKAGE}.{enum}").values_by_name[value].number)

    def service(self, name: str) -> ServiceDescriptor:
        """The descriptor of one of SERVICES."""
        return self.pool.FindServiceByName(f"{PACKAGE}.{name}")


def load() -> Messages:
    """Compile the bookstore's protos and make its classes."""
    return Messages(compile_protos([find_root()], FILES))
