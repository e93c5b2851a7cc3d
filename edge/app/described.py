"""
A snapshot's APIs as OpenAPI documents.

Owns the step from configuration to what a document needs to know beside the routes. The command line and the gateway print the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.app.snapshot import Snapshot, json_options
from edge.openapi import ApiSource, documents


def openapi_sources(snapshot: Snapshot, servers: Sequence[str] = ()) -> list[ApiSource]:
    """Each API whose description is known and not kept to itself, in the order of the configuration."""
    return [
        ApiSource(
            name=api.name,
            routes=[route for route in snapshot.routes.routes if route.api == api.name],
            descriptor_set=snapshot.descriptions[api.name].descriptor_set,
            options=json_options(api),
            envelope=api.streaming.format == "envelope",
            servers=servers,
        )
        for api in snapshot.config.apis
        if api.openapi and api.name in snapshot.descriptions
    ]


def openapi_documents(snapshot: Snapshot, servers: Sequence[str] = ()) -> dict[str, bytes]:
    """
    The documents by the paths they are served at.

    Takes about 0.1 s for a hundred routes: call it off the event loop, once per snapshot. `servers` are base URLs of listeners; none
    means the host a document was fetched from.
    """
    return documents(openapi_sources(snapshot, servers))
