"""The web server on its socket: uvicorn in a thread of the daemon, with an event loop of its own.

It is made to stand behind a reverse proxy, which adds TLS and should pass on ``/hooks/`` and ``/ack/`` only. Should
somebody reach it directly, slow or silent callers are hung up on, and callers' addresses are believed from named
proxies alone.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from bridge.config.settings import WebSettings
from bridge.daemon.acknowledging import PATH
from bridge.daemon.brakes import all_pulled
from bridge.daemon.hints import HintDesk
from bridge.daemon.house import House
from bridge.errors import CannotListen, StoreError
from bridge.sync.moments import to_second
from bridge.web import metrics
from bridge.web.acknowledge import Acknowledging
from bridge.web.intake import Intake

log = structlog.get_logger(__name__)

HEAD_SECONDS = 10.0
"""Seconds in which a request's head must have arrived, on a new connection and on one that is used again."""

CONNECTIONS = 1_000
"""Connections at once; more are answered with 503."""

START_SECONDS = 10.0
STOP_SECONDS = 15


class WebServer:
    """Listens for webhooks, and tells health and metrics. Implements :class:`bridge.daemon.service.Listener`.

    Args:
        house: the running parts.
        settings: where to listen.

    Attributes:
        port: where it does listen.
    """

    def __init__(self, house: House, settings: WebSettings) -> None:
        self._house = house
        self._settings = settings
        self.port = settings.port
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._intake: Intake | None = None

    def open(self, desk: HintDesk, ready: Callable[[], bool]) -> None:
        """See :class:`bridge.daemon.service.Listener`.

        Raises:
            CannotListen: the address is taken, or not ours.
        """
        sock = _bind(self._settings)
        self.port = sock.getsockname()[1]
        self._intake = Intake(self._house, desk)
        started = threading.Event()
        self._server = _Server(_config(self._app(self._intake, ready), self._settings), started)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [sock]}, name="web", daemon=True
        )
        self._thread.start()
        if not started.wait(START_SECONDS):
            raise CannotListen(f"the web server did not start on {self._settings.host}")
        log.info("web_listening", host=self._settings.host, port=self.port)

    def close(self) -> None:
        """See :class:`bridge.daemon.service.Listener`."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(STOP_SECONDS + 5)
        if self._intake is not None:
            self._intake.close()

    def _app(self, intake: Intake, ready: Callable[[], bool]) -> Starlette:
        async def live(_: Request) -> Response:
            return PlainTextResponse("alive\n")

        async def is_ready(_: Request) -> Response:
            if not ready():
                return PlainTextResponse("not ready\n", 503)
            try:
                braked = await run_in_threadpool(self._braked)
            except StoreError as error:
                log.error("store_failed", words=str(error))
                return PlainTextResponse("the database cannot be read\n", 503)
            return PlainTextResponse("".join(["ready\n", *braked]))

        async def tell(_: Request) -> Response:
            try:
                text = await run_in_threadpool(metrics.render, self._house, intake.refusals.counts())
            except StoreError as error:
                log.error("store_failed", words=str(error))
                return PlainTextResponse("the database cannot be read\n", 503)
            return Response(text, headers={"Content-Type": metrics.CONTENT_TYPE})

        page = Acknowledging(self._house)
        pages = [
            Route(f"{PATH}{{token}}", page.press, methods=["POST"]),
            Route(f"{PATH}{{token}}", page.show, methods=["GET"]),
        ]
        return Starlette(
            routes=[
                *(pages if self._settings.public_url else ()),
                Route("/hooks/{path:path}", intake.take, methods=["POST"]),
                Route("/health/live", live),
                Route("/health/ready", is_ready),
                Route("/metrics", tell),
            ]
        )

    def _braked(self) -> list[str]:
        """A line for each brake that is pulled. No restart would help: the daemon is ready, and does as it should."""
        with self._house.store.read() as tx:
            brakes = all_pulled(tx)
        return [
            f"brake pulled: {one.agreement}, since {to_second(one.since)}: {one.words}\n" for one in brakes
        ]


class _Server(uvicorn.Server):
    """uvicorn, telling when it listens."""

    def __init__(self, config: uvicorn.Config, started: threading.Event) -> None:
        super().__init__(config)
        self._listening = started

    async def main_loop(self) -> None:
        """Serve until told to stop."""
        self._listening.set()
        await super().main_loop()


class _Impatient(H11Protocol):
    """uvicorn's HTTP, hanging up on callers who do not get to the end of a request's head in time.

    uvicorn itself limits only the pause between two requests.
    """

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget()

    def _watch(self) -> None:
        between = self.cycle is None or self.cycle.response_complete
        if not between:
            self._forget()
        elif self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self._hang_up)

    def _hang_up(self) -> None:
        self._late = None
        if not self.transport.is_closing():
            self.transport.close()

    def _forget(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def _bind(settings: WebSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each answer waits 40 ms.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((settings.host, settings.port))
        sock.listen(512)
    except OSError as error:
        sock.close()
        raise CannotListen(
            f"nothing can listen on {settings.host} port {settings.port}: {error.strerror}"
        ) from error
    return sock


def _config(app: Starlette, settings: WebSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Impatient,
        ws="none",
        lifespan="off",
        log_level="critical",  # a stranger's broken request is no news; what matters we log ourselves
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=["127.0.0.1", "::1", *settings.proxies],
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=int(HEAD_SECONDS),
        timeout_graceful_shutdown=STOP_SECONDS,
    )
