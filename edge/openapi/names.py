"""
Names that must be unique in a document: operation ids and tags.

Owns their form: `Bookstore_GetBook` for an RPC's first binding, `Bookstore_GetBook2` for its second. Only where two services share
their last name do the packages come in. Source: OpenAPI 3.1.1 section 4.8.10 (operationId).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edge.descriptors.model import Rpc


def service_names(rpcs: Iterable[Rpc]) -> dict[str, str]:
    """A short name for each service, by its full one; the full name itself where the short one is another's too."""
    full = list(dict.fromkeys(rpc.service for rpc in rpcs))
    short = [name.rpartition(".")[2] for name in full]
    return {name: last if short.count(last) == 1 else name for name, last in zip(full, short, strict=True)}


def operation_ids(rpcs: Sequence[Rpc]) -> list[str]:
    """An id for each operation, `rpcs` being theirs in order."""
    services = service_names(rpcs)
    plain = [f"{services[rpc.service].replace('.', '_')}_{rpc.method}" for rpc in rpcs]
    taken = set(plain)
    numbers: dict[str, int] = {}
    ids = []
    for name in plain:
        number = numbers.get(name, 0) + 1
        chosen = name if number == 1 else f"{name}{number}"
        while number > 1 and chosen in taken:
            number += 1
            chosen = f"{name}{number}"
        numbers[name] = number
        taken.add(chosen)
        ids.append(chosen)
    return ids
