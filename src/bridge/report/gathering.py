"""Gathering what a report is made of out of the store, in one reading; nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from bridge.report.facts import Case, Figures, Period, cases, figures
from bridge.report.measuring import Measured, measure
from bridge.store.database import Tx
from bridge.store.rows import Alert, Link
from bridge.sync.agreement import Agreement
from bridge.sync.chain import Head
from bridge.sync.holding import Hold
from bridge.sync.ticket import Side

_CROSSED = {
    "ticket.created": "tickets",
    "comment.added": "comments",
    "comment.edited": "comments",
    "file.added": "files",
    "field.written": "fields",
    "status.moved": "fields",
    "parent.set": "fields",
    "relation.added": "fields",
    "relation.removed": "fields",
    "worklog.added": "worklogs",
    "worklog.edited": "worklogs",
}
"""Entry of the journal -> what crossed then."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What reports on an agreement over a period are made of.

    Attributes:
        agreement: the terms.
        period: over which time.
        now: when this was gathered, microseconds.
        measured: what the clocks said at the period's end, or say now if it goes on.
        links: all links.
        holds: (link, hold) of those that are not over.
        alerts: steps of the ladder that were taken in the period.
        crossed: (side that it crossed to, what) -> how often.
        head: of the audit chain.
    """

    agreement: Agreement
    period: Period
    now: int
    measured: tuple[Measured, ...]
    links: tuple[Link, ...]
    holds: tuple[tuple[int, Hold], ...]
    alerts: tuple[Alert, ...]
    crossed: Mapping[tuple[Side, str], int]
    head: Head

    def figures(self, reader: Side, targets: Mapping[str, float]) -> Figures:
        """The figures as a side may see them.

        Args:
            reader: that side.
            targets: clock -> share that should be met.
        """
        return figures(
            self.agreement.name,
            reader,
            self.period,
            measured=self.measured,
            links=self.links,
            holds=self.holds,
            alerts=self.alerts,
            crossed=self.crossed,
            head=self.head,
            targets=targets,
            now=self.now,
        )

    def cases(self, reader: Side) -> tuple[Case, ...]:
        """The evidence as a side may see it."""
        return cases(self.measured, reader, self.period)


def gather(tx: Tx, agreement: Agreement, period: Period, now: int) -> Gathered:
    """What reports on an agreement over a period are made of.

    Args:
        tx: a transaction that reads.
        agreement: the terms.
        period: over which time.
        now: microseconds.

    Raises:
        StoreError: what is stored cannot be read.
    """
    links = tuple(tx.links.list(agreement.name))
    mine = {link.id for link in links}
    return Gathered(
        agreement=agreement,
        period=period,
        now=now,
        measured=tuple(measure(tx, agreement.name, min(now, period.until))),
        links=links,
        holds=tuple((link, hold) for link, hold in tx.holds.live() if link in mine),
        alerts=tuple(tx.alerts.between(agreement.name, period.since, period.until)),
        crossed=_crossed(tx, agreement.name, period),
        head=tx.journal.head(agreement.name),
    )


def _crossed(tx: Tx, agreement: str, period: Period) -> Mapping[tuple[Side, str], int]:
    found: Counter[tuple[Side, str]] = Counter()
    for (event, side), count in tx.journal.counts(agreement, period.since, period.until).items():
        if event in _CROSSED and side in {one.value for one in Side}:
            found[Side(side), _CROSSED[event]] += count
    return found
