"""
The two requests of a watch, list and watch, through the official client.

Owns the translation: answers are plain JSON (the client's models cost milliseconds per slice), failures are one error with the server's
own words. The client is imported here alone and only when it is asked for; it blocks, so all of this runs in a thread. Credentials are
its affair: it reads a service account's token again every minute, and runs what a kubeconfig says.
Source: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

CONNECT_S = 5.0
ANSWER_S = 30.0
WATCH_S = 240
"""A watch is asked to end after so long: a server that is being replaced, or was taken out of rotation, loses its watchers in time."""
SILENCE_S = 90.0
"""
A watch on which nothing was heard for so long is opened anew: bookmarks come about every minute, and a connection whose other end has
vanished tells nothing. Nothing is lost by it.
"""
MAX_LINE_BYTES = 8 << 20
"""Of one event: etcd holds no object of more than 1.5 MiB."""


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """Which cluster: a kubeconfig and a context of it, or with None the pod's service account, else what kubectl uses."""

    kubeconfig: str | None = None
    context: str | None = None


class ApiError(Exception):
    """No answer that can be used. `status` is the HTTP status, 0 without one."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class OpenWatch:
    """A watch that the server has granted. `events` blocks; `shut` ends it, from any thread."""

    def __init__(self, response: Any) -> None:  # noqa: ANN401  # urllib3's HTTPResponse, by way of a client without types
        self._response = response

    def events(self) -> Iterator[Any]:
        """Each event, until the server ends the watch or nothing came for SILENCE_S. Raises ApiError for what is no JSON."""
        from urllib3.exceptions import HTTPError, ReadTimeoutError

        held = b""
        try:
            for piece in self._response.stream(amt=None, decode_content=True):
                held += piece
                *lines, held = held.split(b"\n")
                if len(held) > MAX_LINE_BYTES:
                    raise ApiError(0, f"an event is larger than {MAX_LINE_BYTES} bytes")
                yield from (json.loads(line) for line in lines if line.strip())
        except ReadTimeoutError:
            return
        except ValueError as error:
            raise ApiError(0, f"an event is no JSON: {error}") from None
        except (HTTPError, OSError) as error:
            raise ApiError(0, f"the watch broke: {error}") from None
        finally:
            self.close()

    def shut(self) -> None:
        """Have a blocked `events` end."""
        with suppress(Exception):  # it may have ended by itself in this moment, in any of the ways a socket ends
            self._response.shutdown()

    def close(self) -> None:
        """Give the connection back, or up."""
        with suppress(Exception):  # as above
            self._response.close()


class SliceApi:
    """EndpointSlices of one Service. Raises ApiError when the client is not installed or no cluster is configured."""

    def __init__(self, access: ClusterAccess, namespace: str, service: str) -> None:
        try:
            from kubernetes import client, config
        except ImportError:
            raise ApiError(
                0, "the Kubernetes client is not installed: pip install 'edge-gateway[kubernetes]'"
            ) from None
        settings = client.Configuration()
        settings.retries = False  # the next attempt is ours, with our backoff
        try:
            _load(config, settings, access)
        except (config.ConfigException, OSError) as error:
            raise ApiError(0, f"no cluster is configured: {error}") from None
        self._refusal: type[Exception] = client.ApiException
        self._client = client.ApiClient(settings)
        self._ask = client.DiscoveryV1Api(self._client).list_namespaced_endpoint_slice
        self._namespace = namespace
        self._selector = f"kubernetes.io/service-name={service}"

    def list(self) -> Any:  # noqa: ANN401  # JSON of another's
        """All slices there are now."""
        response = self._request(read_s=ANSWER_S)
        try:
            return json.loads(response.data)
        except ValueError as error:
            raise ApiError(0, f"the answer is no JSON: {error}") from None
        finally:
            response.close()

    def watch(self, version: str) -> OpenWatch:
        """What changes from `version` on."""
        options = {
            "watch": True,
            "resource_version": version,
            "allow_watch_bookmarks": True,
            "timeout_seconds": WATCH_S,
        }
        return OpenWatch(self._request(read_s=SILENCE_S, **options))

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()
        self._client.rest_client.pool_manager.clear()

    def _request(self, *, read_s: float, **options: object) -> Any:  # noqa: ANN401  # as above
        try:
            return self._ask(
                self._namespace,
                label_selector=self._selector,
                _preload_content=False,
                _request_timeout=(CONNECT_S, read_s),
                **options,
            )
        except self._refusal as error:
            status = getattr(error, "status", 0) or 0
            raise ApiError(status, _words(error, status)) from None
        except Exception as error:  # noqa: BLE001  # urllib3's and those of credential plugins, which the client lets through
            raise ApiError(0, str(error) or type(error).__name__) from None


def _load(config: Any, settings: Any, access: ClusterAccess) -> None:  # noqa: ANN401  # the client has no types
    if access.kubeconfig is None and access.context is None:
        with suppress(config.ConfigException):
            config.load_incluster_config(client_configuration=settings)
            return
    config.load_kube_config(config_file=access.kubeconfig, context=access.context, client_configuration=settings)


def _words(error: Exception, status: int) -> str:
    """The API server's own message, which names the user and the permission."""
    body = getattr(error, "body", None)
    try:
        return f"{status}: {json.loads(body or '')['message']}"
    except (ValueError, KeyError, TypeError):
        return f"{status}: {getattr(error, 'reason', '') or 'refused'}"
