"""A way to run the command line in this process, and configurations to run it on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge.app import Snapshot, load_snapshot
from edge.cli import main
from edge.config.load import load_config

PROTO = """\
syntax = "proto3";
package shop.v1;
import "google/api/annotations.proto";
service Shop {
  rpc GetThing(GetThingRequest) returns (Thing) {
    option (google.api.http) = {get: "/v1/things/{id}" additional_bindings {get: "/v1/shelves/{shelf}/things/{id}"}};
  }
  rpc CreateThing(CreateThingRequest) returns (Thing) {
    option (google.api.http) = {post: "/v1/shelves/{shelf}/things" body: "thing"};
  }
  rpc UpdateThing(Thing) returns (Thing) {
    option (google.api.http) = {patch: "/v1/things/{id}:touch" body: "*"};
  }
  rpc Watch(GetThingRequest) returns (stream Thing) {
    option (google.api.http) = {get: "/v1/things/{id}:watch"};
  }
}
message GetThingRequest {
  int64 id = 1;
  string shelf = 2;
  bool full = 3;
}
message CreateThingRequest {
  string shelf = 1;
  Thing thing = 2;
}
message Thing {
  int64 id = 1;
  string name = 2;
}
"""

CONFIG = """\
listeners:
  - bind: 127.0.0.1:8080
apis:
  - name: shop
    protos: {roots: [protos], files: [shop.proto]}
    upstream: shop
    timeout: 5s
upstreams:
  shop:
    endpoints: [127.0.0.1:50051, 127.0.0.1:50052]
    metadata: {x-token: "${SECRET}"}
"""


@dataclass(frozen=True, slots=True)
class Result:
    """How the command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


Edge = Callable[..., Result]


@pytest.fixture
def edge(capsys: pytest.CaptureFixture[str]) -> Edge:
    """Run `edge` with these arguments, as the installed command does."""

    def run(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr()
        code = ended.value.code
        return Result(code if isinstance(code, int) else 0 if code is None else 1, said.out, said.err)

    return run


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration that serves, as edge.yaml in the current folder."""
    (tmp_path / "protos").mkdir()
    (tmp_path / "protos" / "shop.proto").write_text(PROTO)
    (tmp_path / "edge.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET", "hunter2")
    return tmp_path / "edge.yaml"


MESH = """\
mesh:
  targets: [consul, linkerd, istio]
  services:
    shop: {namespace: shop, selector: {app: shop}, port: 50051,
           other_callers: [{service: billing, service_account: billing, namespace: billing, rpcs: [shop.v1.Shop/GetThing]}]}
"""


@pytest.fixture
def mesh(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, which says who may call what in a mesh; no Consul is where its commands would look."""
    shop.write_text(CONFIG + MESH)
    monkeypatch.setenv("CONSUL_HTTP_ADDR", "127.0.0.1:1")
    return shop


@pytest.fixture
def snapshot(shop: Path) -> Snapshot:
    """What the gateway would serve from it."""
    return load_snapshot(load_config(shop, {"SECRET": "hunter2"}))
