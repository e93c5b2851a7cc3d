"""
What `edge doctor` sees of Consul: the agent, the token, and whether the token may do what the file wants of it.

Owns one look per wish, each a read: nothing is registered. A denial is told with the policy rule that grants it; an empty answer that
access rules have filtered is one too, though Consul calls it 200.
"""

from __future__ import annotations

import asyncio

from edge.cli.findings import Finding, State
from edge.config.models import Config
from edge.consul.answer import ConsulError
from edge.consul.client import ConsulClient, segment
from edge.consul.lookup import health_question, prepared_question
from edge.consul.settings import agent_of, gateway_definition, lookup_of
from edge.core.consul_refusal import rule_for
from edge.core.problem import ProblemsError


def consul(config: Config) -> list[Finding]:
    """All looks; none without a `consul` section."""
    return [] if config.consul is None else asyncio.run(_looks(config))


async def _looks(config: Config) -> list[Finding]:
    assert config.consul is not None
    try:
        agent = agent_of(config, config.consul)
    except ProblemsError as error:
        return [Finding(State.FAILED, "consul", str(error))]
    async with ConsulClient(agent) as client:
        try:
            leader = await client.read("/v1/status/leader", needs="")  # open to everyone
        except ConsulError as error:
            return [Finding(State.FAILED, "consul", str(error))]
        found = [
            Finding(State.OK, "consul", f"the agent at {client.address} answers")
            if leader.body
            else Finding(State.FAILED, "consul", f"the agent at {client.address} has no leader")
        ]
        found += await _wishes(client, config)
    return found


async def _wishes(client: ConsulClient, config: Config) -> list[Finding]:
    assert config.consul is not None
    found = []
    service = config.consul.service
    by_identity = any(each.consul and each.consul.by_identity for each in config.upstreams.values())
    if service and by_identity:
        path = f"/v1/agent/connect/ca/leaf/{segment(service)}"
        found.append(await _look(client, "consul certificate", path, [], f'service:write on "{service}"'))
    if gateway_definition(config) is not None:
        found.append(await _may_register(client, service or ""))
    for name, upstream in config.upstreams.items():
        lookup = None if upstream.consul is None else lookup_of(upstream.consul)
        if lookup is None:
            continue
        question = prepared_question(lookup) if lookup.prepared else health_question(lookup)
        params = [*question.params, *lookup.scope.params()]
        found.append(await _look(client, f"upstreams.{name}", question.path, params, question.needs))
    return found


async def _look(client: ConsulClient, subject: str, path: str, params: list[tuple[str, str]], needs: str) -> Finding:
    try:
        answer = await client.read(path, params, needs=needs, consistent=False)
    except ConsulError as error:
        return Finding(State.FAILED, subject, str(error))
    if answer.filtered:
        rules = " and ".join(filter(None, (rule_for(needs), rule_for("node:read"))))
        return Finding(State.FAILED, subject, f"access rules hide instances; a policy with {rules} shows them")
    if isinstance(answer.body, list) and not answer.body:
        return Finding(State.WARNING, subject, "Consul knows no instance")
    return Finding(State.OK, subject, "Consul tells it")


async def _may_register(client: ConsulClient, service: str) -> Finding:
    """Consul judges a list of wishes for any token, without one being done."""
    wish = [{"Resource": "service", "Access": "write", "Segment": service}]
    subject, needs = "consul registration", f'service:write on "{service}"'
    try:
        answer = await client.write("POST", "/v1/internal/acl/authorize", wish, needs=needs)
    except ConsulError as error:
        if "ACL support disabled" in str(error):
            return Finding(State.OK, subject, "Consul has no access rules")
        return Finding(State.FAILED, subject, str(error))
    if isinstance(answer.body, list) and answer.body and answer.body[0].get("Allow"):
        return Finding(State.OK, subject, f"the token may register {service}")
    return Finding(State.FAILED, subject, f"the token lacks {needs}; a policy with {rule_for(needs)} grants it")
