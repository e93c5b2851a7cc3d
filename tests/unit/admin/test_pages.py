"""What the admin listener answers."""

from __future__ import annotations

import json

import pytest

from edge.admin.pages import Page, Pages


async def exposition(accept: str) -> tuple[str, bytes]:
    return "text/plain; for=" + accept, b"edge_up 1\n"


def pages(*reasons: str) -> Pages:
    return Pages(lambda: reasons, exposition, {"/routes": lambda: [{"method": "GET"}]})


async def get(path: str, *reasons: str, method: str = "GET") -> Page:
    return await pages(*reasons).answer(method, path, "any")


async def test_health_is_the_process_being_alive_whatever_readiness_says() -> None:
    page = await get("/healthz", "draining")
    assert (page.status, page.body) == (200, b"ok\n")


async def test_ready_without_reasons_against_it() -> None:
    page = await get("/readyz")
    assert (page.status, json.loads(page.body)) == (200, {"ready": True, "reasons": []})


async def test_not_ready_with_the_reasons() -> None:
    page = await get("/readyz", "draining", "loading bookstore")
    assert page.status == 503
    assert json.loads(page.body) == {"ready": False, "reasons": ["draining", "loading bookstore"]}


async def test_metrics_in_the_format_asked_for() -> None:
    page = await get("/metrics")
    assert (page.status, page.content_type, page.body) == (200, "text/plain; for=any", b"edge_up 1\n")


async def test_the_index_lists_every_page() -> None:
    index = (await get("/")).body.decode()
    for path in ("/healthz", "/readyz", "/metrics", "/routes"):
        assert path in index


async def test_debug_pages_are_json() -> None:
    assert json.loads((await get("/routes")).body) == [{"method": "GET"}]


@pytest.mark.parametrize("path", ["/nothing", "/metrics/", "", "/Healthz", "//healthz"])
async def test_unknown_paths_are_404_as_status(path: str) -> None:
    page = await get(path)
    assert (page.status, json.loads(page.body)["code"]) == (404, 5)


@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS", "get"])
async def test_nothing_can_be_changed(method: str) -> None:
    page = await get("/healthz", method=method)
    assert (page.status, page.headers) == (405, (("allow", "GET, HEAD"),))
