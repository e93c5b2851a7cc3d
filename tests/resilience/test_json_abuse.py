"""
reliability.md E1: JSON built to cost more than it should, through the whole gateway and in the codec alone.

Depth, digits, duplicate keys, key counts, surrogates. Hash collisions are not a row of their own: Python hashes str keys with
SipHash under a per-process random seed, so that colliding keys cannot be made ahead (PEP 456); that the seed is in use is asserted.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from tests.resilience.echo import JsonEcho, json_echo, refusal

REFUSED_MS = 5.0
"""R21: what a hostile body may cost the codec before it is refused."""

DEEP: dict[str, bytes] = {
    "arrays, depth 101": b"[" * 101 + b"]" * 101,
    "objects, depth 101": b'{"a":' * 101 + b"1" + b"}" * 101,
    "arrays, depth 10^5": b"[" * 10**5 + b"]" * 10**5,
    "objects, depth 10^5": b'{"a":' * 10**5 + b"1" + b"}" * 10**5,
    "arrays, depth 10^6": b"[" * 10**6 + b"]" * 10**6,
    "arrays, depth 10^6, never closed": b"[" * 10**6,
    "both in turn, depth 10^5": b'[{"":' * (10**5 // 2) + b"1" + b"}]" * (10**5 // 2),
}

DIGITS: dict[str, bytes] = {
    "10^5 digits": b"1" * 10**5,
    "10^6 digits": b"1" * 10**6,
    "10^6 digits, negative": b"-" + b"9" * 10**6,
    "10^6 digits of exponent": b"1e" + b"9" * 10**6,
    "10^6 digits in an array": b"[0," + b"7" * 10**6 + b"]",
}


async def refused_in_time(echo: JsonEcho, cases: dict[str, bytes], reason: str) -> None:
    """Each is 400 for the reason, and costs the codec less than R21 allows; the times are printed."""
    for name, body in cases.items():
        codec_ms = echo.codec_ms(body, tries=15)
        started = time.perf_counter()
        answer = await echo.post(body)
        whole_ms = (time.perf_counter() - started) * 1000
        assert reason in refusal(answer), name
        print(f"E1 {name} ({len(body)} bytes): refused, codec {codec_ms:.2f} ms, end to end {whole_ms:.1f} ms")
        assert codec_ms < REFUSED_MS, name
    assert echo.upstream.calls == []


async def test_depth_is_refused_at_once(tmp_path: Path) -> None:
    """Past 100 levels nothing is read further, however deep it goes."""
    async with json_echo(tmp_path) as echo:
        await refused_in_time(echo, DEEP, "nested too deep")


async def test_a_hundred_levels_are_forwarded(tmp_path: Path) -> None:
    """The limit is 100 levels and not fewer: the upstream gets the message."""
    async with json_echo(tmp_path) as echo:
        await echo.post(b"[" * 100 + b"]" * 100)
        assert len(echo.upstream.calls) == 1


@pytest.mark.parametrize("body", [b"[" * 50 + b"]" * 50, b'{"a":' * 33 + b"1" + b"}" * 33], ids=["arrays", "objects"])
async def test_answers_come_back_as_deep_as_protobuf_itself_reads(tmp_path: Path, body: bytes) -> None:
    """protobuf reads 100 messages within each other: a Value takes two of them for an array, three for an object."""
    async with json_echo(tmp_path) as echo:
        assert (await echo.post(body)).content == body


async def test_digits_are_refused_at_once(tmp_path: Path) -> None:
    """A number of a million digits is refused before it is computed with."""
    async with json_echo(tmp_path) as echo:
        integers = {name: body for name, body in DIGITS.items() if "exponent" not in name}
        await refused_in_time(echo, integers, "too many digits")
        exponents = {name: body for name, body in DIGITS.items() if "exponent" in name}
        await refused_in_time(echo, exponents, "too large for a double")


async def test_a_long_fraction_costs_what_its_length_does(tmp_path: Path) -> None:
    """Ten times the digits after the point cost about ten times as much, not a hundred times."""
    async with json_echo(tmp_path) as echo:
        short_ms, long_ms = (echo.codec_ms(b"0." + b"1" * count) for count in (10**5, 10**6))
        answer = await echo.post(b"0." + b"1" * 10**6)
    assert answer.json() == pytest.approx(1 / 9)
    print(f"E1 fraction of 10^5 / 10^6 digits: codec {short_ms:.2f} / {long_ms:.2f} ms")
    assert long_ms < 30 * short_ms


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"a":1,"a":1}', "a"),
        (b'{"a":{"b":[0,{"c":1,"c":2}]}}', "a.b[1].c"),
        (b'[[[{"x":{"":1,"":2}}]]]', "[0][0][0].x."),
        (b'{"k":' * 90 + b'{"d":1,"d":2}' + b"}" * 90, ".k.d"),
        (b'{"\\u0061\\u0062":1,"ab":2}', "ab"),
    ],
)
async def test_duplicate_keys_are_refused_at_every_level(tmp_path: Path, body: bytes, place: str) -> None:
    """One key twice in one object is refused, and the answer says where."""
    async with json_echo(tmp_path) as echo:
        message = refusal(await echo.post(body))
        assert place in message
        assert "twice" in message
        assert echo.upstream.calls == []


def keys(count: int) -> bytes:
    return json.dumps({f"key-{number}": number for number in range(count)}).encode()


async def test_key_counts_cost_what_they_weigh(tmp_path: Path) -> None:
    """100,000 keys in one object come back, and cost about ten times what 10,000 do; a duplicate among them is found."""
    async with json_echo(tmp_path) as echo:
        few_ms, many_ms = echo.codec_ms(keys(10_000), tries=3), echo.codec_ms(keys(100_000), tries=2)
        assert (await echo.post(keys(100_000))).json()["key-99999"] == 99_999
        twice = keys(100_000)[:-1] + b',"key-5":0}'
        again_ms = echo.codec_ms(twice, tries=2)
        assert "key-5" in refusal(await echo.post(twice))
    print(
        f"E1 keys 10^4 / 10^5: codec {few_ms:.1f} / {many_ms:.1f} ms; with one duplicate refused in {again_ms:.1f} ms"
    )
    assert many_ms < 30 * few_ms
    assert again_ms < 3 * many_ms


async def test_many_small_values_cost_what_they_weigh(tmp_path: Path) -> None:
    """A body of nothing but empty arrays, the most values per byte, costs no more than in proportion."""
    async with json_echo(tmp_path) as echo:
        few_ms, many_ms = (echo.codec_ms(b"[" + b"[]," * count + b"0]", tries=3) for count in (5_000, 50_000))
    print(f"E1 5 000 / 50 000 empty arrays: codec {few_ms:.1f} / {many_ms:.1f} ms")
    assert many_ms < 30 * few_ms


async def test_surrogates_cost_what_they_weigh(tmp_path: Path) -> None:
    """100,000 escaped pairs are characters; one lone half at their end is found and refused."""
    pairs = b"\\ud83d\\ude00" * 100_000
    async with json_echo(tmp_path) as echo:
        assert len((await echo.post(b'"' + pairs + b'"')).json()) == 100_000
        assert f"offset {len(pairs) + 1}" in refusal(await echo.post(b'"' + pairs + b'\\ud83d"'))


async def test_an_answer_does_not_repeat_a_megabyte(tmp_path: Path) -> None:
    """A refusal that names a key names so much of it as a reader needs, in the answer and in the access log."""
    async with json_echo(tmp_path) as echo:
        for body in (b'{"%s":1e999}' % (b"k" * 10**6), b'{"%s":0,"%s":0}' % (b"k" * 10**6, b"k" * 10**6)):
            answer = await echo.post(body)
            refusal(answer)
            assert len(answer.content) < 4096, len(answer.content)


def test_keys_are_hashed_with_a_secret() -> None:
    """Colliding keys cannot be prepared: SipHash, seeded at random in each process."""
    assert sys.hash_info.algorithm.startswith("siphash")
    assert sys.flags.hash_randomization == 1
