"""
Generated REST requests to the laboratory's EchoSpecimen, from a seed: the same few hundred every run.

Values stay where the proto3 JSON mapping and google.api.http leave no choice; what peers disagree on (transcoding.md section 3) is
asserted case by case beside the comparison, not generated.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

BASE = "/v1/lab/specimen"
_WORDS = ("", "a", "red shelf", "x/y", "ä ö", "100%", "日本", "a+b", 'quo"te', "back\\slash", "a&b=c", "new\nline")
_COLOURS = ("COLOUR_UNSPECIFIED", "COLOUR_RED", "COLOUR_GREEN", "COLOUR_ULTRAVIOLET")


@dataclass(frozen=True)
class RestRequest:
    """One HTTP request; `body` is JSON or None."""

    method: str
    target: str
    body: bytes | None = None


def generated(count: int, seed: int = 20) -> list[RestRequest]:
    """`count` requests over all the shapes below."""
    rand = random.Random(seed)
    shapes = (_by_query, _by_path, _whole_body, _field_body, _list_body, _scalar_body, _map_body, _verb)
    return [shapes[number % len(shapes)](rand) for number in range(count)]


def _scalars(rand: random.Random) -> dict[str, Callable[[], Any]]:
    return {
        "doubleValue": lambda: rand.choice((0.5, -1.25, 1e100, 3.0, 0.0)),
        "floatValue": lambda: rand.choice((0.5, -2.0, 1024.0)),
        "int32Value": lambda: rand.choice((0, 1, -1, 2**31 - 1, -(2**31))),
        "int64Value": lambda: str(rand.choice((0, 1, -1, 2**63 - 1, -(2**63)))),
        "uint32Value": lambda: rand.choice((0, 7, 2**32 - 1)),
        "uint64Value": lambda: str(rand.choice((0, 7, 2**64 - 1))),
        "sint32Value": lambda: rand.randint(-(2**31), 2**31 - 1),
        "sint64Value": lambda: str(rand.randint(-(2**63), 2**63 - 1)),
        "fixed32Value": lambda: rand.randint(0, 2**32 - 1),
        "fixed64Value": lambda: str(rand.randint(0, 2**64 - 1)),
        "boolValue": lambda: rand.choice((True, False)),
        "stringValue": lambda: rand.choice(_WORDS),
        "bytesValue": lambda: base64.b64encode(rand.randbytes(rand.randint(0, 9))).decode(),
        "enumValue": lambda: rand.choice(_COLOURS),
        "optionalInt32": lambda: rand.choice((0, 5)),
        "optionalString": lambda: rand.choice(_WORDS),
        "anotherName": lambda: rand.choice(_WORDS),
        "timestamp": lambda: rand.choice(
            ("2026-01-02T03:04:05Z", "1969-12-31T23:59:59.500Z", "2026-01-02T03:04:05.000000001Z")
        ),
        "duration": lambda: rand.choice(("1s", "0.500s", "-3.000000001s")),
        "wrappedInt64": lambda: str(rand.randint(-99, 99)),
        "wrappedString": lambda: rand.choice(_WORDS),
        "wrappedBool": lambda: rand.choice((True, False)),
        "wrappedDouble": lambda: rand.choice((0.0, 2.5)),
    }


def specimen(rand: random.Random) -> dict[str, Any]:
    """A Specimen as JSON, with a handful of its fields."""
    scalars = _scalars(rand)
    value = {name: scalars[name]() for name in rand.sample(sorted(scalars), rand.randint(0, 6))}
    extras: dict[str, Callable[[], Any]] = {
        "strings": lambda: rand.choices(_WORDS, k=rand.randint(0, 3)),
        "int64s": lambda: [str(n) for n in (1, -2, 2**40)],
        "enums": lambda: rand.choices(_COLOURS, k=2),
        "messageValue": lambda: _inner(rand, 2),
        "messages": lambda: [_inner(rand, 1) for _ in range(rand.randint(0, 2))],
        "mapStringString": lambda: {rand.choice(_WORDS): "v", "k": rand.choice(_WORDS)},
        "mapInt32String": lambda: {"-3": "a", "4": "b"},
        "mapStringMessage": lambda: {"one": _inner(rand, 1)},
        "structValue": lambda: {"a": [1.5, None, True, {"b": "c"}]},
        "jsonValue": lambda: rand.choice(("text", 2.5, True, [1.0], {"x": None})),
        "listValue": lambda: [1.0, "two", [], {}],
        "choiceString": lambda: rand.choice(_WORDS),
        "fieldMask": lambda: "a,b.cD",
        "emptyValue": dict,
    }
    value.update({name: extras[name]() for name in rand.sample(sorted(extras), rand.randint(0, 4))})
    return value


def _inner(rand: random.Random, depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {
        "word": rand.choice(_WORDS),
        "number": rand.randint(-5, 5),
        "words": rand.choices(_WORDS, k=2),
    }
    if depth and rand.random() < 0.5:
        value["inner"] = _inner(rand, depth - 1)
    return value


def _query(rand: random.Random, names: list[str]) -> str:
    scalars = _scalars(rand)
    pairs = [(name, _text(scalars[name]())) for name in names]
    if rand.random() < 0.5:
        pairs += [("strings", word) for word in rand.choices(_WORDS, k=2)]
    if rand.random() < 0.5:
        pairs += [("messageValue.word", rand.choice(_WORDS)), ("message_value.inner.number", "4")]
    return urlencode(pairs, quote_via=quote)


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool | int | float) else str(value)


def _by_query(rand: random.Random) -> RestRequest:
    names = rand.sample(sorted(_scalars(rand)), rand.randint(0, 5))
    return RestRequest("GET", f"{BASE}?{_query(rand, names)}")


def _by_path(rand: random.Random) -> RestRequest:
    word = quote(rand.choice([w for w in _WORDS if w]), safe="")
    query = _query(rand, rand.sample(["boolValue", "doubleValue", "uint32Value"], 2))
    return RestRequest("GET", f"{BASE}/{word}/{rand.randint(-9, 9)}/{rand.choice(_COLOURS)}?{query}")


def _whole_body(rand: random.Random) -> RestRequest:
    return RestRequest("POST", BASE, json.dumps(specimen(rand)).encode())


def _field_body(rand: random.Random) -> RestRequest:
    word = quote(rand.choice([w for w in _WORDS if w]), safe="")
    query = urlencode({"int32Value": rand.randint(-9, 9)})
    return RestRequest("PUT", f"{BASE}/{word}?{query}", json.dumps(_inner(rand, 3)).encode())


def _list_body(rand: random.Random) -> RestRequest:
    verb, value = rand.choice(
        ((":strings", rand.choices(_WORDS, k=rand.randint(1, 3))), (":messages", [_inner(rand, 1) for _ in range(2)]))
    )
    return RestRequest("POST", BASE + verb, json.dumps(value).encode())


def _scalar_body(rand: random.Random) -> RestRequest:
    scalars = _scalars(rand)
    verb, name = rand.choice(
        ((":int64", "int64Value"), (":enum", "enumValue"), (":string", "stringValue"), (":timestamp", "timestamp"))
    )
    return RestRequest("POST", BASE + verb, json.dumps(scalars[name]()).encode())


def _map_body(rand: random.Random) -> RestRequest:
    return RestRequest("POST", f"{BASE}:map", json.dumps({"a": rand.choice(_WORDS), rand.choice(_WORDS): "b"}).encode())


def _verb(rand: random.Random) -> RestRequest:
    return RestRequest("GET", f"{BASE}/{quote(rand.choice([w for w in _WORDS if w]), safe='')}:deep")
