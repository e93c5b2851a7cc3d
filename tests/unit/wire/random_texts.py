"""
Random JSON texts, queries and wire bytes that more or less fit a message type, for the comparison of codecs.

Everything takes a `random.Random`, so that one number makes one example again.
"""

from __future__ import annotations

import json
import struct
from random import Random
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor import FieldDescriptor as F

from edge.wire.portable.schema import map_entry

_ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    2,
    7,
    2**31,
    -(2**31) - 1,
    2**63,
    2**64,
    10**25,
    1.5,
    -0.0,
    1e2,
    1e-7,
    1e39,
    1e300,
    0.1,
    3.4028235e38,
    "",
    "1",
    "-1",
    "1.0",
    "1e2",
    "007",
    " 1",
    "NaN",
    "Infinity",
    "-Infinity",
    "true",
    "YQ==",
    "-_8",
    "YQ",
    "é\u2028😀",
    "KIND0_ONE",
    "ONE",
    "NONE",
    "FULL",
    "7",
    'a\n\t"\\/\u0001',
    [],
    {},
    [None],
    [[]],
    {"a": 1},
    "2020-01-01T00:00:00.5Z",
    "1.5s",
    "-1s",
    "a,fooBar",
    "a_b",
]
_TEXTS = ["", "a", "x y", "é", "😀", "\x00", '"', "\\", "long " * 30, "1", "/", "\u2028"]


def value(random: Random, descriptor: Descriptor, depth: int = 0) -> Any:
    """A JSON value for a message, most of it fitting."""
    name = descriptor.full_name
    if name.startswith("google.protobuf."):
        return special(random, descriptor, depth)
    result: dict[str, Any] = {}
    fields = list(descriptor.fields)
    for field in random.sample(fields, random.randint(0, min(len(fields), 4 if depth < 4 else 1))):
        key = field.json_name if random.random() < 0.7 else field.name
        result[key] = field_value(random, field, depth)
        if random.random() < 0.03:
            result[field.name] = field_value(random, field, depth)
    if random.random() < 0.04:
        result[random.choice(["nope", "@type", "", "value", "k" * 120])] = odd(random)
    return result


def odd(random: Random) -> Any:
    return random.choice(_ODD)


def field_value(random: Random, field: F, depth: int) -> Any:
    if random.random() < 0.06:
        return odd(random)
    entry = map_entry(field)
    if entry is not None:
        key, inner = entry.fields_by_name["key"], entry.fields_by_name["value"]
        return {map_key(random, key): single(random, inner, depth + 1) for _ in range(random.choice([0, 1, 2, 3]))}
    if field.is_repeated:
        return [single(random, field, depth + 1) for _ in range(random.choice([0, 1, 1, 2, 3]))]
    return single(random, field, depth)


def map_key(random: Random, key: F) -> str:
    if key.type == F.TYPE_BOOL:
        return random.choice(["true", "false", "true", "1", "x"])
    if key.type == F.TYPE_STRING:
        return random.choice(_TEXTS)
    return random.choice(["1", "01", "2", "10", "9", "-1", "3", "1.0", "4294967295", "x", "2e0"])


def single(random: Random, field: F, depth: int) -> Any:
    if random.random() < 0.03:
        return odd(random)
    if field.message_type:
        return value(random, field.message_type, depth + 1) if depth < 6 else {}
    if field.enum_type:
        names = [v.name for v in field.enum_type.values]
        return random.choice([*names, *[v.number for v in field.enum_type.values], 0, 99, "ONE", "FULL"])
    kind = field.type
    if kind == F.TYPE_BOOL:
        return random.random() < 0.5
    if kind == F.TYPE_STRING:
        return random.choice(_TEXTS)
    if kind == F.TYPE_BYTES:
        return random.choice(["", "AQ==", "YWJj", "-_8", "+/8", "YQ"])
    if kind in (F.TYPE_DOUBLE, F.TYPE_FLOAT):
        return random.choice([0, 1, -0.0, 0.1, 1e20, random.uniform(-1e6, 1e6), "NaN", "1.5", 3, 1e-40, 5e-324])
    small = random.choice([0, 1, 5, 127, 128, 2**31 - 1, 300])
    return random.choice([small, small, str(small), -small, float(small), 2**32 - 1, str(2**63 - 1)])


def special(random: Random, descriptor: Descriptor, depth: int) -> Any:
    """The JSON of a well-known type."""
    name = descriptor.full_name.removeprefix("google.protobuf.")
    if name.endswith("Value") and name not in ("Value", "ListValue"):
        return single(random, descriptor.fields_by_name["value"], depth)
    match name:
        case "Timestamp":
            return random.choice(
                [
                    "1970-01-01T00:00:00Z",
                    "2020-02-29T23:59:59.123456789+05:30",
                    "0001-01-01T00:00:00Z",
                    "2021-02-29T00:00:00Z",
                ]
            )
        case "Duration":
            return random.choice(
                ["0s", "1.5s", "-0.000001s", "315576000000s", "-315576000000.999999999s", "315576000001s", "1.s"]
            )
        case "FieldMask":
            return random.choice(["", "a", "a.b,fooBar", "foo_bar", "a,,b", "A"])
        case "Struct":
            return {random.choice(_TEXTS): json_value(random, depth) for _ in range(random.choice([0, 1, 2, 3]))}
        case "ListValue":
            return [json_value(random, depth) for _ in range(random.choice([0, 1, 2]))]
        case "Value":
            return json_value(random, depth)
        case "Any":
            return any_value(random, descriptor, depth)
    return {} if random.random() < 0.9 else {"value": {}}


def json_value(random: Random, depth: int) -> Any:
    roll = random.random()
    if roll < 0.2 and depth < 7:
        return [json_value(random, depth + 1) for _ in range(random.choice([0, 1, 2]))]
    if roll < 0.4 and depth < 7:
        return {random.choice(_TEXTS): json_value(random, depth + 1) for _ in range(random.choice([0, 1, 2]))}
    return odd(random)


def any_value(random: Random, descriptor: Descriptor, depth: int) -> Any:
    pool = descriptor.file.pool
    if depth > 5 or random.random() < 0.05:
        return random.choice([{}, {"@type": "x/nope"}, {"@type": 5}, {"a": 1}, {"@type": ""}])
    names = [
        "r.M0",
        "r.M0",
        "google.protobuf.Timestamp",
        "google.protobuf.Any",
        "google.protobuf.Empty",
        "google.protobuf.Value",
        "google.protobuf.Int64Value",
        "r.Nope",
    ]
    name = random.choice(names)
    try:
        inner = pool.FindMessageTypeByName(name)
    except KeyError:
        return {"@type": f"x/{name}"}
    content = value(random, inner, depth + 1)
    if name.startswith("google") and not name.endswith("Empty"):
        content = {"value": content}
    elif not isinstance(content, dict):
        content = {}
    if random.random() < 0.04:
        content = {**content, "extra": 1}
    url = {"@type": f"type.googleapis.com/{name}"}
    return {**url, **content} if random.random() < 0.6 else {**content, **url}


def text(random: Random, json_: Any) -> bytes:
    """The value as a text: white space, escapes, perhaps a duplicate key, perhaps broken."""
    written = json.dumps(json_, ensure_ascii=random.random() < 0.4, indent=random.choice([None, None, None, 1]))
    if random.random() < 0.03:
        written = written.replace("{", '{"dup":1,"dup":2,', 1)
    body = written.encode("utf-8", "surrogatepass")
    return mutated(random, body) if random.random() < 0.25 else body


_PIECES = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b'"',
    b"0",
    b"\\",
    b"\\u00",
    b"\\ud800",
    b"null",
    b"NaN",
    b"1e5",
    b"\xff",
    b" ",
    b"\xc3\xa9",
    b"-",
    b"{}",
    b'"a":1,',
    b"tru",
]


def mutated(random: Random, body: bytes) -> bytes:
    """A few bytes removed, doubled or replaced."""
    for _ in range(random.choice([1, 1, 2])):
        at = random.randrange(len(body) + 1)
        roll = random.random()
        if roll < 0.3:
            body = body[:at] + body[at + random.choice([1, 1, 3]) :]
        elif roll < 0.7:
            body = body[:at] + random.choice(_PIECES) + body[at:]
        elif roll < 0.85:
            body = body[:at]
        else:
            body = body[:at] + random.choice(_PIECES) + body[at + 1 :]
    return body


def query(random: Random, descriptor: Descriptor) -> str:
    """A query string that names some fields."""
    from urllib.parse import quote

    pairs = []
    for _ in range(random.choice([0, 0, 1, 2, 3, 4])):
        if random.random() < 0.15:
            pairs.append(
                random.choice(
                    [
                        "nope=1",
                        "$alt=json;enum-encoding=int",
                        "$prettyPrint=true",
                        "utm=1",
                        "a=%",
                        "key=k",
                        "=",
                        "b_c",
                        "$fields=a",
                        "$fields=*",
                        "x=%C3%A9+%2B",
                    ]
                )
            )
            continue
        names, at = [], descriptor
        while True:
            field = random.choice(list(at.fields)) if at.fields else None
            if field is None:
                break
            names.append(random.choice([field.name, field.json_name]))
            if field.message_type is None or map_entry(field) is not None or random.random() < 0.3 or len(names) > 3:
                break
            at = field.message_type
        if not names:
            continue
        entry = map_entry(field) if field else None
        name = ".".join(names)
        if field is not None and entry is not None and random.random() < 0.9:
            name += f"[{map_key(random, entry.fields_by_name['key'])}]"
            field = entry.fields_by_name["value"]
        said: Any = "" if field is None else single(random, field, 5)
        if isinstance(said, dict | list | bool) or said is None or random.random() < 0.2:
            said = json.dumps(said)
        pairs.append(f"{quote(name)}={quote(str(said))}")
    return "&".join(pairs)


def captures(random: Random, descriptor: Descriptor, names: list[str]) -> list[str]:
    """Path texts for variables."""
    found = []
    for name in names:
        at: Any = descriptor
        field: Any = None
        for part in name.split("."):
            field = at.fields_by_name.get(part) if at is not None else None
            at = field.message_type if field is not None else None
        said = odd(random) if field is None else single(random, field, 5)
        found.append(said if isinstance(said, str) else json.dumps(said))
    return found


# Wire bytes.


def varint(random: Random, number: int) -> bytes:
    number &= 2**64 - 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    if random.random() < 0.02 and len(out) < 9:
        out[-1] |= 0x80
        out += b"\x80" * random.choice([0, 1, 3]) + b"\0"
    return bytes(out)


def delimited(random: Random, content: bytes) -> bytes:
    return varint(random, len(content)) + content


_VARINTS = [0, 1, 2, 7, 99, 127, 128, 300, 2**31 - 1, 2**31, 2**32 - 1, 2**32 + 1, 2**63, -1, -5, 2**64 - 1]
_WIRE = {
    F.TYPE_DOUBLE: 1,
    F.TYPE_FIXED64: 1,
    F.TYPE_SFIXED64: 1,
    F.TYPE_FLOAT: 5,
    F.TYPE_FIXED32: 5,
    F.TYPE_SFIXED32: 5,
    F.TYPE_STRING: 2,
    F.TYPE_BYTES: 2,
    F.TYPE_MESSAGE: 2,
    F.TYPE_GROUP: 3,
}


def message(random: Random, descriptor: Descriptor, depth: int = 0) -> bytes:
    """The bytes of a message: in any order, with fields twice, unknown and of other wire types, as a decoder must take them."""
    out = b""
    fields = list(descriptor.fields)
    if descriptor.is_extendable:
        fields += descriptor.file.pool.FindAllExtensions(descriptor)
    count = random.choice([0, 1, 2, 3, 4, 6]) if depth < 5 else random.choice([0, 1])
    chosen = [random.choice(fields) for _ in range(count)] if fields else []
    if random.random() < 0.6:
        chosen = sorted(set(chosen), key=lambda f: f.number)
    for field in chosen:
        out += wire_field(random, field, depth)
        if field.is_repeated and random.random() < 0.5:
            out += wire_field(random, field, depth)
    if random.random() < 0.05:
        out += random.choice(
            [
                b"\xc2\x3e\x03abc",
                b"\xe8\x3f\x05",
                b"\xcb\x3e\xcc\x3e",
                b"\xcb\x3e\x08\x01\xcc\x3e",
                b"\xcb\x3e",
                b"\xcd\x3e\0\0\0\0",
                b"\xcb\x3e\xd3\x3e\xd4\x3e\xcc\x3e",
            ]
        )
    return out


def wire_field(random: Random, field: F, depth: int) -> bytes:
    kind = _WIRE.get(field.type, 0)
    if random.random() < 0.02:
        kind = random.choice([0, 1, 2, 5, 3])
        return varint(random, field.number << 3 | kind) + raw(random, kind, field.number)
    if field.is_repeated and kind in (0, 1, 5) and random.random() < 0.6:
        values = b"".join(scalar(random, field, kind) for _ in range(random.choice([0, 1, 2, 3])))
        return varint(random, field.number << 3 | 2) + delimited(random, values)
    return varint(random, field.number << 3 | kind) + scalar(random, field, kind, depth)


def raw(random: Random, kind: int, number: int) -> bytes:
    return {
        0: varint(random, random.choice(_VARINTS)),
        1: random.randbytes(8),
        2: delimited(random, random.choice([b"", b"a", b"\x08\x01", b"\xff"])),
        5: random.randbytes(4),
        3: varint(random, number << 3 | 4),
    }[kind]


def scalar(random: Random, field: F, kind: int, depth: int = 9) -> bytes:
    if field.message_type:
        content = special_message(random, field.message_type, depth + 1)
        if random.random() < 0.01:
            content = broken(random, content)
        return delimited(random, content)
    if field.type == F.TYPE_DOUBLE:
        return struct.pack(
            "<d",
            random.choice(
                [
                    0.0,
                    -0.0,
                    1.5,
                    1e300,
                    float("nan"),
                    float("inf"),
                    random.uniform(-1e9, 1e9),
                    3.0,
                    2.0**53,
                    1e16,
                    5e-324,
                ]
            ),
        )
    if field.type == F.TYPE_FLOAT:
        return random.choice(
            [
                random.randbytes(4),
                struct.pack("<f", random.choice([0.0, -0.0, 0.1, 3.0, 1e10, 16777216.0, 123456.78, float("-inf")])),
            ]
        )
    if kind == 5:
        return random.choice([b"\0\0\0\0", random.randbytes(4), b"\x01\0\0\0"])
    if kind == 1:
        return random.choice([b"\0" * 8, random.randbytes(8)])
    if field.type == F.TYPE_STRING:
        return delimited(random, random.choice([t.encode() for t in _TEXTS] * 3 + [b"\xff", b"\xed\xa0\x80"]))
    if field.type == F.TYPE_BYTES:
        return delimited(random, random.choice([b"", b"\xff\x00", b"abc", b"a"]))
    if field.enum_type:
        return varint(random, random.choice([v.number for v in field.enum_type.values] * 2 + [0, 99, 2**32 + 1]))
    return varint(random, random.choice(_VARINTS))


def special_message(random: Random, descriptor: Descriptor, depth: int) -> bytes:
    name = descriptor.full_name
    if name == "google.protobuf.Timestamp" and random.random() < 0.9:
        return (
            b"\x08"
            + varint(random, random.choice([0, 1, -62135596800, 253402300799, 253402300800, -1]))
            + b"\x10"
            + varint(random, random.choice([0, 1, 999999999, 500000000, 1000, -1, 10**9]))
        )
    if name == "google.protobuf.Duration" and random.random() < 0.9:
        sign = random.choice([1, -1])
        return (
            b"\x08"
            + varint(random, sign * random.choice([0, 1, 315576000000, 315576000001]))
            + b"\x10"
            + varint(random, sign * random.choice([0, 1, 10**6, 999999999]) * random.choice([1, 1, 1, -1]))
        )
    if name == "google.protobuf.FieldMask" and random.random() < 0.9:
        return b"".join(
            b"\x0a"
            + delimited(random, random.choice([b"a", b"foo_bar", b"a.b", b"", b"fooBar", b"a__b", b"a,b", b"x_1"]))
            for _ in range(random.choice([0, 1, 2]))
        )
    if name == "google.protobuf.Any" and random.random() < 0.95:
        inner = random.choice(
            [
                "r.M0",
                "google.protobuf.Timestamp",
                "google.protobuf.Any",
                "google.protobuf.Struct",
                "google.protobuf.Empty",
                "r.Nope",
            ]
        )
        try:
            content = (
                special_message(random, descriptor.file.pool.FindMessageTypeByName(inner), depth + 1)
                if depth < 7
                else b""
            )
        except KeyError:
            content = b"\x08\x01"
        if random.random() < 0.08:
            content = broken(random, content)
        url = random.choice([b"x/", b"x/", b"type.googleapis.com/", b""]) + inner.encode()
        return b"\x0a" + delimited(random, url) + b"\x12" + delimited(random, content)
    return message(random, descriptor, depth)


def broken(random: Random, body: bytes) -> bytes:
    """Some bytes changed, cut or added."""
    for _ in range(random.choice([1, 1, 2])):
        at = random.randrange(len(body) + 1)
        roll = random.random()
        if roll < 0.3:
            body = body[:at]
        elif roll < 0.6:
            body = body[:at] + random.randbytes(random.choice([1, 2])) + body[at:]
        elif roll < 0.8:
            body = body[:at] + body[at + 1 :]
        elif body:
            at = min(at, len(body) - 1)
            body = body[:at] + bytes([body[at] ^ 1 << random.randrange(8)]) + body[at + 1 :]
    return body
