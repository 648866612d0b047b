"""What was asked of the simulator: one entry per request, for tests, the demo and the benchmark to read."""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Any

from bridge.simulator.model import Json

KEPT = 200_000


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One request.

    Attributes:
        seq: 1, 2, 3, ...
        at: the server's time, epoch milliseconds.
        query: the raw query string.
        endpoint: the route, e.g. ``/issue/{issue}/comment``; empty when nothing matched.
        kind: search, read, write, meta, or unknown.
        status: what was answered; 0 when the connection was closed instead.
        user: login name of the caller; empty for anonymous.
        json: the parsed body.
        headers: the request's, names in lower case, without the login.
        fault: kind of the fault that fired.
    """

    seq: int
    at: int
    method: str
    path: str
    query: str
    endpoint: str
    kind: str
    status: int
    user: str
    json: Any = None
    headers: Json = field(default_factory=dict)
    fault: str = ""


class CallLog:
    """The calls, oldest first."""

    def __init__(self) -> None:
        self._calls: deque[LoggedCall] = deque(maxlen=KEPT)
        self._seq = 0

    def next_seq(self) -> int:
        """Return the number of the next call."""
        self._seq += 1
        return self._seq

    def append(self, call: LoggedCall) -> None:
        """Write an entry."""
        self._calls.append(call)

    @property
    def last(self) -> int:
        """Return the newest call's number, to pass to ``since`` later."""
        return self._seq

    def since(self, seq: int = 0) -> list[LoggedCall]:
        """Return the calls after a number."""
        return [call for call in list(self._calls) if call.seq > seq]

    def matching(
        self, method: str = "*", path_regex: str = "", *, since: int = 0, kind: str = ""
    ) -> list[LoggedCall]:
        """Return the calls of a method, a path, a kind."""
        return [
            call
            for call in self.since(since)
            if method in {"*", call.method}
            and kind in {"", call.kind}
            and re.search(path_regex, call.path) is not None
        ]

    def counts(self, since: int = 0) -> Counter[str]:
        """Count calls by kind."""
        return Counter(call.kind for call in self.since(since))

    def clear(self) -> None:
        """Forget the calls; numbers go on."""
        self._calls.clear()

    def rows(self, since: int = 0) -> list[Json]:
        """Return the calls as JSON."""
        return [asdict(call) for call in self.since(since)]
