"""Moving bytes over HTTP without holding them: a body read from a file, an answer written into a sink.

A download is a request into the unknown: the tracker may answer with a redirect to anywhere, and with a body of any
size. So (OWASP ASVS 5.0: 1.3.6, 5.2, 15.3.2):

* at most two redirects, followed by hand; https, or plain http where the tracker itself is spoken to so;
* the login goes to the tracker's own scheme, host and port only, never to where a redirect leads;
* a foreign host is resolved once; addresses that are not on the public internet are refused unless the operator has
  named the host (``media-hosts``); the connection goes to the very address that was checked, so that a name which
  changes its mind meanwhile (DNS rebinding) gains nothing;
* nothing packed is asked for; a gzip body that comes all the same is unpacked under the same limit, a little at a time;
* the limit is one of bytes and of progress: a body that drips ends as surely as one that does not end.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
import urllib3

from bridge.clock import SECOND, Clock
from bridge.config.settings import TrackerSettings
from bridge.errors import Gone, Refused, Unfit, Unreachable
from bridge.trackers.files import Sink
from bridge.trackers.http import Again, Http
from bridge.trackers.sessions import PlainSession, Session, origin

PORTION = 64 * 1024
MOST_REDIRECTS = 2
GRACE = 60.0
"""Seconds before a download is held to a pace."""

SLOWEST = 8 * 1024
"""Bytes a second, on average, below which a download is given up."""

_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NO_ADDRESS = "a file is redirected to something that is no address"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Resolve = Callable[[str, int], Sequence[str]]
"""Turns host and port into addresses."""


class FileBody:
    """A request's body that is read from a file; with a head and a tail for multipart."""

    def __init__(self, path: Path, head: bytes = b"", tail: bytes = b"") -> None:
        self._file = path.open("rb")
        self._head, self._tail = head, tail
        self._length = len(head) + path.stat().st_size + len(tail)

    def __len__(self) -> int:
        return self._length

    def read(self, amount: int = PORTION) -> bytes:
        """The next bytes; b"" at the end."""
        if self._head:
            portion, self._head = self._head[:amount], self._head[amount:]
            return portion
        if portion := self._file.read(amount):
            return portion
        portion, self._tail = self._tail[:amount], self._tail[amount:]
        return portion

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def form(path: Path, name: str, media_type: str, boundary: str) -> FileBody:
    """A multipart form with one file under the name ``file`` (RFC 7578; the name as browsers write it)."""
    shown = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{shown}"\r\n'
        f"Content-Type: {media_type}\r\n\r\n"
    )
    return FileBody(path, head.encode(), f"\r\n--{boundary}--\r\n".encode())


class Transfers:
    """Downloads from one tracker. Shared by all threads.

    Args:
        settings: address, time-outs, media hosts.
        http: the policy, over a session that reads nothing before it is told to.
        clock: the time.
        resolve: finds a host's addresses.
    """

    def __init__(
        self, settings: TrackerSettings, http: Http, clock: Clock, resolve: Resolve | None = None
    ) -> None:
        self.http = http
        self._tracker = settings.name
        self._settings = settings
        self._clock = clock
        self._resolve = resolve or _addresses

    def download(self, path: str, parts: Mapping[str, str], sink: Sink, limit: int) -> None:
        """Write what is at a path into the sink.

        Raises:
            Unfit, Gone, Refused, Unreachable, Unauthorised, Throttled: see the module and ``Http.call``.
        """

        def once() -> None:
            sink.restart()
            self._walk(path, parts, sink, limit)

        self.http.repeat(once)

    def _walk(self, path: str, parts: Mapping[str, str], sink: Sink, limit: int) -> None:
        target = self.http.ask(path, parts, lambda answer: self._take(answer, sink, limit))
        for _ in range(MOST_REDIRECTS):
            if target is None:
                return
            address = self._checked(target)
            if origin(address) == self._own():
                target = self.http.ask(target, {}, lambda answer: self._take(answer, sink, limit))
            else:
                target = self._ask_foreign(address, sink, limit)
        if target is not None:
            raise Unfit(self._tracker, f"more than {MOST_REDIRECTS} redirects on the way to a file")

    def _take(self, answer: requests.Response, sink: Sink, limit: int) -> str | None:
        """Read an answer's body into the sink, or return where a redirect leads."""
        if answer.status_code in _REDIRECTS:
            return self._joined(answer.url, answer.headers.get("Location", ""))
        self._drain(answer.raw, answer.headers, sink, limit)
        return None

    def _drain(self, raw: Any, headers: Mapping[str, str], sink: Sink, limit: int) -> None:
        started, size, arrived = self._clock.now(), 0, 0
        announced = headers.get("Content-Length", "")

        def counted() -> Iterator[bytes]:
            nonlocal arrived
            try:
                while portion := raw.read1(PORTION, decode_content=False):
                    arrived += len(portion)
                    self._insist_on_pace(arrived, started)
                    yield portion
            except urllib3.exceptions.HTTPError as error:
                raise requests.ConnectionError(error) from error

        for portion in _unpacked(counted(), headers.get("Content-Encoding", ""), self._tracker):
            size += len(portion)
            if size > limit:
                raise Unfit(self._tracker, f"the file's bytes go on beyond the {limit} that were announced")
            sink.write(portion)
        if announced.isdecimal() and arrived < int(announced):
            raise Again(Unreachable(self._tracker, "the connection broke in the middle of a file"))

    def _insist_on_pace(self, arrived: int, started: int) -> None:
        seconds = (self._clock.now() - started) / SECOND - GRACE
        if seconds > 0 and arrived < seconds * SLOWEST:
            raise Unfit(self._tracker, f"the file's bytes come more slowly than {SLOWEST} a second")

    # -- elsewhere --

    def _own(self) -> tuple[str, str, int]:
        return origin(urlsplit(self.http.url))

    def _joined(self, base: str, location: str) -> str:
        try:
            return urljoin(base, location)
        except ValueError:
            raise Unfit(self._tracker, _NO_ADDRESS) from None

    def _checked(self, target: str) -> SplitResult:
        """A redirect's target, if it is an address that we go to at all."""
        try:
            address = urlsplit(target)
            port = address.port
        except ValueError:
            raise Unfit(self._tracker, _NO_ADDRESS) from None
        plain = address.scheme == "http" and self._own()[0] == "http"
        if (address.scheme != "https" and not plain) or not address.hostname or port == 0:
            raise Unfit(self._tracker, "a file is redirected to something that is not https")
        if address.username is not None or address.password is not None:
            raise Unfit(self._tracker, "a file is redirected to an address with a login in it")
        return address

    def _ask_foreign(self, address: SplitResult, sink: Sink, limit: int) -> str | None:
        """Ask another host, without any login, at an address that was checked."""
        scheme, host, port = origin(address)
        place = self._place(host, port, named=self._named(scheme, host, port))
        target = (address.path or "/") + (f"?{address.query}" if address.query else "")
        shown = f"[{host}]" if ":" in host else host
        headers = {
            "Host": shown if port == _PORTS[scheme] else f"{shown}:{port}",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
        }
        timeout = urllib3.Timeout(connect=self._settings.connect_timeout, read=self._settings.read_timeout)
        with self._pool(scheme, host, place, port, timeout) as pool:
            try:
                answer = pool.urlopen(
                    "GET",
                    target,
                    headers=headers,
                    redirect=False,
                    retries=False,
                    preload_content=False,
                    decode_content=False,
                    assert_same_host=False,
                )
            except urllib3.exceptions.HTTPError as error:
                words = f"the media host {host} does not answer ({type(error).__name__})"
                raise Again(Unreachable(self._tracker, words)) from error
            try:
                return self._take_foreign(answer, address, sink, limit)
            except requests.RequestException as error:
                words = f"the connection to the media host {host} broke in the middle of a file"
                raise Again(Unreachable(self._tracker, words)) from error
            finally:
                answer.close()

    def _take_foreign(
        self, answer: urllib3.BaseHTTPResponse, address: SplitResult, sink: Sink, limit: int
    ) -> str | None:
        status, host = answer.status, address.hostname
        if status in _REDIRECTS:
            return self._joined(address.geturl(), answer.headers.get("Location", ""))
        if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            raise Gone(self._tracker, f"the media host {host} does not have the file")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
            raise Again(Unreachable(self._tracker, f"the media host {host} answers with HTTP {status}"))
        if status != HTTPStatus.OK:
            raise Refused(self._tracker, f"the media host {host} answers with HTTP {status}", status=status)
        self._drain(answer, answer.headers, sink, limit)
        return None

    def _pool(
        self, scheme: str, host: str, place: str, port: int, timeout: urllib3.Timeout
    ) -> urllib3.HTTPConnectionPool:
        if scheme == "http":
            return urllib3.HTTPConnectionPool(place, port, timeout=timeout, maxsize=1)
        trust = ssl.create_default_context(cafile=requests.utils.DEFAULT_CA_BUNDLE_PATH)
        if self._settings.ca_file:
            trust.load_verify_locations(self._settings.ca_file)
        return urllib3.HTTPSConnectionPool(
            place,
            port,
            timeout=timeout,
            maxsize=1,
            ssl_context=trust,
            server_hostname=host,
            assert_hostname=host,
        )

    def _named(self, scheme: str, host: str, port: int) -> bool:
        """Whether the operator has named this host, for its usual port or with this one."""
        known = {name.casefold() for name in self._settings.media_hosts}
        shown = f"[{host}]" if ":" in host else host
        return f"{shown}:{port}" in known or (port == _PORTS[scheme] and shown in known)

    def _place(self, host: str, port: int, *, named: bool) -> str:
        """The address to connect to.

        Raises:
            Unfit: the host, or any of its addresses, is none of the public internet and was not named.
        """
        try:
            found = self._resolve(host, port)
        except OSError as error:
            raise Again(Unreachable(self._tracker, f"the media host {host} is unknown")) from error
        if not found:
            raise Again(Unreachable(self._tracker, f"the media host {host} has no address"))
        if not named and not all(public(one) for one in found):
            raise Unfit(
                self._tracker,
                f"a file is redirected to {host}, which is not on the public internet; if that is right, name it"
                " under 'media-hosts'",
            )
        return found[0]


def open_transfers(
    settings: TrackerSettings, http: Http, clock: Clock, make: Callable[[], Session]
) -> Transfers:
    """Transfers that share the tracker's budget, over sessions of their own."""
    return Transfers(settings, http.beside(make), clock)


def patient_session(
    settings: TrackerSettings,
    headers: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
    *,
    url: str = "",
) -> PlainSession:
    """A session for bytes: a large body may be longer on its way than a connection may take.

    Args:
        settings: address, time-outs, certificate authority.
        headers: sent with every request.
        auth: user and password of basic authentication.
        url: base address, where it is not the settings' (a gateway).
    """
    patience = max(settings.connect_timeout, settings.read_timeout)
    return PlainSession(
        url or settings.url,
        timeout=(patience, settings.read_timeout),
        headers=headers,
        auth=auth,
        ca_file=settings.ca_file,
    )


def public(address: str) -> bool:
    """Whether an address is on the public internet.

    Not: loopback, private, link-local (169.254.169.254 is where clouds tell secrets), shared (CGNAT), unique-local,
    multicast, reserved, or an IPv6 address that stands for such an IPv4 address (mapped, 6to4, Teredo, NAT64).
    """
    try:
        one = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(one, ipaddress.IPv6Address):
        inner = [one.ipv4_mapped, one.sixtofour, *(one.teredo or ())]
        if one in _NAT64:
            inner.append(ipaddress.IPv4Address(int(one) & 0xFFFFFFFF))
        if any(not public(str(part)) for part in inner if part is not None):
            return False
        if one.ipv4_mapped is not None or one in _NAT64:
            return True
    return one.is_global and not one.is_multicast and not one.is_reserved


def _addresses(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _unpacked(portions: Iterator[bytes], encoding: str, tracker: str) -> Iterator[bytes]:
    """The bytes without the packing of the transport, never more than a portion at a time."""
    match encoding.strip().casefold():
        case "" | "identity":
            yield from portions
            return
        case "gzip" | "x-gzip":
            press = zlib.decompressobj(wbits=31)
        case "deflate":
            press = zlib.decompressobj()
        case other:
            raise Unfit(tracker, f"a file is sent in the packing {other[:20]!r}, which was not asked for")
    try:
        for portion in portions:
            rest = portion
            while rest and not press.eof:
                yield press.decompress(rest, PORTION)
                rest = press.unconsumed_tail
    except zlib.error:
        raise Unfit(tracker, "a file is sent in a broken packing") from None
