"""
The gateway's own log, on standard error: events with fields, as JSON lines or, on a terminal, for eyes.

Owns the one way out for structlog events and for what libraries say through `logging` (asyncio's "exception was never
retrieved" among it). A standard error that is closed or full costs lines, never a call.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import Processor

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
)


class QuietHandler(logging.StreamHandler[TextIO]):
    """A stream handler whose own failures are counted instead of printed to the stream that just failed."""

    lost = 0

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """A record could not be written; logging has no better place to say so."""
        self.lost += 1


def configure(*, level: str = "INFO", stream: TextIO | None = None, json: bool | None = None) -> QuietHandler:
    """Set the process's log up. `json` None: console form on a terminal, JSON elsewhere. A second call replaces the first."""
    stream = stream if stream is not None else sys.stderr
    handler = QuietHandler(stream)
    handler.setFormatter(_formatter(as_json=not stream.isatty() if json is None else json))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    return handler


def _formatter(*, as_json: bool) -> structlog.stdlib.ProcessorFormatter:
    """Console form prints exceptions itself, JSON needs them as text first."""
    final: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        final += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_dumps)]
    else:
        # Not rich's: it prints local variables, a client's credentials among them, and holds the loop for 60 ms each time.
        final.append(structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback))
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_SHARED, processors=final)


def _dumps(event: Any, default: Any) -> str:  # noqa: ANN401  # the serializer protocol of structlog
    return orjson.dumps(event, default=default, option=orjson.OPT_NON_STR_KEYS).decode()
