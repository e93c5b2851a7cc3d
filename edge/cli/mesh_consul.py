"""
The Consul that `edge mesh` talks to: which agent that is, and its config entries by the client that everything of edge uses.

Owns the order of what is said about the agent: a flag, then Consul's own variables, then the file's `consul:` section. And what an answer
about entries means: an empty list that access rules cut is a refusal, not "there is nothing" (the plan would create what exists).
Source: https://developer.hashicorp.com/consul/commands#environment-variables, /consul/api-docs/config.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from edge.config.load import load_config
from edge.core.problem import Problem, ProblemsError
from meshconfig.consul_store import StoreError
from meshconfig.items import Entry

if TYPE_CHECKING:  # aiohttp takes a quarter of a second to load, and most commands have no use for it
    from edge.consul.client import AgentPlace, ConsulClient

AgentOption = Annotated[
    str,
    typer.Option(
        "--agent",
        metavar="URL",
        help="Consul's agent; default: CONSUL_HTTP_ADDR, or the configuration's consul.address.",
    ),
]
TokenOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        help="The ACL token; default: CONSUL_HTTP_TOKEN, or the configuration's consul.token.",
    ),
]
DatacenterOption = Annotated[
    str,
    typer.Option(
        "--datacenter", metavar="DC", help="Consul's primary, which alone takes writes; default: the configuration's."
    ),
]
T = TypeVar("T")
Verb = Literal["PUT", "DELETE"]


@dataclass(frozen=True, slots=True)
class ConsulFlags:
    """What the command line says about the agent; empty where it says nothing."""

    agent: str = ""
    token_file: Path | None = None
    datacenter: str = ""


def consul_of(path: Path, flags: ConsulFlags) -> ConsulEntries:
    """The entries of the agent that is meant. Raises ProblemsError for what cannot be used."""
    from edge.consul.settings import agent_for_command

    config = load_config(path, os.environ)
    return ConsulEntries(agent_for_command(config, os.environ, flags.agent, _there(flags.token_file), flags.datacenter))


def _there(file: Path | None) -> Path | None:
    if file is not None and not file.is_file():
        raise ProblemsError([Problem("--token-file", "", f"{file}: no such file", "give a file that holds the token")])
    return file


class ConsulEntries:
    """`meshconfig.consul_store.ConfigEntries`. Each call is a connection of its own: a plan makes some dozens."""

    def __init__(self, agent: AgentPlace) -> None:
        self._agent = agent

    @property
    def url(self) -> str:
        """Where the agent is."""
        return str(self._agent.place)

    def read(self, kind: str, name: str) -> Entry | None:
        """See ConfigEntries."""
        from edge.consul.answer import ConsulError, Kind

        async def ask(client: ConsulClient) -> Entry | None:
            try:
                found: Entry = (await client.read(_path(kind, name), needs=_needs(kind, name, "read"))).body
                return found
            except ConsulError as error:
                if error.kind is Kind.NOT_FOUND:
                    return None
                raise

        return self._run(ask)

    def listed(self, kind: str) -> list[Entry]:
        """See ConfigEntries."""
        from edge.consul.answer import ConsulError, Kind

        async def ask(client: ConsulClient) -> list[Entry]:
            try:
                answer = await client.read(f"/v1/config/{kind}", needs=_needs(kind, "", "read"))
            except ConsulError as error:
                if error.kind is Kind.NOT_FOUND or "invalid config entry kind" in str(error).lower():
                    return []  # an older Consul has fewer kinds
                raise
            if answer.filtered:
                text = f"the token may not read every {kind} entry: a plan would not see what is there"
                raise ConsulError(Kind.DENIED, text)
            return list(answer.body or ())

        return self._run(ask)

    def write(self, entry: Entry, cas: int) -> bool:
        """See ConfigEntries."""
        return self._written("PUT", "/v1/config", entry, cas, _needs(entry["Kind"], entry["Name"], "write"))

    def delete(self, kind: str, name: str, cas: int) -> bool:
        """See ConfigEntries."""
        return self._written("DELETE", _path(kind, name), None, cas, _needs(kind, name, "write"))

    def _written(self, verb: Verb, path: str, body: object, cas: int, needs: str) -> bool:
        async def ask(client: ConsulClient) -> bool:
            return (await client.write(verb, path, body, [("cas", str(cas))], needs=needs)).body is True

        return self._run(ask)

    def _run(self, ask: Callable[[ConsulClient], Awaitable[T]]) -> T:
        from edge.consul.answer import ConsulError
        from edge.consul.client import ConsulClient

        async def asked() -> T:
            async with ConsulClient(self._agent) as client:
                return await ask(client)

        try:
            return asyncio.run(asked())
        except ConsulError as error:
            text = str(error)
            raise StoreError(text if self.url in text else f"{self.url}: {text}") from None


def _path(kind: str, name: str) -> str:
    from edge.consul.client import segment

    try:
        return f"/v1/config/{kind}/{segment(name)}"
    except ValueError as error:
        raise StoreError(str(error)) from None


_OF_THE_MESH = {"proxy-defaults", "mesh", "exported-services", "api-gateway", "http-route", "jwt-provider"}


def _needs(kind: str, name: str, access: str) -> str:
    """The permission it takes, for the message when it is denied."""
    if kind in _OF_THE_MESH:
        return f"mesh:{access}"
    of = "intention" if kind == "service-intentions" else "service"
    return f'{of}:{access} on "{name}"' if name else f"{of}:{access}"
