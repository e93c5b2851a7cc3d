"""
From the flags of `edge services` to what is registered and whom it is told to.

Owns that a flag is checked by the same model as the configuration's key, and reported by its own name. The agent is the one that is
named on the command line, else the configuration's, else the one Consul's own variables name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from edge.config.consul_models import Consul, ConsulService
from edge.config.load import load_config
from edge.config.models import Config
from edge.core.problem import Problem, ProblemsError

if TYPE_CHECKING:  # aiohttp takes a quarter of a second to load, and most commands have no use for it
    from edge.consul.client import AgentPlace
    from edge.core.consul_definition import Definition


@dataclass(frozen=True, slots=True)
class AgentFlags:
    """Which agent is meant."""

    config: Path | None = None
    url: str | None = None
    token_file: Path | None = None


def agent_for(flags: AgentFlags) -> AgentPlace:
    """The agent. Raises ProblemsError."""
    from edge.consul.settings import agent_from_environment, agent_of
    from edge.consul.token import TokenSource

    config = load(flags.config) if flags.config else None
    if config is not None and config.consul is not None and flags.url is None:
        agent = agent_of(config, config.consul)
    else:
        env = dict(os.environ) | ({"CONSUL_HTTP_ADDR": flags.url} if flags.url else {})
        agent = agent_from_environment(env)
    return agent if flags.token_file is None else replace(agent, token=TokenSource(file=flags.token_file))


def load(path: Path) -> Config:
    """A configuration. Raises ProblemsError."""
    return load_config(path, os.environ)


def configured(path: Path) -> list[Definition]:
    """What a configuration registers: the gateway, if it is to be, and `consul.services`. Raises ProblemsError for nothing."""
    from edge.consul.settings import gateway_definition, service_definition

    config = load(path)
    own = gateway_definition(config)
    services = config.consul.services if config.consul else ()
    found = [*([own] if own else []), *(service_definition(service) for service in services)]
    if not found:
        fix = "add consul: {service: edge, register: {}} or consul: {services: [...]}, or give NAME and --port"
        raise ProblemsError([Problem(config.place("consul"), "consul", "nothing is to be registered", fix)])
    return found


def flagged(name: str, given: Mapping[str, Any], checks: Sequence[tuple[str, str]]) -> Definition:
    """
    The registration that flags describe; `checks` are (kind, what), `given` the model's keys.

    Raises ProblemsError with the flags' names.
    """
    from edge.consul.settings import service_definition

    interval, after = given.get("interval"), given.get("deregister_after")
    rest = {key: value for key, value in (("interval", interval), ("deregister_after", after)) if value is not None}
    plain = {key: value for key, value in given.items() if value not in (None, [], {}) and key not in rest}
    data = {**plain, "name": name, "checks": tuple({kind: target, **rest} for kind, target in checks)}
    try:
        return service_definition(ConsulService.model_validate(data))
    except ValidationError as error:
        raise ProblemsError([_problem(dict(details)) for details in error.errors(include_url=False)]) from None


def pairs(texts: Sequence[str], flag: str) -> dict[str, str]:
    """`key=value` texts as a mapping. Raises ProblemsError."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ProblemsError([Problem(flag, "", f'"{text}" is not key=value', "write it as in version=2")])
        found[key] = value
    return found


_FLAGS = {"name": "NAME", "tags": "--tag", "meta": "--meta", "weights": "--weight", "connect": "--connect"}


def _problem(details: dict[str, Any]) -> Problem:
    loc = details["loc"]
    key = str(loc[2] if loc[0] == "checks" and len(loc) > 2 else loc[0])
    flag = {"grpc": "--grpc", "http": "--http", "tcp": "--tcp", "ttl": "--ttl"}.get(key, _FLAGS.get(key))
    context = details.get("ctx") or {}
    if details["type"] == "missing":
        return Problem(flag or f"--{key}", "", "it is missing", f"add --{key}")
    message = context.get("message") or details["msg"].lower()
    written = details.get("input")
    quoted = f'"{written}" ' if isinstance(written, str | int) else ""
    return Problem(flag or f"--{key.replace('_', '-')}", "", f"{quoted}{message}", context.get("fix", ""))


def agent_address_problem(url: str) -> None:
    """Raises ProblemsError for a URL that names no agent."""
    try:
        Consul(address=url)
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        context = details.get("ctx") or {}
        raise ProblemsError(
            [Problem("--agent", "", f'"{url}" {context.get("message", "is no URL")}', context.get("fix", ""))]
        ) from None
