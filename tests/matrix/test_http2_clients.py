"""HTTP/2 ingress against clients no one here wrote: curl and httpx, over TLS by ALPN and in plain by prior knowledge, on uvloop."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.matrix.test_http1_clients import LARGE, Site, curl, echoed, on_uvloop


def h2(site: Site) -> list[str]:
    """How curl is told to speak HTTP/2."""
    return ["--http2"] if site.ca is not None else ["--http2-prior-knowledge"]


def client(site: Site) -> httpx.AsyncClient:
    """httpx speaks HTTP/2 alone: by ALPN over TLS, else by prior knowledge."""
    return httpx.AsyncClient(base_url=site.url, verify=site.tls or False, http1=False, http2=True, trust_env=False)


both = pytest.mark.parametrize("secure", [False, True], ids=["h2c", "h2"])


@both
def test_httpx(tmp_path: Path, secure: bool) -> None:
    async def scenario(site: Site) -> None:
        async with client(site) as http:
            first = await http.get("/v1/x?a=b")
            assert (first.http_version, first.json()) == ("HTTP/2", echoed("GET"))

            async def pieces() -> object:
                for _ in range(50):
                    yield b"y" * 10_000

            assert (await http.post("/v1/x?a=b", content=pieces())).json() == echoed("POST", 500_000)  # type: ignore[arg-type]  # an async iterator
            head = await http.head("/v1/x?a=b")
            assert int(head.headers["content-length"]) == len(json.dumps(echoed("HEAD")))
            answers = await asyncio.gather(*(http.post("/v1/x?a=b", content=b"x" * n) for n in range(80)))
            assert [answer.json() for answer in answers] == [echoed("POST", n) for n in range(80)]
            assert (await http.post("/missing", content=b"x" * 1000)).status_code == 404
            assert site.listener.connections == 1  # one connection for all of it
            too_large = await http.post("/v1/x", content=bytes(LARGE + 1))
            assert (too_large.status_code, too_large.json()) == (413, {"code": 8})
            assert (await http.get("/v1/x?a=b")).json() == echoed("GET")

    on_uvloop(scenario, tmp_path, secure=secure)


@both
def test_curl(tmp_path: Path, secure: bool) -> None:
    async def scenario(site: Site) -> None:
        url, two = f"{site.url}/v1/x?a=b", h2(site)
        assert (await curl(site, url, *two, "-o", "/dev/null", "-w", "%{http_version}")) == "2"
        assert json.loads(await curl(site, url, *two)) == echoed("GET")
        assert json.loads(await curl(site, url, *two, "-d", "hello")) == echoed("POST", 5)
        assert (await curl(site, url, *two, "-I")).startswith("HTTP/2 200 ")
        upload = tmp_path / "upload"
        upload.write_bytes(bytes(1_500_000))
        assert json.loads(await curl(site, url, *two, "-T", str(upload))) == echoed("PUT", 1_500_000)
        verbose = await curl(site, url, *two, "-T", str(upload), "-H", "Expect: 100-continue", "-i")
        assert verbose.startswith("HTTP/2 100")
        assert json.loads(verbose.rsplit("\r\n\r\n", 1)[1]) == echoed("PUT", 1_500_000)
        upload.write_bytes(bytes(LARGE + 1))
        assert (await curl(site, url, *two, "-T", str(upload), "-i")).startswith("HTTP/2 413 ")

    on_uvloop(scenario, tmp_path, secure=secure)


def each(url: str, count: int) -> list[str]:
    """Arguments for so many requests at once whose bodies are not wanted; curl 7.88 cannot do that by prior knowledge."""
    return ["--http2", "--parallel", *["-o", "/dev/null", url] * count, "-w", "%{http_code} %{num_connects}\n"]


def test_curl_sends_many_requests_at_once_on_one_connection(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        lines = (await curl(site, *each(f"{site.url}/v1/x", 20))).split("\n")[:-1]
        assert sorted(lines) == ["200 0"] * 19 + ["200 1"]

    on_uvloop(scenario, tmp_path, secure=True)


def test_curl_prefers_http2_over_tls(tmp_path: Path) -> None:
    """ALPN settles on HTTP/2 with a client that takes both."""

    async def scenario(site: Site) -> None:
        plain = ["curl", "-sS", "--cacert", str(site.ca), "-o", "/dev/null", "-w", "%{http_version}", site.url]
        done = await asyncio.to_thread(subprocess.run, plain, capture_output=True, text=True, timeout=20)
        assert done.stdout == "2"

    on_uvloop(scenario, tmp_path, secure=True)


def test_a_drain_lets_calls_finish(tmp_path: Path) -> None:
    """curl's twenty calls on one connection run when the drain begins; each has its answer."""

    async def scenario(site: Site) -> None:
        asking = asyncio.create_task(curl(site, *each(f"{site.url}/slow", 20)))
        async with asyncio.timeout(30):
            while site.echo.slow_calls < 20:
                await asyncio.sleep(0.005)
        await site.listener.drain(30)
        assert [line[:3] for line in (await asking).split("\n")[:-1]] == ["200"] * 20

    on_uvloop(scenario, tmp_path, secure=True)
