"""Whether webhooks still speak: what they announced, beside what the polls had to find by themselves.

A webhook that was switched off, or whose secret was changed on one side only, makes no sound: changes go on crossing,
only later. So each change that a poll is the first to see is remembered for a minute; one that no hook has announced by
then was missed. After three of those in a row, without a word from the hook, it is called silent, once; the next
accepted delivery ends that. What was changed while the bridge was down counts for nothing.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Literal

from bridge.clock import SECOND

PATIENCE = 60.0
"""Seconds that a hook may come after its change; Jira Cloud aims at 30."""

ENOUGH = 3
"""Changes missed in a row until a hook counts as silent."""

SLACK = 5 * SECOND
"""Microseconds by which clocks may differ when an announcement is held against a change."""

_MOST = 5_000

Outcome = Literal["accepted", "repeated"]


@dataclass(slots=True)
class _Hook:
    heard: int | None = None
    silent_since: int | None = None
    missed: int = 0
    accepted: int = 0
    repeated: int = 0
    announced: OrderedDict[str, int] = field(default_factory=OrderedDict)
    awaited: OrderedDict[str, tuple[int, int]] = field(default_factory=OrderedDict)
    told: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """How one tracker's hook fares, for metrics. Times in microseconds, None for never or not."""

    heard: int | None
    silent_since: int | None
    accepted: int
    repeated: int


class HookWatch:
    """The hooks of all trackers, by the trackers' names. Only a memory of this process; shared by all threads.

    Args:
        patience: seconds that a hook may come after its change.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = int(patience * SECOND)
        self._hooks: dict[str, _Hook] = {}
        self._lock = threading.Lock()
        self._since: int | None = None

    def begin(self, now: int, notes: dict[str, Any]) -> None:
        """Begin to watch, with what an earlier process knew: tracker -> note as :meth:`notes` gives it."""
        with self._lock:
            self._since = now
            for name, note in notes.items():
                hook = self._hook(name)
                hook.heard, hook.silent_since = note.get("heard"), note.get("silent_since")
                hook.told = dict(note)

    def spoke(self, tracker: str, tickets: tuple[str, ...], now: int, outcome: Outcome) -> bool:
        """A hook delivered something proven; returns whether that ends its silence."""
        with self._lock:
            hook = self._hook(tracker)
            ended = hook.silent_since is not None
            hook.heard, hook.silent_since, hook.missed = now, None, 0
            if outcome == "accepted":
                hook.accepted += 1
            else:
                hook.repeated += 1
            for ticket in tickets:
                hook.awaited.pop(ticket, None)
                hook.announced[ticket] = now
                hook.announced.move_to_end(ticket)
            while len(hook.announced) > _MOST:
                hook.announced.popitem(last=False)
            return ended

    def found(self, tracker: str, ticket: str, made: int, now: int) -> None:
        """A poll is the first to see a change of a ticket that was made at that time (by our clock)."""
        with self._lock:
            if self._since is None or made < self._since:
                return
            hook = self._hook(tracker)
            if hook.announced.get(ticket, 0) >= made - SLACK or len(hook.awaited) >= _MOST:
                return
            hook.awaited.setdefault(ticket, (made, now))

    def review(self, now: int) -> dict[str, int]:
        """Count what was awaited for too long; returns the hooks that fell silent by it, with what they missed."""
        silent: dict[str, int] = {}
        with self._lock:
            for name, hook in self._hooks.items():
                while hook.awaited and next(iter(hook.awaited.values()))[1] <= now - self._patience:
                    hook.awaited.popitem(last=False)
                    hook.missed += 1
                if hook.missed >= ENOUGH and hook.silent_since is None:
                    hook.silent_since = now
                    silent[name] = hook.missed
        return silent

    def notes(self) -> dict[str, dict[str, Any]]:
        """What is to be remembered of hooks about which something has changed since the last call."""
        changed: dict[str, dict[str, Any]] = {}
        with self._lock:
            for name, hook in self._hooks.items():
                note = {"heard": hook.heard, "silent_since": hook.silent_since}
                if note != hook.told:
                    hook.told = note
                    changed[name] = note
        return changed

    def report(self, tracker: str) -> Report:
        """How one hook fares."""
        with self._lock:
            hook = self._hooks.get(tracker) or _Hook()
            return Report(hook.heard, hook.silent_since, hook.accepted, hook.repeated)

    def _hook(self, name: str) -> _Hook:
        return self._hooks.setdefault(name, _Hook())
