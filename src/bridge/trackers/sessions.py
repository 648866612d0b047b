"""What sends requests: one session per thread, and a fence round every answer's body.

A session knows credentials, time-outs and TLS. It is bound to one scheme, host and port: whatever asks for another
one is refused at the moment of sending, after all that could still change an address. It follows no redirect and
reads nothing from the environment, so that the login of one company cannot reach the other, nor anybody else.
What is sent again and what an answer means is
:mod:`bridge.trackers.http`.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import NewConnectionError

from bridge.clock import SECOND, Clock

BODY_LIMIT = 64 * 1024 * 1024
"""Bytes of an answer after decompression: an answer beyond it is a mistake or an attack (a gzip bomb)."""

ANSWER_SECONDS = 120.0
"""Seconds in which the whole of an answer must have arrived, however steadily it drips."""


_PORTS = {"http": 80, "https": 443}


class Body(Protocol):
    """A request's body that is read while it is sent."""

    def __len__(self) -> int: ...

    def read(self, amount: int = ..., /) -> bytes: ...  # noqa: D102 - as of files

    def close(self) -> None: ...  # noqa: D102 - as of files


class Session(Protocol):
    """What sends a request: an object of one thread, with credentials, time-outs and TLS settings of its own.

    ``request`` returns every answer, whatever its status, and raises only what ``requests`` raises.
    """

    def request(  # noqa: D102 - described above
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any],
        data: bytes | Body | None,
        headers: Mapping[str, str],
        hook: Callable[[requests.Response], None],
    ) -> requests.Response: ...

    def close(self) -> None: ...  # noqa: D102 - described above


def no_target(_: requests.Response) -> None:
    """Where a redirect leads, as ``requests`` shall see it: nowhere.

    Even with ``allow_redirects=False`` it reads the redirect's whole body and takes its target apart, which raises on
    a target that is no address.
    """


class Astray(requests.RequestException):
    """A request for a host that the session is not bound to; it was not sent."""


class Bound(HTTPAdapter):
    """Sends requests to one scheme, host and port, directly; any other raises :class:`Astray`.

    Args:
        home: an address there.
    """

    def __init__(self, home: str) -> None:
        super().__init__()
        self._home = origin(urlsplit(home))

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request that is for our host.

        Raises:
            Astray: it is for another one.
        """
        if origin(urlsplit(request.url or "")) != self._home:
            raise Astray("the request was for another host than the tracker's; it was not sent")
        return super().send(request, *args, **{**kwargs, "proxies": {}})


def bind(session: requests.Session, home: str) -> None:
    """Let a session speak to nobody but the host of this address."""
    for adapter in session.adapters.values():
        adapter.close()
    session.adapters.clear()
    # It is the adapter that looks at the whole address, and no prefix of it.
    bound = Bound(home)
    for scheme in ("http://", "https://"):
        session.mount(scheme, bound)


def origin(address: SplitResult) -> tuple[str, str, int]:
    """Scheme, host and port of an address; port 0 where it has none that is known."""
    host = (address.hostname or "").rstrip(".").casefold()
    return address.scheme.casefold(), host, address.port or _PORTS.get(address.scheme.casefold(), 0)


class PlainSession:
    """A ``requests`` session for trackers without a client library of their own.

    Args:
        home: the tracker's address: no request goes to another host.
        timeout: seconds to connect, seconds between bytes of an answer.
        headers: sent with every request, credentials among them.
        auth: user and password of basic authentication.
        ca_file: PEM bundle of a private certificate authority; "" means the system's.
    """

    def __init__(
        self,
        home: str,
        *,
        timeout: tuple[float, float],
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        ca_file: str = "",
    ) -> None:
        self._timeout = timeout
        self._session = requests.Session()
        bind(self._session, home)
        # Neither proxies nor .netrc from the environment: credentials come from the settings only, and it
        # costs a fifth of the time of a small request (measured).
        self._session.trust_env = False
        self._session.get_redirect_target = no_target  # type: ignore[assignment]  # see there
        self._session.verify = ca_file or True
        self._session.headers.update({"Accept": "application/json", **(headers or {})})
        if auth is not None:
            # As bytes: requests would encode text as Latin-1 and fail on other letters.
            self._session.auth = HTTPBasicAuth(auth[0].encode(), auth[1].encode())

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any],
        data: bytes | Body | None,
        headers: Mapping[str, str],
        hook: Callable[[requests.Response], None],
    ) -> requests.Response:
        """See :class:`Session`."""
        return self._session.request(
            method,
            url,
            params=params,
            data=data,
            headers=headers,
            timeout=self._timeout,
            allow_redirects=False,
            stream=True,
            hooks={"response": lambda response, **_: hook(response)},
        )

    def close(self) -> None:
        """See :class:`Session`."""
        self._session.close()


class Sessions:
    """One session per thread, as the maintainers of ``requests`` advise (psf/requests#1871).

    Args:
        make: builds a session.
    """

    def __init__(self, make: Callable[[], Session]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, Session] = {}

    def mine(self) -> Session:
        """The calling thread's session; sessions of threads that have ended are closed on the way."""
        me = threading.current_thread()
        with self._lock:
            session = self._open.get(me)
            if session is None:
                for thread in [thread for thread in self._open if not thread.is_alive()]:
                    self._open.pop(thread).close()
                session = self._open[me] = self._make()
            return session

    def close(self) -> None:
        """Close all sessions."""
        with self._lock:
            for session in self._open.values():
                session.close()
            self._open.clear()


class TooMuch(requests.RequestException):
    """The answer is larger, or takes longer, than any honest one."""


class Fenced:
    """A body that ends with an error once it is too long or too slow.

    Args:
        raw: the body as urllib3 gives it.
        clock: the time.
        started: when the request was sent, microseconds.
        limit: bytes at most.
    """

    def __init__(self, raw: Any, clock: Clock, started: int, limit: int = BODY_LIMIT) -> None:
        self._raw = raw
        self._clock = clock
        self._deadline = started + round(ANSWER_SECONDS * SECOND)
        self._limit = limit

    def stream(self, amount: int, *, decode_content: bool) -> Iterator[bytes]:
        """Yield what arrives as it arrives (``read1``), so that a drip is noticed."""
        size = 0
        while chunk := self._raw.read1(max(amount, 65_536), decode_content=decode_content):
            size += len(chunk)
            if size > self._limit:
                raise TooMuch(f"the answer is larger than {self._limit} bytes")
            if self._clock.now() > self._deadline:
                raise TooMuch(f"the answer took longer than {ANSWER_SECONDS:.0f} s")
            yield chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


def never_sent(error: BaseException) -> bool:
    """Whether the request certainly did not reach the server: no connection, or TLS met the wrong host."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    seen: set[int] = set()
    queue: list[Any] = [error]
    while queue:
        item = queue.pop()
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, NewConnectionError | ssl.SSLCertVerificationError):
            return True
        # urllib3 keeps the cause of a MaxRetryError in `reason`, requests puts its own into `args`.
        queue += [getattr(item, "reason", None), *item.args]
    return False


def describe(error: requests.RequestException) -> str:
    """A sentence about a failed connection. Never the library's own text, which holds the query."""
    if isinstance(error, TooMuch | Astray):
        return str(error)
    for kind, words in (
        (requests.ConnectTimeout, "no connection in time"),
        (requests.ReadTimeout, "no answer in time"),
        (requests.exceptions.SSLError, "the TLS certificate or connection is not acceptable"),
        (requests.exceptions.ContentDecodingError, "the answer's compression is broken"),
        (requests.exceptions.ChunkedEncodingError, "the connection broke in the middle of the answer"),
    ):
        if isinstance(error, kind):
            return words
    if never_sent(error):
        return "no connection: refused, or the host name is unknown"
    if "timed out" in str(error).lower():
        return "timed out in the middle of the answer"
    return f"the connection broke ({type(error).__name__})"
