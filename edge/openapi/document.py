"""
A whole document, and the set of documents a gateway serves.

Owns the top level: info, tags, paths, components, and the paths the documents themselves have. Routes that OpenAPI has no words for
(methods it does not know, two templates it holds to be one) are listed under `x-edge-not-described`, never silently dropped.
Source: OpenAPI 3.1.1 sections 4.8.1 to 4.8.7.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

import orjson

from edge.openapi.errors import error_schemas, response_components
from edge.openapi.names import operation_ids, service_names
from edge.openapi.notes import Notes, read_notes
from edge.openapi.operations import Operations
from edge.openapi.places import places
from edge.openapi.references import renamed, with_plain_names
from edge.openapi.required import Use
from edge.openapi.schemas import Schemas
from edge.openapi.source import ApiSource, Json
from edge.routes import Route
from edge.wire.portable.schema import Schema

_VERSION = re.compile(r"v[0-9]+(?:(?:p[0-9]+)?(?:alpha|beta)[0-9]*)?")  # google.aip.dev/185
_UNVERSIONED = "unversioned"


def document(api: ApiSource) -> Json:
    """The OpenAPI document of one API."""
    notes = read_notes(api.descriptor_set)
    schemas = Schemas(notes, api.options)
    found, left_out = places(api.routes)
    operations = Operations(Schema(api.descriptor_set), schemas, form=api.options.form, envelope=api.envelope)
    rpcs = [place.route.rpc for place in found]
    tags = service_names(rpcs)
    paths: Json = {}
    for place, operation_id in zip(found, operation_ids(rpcs), strict=True):
        operation = operations.operation(place, operation_id, tags[place.route.rpc.service])
        paths.setdefault(place.path.text, {})[place.method.lower()] = operation
    whole: Json = {"openapi": "3.1.1", "info": _info(api)}
    if api.servers:
        whole["servers"] = [{"url": url} for url in api.servers]
    whole |= {"tags": [_tag(name, tag, notes) for name, tag in tags.items()], "paths": paths}
    whole["components"] = {
        "schemas": dict(sorted({**schemas.components, **error_schemas()}.items())),
        "responses": response_components(operations.faults),
    }
    return _plainly_named(whole | _security(api, whole["components"]) | _not_described(left_out))


def _info(api: ApiSource) -> Json:
    """The title is the API's name, the version that of its packages."""
    packages = [route.rpc.service.rpartition(".")[0] for route in api.routes]
    versions = dict.fromkeys(part for name in packages for part in name.split(".") if _VERSION.fullmatch(part))
    description = "Field names and enum values are accepted in every spelling of the proto3 JSON mapping; shown is what answers have."
    return {"title": api.name, "version": ", ".join(versions) or _UNVERSIONED, "description": description}


def _tag(service: str, tag: str, notes: Notes) -> Json:
    text = notes.of(service).text
    return {"name": tag, **({"description": text} if text else {}), "x-edge-service": service}


def _security(api: ApiSource, components: Json) -> Json:
    """Each scheme is a way in of its own."""
    if not api.security_schemes:
        return {}
    components["securitySchemes"] = dict(api.security_schemes)
    return {"security": [{name: []} for name in api.security_schemes]}


def _not_described(left_out: Sequence[Route]) -> Json:
    rules = [{"method": r.binding.http_method, "template": r.binding.template, "rpc": r.rpc.path} for r in left_out]
    return {"x-edge-not-described": rules} if rules else {}


def _plainly_named(whole: Json) -> Json:
    """Messages only requests have need no mark that says so."""
    schemas = whole["components"]["schemas"]
    names = with_plain_names(schemas, (Use.INPUT.value, Use.PATCH.value))
    whole["components"]["schemas"] = {name: schemas[name] for name in sorted(schemas, key=lambda n: names.get(n, n))}
    out: Json = renamed(whole, names)
    out["components"]["schemas"] = {
        names.get(name, name): schema for name, schema in out["components"]["schemas"].items()
    }
    return out


def serialized(whole: Json) -> bytes:
    """A document as indented JSON."""
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def documents(apis: Iterable[ApiSource]) -> dict[str, bytes]:
    """The documents by the paths they are served at: `/openapi/<api>.json` each, and `/openapi.json` where there is but one API."""
    made = {f"/openapi/{quote(api.name, safe='')}.json": serialized(document(api)) for api in apis}
    if len(made) == 1:
        made["/openapi.json"] = next(iter(made.values()))
    return made
