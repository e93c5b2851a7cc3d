"""
Compatibility profiles: what another gateway does, as defaults of an API's own settings.

Owns the table, and that it only ever supplies defaults: a key that stands in the file wins, whatever the profile. A profile changes
nothing that no key can say, so every row could be written out by hand; and no row loosens what keeps paths and policies true (the path
wins over query and body, no method override, no decoded slashes: docs/profiles.md). Source: each row's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from edge.config.api_models import Api, Profile


class Row(NamedTuple):
    """One default: `key` as it is written below an API (`json.defaults`), `why` where the other gateway does so."""

    key: str
    value: object
    why: str


_RUNTIME = "grpc-gateway v2, runtime/"

PROFILES: Mapping[Profile, Sequence[Row]] = {
    "edge": (),
    "grpc-gateway": (
        Row("json.defaults", value=True, why=f"{_RUNTIME}marshaler_registry.go: EmitUnpopulated"),
        Row(
            "json.nulls",
            value=True,
            why=f"{_RUNTIME}marshaler_registry.go: EmitUnpopulated prints null for a message not set",
        ),
        Row("json.unknown_fields", value="ignore", why=f"{_RUNTIME}marshaler_registry.go: DiscardUnknown"),
        Row("query.unknown", value="ignore", why=f"{_RUNTIME}query.go: a field that is not found is only logged"),
        Row("query.system_parameters", value=False, why=f"{_RUNTIME}query.go: it knows none, to it they are unknown"),
        Row("query.lenient_bools", value=True, why=f"{_RUNTIME}convert.go: strconv.ParseBool takes 1 and 0"),
        Row("path.wrong_method", value="unimplemented", why=f"{_RUNTIME}errors.go: UNIMPLEMENTED, which is 501"),
        Row("streaming.format", value="envelope", why=f"{_RUNTIME}handler.go: ForwardResponseStream"),
        Row("metadata.forward", value="permanent", why=f"{_RUNTIME}mux.go: DefaultHeaderMatcher"),
        Row("metadata.response", value="prefixed", why=f"{_RUNTIME}mux.go: the default outgoing header matcher"),
    ),
    "envoy": (
        Row("json.unknown_fields", value="ignore", why="observed; in a query they make it no match"),
        Row("json.update_mask", value=False, why="observed: a PATCH reaches the service without a mask"),
        Row("query.plus_is_space", value=False, why="observed; query_param_unescape_plus is off by default"),
        Row("query.lenient_bools", value=True, why="observed: 1 reads as true"),
        Row("metadata.response", value="bare", why="observed: response metadata keeps its names"),
        Row("metadata.grpc_status", value=True, why="observed: the status stands in the head of unary answers"),
    ),
}
"""What differs from `edge`, by profile. `observed` rows are compared with a real Envoy in tests/matrix/test_profiles.py."""


def profiled(api: Api) -> Api:
    """The API with its profile's defaults where the file says nothing."""
    changed: dict[str, dict[str, object]] = {}
    for row in PROFILES[api.profile]:
        section, key = attribute_path(row)
        if key not in getattr(api, section).model_fields_set:
            changed.setdefault(section, {})[key] = row.value
    if not changed:
        return api
    return api.model_copy(
        update={name: getattr(api, name).model_copy(update=values) for name, values in changed.items()}
    )


def attribute_path(row: Row) -> tuple[str, str]:
    """The section of Api and its field that a row is about."""
    section, _, key = row.key.partition(".")
    return ("json_" if section == "json" else section), key
