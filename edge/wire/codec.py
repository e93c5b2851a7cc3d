"""
The JSON-protobuf codec interface: one `MethodCodec` per RPC and HTTP binding, compiled once at load.

Owns the words in which a codec is configured and refuses. A codec is pure: it takes path captures, query and body and
returns protobuf bytes, or protobuf bytes and returns JSON. Source: google/api/http.proto, the proto3 JSON mapping
(https://protobuf.dev/programming-guides/json/), Google's system parameters (https://cloud.google.com/apis/docs/system-parameters).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal, NamedTuple, Protocol
from urllib.parse import urlencode

from edge.core.glitches import GlitchBudget
from edge.wire.http1 import ReadLimits, RenderAnswer, RequestReader
from edge.wire.session import H2Session, Role, SessionSettings

PRINTED_BYTES = 64 << 20
PRINTED_TIMES = 16
"""An answer's JSON may be this large, or so many times the largest response message that is taken, whichever is more."""


@dataclass(frozen=True, slots=True)
class JsonOptions:
    """
    How an API's JSON looks and what its requests may contain. Input always accepts both field spellings.

    With `print_defaults`, `print_nulls` prints a message that is not set as null. `enums`: `names`, `numbers`, or `short` (names
    without the enum's own prefix: BOOK_VIEW_FULL reads FULL); all three are accepted in.
    `unknown_query` `capture` hands unknown parameters on (see RequestMessage) instead of refusing them.
    `repeated_path` lets a path variable fill a repeated field with one element (off: refused at load).
    `http_body` `json` treats google.api.HttpBody like any message.
    `max_printed_bytes`: an answer whose JSON would be larger is refused (EncodeError). Names and defaults of a million small messages
    make it a hundred times its bytes on the wire, which alone are bounded where they come in.
    `update_mask` fills the FieldMask of a PATCH from the body's fields. `form` accepts application/x-www-form-urlencoded bodies.
    """

    proto_names: bool = False
    enums: Literal["names", "numbers", "short"] = "names"
    print_defaults: bool = False
    print_nulls: bool = False
    int64: Literal["string", "number"] = "string"
    pretty: bool = False
    unknown_fields: Literal["reject", "ignore"] = "reject"
    unknown_query: Literal["reject", "ignore", "capture"] = "reject"
    ignored_query: tuple[str, ...] = ()
    system_parameters: bool = True
    plus_is_space: bool = True
    lenient_bools: bool = False
    repeated_path: bool = False
    update_mask: bool = True
    form: bool = False
    http_body: Literal["raw", "json"] = "raw"
    max_depth: int = 100
    max_printed_bytes: int = PRINTED_BYTES


class Source(Enum):
    """Which part of a request a value came from."""

    PATH = auto()
    QUERY = auto()
    BODY = auto()
    MEDIA_TYPE = auto()


class BindingError(Exception):
    """
    A request does not fit its method. `field` is the proto field path (`book.shelf_id`), empty when none is to blame.

    `offset` is the byte (or, in text that is not ASCII, character) offset into the body, where known. MEDIA_TYPE as a source
    means that the body's declared type is not one this method takes.
    """

    def __init__(self, source: Source, field: str, description: str, *, offset: int | None = None) -> None:
        super().__init__(f"{field}: {description}" if field else description)
        self.source = source
        self.field = field
        self.description = description
        self.offset = offset


class EncodeError(Exception):
    """An upstream's message could not be decoded or printed."""


class CompileError(Exception):
    """A binding does not fit its RPC's messages: `field` names what is wrong in the template, body or response_body."""

    def __init__(self, field: str, description: str) -> None:
        super().__init__(f"{field}: {description}" if field else description)
        self.field = field
        self.description = description


@dataclass(frozen=True, slots=True)
class Render:
    """
    How one answer is printed: the API's options with this request's system parameters applied.

    `fields` is the partial-response mask of `$fields` as paths of names as they are printed, empty for all.
    """

    enums: Literal["names", "numbers", "short"] = "names"
    pretty: bool = False
    fields: tuple[str, ...] = ()


class RequestMessage(NamedTuple):
    """A bound request: the serialized message, how to print the answer, and the parameters no field took (`capture`)."""

    message: bytes
    render: Render
    captured: tuple[tuple[str, str], ...] = ()

    @property
    def captured_query(self) -> str:
        """The captured parameters as a query string."""
        return urlencode(self.captured)


class ResponseBody(NamedTuple):
    """A printed answer."""

    content_type: str
    body: bytes


class MethodCodec(Protocol):
    """
    One RPC under one HTTP binding. For a streaming RPC each message is bound or printed by itself.

    `takes_raw` and `gives_raw`: the body is google.api.HttpBody, bytes and no JSON.
    """

    @property
    def takes_raw(self) -> bool:
        """Of the request."""

    @property
    def gives_raw(self) -> bool:
        """Of the response."""

    def request(self, path: Sequence[str], query: str, body: bytes, content_type: str) -> RequestMessage:
        """
        Bind one request. The path wins over query and body; a different value there is refused.

        `path`: the captures, decoded, in the order of the template's variables. `query`: the raw query string, without `?`.
        `content_type`: the header's value, empty when absent. Raises BindingError.
        """

    def response(self, message: bytes, render: Render) -> ResponseBody:
        """Print one response message. google.api.HttpBody gives its own type and bytes. Raises EncodeError."""


class ApiCodec(Protocol):
    """The messages of one API's descriptors; immutable, so that a reload simply makes another."""

    def method(
        self,
        *,
        input_type: str,
        output_type: str,
        path_fields: Sequence[str],
        body: str,
        response_body: str,
        http_method: str,
        options: JsonOptions,
    ) -> MethodCodec:
        """
        Compile one binding. Types are full names without a leading dot; `path_fields` are the template's variables in order.

        Raises CompileError: no such field, repeated or message-typed path field, body not a top-level field, and the like.
        """

    def status_details(self, status: bytes) -> list[bytes]:
        """
        The details of a serialized google.rpc.Status as JSON texts, each with its @type.

        A detail that cannot be decoded is kept as {"@type", "value": base64}. Bytes that are no Status give an empty list.
        """


class Engine(Protocol):
    """An implementation of this package's interfaces."""

    @property
    def name(self) -> str:
        """`portable` or `native`."""

    @property
    def version(self) -> str:
        """Of the engine, or of what it is made of."""

    def api(self, descriptor_set: bytes) -> ApiCodec:
        """A codec for a serialized, self-contained google.protobuf.FileDescriptorSet (dependencies first or not)."""

    def session(self, role: Role, settings: SessionSettings, budget: GlitchBudget | None = None) -> H2Session:
        """One HTTP/2 connection; the peer's misbehaviour is charged to `budget`."""

    def request_reader(self, limits: ReadLimits) -> RequestReader:
        """The requests of one HTTP/1.1 connection."""

    @property
    def render(self) -> RenderAnswer:
        """Makes the bytes of an HTTP/1.1 answer."""
