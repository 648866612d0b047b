"""A server that answers byte for byte what a test tells it to, for answers that no decent tracker gives."""

from __future__ import annotations

import socket
import threading
import time
from typing import Self


class ScriptedServer:
    """Answers one connection after the other from a list of scripts; the last one is repeated.

    A script is the bytes of an answer, or a list of them and of seconds to wait in between. The connection is
    closed after each.
    """

    def __init__(self, *scripts) -> None:
        self.scripts = list(scripts)
        self.requests: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.requests.append(_whole_request(connection))
                script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                try:
                    for part in script if isinstance(script, list) else [script]:
                        if isinstance(part, bytes):
                            connection.sendall(part)
                        else:
                            time.sleep(part)
                except OSError:
                    pass  # the client hung up: that is what some tests are about

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


def _whole_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65_536)
        if not more:
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def answer(status: int, body: bytes = b"", *headers: str, date: bool = True) -> bytes:
    """The bytes of an answer."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", "Connection: close", *headers]
    if date:
        lines.append("Date: Sun, 22 Nov 2026 12:00:00 GMT")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
