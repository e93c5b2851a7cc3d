"""
From an API's configuration to its description: services, RPCs and bindings, or everything that is wrong with them.

Owns the sequence of the steps, the same for .proto files, descriptor sets and reflection: a set, linked; the exposed services; their
rules. Relative paths start at the configuration file's folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from edge.config.models import Api
from edge.core.problem import Problem
from edge.descriptors import bindings, descriptor_set, rules, services
from edge.descriptors.buf_image import is_import
from edge.descriptors.compile import compile_protos
from edge.descriptors.model import Description, HttpBinding, Rpc
from edge.descriptors.services import Declared


def load_description(api: Api, base: Path, index: int) -> Description:
    """
    The description of an API given by .proto files or a descriptor set; `index` is its position in `apis`, for error texts.

    What is wrong with services and rules is among the description's `problems`, so that routes can be compiled and their problems told
    in the same breath. Blocks: compiles, reads files. Raises ProblemsError when there is nothing to describe.
    """
    path = f"apis[{index}]"
    if api.protos is not None:
        roots = [base / root for root in api.protos.roots] or [base]
        files = descriptor_set.parsed(compile_protos(roots, api.protos.files, path=f"{path}.protos"), path)
        named = list(api.protos.files)
        return _described(api, files, services.in_files(services.declared(files), named), path)
    if api.descriptors is not None:
        files = descriptor_set.parsed(descriptor_set.read(base / api.descriptors, f"{path}.descriptors"), path)
        own = [file.name for file in files.file if not is_import(file)]
        default = services.without_infrastructure(services.in_files(services.declared(files), own))
        return _described(api, files, default, path)
    raise ValueError(f"{path} is described by reflection: its upstream has to be asked")


def describe(api: Api, data: bytes, default: Sequence[str], index: int) -> Description:
    """
    The description in a self-contained descriptor set, dependencies first, as reflection gives it.

    `default` are the services to expose when the API names none. Raises ProblemsError as `load_description` does.
    """
    path = f"apis[{index}]"
    return _described(api, descriptor_set.parsed(data, path), default, path)


def _described(api: Api, files: FileDescriptorSet, default: Sequence[str], path: str) -> Description:
    descriptor_set.linked(files, path)
    declared = services.declared(files)
    chosen, problems = services.exposed(api.services, default, declared, path)
    rpcs = [rpc for service in chosen for rpc in service.rpcs()]
    bound, more = _bound(api, chosen, rpcs, [rpc for each in declared.values() for rpc in each.rpcs()], path)
    problems += more
    return Description(descriptor_set.canonical(files), tuple(rpcs), bound, tuple(problems))


def _bound(
    api: Api, chosen: Sequence[Declared], rpcs: Sequence[Rpc], everything: Sequence[Rpc], path: str
) -> tuple[tuple[HttpBinding, ...], list[Problem]]:
    config = bindings.configured(api.http.rules, path)
    effective = bindings.effective(bindings.annotated(chosen), config)
    problems = [problem for rule in _in_force(effective, config) for problem in rules.problems(rule)]
    problems += bindings.selector_problems(config, [rpc.selector for rpc in rpcs], [rpc.selector for rpc in everything])
    return tuple(bindings.of_rpcs(rpcs, effective, default=api.default_bindings)), problems


def _in_force(effective: dict[str, rules.Rule], config: Sequence[rules.Rule]) -> list[rules.Rule]:
    """Each rule once: those that bind, and configured ones that bind nothing but are wrong all the same."""
    replaced = [rule for rule in config if effective.get(rule.selector) is not rule]
    return [*effective.values(), *replaced]
