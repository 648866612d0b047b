"""What a run did, kept while it acts, to be stored in one transaction at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.sync.base import CommentPair, PartPair
from bridge.sync.plan import Finding
from bridge.sync.ticket import Side, Value


@dataclass(slots=True)
class Books:
    """What a run did, to be stored in one transaction.

    Attributes:
        settled: field -> (internal, vendor): the new base.
        written: side -> the tracker's time of our newest write.
        underway: side -> (before, halfway) of a walk through the workflow; see ``Base.underway``.
        journal: (event, data) in order.
        pairs: comment pairs to be stored; ``id`` 0 means a new one.
        refused: what trackers refused, in their words.
        findings: findings that came up while acting.
        parts: records of files to be stored; ``id`` 0 means a new one.
        writes: how many requests changed something.
        created: True when a ticket was created: the next round has more to do.
        deferred: True when texts wait for files that have crossed by now: the link is looked at once more.
    """

    settled: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    written: dict[Side, int] = field(default_factory=dict)
    underway: dict[Side, tuple[str, str]] = field(default_factory=dict)
    journal: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    pairs: list[CommentPair] = field(default_factory=list)
    refused: list[Finding] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    parts: list[PartPair] = field(default_factory=list)
    writes: int = 0
    created: bool = False
    deferred: bool = False

    def wrote(self, side: Side, at: int, event: str, data: Mapping[str, Any]) -> None:
        """Note one successful write."""
        self.written[side] = max(at, self.written.get(side, 0))
        self.journal.append((event, {"side": side.value, **data}))
        self.writes += 1
