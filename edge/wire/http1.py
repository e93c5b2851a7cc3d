"""
The HTTP/1.1 interface: a server's requests and answers without their socket (RFC 9112).

Owns what every engine promises: a reader stops at every boundary and never looks past the end of the current message, so that a pipelined
request is not read before its turn and what follows an Upgrade never becomes one. What it refuses and why is `core.http1_head`'s to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge.core.http1_head import HeadFlaw

Header = tuple[bytes, bytes]
"""A header field: lower-case name, value without surrounding white space."""

Parts = tuple[str, str, str, str, Sequence[Header], bool, int | None, dict[bytes, bytes]]
"""
A head: method, path, query, version, headers, whether a body follows, its declared length, the first value of each header.

Of an unsound head: as much as can be told (for the log). The length is None when the body is chunked or absent.
"""

WHOLE_BYTES = 64 * 1024
"""A body up to this size that comes with its head is read before anybody was asked whether it is wanted: it is in memory already."""


class ReadLimits(Protocol):
    """Sizes in bytes. Past each a request is refused: URI_TOO_LONG, HEADERS_TOO_LARGE."""

    @property
    def max_uri_bytes(self) -> int:
        """Of the request target."""

    @property
    def max_header_bytes(self) -> int:
        """Of all names and values."""

    @property
    def max_header_count(self) -> int:
        """Fields; of a trailer section too."""

    @property
    def max_head_wire_bytes(self) -> int:
        """Of a whole head as sent."""


class RequestReader(Protocol):
    """
    One request at a time. `read`, then `feed` until `head_complete`, then until `complete`; `reset` before the next.

    When `flaw` is set the connection is beyond repair. `expects_continue`: the client waits for 100 before it sends the body; whoever
    tells it so unsets it. `keep_alive`: the client may send another request; whoever will not read it unsets it. `max_body_bytes` is to
    be set when the head is complete; None lets a body of any length come.
    """

    expects_continue: bool
    keep_alive: bool
    max_body_bytes: int | None

    @property
    def flaw(self) -> HeadFlaw | None:
        """Why nothing further can be read."""

    @property
    def begun(self) -> bool:
        """Some of the request's target was read."""

    @property
    def head_complete(self) -> bool:
        """The head is whole; sound when there is no flaw."""

    @property
    def complete(self) -> bool:
        """The request is whole."""

    @property
    def parts(self) -> Parts:
        """The head, once it is complete."""

    @property
    def method(self) -> str:
        """Of the head; empty before."""

    @property
    def version(self) -> str:
        """`major.minor`; empty before the head is complete."""

    @property
    def headers(self) -> Sequence[Header]:
        """The fields; the Host of an absolute-form target is the target's."""

    @property
    def content_length(self) -> int | None:
        """The declared length of the body; None when it is chunked or absent."""

    @property
    def held_bytes(self) -> int:
        """How much of the body was read and not taken."""

    def read(self, data: bytes, offset: int) -> Parts | int:
        """
        Begin a request, of which nothing was fed yet: its head, when it is sound and `data` ends with the request; else what `feed` says.

        A body of a declared length of up to WHOLE_BYTES is read along with its head, but not where the client waits for 100, nor where the
        connection ends with the request: what is behind its head may be in another protocol.
        """

    def feed(self, data: bytes, offset: int) -> int:
        """Consume `data` from `offset` to the end of the head or of the message, whichever comes first; where it stopped."""

    def take_body(self) -> bytes:
        """What was read of the body; the reader keeps none of it."""

    def reset(self) -> None:
        """Forget the request; the next byte starts a new one."""

    def close(self) -> None:
        """No more requests."""


class UnsafeFieldError(ValueError):
    """A field of an answer holds CR, LF or NUL; it is a bug of whoever set it, and the answer must not leave."""


class RenderAnswer(Protocol):
    """Makes an answer's bytes in one piece."""

    def __call__(
        self, line: bytes, headers: Sequence[Header], length: int | None, own: bytes, date: bytes, body: bytes, /
    ) -> bytes:
        """
        The status line, the fields, Content-Length (unless None), the lines `own` and `date`, a blank line, the body.

        Lines come with their ends. Raises ValueError when a field would be read as more than its own line.
        """
