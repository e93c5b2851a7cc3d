"""
py-consul's HTTP layer on aiohttp, with bounds: sizes, times, no redirects, TLS as configured, Unix sockets.

Owns that no answer is larger than MAX_BODY_BYTES, that none is waited for longer than its timeout, and that a token never follows a
redirect to another host. py-consul's own asyncio layer has none of these (and cannot take a blocking query longer than five minutes).
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
from consul.base import HTTPClient, Response

from edge.consul.answer import ConsulError, Kind

MAX_BODY_BYTES = 32 * 1024 * 1024
"""Ten thousand instances with their checks are some 20 MiB."""

REQUEST_TIMEOUT_S = 10.0
"""For what does not block."""

T = TypeVar("T")
Params = Sequence[tuple[str, Any]] | None
Callback = Callable[[Response], T]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the agent is: a URL without a trailing slash, or a Unix socket, whose `url` is then only a name."""

    url: str
    socket: str = ""
    tls: ssl.SSLContext | None = None
    server_name: str | None = None

    def __str__(self) -> str:
        return f"unix://{self.socket}" if self.socket else self.url


class Transport(HTTPClient):  # type: ignore[misc]  # py-consul has no type information
    """One session to one agent. Made inside a running loop; `close` ends its connections."""

    def __init__(self, place: Place, timeout_s: float = REQUEST_TIMEOUT_S) -> None:
        super().__init__()
        self.base_uri = place.url
        self._place = place
        self._timeout_s = timeout_s
        # No limit on connections: each watch holds one open, and a limit would let watches starve a registration.
        connector: aiohttp.BaseConnector
        if place.socket:
            connector = aiohttp.UnixConnector(path=place.socket, limit=0)
        else:
            connector = aiohttp.TCPConnector(limit=0, ssl=place.tls or True)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    def get(
        self,
        callback: Callback[T],
        path: str,
        params: Params = None,
        headers: Mapping[str, str] | None = None,
        raw: bool = False,
        connections_timeout: float | None = None,
    ) -> Any:  # noqa: ANN401  # a coroutine of T; the base class says nothing
        """A GET; `raw` leaves the body as bytes."""
        return self._request(callback, "GET", path, params, b"", headers, connections_timeout, raw=raw)

    def put(self, callback: Callback[T], path: str, *given: Any, **more: Any) -> Any:  # noqa: ANN401  # as above
        """A PUT; the rest as in `_send`."""
        return self._send("PUT", callback, path, *given, **more)

    def delete(self, callback: Callback[T], path: str, *given: Any, **more: Any) -> Any:  # noqa: ANN401  # as above
        """A DELETE; the rest as in `_send`."""
        return self._send("DELETE", callback, path, *given, **more)

    def post(self, callback: Callback[T], path: str, *given: Any, **more: Any) -> Any:  # noqa: ANN401  # as above
        """A POST; the rest as in `_send`."""
        return self._send("POST", callback, path, *given, **more)

    def _send(
        self,
        method: str,
        callback: Callback[T],
        path: str,
        params: Params = None,
        data: str | bytes = "",
        headers: Mapping[str, str] | None = None,
        connections_timeout: float | None = None,
    ) -> Any:  # noqa: ANN401  # as above
        return self._request(callback, method, path, params, data, headers, connections_timeout)

    async def close(self) -> None:
        """End every connection; what is asked meanwhile fails."""
        await self._session.close()

    def uri(self, path: str, params: Params = None) -> str:
        """The URL of a path; its segments are quoted here, so that no name in one becomes a query."""
        query = f"?{urlencode(params)}" if params else ""
        return f"{self.base_uri}{quote(path, safe='/:')}{query}"

    async def _request(
        self,
        callback: Callback[T],
        method: str,
        path: str,
        params: Params,
        data: str | bytes,
        headers: Mapping[str, str] | None,
        timeout_s: float | None,
        *,
        raw: bool = False,
    ) -> T:
        try:
            async with asyncio.timeout(timeout_s or self._timeout_s):
                async with self._session.request(
                    method,
                    self.uri(path, params),
                    data=data or None,
                    headers=headers,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None),
                    server_hostname=self._place.server_name,
                ) as response:
                    body = await _read(response, path)
                    status, given = response.status, response.headers
        except TimeoutError:
            raise ConsulError(
                Kind.UNREACHABLE, f"{self._place}: no answer within {timeout_s or self._timeout_s:.0f} s"
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise ConsulError(Kind.UNREACHABLE, f"{self._place}: {_cause(error)}") from None
        return callback(Response(status, given, body if raw else body.decode("utf-8", "replace")))


async def _read(response: aiohttp.ClientResponse, path: str) -> bytes:
    parts, size = [], 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > MAX_BODY_BYTES:
            response.close()
            raise ConsulError(Kind.UNREADABLE, f"the answer to {path} is larger than {MAX_BODY_BYTES // 1024**2} MiB")
        parts.append(part)
    return b"".join(parts)


def _cause(error: Exception) -> str:
    """An error's own words, without aiohttp's repetition of host and port."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not trusted: {error.certificate_error}"
    inner = getattr(error, "os_error", None) or error
    number = getattr(inner, "errno", None)
    # asyncio writes the address into strerror; the number alone says what happened.
    return os.strerror(number).lower() if isinstance(number, int) and number > 0 else str(inner) or type(inner).__name__
