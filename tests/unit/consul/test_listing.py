"""The catalog as a table."""

from __future__ import annotations

from edge.consul.client import AgentPlace, ConsulClient
from edge.consul.listing import list_instances, list_services
from edge.consul.transport import Place
from tests.consul.scenes import asked, client_of, token_with
from tests.peers.consul_double import running_double


async def test_services_and_instances() -> None:
    """Sorted; those that take no calls are listed too, with the check that fails."""
    async with running_double() as double, ConsulClient(AgentPlace(Place(double.url))) as client:
        await asked(
            double,
            "PUT",
            "/v1/agent/service/register",
            {"Name": "web", "ID": "b", "Port": 2, "Tags": ["v1"], "Weights": {"Passing": 3}},
        )
        await asked(
            double,
            "PUT",
            "/v1/agent/service/register",
            {"Name": "web", "ID": "a", "Port": 1, "Check": {"Name": "t", "TTL": "60s"}},
        )
        listing = await list_services(client)
        assert (listing.rows, listing.hidden) == ((("consul", []), ("web", ["v1"])), "")
        listing = await list_instances(client, "web")
        assert listing.titles == ("id", "address", "port", "health", "weight", "tags", "failing")
        assert listing.rows == (
            ("a", "127.0.0.1", 1, "critical", 0, [], ["t"]),
            ("b", "127.0.0.1", 2, "passing", 3, ["v1"], []),
        )
        assert (await list_instances(client, "none")).rows == ()


async def test_hidden_is_said() -> None:
    """By the header, or where no token was sent and nothing is shown by default."""
    async with running_double(acl=True) as double:
        await asked(double, "PUT", "/v1/agent/service/register", {"Name": "web", "Port": 2})
        blind, _ = await token_with(double, {})
        for token, words in ((blind, "to this token"), ("", "no token is set")):
            async with client_of(double, token) as client:
                assert words in (await list_services(client)).hidden
                assert words in (await list_instances(client, "web")).hidden
        async with client_of(double) as client:
            assert (await list_services(client)).hidden == ""
