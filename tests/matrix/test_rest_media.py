"""
Lists B4, B5 and B11 of transcoding.md through a whole gateway: media types, content codings, and bodies that are no JSON.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from pathlib import Path

import brotli
import pytest
import zstandard

from tests.matrix.rest_site import LAB, Site, recorded, shaped
from tests.upstreams.recorder import Reply


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\"", "application/json;charset=utf8",
     "application/merge-patch+json", "application/vnd.api+json; version=1", ""],
)  # fmt: skip
def test_b4_json_in_every_spelling(lab: Site, content_type: str) -> None:
    """B4: charset in any spelling, `+json`, or no Content-Type at all."""
    answer = lab.ask("POST", LAB, b'{"stringValue": "a"}', content_type=content_type)
    assert answer.status_code == 200, answer.text
    assert lab.seen().string_value == "a"


def test_b4_no_content_type_header_at_all(lab: Site) -> None:
    """B4: curl with the header removed."""
    assert json.loads(lab.curl(LAB, "-H", "Content-Type:", "-d", '{"stringValue": "a"}')) == {"stringValue": "a"}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/grpcx",
        "json",
    ],
)
def test_b4_other_types_are_415(lab: Site, content_type: str) -> None:
    """B4, X3: forms are not taken unless enabled, so that no page on the web can post across origins without a preflight."""
    lab.refused(lab.ask("POST", LAB, b"stringValue=a", content_type=content_type), 415)


def test_b4_forms_by_choice(tmp_path: Path) -> None:
    """B4: `json.form: true`; bound like a query, the path still wins."""
    with recorded(tmp_path, api={"json": {"form": True}}) as site:
        form = {"content_type": "application/x-www-form-urlencoded"}
        assert (
            site.ask("POST", LAB, b"stringValue=a+b&strings=x&strings=y&messageValue.word=%C3%A4", **form).status_code
            == 200
        )
        assert (site.seen().string_value, list(site.seen().strings), site.seen().message_value.word) == (
            "a b",
            ["x", "y"],
            "ä",
        )
        site.fresh().refused(site.ask("POST", LAB, b"no_such=1", **form), 400, "no_such")
        site.refused(site.ask("PATCH", "/v1/shelves/1", b"id=2", **form), 400, "shelf.id")


CODINGS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "identity": bytes,
}


@pytest.mark.parametrize("coding", CODINGS)
def test_b5_request_codings(lab: Site, coding: str) -> None:
    """B5: each is undone before the JSON is read."""
    body = CODINGS[coding](json.dumps({"stringValue": "a" * 5000}).encode())
    assert lab.ask("POST", LAB, body, content_encoding=coding).status_code == 200
    assert lab.seen().string_value == "a" * 5000


def test_b5_two_codings(lab: Site) -> None:
    """B5: undone from the last to the first."""
    body = brotli.compress(gzip.compress(b'{"stringValue": "a"}'))
    assert lab.ask("POST", LAB, body, content_encoding="gzip, br").json() == {"stringValue": "a"}


@pytest.mark.parametrize("coding", ["lzma", "compress", "gzip, lzma", "gzip, gzip, gzip"])
def test_b5_unknown_codings_are_415(lab: Site, coding: str) -> None:
    """B5: so are more layers than anyone needs."""
    lab.refused(lab.ask("POST", LAB, b"{}", content_encoding=coding), 415)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_b5_a_bomb_is_413(lab: Site, coding: str) -> None:
    """B5: a few kilobytes that would become 50 MB."""
    body = brotli.compress(bytes(50_000_000), quality=3) if coding == "br" else CODINGS[coding](bytes(50_000_000))
    assert len(body) < 200_000
    lab.refused(lab.ask("POST", LAB, body, content_encoding=coding), 413)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_b5_damaged_codings_are_400(lab: Site, coding: str) -> None:
    """B5: cut short, or followed by garbage."""
    body = CODINGS[coding](b'{"stringValue": "a"}')
    lab.refused(lab.ask("POST", LAB, body[:-3], content_encoding=coding), 400)
    lab.refused(lab.ask("POST", LAB, body + b"garbage", content_encoding=coding), 400)


def test_b11_httpbody_upload_to_a_field(lab: Site) -> None:
    """B11: bytes and Content-Type as they are, the other fields from path and query."""
    data = bytes(range(256)) * 100
    lab.recorder.default = Reply()
    assert lab.ask("POST", "/v1/lab/body/n?note=hi", data, content_type="image/x-odd; a=1").status_code == 200
    seen = lab.seen("EchoBodyRequest")
    assert (seen.name, seen.note, seen.body.content_type, seen.body.data) == ("n", "hi", "image/x-odd; a=1", data)


def test_b11_httpbody_as_the_whole_request(lab: Site) -> None:
    """B11, R4: up and down; JSON is just bytes here, invalid or not."""
    for content_type, data in (
        ("application/json", b"{not json"),
        ("text/plain", "ä".encode()),
        ("application/octet-stream", b"\0"),
    ):
        answer = lab.ask("POST", "/v1/lab/body", data, content_type=content_type)
        assert (answer.content, answer.headers["content-type"]) == (data, content_type)
        assert answer.headers["content-length"] == str(len(data))


def test_b11_a_coded_httpbody_is_decoded(lab: Site) -> None:
    """B11, B5: Content-Encoding is HTTP's, the service gets the file itself."""
    answer = lab.ask(
        "POST", "/v1/lab/body", gzip.compress(b"plain"), content_type="text/plain", content_encoding="gzip"
    )
    assert answer.content == b"plain"


def test_b11_the_real_cover(shop: Site) -> None:
    """B11, R4 against the real service: a picture there and back; a type it does not like is its own error."""
    picture = base64.b64decode("R0lGODlhAQABAAAAACw=")
    assert (
        shop.ask("PUT", "/v1/shelves/3/books/6/cover", picture, content_type="image/gif").json()["title"]
        == "Literate Programming"
    )
    cover = shop.get("/v1/shelves/3/books/6/cover")
    assert (cover.content, cover.headers["content-type"]) == (picture, "image/gif")
    wrong = shaped(shop.ask("PUT", "/v1/shelves/3/books/6/cover", b"x", content_type="text/plain"), 400)
    assert wrong["details"][0]["fieldViolations"][0]["field"] == "cover.content_type"


def test_b11_files_of_any_path(shop: Site) -> None:
    """B11 against the real service: `{path=**}`."""
    assert shop.ask("PUT", "/v1/files/a/b%20c/d.bin", b"\x00\x01", content_type="x/y").json()["sizeBytes"] == "2"
    answer = shop.get("/v1/files/a/b%20c/d.bin")
    assert (answer.content, answer.headers["content-type"]) == (b"\x00\x01", "x/y")
