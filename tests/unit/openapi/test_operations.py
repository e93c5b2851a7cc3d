"""One operation."""

from __future__ import annotations

from tests.unit.openapi.making import bookstore_document, documented, rpc

_M = "message M { string a = 1; }"


def test_texts_and_ways_back() -> None:
    """Summary, description, tag, id; the RPC and the template as written."""
    operation = documented(_M + rpc('get: "/m/{a=x/*}"', comment="// Does it. Or not."))["paths"]["/m/x/{x}"]["get"]
    assert operation["summary"] == "Does it"
    assert operation["description"] == "Does it. Or not."
    assert (operation["tags"], operation["operationId"]) == (["S"], "S_Do")
    assert (operation["x-edge-rpc"], operation["x-edge-template"]) == ("/t.v1.S/Do", "/m/{a=x/*}")


def test_deprecated() -> None:
    """By the method's option."""
    body = (
        _M + 'service S { rpc Do(M) returns (M) { option deprecated = true; option (google.api.http) = {get: "/m"}; } }'
    )
    assert documented(body)["paths"]["/m"]["get"]["deprecated"] is True


def test_not_modified_is_for_get_only() -> None:
    """The gateway answers If-None-Match there."""
    item = documented(_M + rpc('get: "/m" additional_bindings {post: "/m"}'))["paths"]["/m"]
    assert "304" in item["get"]["responses"]
    assert "304" not in item["post"]["responses"]


def test_the_path_wins() -> None:
    """A field is a parameter of the path or of the query, or in the body: never twice."""
    for path, item in bookstore_document()["paths"].items():
        for operation in item.values():
            names = [(p["in"], p["name"]) for p in operation.get("parameters", [])]
            fields = [p.get("x-edge-field") for p in operation.get("parameters", []) if p["in"] == "path"]
            assert len(set(names)) == len(names), path
            assert not set(fields) & {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}, path
