"""The RPC clients that pages use, unmodified, in a real browser and from another origin than the gateway's."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from google.rpc import status_pb2

from tests.browser.chromium import chromium, needs_chromium
from tests.browser.pages import needs_clients, telling
from tests.gateway import bookstore_config
from tests.matrix.rest_site import compiled, descriptor_set, serving
from tests.upstreams.bookstore import BookstoreProcess, known

pytestmark = [needs_chromium, needs_clients, pytest.mark.slow]


def seen(folder: Path, page: str, **query: str) -> Any:
    """What a page tells of the gateway, which lists its origin and the header names it uses."""
    with BookstoreProcess() as upstream, telling(folder, page, descriptors=descriptor_set()) as origin:
        cors = {"origins": [origin.url], "headers": ["x-mine", "x-raw-bin"], "expose": ["x-first", "trailer-x-last"]}
        config = bookstore_config(folder, upstream.port, api={**compiled(folder), "cors": cors})
        with serving(folder, config) as site:
            address = f"{origin.url}/?{urlencode({'gateway': site.gateway.url, **query})}"
            with chromium(folder, address):
                return origin.told(90)


CONNECT_WEB = {
    "unary": ["1", "Science fiction"],
    "metadata": [["said"], ["AAH/"], "one", "two"],
    "stream": [1, 2, 3, 4, 5],
    "brokenStream": [[1, 2, 3], "FailedPrecondition", "counted to 3, then failed as told"],
    "details": ["FailedPrecondition", "not so: “ü”", True, True, True],
    "deadline": ["DeadlineExceeded", True],
    "passedDeadline": [True, True],
    "reset": ["Canceled", [1, 2]],
    "specimen": [True] * 7,
}


def test_connect_web(tmp_path: Path) -> None:
    """Unary, streams, metadata, error details and deadlines; Connect in binary, JSON and by GET, and gRPC-Web."""
    got = seen(tmp_path, "connect_page.js")
    assert got == dict.fromkeys(("connect binary", "connect json", "connect get", "grpc-web"), CONNECT_WEB)


def _text(message: Any) -> str:
    return base64.b64encode(message.SerializeToString()).decode()


def test_grpc_web(tmp_path: Path) -> None:
    """Unary, streams, metadata, error details and deadlines in both formats."""
    messages = known()
    sent = {
        "shelf": messages.GetShelfRequest(shelf=1),
        "metadata": messages.EchoMetadataRequest(headers={"x-first": "one"}, trailers={"x-last": "two"}),
        "count": messages.CountRequest(to=3),
        "broken": messages.CountRequest(to=1, code=9),
        "fail": messages.FailRequest(code=9, message="not so", details=[1, 2]),
        "slow": messages.SlowRequest(delay={"seconds": 30}),
    }
    got = seen(tmp_path, "grpc_web_page.js", messages=json.dumps({name: _text(one) for name, one in sent.items()}))
    numbers = [["data", _text(messages.CountResponse(number=number))] for number in (1, 2, 3)]
    assert set(got) == {"text", "binary"}
    for told in got.values():
        assert messages.Shelf.FromString(base64.b64decode(told["unary"])).theme == "Science fiction"
        echoed = messages.EchoMetadataResponse.FromString(base64.b64decode(told["metadata"]))
        assert list(echoed.metadata["x-mine"].values) == ["said"]
        assert 2 < echoed.time_remaining.seconds <= 10
        assert told["trailers"] == ["one", 0, "two"]
        assert told["stream"] == [*numbers, ["end"]]
        assert told["brokenStream"] == [numbers[0], ["error", 9, "counted to 1, then failed as told"]]
        assert told["details"][:2] == [9, "not so"]
        status = status_pb2.Status.FromString(base64.b64decode(told["details"][2] + "=="))
        assert [detail.TypeName() for detail in status.details] == ["google.rpc.BadRequest", "google.rpc.ErrorInfo"]
        assert told["deadline"] == [4, True]
