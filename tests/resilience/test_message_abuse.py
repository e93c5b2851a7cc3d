"""R22: messages that lie about their length or coding, inflate to gigabytes or nest without end, in each dialect that frames them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from tests.bench.process_cpu import cpu_s
from tests.resilience.message_attacks import ATTACKS, MessageAttack
from tests.resilience.site import Site, site, victim

LIMIT_MIB = 4.0
SLACK_MIB = 8.0
"""Of peak memory beyond ten times the wire and the limit on messages: what an allocator keeps."""

REFUSED_S = 2.0
"""Of the gateway's CPU time: another process on the machine only adds to what the clock says."""


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _told(answer: httpx.Response) -> str:
    """How the refusal is said: an HTTP status, a gRPC status in head or last frame, an end-of-stream error. Fails on a success."""
    if answer.status_code != 200:
        assert 400 <= answer.status_code <= 501, answer  # 501: a coding we do not know
        assert answer.status_code != 500, answer
        return f"HTTP {answer.status_code}"
    status = answer.headers.get("grpc-status")
    if status is None:
        body = answer.content
        assert body[:1] in (b"\2", b"\x80"), body[:40]
        text = body[5:].decode()
        assert '"error"' in text or "grpc-status:" in text, text
        return text[:60].strip()
    assert status in {"3", "8", "12", "13"}, answer.headers
    return f"grpc-status {status}"


async def _endure(where: Site, client: httpx.AsyncClient, attack: MessageAttack) -> float:
    """Send one; the CPU time it took the gateway."""
    body, pid = attack.body(), where.edge.pid
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew
    before_mib, spent_s, began_s = where.memory_mib(), cpu_s(pid), time.monotonic()
    headers = {"content-type": attack.content_type, "te": "trailers", **attack.headers}
    answer = await client.post(attack.path, content=body, headers=headers)
    took_s, spent_s = time.monotonic() - began_s, cpu_s(pid) - spent_s
    grown_mib, wire_mib = _peak_mib(pid) - before_mib, len(body) / 2**20
    print(
        f"R22 {attack.name} ({len(body)} bytes): {_told(answer)}; {took_s * 1000:.0f} ms, {spent_s * 1000:.0f} ms CPU,"
        f" peak {grown_mib:+.1f} MiB"
    )
    assert grown_mib < 10 * wire_mib + LIMIT_MIB + SLACK_MIB, attack.name
    return spent_s


@pytest.mark.slow
async def test_what_is_no_message_is_refused_cheaply(tmp_path: Path) -> None:
    """In every dialect, within seconds, within ten times its bytes and the limit; none of it reaches the service."""
    for attack in ATTACKS:
        attack.body()  # made before the honest client is measured
    async with (
        site(tmp_path, base_s=1.0) as where,
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{where.edge.port}", http1=False, http2=True, trust_env=False, timeout=30
        ) as client,
    ):
        where.upstream.calls.clear()
        honest = victim(where.edge)
        async with honest.running():
            dearest_s = max([await _endure(where, client, attack) for attack in ATTACKS])
            await asyncio.sleep(0.1)
        print(
            f"R22 {len(ATTACKS)} attacks: dearest {dearest_s * 1000:.0f} ms CPU; honest p50 {where.base_ms:.1f} ->"
            f" {honest.took_ms(0.5):.1f} ms, slowest {honest.took_ms(1.0):.1f} ms, {len(honest.answers)} of {honest.sent} answered"
        )
        assert dearest_s < REFUSED_S
        assert where.attacks_seen == 0
        assert honest.statuses() == {200: honest.sent}
