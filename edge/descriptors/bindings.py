"""
The HTTP bindings of an API: its annotations, what the configuration adds to or puts in their place, and default bindings.

Owns the precedence: a configured rule replaces the annotation of the RPC it selects, the last of several wins (google.api.Service);
a default binding stands only where no rule does. Source: google/api/http.proto, google/api/service.proto.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from edge.config.models import HttpRule
from edge.core.problem import Problem
from edge.descriptors import rules
from edge.descriptors.did_you_mean import did_you_mean
from edge.descriptors.model import HttpBinding, Rpc
from edge.descriptors.rules import Rule
from edge.descriptors.services import Declared

_HTTP = annotations_pb2.http
_SERVICE, _METHOD, _OPTIONS = 6, 2, 4
"""Field numbers in descriptor.proto, of which the paths of source info are made."""


def annotated(services: Sequence[Declared]) -> dict[str, Rule]:
    """The annotation of each RPC that has one, by selector."""
    found: dict[str, Rule] = {}
    lines: dict[str, dict[tuple[int, int], int]] = {}
    for service in services:
        known = lines.get(service.file.name)
        if known is None:
            known = lines[service.file.name] = _lines(service.file)
        for index, method in enumerate(service.proto.method):
            if method.options.HasExtension(_HTTP):
                selector = f"{service.name}.{method.name}"
                place = _place(service.file.name, known.get((service.index, index)))
                found[selector] = rules.from_annotation(method.options.Extensions[_HTTP], place, selector)
    return found


def configured(written: Sequence[HttpRule], path: str) -> list[Rule]:
    """The rules of an API's `http.rules`; `path` is the API's (`apis[0]`)."""
    return [rules.from_config(rule, f"{path}.http.rules[{index}]") for index, rule in enumerate(written)]


def effective(annotations: Mapping[str, Rule], config: Sequence[Rule]) -> dict[str, Rule]:
    """The one rule of each selector."""
    return {**annotations, **{rule.selector: rule for rule in config}}


def of_rpcs(rpcs: Sequence[Rpc], by_selector: Mapping[str, Rule], *, default: bool) -> Iterator[HttpBinding]:
    """The bindings in the order of the RPCs; `default` gives those without a rule a default binding."""
    for rpc in rpcs:
        rule = by_selector.get(rpc.selector)
        if rule is not None:
            yield from rules.bindings(rpc, rule)
        elif default:
            yield rules.default_binding(rpc)


def selector_problems(config: Sequence[Rule], exposed: Sequence[str], all_methods: Sequence[str]) -> Iterator[Problem]:
    """Rules that select no RPC of the exposed services. (A rule that a later one replaces, the configuration's check tells.)"""
    known, elsewhere = frozenset(exposed), frozenset(all_methods)
    for rule in config:
        path = f"{rule.path}.selector"
        if rule.selector in known:
            continue
        if rule.selector in elsewhere:
            fix = f'add "{rule.selector.rpartition(".")[0]}" to services'
            yield Problem(rule.place, path, f'"{rule.selector}" is not exposed', fix)
        else:
            message = f'no RPC is called "{rule.selector}"' if rule.selector else "the rule selects no RPC"
            yield Problem(rule.place, path, message, did_you_mean(rule.selector, exposed))


def _place(file: str, line: int | None) -> str:
    return file if line is None else f"{file}:{line}"


def _lines(file: FileDescriptorProto) -> dict[tuple[int, int], int]:
    """The line of each method's http option, by the positions of service and method; the method's own line without it."""
    options: dict[tuple[int, int], int] = {}
    methods: dict[tuple[int, int], int] = {}
    for location in file.source_code_info.location:
        path = location.path
        if len(path) < 4 or path[0] != _SERVICE or path[2] != _METHOD:
            continue
        key = (path[1], path[3])
        if len(path) == 4:
            methods[key] = location.span[0] + 1
        elif len(path) > 5 and path[4] == _OPTIONS and path[5] == _HTTP.number:
            options.setdefault(key, location.span[0] + 1)
    return {**methods, **options}
