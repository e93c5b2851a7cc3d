"""
How an upstream's calls are divided and where they go when it is down, as the file says it.

Owns these names, types and defaults. The same words stand below `upstreams` (the gateway does it) and below `mesh.services` (the mesh's
own objects do it, or, with `by: edge`, the gateway). What one key says about another is checked in `traffic_checks`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edge.config.section import Model

Label = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
"""A name as RFC 1123 labels are: Kubernetes namespaces, services, accounts; Consul service names."""

LabelKey = Annotated[
    str,
    Field(
        min_length=1,
        max_length=317,
        pattern=r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$",
        examples=["app"],
    ),
]
LabelValue = Annotated[str, Field(max_length=63, pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$")]
"""As Kubernetes has them; so none can end an expression it is written into."""

Fraction = Annotated[float, Field(ge=0, le=100, multiple_of=0.01)]
"""Percent, in steps of 0.01 as Consul's splitters have them."""


class Subset(Model):
    """A part of a service, such as a version: instances with `labels`, another `upstream`, or, with neither, the upstream as it stands."""

    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict)
    """What marks its instances: Kubernetes pod labels, Consul service metadata."""
    upstream: str | None = Field(default=None, min_length=1)
    """The upstream of this file that it is; only the gateway can do that."""
    weight: Fraction = 0.0
    """Percent of the calls; those of all subsets are 100, or, where the mesh does it, all are 0 and nothing is split."""


class UpstreamSplit(Model):
    """How calls are divided among subsets. A subset that no call can reach gives its part to the others."""

    sticky: str | None = Field(default=None, min_length=1, pattern=r"^[0-9a-z_.-]+$", examples=["x-user"])
    """Metadata, as the service is told it, whose value decides: equal values, one subset. Default: each call in its turn."""
    subsets: dict[Label, Subset] = Field(min_length=1)
    """By name."""


class UpstreamFailover(Model):
    """Where calls go while no endpoint can be reached, in order, `datacenters` first; they return as soon as one can."""

    datacenters: tuple[Label, ...] = Field(default=(), examples=["[dc2]"])
    """Consul datacenters that have the service, too."""
    upstreams: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Other upstreams of this file; only the gateway can do that."""
