"""
The cluster of the current kubectl context, or the one this runs in, by the official client.

Owns the translation of its errors into ours. The client is imported here alone, and only when it is asked for.
"""

from __future__ import annotations

import json
from typing import Any

from meshconfig.cluster import MANAGER, ClusterError, Kind, Manifest, name_of


class KubernetesCluster:
    """One connection. Raises ClusterError when the client is not installed or no cluster is configured."""

    def __init__(self) -> None:
        try:
            from kubernetes import client, config, dynamic
            from kubernetes.client.exceptions import ApiException
            from kubernetes.dynamic.exceptions import DynamicApiError, NotFoundError, ResourceNotFoundError
            from urllib3.exceptions import HTTPError
        except ImportError:
            raise ClusterError(
                "the Kubernetes client is not installed: pip install 'edge-gateway[kubernetes]'"
            ) from None
        self._refusals: tuple[type[Exception], ...] = (ApiException, DynamicApiError, HTTPError)
        self._unknown: type[Exception] = ResourceNotFoundError
        self._missing: type[Exception] = NotFoundError
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

    def read(self, manifest: Manifest) -> Manifest | None:
        """See Cluster."""
        metadata = manifest["metadata"]
        try:
            resource = self._resource(Kind(manifest["apiVersion"], manifest["kind"]))
            found: Manifest = resource.get(
                name=metadata["name"], namespace=metadata.get("namespace"), **_BOUND
            ).to_dict()
        except (self._unknown, self._missing):
            return None
        except self._refusals as error:
            raise ClusterError(f"{name_of(manifest)}: {_reason(error)}") from None
        return found

    def listed(self, kind: Kind, selector: str) -> list[Manifest]:
        """See Cluster. In pages: a cluster may have thousands of a kind."""
        found: list[Manifest] = []
        more: dict[str, Any] = {}
        try:
            resource = self._resource(kind)
            while True:
                page = resource.get(label_selector=selector, limit=_PAGE, **more, **_BOUND).to_dict()
                found += ({**each, "apiVersion": kind.version, "kind": kind.name} for each in page.get("items") or ())
                if not (token := (page.get("metadata") or {}).get("continue")):
                    return found
                more = {"_continue": token}
        except self._unknown:
            return []
        except self._refusals as error:
            raise ClusterError(f"{kind.name} of {kind.version}: {_reason(error)}") from None

    def apply(self, manifest: Manifest, *, dry_run: bool, force: bool) -> Manifest:
        """See Cluster."""
        options = {"dry_run": "All"} if dry_run else {}
        try:
            resource = self._resource(Kind(manifest["apiVersion"], manifest["kind"]))
            made: Manifest = self._client.server_side_apply(
                resource, body=dict(manifest), field_manager=MANAGER, force_conflicts=force, **options, **_BOUND
            ).to_dict()
        except self._unknown:
            text = f"the cluster has no {manifest['kind']} of {manifest['apiVersion']}: is that mesh installed?"
            raise ClusterError(text) from None
        except self._refusals as error:
            raise ClusterError(_reason(error)) from None
        return made

    def delete(self, live: Manifest, *, dry_run: bool) -> None:
        """See Cluster."""
        metadata = live["metadata"]
        same = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        body: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": same}
        if dry_run:
            body["dryRun"] = ["All"]
        try:
            resource = self._resource(Kind(live["apiVersion"], live["kind"]))
            resource.delete(name=metadata["name"], namespace=metadata.get("namespace"), body=body, **_BOUND)
        except self._missing:
            return
        except self._refusals as error:
            raise ClusterError(_reason(error)) from None

    def _resource(self, kind: Kind) -> Any:  # noqa: ANN401  # the client has no types
        return self._client.resources.get(api_version=kind.version, kind=kind.name)


_PAGE = 500
_BOUND = {"_request_timeout": 30.0}


def _load(config: Any, settings: Any) -> None:  # noqa: ANN401  # the client has no types
    """The current context; without one, the cluster this runs in."""
    try:
        config.load_kube_config(client_configuration=settings)
    except config.ConfigException:
        config.load_incluster_config(client_configuration=settings)


def _reason(error: Exception) -> str:
    """The API server's own message; of fields that others own, who they are, and what can be done."""
    body = getattr(error, "body", None)
    try:
        told = json.loads(body or "")
        causes = (told.get("details") or {}).get("causes") or ()
        conflicts = [cause for cause in causes if cause.get("reason") == "FieldManagerConflict"]
        return _conflict(conflicts) if conflicts else str(told["message"])
    except (ValueError, KeyError, TypeError):
        return str(getattr(error, "reason", "") or error)


def _conflict(causes: list[dict[str, str]]) -> str:
    fields = (
        f"{cause.get('field', '?')} ({cause.get('message', '').removeprefix('conflict with ')})" for cause in causes
    )
    return f"fields that others have set: {', '.join(fields)}; --force-conflicts takes them over"
