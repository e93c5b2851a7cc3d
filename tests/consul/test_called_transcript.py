"""
The gateway called from the mesh, as a person would try it; `pytest -s` prints what stands in docs/mesh.md.

Real: the agent, its certificates and intentions, the bookstore, `edge run`, and curl as a service of the mesh.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from pathlib import Path

import pytest

from tests.consul.callers import called, define
from tests.consul.scenes import asked
from tests.consul.sidecars import files_of
from tests.consul.test_transcript import EDGE, intended, process, ready_at, told
from tests.peers.consul_agent import running_agent
from tests.peers.ports import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]


async def test_from_a_denied_caller_to_one_path(real_folder: Path) -> None:
    """Registered as native; denied: 403; allowed: 200; permitted one path: that and no other."""
    port, store, admin = free_port(), free_port(), free_port()
    with running_agent(real_folder / "agent") as consul:
        given = called(
            real_folder, consul, "edge", store, consul={"register": {}}, admin={"bind": f"127.0.0.1:{admin}"}
        )
        given["listeners"] = [{"bind": f"127.0.0.1:{port}", "mesh": True}]
        (real_folder / "edge.yaml").write_text(json.dumps(given))
        await intended(consul, "web", "edge", "deny")
        async with (
            process(sys.executable, "-m", "edge.demo.service", "--port", str(store)),
            process(*EDGE, "run", "-c", str(real_folder / "edge.yaml")),
        ):
            print("$ edge run -c edge.yaml &")
            await ready_at(admin)
            _, found, _ = await asked(consul, "GET", "/v1/health/connect/edge")
            assert [each["Service"]["Connect"] for each in found] == [{"Native": True}]
            web = await files_of(consul, "web", real_folder / "web")

            async def call(path: str, status: int) -> None:
                flags = ("--cert", str(web[0]), "--key", str(web[1]), "--cacert", str(web[2]), "-k")
                shown = f"curl --cert web.pem --key web-key.pem -k -w '\\nHTTP %{{http_code}}\\n' https://127.0.0.1:8443{path}"
                line = "\nHTTP %{http_code}\n"
                ended = time.monotonic() + 10.0
                quiet = ("curl", "-s", *flags, "-w", line, f"https://127.0.0.1:{port}{path}")
                while f"HTTP {status}" not in await said(*quiet):
                    assert time.monotonic() < ended, "not within 10 s"
                    await asyncio.sleep(0.05)
                await told(shown, *quiet)

            await call("/v1/shelves/1", 403)
            await intended(consul, "web", "edge", "allow")
            await call("/v1/shelves/1", 200)
            permissions = [
                {"Action": "allow", "HTTP": {"PathExact": "/v1/shelves/1", "Methods": ["GET"]}},
                {"Action": "deny", "HTTP": {"PathPrefix": "/"}},
            ]
            entry = {
                "Kind": "service-intentions",
                "Name": "edge",
                "Sources": [{"Name": "web", "Permissions": permissions}],
            }
            print(f"$ consul config write - <<< '{json.dumps(entry)}'")
            await define(consul, "edge", [{"Name": "web", "Permissions": permissions}])
            await call("/v1/shelves/2", 403)
            await call("/v1/shelves/1", 200)
            admin_url = f"http://127.0.0.1:{admin}/consul"
            await told("curl -s http://127.0.0.1:9901/consul | jq .intentions", "curl", "-s", admin_url)


async def said(*command: str) -> str:
    """What a command says."""
    running = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    return (await running.communicate())[0].decode()
