"""A wire between the adapter and its tracker that loses answers, gives wrong ones, and notes what went through.

It is an HTTP proxy in reverse: the adapter is given its address instead of the tracker's. So every adapter that
speaks HTTP can be tried with the faults that lose data in practice, whatever its tracker: the request that was
done though nobody heard the answer, the login page of a proxy, the request to stay away.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})

_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "proxy-authenticate"})
"""Headers that belong to one connection (RFC 9110, 7.6.1); the length is written anew."""


@dataclass
class Fault:
    """What goes wrong with requests.

    Attributes:
        kind: ``lose``: the request is done, the connection closes without an answer. ``answer``: the request is
            not done, and answered with what follows.
        methods: which requests are hit.
        times: how many at most.
        status: of the answer.
        body: of the answer.
        headers: of the answer.
    """

    kind: str
    methods: frozenset[str] = WRITES
    times: int = 1
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    fired: int = 0


class Wire:
    """One proxy, as a context manager.

    Args:
        upstream: the tracker's base address.

    Attributes:
        url: the base address to give to the adapter.
        passed: method and path of the requests that reached it, oldest first.
    """

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self._fault: Fault | None = None
        self._lock = threading.Lock()
        self.passed: list[tuple[str, str]] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.wire = self
        self.url = f"http://127.0.0.1:{self._server.server_port}{self._upstream.path.rstrip('/')}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def losing(self, times: int = 1) -> Iterator[Fault]:
        """The answers to so many requests that may write are lost; what they ask for is done."""
        with self._having(Fault("lose", times=times)) as fault:
            yield fault

    @contextmanager
    def answering(
        self,
        status: int,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        methods: frozenset[str] = WRITES | {"GET"},
    ) -> Iterator[Fault]:
        """Requests are answered so and never reach the tracker."""
        fault = Fault("answer", methods, 1_000_000, status, body, headers or {})
        with self._having(fault):
            yield fault

    @contextmanager
    def _having(self, fault: Fault) -> Iterator[Fault]:
        with self._lock:
            self._fault = fault
        try:
            yield fault
        finally:
            with self._lock:
                self._fault = None

    def hit(self, method: str, path: str) -> Fault | None:
        """Note a request; returns the fault that it meets."""
        with self._lock:
            self.passed.append((method, path))
            fault = self._fault
            if fault is None or fault.fired >= fault.times or method not in fault.methods:
                return None
            fault.fired += 1
            return fault

    def forward(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Have the tracker do a request: status, headers, body."""
        secure = self._upstream.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = connect(self._upstream.netloc, timeout=60)
        try:
            kept = {name: value for name, value in headers.items() if name.lower() not in _HOP}
            connection.request(method, path, body or None, kept | {"Host": self._upstream.netloc})
            answer = connection.getresponse()
            content = answer.read()
            shown = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP]
            return answer.status, shown, content
        finally:
            connection.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    wire: Wire

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is the adapter's to notice."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        wire = self.server.wire
        fault = wire.hit(self.command, self.path)
        if fault is not None and fault.kind == "answer":
            self._answer(fault.status, list(fault.headers.items()), fault.body)
            return
        status, headers, content = wire.forward(self.command, self.path, dict(self.headers.items()), body)
        if fault is not None:
            self.close_connection = True
            return
        self._answer(status, headers, content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the names that the server looks for

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: addresses may hold what nobody should read in a log."""
