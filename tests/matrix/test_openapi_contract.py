"""
The document is the runtime: real answers of the running bookstore, held against its OpenAPI document by jsonschema.

Requests cover every unary operation that the bookstore has, errors among them; a status, a media type or a property that is not
documented fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from edge.app.described import openapi_documents
from tests.gateway import bookstore_config
from tests.matrix.rest_site import Site, compiled, serving
from tests.openapi_contract import Contract
from tests.upstreams.bookstore import BookstoreProcess

_STYLES = {
    "default": {},
    "otherwise": {"names": "proto", "enums": "short", "defaults": True, "int64": "number"},
    "numbers": {"enums": "numbers"},
}
_BOOK = {"title": "Roadside Picnic", "genre": "GENRE_SCIENCE_FICTION", "stock": {"copies": 2}, "labels": {"a": "b"}}
_SPECIMEN = {
    "doubleValue": 1.5, "int64Value": "-9", "uint64Value": "18446744073709551615", "boolValue": True, "bytesValue": "AAE=",
    "enumValue": "COLOUR_GREEN", "messageValue": {"word": "w", "inner": {"number": 3}}, "optionalInt32": 0, "choiceNull": None,
    "strings": ["a", ""], "int64s": ["1"], "enums": [2, -1], "messages": [{}, {"words": ["x"]}], "mapInt32String": {"-1": "x"},
    "mapBoolInt64": {"true": "1"}, "mapStringMessage": {"k": {"word": "v"}}, "mapStringEnum": {"k": "COLOUR_RED"},
    "timestamp": "2026-01-05T09:00:00.5Z", "duration": "-1.5s", "fieldMask": "a,bC.d", "structValue": {"a": [1, None]},
    "jsonValue": {"x": False}, "listValue": [1, "2"], "emptyValue": {}, "wrappedInt64": "5", "wrappedString": "", "wrappedBytes": "",
    "anyValue": {"@type": "type.googleapis.com/bookstore.v1.Stock", "copies": 3}, "timestamps": ["1970-01-01T00:00:00Z"],
    "durations": {"a": "1s"}, "anotherName": "r", "specimen": {"stringValue": "deep"}, "choiceMessage": None,
}  # fmt: skip

REQUESTS: list[tuple[str, str, object]] = [
    ("GET", "/v1/shelves?pageSize=2", None),
    ("POST", "/v1/shelves", {"theme": "Typography", "labels": {"floor": "2"}}),
    ("POST", "/v1/shelves", {"theme": "Typography"}),
    ("POST", "/v1/shelves", {"theme": 5}),
    ("GET", "/v1/shelves/1", None),
    ("GET", "/v1/shelves/999", None),
    ("GET", "/v1/shelves/x", None),
    ("PATCH", "/v1/shelves/5", {"labels": {"floor": "3"}}),
    ("PATCH", "/v1/shelves/5", {"id": "6"}),
    ("GET", "/v1/shelves/1/books?view=BOOK_VIEW_FULL", None),
    ("GET", "/v1/books?pageSize=3&view=FULL", None),
    ("GET", "/v1/books?nothing=1", None),
    ("GET", "/v1/shelves/1/books/2?view=FULL", None),
    ("GET", "/v1/books/2", None),
    ("POST", "/v1/shelves/1/books?bookId=777", _BOOK),
    ("POST", "/v1/shelves/1/books", {"title": ""}),
    ("PATCH", "/v1/shelves/1/books/777", {"pages": 205, "price": {"currencyCode": "EUR", "units": "9", "nanos": 5}}),
    ("POST", "/v1/shelves/1/books/777:publish", {}),
    ("POST", "/v1/shelves/1/books/777:move", {"toShelf": "2"}),
    ("POST", "/v1/books/777:move", {"toShelf": "1"}),
    ("GET", "/v1/books:batchGet?ids=1&ids=2", None),
    ("POST", "/v1/books:batchGet", {"ids": ["1", 2]}),
    ("GET", "/v1/shelves/1/books:count", None),
    ("GET", "/v1/books:search?query=classic&filter.price.max=50&filter.labels[a]=b&orderBy=pages+desc", None),
    ("POST", "/v1/books:search", {"filter": {"genres": ["GENRE_COMPUTING"], "createdAfter": "2000-01-01T00:00:00Z"}}),
    ("GET", "/v1/shelves/1/books/2/cover", None),
    ("PUT", "/v1/shelves/1/books/777/cover", b"\x89PNG"),
    ("DELETE", "/v1/shelves/1/books/777", None),
    ("DELETE", "/v1/shelves/1", None),
    ("DELETE", "/v1/shelves/5?force=true", None),
    ("GET", "/v1/authors", None),
    ("POST", "/v1/authors?authorId=a-b", {"displayName": "A B", "birthDate": {"year": 1933}, "languages": ["en"]}),
    ("GET", "/v1/authors/a-b", None),
    ("PATCH", "/v1/authors/a-b", {"links": {"homepage": "https://example.com"}}),
    ("DELETE", "/v1/authors/a-b", None),
    ("POST", "/v1/shelves/1/books/2/reviews", {"reviewer": "R", "stars": 5}),
    ("GET", "/v1/shelves/1/books/2/reviews", None),
    ("GET", "/v1/shelves/1/books/2/reviews:plain", None),
    ("GET", "/v1/shelves/1/books/2/reviews/1", None),
    ("DELETE", "/v1/shelves/1/books/2/reviews/999", None),
    ("DELETE", "/v1/shelves/1/books/2/reviews/1", None),
    ("GET", "/v1/publishers/-/books", None),
    ("GET", "/v1/publishers/nobody/books/none", None),
    ("PATCH", "/v1/publishers/ace/books/new-one?allowMissing=true", {"displayName": "New", "terms": {"discountPercent": 0.5}}),
    ("GET", "/v1/publishers/ace/books/new-one", None),
    ("POST", "/v1/publishers/ace/books/new-one:withdraw", {}),
    ("GET", "/v1/files", None),
    ("GET", "/v1/files/catalogues/2026/spring.csv", None),
    ("PUT", "/v1/files/a/b.txt", b"text"),
    ("POST", "/v1/orders", {"customer": "Kris", "items": [{"book": "2", "copies": 1}], "voucher": "9"}),
    ("POST", "/v1/orders", {"customer": "Kris", "items": [{"book": "2", "copies": 99}]}),
    ("POST", "/v1/orders", {}),
    ("GET", "/v1/orders?states=PLACED", None),
    ("GET", "/v1/orders/o-1", None),
    ("POST", "/v1/orders/o-1:cancel", {"reason": "why not"}),
    ("GET", "/v1/lab/count?to=1", None),
    ("GET", "/v1/lab/specimen?stringValue=a&int64s=1&int64s=2&mapStringString[a]=b&jsonValue=[1]", None),
    ("POST", "/v1/lab/specimen", _SPECIMEN),
    ("GET", "/v1/lab/specimen/a/5/2", None),
    ("GET", "/v1/lab/specimen/word:deep", None),
    ("PUT", "/v1/lab/specimen/a", {"word": "w"}),
    ("POST", "/v1/lab/specimen:strings", ["a"]),
    ("POST", "/v1/lab/specimen:messages", [{"word": "a"}]),
    ("POST", "/v1/lab/specimen:map", {"a": "b"}),
    ("POST", "/v1/lab/specimen:int64", "5"),
    ("POST", "/v1/lab/specimen:enum", "COLOUR_RED"),
    ("POST", "/v1/lab/specimen:string", "s"),
    ("POST", "/v1/lab/specimen:json", {"any": [1]}),
    ("POST", "/v1/lab/specimen:timestamp", None),
    ("POST", "/v1/lab/specimen:timestamp", "2026-01-05T09:00:00Z"),
    ("POST", "/v1/lab/tree", {"label": "a", "branch": {"nodes": [{"text": "t"}]}, "named": {"n": {"number": 1}}}),
    ("POST", "/v1/lab/payload", {"items": [{"id": "1", "tags": ["x"], "score": 0.5}]}),
    ("GET", "/v1/lab/payload?makeBytes=10", None),
    ("POST", "/v1/lab/body/n", b"bytes"),
    ("POST", "/v1/lab/body", b"bytes"),
    ("GET", "/v1/lab/metadata?headers[x-a]=b", None),
    ("PATCH", "/v1/lab/anything/n", None),
    ("GET", "/v1/lab/slow?delay=0.001s", None),
    ("GET", "/v1/lab/fail?code=OK", None),
    *(("GET", f"/v1/lab/fail?code={code}&details=1&details=2&details=3&details=4", None) for code in range(1, 17)),
    ("POST", "/v1/lab/fail", {}),
    ("POST", "/v1/lab/fail", {"code": 9, "details": ["DETAIL_UNKNOWN_TYPE"]}),
    ("GET", "/v1/books:watch?replay=3&limit=3", None),
    ("GET", "/v1/books:export", None),
    ("POST", "/v1/books:import", [{"shelf": "1", "book": {"title": "A"}}, {"shelf": "1", "book": {"title": "B"}}]),
    ("POST", "/v1/chat", [{"text": "a"}, {"text": "b"}]),
]  # fmt: skip


@pytest.fixture(scope="module", params=list(_STYLES))
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A freshly seeded bookstore behind a gateway, in each style of JSON."""
    folder = tmp_path_factory.mktemp("contract")
    api = {**compiled(folder), "json": _STYLES[request.param]}
    with BookstoreProcess() as upstream, serving(folder, bookstore_config(folder, upstream.port, api=api)) as running:
        yield running


def test_real_answers_are_as_documented(site: Site) -> None:
    """Status, media type and every property of every answer."""
    snapshot = site.gateway.gateway._snapshot  # the very routes that answer
    contract = Contract(json.loads(openapi_documents(snapshot)["/openapi.json"]))
    seen: dict[str, set[int]] = {}
    for method, target, body in REQUESTS:
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        kind = {"content_type": "image/png" if isinstance(body, bytes) else "application/json"} if content else {}
        answer = site.ask(method, target, content, **kind)
        media = answer.headers.get("content-type", "")
        found = contract.check(method, target, answer.status_code, media, answer.content)
        seen.setdefault(found, set()).add(answer.status_code)
    assert _without_success(contract, seen) == set()


def _without_success(contract: Contract, seen: dict[str, set[int]]) -> set[str]:
    """The operations that promise an answer and gave none to any request."""
    promising = {
        operation["operationId"]
        for item in contract.whole["paths"].values()
        for operation in item.values()
        if "200" in operation["responses"]
        and not operation["operationId"].startswith("Laboratory_Anything")  # one is as good as five
    }
    return {name for name in promising if 200 not in seen.get(name, set())}
