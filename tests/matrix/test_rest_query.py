"""
List Q (query parameters) of transcoding.md through a whole gateway: what the service received for what stood in the URL.

Targets go over a raw socket, so that no client library decides what `+`, `;` or `%` mean.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.matrix.rest_site import LAB, Site, recorded
from tests.upstreams.bookstore import known


def sent(site: Site, query: str) -> Any:
    """The Specimen the service got for a query."""
    site.fresh()
    status, answer = site.raw_get(f"{LAB}?{query}")
    assert status == 200, answer
    return site.seen()


def refused(site: Site, query: str, field: str) -> None:
    """A query that never reaches the service; the answer blames `field`."""
    site.fresh()
    status, answer = site.raw_get(f"{LAB}?{query}")
    assert (status, answer["code"], site.recorder.calls) == (400, 3, []), (query, status, answer)
    assert answer["details"][1]["fieldViolations"][0]["field"] == field, answer


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [("string_value=a", "string_value", "a"), ("stringValue=a", "string_value", "a"), ("anotherName=a", "renamed", "a"),
     ("renamed=a", "renamed", "a"), ("oddName1x=a", "odd__name_1x", "a"), ("odd__name_1x=a", "odd__name_1x", "a")],
)  # fmt: skip
def test_q1_both_spellings(lab: Site, query: str, field: str, value: str) -> None:
    """Q1: the proto's name and the JSON name, the author's own JSON name too."""
    assert getattr(sent(lab, query), field) == value


def test_q1_dotted_names(lab: Site) -> None:
    """Q1: `a.b.c` makes the messages on the way, in either spelling."""
    got = sent(lab, "message_value.inner.inner.word=a&messageValue.number=4&specimen.messageValue.words=b")
    assert got.message_value.inner.inner.word == "a"
    assert got.message_value.number == 4
    assert list(got.specimen.message_value.words) == ["b"]


def test_q1_repeated_parameters_append(lab: Site) -> None:
    """Q1: in the order given, also under both spellings."""
    got = sent(lab, "strings=a&int64s=1&strings=b&int64s=-2&enums=COLOUR_RED&enums=2&bytes_values=YQ&bytesValues=Yg==")
    assert list(got.strings) == ["a", "b"]
    assert list(got.int64s) == [1, -2]
    assert list(got.enums) == [1, 2]
    assert list(got.bytes_values) == [b"a", b"b"]


def test_q1_repeated_parameters_append_to_the_body_s(lab: Site) -> None:
    """Q1: with `body: "message_value"` the query adds to the repeated field the body has begun."""
    target = f"{LAB}/x?message_value.words=c&int32Value=3"
    assert lab.ask("PUT", target, '{"words": ["a", "b"]}').status_code == 200
    assert list(lab.seen().message_value.words) == ["a", "b", "c"]
    assert lab.seen().int32_value == 3


@pytest.mark.parametrize(
    ("query", "value"),
    [("string_value=a+b", "a b"), ("string_value=a%20b", "a b"), ("string_value=a%2Bb", "a+b"), ("string_value=", ""),
     ("string_value=a=b", "a=b"), ("string_value=a;b", "a;b"), ("string_value=a?b/c:d@e", "a?b/c:d@e"), ("&&string_value=a&", "a"),
     ("string%5Fvalue=a", "a"), ("string_value=%E6%97%A5", "日"), ("string_value=%00", "\0"), ("string_value=%26%3D%23", "&=#")],
)  # fmt: skip
def test_q2_the_text_of_a_query(lab: Site, query: str, value: str) -> None:
    """Q2: plus and escapes, only `&` separates, empty pieces vanish, names are decoded as well."""
    assert sent(lab, query).string_value == value


def test_q2_presence(lab: Site) -> None:
    """Q2: `?x=` and `?x` are an empty value, which an optional field tells from none."""
    for query in ("optional_string=", "optional_string"):
        assert sent(lab, query).HasField("optional_string")
    assert not sent(lab, "").HasField("optional_string")


@pytest.mark.parametrize("query", ["string_value=%zz", "string_value=%", "string_value=%ff", "%c3%28=1"])
def test_q2_malformed_escapes_are_400(lab: Site, query: str) -> None:
    """Q2: they have no reading."""
    refused(lab, query, "query")


def test_q2_plus_stays_a_plus_by_choice(tmp_path: Path) -> None:
    """Q2, section 3: `query.plus_is_space: false`, as Envoy does."""
    with recorded(tmp_path, api={"query": {"plus_is_space": False}}) as site:
        assert sent(site, "string_value=a+b").string_value == "a+b"


@pytest.mark.parametrize(
    ("query", "field"),
    [("int32_value=1&int32_value=1", "int32_value"), ("int32_value=1&int32Value=2", "int32_value"),
     ("choice_string=a&choice_int64=1", "choice_int64"), ("choice_message.word=a&choice_string=b", "choice_string"),
     ("choice_string=b&choice_message.word=a", "choice_message"), ("messages.word=a", "messages"),
     ("map_string_message.word=a", "map_string_message"), ("message_value=a", "message_value"), ("messages=a", "messages"),
     ("any_value=a", "any_value"), ("string_value.x=a", "string_value"), ("timestamp.seconds=1", "timestamp")],
)  # fmt: skip
def test_q3_what_has_no_single_meaning_is_400(lab: Site, query: str, field: str) -> None:
    """Q3: a singular field twice, two members of a oneof, dotted names through lists, maps and scalars, messages as text."""
    refused(lab, query, field)


@pytest.mark.parametrize("name", ["no_such", "noSuch", "message_value.no_such", "STRING_VALUE", "string_value[0]"])
def test_q3_unknown_parameters_are_400(lab: Site, name: str) -> None:
    """Q3, section 3: a misspelt parameter must not silently mean nothing."""
    lab.fresh()
    status, answer = lab.raw_get(f"{LAB}?{name}=1")
    assert (status, lab.recorder.calls) == (400, [])
    assert name.partition("[")[0] in answer["message"]


def test_q3_unknown_parameters_ignored_by_choice(tmp_path: Path) -> None:
    """Q3: `query.unknown: ignore`."""
    with recorded(tmp_path, api={"query": {"unknown": "ignore"}}) as site:
        assert sent(site, "no_such=1&string_value=a").string_value == "a"
        assert site.recorder.last.values("edge-unknown-query") == []


def test_q3_unknown_parameters_captured_by_choice(tmp_path: Path) -> None:
    """Q3: `query.unknown: capture` hands them to the service as metadata, which no client can forge."""
    with recorded(tmp_path, api={"query": {"unknown": "capture"}}) as site:
        status, _ = site.raw_get(f"{LAB}?no_such=1&string_value=a&b%20c=d%26e", "edge-unknown-query: forged=1")
        assert status == 200
        assert site.recorder.last.values("edge-unknown-query") == ["no_such=1&b+c=d%26e"]


def test_q3_a_list_of_ignored_parameters(tmp_path: Path) -> None:
    """Q3: `query.ignore` names those that are always ignored, others stay 400."""
    with recorded(tmp_path, api={"query": {"ignore": ["utm_source", "_"]}}) as site:
        assert sent(site, "utm_source=x&_=123&string_value=a").string_value == "a"
        refused(site, "utm_medium=x", "utm_medium")


def test_q4_maps(lab: Site) -> None:
    """Q4: string, integer and bool keys, with odd characters in them."""
    entries = (
        "map_string_string[a]=1",
        "mapStringString[b.c%5D%20d]=2",
        "map_int32_string[-3]=x",
        "map_bool_int64[true]=7",
        "map_uint64_double[18446744073709551615]=0.5",
        "map_string_string[]=empty",
    )
    got = sent(lab, "&".join(entries))
    assert dict(got.map_string_string) == {"a": "1", "b.c] d": "2", "": "empty"}
    assert dict(got.map_int32_string) == {-3: "x"}
    assert dict(got.map_bool_int64) == {True: 7}
    assert dict(got.map_uint64_double) == {2**64 - 1: 0.5}


@pytest.mark.parametrize(
    ("query", "field"),
    [("map_string_string=a", "map_string_string"), ("map_int32_string[x]=a", "map_int32_string"),
     ("map_string_string[a]=1&map_string_string[a]=2", "map_string_string"), ("map_string_string[a=1", "map_string_string"),
     ("map_string_message[a]=1", "map_string_message"), ("map_bool_int64[maybe]=1", "map_bool_int64")],
)  # fmt: skip
def test_q4_maps_that_do_not_fit(lab: Site, query: str, field: str) -> None:
    """Q4: no key, a key of another type, the same key twice."""
    refused(lab, query, field)


def test_q4_json_in_a_parameter(lab: Site) -> None:
    """Q4: Struct, Value and ListValue as JSON text."""
    got = sent(lab, "struct_value=%7B%22a%22:[1,null]%7D&json_value=%22text%22&list_value=[1,2]")
    assert got.struct_value["a"][0] == 1
    assert got.json_value.string_value == "text"
    assert [v.number_value for v in got.list_value.values] == [1, 2]


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [("wrapped_string=bare", "wrapped_string", "bare"), ("wrapped_string=%22quoted%22", "wrapped_string", "quoted"),
     ("wrapped_int64=-5", "wrapped_int64", -5), ("wrapped_bool=false", "wrapped_bool", False),
     ("wrapped_double=NaN", "wrapped_double", None),
     ("wrapped_bytes=YQ", "wrapped_bytes", b"a"), ("wrapped_uint32=4294967295", "wrapped_uint32", 2**32 - 1)],
)  # fmt: skip
def test_q4_wrappers(lab: Site, query: str, field: str, value: object) -> None:
    """Q4: the wrapped value as text; a StringValue quoted or bare."""
    got = sent(lab, query)
    assert got.HasField(field)
    inner = getattr(got, field).value
    assert inner == value or (value is None and math.isnan(inner))


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [("int32_value=-2147483648", "int32_value", -(2**31)), ("int32_value=2147483647", "int32_value", 2**31 - 1),
     ("int64_value=-9223372036854775808", "int64_value", -(2**63)), ("int64_value=9223372036854775807", "int64_value", 2**63 - 1),
     ("uint32_value=4294967295", "uint32_value", 2**32 - 1), ("uint64_value=18446744073709551615", "uint64_value", 2**64 - 1),
     ("sint64_value=-1", "sint64_value", -1), ("fixed32_value=4294967295", "fixed32_value", 2**32 - 1),
     ("sfixed64_value=-9223372036854775808", "sfixed64_value", -(2**63)), ("double_value=Infinity", "double_value", math.inf),
     ("double_value=-Infinity", "double_value", -math.inf), ("float_value=3.4028235e38", "float_value", 3.4028234663852886e38),
     ("bool_value=true", "bool_value", True), ("enum_value=COLOUR_ULTRAVIOLET", "enum_value", -1),
     ("enum_value=2", "enum_value", 2),
     ("enum_value=COLOUR_VERDANT", "enum_value", 2)],
)  # fmt: skip
def test_q4_the_edges_of_scalars(lab: Site, query: str, field: str, value: object) -> None:
    """Q4: the greatest and least of each kind of integer, infinities, enums by name and number."""
    assert getattr(sent(lab, query), field) == value


def test_q4_nan(lab: Site) -> None:
    """Q4: not a number, which is one here."""
    assert math.isnan(sent(lab, "double_value=NaN").double_value)


@pytest.mark.parametrize(
    ("query", "field"),
    [("int32_value=2147483648", "int32_value"), ("uint32_value=-1", "uint32_value"),
     ("int64_value=9223372036854775808", "int64_value"),
     ("uint64_value=18446744073709551616", "uint64_value"), ("int32_value=", "int32_value"), ("int32_value=1x", "int32_value"),
     ("float_value=1e39", "float_value"), ("double_value=1e400", "double_value"), ("enum_value=COLOUR_PINK", "enum_value"),
     ("bool_value=1", "bool_value"), ("bool_value=TRUE", "bool_value"), ("bool_value=", "bool_value"),
     ("timestamp=null", "timestamp"), ("timestamp=0000-12-31T23:59:59Z", "timestamp"),
     ("timestamp=2026-02-30T00:00:00Z", "timestamp"),
     ("duration=1", "duration"), ("duration=315576000001s", "duration"), ("bytes_value=!", "bytes_value"),
     ("struct_value=a", "struct_value"), ("wrapped_int64=x", "wrapped_int64")],
)  # fmt: skip
def test_q4_what_does_not_fit_is_400_naming_the_field(lab: Site, query: str, field: str) -> None:
    """Q4: overflow, unknown enum values, times outside the calendar."""
    refused(lab, query, field)


def test_q4_lenient_bools_by_choice(tmp_path: Path) -> None:
    """Q4: `query.lenient_bools` accepts 1 and 0."""
    with recorded(tmp_path, api={"query": {"lenient_bools": True}}) as site:
        assert sent(site, "bool_value=1").bool_value is True
        assert sent(site, "optional_bool=0").HasField("optional_bool")


@pytest.mark.parametrize("name", ["string_value", "stringValue"])
def test_q5_the_path_beats_the_query(lab: Site, name: str) -> None:
    """Q5, section 3: a different value is 400 naming the field, the same one is fine."""
    lab.refused(lab.get(f"{LAB}/mine/1/COLOUR_RED?{name}=other"), 400, "string_value")
    assert lab.get(f"{LAB}/mine/1/COLOUR_RED?{name}=mine&enumValue=1").status_code == 200
    assert lab.seen().string_value == "mine"


def test_q5_a_nested_path_variable_beats_the_query(lab: Site) -> None:
    """Q5: for `{message_value.word}` too; beside it the query may fill the same message."""
    lab.refused(lab.get(f"{LAB}/a:deep?messageValue.word=b"), 400, "message_value.word")
    assert lab.get(f"{LAB}/a:deep?messageValue.number=3").status_code == 200
    assert (lab.seen().message_value.word, lab.seen().message_value.number) == ("a", 3)


def test_q5_beside_a_body_field_the_query_fills_other_fields_only(lab: Site) -> None:
    """Q5: with `body: "message_value"`, `message_value.number` is the body's alone."""
    lab.refused(lab.ask("PUT", f"{LAB}/x?message_value.number=3", '{"word": "a"}'), 400)
    assert lab.ask("PUT", f"{LAB}/x?boolValue=true", '{"word": "a"}').status_code == 200
    assert lab.seen().bool_value is True


def test_q5_beside_a_whole_body_every_parameter_is_unknown(lab: Site, tmp_path: Path) -> None:
    """Q5: body `*` leaves nothing for the query; the policy for unknown parameters decides."""
    lab.refused(lab.post(f"{LAB}?int32Value=3", {}), 400, "int32Value")
    with recorded(tmp_path, api={"query": {"unknown": "ignore"}}) as site:
        assert site.post(f"{LAB}?int32Value=3", {"stringValue": "a"}).status_code == 200
        assert site.seen() == known().Specimen(string_value="a")


@pytest.mark.parametrize(
    "alt", ["$alt=json;enum-encoding=int", "%24alt=json;enum-encoding=int", "%24alt=json%3Benum-encoding%3Dint"]
)
def test_q5_alt_with_enums_as_numbers(lab: Site, alt: str) -> None:
    """Q5, R1: what generated Google clients send with every call."""
    assert lab.get(f"{LAB}?enum_value=COLOUR_GREEN&{alt}").json() == {"enumValue": 2}
    assert lab.post(f"{LAB}?{alt}", {"enumValue": 1, "optionalEnum": "COLOUR_RED"}).json() == {
        "enumValue": 1,
        "optionalEnum": 1,
    }


def test_q5_alt_json_and_what_it_is_not(lab: Site) -> None:
    """Q5: `alt=json` changes nothing; a form we do not speak is 400."""
    assert lab.get(f"{LAB}?enum_value=2&alt=json").json() == {"enumValue": "COLOUR_GREEN"}
    lab.fresh().refused(lab.get(f"{LAB}?$alt=proto"), 400, "$alt")


def test_q5_pretty_print(lab: Site) -> None:
    """Q5, R1: `$prettyPrint` indents, and is on and off by value."""
    assert lab.get(f"{LAB}?string_value=a&$prettyPrint=true").text.startswith('{\n  "stringValue": "a"')
    assert lab.get(f"{LAB}?string_value=a&prettyPrint=false").text == '{"stringValue":"a"}'


def test_q5_fields(lab: Site) -> None:
    """Q5: `$fields` cuts the answer, not the request."""
    target = f"{LAB}?stringValue=a&boolValue=true&messageValue.word=w&messageValue.number=2&$fields=boolValue,messageValue(word)"
    assert lab.get(target).json() == {"boolValue": True, "messageValue": {"word": "w"}}
    assert lab.seen().string_value == "a"


@pytest.mark.parametrize(
    "parameter", ["key=AIza", "$key=AIza", "access_token=t", "oauth_token=t", "quotaUser=u", "callback=f", "$.xgafv=2"]
)
def test_q5_system_parameters_are_no_fields(lab: Site, parameter: str) -> None:
    """Q5: accepted, without effect, and not passed on."""
    assert sent(lab, f"{parameter}&string_value=a") == known().Specimen(string_value="a")
    assert "AIza" not in json.dumps([str(entry) for entry in lab.recorder.last.metadata])


def test_q5_a_field_goes_before_a_system_parameter_of_its_name(tmp_path: Path) -> None:
    """Q5: `fields`, `key` and the rest give way to a field of the method's own; `OrderBy`-like names stay what they are."""
    source = tmp_path / "own.proto"
    source.write_text(
        'syntax = "proto3";\npackage own;\nimport "google/api/annotations.proto";\nmessage Ask { string key = 1; string alt = 2; }\n'
        'service Own { rpc Do(Ask) returns (Ask) { option (google.api.http) = {get: "/do"}; } }\n'
    )
    api = {"descriptors": None, "protos": {"roots": [str(tmp_path)], "files": ["own.proto"]}}
    with recorded(tmp_path, api=api) as site:
        assert site.get("/do?key=k&alt=a").json() == {"key": "k", "alt": "a"}


def test_q5_system_parameters_off_by_choice(tmp_path: Path) -> None:
    """Q5: `query.system_parameters: false` makes them parameters like any other."""
    with recorded(tmp_path, api={"query": {"system_parameters": False}}) as site:
        refused(site, "$alt=json", "$alt")
        refused(site, "key=a", "key")


def test_enum_short_names_in_a_query(shop: Site) -> None:
    """C, JSON options: `view=FULL` means `BOOK_VIEW_FULL` whatever the API prints."""
    answer = shop.get("/v1/shelves/1/books/2?view=FULL")
    assert answer.status_code == 200, answer.text
    assert answer.json()["chapters"]


def test_the_real_search(shop: Site) -> None:
    """Q1-Q4 against the real service: nested filters, a map, an optional bool, a wrapper and a timestamp."""
    params: list[tuple[str, str | int | float | bool | None]] = [
        ("query", "ocean"),
        ("filter.genres", "GENRE_SCIENCE_FICTION"),
        ("filter.tags", "contact"),
        ("filter.labels[edition]", "2nd"),
        ("filter.price.min", "5"),
        ("filter.author.name", "authors/stanislaw-lem"),
        ("filter.in_stock", "true"),
        ("filter.minPages", "100"),
        ("filter.created_after", "2026-01-01T00:00:00Z"),
        ("orderBy", "title desc"),
    ]
    answer = shop.http.get("/v1/books:search", params=httpx.QueryParams(params))
    assert [hit["book"]["title"] for hit in answer.json()["hits"]] == ["Solaris"]
