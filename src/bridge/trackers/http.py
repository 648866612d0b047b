"""The one HTTP policy of the house: what is sent again, what is waited for, and what an answer means.

Every adapter talks through :class:`Http`. It decides by what a request *does*, not by hope:

=====================================  ==========================  =======================================
what happened                          repeatable request          a POST that cannot be taken back
=====================================  ==========================  =======================================
an address on another host             Unintelligible (not sent)   Unintelligible (not sent)
connection refused, DNS, bad TLS cert  again, then Unreachable     again (never sent), then Unreachable
connection lost                        again, then Unreachable     OutcomeUnknown
no connection in time                  Unreachable                 Unreachable (never sent)
no answer in time                      Unreachable                 OutcomeUnknown
429, 503 with Retry-After              again, then Throttled       again (it was refused), then Throttled
502, 503, 504                          again, then Unreachable     OutcomeUnknown
500 and the rest of 5xx                Unreachable                 OutcomeUnknown
success that cannot be read            Unintelligible              OutcomeUnknown
=====================================  ==========================  =======================================

"Again" is a few quick attempts with jittered back-off. A long Retry-After is never slept in a worker's
thread: it blocks the shared limiter for everybody and comes out as Throttled with the full time to wait.
Redirects are never followed: they would carry the credentials to another host. Bodies and headers are never
logged.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote, urlsplit

import requests
import structlog
import tenacity

from bridge.clock import SECOND, Clock
from bridge.config.settings import TrackerSettings
from bridge.errors import (
    Clashed,
    Gone,
    OutcomeUnknown,
    Refused,
    Throttled,
    TrackerError,
    Unauthorised,
    Unintelligible,
    Unreachable,
)
from bridge.trackers.answers import Answer, complaint, http_date, parse, phrase
from bridge.trackers.limits import Limiter
from bridge.trackers.sessions import (
    BODY_LIMIT,
    Astray,
    Body,
    Fenced,
    Session,
    Sessions,
    TooMuch,
    describe,
    never_sent,
)

log = structlog.get_logger(__name__)

T = TypeVar("T")

Content = Callable[[], Body]
"""Opens a request's body."""

PATIENCE = 5.0
"""Seconds that a worker's thread may sleep for a tracker; a longer wait comes out as Throttled."""

ATTEMPTS = 4
"""Requests at most, the first one included."""

DEFAULT_RETRY_AFTER = 30.0
"""Seconds to wait when a tracker throttles us without saying for how long."""

LONGEST_RETRY_AFTER = 86_400.0
"""Seconds: the longest wait we believe. Quotas reset within the hour; more than a day is a broken header."""

_LOGIN_REASON = "X-Seraph-LoginReason"
_DEAD_LOGINS = frozenset({"AUTHENTICATED_FAILED", "AUTHENTICATION_DENIED"})
_REPEATABLE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_GATEWAY_TROUBLE = frozenset({502, 503, 504})
_REDIRECTS = range(300, 400)
_MISSING = frozenset({404, 410})
_PLAIN_ERRORS: Mapping[int, type[Unauthorised | Gone | Clashed | Unreachable]] = {
    401: Unauthorised,
    404: Gone,
    407: Unreachable,
    408: Unreachable,
    409: Clashed,
    410: Gone,
    412: Clashed,
    425: Unreachable,
}


class Again(Exception):
    """This attempt failed with ``failure``; another may do better after ``wait`` seconds (None: back off).

    For what runs under :meth:`Http.repeat`; never leaves it.
    """

    def __init__(self, failure: TrackerError, wait: float | None = None) -> None:
        self.failure = failure
        self.wait = wait
        super().__init__(str(failure))


class Http:
    """The policy, for one tracker. Shared by all threads.

    Args:
        tracker: the tracker's name, for messages and logs.
        url: base address, without a trailing slash.
        sessions: one session per thread.
        clock: the time.
        limiter: the tracker's budget.
        random_source: for the jitter of the back-off.
        attempts: requests at most, the first one included.
        body_limit: bytes of an answer at most.
    """

    def __init__(
        self,
        tracker: str,
        url: str,
        *,
        sessions: Sessions,
        clock: Clock,
        limiter: Limiter,
        random_source: random.Random | None = None,
        attempts: int = ATTEMPTS,
        body_limit: int = BODY_LIMIT,
    ) -> None:
        self.tracker = tracker
        self.url = url.rstrip("/")
        self._sessions = sessions
        self._clock = clock
        self._limiter = limiter
        self._random = random_source or random.Random()  # noqa: S311 - jitter, not a secret
        self._attempts = attempts
        self._body_limit = body_limit
        self._skew = 0
        self._twins: list[Http] = []

    def now(self) -> int:
        """The tracker's clock in microseconds, as its latest answer told it; up to a second behind."""
        return self._clock.now() + self._skew

    def call(
        self,
        method: str,
        path: str,
        *,
        parts: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content: Content | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> Answer:
        """Send a request under the policy above.

        Args:
            method: HTTP verb.
            path: below the base address, with ``{names}`` for ``parts``; this template is what gets logged.
            parts: values for the template, quoted here.
            query: query parameters; booleans are written as JSON does, None is left out.
            body: JSON to send; None sends no body.
            content: opens a body to be sent as it is, anew for each attempt; its type goes with ``headers``.
            headers: further headers.
            repeatable: doing it twice is the same as once. By default true of every verb but POST and
                PATCH; say True for a POST that only reads (a search) or that the tracker recognises (an
                upsert).

        Raises:
            Unreachable: no answer, or a failing server, to a repeatable request.
            Unauthorised: 401; 403 that blames the login; any answer that was silently given to nobody.
            Throttled: 429, or 503 with Retry-After, that would take too long to wait for here.
            Refused: 400, 403, 413, 422 and other 4xx.
            Gone: 404, 410.
            Clashed: 409, 412.
            Unintelligible: a redirect, an HTML page, broken JSON.
            OutcomeUnknown: a POST that may or may not have been done.
        """
        safe = method in _REPEATABLE_METHODS if repeatable is None else repeatable
        request = _Request(
            method=method,
            path=path,
            url=self.url + _fill(path, parts or {}),
            query={name: _plain(value) for name, value in (query or {}).items() if value is not None},
            data=content or (None if body is None else json.dumps(body, allow_nan=False).encode()),
            headers={**({} if body is None else {"Content-Type": "application/json"}), **(headers or {})},
            repeatable=safe,
        )
        return self._repeating(lambda number: self._attempt(request, number))

    def ask(self, path: str, parts: Mapping[str, str], take: Callable[[requests.Response], T]) -> T:
        """Send a GET, once, and hand the answer to ``take`` before anything of its body is read.

        Only for use under :meth:`repeat`. Redirects are among the answers; all that is neither success nor redirect
        raises as in :meth:`call`, or as :class:`Again`.

        Args:
            path: below the base address, with ``{names}`` for ``parts``; or an address of this very site.
            parts: values for the template.
            take: reads the body. What it raises of ``requests`` means a broken connection.
        """
        request = _Request(
            method="GET",
            path=path if path.startswith("/") else urlsplit(path).path,
            url=self.url + _fill(path, parts) if path.startswith("/") else path,
            query={},
            data=None,
            headers={"Accept": "*/*", "Accept-Encoding": "identity"},
            repeatable=True,
        )
        return self._once(request, 1, lambda started: self._stream(request, started, take))[1]

    def repeat(self, run: Callable[[], T]) -> T:
        """Run something that only reads until it succeeds or the attempts are used up.

        Raises:
            TrackerError: what the last attempt failed with.
        """
        return self._repeating(lambda _: run())

    def beside(self, make: Callable[[], Session]) -> Http:
        """The same tracker and budget, over sessions of another make."""
        twin = Http(
            self.tracker,
            self.url,
            sessions=Sessions(make),
            clock=self._clock,
            limiter=self._limiter,
            random_source=self._random,
            attempts=self._attempts,
            body_limit=self._body_limit,
        )
        self._twins.append(twin)
        return twin

    def _repeating(self, run: Callable[[int], T]) -> T:
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Again),
            stop=tenacity.stop_after_attempt(self._attempts),
            wait=self._backoff,
            sleep=self._clock.sleep,
            retry_error_callback=_give_up,
        )
        for attempt in retrying:
            with attempt:
                return run(attempt.retry_state.attempt_number)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def close(self) -> None:
        """Close all connections."""
        self._sessions.close()
        for twin in self._twins:
            twin.close()

    def _backoff(self, state: tenacity.RetryCallState) -> float:
        """Seconds before the next attempt: as told, or 0.3, 0.6, 1.2; jittered: threads must not march."""
        failure = state.outcome.exception() if state.outcome else None
        if isinstance(failure, Again) and failure.wait is not None:
            return failure.wait * self._random.uniform(1.0, 1.1)
        return float(0.3 * 2 ** (state.attempt_number - 1) * self._random.uniform(0.7, 1.3))

    def _attempt(self, request: _Request, number: int) -> Answer:
        response, content = self._once(request, number, lambda started: self._send(request, started))
        return self._judge(request, response, content)

    def _once(
        self, request: _Request, number: int, run: Callable[[int], tuple[requests.Response, T]]
    ) -> tuple[requests.Response, T]:
        self._admit()
        started = self._clock.now()
        outcome: int | str = "unsent"
        try:
            with self._limiter.slot():
                # The tracker's time to answer begins here: how long we waited for a slot is not its doing.
                started = self._clock.now()
                done = run(started)
            outcome = done[0].status_code
        except requests.RequestException as error:
            outcome = type(error).__name__
            self._no_answer(request, error)
        finally:
            log.debug(
                "tracker_call",
                tracker=self.tracker,
                method=request.method,
                path=request.path,
                status=outcome,
                ms=(self._clock.now() - started) // 1000,
                attempt=number,
            )
        return done

    def _admit(self) -> None:
        """Wait for our turn, or say at once that the tracker wants us to stay away for longer."""
        if self._limiter.blocked() <= PATIENCE:
            self._clock.sleep(self._limiter.reserve())
            # Somebody else may have been told to wait while we slept. (Sleeping may end a breath early.)
            if self._limiter.blocked() <= 0.01:  # noqa: PLR2004 - seconds, see above
                return
        wait = self._limiter.blocked()
        raise Throttled(self.tracker, f"waiting {wait:.0f} s before the next request", wait)

    def _send(self, request: _Request, started: int) -> tuple[requests.Response, bytes]:
        begun: list[requests.Response] = []

        def fence(response: requests.Response) -> None:
            # Set before anybody reads the body: the jira package reads those of errors itself.
            response.raw = Fenced(response.raw, self._clock, started, self._body_limit)
            begun.append(response)

        try:
            with _opened(request.data) as data:
                response = self._sessions.mine().request(
                    request.method,
                    request.url,
                    params=request.query,
                    data=data,
                    headers=request.headers,
                    hook=fence,
                )
                return response, response.content
        finally:
            for one in begun:
                one.close()

    def _stream(
        self, request: _Request, started: int, take: Callable[[requests.Response], T]
    ) -> tuple[requests.Response, T]:
        begun: list[requests.Response] = []
        try:
            response = self._sessions.mine().request(
                request.method,
                request.url,
                params=request.query,
                data=None,
                headers=request.headers,
                hook=begun.append,
            )
            dead = response.headers.get(_LOGIN_REASON, "").strip() in _DEAD_LOGINS
            if response.status_code < HTTPStatus.BAD_REQUEST and not dead:
                return response, take(response)
            response.raw = Fenced(response.raw, self._clock, started, self._body_limit)
            self._judge(request, response, response.content)
            raise Unintelligible(self.tracker, f"HTTP {response.status_code} where a file is due")
        finally:
            for one in begun:
                one.close()

    def _no_answer(self, request: _Request, error: requests.RequestException) -> NoReturn:
        """Raise what a request without a readable answer means."""
        words = describe(error)
        if isinstance(error, Astray):
            raise Unintelligible(self.tracker, words) from error
        if isinstance(error, requests.ConnectTimeout):
            raise Unreachable(self.tracker, words) from error
        if never_sent(error):
            raise Again(Unreachable(self.tracker, words)) from error
        if not request.repeatable:
            raise OutcomeUnknown(self.tracker, words) from error
        if isinstance(error, TooMuch | requests.exceptions.ContentDecodingError):
            raise Unintelligible(self.tracker, words) from error
        if isinstance(error, requests.Timeout) or "timed out" in words:
            raise Unreachable(self.tracker, words) from error
        raise Again(Unreachable(self.tracker, words)) from error

    def _judge(self, request: _Request, response: requests.Response, content: bytes) -> Answer:
        """Turn an answer into a value or an error."""
        status = response.status_code
        data, readable = parse(content)
        words, fields = complaint(status, data, readable=readable)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
            # The words of a tracker in trouble may quote anything, our request included, and these reach the log.
            self._trouble(request, response, phrase(status))
        if response.headers.get(_LOGIN_REASON, "").strip() in _DEAD_LOGINS:
            if not request.repeatable and response.ok:
                raise OutcomeUnknown(self.tracker, "done as nobody: the login has failed")
            raise Unauthorised(self.tracker, "the login has failed; the tracker treats us as nobody")
        if status in _REDIRECTS:
            target = urlsplit(response.headers.get("Location", ""))
            place = f"{target.scheme}://{target.netloc}{target.path}"
            raise Unintelligible(self.tracker, f"HTTP {status}: redirects to {place}; is the url right?")
        if response.ok:
            if readable:
                return Answer(self.tracker, status, data, self._date(response), response.headers)
            if not request.repeatable:
                raise OutcomeUnknown(self.tracker, words)
            raise Unintelligible(self.tracker, words)
        raise self._refusal(request, response, words, fields, readable=readable)

    def _trouble(self, request: _Request, response: requests.Response, words: str) -> NoReturn:
        """Raise for 429 and 5xx."""
        status = response.status_code
        told = self._retry_after(response)
        if status == HTTPStatus.TOO_MANY_REQUESTS or (
            status == HTTPStatus.SERVICE_UNAVAILABLE and told is not None
        ):
            # Writes to one ticket too close together are that ticket's affair; all else is everybody's
            # (Atlassian, "Rate limiting", 2026-08-12: jira-per-issue-on-write).
            shared = "per-issue" not in response.headers.get("RateLimit-Reason", "")
            if told is not None and shared:
                self._limiter.block(told)
            failure = Throttled(
                self.tracker, words, DEFAULT_RETRY_AFTER if told is None else told, shared=shared
            )
            if told is not None and told > PATIENCE:
                raise failure
            raise Again(failure, told or None)
        if not request.repeatable:
            raise OutcomeUnknown(self.tracker, words)
        if status in _GATEWAY_TROUBLE:
            raise Again(Unreachable(self.tracker, words))
        raise Unreachable(self.tracker, words)

    def _refusal(
        self,
        request: _Request,
        response: requests.Response,
        words: str,
        fields: Mapping[str, str],
        *,
        readable: bool,
    ) -> TrackerError:
        """The error of a 4xx."""
        status = response.status_code
        if status == HTTPStatus.FORBIDDEN and "X-Authentication-Denied-Reason" in response.headers:
            return Unauthorised(self.tracker, "the tracker demands a CAPTCHA or denies the login")
        if status == HTTPStatus.REQUEST_TIMEOUT and not request.repeatable:
            return OutcomeUnknown(self.tracker, words)
        if status in _MISSING and (not readable or words.startswith("No endpoint")):
            # The page of a proxy, or an address that is not the API's: says nothing about the ticket.
            return Unintelligible(self.tracker, words)
        if status in _PLAIN_ERRORS:
            return _PLAIN_ERRORS[status](self.tracker, words)
        return Refused(self.tracker, words, status=status, fields=fields)

    def _date(self, response: requests.Response) -> int:
        """The tracker's time of the answer, to the second; ours where it says none."""
        date = http_date(response.headers.get("Date", ""))
        if date:
            self._skew = date - self._clock.now()
        return date or self._clock.now()

    def _retry_after(self, response: requests.Response) -> float | None:
        """Seconds to wait, from either form of the header; None when absent or senseless.

        A date is compared with the answer's own ``Date``: our clocks may differ (RFC 9110, 10.2.3).
        """
        header = response.headers.get("Retry-After", "").strip()
        if not header:
            return None
        try:
            seconds = float(header)
        except ValueError:
            until = http_date(header)
            if not until:
                return None
            seconds = (until - self._date(response)) / SECOND
        return None if math.isnan(seconds) else min(max(0.0, seconds), LONGEST_RETRY_AFTER)


def open_http(settings: TrackerSettings, clock: Clock, make: Callable[[], Session], url: str = "") -> Http:
    """The policy for a tracker as its settings want it.

    Args:
        settings: rate, concurrency and address.
        clock: the time.
        make: builds a session for a thread.
        url: base address, where it is not the settings'.
    """
    limiter = Limiter(
        clock,
        rate=settings.rate,
        burst=settings.concurrency,
        concurrency=settings.concurrency,
    )
    return Http(settings.name, url or settings.url, sessions=Sessions(make), clock=clock, limiter=limiter)


@contextmanager
def _opened(data: bytes | Content | None) -> Iterator[bytes | Body | None]:
    """A request's body, opened for one attempt."""
    if data is None or isinstance(data, bytes):
        yield data
        return
    body = data()
    try:
        yield body
    finally:
        body.close()


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    url: str
    query: Mapping[str, Any]
    data: bytes | Content | None
    headers: Mapping[str, str]
    repeatable: bool


def _give_up(state: tenacity.RetryCallState) -> NoReturn:
    """Raise what the last attempt failed with."""
    again = state.outcome.exception() if state.outcome else None
    assert isinstance(again, Again)
    raise again.failure from again.__cause__


def _fill(path: str, parts: Mapping[str, str]) -> str:
    """Fill a path template; a value can never leave its place in the path."""
    for value in parts.values():
        if value in {"", ".", ".."}:
            raise ValueError(f"{value!r} cannot be a part of a path")
    return path.format_map({name: quote(value, safe="") for name, value in parts.items()})


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
