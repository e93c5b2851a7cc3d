"""
The configuration file as frozen models; the field comments are the reference (docs/configuration.md is made to match).

Owns the names, types and defaults of every setting. Defaults are safe: loopback admin, bounded sizes and times, strict JSON.
Unknown keys are refused. Units: see `units` for how durations, sizes and rates are written.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from edge.config.units import Address, Bytes, Seconds, Secret


class Model(BaseModel):
    """A frozen section; a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ListenerTls(Model):
    """TLS on a listener, 1.2 or later."""

    cert: str  # PEM certificate chain, a path
    key: str  # PEM private key, a path
    client_ca: str | None = None  # PEM bundle; when set, clients must present a certificate it signed
    min_version: Literal["1.2", "1.3"] = "1.2"


class Listener(Model):
    """An address the gateway answers on."""

    bind: Address  # host:port, [v6]:port, or :port for all interfaces
    tls: ListenerTls | None = None


class Admin(Model):
    """Health, readiness and metrics; keep it off public networks."""

    bind: Address = Address("127.0.0.1", 9901)


class Limits(Model):
    """What a downstream may cost before it is refused. Applies to every listener."""

    max_uri_bytes: Bytes = Bytes(8 * 1024)  # over: 414
    max_header_bytes: Bytes = Bytes(64 * 1024)  # names and values together; over: 431
    max_header_count: int = Field(100, ge=1)  # over: 431
    max_body_bytes: Bytes = Bytes(4 * 1024 * 1024)  # as sent and as inflated; over: 413
    header_timeout: Seconds = Seconds(10.0)  # first byte to end of headers; over: 408
    body_timeout: Seconds = Seconds(30.0)  # end of headers to end of body; over: 408
    idle_timeout: Seconds = Seconds(60.0)  # between requests of a kept connection; then it is closed
    write_timeout: Seconds = Seconds(30.0)  # a reader that takes nothing for so long is cut off
    max_connections: int = Field(10_000, ge=1)  # per worker; over: refused with 503


class ProtoSource(Model):
    """API description from .proto files, compiled at load. google/api/*.proto and google/protobuf/*.proto are always found."""

    roots: tuple[str, ...] = ()  # import paths, relative to the configuration file
    files: tuple[str, ...] = Field(min_length=1)  # as they would be imported, relative to a root


class ReflectionSource(Model):
    """API description asked of the upstream by gRPC server reflection (v1, then v1alpha)."""

    refresh: Seconds = Seconds(60.0)  # how often it is asked again; a change is swapped in atomically
    timeout: Seconds = Seconds(5.0)  # for one round of questions


class HttpRule(Model):
    """One google.api.HttpRule of the service configuration (`http.rules[]`)."""

    selector: str = ""  # package.Service.Method; empty only inside additional_bindings
    get: str | None = None
    put: str | None = None
    post: str | None = None
    delete: str | None = None
    patch: str | None = None
    custom: CustomPattern | None = None
    body: str = ""
    response_body: str = ""
    additional_bindings: tuple[HttpRule, ...] = ()


class CustomPattern(Model):
    """A method other than the five; kind `*` is any method."""

    kind: str
    path: str


class Http(Model):
    """google.api.Http: rules that add to, or for the same selector replace, the annotations in the protos; the last one wins."""

    rules: tuple[HttpRule, ...] = ()
    fully_decode_reserved_expansion: bool = False  # decode %2F too in multi-segment path variables


class Json(Model):
    """The JSON of an API: what answers look like, what requests may contain."""

    names: Literal["json", "proto"] = "json"  # field names in answers; requests may use either
    enums: Literal["names", "numbers", "short"] = "names"  # short: without the enum type's prefix
    defaults: bool = False  # print fields that hold their default value
    int64: Literal["string", "number"] = (
        "string"  # the proto3 JSON mapping says string; numbers lose precision past 2^53
    )
    unknown_fields: Literal["reject", "ignore"] = "reject"  # of request bodies
    pretty: bool = False  # indent answers; ?$prettyPrint=true does it for one
    update_mask: bool = True  # fill a PATCH's empty FieldMask from the body's fields
    form: bool = False  # accept application/x-www-form-urlencoded bodies


class Query(Model):
    """Query parameters of an API."""

    unknown: Literal["reject", "ignore", "capture"] = "reject"  # capture: passed on as metadata edge-unknown-query
    ignore: tuple[str, ...] = ()  # parameters that are always ignored
    system_parameters: bool = True  # $alt, $prettyPrint, $fields, key, access_token and the others of Google's clients
    plus_is_space: bool = True  # `+` reads as a space, as HTML forms and Google's clients write it
    lenient_bools: bool = False  # accept 1 and 0 for true and false


class Path(Model):
    """How paths are matched."""

    merge_slashes: bool = False  # match a//b as a/b, and a trailing slash as none
    repeated: bool = False  # a path variable may fill a repeated field with one element


class Metadata(Model):
    """Which request headers reach the service as gRPC metadata, and which response metadata reaches the client as headers."""

    forward: Literal["all", "prefixed"] = "all"  # prefixed: only Grpc-Metadata-*
    authorization: bool = True  # pass Authorization on
    underscores: Literal["drop", "allow"] = "drop"  # header names with `_`


class Api(Model):
    """A set of gRPC services exposed on the listeners."""

    name: str = Field(min_length=1)
    protos: ProtoSource | None = None  # exactly one of protos, descriptors, reflection
    descriptors: str | None = None  # a serialized FileDescriptorSet, a path
    reflection: ReflectionSource | bool | None = None
    upstream: str  # a key of `upstreams`
    services: tuple[
        str, ...
    ] = ()  # full service names to expose; empty: every service of the files named (or reflected)
    http: Http = Http()
    default_bindings: bool = False  # POST /pkg.Service/Method with body * for methods without a rule
    timeout: Seconds = Seconds(15.0)  # of a unary call; a client's shorter Grpc-Timeout wins
    max_response_bytes: Bytes = Bytes(4 * 1024 * 1024)  # of one response message, as gRPC's default has it; over: 500
    compression: bool = True  # compress answers the client accepts compressed
    json_: Json = Field(default=Json(), alias="json")
    query: Query = Query()
    path: Path = Path()
    metadata: Metadata = Metadata()


class UpstreamTls(Model):
    """TLS to an upstream; with `cert` and `key`, mTLS."""

    ca: str | None = None  # PEM bundle to trust; default: the system's
    cert: str | None = None
    key: str | None = None
    server_name: str | None = None  # SNI, and the DNS name the certificate must carry; default: the endpoint's host
    uri_san: str | None = None  # check this URI SAN (a SPIFFE ID) instead of a DNS name


class Keepalive(Model):
    """HTTP/2 pings that notice a dead connection while calls run on it."""

    interval: Seconds = Seconds(20.0)
    timeout: Seconds = Seconds(5.0)


class Reconnect(Model):
    """Exponential backoff between attempts to connect, with 20 % jitter."""

    initial: Seconds = Seconds(0.05)
    max: Seconds = Seconds(0.8)


class Upstream(Model):
    """A gRPC service's endpoints and how they are dialled. Each upstream has a pool of its own."""

    endpoints: tuple[Address, ...] = Field(min_length=1)
    tls: UpstreamTls | None = None
    metadata: dict[str, Secret] = Field(
        default_factory=dict
    )  # added to every call, e.g. {authorization: "Bearer ${TOKEN}"}
    authority: str | None = None  # :authority sent; default: the endpoint's host:port
    connect_timeout: Seconds = Seconds(2.0)
    max_connections: int = Field(4, ge=1)  # per endpoint and worker, opened when a connection's streams are all in use
    max_pending: int = Field(1024, ge=0)  # calls waiting for a stream; over: 503
    keepalive: Keepalive = Keepalive()
    reconnect: Reconnect = Reconnect()
    idle_timeout: Seconds = Seconds(300.0)  # a connection without calls for so long is closed


class AccessLog(Model):
    """One JSON line per call."""

    enabled: bool = True
    path: str = "-"  # a file, or - for standard output


class Config(Model):
    """The whole file."""

    listeners: tuple[Listener, ...] = Field(min_length=1)
    admin: Admin | None = Admin()
    limits: Limits = Limits()
    access_log: AccessLog = AccessLog()
    drain_timeout: Seconds = Seconds(30.0)  # how long SIGTERM waits for running calls
    apis: tuple[Api, ...] = Field(min_length=1)
    upstreams: dict[str, Upstream] = Field(min_length=1)
    base: Annotated[str, Field(exclude=True)] = "."  # the folder relative paths start from; set by the loader
