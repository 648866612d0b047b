"""The simulator on a socket: a thin ASGI shell round the engine, and uvicorn in a thread for tests.

The shell is bare ASGI, because closing a connection without an answer (a fault that matters most) needs the
server's own transport, which frameworks hide.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from types import TracebackType
from typing import Any, Self

import uvicorn

from bridge.simulator.blobs import Blob, Writer
from bridge.simulator.engine import Simulator
from bridge.simulator.exchange import Answer, Request
from bridge.simulator.state import Site

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

START_SECONDS = 10.0


class SimulatorApp:
    """The ASGI application of one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        writer = Writer(self.simulator.site.folder)
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            writer.write(message.get("body", b""))
            if not message.get("more_body"):
                break
        body = writer.close()
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1").partition("?")[0]
        query = scope["query_string"].decode("latin-1")
        large = body if body.path is not None else None
        request = Request(scope["method"], path, query, headers, body.content, large)
        pending = self.simulator.begin(request)
        await _wait(pending.delay("before"))
        answer = self.simulator.finish(pending)
        await _wait(pending.delay("after"))
        if answer.hang_up:
            await _hang_up(send)
            return
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
        size, chunks = _body(answer)
        if size is not None:
            raw.append((b"content-length", str(size).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        sent = 0
        for chunk in chunks:
            portion = chunk if answer.cut is None else chunk[: answer.cut - sent]
            await send({"type": "http.response.body", "body": portion, "more_body": True})
            sent += len(portion)
            if answer.cut is not None and sent >= answer.cut:
                await _hang_up(send)
                return
            if size is None:
                await asyncio.sleep(0)
            if _gone(send):
                return
        await send({"type": "http.response.body", "body": b""})


def _body(answer: Answer) -> tuple[int | None, Iterator[bytes]]:
    """Return the size of an answer's body, None where it is not told, and its portions."""
    if isinstance(answer.body, Blob):
        return answer.body.size, answer.body.chunks()
    if isinstance(answer.body, Iterator):
        return None, answer.body
    content = answer.content()
    return len(content), iter((content,))


def _gone(send: Send) -> bool:
    """Tell whether the client has hung up."""
    cycle = getattr(send, "__self__", None)
    return bool(getattr(cycle, "disconnected", False))


async def _wait(seconds: float) -> None:
    if seconds > 0:
        await asyncio.sleep(seconds)


async def _hang_up(send: Send) -> None:
    """Close the connection without an answer, as a dying proxy does."""
    cycle = getattr(send, "__self__", None)  # uvicorn's request cycle, which owns the transport
    if cycle is None or not hasattr(cycle, "transport"):
        raise ConnectionResetError("the simulator hangs up")
    cycle.transport.close()
    while not cycle.disconnected:  # noqa: ASYNC110 - uvicorn offers a flag, not an event
        await asyncio.sleep(0)


class _Server(uvicorn.Server):
    """uvicorn, stopping at once instead of at its next tick: tests start and stop hundreds."""

    def __init__(self, config: uvicorn.Config, started: threading.Event) -> None:
        super().__init__(config)
        self._ready = started
        self._over = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Wait for the end."""
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._over.wait()

    def finish(self) -> None:
        """End the serving, from any thread."""
        self.should_exit = self.force_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._over.set)


class SimulatorServer:
    """A simulator served from a thread, as a context manager.

    Args:
        site: the site, or a ready-made simulator.
        host: loopback only.
        port: 0 takes a free one.

    Attributes:
        media_port: True serves the media host on a port of its own.
        url: where it listens; also the site's base URL unless it had one.
        site, calls, faults, hooks: the simulator's parts, for tests in the same process.
    """

    def __init__(
        self, site: Site | Simulator, host: str = "127.0.0.1", port: int = 0, *, media_port: bool = False
    ) -> None:
        if host not in {"127.0.0.1", "localhost", "::1"}:
            raise ValueError("the simulator listens on loopback only")
        self.simulator = site if isinstance(site, Simulator) else Simulator(site)
        self.site = self.simulator.site
        self.calls = self.simulator.calls
        self.faults = self.simulator.faults
        self.hooks = self.simulator.hooks
        self._address = (host, port)
        self.media_port = media_port
        self._sockets: list[socket.socket] = []
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self.url = ""

    def start(self) -> Self:
        """Begin to listen and return when requests are answered."""
        root, port = self._listen(self._address[1])
        if self.media_port:
            self.site.media_url = self._listen(0)[0]
        self.url = root + self.site.context_path
        self.site.base_url = self.site.base_url or root
        started = threading.Event()
        self._server = _Server(_config(SimulatorApp(self.simulator)), started)
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": self._sockets},
            name=f"simulator-{port}",
            daemon=True,
        )
        self._thread.start()
        if not started.wait(START_SECONDS):
            raise RuntimeError(f"the simulator did not start on port {port}")
        return self

    def stop(self) -> None:
        """Stop listening and wait for the thread."""
        self.simulator.hooks.close()
        if self._server is not None and self._thread is not None:
            self._server.finish()
            self._thread.join(START_SECONDS)
        for one in self._sockets:
            one.close()

    def _listen(self, port: int) -> tuple[str, int]:
        """Take a port; returns the address and the port."""
        host = self._address[0]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # asyncio sets TCP_NODELAY only where the protocol is named; without it each answer waits 40 ms
        taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
        self._sockets.append(taken)
        number = taken.getsockname()[1]
        return f"http://{f'[{host}]' if ':' in host else host}:{number}", number

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def serve(site: Site | Simulator, host: str = "127.0.0.1", port: int = 0) -> None:
    """Serve until interrupted: for the command line."""
    with SimulatorServer(site, host, port) as server:
        logging.getLogger(__name__).info("simulator %s listens on %s", server.site.name, server.url)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


def _config(app: SimulatorApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_level="warning",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,  # as proxies in front of a Jira have it; 5 s would hang up on clients that pause
    )
