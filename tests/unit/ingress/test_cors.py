"""CORS in every dialect and in every way an answer leaves."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest

from edge.core.cors import CorsRules
from edge.ingress.cors import MarkedCall, MarkedStream
from edge.ingress.service import Answer, Head
from edge.ingress.serving import ApiSettings
from edge.ingress.unary_call import UnaryCall
from edge.outcome import Fault, Refusal
from edge.upstream.call import UnaryReply
from tests.unit.ingress.rpc_scenes import Pieces, RpcScene, Sink, fields, frames, head

APP = "https://app.example.com"
WEB = "application/grpc-web+proto"


def scene(rules: CorsRules | None = None) -> RpcScene:
    made = RpcScene()
    made.serving = dataclasses.replace(made.serving, apis={"shop": ApiSettings(cors=rules or CorsRules((APP,)))})
    return made


def preflight(path: str, method: str, origin: str = APP, **headers: str) -> Head:
    return head("OPTIONS", path, origin=origin, access_control_request_method=method, **headers)


def answered(made: RpcScene, request: Head) -> Answer:
    answer = made.begin(request)
    assert isinstance(answer, Answer)
    return answer


@pytest.mark.parametrize(
    ("path", "method", "methods"),
    [
        ("/pkg.Svc/Unary", "POST", "POST"),
        ("/pkg.Svc/Safe", "GET", "GET, POST"),
        ("/pkg.Svc/Both", "POST", "POST"),
        ("/pkg.Svc/Bound", "POST", "POST"),
        ("/pkg.Svc/Unary", "DELETE", "POST"),
    ],
)
def test_a_preflight_is_told_what_is_routed(path: str, method: str, methods: str) -> None:
    """204, seen by the log as an exchange of no API, whatever dialect the request will be in."""
    made = scene()
    answer = answered(made, preflight(path, method))
    assert (answer.status, answer.body) == (204, b"")
    told = fields(answer.headers)
    assert told["access-control-allow-methods"] == methods
    assert told["access-control-allow-origin"] == APP
    (x,) = made.ended
    assert (x.status, x.grpc_code, x.target) == (204, 0, None)


def test_a_preflight_from_elsewhere_is_refused() -> None:
    made = scene()
    answer = answered(made, preflight("/pkg.Svc/Unary", "POST", origin="https://evil.example"))
    assert answer.status == 403
    assert not [name for name in fields(answer.headers) if name.startswith("access-control")]
    assert made.ended[0].refusal == Refusal(Fault.ORIGIN_REFUSED)


@pytest.mark.parametrize(
    "request_",
    [
        head("OPTIONS", "/pkg.Svc/Bound", origin=APP),
        head("OPTIONS", "/pkg.Svc/Bound", access_control_request_method="POST"),
    ],
)
def test_other_options_are_requests_like_any_other(request_: Head) -> None:
    assert answered(scene(), request_).status in {404, 405}


@pytest.mark.parametrize(("path", "method"), [("/pkg.Svc/Missing", "POST"), ("/v1/nowhere", "PATCH")])
def test_a_preflight_of_what_is_not_there_is_let_through(path: str, method: str) -> None:
    """The page is to read UNIMPLEMENTED or 404 in the answer, where a refused preflight would tell it nothing."""
    answer = answered(scene(), preflight(path, method))
    assert answer.status == 204
    assert fields(answer.headers)["access-control-allow-methods"] == method
    assert answered(scene(), preflight(path, method, origin="https://evil.example")).status == 403
    assert fields(answered(scene(), preflight(path, "a, b")).headers)["access-control-allow-methods"] == ""
    limited = scene(CorsRules((APP,), methods=("TRACE",)))
    assert fields(answered(limited, preflight(path, method)).headers)["access-control-allow-methods"] == ""


def test_of_several_apis_the_one_that_has_the_service_or_the_beginning_is_asked() -> None:
    """What neither tells stays a request like any other."""
    made = scene()
    made.serving = dataclasses.replace(
        made.serving, apis={**made.serving.apis, "other": ApiSettings(cors=CorsRules(("https://b.example",)))}
    )
    for path in ("/pkg.Svc/Missing", "/pkg.Svc/Bound/more"):
        assert answered(made, preflight(path, "POST")).status == 204
    assert answered(made, preflight("/nowhere", "POST")).status == 404


def test_without_cors_nothing_is_touched() -> None:
    """Calls are not even wrapped, and OPTIONS has no meaning of its own."""
    plain = RpcScene()
    assert isinstance(plain.begin(head(origin=APP, content_type="application/json")), UnaryCall)
    assert answered(plain, preflight("/pkg.Svc/Bound", "POST")).status == 405


@pytest.mark.parametrize("kind", ["application/json", WEB, "application/grpc-web-text+proto", "application/proto"])
async def test_whole_answers_are_marked(kind: str) -> None:
    body = b"AAAAAAA=" if "text" in kind else frames(b"") if "grpc" in kind else b"{}"
    answer = await scene().ask(head(content_type=kind, origin=APP), body)
    assert answer.status == 200
    told = fields(answer.headers)
    assert told["access-control-allow-origin"] == APP
    assert "grpc-status-details-bin" in told["access-control-expose-headers"]


@pytest.mark.parametrize("kind", [WEB, "application/connect+proto"])
async def test_streams_are_marked(kind: str) -> None:
    made = scene()
    made.upstream.eager = True
    call = made.begin(head(path="/pkg.Svc/Down", content_type=kind, origin=APP))
    assert isinstance(call, MarkedStream)
    assert call.max_body_bytes is None or call.max_body_bytes > 0
    sink = Sink()
    await call.run(Pieces(frames(b"m")), sink)
    call.sent(1)
    assert fields(sink.headers)["access-control-allow-origin"] == APP
    assert made.ended[0].response_bytes == 1


@pytest.mark.parametrize(
    "request_",
    [
        head(path="/pkg.Svc/Missing", content_type=WEB, origin=APP),
        head("GET", "/pkg.Svc/Unary", content_type=WEB, origin=APP),
        head("GET", "/pkg.Svc/Bound", origin=APP),
        head("GET", "/v1/nowhere", origin=APP),
    ],
)
def test_refusals_on_the_head_are_marked(request_: Head) -> None:
    """By the path, its service, or because there is one API only."""
    assert fields(answered(scene(), request_).headers)["access-control-allow-origin"] == APP


def test_refusals_of_http_are_marked() -> None:
    """What never became a call: the page must be able to read why."""
    answer = scene().service.refuse(head(origin=APP, content_type=WEB), Refusal(Fault.BODY_TOO_LARGE))
    assert answer.close
    assert fields(answer.headers)["access-control-allow-origin"] == APP


def test_an_abandoned_call_is_marked() -> None:
    call = scene().begin(head(content_type="application/json", origin=APP))
    assert isinstance(call, MarkedCall)
    assert call.max_body_bytes == 1000
    answer = call.abandon(Refusal(Fault.BODY_TOO_LARGE))
    assert (answer.status, fields(answer.headers)["access-control-allow-origin"]) == (429, APP)


async def test_requests_of_no_page_vary_only() -> None:
    answer = await scene().ask(head(content_type="application/json"), b"{}")
    assert [value for name, value in answer.headers if name == b"vary"][-1] == b"origin"
    assert b"access-control-allow-origin" not in dict(answer.headers)


async def test_the_service_does_not_speak_of_cors() -> None:
    """Two values of Allow-Origin are none to a browser."""
    made = scene()
    assert isinstance(made.upstream.reply, UnaryReply)
    made.upstream.reply = replace(made.upstream.reply, headers=((b"access-control-allow-origin", b"*"),))
    answer = await made.ask(head(content_type="application/proto", origin=APP), b"")
    assert [v for n, v in answer.headers if n == b"access-control-allow-origin"] == [APP.encode()]
