"""
The compiled table of routes: which RPC, under which binding, a method and a path mean.

Owns `Route`, the answer to a lookup, and the load-time verdict on every binding: one that cannot be served is a Problem naming its rule,
and the others are served. What is more specific is `core.route_trie`'s to decide, which paths are refused `core.percent`'s.
A table is immutable; a reload makes another.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from edge.core.path_template import Template, TemplateError, parse
from edge.core.percent import Decoding, flaw
from edge.core.problem import Problem
from edge.core.route_trie import Entry, Found, RouteTrie, has_empty_segment
from edge.core.shadowing import shadowed
from edge.descriptors.model import Description, HttpBinding, Rpc
from edge.wire.codec import PRINTED_BYTES, PRINTED_TIMES, ApiCodec, CompileError, JsonOptions, MethodCodec

PLAIN_JSON = JsonOptions(unknown_fields="ignore", system_parameters=False, update_mask=False, http_body="json")
"""The JSON of the RPC dialects: the standard mapping. Clients newer than the service may send fields it does not know, as in protobuf."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """
    What a call is made to, in whatever dialect: an RPC of an API, and the choices that hold for it. Seconds, bytes.

    `path` is the RPC's on the wire; `labels` are API, service and method, by which calls are counted, `selector` its name in the log.
    """

    api: str
    rpc: Rpc
    api_codec: ApiCodec
    upstream: str
    timeout_s: float | None
    max_response_bytes: int
    path: bytes = field(init=False, repr=False)
    labels: tuple[str, str, str] = field(init=False, repr=False)
    selector: str = field(init=False, repr=False)
    _json: list[MethodCodec] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        # Made at load, for each call names them.
        object.__setattr__(self, "path", self.rpc.path.encode())
        object.__setattr__(self, "selector", self.rpc.selector)
        object.__setattr__(self, "labels", (self.api, self.rpc.service, self.rpc.method))

    def json(self) -> MethodCodec:
        """The codec of its messages as JSON, without any HTTP binding; compiled when first asked for, since most RPCs never are."""
        if not self._json:
            rpc = self.rpc
            codec = self.api_codec.method(
                input_type=rpc.input_type,
                output_type=rpc.output_type,
                path_fields=(),
                body="*",
                response_body="",
                http_method="POST",
                options=replace(
                    PLAIN_JSON, max_printed_bytes=max(PRINTED_BYTES, PRINTED_TIMES * self.max_response_bytes)
                ),
            )
            self._json.append(codec)
        return self._json[0]


@dataclass(frozen=True, slots=True, eq=False)
class Route(Target):
    """One HTTP binding of a target, ready to serve. `path_fields` are the fields its captures fill, in order."""

    binding: HttpBinding
    codec: MethodCodec
    path_fields: tuple[str, ...] = ()


Match = Found[Route]
"""A request's route (`value`), and the decoded texts its path variables captured, in the template's order."""


class Missing(NamedTuple):
    """
    No route. `malformed` says what is wrong with the path itself; otherwise `allow` are the methods the path has.

    Both are empty when nothing at all is known of the path.
    """

    allow: tuple[str, ...] = ()
    malformed: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ApiRoutes:
    """
    One API to make routes of: its description, its codec, and the choices its routes carry.

    `fully_decode` decodes reserved characters, `%2F` among them, in variables of several segments too. `merge_slashes` matches
    `a//b` as `a/b` and drops a trailing slash.
    """

    name: str
    description: Description
    codec: ApiCodec
    options: JsonOptions
    upstream: str
    timeout_s: float | None
    max_response_bytes: int
    fully_decode: bool = False
    merge_slashes: bool = False


class RouteTable:
    """
    Routes to look requests up in. `routes` keeps the order of the APIs and of their bindings.

    `targets` are all exposed RPCs by their gRPC path (`/package.Service/Method`), bound to HTTP or not.
    """

    def __init__(
        self,
        entries: Sequence[Entry[Route]] = (),
        merging: Collection[str] = (),
        targets: Mapping[str, Target] | None = None,
    ) -> None:
        """`merging` names the APIs whose paths may have superfluous slashes."""
        self.routes = tuple(entry.value for entry in entries)
        self.targets = dict(targets or {})
        self._trie = RouteTrie(entries)
        self._merging = RouteTrie([entry for entry in entries if entry.value.api in merging]) if merging else None

    def lookup(self, method: str, path: str) -> Match | Missing:
        """The route for a method and a request's path as received, without its query."""
        if malformed := flaw(path):
            return Missing(malformed=malformed)
        trie = self._trie
        if self._merging is not None and has_empty_segment(path):
            trie, path = self._merging, _merge(path)
        found = trie.lookup(method, path)
        return found if isinstance(found, Found) else Missing(found.allow)


_SLASHES = re.compile("/{2,}")


def _merge(path: str) -> str:
    """The path without superfluous slashes."""
    return _SLASHES.sub("/", path).rstrip("/") or "/"


def compile_routes(apis: Sequence[ApiRoutes]) -> tuple[RouteTable, list[Problem]]:
    """
    The routes of all APIs, and everything wrong with them.

    A binding with an error (template, codec, duplicate) is left out; a shadowed one stays, with a warning.
    """
    problems: list[Problem] = []
    entries = [entry for api in apis for entry in _entries(api, problems)]
    trie = RouteTrie(entries)
    problems += [_duplicate(kept, left_out) for kept, left_out in trie.duplicates]
    left_out = {id(entry) for _, entry in trie.duplicates}
    entries = [entry for entry in entries if id(entry) not in left_out]
    problems += [_shadowed(entry, takers) for entry, takers in shadowed(trie, entries)]
    targets: dict[str, Target] = {}
    for api in apis:
        for rpc in api.description.rpcs:
            # Two APIs may expose two versions of one service (C2); by its gRPC path alone, the first in the file answers.
            targets.setdefault(rpc.path, _target(api, rpc))
    return RouteTable(entries, {api.name for api in apis if api.merge_slashes}, targets), problems


def _target(api: ApiRoutes, rpc: Rpc) -> Target:
    return Target(api.name, rpc, api.codec, api.upstream, api.timeout_s, api.max_response_bytes)


def _entries(api: ApiRoutes, problems: list[Problem]) -> Iterator[Entry[Route]]:
    """The entries of one API's bindings; what is wrong with the others is added to `problems`."""
    decoding = Decoding.ALL if api.fully_decode else Decoding.EXCEPT_RESERVED
    for binding in api.description.bindings:
        try:
            template = _template(binding)
            yield Entry(binding.http_method, template, _route(api, binding, template), decoding)
        except _BindingProblem as error:
            problems.append(error.problem)


class _BindingProblem(Exception):
    """A binding cannot be served."""

    def __init__(self, binding: HttpBinding, message: str, fix: str) -> None:
        super().__init__(message)
        self.problem = Problem(binding.source, binding.rpc.selector, f"{_written(binding)}: {message}", fix)


_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 section 5.6.2


def _template(binding: HttpBinding) -> Template:
    """The binding's template. Raises _BindingProblem."""
    if not _TOKEN.fullmatch(binding.http_method):
        raise _BindingProblem(binding, f'"{binding.http_method}" is no HTTP method', 'name one, or "*" for all')
    try:
        return parse(binding.template)
    except TemplateError as error:
        raise _BindingProblem(binding, str(error), error.fix) from error


def _route(api: ApiRoutes, binding: HttpBinding, template: Template) -> Route:
    """The route of a binding. Raises _BindingProblem."""
    fields = tuple(variable.name for variable in template.variables)
    try:
        codec = api.codec.method(
            input_type=binding.rpc.input_type,
            output_type=binding.rpc.output_type,
            path_fields=fields,
            body=binding.body,
            response_body=binding.response_body,
            http_method=binding.http_method,
            options=api.options,
        )
    except CompileError as error:
        fix = f"change the rule to fit {binding.rpc.input_type} and {binding.rpc.output_type}"
        raise _BindingProblem(binding, str(error), fix) from error
    return Route(
        api=api.name,
        rpc=binding.rpc,
        binding=binding,
        codec=codec,
        api_codec=api.codec,
        upstream=api.upstream,
        timeout_s=api.timeout_s,
        max_response_bytes=api.max_response_bytes,
        path_fields=fields,
    )


def _duplicate(kept: Entry[Route], left_out: Entry[Route]) -> Problem:
    """The error for a binding whose method and shape another one has."""
    binding = left_out.value.binding
    return Problem(
        binding.source,
        binding.rpc.selector,
        f"{_written(binding)}: the same method and paths as {_named(kept.value)}",
        "remove one of the two, or make their literals differ",
    )


def _shadowed(entry: Entry[Route], takers: Sequence[Entry[Route]]) -> Problem:
    """The warning for a binding that is never matched."""
    binding = entry.value.binding
    return Problem(
        binding.source,
        binding.rpc.selector,
        f"{_written(binding)}: never matched, all its paths go to {' and '.join(_named(taker.value) for taker in takers)}",
        "remove it, or make the other less wide",
        warning=True,
    )


def _written(binding: HttpBinding) -> str:
    """A binding as its author wrote it."""
    return f'{binding.http_method} "{binding.template}"'


def _named(route: Route) -> str:
    """A route with its RPC and its source, for texts about another one."""
    where = f", {route.binding.source}" if route.binding.source else ""
    return f"{_written(route.binding)} ({route.rpc.selector}{where})"
