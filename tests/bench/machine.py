"""What the figures were taken on and with: processor, kernel, versions. No host name, no path."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from edge import __version__
from scripts import fetch_grpc_gateway
from tests.bench import edge_server, grpc_gateway_server
from tests.peers.envoy import envoy_binary

PROGRAMS = {"nginx": "nginx", "wrk": "wrk", "h2load": "nghttp2-client"}
"""What has to be installed, and the Debian package it comes in."""


def missing() -> list[str]:
    """Programs that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


def facts() -> dict[str, str]:
    """One line each."""
    found = {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory_gib():.0f} GiB, Linux {platform.release()}",
        "load average at start": f"{os.getloadavg()[0]:.1f}",
        "edge": f"{__version__}, engine **{edge_server.engine_name()}**, Python {platform.python_version()}",
        "Envoy": _version(str(envoy_binary()), "--version", r"/(\d+\.\d+\.\d+)/"),
        "nginx": _version("nginx", "-v", r"nginx/(\S+)"),
        "wrk": _version("wrk", "-v", r"wrk (?:debian/)?(\S+)"),
        "h2load": _version("h2load", "--version", r"nghttp2/(\S+)"),
    }
    if grpc_gateway_server.available():
        generator = fetch_grpc_gateway.GENERATORS["protoc-gen-grpc-gateway"].rpartition("@")[2]
        go = _version("go", "version", r"go version (\S+)")
        found["grpc-gateway"] = f"{generator}, {go}"
    return found


def _version(program: str, option: str, pattern: str) -> str:
    try:
        done = subprocess.run([program, option], capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return "not there"
    text = re.search(pattern, done.stdout + done.stderr)
    return text[1] if text else "unknown"


def _processor() -> str:
    names = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return names[0] if names else platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
