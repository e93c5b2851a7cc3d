"""
All checks of all documents, as problems that can be printed.

Owns the table of who checks what. Consul's entries are checked by `apply`'s side, not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from edge.core.problem import Problem
from meshconfig.checks import gateway_api, istio, linkerd, names
from meshconfig.document import Document

Check = Callable[[Document], Iterator[str]]

_CHECKS: Sequence[Check] = (names.refusals, linkerd.refusals, gateway_api.refusals, istio.refusals)


def problems(documents: Iterable[Document]) -> tuple[Problem, ...]:
    """Everything that would be refused or ignored, document by document."""
    all_of_them = [document for document in documents if "apiVersion" in document.body]
    found = [
        _problem(document, message) for document in all_of_them for check in _CHECKS for message in check(document)
    ]
    for check_all in (names.clashes, linkerd.overlaps):
        found += [_problem(document, message) for document, message in check_all(all_of_them)]
    return tuple(found)


def _problem(document: Document, message: str) -> Problem:
    where = f"{document.kind} {document.namespace}/{document.name}"
    return Problem(f"{document.target}/{document.file}", where, message)
