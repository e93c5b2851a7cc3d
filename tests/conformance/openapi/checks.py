"""
Loaded by schemathesis itself (SCHEMATHESIS_HOOKS), in its environment, not in the project's.

Owns a stricter rule for statuses. The documents have a `default` answer for what services say, which satisfies any status; but what the
gateway says by itself, and whatever is no error, must be listed under its own status. Beside it, media types schemathesis cannot do.
"""

from __future__ import annotations

import json
from typing import Any

import schemathesis  # type: ignore[import-not-found]  # installed only where this file runs

GATEWAY = "edge-gateway"
BEFORE_ANY_OPERATION = frozenset((414, 431))  # the request's head was too large: under `default` (docs/openapi.md)


@schemathesis.check
def listed_status(ctx: Any, response: Any, case: Any) -> None:
    """Only an error of the service's own may come under `default`."""
    if case.method.upper() != case.operation.method.upper():
        return  # it tries methods the path does not have: 405 is no answer of the operation's
    listed = (
        response.status_code in BEFORE_ANY_OPERATION
        or str(response.status_code) in case.operation.definition.raw["responses"]
    )
    assert listed or (response.status_code >= 400 and not _gateways_own(response)), (
        f"{response.status_code} is not listed for {case.operation.label}: {response.text}"
    )


def _gateways_own(response: Any) -> bool:
    try:
        details = json.loads(response.content)["details"]
    except (ValueError, KeyError, TypeError):
        return True  # of no shape at all: certainly not what the service said
    return any(detail.get("domain") == GATEWAY for detail in details)


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx: Any, value: Any) -> bytes:
    """A line for each item."""
    items = value if isinstance(value, list) else [value]
    return "".join(json.dumps(item) + "\n" for item in items).encode()


@schemathesis.deserializer("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/vnd.yaml")
def unread(ctx: Any, response: Any) -> Any:
    """HttpBody may claim to be YAML and be any bytes; reading it would end schemathesis' only worker, and its exit code would stay 0."""
    return response.content.decode("latin-1")
