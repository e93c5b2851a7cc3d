"""Who may call what, as Consul reads its entries."""

from __future__ import annotations

from typing import Any

import pytest

from meshconfig.consul_access import ANYONE_ELSE, ANYTHING_ELSE, access, universe
from meshconfig.items import Entry, items

A, B = "/s.S/A", "/s.S/B"
DEFAULTS = {"Kind": "service-defaults", "Name": "shop", "Protocol": "grpc"}


def of(*sources: Entry, name: str = "shop") -> Entry:
    return {"Kind": "service-intentions", "Name": name, "Sources": list(sources)}


def permitted(*rules: tuple[str, dict[str, Any]]) -> Entry:
    return {"Name": "edge", "Permissions": [{"Action": action, "HTTP": http} for action, http in rules]}


def opened(*entries: Entry, caller: str = "edge", default: bool = False) -> set[str]:
    """What a caller reaches of shop."""
    state = items(entries)
    judged = universe({"shop": [A, B]}, state)
    found = access(state, ["shop"], judged, default=default)
    return set((found.get((caller, "shop")) or found[ANYONE_ELSE, "shop"]).paths)


ALL = {A, B, ANYTHING_ELSE}
ALLOW_A = ("allow", {"PathExact": A, "Methods": ["POST"]})
DENY_REST = ("deny", {"PathPrefix": "/"})


@pytest.mark.parametrize(
    ("entries", "default", "expected"),
    [
        ([], False, set()),
        ([], True, ALL),
        ([of({"Name": "edge", "Action": "allow"})], False, ALL),
        ([of({"Name": "edge", "Action": "deny"}), of({"Name": "edge", "Action": "allow"}, name="*")], False, set()),
        ([of({"Name": "*", "Action": "allow"})], False, ALL),
        ([of({"Name": "*", "Action": "deny"}), of({"Name": "edge", "Action": "allow"}, name="*")], False, set()),
        ([of({"Name": "edge", "Action": "allow"}, name="*")], False, ALL),
        ([DEFAULTS, of(permitted(ALLOW_A))], False, {A}),
        ([DEFAULTS, of(permitted(ALLOW_A))], True, ALL),
        ([DEFAULTS, of(permitted(ALLOW_A, DENY_REST))], True, {A}),
        ([DEFAULTS, of(permitted(DENY_REST, ALLOW_A))], False, set()),
        ([of(permitted(ALLOW_A))], True, set()),
        ([DEFAULTS, of(permitted(("allow", {"PathExact": A, "Methods": ["GET"]})))], False, set()),
        ([DEFAULTS, of(permitted(("allow", {"PathPrefix": "/s.S/"})))], False, ALL),
        ([DEFAULTS, of(permitted(("allow", {"PathRegex": "/s.S/(A|X)"}), DENY_REST))], False, {A, ANYTHING_ELSE}),
        ([DEFAULTS, of(permitted(("deny", {"PathExact": A, "Header": [{"Name": "x"}]}), ALLOW_A))], False, {A}),
    ],
)  # fmt: skip
def test_reading(entries: list[Entry], default: bool, expected: set[str]) -> None:
    """Exact before wildcard, destination before source, permissions in order, the rest by default; tcp denies permissions."""
    assert opened(*entries, default=default) == expected


def test_the_protocol_may_come_from_the_mesh() -> None:
    """Of proxy-defaults, where the service has none of its own."""
    shared = {"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http2"}}
    assert opened(shared, of(permitted(ALLOW_A))) == {A}


def test_who_is_not_named_is_anyone_else() -> None:
    """Judged by the wildcards alone."""
    assert opened(DEFAULTS, of(permitted(ALLOW_A)), caller="stranger") == set()
