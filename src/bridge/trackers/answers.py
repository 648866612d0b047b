"""What a tracker said: its JSON, its words and its dates, whatever dialect of complaint it speaks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from bridge.clock import SECOND
from bridge.errors import Unintelligible

WORDS_LIMIT = 500
"""Characters kept of what a tracker says."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer.

    Attributes:
        tracker: the tracker's name, for messages.
        status: HTTP status, 200-299.
        data: the parsed JSON; None when the body is empty.
        at: the tracker's clock when it answered, microseconds, floored to the second (the granularity of
            ``Date``).
        headers: the answer's headers, names in any case.
    """

    tracker: str
    status: int
    data: Any
    at: int
    headers: Mapping[str, str]

    def object(self) -> dict[str, Any]:
        """The answer as a JSON object.

        Raises:
            Unintelligible: it is something else.
        """
        if isinstance(self.data, dict):
            return self.data
        raise Unintelligible(self.tracker, f"a JSON object is due, got {_kind(self.data)}")

    def array(self) -> list[Any]:
        """The answer as a JSON array.

        Raises:
            Unintelligible: it is something else.
        """
        if isinstance(self.data, list):
            return self.data
        raise Unintelligible(self.tracker, f"a JSON array is due, got {_kind(self.data)}")

    def objects(self, *names: str) -> list[dict[str, Any]]:
        """The list of JSON objects under the first of ``names`` that the answer has.

        Raises:
            Unintelligible: there is no such list, or something else is in it.
        """
        body = self.object()
        found = next((body[name] for name in names if name in body), None)
        if isinstance(found, list) and all(isinstance(item, dict) for item in found):
            return found
        raise Unintelligible(self.tracker, f"the answer lacks a list of {names[0]!r}")


def shorten(text: str, limit: int = WORDS_LIMIT) -> str:
    """One line of at most ``limit`` characters, without control characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _kind(data: Any) -> str:
    return "nothing" if data is None else type(data).__name__


def http_date(text: str) -> int:
    """An HTTP date as microseconds; 0 when it is none."""
    try:
        return round(parsedate_to_datetime(text).timestamp()) * SECOND
    except (ValueError, TypeError, OverflowError):
        return 0


def parse(content: bytes) -> tuple[Any, bool]:
    """The JSON of a body and whether it could be read; an empty body is None and fine."""
    if not content.strip():
        return None, True
    try:
        return json.loads(content), True
    except (ValueError, RecursionError):
        return None, False


def phrase(status: int) -> str:
    """What a status means, in HTTP's own words."""
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def complaint(status: int, data: Any, *, readable: bool) -> tuple[str, dict[str, str]]:
    """What the tracker said, and its complaint per field.

    Shapes: Jira ``errorMessages`` and ``errors`` (a dict by field); Redmine ``errors`` (a list); problem+json
    ``title`` and ``detail`` (RFC 9457); ``message`` and ``errorMessage`` of gateways and service desks.
    """
    standard = phrase(status)
    if not readable:
        return f"{standard}: not JSON, perhaps an HTML page", {}
    if not isinstance(data, dict):
        return standard, {}
    said: list[str] = []
    fields: dict[str, str] = {}
    messages, errors = data.get("errorMessages"), data.get("errors")
    for listed in (messages, errors):
        if isinstance(listed, list):
            said += [str(item) for item in listed if item]
    if isinstance(errors, dict):
        fields = {str(name): shorten(str(text)) for name, text in errors.items()}
        said += [f"{name}: {text}" for name, text in fields.items()]
    if not said:
        said = [str(data[name]) for name in ("message", "errorMessage", "detail", "title") if data.get(name)][
            :1
        ]
    return shorten("; ".join(said)) or standard, fields
