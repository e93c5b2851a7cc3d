"""
What `edge doctor` looks at outside the machine, beside addresses: pods of Services in Kubernetes, and the certificate of `identity`.

Owns each look, made with the very code the gateway runs. A look never raises: what it cannot find out is a finding too.
"""

from __future__ import annotations

import asyncio
import time

from certs.describe import span
from certs.source import CertificateSource, readiness_fault
from edge.app.cluster import slice_discovery
from edge.app.identity import identity_source
from edge.cli.findings import Finding, State
from edge.config.models import Config
from edge.core.slice_watch import MalformedError
from edge.kubernetes.api import ApiError

_WAIT_S = 3.0
"""For the Workload API's first message; it comes in milliseconds."""


def located(config: Config) -> list[Finding]:
    """One finding per upstream in Kubernetes, and one for our certificate."""
    found = [_pods(config, name) for name, upstream in config.upstreams.items() if upstream.kubernetes is not None]
    if config.identity is not None:
        found.append(asyncio.run(_certificate(identity_source(config, config.identity))))
    return found


def _pods(config: Config, name: str) -> Finding:
    given = config.upstreams[name].kubernetes
    assert given is not None  # the caller has looked
    subject = f"upstreams.{name}.kubernetes"
    discovery = slice_discovery(config, given)
    try:
        endpoints = discovery.look()
    except (ApiError, MalformedError) as error:
        return Finding(State.FAILED, subject, str(error))
    if not endpoints.places:
        return Finding(State.FAILED, subject, discovery.why_none())
    beside = f", {endpoints.waiting} not ready" if endpoints.waiting else ""
    return Finding(State.OK, subject, f"{discovery.name}: {len(endpoints.places)} to call{beside}")


async def _certificate(source: CertificateSource) -> Finding:
    await source.start()
    try:
        end = time.monotonic() + _WAIT_S
        while source.current() is None and source.fault() is None and time.monotonic() < end:  # noqa: ASYNC110  # as below
            await asyncio.sleep(0.02)  # a fault tells no watcher
        fault = readiness_fault(source, time.time())
        current = source.current()
    finally:
        await source.stop()
    if fault is not None or current is None:
        return Finding(State.FAILED, "identity", fault or "none has come")
    text = f"{current.spiffe_id} from {source.name}, expires in {span(current.not_after - time.time())}"
    return Finding(State.OK, "identity", text)
