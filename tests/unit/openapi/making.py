"""APIs to document: small ones written in a test, the bookstore, and the codec tests' message with one of everything."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from edge.app.described import openapi_sources
from edge.app.snapshot import load_snapshot
from edge.config.load import load_config
from edge.openapi import ApiSource, document
from edge.openapi.notes import read_notes
from edge.openapi.schemas import Schemas
from edge.wire.codec import JsonOptions
from edge.wire.portable.schema import Schema
from tests.gateway import bookstore_config
from tests.unit.app.configs import config

IMPORTS = (
    "google/api/annotations",
    "google/api/field_behavior",
    "google/api/httpbody",
    "google/protobuf/any",
    "google/protobuf/duration",
    "google/protobuf/empty",
    "google/protobuf/field_mask",
    "google/protobuf/struct",
    "google/protobuf/timestamp",
    "google/protobuf/wrappers",
)


def proto(body: str, package: str = "t.v1") -> str:
    """A file that may use whatever the tests need."""
    imports = "".join(f'import "{name}.proto";\n' for name in IMPORTS)
    return f'syntax = "proto3";\npackage {package};\n{imports}{body}'


def source(body: str, /, **api: Any) -> ApiSource:
    """The API of one proto file of package t.v1; `api` are its choices in the configuration."""
    with tempfile.TemporaryDirectory() as folder:
        snapshot = load_snapshot(config(Path(folder), proto=proto(body), api=api))
    (found,) = openapi_sources(snapshot)
    return found


def documented(body: str, /, **choices: Any) -> dict[str, Any]:
    """Its document."""
    return document(source(body, **choices))


def rpc(rule: str, *, takes: str = "M", gives: str = "M", name: str = "Do", comment: str = "") -> str:
    """A service of one RPC with this google.api.http rule."""
    return f"service S {{\n{comment}\nrpc {name}({takes}) returns ({gives}) {{ option (google.api.http) = {{{rule}}}; }} }}\n"


class Room:
    """Descriptors and schemas of one proto file, for the tests of single parts."""

    def __init__(self, body: str, options: JsonOptions | None = None) -> None:
        api = source(body + rpc('get: "/m"', takes="Nothing", gives="Nothing", name="Unused") + "message Nothing {}")
        self.messages = Schema(api.descriptor_set)
        self.notes = read_notes(api.descriptor_set)
        self.schemas = Schemas(self.notes, options or JsonOptions())

    def message(self, name: str) -> Any:
        """A message type of the file."""
        return self.messages.message(f"t.v1.{name}")


@cache
def bookstore() -> ApiSource:
    """The bookstore with default options."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edge.json"
        path.write_text(json.dumps(bookstore_config(Path(folder), 1)))
        (found,) = openapi_sources(load_snapshot(load_config(path, {})))
    return found


@cache
def bookstore_document() -> dict[str, Any]:
    """The bookstore's document; not to be changed."""
    return document(bookstore())
