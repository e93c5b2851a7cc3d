"""
An identity from the SPIFFE Workload API: SPIRE, or whoever serves the socket.

Owns the stream, on which each message is the whole truth: what is missing in it is withdrawn, and an agent that says PERMISSION_DENIED
takes our identity away. A stream that ends otherwise leaves the last one in use and is opened again. The `spiffe` package speaks the
protocol, in a thread of its own; its words are carried to the loop. Source: SPIFFE Workload API sections 4 and 5.2.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from certs.backoff import backoff_s
from certs.identity import Identity, IdentityError, make_identity
from certs.rehearsal import rehearse
from certs.source import Following

if TYPE_CHECKING:
    from spiffe import X509Svid
    from spiffe.workloadapi.x509_context import X509Context

_DENIED = "PERMISSION_DENIED"  # spiffe gives the status as text only


class WorkloadApiSource(Following):
    """
    A CertificateSource for `socket` (`unix:///run/spire/agent.sock`; None: SPIFFE_ENDPOINT_SOCKET says).

    Of several identities it uses `spiffe_id`, or else the first, which the standard calls the default.
    """

    def __init__(
        self,
        socket: str | None = None,
        spiffe_id: str | None = None,
        *,
        clock: Callable[[], float] = time.time,
        rand: Callable[[], float] = random.random,
    ) -> None:
        super().__init__("SPIFFE Workload API")
        self._socket = socket
        self._spiffe_id = spiffe_id
        self._clock = clock
        self._rand = rand
        self._failures = 0

    async def _run(self) -> None:
        while True:
            reason = await self._stream()
            self._failures += 1
            if _DENIED in reason:
                self.withdraw(reason)
            else:
                self.reject(reason)
            await asyncio.sleep(backoff_s(self._failures, self._rand()))

    async def _stream(self) -> str:
        """Follow one stream to its end; why it ended."""
        from spiffe import WorkloadApiClient  # an optional dependency
        from spiffe.errors import PySpiffeError  # as above

        loop = asyncio.get_running_loop()
        ended: asyncio.Future[str] = loop.create_future()

        def post(what: Callable[[Any], None], value: object) -> None:
            """From spiffe's thread to the loop, which may be gone by then."""
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(lambda: None if ended.done() else what(value))

        try:
            client = WorkloadApiClient(self._socket)
        except PySpiffeError as error:
            return str(error)
        stream = client.stream_x509_contexts(
            lambda context: post(self._take, context),
            lambda error: post(ended.set_result, str(error)),
            retry_connect=False,  # its own retries would hide the reason
        )
        try:
            return await ended
        finally:
            ended.cancel()
            stream.cancel()
            client.close()

    def _take(self, context: X509Context) -> None:
        self._failures = 0
        try:
            identity = self._identity_of(context)
        except IdentityError as error:
            self.reject(str(error))
        except Exception as error:  # noqa: BLE001  # a bug: see Publication.broke
            self.broke(error)
        else:
            self.publish(identity)

    def _identity_of(self, context: X509Context) -> Identity:
        svid = self._chosen(context)
        bundles = {str(one.trust_domain): tuple(one.x509_authorities) for one in context.x509_bundle_set.bundles}
        identity = make_identity(svid.cert_chain, svid.private_key, bundles, self._clock())  # type: ignore[arg-type]  # EC or RSA
        rehearse(identity)
        return identity

    def _chosen(self, context: X509Context) -> X509Svid:
        if self._spiffe_id is None:
            return context.default_svid
        for svid in context.x509_svids:
            if str(svid.spiffe_id) == self._spiffe_id:
                return svid
        raise IdentityError(f"the agent has no certificate for {self._spiffe_id}")
