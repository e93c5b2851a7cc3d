"""
What an API offers to pages in browsers: CORS, and its RPCs over WebSocket. Both are off unless an operator turns them on.

Owns these names, types and defaults, and that what is allowed to everyone is never allowed with credentials.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from edge.config.section import Model, Timeout
from edge.config.units import Seconds, wrong
from edge.core.cors import ANY, OriginError, pattern


def _origin(written: str) -> str:
    try:
        pattern(written)
    except OriginError as error:
        raise wrong(str(error), error.fix) from error
    return written


Origin = Annotated[str, AfterValidator(_origin)]


class Cors(Model):
    """Which pages of other origins may call the API (https://fetch.spec.whatwg.org/#http-cors-protocol); preflights are answered here."""

    origins: tuple[Origin, ...] = Field(min_length=1, examples=["[https://app.example.com, https://*.example.com]"])
    """Exact, with `*.` for any subdomains, or `re:` and a regular expression for the whole origin in lower case; `null`; `*` for all."""
    methods: tuple[str, ...] = ()
    """HTTP methods; empty: those the path is routed for. Others than those never are allowed."""
    headers: tuple[str, ...] = ()
    """Request headers beyond those of gRPC-Web, Connect, content types and Authorization; `*`: any."""
    expose: tuple[str, ...] = ()
    """Response headers scripts may read beyond gRPC's status, the request id and the like."""
    credentials: bool = False
    """Cookies and client certificates may be used."""
    max_age: Timeout = Seconds(600.0)
    """How long a browser may remember a preflight's answer."""

    @field_validator("credentials")
    @classmethod
    def _not_for_all(cls, credentials: bool, info: ValidationInfo) -> bool:  # pydantic's signature
        if credentials and ANY in info.data.get("origins", ()):
            raise wrong(
                "lets any page act as the user, since origins has *", "list the origins, or leave credentials out"
            )
        return credentials


class WebSocket(Model):
    """The API's RPCs over WebSocket (docs/adr/0009-websocket.md), for pages of the gateway's own origin and of `cors.origins`."""

    ping_interval: Timeout = Seconds(30.0)
    """A connection that says nothing for so long is sent a ping; one that stays silent for as long again is closed."""
