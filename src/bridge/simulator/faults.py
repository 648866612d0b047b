"""Faults on demand: rules that say which requests go wrong, how, and how often; each counts its own firings.

| kind            | what the client sees                                        | was the request done? |
|-----------------|-------------------------------------------------------------|-----------------------|
| apply-then-500  | 500 (or ``status``)                                         | yes                   |
| apply-then-drop | the connection closes without an answer                     | yes                   |
| drop            | the same                                                    | no                    |
| error           | ``status`` with ``body`` (default 500)                      | no                    |
| throttle        | 429 (or ``status`` 503), Retry-After by ``form``            | no                    |
| slow            | the answer, ``delay_ms`` late, waiting ``when`` before/after | yes                   |
| garbage         | 200 and an HTML login page                                  | no                    |
| truncated       | the answer's JSON cut in half                               | yes                   |
| endless         | a body that never ends                                      | yes                   |
| bomb            | a gzip body that becomes a gigabyte                         | yes                   |
| cut             | the body's first half, then the connection closes           | yes                   |
| expired         | the caller is anonymous for this request                    | as an anonymous one   |
| echo            | ``status`` (default 400) and the whole request in its words | no                    |
| strip           | the answer, as if nothing were amiss                        | without ``strip``     |
"""

from __future__ import annotations

import itertools
import json
import random
import re
from dataclasses import asdict, dataclass, field, fields
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote

from bridge.simulator.blobs import Blob, bomb, endless
from bridge.simulator.exchange import Answer, Request
from bridge.simulator.model import Json, words

KINDS = words(
    "apply-then-500 apply-then-drop drop error throttle slow garbage truncated endless bomb cut expired "
    "echo strip"
)
LOGIN_PAGE = (
    b"<!DOCTYPE html><html><head><title>Log in</title></head><body><form>Sign in</form></body></html>"
)
BODIES = words("endless bomb cut")
BOMB = 1024**3
"""Bytes that the bomb becomes."""
APPLIED = frozenset(
    {"apply-then-500", "apply-then-drop", "slow", "truncated", "endless", "bomb", "cut", "expired", "strip"}
)


@dataclass(slots=True)
class Fault:
    """One rule.

    Attributes:
        kind: see the module's table.
        method: ``*`` or an HTTP method.
        path_regex: searched in the request's path (with the query string appended after ``?``).
        body_regex: searched in the request's body, when given.
        user: only requests of this login name or id.
        times: how often it fires at most; None for ever.
        after: let so many matching requests pass first.
        probability: chance that a matching request is hit, drawn from the book's seeded dice.
        status: of ``error``, ``throttle``, ``apply-then-500``; 0 takes the kind's default.
        body: JSON (or text) of ``error`` and ``throttle``.
        headers: added to the answer.
        retry_after: seconds; ``form`` says how they are written: ``seconds``, ``date`` or ``absent``.
        delay_ms: of ``slow``.
        when: ``before`` or ``after`` the request is done, for ``slow``.
        strip: key of the request's JSON that a middle layer drops on the way, for ``strip``.
    """

    kind: str
    method: str = "*"
    path_regex: str = ".*"
    body_regex: str = ""
    user: str = ""
    times: int | None = 1
    after: int = 0
    probability: float = 1.0
    status: int = 0
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: float = 1
    form: str = "seconds"
    delay_ms: int = 0
    when: str = "after"
    strip: str = ""
    id: int = 0
    seen: int = 0
    fired: int = 0
    heard: str = ""

    def __post_init__(self) -> None:
        """Refuse a rule that could never do what it says."""
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(sorted(KINDS))}")
        if self.form not in {"seconds", "date", "absent"} or self.when not in {"before", "after"}:
            raise ValueError("form is seconds, date or absent; when is before or after")
        re.compile(self.path_regex)
        re.compile(self.body_regex)

    def matches(self, request: Request, names: set[str]) -> bool:
        """Tell whether the rule is about this request, whether or not it fires."""
        where = f"{request.path}?{request.query}" if request.query else request.path
        return (
            self.method in {"*", request.method}
            and re.search(self.path_regex, where) is not None
            and (
                not self.body_regex
                or re.search(self.body_regex, request.body.decode(errors="replace")) is not None
            )
            and (not self.user or self.user in names)
        )

    @property
    def applies(self) -> bool:
        """Tell whether the request is still done."""
        return self.kind in APPLIED

    def answer(self, now: int, done: Answer | None) -> Answer | None:
        """Return what the client gets instead, or None for what it would have got."""
        if self.kind in {"drop", "apply-then-drop"}:
            return Answer(0, hang_up=True)
        if self.kind == "apply-then-500":
            text = {"errorMessages": ["Internal server error"], "errors": {}}
            return Answer(
                self.status or 500, self.body if self.body is not None else text, dict(self.headers)
            )
        if self.kind == "echo":
            text = {"errorMessages": [self.heard], "errors": {}}
            return Answer(self.status or 400, text, dict(self.headers))
        if self.kind == "error":
            text = {"errorMessages": ["Something went wrong."], "errors": {}}
            return Answer(
                self.status or 500, self.body if self.body is not None else text, dict(self.headers)
            )
        if self.kind == "throttle":
            return self._throttled(now)
        if self.kind == "garbage":
            return Answer(200, LOGIN_PAGE, {"content-type": "text/html;charset=UTF-8", **self.headers})
        if self.kind == "truncated" and done is not None:
            content = done.content()
            return Answer(done.status, content[: len(content) // 2], {**done.headers, **self.headers})
        if done is not None and self.kind in BODIES:
            return self._spoilt(done)
        return None

    def _spoilt(self, done: Answer) -> Answer:
        """Return the answer with its body gone wrong."""
        headers = {**done.headers, **self.headers}
        content = done.body if isinstance(done.body, Blob) else Blob(len(done.content()), done.content())
        match self.kind:
            case "endless":
                return Answer(done.status, endless(), headers)
            case "bomb":
                return Answer(done.status, bomb(BOMB), {**headers, "content-encoding": "gzip"})
            case _:
                return Answer(done.status, content, headers, cut=content.size // 2)

    def _throttled(self, now: int) -> Answer:
        headers = dict(self.headers)
        if self.form == "seconds":
            headers["retry-after"] = str(int(self.retry_after))
        elif self.form == "date":
            headers["retry-after"] = formatdate(now / 1000 + self.retry_after, usegmt=True)
        if not self.status or self.status == 429:  # noqa: PLR2004 - the status itself
            headers.setdefault("ratelimit-reason", "jira-burst-based")
            headers.setdefault("x-ratelimit-remaining", "0")
        text = {"errorMessages": ["Rate limit exceeded."], "errors": {}}
        return Answer(self.status or 429, self.body if self.body is not None else text, headers)


def without(body: bytes, key: str) -> bytes:
    """Return a request's JSON without one of its keys: what a careless proxy lets through."""
    try:
        said = json.loads(body)
    except ValueError:
        return body
    if isinstance(said, dict):
        said.pop(key, None)
    return json.dumps(said).encode()


class FaultBook:
    """The rules in force. Requests meet them in the order in which they were added."""

    def __init__(self, seed: int = 0) -> None:
        self.rules: list[Fault] = []
        self.spent: list[Fault] = []
        self.dice = random.Random(seed)  # noqa: S311 - reproducible mishaps, not secrets
        self._ids = itertools.count(1)

    def add(self, fault: Fault) -> Fault:
        """Put a rule in force and return it, so that its ``fired`` can be read."""
        fault.id = next(self._ids)
        self.rules.append(fault)
        return fault

    def add_json(self, body: Json) -> Fault:
        """Put a rule in force from its JSON; an unknown key is an error."""
        known = {one.name for one in fields(Fault)} - {"id", "seen", "fired", "heard"}
        unknown = set(body) - known
        if unknown:
            raise ValueError(f"unknown keys {sorted(unknown)}; known: {sorted(known)}")
        return self.add(Fault(**body))

    def clear(self) -> None:
        """Lift all rules."""
        self.spent += self.rules
        self.rules = []

    def draw(self, request: Request, names: set[str]) -> list[Fault]:
        """Return the faults that hit a request: every slow one, and the first of the others."""
        hit: list[Fault] = []
        for rule in list(self.rules):
            if rule.kind != "slow" and any(one.kind != "slow" for one in hit):
                continue
            if not rule.matches(request, names):
                continue
            rule.seen += 1
            if rule.seen <= rule.after or (rule.probability < 1 and self.dice.random() >= rule.probability):
                continue
            rule.fired += 1
            said = request.body.decode(errors="replace")
            rule.heard = f"{request.method} {request.path} {unquote(request.query)} {said}"
            hit.append(rule)
            if rule.times is not None and rule.fired >= rule.times:
                self.rules.remove(rule)
                self.spent.append(rule)
        return hit

    def report(self) -> list[Json]:
        """Return all rules, in force and spent, with their counts."""
        live = {id(rule) for rule in self.rules}
        rows = [asdict(rule) | {"active": id(rule) in live} for rule in (*self.spent, *self.rules)]
        return sorted(rows, key=lambda row: int(row["id"]))
