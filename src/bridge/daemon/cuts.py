"""How often rules have cut something out of what was written: numbers for the metrics, and nothing else."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

from bridge.sync.ticket import Side


class Redactions:
    """How often each rule of each agreement has cut something out, since the start. Shared by all threads."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._lock = threading.Lock()

    def add(self, agreement: str, to: Side, counts: Mapping[str, int]) -> None:
        """Count what went to a side."""
        with self._lock:
            for rule, count in counts.items():
                self._counts[agreement, rule, to.value] += count

    def report(self) -> Mapping[tuple[str, str, str], int]:
        """(agreement, rule, side) -> how often."""
        with self._lock:
            return dict(self._counts)
