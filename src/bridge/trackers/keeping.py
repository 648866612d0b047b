"""Answers that are believed for a while, so that names, people and logins are not asked for at every step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

_T = TypeVar("_T")


class Keeper:
    """Keeps answers, shared by all threads.

    Args:
        now: the time, microseconds.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._shelf: dict[Hashable, tuple[int, Any]] = {}

    def kept(self, key: Hashable, keep: int, ask: Callable[[], _T]) -> _T:
        """The answer of ``ask``, at most ``keep`` microseconds old.

        Two threads may ask at once: that is only one request more.
        """
        now = self._now()
        with self._lock:
            asked, answer = self._shelf.get(key, (None, None))
        if asked is not None and now - asked < keep:
            return cast("_T", answer)
        fresh = ask()
        with self._lock:
            self._shelf[key] = (now, fresh)
        return fresh
