"""A request and an answer as plain values, and the table of routes: the simulator's own tiny web framework.

Plain values instead of a framework's objects, so that the same simulator answers over a socket and, for a
simulated world under a virtual clock, inside the process.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from bridge.simulator.blobs import Blob
from bridge.simulator.fields import View
from bridge.simulator.model import Json
from bridge.simulator.refusal import BAD_JSON, BAD_PAYLOAD, Refusal

NO_BODY = object()


@dataclass(slots=True)
class Request:
    """A request: header names in lower case, ``query`` undecoded, ``body`` raw; ``large`` in place of a large body."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    large: Blob | None = None

    @property
    def blob(self) -> Blob:
        """Return the body, wherever it lies."""
        return self.large or Blob(len(self.body), self.body)

    def parsed(self) -> Any:
        """Return the JSON of the body, or None when there is none or it is not JSON."""
        if self.headers.get("content-type", "").startswith("multipart/"):
            return None
        try:
            content = self.blob.read()
            return json.loads(content) if content else None
        except ValueError:
            return None


@dataclass(slots=True)
class Answer:
    """An answer.

    Attributes:
        body: JSON, unless it is bytes, a blob, or an iterator of bytes (an answer without an announced end).
        hang_up: close the connection instead; with ``cut``, after so many bytes of the body.
    """

    status: int
    body: Any = NO_BODY
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False
    cut: int | None = None

    def content(self) -> bytes:
        """Return the bytes of the body."""
        if self.body is NO_BODY:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, Blob):
            return self.body.read()
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(slots=True)
class Call:
    """One request on its way through a handler: the caller's view, the path's parts, the query, the body."""

    view: View
    request: Request
    parts: dict[str, str] = field(default_factory=dict)
    _query: dict[str, list[str]] | None = None

    @property
    def query(self) -> dict[str, list[str]]:
        """Return the decoded query parameters, each with all its values."""
        if self._query is None:
            self._query = {}
            for name, value in parse_qsl(self.request.query, keep_blank_values=True):
                self._query.setdefault(name, []).append(value)
        return self._query

    def text(self, name: str) -> str | None:
        """Return a query parameter's first value."""
        return self.query.get(name, [None])[0]

    def words(self, name: str) -> list[str]:
        """Return a repeatable, comma-separated query parameter as a list."""
        return [
            part.strip() for value in self.query.get(name, []) for part in value.split(",") if part.strip()
        ]

    def number(self, name: str, default: int) -> int:
        """Return a whole-number query parameter."""
        raw = self.text(name)
        if raw is None or raw == "":
            return default
        try:
            return int(raw)
        except ValueError:
            raise Refusal(400, BAD_PAYLOAD, bare=True) from None

    def flag(self, name: str) -> bool:
        """Return a true/false query parameter."""
        return (self.text(name) or "").lower() == "true"

    def json(self) -> Any:
        """Return the body's JSON, or refuse."""
        try:
            return json.loads(self.request.blob.read())
        except ValueError:
            raise Refusal(400, BAD_JSON, bare=True) from None

    def object(self) -> Json:
        """Return the body's JSON object, or refuse."""
        found = self.json()
        if not isinstance(found, dict):
            raise Refusal(400, BAD_PAYLOAD, bare=True)
        return found


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint.

    Attributes:
        kind: the endpoint's class in the call log: search, read, write or meta.
        only: ``cloud`` or ``datacenter``; empty for both.
        anonymous: callers without a (valid) login are let in.
    """

    method: str
    template: str
    handler: Handler
    kind: str
    only: str = ""
    anonymous: bool = False


class Routes:
    """The table of endpoints below ``/rest/api/N``."""

    def __init__(self) -> None:
        self._table: list[tuple[re.Pattern[str], Route]] = []
        self._plain: dict[tuple[str, str], list[Route]] = {}

    def add(
        self,
        method: str,
        template: str,
        *,
        kind: str,
        only: str = "",
        anonymous: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Register a handler for a template such as ``/issue/{issue}/comment``."""

        def register(handler: Handler) -> Handler:
            route = Route(method, template, handler, kind, only, anonymous)
            if "{" in template:
                pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))
                self._table.append((pattern, route))
            else:
                self._plain.setdefault((method, template), []).append(route)
            return handler

        return register

    def find(self, method: str, path: str, flavour: str) -> tuple[Route, dict[str, str]] | None:
        """Find the endpoint for a path."""
        for route in self._plain.get((method, path), ()):
            if route.only in {"", flavour}:
                return route, {}
        for pattern, route in self._table:
            if route.method != method or route.only not in {"", flavour}:
                continue
            match = pattern.fullmatch(path)
            if match:
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
        return None

    def all(self) -> list[Route]:
        """Return every endpoint, for the ledger and the tests."""
        return [route for routes in self._plain.values() for route in routes] + [
            route for _, route in self._table
        ]


ROUTES = Routes()
"""Every endpoint the simulator knows; the ``routes_*`` modules fill it when imported."""


def paged(call: Call, rows: list[Any], default: int, key: str = "values", *, most: int = 1000) -> Json:
    """Return one page of rows in Jira's startAt/maxResults/total shape."""
    start, size = max(call.number("startAt", 0), 0), call.number("maxResults", default)
    size = min(size, most) if size > 0 else default
    return {"startAt": start, "maxResults": size, "total": len(rows), key: rows[start : start + size]}
