"""
Kubernetes in the configuration: the cluster, and upstreams found as the pods of a Service.

Owns these names, types and defaults. The names follow Kubernetes' own.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from edge.config.section import FileName, Model
from edge.config.units import wrong

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_MAX_PORT = 65535


def _label(written: str) -> str:
    if not _LABEL.fullmatch(written):
        raise wrong("is no name in Kubernetes", "use a-z, 0-9 and -, at most 63; begin and end with a letter or digit")
    return written


def _port(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and (_LABEL.fullmatch(value) if not value.isdecimal() else 0 < int(value) <= _MAX_PORT):
        return value
    raise wrong("is no port", "write the port's name in the Service, or the number the pods listen on")


Label = Annotated[str, AfterValidator(_label)]
ServicePort = Annotated[str, BeforeValidator(_port)]


class Kubernetes(Model):
    """The cluster whose API is asked."""

    kubeconfig: FileName | None = None
    """A kubeconfig file, a path; default: the service account of the pod we run in, else what kubectl uses."""
    context: str | None = Field(default=None, min_length=1)
    """Which of its contexts; default: its current one."""


class UpstreamKubernetes(Model):
    """The pods behind a Service, from its EndpointSlices; the gateway balances over them itself."""

    service: Label = Field(examples=["orders"])
    """The Service's name."""
    namespace: Label = "default"
    """The Service's namespace."""
    port: ServicePort | None = None
    """The port's name in the Service, or the number the pods listen on; default: the only port there is."""
    zone: str | None = Field(default=None, min_length=1)
    """Where we run, as in `${ZONE}`: pods that the Service's topology hints are for are preferred, by kube-proxy's rules."""
    family: Literal["ipv4", "ipv6"] | None = None
    """Of pods that have both, the address to dial; default: IPv4. Pods that have only the other are dialled at that."""
