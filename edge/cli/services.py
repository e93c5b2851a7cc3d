"""
`edge services`: registering services in Consul, removing, listing and watching them.

Owns the four commands and their exit codes: 0 done (also when there was nothing to do), 1 Consul did not do it, 2 bad input. What
is registered is edge.consul's affair, what flags mean `services_input`'s, how it looks `services_output`'s.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from edge.cli.output import JsonOption, print_problems
from edge.cli.services_input import AgentFlags, agent_address_problem, agent_for, configured, flagged, pairs
from edge.cli.services_output import failed, print_outcomes, print_services, print_watched
from edge.config.units import Seconds
from edge.core.problem import Problem, ProblemsError
from edge.telemetry import log

if TYPE_CHECKING:  # see services_input
    from edge.consul.client import AgentPlace
    from edge.core.consul_definition import Definition

_EXIT_CODES = "Exit codes: 0 ok, 1 failed, 2 bad input."

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", metavar="FILE", help="A configuration with a consul section.")
]
AgentOption = Annotated[
    str | None,
    typer.Option("--agent", metavar="URL", help="The agent; default: the configuration's, or CONSUL_HTTP_ADDR."),
]
TokenOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file", metavar="FILE", help="The ACL token; default: the configuration's, or CONSUL_HTTP_TOKEN."
    ),
]
Several = list[str] | None

services = typer.Typer(
    name="services",
    help="Register services in Consul, and see which are there.",
    epilog=f"Example: edge services register bookstore --port 50051 --grpc 127.0.0.1:50051; edge services list. {_EXIT_CODES}",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@services.command(
    epilog="Examples: edge services register bookstore --port 50051 --grpc 127.0.0.1:50051/bookstore.v1.Bookstore --tag v1 "
    f"--connect sidecar; edge services register -c edge.yaml. {_EXIT_CODES}"
)
def register(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="The service's name; without it, what the configuration says."),
    ] = None,
    port: Annotated[int | None, typer.Option("--port", help="Where it listens.")] = None,
    address: Annotated[
        str | None, typer.Option("--address", help="Where it is reached; default: the agent's own.")
    ] = None,
    service_id: Annotated[str | None, typer.Option("--id", help="The instance's ID; default: NAME.")] = None,
    tag: Annotated[Several, typer.Option("--tag", help="Repeatable.")] = None,
    meta: Annotated[Several, typer.Option("--meta", metavar="KEY=VALUE", help="Metadata; repeatable.")] = None,
    weight: Annotated[int, typer.Option("--weight", help="Its share of calls.")] = 1,
    grpc: Annotated[
        Several, typer.Option("--grpc", metavar="HOST:PORT[/SERVICE]", help="A gRPC health check; repeatable.")
    ] = None,
    http: Annotated[Several, typer.Option("--http", metavar="URL", help="An HTTP check; repeatable.")] = None,
    tcp: Annotated[Several, typer.Option("--tcp", metavar="HOST:PORT", help="A TCP check; repeatable.")] = None,
    ttl: Annotated[str | None, typer.Option("--ttl", metavar="DURATION", help="A TTL check; see --keep.")] = None,
    interval: Annotated[
        str | None, typer.Option("--interval", metavar="DURATION", help="Between two checks; 10s.")
    ] = None,
    deregister_after: Annotated[
        str | None, typer.Option("--deregister-after", metavar="DURATION", help="Remove it when critical for so long.")
    ] = None,
    connect: Annotated[
        Literal["none", "native", "sidecar"], typer.Option("--connect", help="Its place in the mesh.")
    ] = "none",
    sidecar_port: Annotated[int | None, typer.Option("--sidecar-port", help="Default: the agent chooses.")] = None,
    namespace: Annotated[str | None, typer.Option("--namespace", help="Consul Enterprise.")] = None,
    partition: Annotated[str | None, typer.Option("--partition", help="Consul Enterprise.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Stay: keep it registered and its TTL alive, deregister at the end.")
    ] = False,
    config: ConfigOption = None,
    agent: AgentOption = None,
    token_file: TokenOption = None,
    json: JsonOption = False,
) -> None:
    """
    Register a service, or what a configuration registers.

    Does nothing where the agent holds just that already. With --keep it stays until it is interrupted.
    """
    if name is None and config is None:
        fix = "edge services register bookstore --port 50051, or edge services register -c edge.yaml"
        raise ProblemsError([Problem("NAME", "", "neither a name nor a configuration is given", fix)])
    if name is None:
        assert config is not None
        wanted = configured(config)
    else:
        checks = [
            (kind, text) for kind, texts in (("grpc", grpc), ("http", http), ("tcp", tcp)) for text in texts or ()
        ]
        given = {
            "id": service_id, "port": port, "address": address, "tags": tuple(tag or ()), "meta": pairs(meta or (), "--meta"),
            "weights": {"passing": weight}, "connect": connect, "sidecar_port": sidecar_port, "namespace": namespace,
            "partition": partition, "interval": interval, "deregister_after": deregister_after,
        }  # fmt: skip
        wanted = [flagged(name, given, [*checks, *([("ttl", ttl)] if ttl else [])])]
    _finish(_register(_agent(config, agent, token_file), wanted, keep=keep, json=json))


@services.command(
    epilog=f"Example: edge services deregister bookstore-1; edge services deregister -c edge.yaml. {_EXIT_CODES}"
)
def deregister(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="The instances' IDs at the agent.")] = None,
    config: ConfigOption = None,
    agent: AgentOption = None,
    token_file: TokenOption = None,
    json: JsonOption = False,
) -> None:
    """
    Remove services, and the sidecars registered with them.

    Without an ID, what the configuration registers. One that is not there is no failure.
    """
    if not ids and config is None:
        raise ProblemsError(
            [Problem("ID", "", "neither an ID nor a configuration is given", "edge services deregister bookstore")]
        )
    wanted = ids or [definition.id for definition in configured(config or Path())]
    _finish(_deregister(_agent(config, agent, token_file), wanted, json=json))


@services.command("list", epilog=f"Example: edge services list; edge services list bookstore --json. {_EXIT_CODES}")
def list_(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The instances of this service.")] = None,
    connect: Annotated[bool, typer.Option("--connect", help="Its sidecars and native instances.")] = False,
    config: ConfigOption = None,
    agent: AgentOption = None,
    token_file: TokenOption = None,
    json: JsonOption = False,
) -> None:
    """
    List the catalog's services, or the instances of one.

    Exits with 1 for a service that has no instance, or when access rules hide what is asked for.
    """
    _finish(_list(_agent(config, agent, token_file), name, connect=connect, json=json))


@services.command(
    epilog=f"Example: edge services watch bookstore --connect; edge services watch bookstore --for 1m --json. {_EXIT_CODES}"
)
def watch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The service.")],
    connect: Annotated[bool, typer.Option("--connect", help="As the mesh sees it: sidecars, discovery chain.")] = False,
    tag: Annotated[Several, typer.Option("--tag", help="Only instances with it; repeatable.")] = None,
    subset: Annotated[str | None, typer.Option("--subset", help="Of the service's resolver.")] = None,
    datacenter: Annotated[str | None, typer.Option("--datacenter", help="Default: the agent's.")] = None,
    duration: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="Then stop; default: when interrupted.")
    ] = None,
    config: ConfigOption = None,
    agent: AgentOption = None,
    token_file: TokenOption = None,
    json: JsonOption = False,
) -> None:
    """
    Print a service's instances whenever they change, just as an upstream of the gateway would see them.

    And what is wrong, while the last good ones are kept. With --json, one object a line.
    """
    from edge.consul.client import Scope
    from edge.consul.lookup import Lookup

    lookup = Lookup(
        service=name,
        connect=connect,
        tags=tuple(tag or ()),
        subset=subset or "",
        scope=Scope(datacenter=datacenter or ""),
    )
    seconds = _seconds(duration, "--for")
    _finish(_watch(_agent(config, agent, token_file), lookup, seconds, json=json))


def _seconds(text: str | None, flag: str) -> float | None:
    from pydantic_core import PydanticCustomError

    try:
        return None if text is None else float(Seconds.parse(text))
    except PydanticCustomError as error:
        context = error.context or {}
        raise ProblemsError([Problem(flag, "", f'"{text}" {context["message"]}', context["fix"])]) from None


def _agent(config: Path | None, url: str | None, token_file: Path | None) -> AgentPlace:
    if url is not None:
        agent_address_problem(url)
    return agent_for(AgentFlags(config, url, token_file))


def _finish(work: Coroutine[Any, Any, int]) -> None:
    """Run to the end or to an interrupt, which is an end like any other; Consul's refusals become texts."""
    from edge.consul.answer import ConsulError

    log.configure()  # to standard error: standard output is for what was asked
    try:
        code = asyncio.run(work)
    except ConsulError as error:
        print_problems([failed(error)], _standard_error())
        code = 1
    except ValueError as error:  # a name that no path can hold
        raise ProblemsError([Problem("NAME", "", str(error), "give the name as the catalog has it")]) from None
    raise typer.Exit(code)


def _standard_error() -> Any:  # noqa: ANN401  # the stream of now: tests replace it
    import sys

    return sys.stderr


async def _register(agent: AgentPlace, wanted: list[Definition], *, keep: bool, json: bool) -> int:
    from edge.consul.client import ConsulClient
    from edge.consul.registration import Registration

    async with ConsulClient(agent) as client:
        registrations = [Registration(client, definition) for definition in wanted]
        outcomes = [(each.definition, await each.ensure()) for each in registrations]
        print_outcomes(outcomes, json=json, keep=keep)
        if keep:
            await _until_interrupted([each.keep() for each in registrations])
            for each in registrations:
                await each.withdraw()
    return 0


async def _deregister(agent: AgentPlace, ids: list[str], *, json: bool) -> int:
    from edge.cli.services_output import print_deregistered
    from edge.consul.client import ConsulClient
    from edge.consul.registration import deregister as remove

    async with ConsulClient(agent) as client:
        print_deregistered([(service_id, await remove(client, service_id)) for service_id in ids], json=json)
    return 0


async def _list(agent: AgentPlace, name: str | None, *, connect: bool, json: bool) -> int:
    from edge.consul.client import ConsulClient
    from edge.consul.listing import list_instances, list_services

    async with ConsulClient(agent) as client:
        listing = await (list_services(client) if name is None else list_instances(client, name, connect=connect))
    print_services(listing, json=json)
    return 1 if listing.hidden or (name is not None and not listing.rows) else 0


async def _watch(agent: AgentPlace, lookup: Any, seconds: float | None, *, json: bool) -> int:  # noqa: ANN401  # a Lookup
    from edge.consul.client import ConsulClient
    from edge.consul.discovery import ServiceWatch

    async with ConsulClient(agent) as client:
        watch = ServiceWatch(client, lookup, lambda _: None)
        await _until_interrupted([watch.run(), print_watched(watch, json=json)], seconds)
        return 0 if watch.state().alarm is None else 1


async def _until_interrupted(work: list[Coroutine[Any, Any, None]], seconds: float | None = None) -> None:
    """Run these until SIGINT, SIGTERM, or so many seconds have passed."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(each) for each in work]
    ending = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait([*tasks, ending], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {ending}:
            task.result()  # none of them ends but by failing
    finally:
        for task in (*tasks, ending):
            task.cancel()
        await asyncio.gather(*tasks, ending, return_exceptions=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
