"""Taking a webhook: limits, body, proof, one transaction, an answer. Nothing is parsed before it is proven.

Whoever cannot prove anything learns nothing: a wrong signature, an old one, none at all and an address that does not
exist get the same answer, after the same work. What is answered to a proven delivery decides whether the tracker sends
it again, so a database that is busy says 503 and everything else is taken: 204, also to a repetition.
"""

from __future__ import annotations

import asyncio
import secrets as random_secrets
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from bridge.clock import SECOND
from bridge.config.settings import Settings
from bridge.daemon.hints import Hint, HintDesk
from bridge.daemon.house import House
from bridge.errors import StoreError
from bridge.trackers.hooks import GENERIC, Complaint, HookKind, delivery_id, named, tells_delete
from bridge.trackers.registry import hook_kind
from bridge.web.gate import Full, Gate

log = structlog.get_logger(__name__)

LARGEST = 1024 * 1024
"""Bytes of a body at most. Jira sends up to 25 MB for tickets with many comments; those the polls find."""

SLOWEST = 10.0
"""Seconds in which a body must have arrived."""

TELLING = 60 * SECOND
"""Microseconds between two log lines about refused webhooks of one address for one reason."""

THREADS = 4
"""Threads that write hints into the store; it takes one at a time anyway."""

_NOBODY = random_secrets.token_hex(32)
"""What calls to addresses that do not exist are held against: the same work, and never a match."""


@dataclass(frozen=True, slots=True)
class _Door:
    """What stands behind an address; ``tracker`` is "" where nothing does."""

    tracker: str
    kind: HookKind
    secrets: tuple[str, ...]


class Refusals:
    """Refused webhooks, counted by tracker ("" for no address of ours) and reason; told once a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._told: dict[tuple[str, str], tuple[int, int]] = {}

    def add(self, tracker: str, reason: str, now: int) -> None:
        """Count one."""
        key = (tracker, reason)
        with self._lock:
            self._counts[key] += 1
            count = self._counts[key]
            at, before = self._told.get(key, (0, 0))
            if now - at < TELLING:
                return
            self._told[key] = (now, count)
        log.warning("webhook_refused", tracker=tracker, reason=reason, count=count - before)

    def counts(self) -> dict[tuple[str, str], int]:
        """How many there were."""
        with self._lock:
            return dict(self._counts)


class Intake:
    """The door for webhooks.

    Args:
        house: the running parts; secrets are those in force at each call.
        desk: takes what is proven.
    """

    def __init__(self, house: House, desk: HintDesk) -> None:
        self._house = house
        self._desk = desk
        self._gate = Gate()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="hook")
        self.refusals = Refusals()

    def close(self) -> None:
        """Return when what was taken is stored."""
        self._pool.shutdown(wait=True)

    async def take(self, request: Request) -> Response:
        """Answer one webhook."""
        now = self._house.clock.now()
        door = _door(self._house.terms.settings, request.path_params["path"])
        address = request.client.host if request.client is not None else ""
        try:
            with self._gate.call(address, now), self._gate.body() as body:
                async with asyncio.timeout(SLOWEST):
                    await _read(request, body.add)
                return await self._judge(door, request, bytes(body.content), now)
        except Full as full:
            self.refusals.add(door.tracker, "busy", now)
            return _again(full.status, full.seconds)
        except _TooLarge:
            self.refusals.add(door.tracker, "large", now)
            return PlainTextResponse("too large\n", 413, {"Connection": "close"})
        except TimeoutError:
            self.refusals.add(door.tracker, "slow", now)
            return PlainTextResponse("too slow\n", 408, {"Connection": "close"})
        except ClientDisconnect:
            self.refusals.add(door.tracker, "slow", now)
            return Response(status_code=400)  # nobody is there to read it

    async def _judge(self, door: _Door, request: Request, body: bytes, now: int) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        complaint: Complaint = door.kind.verify(headers, body, door.secrets, now)
        if complaint or not door.tracker:
            self.refusals.add(door.tracker, complaint if door.tracker else "address", now)
            return PlainTextResponse("refused\n", 401)
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._pool, self._store, door, headers, body, now)
        except StoreError as error:
            log.error("store_failed", words=str(error))
            return _again(503, 2)
        return Response(status_code=204)

    def _store(self, door: _Door, headers: dict[str, str], body: bytes, now: int) -> None:
        delivery = delivery_id(headers, body, door.kind, now)
        self._desk.take(Hint(door.tracker, delivery, named(body, door.kind), deleted=tells_delete(body)))


class _TooLarge(Exception):
    """The body is larger than we take."""


def _door(settings: Settings, path: str) -> _Door:
    for name, tracker in settings.trackers.items():
        if tracker.webhook is not None and tracker.webhook.path == path:
            known = tuple(one.get_secret_value() for one in tracker.webhook.secrets)
            return _Door(name, hook_kind(tracker.kind), known)
    return _Door("", GENERIC, (_NOBODY,))


async def _read(request: Request, add: Callable[[bytes], None]) -> None:
    """Read a body piece by piece, and stop at the limit."""
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > LARGEST:
        raise _TooLarge
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST:
            raise _TooLarge
        add(chunk)


def _again(status: int, seconds: int) -> Response:
    return PlainTextResponse(
        "try again later\n", status, {"Retry-After": str(seconds), "Connection": "close"}
    )
