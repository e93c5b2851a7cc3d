"""Small configurations for the tests of what puts the gateway together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge.config.load import load_config
from edge.config.models import Config

PROTO = """
syntax = "proto3";
package shop.v1;
import "google/api/annotations.proto";
message Item { int64 id = 1; string name = 2; }
service Shop {
  rpc GetItem(Item) returns (Item) { option (google.api.http) = {get: "/v1/items/{id}"}; }
  rpc Unbound(Item) returns (Item);
}
"""


def config(folder: Path, *, proto: str = PROTO, api: dict[str, Any] | None = None, **top: Any) -> Config:
    """One API with one annotated method, to an upstream nobody serves; `api` and `top` override."""
    (folder / "shop.proto").write_text(proto)
    path = folder / "edge.json"
    described = {} if api and ("reflection" in api) else {"protos": {"roots": ["."], "files": ["shop.proto"]}}
    path.write_text(
        json.dumps(
            {
                "listeners": [{"bind": "127.0.0.1:0"}],
                "admin": {"bind": "127.0.0.1:0"},
                "access_log": {"path": "access.log"},
                "apis": [{"name": "shop", "upstream": "shop", **described, **(api or {})}],
                "upstreams": {"shop": {"endpoints": ["127.0.0.1:1"]}},
                **top,
            }
        )
    )
    return load_config(path, {})
