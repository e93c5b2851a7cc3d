"""
One operation: a route as OpenAPI describes it.

Owns what an operation says beside its parts (parameters, bodies, errors): its texts, its id, and in `x-edge-` extensions the RPC and the
template as written, so that a reader can find the way back. Source: OpenAPI 3.1.1 section 4.8.10.
"""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor

from edge.openapi.bodies import answer_content, request_body
from edge.openapi.errors import error_responses, faults
from edge.openapi.parameters import path_parameters, query_parameters
from edge.openapi.places import Place
from edge.openapi.prose import split
from edge.openapi.readable_path import bound_fields
from edge.openapi.schemas import Schemas
from edge.openapi.source import Json
from edge.outcome import NOT_MODIFIED, OK, Fault
from edge.routes import Route
from edge.wire.portable.schema import Schema

_CONDITIONAL = "GET"


class Operations:
    """Makes the operations of one API; `faults` is what all of them so far can end with."""

    def __init__(self, messages: Schema, schemas: Schemas, *, form: bool, envelope: bool = False) -> None:
        self.faults: set[Fault] = set()
        self._messages = messages
        self._schemas = schemas
        self._form = form
        self._envelope = envelope

    def operation(self, place: Place, operation_id: str, tag: str) -> Json:
        """The operation at a place."""
        route = place.route
        note = self._schemas.note(route.rpc.selector)
        prose = split(note.text)
        operation: Json = {"tags": [tag], "operationId": operation_id}
        operation |= {key: text for key, text in prose._asdict().items() if text}
        if note.deprecated:
            operation["deprecated"] = True
        operation |= self._request(place)
        operation["responses"] = self._responses(place, has_body=bool(route.binding.body))
        return operation | {"x-edge-rpc": route.rpc.path, "x-edge-template": route.binding.template}

    def _request(self, place: Place) -> Json:
        """Parameters and body. Under body `*` nothing is left for the query."""
        route, message = place.route, self._message(place.route.rpc.input_type)
        bound = bound_fields(place.path.parameters)
        found: Json = {}
        parameters = path_parameters(message, place.path.parameters, self._schemas)
        if route.binding.body != "*":
            parameters += query_parameters(message, bound | {(route.binding.body,)}, self._schemas)
        if parameters:
            found["parameters"] = parameters
        body = request_body(route, message, bound, self._schemas, form=self._form)
        return found if body is None else found | {"requestBody": body}

    def _responses(self, place: Place, *, has_body: bool) -> Json:
        found = faults(body=has_body)
        self.faults |= found
        return self._success(place) | error_responses(found)

    def _success(self, place: Place) -> Json:
        output = self._message(place.route.rpc.output_type)
        content = answer_content(place.route, output, self._schemas, envelope=self._envelope)
        responses: Json = {str(OK): {"description": "The answer.", "content": content}}
        if place.method == _CONDITIONAL and not _streams(place.route):
            unchanged = "Nothing has changed since the answer whose ETag If-None-Match names."
            responses[str(NOT_MODIFIED)] = {"description": unchanged}
        return responses

    def _message(self, full_name: str) -> Descriptor:
        found = self._messages.message(full_name)
        assert found is not None  # the route's codec was compiled from the same set
        return found


def _streams(route: Route) -> bool:
    return route.rpc.client_streaming or route.rpc.server_streaming
