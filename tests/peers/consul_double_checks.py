"""
Health checks of the double, which it really makes: gRPC health, HTTP, TCP, TTL, and the alias that a sidecar has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.peers.consul_double_index import duration_s


class Check:
    """One check of a service. `changed` is called when its status is another."""

    def __init__(
        self,
        given: dict[str, Any],
        held: dict[str, Any],
        number: int,
        changed: Callable[[], None],
        all_checks: Mapping[str, Check],
    ) -> None:
        self.id = (
            given.get("checkid")
            or given.get("id")
            or (f"service:{held['ID']}" if number == 1 else f"service:{held['ID']}:{number}")
        )
        self.service_id, self.service_name, self._tags = held["ID"], held["Service"], held["Tags"]
        self.status = given.get("status") or "critical"
        self.output = ""
        self._given = given
        self._changed = changed
        self._all = all_checks
        self._task: asyncio.Task[None] | None = None
        self._beat = asyncio.Event()

    def body(self) -> dict[str, Any]:
        """As health and agent/checks show it."""
        if alias := self._given.get("aliasservice"):
            others = [check.status for check in self._all.values() if check.service_id == alias]
            self.status = next((status for status in ("critical", "warning") if status in others), "passing")
        return {
            "Node": "node1", "CheckID": self.id, "Name": self._given.get("name") or f"Service '{self.service_name}' check",
            "Status": self.status, "Output": self.output, "ServiceID": self.service_id, "ServiceName": self.service_name,
            "ServiceTags": self._tags, "Definition": {},
        }  # fmt: skip

    def report(self, status: str, output: str) -> None:
        """A TTL check is told."""
        self._beat.set()
        self._set(status, output)

    def start(self) -> None:
        """Begin to check."""
        if "aliasservice" not in self._given:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def cancel(self) -> None:
        """Stop, without waiting for it."""
        if self._task is not None:
            self._task.cancel()

    async def stop(self) -> None:
        """Stop and wait."""
        self.cancel()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def _set(self, status: str, output: str) -> None:
        if status != self.status:
            self.status = status
            self._changed()
        self.output = output

    async def _run(self) -> None:
        if ttl := self._given.get("ttl"):
            while True:
                try:
                    async with asyncio.timeout(duration_s(ttl)):
                        await self._beat.wait()
                    self._beat.clear()
                except TimeoutError:
                    self._set("critical", "TTL expired")
        while True:
            timeout = duration_s(self._given.get("timeout") or "10s")
            try:
                async with asyncio.timeout(timeout):
                    failure = await self._fault()
            except (OSError, TimeoutError, grpc.aio.AioRpcError, aiohttp.ClientError) as error:
                failure = str(error) or type(error).__name__
            self._set("critical" if failure else "passing", failure)
            await asyncio.sleep(duration_s(self._given["interval"]))

    async def _fault(self) -> str:
        """Why it fails, empty when it does not."""
        if target := self._given.get("grpc"):
            place, _, service = target.partition("/")
            async with grpc.aio.insecure_channel(place) as channel:
                stub = health_pb2_grpc.HealthStub(channel)
                answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
            return "" if answer.status == health_pb2.HealthCheckResponse.SERVING else "not serving"
        if url := self._given.get("http"):
            async with aiohttp.ClientSession() as session, session.get(url) as response:
                return "" if response.status < 300 else f"{response.status}"
        host, port = self._given["tcp"].rsplit(":", 1)
        _, writer = await asyncio.open_connection(host, int(port))
        writer.close()
        await writer.wait_closed()
        return ""
