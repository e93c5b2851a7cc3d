"""
The cluster of the current kubectl context, or the one this runs in, by the official client.

Owns the translation of its errors into ours. The client is imported here alone, and only when it is asked for.
"""

from __future__ import annotations

import json
from typing import Any

from meshconfig.cluster import MANAGER, ClusterError, Manifest


class KubernetesCluster:
    """One connection. Raises ClusterError when the client is not installed or no cluster is configured."""

    def __init__(self) -> None:
        try:
            from kubernetes import client, config, dynamic
            from kubernetes.client.exceptions import ApiException
            from kubernetes.dynamic.exceptions import DynamicApiError, ResourceNotFoundError
        except ImportError:
            raise ClusterError(
                "the Kubernetes client is not installed: pip install 'edge-gateway[kubernetes]'"
            ) from None
        self._refusals: tuple[type[Exception], ...] = (ApiException, DynamicApiError)
        self._unknown: type[Exception] = ResourceNotFoundError
        settings = client.Configuration()
        settings.retries = 1
        try:
            _load(config, settings)
            self._client: Any = dynamic.DynamicClient(client.ApiClient(settings))  # type: ignore[no-untyped-call]  # it has no annotations
        except config.ConfigException as error:
            raise ClusterError(f"no cluster is configured: {error}") from None
        except self._refusals as error:
            raise ClusterError(_reason(error)) from None
        except Exception as error:  # noqa: BLE001  # urllib3's, which the client lets through, are no part of its interface
            raise ClusterError(f"{settings.host}: {error}") from None

    def apply(self, manifest: Manifest, *, dry_run: bool, force: bool) -> None:
        """See Cluster."""
        options = {"dry_run": "All"} if dry_run else {}
        try:
            resource = self._client.resources.get(api_version=manifest["apiVersion"], kind=manifest["kind"])
            self._client.server_side_apply(
                resource, body=dict(manifest), field_manager=MANAGER, force_conflicts=force, **options
            )
        except self._unknown:
            text = f"the cluster has no {manifest['kind']} of {manifest['apiVersion']}: is that mesh installed?"
            raise ClusterError(text) from None
        except self._refusals as error:
            raise ClusterError(_reason(error)) from None


def _load(config: Any, settings: Any) -> None:  # noqa: ANN401  # the client has no types
    """The current context; without one, the cluster this runs in."""
    try:
        config.load_kube_config(client_configuration=settings)
    except config.ConfigException:
        config.load_incluster_config(client_configuration=settings)


def _reason(error: Exception) -> str:
    """The API server's own message."""
    body = getattr(error, "body", None)
    try:
        return str(json.loads(body or "")["message"])
    except (ValueError, KeyError, TypeError):
        return str(getattr(error, "reason", "") or error)
