"""
An identity from Consul: the leaf of a service and the roots of its CA, through an agent's Connect API.

Owns the two blocking queries and what is made of them. A query that returns need not mean change; an index that goes backwards, an
error or a leaf that does not verify starts over at index 0, which has the agent check the leaf against the current root; nothing is
asked in a tight loop. Leaf and roots change one after the other: before it is said that they do not fit, the other one is asked for as it
is now. The leaf's query stays open for ever: an agent forgets a leaf nobody asked for in 72 h. The API is deprecated
since Consul 1.16, without a successor. Source: mesh.md; https://developer.hashicorp.com/consul/api-docs/features/blocking.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from cryptography import x509

from certs.backoff import MAX_S, backoff_s
from certs.identity import IdentityError, make_identity, trust_domain_of
from certs.pem import PemError, PrivateKey, read_certificates, read_key
from certs.rehearsal import rehearse
from certs.source import Publication

WAIT_S = MAX_S
"""
How long a blocking query may stay open; Consul adds up to a sixteenth. The client's own timeout must be longer.

Not the five minutes Consul allows: a query made of an agent that has just lost its memory, with an index of before, is heard of no sooner.
"""
PAUSE_S = 0.5
"""Between two queries of one path, however fast Consul answers."""

ROOTS_PATH = "/v1/agent/connect/ca/roots"
LEAF_PATH = "/v1/agent/connect/ca/leaf/"


@dataclass(frozen=True, slots=True)
class Answer:
    """A 200: the JSON in it, and X-Consul-Index (0 when there is none)."""

    body: Any
    index: int


class ConnectAgent(Protocol):
    """Who asks the Consul agent."""

    async def get(self, path: str, *, index: int, wait_s: float) -> Answer:
        """GET `path`, blocking while its index is `index` unless that is 0. Raises OSError with the reason for anything but a 200."""


def next_index(asked: int, answered: int) -> int:
    """What to ask with next: 0 after an index that went backwards, never less than 1 else (0 would not block)."""
    return 0 if answered < asked else max(1, answered)


class ConsulConnectSource(Publication):
    """A CertificateSource for `service`, the name it is registered under."""

    def __init__(
        self,
        agent: ConnectAgent,
        service: str,
        *,
        strict: bool = True,
        clock: Callable[[], float] = time.time,
        rand: Callable[[], float] = random.random,
        pause_s: float = PAUSE_S,
    ) -> None:
        super().__init__(f"Consul Connect ({service})")
        self._agent = agent
        self._leaf_path = LEAF_PATH + quote(service, safe="")
        self._strict = strict
        self._clock = clock
        self._rand = rand
        self._pause_s = pause_s
        self._leaf: tuple[tuple[x509.Certificate, ...], PrivateKey] | None = None
        self._roots: dict[str, tuple[x509.Certificate, ...]] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin both queries."""
        loop = asyncio.get_running_loop()
        for path, take in ((ROOTS_PATH, self._take_roots), (self._leaf_path, self._take_leaf)):
            self._tasks.append(loop.create_task(self._follow(path, take)))

    async def stop(self) -> None:
        """End both."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _follow(self, path: str, take: Callable[[Any], None]) -> None:
        index = failures = 0
        while True:
            if (answered := await self._ask(path, index, take)) is None:
                index, failures = 0, failures + 1
                await asyncio.sleep(max(self._pause_s, backoff_s(failures, self._rand())))
            else:
                index, failures = next_index(index, answered), 0
                await asyncio.sleep(self._pause_s)

    async def _ask(self, path: str, index: int, take: Callable[[Any], None]) -> int | None:
        """One query; the index answered, or None when nothing usable came."""
        try:
            answer = await self._agent.get(path, index=index, wait_s=WAIT_S)
            take(answer.body)
            await self._put_together(path)
        except (OSError, PemError, IdentityError, _MalformedError) as error:
            self.reject(f"{path}: {str(error) or type(error).__name__}")
        except Exception as error:  # noqa: BLE001  # a bug: see Publication.broke
            self.broke(error)
        else:
            return answer.index
        return None

    async def _put_together(self, newer: str) -> None:
        """Publish what leaf and roots make, `newer` being the one that has just come."""
        try:
            self._combine()
        except IdentityError:
            other, take = (
                (ROOTS_PATH, self._take_roots) if newer == self._leaf_path else (self._leaf_path, self._take_leaf)
            )
            take((await self._agent.get(other, index=0, wait_s=WAIT_S)).body)
            self._combine()

    def _take_leaf(self, body: Any) -> None:  # noqa: ANN401  # JSON of another's
        self._leaf = read_certificates(_text(body, "CertPEM")), read_key(_text(body, "PrivateKeyPEM"))

    def _take_roots(self, body: Any) -> None:  # noqa: ANN401  # JSON of another's
        self._roots = read_roots(body)

    def _combine(self) -> None:
        if self._leaf is None or self._roots is None:
            return
        chain, key = self._leaf
        trust_domain = trust_domain_of(chain[0], strict=self._strict)
        if trust_domain not in self._roots:
            raise IdentityError(f"roots: none of {trust_domain}, the trust domain of the certificate")
        identity = make_identity(
            chain, key, self._roots, self._clock(), strict=self._strict, to_the_letter=False
        )  # see there: the CA of a second datacenter
        rehearse(identity, strict=self._strict)
        self.publish(identity)


class _MalformedError(ValueError):
    """An answer is not what the API says."""


def read_roots(body: Any) -> dict[str, tuple[x509.Certificate, ...]]:  # noqa: ANN401  # JSON of another's
    """
    All roots, under each trust domain the cluster has or had. Raises PemError or ValueError.

    Not the active root alone: during a rotation leaves of both are about. ExternalTrustDomain is the cluster's id, without `.consul`.
    """
    if not isinstance(body, dict) or not isinstance(body.get("Roots"), list):
        raise _MalformedError("no Roots in it")
    roots: list[x509.Certificate] = []
    names = {_text(body, "TrustDomain").decode().lower()}
    for root in body["Roots"]:
        roots += read_certificates(_text(root, "RootCert"))
        former = root.get("ExternalTrustDomain")
        if isinstance(former, str) and former:
            names.add(former.lower() if "." in former else f"{former.lower()}.consul")
    if not roots:
        raise _MalformedError("Consul has no root yet")
    return dict.fromkeys(sorted(names), tuple(roots))


def _text(body: Any, name: str) -> bytes:  # noqa: ANN401  # JSON of another's
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, str) or not value:
        raise _MalformedError(f"no {name} in it")
    return value.encode()
