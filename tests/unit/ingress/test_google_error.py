from __future__ import annotations

import json

from edge.ingress.google_error import for_client
from edge.ingress.respond import refusal_answer
from edge.ingress.service import Answer, Head
from edge.outcome import Fault, Refusal


def head(**fields: bytes) -> Head:
    given = tuple((name.replace("_", "-").encode(), value) for name, value in fields.items())
    return Head("GET", "/", "", "1.1", given, peer="127.0.0.1", secure=False, started=0.0)


GOOGLE = head(x_goog_api_client=b"gl-python/3.11 gapic/2")


def test_a_generated_client_gets_the_envelope() -> None:
    """The HTTP status as code, the gRPC code by name, message and details as they are, headers untouched."""
    bare = refusal_answer(Refusal(Fault.ROUTE_NOT_FOUND))._replace(close=True)
    answer = for_client(bare, GOOGLE)
    told = json.loads(bare.body)
    assert json.loads(answer.body) == {
        "error": {"code": 404, "message": told["message"], "status": "NOT_FOUND", "details": told["details"]}
    }
    assert (answer.status, answer.headers, answer.close) == (bare.status, bare.headers, True)


def test_everyone_else_gets_the_status_bare() -> None:
    bare = refusal_answer(Refusal(Fault.ROUTE_NOT_FOUND))
    assert for_client(bare, head()) is bare


def test_a_code_nobody_knows_is_unknown() -> None:
    answer = for_client(Answer(500, (), b'{"code":99,"message":"m","details":[]}'), GOOGLE)
    assert json.loads(answer.body)["error"]["status"] == "UNKNOWN"
