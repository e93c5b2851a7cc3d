"""
A snapshot: everything that a configuration and its API descriptions come to, immutable.

Owns the step from config models to plain values and compiled routes. Nothing here serves or dials; `edge check`, `edge routes` and
`edge explain` use the same code as the gateway, so they cannot disagree with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.app.builtin import BUILTIN, SETTINGS, builtin_api
from edge.config.models import Api, Config, Limits
from edge.core.cors import CorsRules
from edge.core.metadata import MetadataRules
from edge.core.problem import Problem, ProblemsError
from edge.descriptors.load import load_description
from edge.descriptors.model import Description
from edge.ingress.serving import ApiSettings, StreamSettings, WebSocketSettings
from edge.routes import ApiRoutes, RouteTable, compile_routes
from edge.wire.codec import PRINTED_BYTES, PRINTED_TIMES, JsonOptions
from edge.wire.engines import engine


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    One loaded configuration. `loading` names the APIs whose description only their upstream knows and has not told yet.

    `problems` are warnings: what is an error keeps a snapshot from being made.
    """

    config: Config
    descriptions: Mapping[str, Description]
    routes: RouteTable
    apis: Mapping[str, ApiSettings]
    loading: tuple[str, ...]
    problems: tuple[Problem, ...]


def load_snapshot(config: Config, reflected: Mapping[str, Description] | None = None) -> Snapshot:
    """
    Load every description and compile every route; `reflected` brings the descriptions that upstreams told.

    Blocks (compiles protos, reads files). Raises ProblemsError with all problems of all APIs at once.
    """
    descriptions: dict[str, Description] = dict(reflected or {})
    problems: list[Problem] = list(config.warnings)
    for index, api in enumerate(config.apis):
        if api.reflection is not None:
            continue
        try:
            descriptions[api.name] = load_description(api, Path(config.base), index)
        except ProblemsError as error:
            problems += error.problems
    return _compiled(config, descriptions, problems)


def with_reflected(snapshot: Snapshot, api: str, description: Description) -> Snapshot:
    """The next snapshot when an upstream told a new description of one API."""
    kept = {name: known for name, known in snapshot.descriptions.items() if name != api}
    return _compiled(snapshot.config, {**kept, api: description}, list(snapshot.config.warnings))


def _compiled(config: Config, descriptions: Mapping[str, Description], problems: list[Problem]) -> Snapshot:
    known = [api for api in config.apis if api.name in descriptions]
    for api in known:
        problems += descriptions[api.name].problems
    # Last: an API may bring a health or reflection service that it wants to be seen instead.
    own = builtin_api(engine(), config.builtin)
    routes, found = compile_routes([*(_api_routes(api, descriptions[api.name]) for api in known), own])
    problems += found
    if any(not problem.warning for problem in problems):
        raise ProblemsError(problems)
    return Snapshot(
        config,
        descriptions,
        routes,
        {BUILTIN: SETTINGS} | {api.name: _settings(api, config.limits) for api in config.apis},
        tuple(api.name for api in config.apis if api.name not in descriptions and api.reflection is not None),
        tuple(problems),
    )


def _settings(api: Api, limits: Limits) -> ApiSettings:
    streaming = StreamSettings(api.streaming.format, api.streaming.heartbeat, api.streaming.event_id)
    return ApiSettings(
        metadata_rules(api),
        api.compression,
        streaming,
        cors_rules(api),
        _websocket(api, limits),
        unimplemented=api.path.wrong_method == "unimplemented",
    )


def cors_rules(api: Api) -> CorsRules | None:
    """The CORS rules of an API, None when it has none."""
    given = api.cors
    if given is None:
        return None
    return CorsRules(given.origins, given.methods, given.headers, given.expose, given.credentials, given.max_age)


def _websocket(api: Api, limits: Limits) -> WebSocketSettings | None:
    given = api.websocket
    return None if given is None else WebSocketSettings(given.ping_interval, limits.write_timeout)


def _api_routes(api: Api, description: Description) -> ApiRoutes:
    return ApiRoutes(
        name=api.name,
        description=description,
        codec=engine().api(description.descriptor_set),
        options=json_options(api),
        upstream=api.upstream,
        timeout_s=api.timeout,
        max_response_bytes=api.max_response_bytes,
        fully_decode=api.http.fully_decode_reserved_expansion,
        merge_slashes=api.path.merge_slashes,
    )


def json_options(api: Api) -> JsonOptions:
    """The codec's options for an API."""
    json, query = api.json_, api.query
    return JsonOptions(
        proto_names=json.names == "proto",
        enums=json.enums,
        print_defaults=json.defaults,
        print_nulls=json.nulls,
        int64=json.int64,
        pretty=json.pretty,
        unknown_fields=json.unknown_fields,
        unknown_query=query.unknown,
        ignored_query=query.ignore,
        system_parameters=query.system_parameters,
        plus_is_space=query.plus_is_space,
        lenient_bools=query.lenient_bools,
        repeated_path=api.path.repeated,
        update_mask=json.update_mask,
        form=json.form,
        max_printed_bytes=max(PRINTED_BYTES, PRINTED_TIMES * api.max_response_bytes),
    )


def metadata_rules(api: Api) -> MetadataRules:
    """The header rules of an API."""
    given = api.metadata
    return MetadataRules(
        forward_all=given.forward == "all",
        authorization=given.authorization,
        underscores=given.underscores == "allow",
        permanent=given.forward == "permanent",
        response=given.response,
        grpc_status=given.grpc_status,
    )
