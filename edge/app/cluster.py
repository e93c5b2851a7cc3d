"""
The discovery of a Service's pods that an upstream's `kubernetes` section describes.

Owns the translation from the sections to a discovery; relative paths start from the file's folder.
"""

from __future__ import annotations

from edge.config.kubernetes_models import UpstreamKubernetes
from edge.config.models import Config
from edge.core.endpoint_slices import PodQuery
from edge.kubernetes.api import ClusterAccess
from edge.kubernetes.discovery import SliceDiscovery


def slice_discovery(config: Config, given: UpstreamKubernetes) -> SliceDiscovery:
    """The discovery; not started."""
    cluster = config.kubernetes
    kubeconfig = None if cluster is None or cluster.kubeconfig is None else str(config.resolve(cluster.kubeconfig))
    access = ClusterAccess(kubeconfig, None if cluster is None else cluster.context)
    query = PodQuery(given.port, given.zone, "IPv6" if given.family == "ipv6" else "IPv4")
    return SliceDiscovery(access, given.namespace, given.service, query)
