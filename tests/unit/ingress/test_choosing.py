"""Which dialect a head is in."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest

from edge.exchange import Dialect
from edge.ingress.choosing import choose
from edge.ingress.service import Head
from edge.ingress.serving import ApiSettings, WebSocketSettings
from tests.unit.ingress.rpc_scenes import RpcScene, head

OFFERING = dataclasses.replace(RpcScene().serving, apis={"shop": ApiSettings(websocket=WebSocketSettings())})


@pytest.mark.parametrize(
    ("request_head", "dialect"),
    [
        (head(content_type="application/grpc"), Dialect.GRPC),
        (head(content_type="Application/GRPC+proto"), Dialect.GRPC),
        (head(content_type="application/grpc; x=y"), Dialect.GRPC),
        (head(content_type="application/grpc-web"), Dialect.GRPC_WEB),
        (head(content_type="application/grpc-web-text+proto"), Dialect.GRPC_WEB),
        (head(path="/v1/a", content_type="application/grpcx"), Dialect.REST),
        (head(content_type="application/connect+json"), Dialect.CONNECT),
        (head(path="/nowhere", content_type="application/json", connect_protocol_version="1"), Dialect.CONNECT),
        (head(content_type="application/json"), Dialect.CONNECT),
        (head("DELETE"), Dialect.CONNECT),
        (head("GET", "/pkg.Svc/Safe", "connect=v1&encoding=json&message="), Dialect.CONNECT),
        (head("GET", "/v1/a", "connect=v1"), Dialect.REST),
        (head(path="/pkg.Svc/Bound", content_type="application/json"), Dialect.REST),
        (head(path="/pkg.Svc/Bound", content_type="application/json", connect_protocol_version="1"), Dialect.CONNECT),
        (head("GET", "/pkg.Svc/Bound", "connect=v1"), Dialect.CONNECT),
        (head(path="/v1/a", content_type="application/json"), Dialect.REST),
        (head("GET", "/"), Dialect.REST),
        (head("GET", "/v1/a", version="1.1", upgrade="websocket", connection="upgrade"), Dialect.WEBSOCKET),
        (head("GET", "/pkg.Svc/Both", version="1.1", upgrade="WebSocket", connection="Upgrade"), Dialect.WEBSOCKET),
        (replace(head("CONNECT", "/v1/a"), protocol="websocket"), Dialect.WEBSOCKET),
        (replace(head("CONNECT", "/v1/a"), protocol="connect-udp"), Dialect.REST),
        (head("GET", "/v1/a", version="1.1", upgrade="h2c", connection="upgrade"), Dialect.REST),
        (head("POST", "/v1/a", version="1.1", upgrade="websocket", connection="upgrade"), Dialect.REST),
        (
            replace(head("GET", "/v1/a", version="1.1", upgrade="websocket", connection="upgrade"), has_body=True),
            Dialect.REST,
        ),
    ],
)
def test_the_dialect_is_what_the_head_says(request_head: Head, dialect: Dialect) -> None:
    """An RPC's own path is Connect's unless a REST route claims it and nothing says Connect."""
    assert choose(request_head, OFFERING) is dialect


def test_an_upgrade_is_ignored_where_no_api_offers_websocket() -> None:
    """RFC 9110 7.8: a server may; the request is the REST request that it also is."""
    asked = head("GET", "/v1/a", version="1.1", upgrade="websocket", connection="upgrade")
    assert choose(asked, RpcScene().serving) is Dialect.REST
    assert choose(replace(head("CONNECT", "/v1/a"), protocol="websocket"), RpcScene().serving) is Dialect.REST
