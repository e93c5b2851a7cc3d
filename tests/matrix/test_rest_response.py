"""
List R (responses, all but streams) of transcoding.md through a whole gateway: what the client reads for what the service answered.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import brotli
import pytest
import zstandard
from google.api.httpbody_pb2 import HttpBody

from tests.matrix.rest_site import ECHO_SPECIMEN, LAB, Site, recorded, shaped
from tests.upstreams.bookstore import known
from tests.upstreams.recorder import Reply

Specimen = known().Specimen


def answered(site: Site, reply: Reply, target: str = LAB, **headers: str) -> Any:
    """The client's answer when the service gives this reply."""
    site.fresh().recorder.default = reply
    return site.get(target, **headers)


def test_r1_64_bit_integers_are_strings(lab: Site) -> None:
    """R1: the proto3 JSON mapping; defaults are omitted."""
    value = Specimen(int64_value=-(2**63), uint64_value=2**64 - 1, int32_value=7, int64s=[0], fixed64_value=1)
    assert answered(lab, Reply(value.SerializeToString())).json() == {
        "int64Value": "-9223372036854775808",
        "uint64Value": "18446744073709551615",
        "int32Value": 7,
        "int64s": ["0"],
        "fixed64Value": "1",
    }


def test_r1_enums_floats_and_bytes(lab: Site) -> None:
    """R1: enum names, unknown ones as numbers; NaN and infinities as text; standard base64 with padding."""
    value = Specimen(
        enum_value=2,
        enums=[1, 99],
        double_value=float("inf"),
        doubles=[float("nan")],
        float_value=0.1,
        bytes_value=b"\xff\xef",
    )
    assert answered(lab, Reply(value.SerializeToString())).json() == {
        "enumValue": "COLOUR_GREEN",
        "enums": ["COLOUR_RED", 99],
        "doubleValue": "Infinity",
        "doubles": ["NaN"],
        "floatValue": 0.1,
        "bytesValue": "/+8=",
    }


def test_r1_names_are_the_json_names(lab: Site) -> None:
    """R1: also the author's own."""
    value = Specimen(renamed="a", odd__name_1x="b", optional_string="")
    assert set(answered(lab, Reply(value.SerializeToString())).json()) == {"anotherName", "oddName1x", "optionalString"}


def test_r1_absent_from_default(lab: Site) -> None:
    """R1: a set optional field with its default value, an empty wrapper and a oneof member are printed."""
    value = Specimen(optional_int32=0, choice_int64=0)
    value.wrapped_bool.SetInParent()
    assert answered(lab, Reply(value.SerializeToString())).json() == {
        "optionalInt32": 0,
        "choiceInt64": "0",
        "wrappedBool": False,
    }


@pytest.mark.parametrize(
    ("verb", "empty"),
    [
        ("strings", []),
        ("messages", []),
        ("map", {}),
        ("int64", "0"),
        ("enum", "COLOUR_UNSPECIFIED"),
        ("string", ""),
        ("timestamp", None),
    ],
)
def test_r2_r3_an_empty_response_body_field(lab: Site, verb: str, empty: Any) -> None:
    """R2, R3: an empty list is `[]`, never `{}`; scalars print their default; what is absent is null."""
    lab.recorder.default = Reply()
    assert lab.ask("POST", f"{LAB}:{verb}", b"").json() == empty


def test_r2_empty_is_an_empty_object(lab: Site) -> None:
    """R2: google.protobuf.Empty."""
    lab.recorder.default = Reply()
    answer = lab.ask("DELETE", "/v1/shelves/1")
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"{}", "application/json")


def test_r2_empty_lists_inside_messages_by_choice(shop: Site) -> None:
    """R2 against the real service: a page without books leaves the list out; printing defaults shows `[]` (test_rest_options)."""
    assert shop.get("/v1/books:search?query=nosuchword").json() == {}


def test_r3_response_body_of_an_imported_message_list(shop: Site) -> None:
    """R3 against the real service: `response_body: "reviews"`, a list of messages; `count`, a scalar."""
    reviews = shop.get("/v1/shelves/1/books/2/reviews:plain").json()
    assert [review["reviewer"] for review in reviews] == ["Rheya", "Snow"]
    assert shop.get("/v1/shelves/1/books/1/reviews:plain").json() == []
    assert shop.get("/v1/shelves/2/books:count").json() == "1"


def test_r4_an_httpbody_goes_out_as_it_is(lab: Site) -> None:
    """R4: its own Content-Type and bytes, a Content-Length, no JSON."""
    for content_type, data in (("text/csv; charset=utf-8", b"a,b\r\n"), ("", b"\0\1"), ("image/png", b"")):
        answer = answered(lab, Reply(HttpBody(content_type=content_type, data=data).SerializeToString()), "/v1/files/x")
        assert answer.content == data
        assert answer.headers["content-type"] == (content_type or "application/octet-stream")
        assert answer.headers["content-length"] == str(len(data))


def test_r4_no_content_type_can_split_the_answer(lab: Site) -> None:
    """R4, H5: CR and LF in the service's content type do not make header fields."""
    reply = Reply(HttpBody(content_type="text/plain\r\nx-evil: 1\r\n\r\nbody", data=b"ok").SerializeToString())
    lab.recorder.default = reply
    answer = lab.raw(b"GET /v1/files/x HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n")
    assert b"\nx-evil" not in answer.lower()
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"UPSTREAM_MALFORMED" in answer


def test_r4_a_large_httpbody_in_many_frames(tmp_path: Any) -> None:
    """R4: 8 MiB arrive in many DATA frames and leave whole."""
    data = bytes(range(256)) * 32768
    with recorded(tmp_path, api={"max_response_bytes": "9MiB"}) as site:
        reply = Reply(HttpBody(content_type="x/y", data=data).SerializeToString())
        assert answered(site, reply, "/v1/files/x").content == data


def test_r5_fields_of_a_newer_service_are_dropped(lab: Site) -> None:
    """R5: unknown fields at any depth cost nothing, never a 500."""
    newer = b"\xc2\x3e\x03new" + b"\xc8\x3e\x05" + b"\x72\x01a" + b"\x8a\x01\x06\x0a\x01w\xf8\x07\x01"
    answer = answered(lab, Reply(newer))
    assert (answer.status_code, answer.json()) == (200, {"stringValue": "a", "messageValue": {"word": "w"}})


def test_r5_what_is_no_message_is_500(lab: Site) -> None:
    """R5, E4: bytes that cannot be decoded."""
    assert shaped(answered(lab, Reply(b"\x0a\xff")), 500)["details"][0]["reason"] == "UPSTREAM_MALFORMED"


def test_r5_an_any_of_unknown_type_is_no_crash(lab: Site) -> None:
    """R5: its bytes stay, as base64; the rest of the answer is not lost for it."""
    value = Specimen(string_value="a")
    value.any_value.type_url = "type.googleapis.com/elsewhere.v1.Mystery"
    value.any_value.value = b"\x08\x01"
    assert answered(lab, Reply(value.SerializeToString())).json() == {
        "stringValue": "a",
        "anyValue": {"@type": "type.googleapis.com/elsewhere.v1.Mystery", "value": "CAE="},
    }


def test_r6_etag_and_304(lab: Site) -> None:
    """R6: If-None-Match with the service's ETag gives 304 without a body; weak comparison, lists and `*`."""
    reply = Reply(
        Specimen(string_value="a").SerializeToString(), headers=(("etag", '"v1"'), ("cache-control", "max-age=9"))
    )
    fresh = answered(lab, reply)
    assert (fresh.status_code, fresh.headers["etag"]) == (200, '"v1"')
    for wanted in ('"v1"', 'W/"v1"', '"v0", "v1"', "*"):
        answer = answered(lab, reply, if_none_match=wanted)
        assert (answer.status_code, answer.content) == (304, b"")
        assert (answer.headers["etag"], answer.headers["cache-control"]) == ('"v1"', "max-age=9")
        assert "content-type" not in answer.headers
    assert answered(lab, reply, if_none_match='"v2"').status_code == 200


def test_r6_no_304_for_a_change(lab: Site) -> None:
    """R6: If-None-Match of a POST is not ours to judge."""
    lab.recorder.default = Reply(headers=(("etag", '"v1"'),))
    assert lab.post(LAB, {}, if_none_match='"v1"').status_code == 200


def test_r6_head_is_the_get_without_its_body(lab: Site) -> None:
    """R6: same fields, same length; the service sees the same call."""
    reply = Reply(Specimen(string_value="a" * 50).SerializeToString(), headers=(("etag", '"v1"'),))
    get = answered(lab, reply)
    head = lab.ask("HEAD", LAB)
    assert head.content == b""
    unstable = {"x-request-id", "date"}
    assert {k: v for k, v in head.headers.items() if k not in unstable} == {
        k: v for k, v in get.headers.items() if k not in unstable
    }
    assert {call.path for call in lab.recorder.calls} == {ECHO_SPECIMEN}


def test_r6_a_head_after_a_head_on_one_connection(lab: Site) -> None:
    """R6: pipelined HEADs get no stray body bytes."""
    request = b"HEAD " + LAB.encode() + b"?string_value=a HTTP/1.1\r\nHost: e\r\n"
    answer = lab.raw((request + b"\r\n") * 2 + request + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 ") == 3
    assert b"stringValue" not in answer


DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
    "": bytes,
}


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("gzip;q=0.5, br;q=0.9, zstd;q=0.1", "br"), ("gzip, deflate", "gzip"),
     ("GZIP;Q=1.0", "gzip"), ("gzip;q=0", ""), ("identity", ""), ("*;q=0.1, br;q=0", "zstd"), ("deflate", ""), ("gzip;q=2", ""),
     ("identity;q=0, gzip;q=0.001", "gzip"), ("identity;q=1, gzip;q=0.5", "")],
)  # fmt: skip
def test_r6_compression_by_weight(lab: Site, accepted: str, coding: str) -> None:
    """R6: the client's q-values decide; the raw bytes are decoded here, not by the HTTP library."""
    lab.recorder.default = Reply(Specimen(string_value="a" * 5000).SerializeToString())
    request = f"GET {LAB} HTTP/1.1\r\nHost: e\r\nConnection: close\r\nAccept-Encoding: {accepted}\r\n\r\n"
    head, _, body = lab.raw(request.encode()).partition(b"\r\n\r\n")
    fields = {line.split(b":")[0].lower(): line.split(b":", 1)[1].strip() for line in head.split(b"\r\n")[1:]}
    assert fields.get(b"content-encoding", b"").decode() == coding
    assert b"accept-encoding" in fields[b"vary"]
    assert int(fields[b"content-length"]) == len(body)
    assert json.loads(DECODERS[coding](body)) == {"stringValue": "a" * 5000}


def test_r6_curl_decodes_what_it_asked_for(lab: Site) -> None:
    """R6: `curl --compressed`, with whatever codings it was built for."""
    lab.recorder.default = Reply(Specimen(string_value="b" * 9000).SerializeToString())
    assert json.loads(lab.curl("--compressed", LAB)) == {"stringValue": "b" * 9000}


def test_r6_a_compressed_answer_has_a_weak_etag(lab: Site) -> None:
    """R6: a strong ETag promises equal bytes."""
    reply = Reply(Specimen(string_value="a" * 5000).SerializeToString(), headers=(("etag", '"v1"'),))
    assert answered(lab, reply, accept_encoding="gzip").headers["etag"] == 'W/"v1"'
    assert answered(lab, reply, accept_encoding="gzip", if_none_match='W/"v1"').status_code == 304


def test_r6_pictures_and_small_answers_stay_as_they_are(lab: Site) -> None:
    """R6: compressing them costs and gains nothing."""
    picture = Reply(HttpBody(content_type="image/png", data=b"a" * 5000).SerializeToString())
    assert "content-encoding" not in answered(lab, picture, "/v1/files/x", accept_encoding="gzip").headers
    text = Reply(HttpBody(content_type="text/plain", data=b"a" * 5000).SerializeToString())
    assert answered(lab, text, "/v1/files/x", accept_encoding="gzip").headers["content-encoding"] == "gzip"
    assert "content-encoding" not in answered(lab, Reply(), accept_encoding="gzip").headers


def test_r6_no_compression_by_choice(tmp_path: Any) -> None:
    """R6: `compression: false`."""
    with recorded(tmp_path, api={"compression": False}) as site:
        answer = answered(site, Reply(Specimen(string_value="a" * 5000).SerializeToString()), accept_encoding="gzip")
        assert "content-encoding" not in answer.headers
        assert "vary" not in answer.headers


def test_r7_a_response_over_the_limit_is_500(lab: Site, tmp_path: Any) -> None:
    """R7: as a Status; the upstream connection serves the next call."""
    answer = answered(lab, Reply(Specimen(string_value="a" * 5_000_000).SerializeToString()))
    assert shaped(answer, 500)["details"][0]["reason"] == "RESPONSE_TOO_LARGE"
    assert answered(lab, Reply()).status_code == 200
    with recorded(tmp_path, api={"max_response_bytes": 100}) as site:
        assert answered(site, Reply(Specimen(string_value="a" * 90).SerializeToString())).status_code == 200
        assert answered(site, Reply(Specimen(string_value="a" * 101).SerializeToString())).status_code == 500
