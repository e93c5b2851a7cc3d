"""
What the Kubernetes API server asks of every object: names, labels, and that no two objects are one.

Owns the lengths. Source: k8s.io/apimachinery validation (RFC 1123, RFC 1035).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from meshconfig.document import Document
from meshconfig.kubernetes_object import CUSTOM_RESOURCE, SERVICE

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?", re.ASCII)
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", re.ASCII)
_PREFIXED = re.compile(r"(([a-z0-9]([-a-z0-9.]*[a-z0-9])?)/)?([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)", re.ASCII)
_ANNOTATIONS_BYTES = 262144


def refusals(document: Document) -> Iterator[str]:
    """In the API server's words."""
    meta = document.body["metadata"]
    name = str(meta["name"])
    if document.kind == "Service" and not _DNS_LABEL.fullmatch(name):
        yield f'Invalid value: "{name}": a DNS-1035 label must start with an alphabetic character'
    limit = SERVICE if document.kind == "Service" else CUSTOM_RESOURCE
    if len(name) > limit:
        yield f'Invalid value: "{name}": must be no more than {limit} characters'
    elif document.kind != "Service" and not _SUBDOMAIN.fullmatch(name):
        yield f'Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters'
    yield from _labels(meta.get("labels") or {})
    yield from _labels(_selector(document.body.get("spec") or {}))
    size = sum(len(key) + len(value.encode()) for key, value in (meta.get("annotations") or {}).items())
    if size > _ANNOTATIONS_BYTES:
        yield f"metadata.annotations: Too long: must have at most {_ANNOTATIONS_BYTES} bytes"


def _selector(spec: Mapping[str, object]) -> Mapping[str, str]:
    for key in ("podSelector", "selector"):
        given = spec.get(key)
        if isinstance(given, Mapping):
            inner = given.get("matchLabels", given)
            return inner if isinstance(inner, Mapping) else {}
    return {}


def _labels(labels: Mapping[str, str]) -> Iterator[str]:
    for key, value in labels.items():
        match = _PREFIXED.fullmatch(key)
        if not match or len(match[4]) > SERVICE:
            yield f'Invalid value: "{key}": name part must consist of alphanumeric characters, "-", "_" or ".", at most 63'
        if len(value) > SERVICE:
            yield f'Invalid value: "{value}": must be no more than {SERVICE} characters'
        elif not _VALUE.fullmatch(value):
            yield f'Invalid value: "{value}": a valid label must be an empty string or consist of alphanumeric characters'


def clashes(documents: Iterable[Document]) -> Iterator[tuple[Document, str]]:
    """Objects of one target that would overwrite each other."""
    seen: dict[tuple[str, ...], Document] = {}
    for document in documents:
        key = (document.target, str(document.body["apiVersion"]), document.kind, document.namespace, document.name)
        first = seen.setdefault(key, document)
        if first is not document:
            yield document, f"has the name of another, in {first.file}"
