"""Whole documents."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from edge.openapi import document, documents, serialized
from edge.wire.codec import JsonOptions
from tests.unit.openapi.making import bookstore, bookstore_document, documented, rpc, source

_OTHERWISE = JsonOptions(proto_names=True, enums="short", int64="number", print_defaults=True, form=True)


@pytest.mark.parametrize("options", [JsonOptions(), _OTHERWISE], ids=["default", "otherwise"])
def test_the_bookstore_is_valid_openapi(options: JsonOptions) -> None:
    """By an independent validator, with defaults and with everything chosen otherwise."""
    whole = document(replace(bookstore(), options=options))
    OpenAPIV31SpecValidator(whole).validate()


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(_references, value.values()))
    return set().union(*map(_references, value)) if isinstance(value, list) else set()


def test_every_component_is_used_and_there() -> None:
    """No reference leads nowhere, no schema is there for nothing."""
    whole = document(bookstore())
    made = {f"#/components/{kind}/{name}" for kind, items in whole["components"].items() for name in items}
    assert _references(whole) == made


def test_operation_ids_are_unique() -> None:
    """Generators name functions after them."""
    ids = [operation["operationId"] for item in bookstore_document()["paths"].values() for operation in item.values()]
    assert len(set(ids)) == len(ids) == 75


def test_every_route_is_described() -> None:
    """The bookstore has nothing that OpenAPI cannot say."""
    templates = {o["x-edge-template"] for item in bookstore_document()["paths"].values() for o in item.values()}
    assert templates == {route.binding.template for route in bookstore().routes}
    assert "x-edge-not-described" not in bookstore_document()


def test_what_cannot_be_described_is_told() -> None:
    """Never silently dropped."""
    whole = documented("message M {}" + rpc('custom {kind: "PURGE" path: "/m"}'))
    assert whole["x-edge-not-described"] == [{"method": "PURGE", "template": "/m", "rpc": "/t.v1.S/Do"}]
    assert whole["paths"] == {}


def test_top_level() -> None:
    """Version of the package, services as tags, servers if any."""
    whole = document(replace(bookstore(), servers=["https://api.example.com"]))
    assert whole["openapi"] == "3.1.1"
    assert (whole["info"]["title"], whole["info"]["version"]) == ("bookstore", "v1")
    assert whole["servers"] == [{"url": "https://api.example.com"}]
    assert whole["tags"][0] == {
        "name": "Bookstore",
        "description": "Shelves, and the books that stand on them.",
        "x-edge-service": "bookstore.v1.Bookstore",
    }
    assert "servers" not in bookstore_document()


def test_security_schemes() -> None:
    """Any one of them lets a client in."""
    schemes = {
        "jwt": {"type": "http", "scheme": "bearer"},
        "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    }
    whole = document(replace(source("message M {}" + rpc('get: "/m"')), security_schemes=schemes))
    OpenAPIV31SpecValidator(whole).validate()
    assert whole["components"]["securitySchemes"] == schemes
    assert whole["security"] == [{"jwt": []}, {"key": []}]


def test_requests_share_a_plain_name_with_nothing() -> None:
    """A suffix stands only where a message is in answers too."""
    schemas = bookstore_document()["components"]["schemas"]
    assert "bookstore.v1.Book-Input" in schemas
    assert "bookstore.v1.ImportBooksRequest" in schemas
    assert list(schemas) == sorted(schemas)


def test_equal_input_gives_equal_bytes() -> None:
    """A document can be kept in version control."""
    assert serialized(document(bookstore())) == serialized(bookstore_document())


def test_documents_of_one_api() -> None:
    """It is the document too."""
    made = documents([bookstore()])
    assert set(made) == {"/openapi.json", "/openapi/bookstore.json"}
    assert made["/openapi.json"] == made["/openapi/bookstore.json"]
    assert json.loads(made["/openapi.json"]) == bookstore_document()


def test_documents_of_several() -> None:
    """Each has its own; there is none for all. A name is escaped."""
    made = documents([bookstore(), replace(bookstore(), name="other shop")])
    assert set(made) == {"/openapi/bookstore.json", "/openapi/other%20shop.json"}
    assert documents([]) == {}
