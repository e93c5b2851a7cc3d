"""What a handshake's head alone decides."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

import pytest

from edge.core.cors import CorsRules
from edge.ingress.service import Answer, Head
from edge.ingress.serving import ApiSettings, WebSocketSettings
from edge.ingress.upgrade import Upgrade
from edge.ingress.websocket_http2 import WebSocketOnStream
from tests.unit.ingress.rpc_scenes import RpcScene, fields, head

APP = "https://app.example.com"
OFFERED = ApiSettings(websocket=WebSocketSettings(), cors=CorsRules((APP, "https://in.example.com")))


def scene(settings: ApiSettings = OFFERED) -> RpcScene:
    made = RpcScene()
    made.serving = dataclasses.replace(made.serving, apis={"shop": settings})
    return made


def opening(path: str = "/pkg.Svc/Both", **headers: str) -> Head:
    given = {
        "host": "edge.example",
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec_websocket_version": "13",
        "sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ==",
        **headers,
    }
    return head("GET", path, version="1.1", **given)


def refused(made: RpcScene, request: Head) -> tuple[int, Answer]:
    answer = made.begin(request)
    assert isinstance(answer, Answer)
    assert made.ended[0].dialect.value == "websocket"
    assert json.loads(answer.body)["message"]
    return answer.status, answer


@pytest.mark.parametrize("path", ["/pkg.Svc/Both", "/pkg.Svc/Unary", "/pkg.Svc/Bound"])
def test_every_kind_of_rpc(path: str) -> None:
    assert isinstance(scene().begin(opening(path)), Upgrade)


@pytest.mark.parametrize("origin", [APP, "https://edge.example", "http://EDGE.example:80", "https://edge.example:443"])
def test_pages_that_may(origin: str) -> None:
    """Listed ones, and those of our own host; the scheme may differ, since TLS may end before us."""
    assert isinstance(scene().begin(opening(origin=origin)), Upgrade)


@pytest.mark.parametrize("origin", ["https://evil.example", "https://edge.example:8443", "null", "edge.example", "://"])
def test_pages_that_may_not(origin: str) -> None:
    status, answer = refused(scene(), opening(origin=origin))
    assert status == 403
    assert json.loads(answer.body)["details"][0]["reason"] == "ORIGIN_REFUSED"


def test_a_star_lists_nobody() -> None:
    settings = dataclasses.replace(OFFERED, cors=CorsRules(("*",)))
    assert refused(scene(settings), opening(origin=APP))[0] == 403


@pytest.mark.parametrize(("credentials", "passes"), [(True, True), (False, False)])
async def test_a_page_without_credentials_is_not_the_user(credentials: bool, passes: bool) -> None:
    """Its browser sends the user's cookies all the same; they go no further."""
    made = scene(dataclasses.replace(OFFERED, cors=CorsRules((APP,), credentials=credentials)))
    taken = made.begin(opening(origin=APP, cookie="session=1", authorization="Basic eDp5"))
    assert isinstance(taken, Upgrade)
    names = {name for name, _ in taken._call._opening.head.headers}  # type: ignore[attr-defined]  # what metadata is made of
    assert ({b"cookie", b"authorization"} <= names) is passes


def test_an_api_that_does_not_offer_it_beside_one_that_does() -> None:
    made = scene(ApiSettings())
    made.serving = dataclasses.replace(made.serving, apis={"shop": ApiSettings(), "other": OFFERED})
    status, _ = refused(made, opening())
    assert status == 404


def test_an_unknown_path() -> None:
    assert refused(scene(), opening("/pkg.Svc/Missing"))[0] == 404


def test_another_version() -> None:
    status, answer = refused(scene(), opening(sec_websocket_version="12"))
    assert status == 426
    told = fields(answer.headers)
    assert (told["sec-websocket-version"], told["upgrade"]) == ("13", "websocket")


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"sec_websocket_key": "x"}, "/pkg.Svc/Both"),
        ({"sec_websocket_protocol": "mqtt"}, "/pkg.Svc/Both"),
        ({"sec_websocket_protocol": "edge.proto"}, "/pkg.Svc/Bound"),
    ],
)
def test_a_handshake_that_is_none(wrong: dict[str, str], path: str) -> None:
    """Protobuf is spoken where a frame is the whole message: not on REST paths."""
    assert refused(scene(), opening(path, **wrong))[0] == 400


def test_a_bad_timeout() -> None:
    assert refused(scene(), opening(grpc_timeout="soon"))[0] == 400


@pytest.mark.parametrize("other", [{"upgrade": "h2c"}, {"connection": "close"}])
def test_what_asks_for_something_else_is_an_ordinary_request(other: dict[str, str]) -> None:
    """RFC 9110 7.8: an Upgrade may be ignored."""
    made = scene()
    assert isinstance(made.begin(opening("/v1/nowhere", **other)), Answer)
    assert made.ended[0].dialect.value == "rest"


def on_stream(path: str = "/pkg.Svc/Both", **headers: str) -> Head:
    given = {"host": "edge.example", "sec_websocket_version": "13", **headers}
    return replace(head("CONNECT", path, version="2", **given), protocol="websocket")


def test_over_http2_it_is_a_stream() -> None:
    """Of any RPC, by the same rules, without a key."""
    assert isinstance(scene().begin(on_stream()), WebSocketOnStream)
    assert refused(scene(), on_stream(origin="https://evil.example"))[0] == 403
    assert refused(scene(), on_stream("/pkg.Svc/Nothing"))[0] == 404
    status, answer = refused(scene(), on_stream(sec_websocket_version="8"))
    assert (status, fields(answer.headers)["sec-websocket-version"]) == (426, "13")
