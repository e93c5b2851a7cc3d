"""
Consul's config entries over its HTTP API.

Owns what an answer means: an empty list that access rules cut is a refusal, not "there is nothing" (the plan would create what exists);
redirects are not followed, since they would carry the token elsewhere. Source: https://developer.hashicorp.com/consul/api-docs/config.
"""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from meshconfig.consul_store import StoreError
from meshconfig.items import Entry

TIMEOUT_S = 10.0
MAX_BODY_BYTES = 32 * 1024 * 1024
_FILTERED = "X-Consul-Results-Filtered-By-ACLs"


@dataclass(frozen=True, slots=True)
class ConsulHttp:
    """One agent. `url` has no trailing slash; `datacenter` is the primary, where entries are written; empty: the agent's own."""

    url: str = "http://127.0.0.1:8500"
    token: str = ""
    datacenter: str = ""
    tls: ssl.SSLContext | None = None

    def read(self, kind: str, name: str) -> Entry | None:
        """See ConfigEntries."""
        status, found, _ = self._call("GET", f"/v1/config/{kind}/{quote(name, safe='')}")
        return found if status == 200 else None

    def listed(self, kind: str) -> list[Entry]:
        """See ConfigEntries."""
        try:
            status, found, headers = self._call("GET", f"/v1/config/{kind}")
        except _UnknownKindError:
            return []
        if headers.get(_FILTERED, "").lower() == "true":
            text = f"the token may not read every {kind} entry: a plan would not see what is there"
            raise StoreError(f"{self.url}: {text}")
        return list(found or ()) if status == 200 else []

    def write(self, entry: Entry, cas: int) -> bool:
        """See ConfigEntries."""
        _, answer, _ = self._call("PUT", "/v1/config", {"cas": str(cas)}, entry)
        return answer is True

    def delete(self, kind: str, name: str, cas: int) -> bool:
        """See ConfigEntries."""
        _, answer, _ = self._call("DELETE", f"/v1/config/{kind}/{quote(name, safe='')}", {"cas": str(cas)})
        return answer is True

    def _call(
        self, method: str, path: str, params: Mapping[str, str] | None = None, body: object = None
    ) -> tuple[int, Any, Mapping[str, str]]:
        query = {**(params or {}), **({"dc": self.datacenter} if self.datacenter else {})}
        url = f"{self.url}{path}" + (f"?{urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, self._headers(), method=method)  # noqa: S310  # the operator's own address
        opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=self.tls))
        try:
            with opener.open(request, timeout=TIMEOUT_S) as answer:
                text = answer.read(MAX_BODY_BYTES + 1)
                if len(text) > MAX_BODY_BYTES:
                    raise StoreError(f"{self.url}{path}: the answer is larger than {MAX_BODY_BYTES // 1024**2} MiB")
                return answer.status, json.loads(text or "null"), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return self._refused(error, method, path)
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise StoreError(f"{self.url}: {getattr(reason, 'strerror', None) or reason}") from None

    def _headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json"} | ({"X-Consul-Token": self.token} if self.token else {})

    def _refused(self, error: urllib.error.HTTPError, method: str, path: str) -> tuple[int, None, Mapping[str, str]]:
        text = error.read(4096).decode("utf-8", "replace").strip()
        if error.code == 404 and method == "GET":
            return 404, None, {}
        if "invalid config entry kind" in text.lower():
            raise _UnknownKindError(text)
        raise _refusal(error.code, text, f"{self.url}{path}", authenticated=bool(self.token))


class _UnknownKindError(StoreError):
    """An older Consul has fewer kinds."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A 3xx is an error."""

    def redirect_request(self, *_: object) -> None:
        return None


def _refusal(code: int, text: str, where: str, *, authenticated: bool) -> StoreError:
    if code == 403 or "ACL not found" in text:
        who = "the token lacks a permission (intentions = write, service = write, operator or mesh = write)"
        return StoreError(
            f"{where}: {text or 'denied'}: {who if authenticated else 'no token is given: set CONSUL_HTTP_TOKEN'}"
        )
    return StoreError(f"{where}: {text or f'status {code}'}")
