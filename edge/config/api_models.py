"""
The `apis` section: which gRPC services are exposed, what describes them, and how their JSON, queries and headers behave.

Owns these names, types and defaults. JSON is strict and exact unless an operator says otherwise.
Source of Http and HttpRule: google/api/http.proto.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PrivateAttr

from edge.config.browser_models import Cors, WebSocket
from edge.config.section import FileName, Model, Timeout
from edge.config.units import Bytes, Seconds, true_as_section

Profile = Literal["edge", "grpc-gateway", "envoy"]
"""Whose clients an API is to suit; `profiles` has what each comes to."""


class ProtoSource(Model):
    """API description from .proto files, compiled at load. `google/api/*.proto` and `google/protobuf/*.proto` are always found."""

    roots: tuple[FileName, ...] = ()
    """Import paths, relative to the configuration file."""
    files: tuple[FileName, ...] = Field(min_length=1, examples=["[bookstore/v1/bookstore.proto]"])
    """The files, as they would be imported: relative to a root."""


class ReflectionSource(Model):
    """API description asked of the upstream by gRPC server reflection (v1, then v1alpha)."""

    refresh: Timeout = Seconds(60.0)
    """How often it is asked again; a change is swapped in atomically."""
    timeout: Timeout = Seconds(5.0)
    """For one round of questions."""


class CustomPattern(Model):
    """A method other than the five; kind `*` is any method."""

    kind: str = Field(min_length=1, examples=["HEAD"])
    """The HTTP method."""
    path: str = Field(examples=["/v1/shelves"])
    """The path template."""


class HttpRule(Model):
    """One google.api.HttpRule: exactly one of get, put, post, delete, patch and custom."""

    selector: str = ""
    """`package.Service.Method`; empty only inside additional_bindings."""
    get: str | None = None
    """Path template for GET, and so on for the four below."""
    put: str | None = None
    """Path template for PUT."""
    post: str | None = None
    """Path template for POST."""
    delete: str | None = None
    """Path template for DELETE."""
    patch: str | None = None
    """Path template for PATCH."""
    custom: CustomPattern | None = None
    """Any other method."""
    body: str = ""
    """The request field the HTTP body fills; `*` is the whole message; empty: no body."""
    response_body: str = ""
    """The response field that is the HTTP body; empty: the whole message."""
    additional_bindings: tuple[HttpRule, ...] = ()
    """Further bindings of the same method, one level deep."""
    _source: str = PrivateAttr("")

    @property
    def source(self) -> str:
        """`edge.yaml:17`: where the rule is written; empty when it was not loaded from a file."""
        return self._source


class Http(Model):
    """google.api.Http: rules that add to, or for the same selector replace, the annotations in the protos; the last one wins."""

    rules: tuple[HttpRule, ...] = ()
    """The rules, in the form of a gRPC service configuration."""
    fully_decode_reserved_expansion: bool = False
    """Decode %2F too in multi-segment path variables."""


class Json(Model):
    """The JSON of an API: what answers look like, what requests may contain."""

    names: Literal["json", "proto"] = "json"
    """Field names in answers; requests may use either."""
    enums: Literal["names", "numbers", "short"] = "names"
    """Enum values in answers; `short`: names without the enum type's prefix. Requests may use any of the three."""
    defaults: bool = False
    """Print fields that hold their default value."""
    nulls: bool = False
    """With `defaults`: print messages that are not set as null, as protojson's EmitUnpopulated does."""
    int64: Literal["string", "number"] = "string"
    """64-bit integers in answers; the proto3 JSON mapping says string, numbers lose precision past 2^53."""
    unknown_fields: Literal["reject", "ignore"] = "reject"
    """Of request bodies."""
    pretty: bool = False
    """Indent answers; `?$prettyPrint=true` does it for one."""
    update_mask: bool = True
    """Fill a PATCH's empty FieldMask from the body's fields."""
    form: bool = False
    """Accept application/x-www-form-urlencoded bodies."""


class Query(Model):
    """Query parameters of an API."""

    unknown: Literal["reject", "ignore", "capture"] = "reject"
    """Parameters that are no field; `capture`: passed on as metadata `edge-unknown-query`."""
    ignore: tuple[str, ...] = ()
    """Parameters that are always ignored."""
    system_parameters: bool = True
    """`$alt`, `$prettyPrint`, `$fields`, `key`, `access_token` and the others of Google's clients."""
    plus_is_space: bool = True
    """`+` reads as a space, as HTML forms and Google's clients write it."""
    lenient_bools: bool = False
    """Accept 1 and 0 for true and false."""


class Path(Model):
    """How paths are matched."""

    merge_slashes: bool = False
    """Match a//b as a/b, and a trailing slash as none."""
    repeated: bool = False
    """A path variable may fill a repeated field with one element."""
    wrong_method: Literal["not_allowed", "unimplemented"] = "not_allowed"
    """A known path with a method it does not have: 405, or 501 as grpc-gateway answers."""


class Metadata(Model):
    """Which request headers reach the service as gRPC metadata, and which response metadata reaches the client as headers."""

    forward: Literal["all", "prefixed", "permanent"] = "all"
    """`prefixed`: only `Grpc-Metadata-*`; `permanent`: besides, the permanent HTTP headers as `grpcgateway-*`, and Authorization."""
    authorization: bool = True
    """Pass Authorization on."""
    underscores: Literal["drop", "allow"] = "drop"
    """Header names with `_`."""
    response: Literal["standard", "prefixed", "bare"] = "standard"
    """Names in answers: `Grpc-Metadata-*` but for standard HTTP headers; `Grpc-Metadata-*` for all; or the service's own names."""
    grpc_status: bool = False
    """Answers of unary methods carry `grpc-status` and `grpc-message` as headers."""


class Streaming(Model):
    """Streaming methods over REST. Accept decides the form: `application/json`, `application/x-ndjson` or `text/event-stream`."""

    format: Literal["array", "ndjson", "envelope"] = "array"
    """For clients whose Accept has no preference: an array, JSON lines, or (`envelope`) lines `{"result": …}` as grpc-gateway has it."""
    heartbeat: Timeout = Seconds(15.0)
    """Server-sent events: how long the service may be silent before the client is sent a comment."""
    event_id: str = Field("", examples=["sequence"])
    """Server-sent events: the message's field, as it is printed, that is the event's id; empty: events are numbered."""


class Api(Model):
    """A set of gRPC services exposed on the listeners. Exactly one of protos, descriptors and reflection describes it."""

    name: str = Field(min_length=1, examples=["bookstore"])
    """Names the API in logs, metrics and messages."""
    protos: ProtoSource | None = None
    """Described by .proto files."""
    descriptors: FileName | None = None
    """Described by a serialized FileDescriptorSet, a path (`protoc --include_imports --descriptor_set_out`)."""
    reflection: Annotated[
        ReflectionSource | None,
        BeforeValidator(true_as_section, json_schema_input_type=ReflectionSource | bool | None),
    ] = None
    """Described by the upstream itself; `true` takes the defaults."""
    profile: Profile = "edge"
    """Whose behaviour its clients are used to: the defaults of the keys below are then that gateway's (docs/profiles.md)."""
    upstream: str = Field(examples=["bookstore"])
    """Who serves it: a key of `upstreams`."""
    services: tuple[str, ...] = ()
    """Full service names to expose; empty: every service of the files named (or reflected)."""
    http: Http = Http()
    """Rules beside those in the protos."""
    default_bindings: bool = False
    """`POST /pkg.Service/Method` with body `*` for methods without a rule."""
    timeout: Timeout | None = Seconds(15.0)
    """Of a unary call; a client's own shorter timeout wins. `null`: as long as the client will wait."""
    max_response_bytes: Annotated[Bytes, Field(ge=1)] = Bytes(4 * 1024 * 1024)
    """Of one response message, as gRPC's default has it; over: 500."""
    compression: bool = True
    """Compress answers the client accepts compressed."""
    json_: Json = Field(default=Json(), alias="json")
    """How its JSON looks."""
    query: Query = Query()
    """How query parameters are read."""
    path: Path = Path()
    """How paths are matched."""
    streaming: Streaming = Streaming()
    """How streaming methods answer over REST."""
    metadata: Metadata = Metadata()
    """Which headers pass."""
    openapi: bool = True
    """Serve its description at `/openapi/NAME.json`, and at `/openapi.json` if it is the only one."""
    cors: Cors | None = None
    """Which pages of other origins may call it; none: no other's."""
    websocket: Annotated[
        WebSocket | None,
        BeforeValidator(true_as_section, json_schema_input_type=WebSocket | bool | None),
    ] = None
    """Its RPCs over WebSocket; `true` takes the defaults."""
