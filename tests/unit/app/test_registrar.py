"""The supervisor's registration: made from a thread, withdrawn before `leave` returns."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from edge.app.registrar import registrar_of
from tests.consul.scenes import asked
from tests.peers.consul_double import running_double
from tests.unit.app.configs import config
from tests.unit.app.test_mesh import given


async def test_registered_until_it_leaves(tmp_path: Path) -> None:
    async with running_double() as double:
        registrar = registrar_of(given(tmp_path, double, register={"port": 8080}))
        assert registrar is not None
        registrar.arrive()
        for _ in range(400):
            status, _, _ = await asked(double, "GET", "/v1/agent/service/edge-8080")
            if status == 200:
                break
            await asyncio.sleep(0.02)
        assert status == 200
        await asyncio.to_thread(registrar.leave)
        status, _, _ = await asked(double, "GET", "/v1/agent/service/edge-8080")
        assert status == 404


async def test_an_agent_that_is_gone_does_not_hold_it_up(tmp_path: Path) -> None:
    async with running_double() as double:
        registrar = registrar_of(given(tmp_path, double, register={"port": 8080}))
        assert registrar is not None
        await double.stop()
        registrar.arrive()
        began = time.monotonic()
        await asyncio.to_thread(registrar.leave)
        assert time.monotonic() - began < 10


async def test_nobody_registers_unasked(tmp_path: Path) -> None:
    """Nor is there anything to take back before it arrived."""
    assert registrar_of(config(tmp_path)) is None
    async with running_double() as double:
        assert registrar_of(given(tmp_path, double)) is None
        registrar = registrar_of(given(tmp_path, double, register={}))
        assert registrar is not None
        registrar.leave()
