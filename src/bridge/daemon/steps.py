"""Workflow steps seen so far, so that a known way costs no look-up. When a step fails, it is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from bridge.sync.ticket import Transition

Workflow = tuple[str, str, str]
"""(tracker, project, ticket type): what a workflow belongs to."""


class StepMemory:
    """status -> steps offered from it, per workflow."""

    def __init__(self) -> None:
        self._seen: dict[Workflow, dict[str, tuple[Transition, ...]]] = {}
        self._lock = threading.Lock()

    def seen(self, workflow: Workflow) -> Mapping[str, tuple[Transition, ...]]:
        """All steps known of a workflow."""
        with self._lock:
            return dict(self._seen.get(workflow, {}))

    def learn(self, workflow: Workflow, status: str, steps: Sequence[Transition]) -> None:
        """Remember what was offered; nothing offered is not remembered, for it may be a missing right."""
        if steps:
            with self._lock:
                self._seen.setdefault(workflow, {})[status] = tuple(steps)

    def forget(self, workflow: Workflow, status: str) -> None:
        """Drop what is known from a status: it was not true."""
        with self._lock:
            self._seen.get(workflow, {}).pop(status, None)
