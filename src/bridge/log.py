"""Structured logs: one JSON object a line, or a readable line on a terminal.

Events have stable names; docs/events.md is their catalogue. A line holds ids, keys, names of fields, counts and
times: never the words of a ticket, never a header or a secret. Everything goes to standard error; standard output
belongs to commands' results.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal, TextIO

import structlog

Level = Literal["debug", "info", "warning", "error"]


def configure(level: Level = "info", *, stream: TextIO | None = None, json: bool | None = None) -> None:
    """Set up logging for the whole process.

    Args:
        level: the least level that is written.
        stream: where to; standard error by default.
        json: JSON lines or readable lines; by default JSON unless the stream is a terminal.
    """
    target = stream or sys.stderr
    as_json = not target.isatty() if json is None else json
    renderer = (
        structlog.processors.JSONRenderer(sort_keys=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=target.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _traces() if as_json else structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=False,
    )
    # Libraries log request bodies at DEBUG (the jira package does): they speak only when something is wrong.
    logging.basicConfig(level=logging.ERROR, stream=target, format="%(message)s", force=True)
    for library in ("jira", "urllib3", "pgqueuer", "alembic", "asyncio"):
        logging.getLogger(library).setLevel(logging.ERROR)


def _traces() -> structlog.typing.Processor:
    """Exceptions as data: types and places; no local variables and no messages, which may quote a ticket."""
    transformer = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)

    def places(exc_info: structlog.typing.ExcInfo) -> list[dict[str, Any]]:
        chain = transformer(exc_info)
        for one in chain:
            one.pop("exc_value", None)
        return chain

    return structlog.processors.ExceptionRenderer(places)
