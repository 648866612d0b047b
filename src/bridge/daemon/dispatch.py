"""Who works on which link when: wake-ups in, one worker per link at a time.

The queue carries wake-ups only and may be lost at any moment: the store's due index is the truth, and the sweep puts
back whatever is due. So a wake-up that arrives while its link is being worked on could be dropped here without harm:
the store has counted it; it is answered by a second run at once only because that is sooner. The protocol is small, so
that a simulated world can drive the same worker with a seeded scheduler.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Protocol

import structlog
from pgqueuer import PgQueuer
from pgqueuer.models import Job

log = structlog.get_logger(__name__)

MOST_AGAIN = 3
"""Times that a link woken during its own run is worked on again at once; then others have their turn first."""

Handle = Callable[[int], object]
"""Works on one link, by its row id; its errors are its own affair."""


class Dispatcher(Protocol):
    """Takes wake-ups, calls the handler, never twice at once for one link."""

    def wake(self, links: Sequence[int], *, swept: bool = False) -> None:
        """Have these links worked on soon; those already waiting are left as they are.

        One under way is worked on once more at its end, unless it was only ``swept`` up: it looks due as long as it is
        under way.
        """

    def stop(self, grace: float) -> bool:
        """Take nothing more and wait for what is under way; False when the grace (seconds) was too short."""


class QueueDispatcher:
    """pgqueuer in memory, on its own event loop, with a pool of worker threads.

    Args:
        handle: the work.
        threads: links worked on at once.
    """

    def __init__(self, handle: Handle, threads: int) -> None:
        self._handle = handle
        self._threads = max(2, threads)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="link")
        self._ready = threading.Event()
        self._idle = threading.Condition()
        self._under_way: set[int] = set()
        self._again: set[int] = set()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: PgQueuer | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)
        self._thread.start()
        self._ready.wait()

    def wake(self, links: Sequence[int], *, swept: bool = False) -> None:
        """See :class:`Dispatcher`."""
        loop = self._loop
        if not links or self._stopping or loop is None or loop.is_closed():
            return
        if not swept:
            with self._idle:
                self._again.update(self._under_way.intersection(links))
        asyncio.run_coroutine_threadsafe(self._enqueue(list(links)), loop)

    def stop(self, grace: float) -> bool:
        """See :class:`Dispatcher`."""
        self._stopping = True
        with self._idle:
            finished = self._idle.wait_for(lambda: not self._under_way, timeout=grace)
        if self._loop is not None and self._queue is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._queue.shutdown.set)
        self._thread.join(timeout=5)
        self._pool.shutdown(wait=finished, cancel_futures=True)
        return finished

    @property
    def alive(self) -> bool:
        """Whether wake-ups are still being handled."""
        return self._thread.is_alive()

    async def _enqueue(self, links: list[int]) -> None:
        assert self._queue is not None
        assert self._queue.queries is not None
        count = len(links)
        await self._queue.queries.enqueue(
            ["link"] * count,
            [str(link).encode() for link in links],
            [0] * count,
            dedupe_key=[str(link) for link in links],
            on_conflict="skip",
        )

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue = queue = PgQueuer.in_memory()

        @queue.entrypoint("link")
        async def work(job: Job) -> None:
            assert job.payload is not None
            assert self._loop is not None
            await self._loop.run_in_executor(self._pool, self._one, int(job.payload))

        self._ready.set()
        await queue.run(
            dequeue_timeout=timedelta(seconds=1),
            batch_size=self._threads // 2,
            max_concurrent_tasks=self._threads,
            # Long: in memory nobody else could take a job over, and a second run of a slow one helps nobody.
            heartbeat_timeout=timedelta(hours=1),
        )

    def _one(self, link: int) -> None:
        with self._idle:
            if self._stopping or link in self._under_way:
                return
            self._under_way.add(link)
        try:
            self._handle(link)
            for _ in range(MOST_AGAIN):
                with self._idle:
                    if link not in self._again or self._stopping:
                        break
                    self._again.discard(link)
                self._handle(link)
        except Exception:  # the handler keeps its own books; the sweep brings the link back
            log.exception("dispatch_failed", link=link)
        finally:
            with self._idle:
                self._under_way.discard(link)
                self._again.discard(link)
                self._idle.notify_all()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # the supervisor must see this thread's death, whatever it was
            self._failure = error
            log.exception("dispatcher_died")
        finally:
            self._ready.set()
