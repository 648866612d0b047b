"""What a run did, kept while it acts, to be stored in one transaction at its end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import Refused, TrackerError
from bridge.store.rows import Letter
from bridge.sync.agreement import PERSON_FIELDS
from bridge.sync.base import CommentPair, PartPair
from bridge.sync.holding import Hold
from bridge.sync.plan import Finding
from bridge.sync.ticket import Side, Value


@dataclass(frozen=True, slots=True)
class Withheld:
    """What a run that may not write would have done.

    Attributes:
        why: what restrains it, for people.
        actions: how many writes it planned.
        findings: how many findings it had.
    """

    why: str
    actions: int
    findings: int


@dataclass(slots=True)
class Books:
    """What a run did, to be stored in one transaction.

    Attributes:
        settled: field -> (internal, vendor): the new base.
        written: side -> the tracker's time of our newest write.
        underway: side -> (before, halfway) of a walk through the workflow; see ``Base.underway``.
        journal: (event, data) in order.
        pairs: comment pairs to be stored; ``id`` 0 means a new one.
        parts: pairs of parts to be stored; ``id`` 0 means a new one.
        shown: side -> (gone, new): what our writes changed of the relations and worklogs that it shows.
        waits: related tickets that are not mirrored; see ``Plan.waits``.
        refused: what trackers refused, in their words.
        findings: findings that came up while acting.
        writes: how many requests changed something.
        created: True when a ticket was created: the next round has more to do.
        cleared: True when a copy was taken back that may cross anew: the link is looked at once more, in a run of its
            own, for a second plan in this one would not know what the first has written.
        deferred: True when texts wait for files that have crossed by now: the link is looked at once more.
        holds: field -> its hold as the plan has it; see ``Plan.holds``.
        parted: why the link has ended; None while it goes on.
        again: when to look again at the latest, if the link is parked (microseconds).
        look: when to look again at the latest, whatever becomes of the link: something waits for that time.
        notes: facts to be remembered, by their key; None: to be forgotten.
        letters: mails that are owed.
        withheld: what was planned and not written, because the run may not write; None when it may.
    """

    settled: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    written: dict[Side, int] = field(default_factory=dict)
    underway: dict[Side, tuple[str, str]] = field(default_factory=dict)
    journal: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    pairs: list[CommentPair] = field(default_factory=list)
    parts: list[PartPair] = field(default_factory=list)
    shown: dict[Side, tuple[set[str], set[str]]] = field(default_factory=dict)
    waits: set[tuple[Side, str]] = field(default_factory=set)
    refused: list[Finding] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    writes: int = 0
    created: bool = False
    cleared: bool = False
    deferred: bool = False
    parted: Finding | None = None
    again: int | None = None
    holds: dict[str, Hold] = field(default_factory=dict)
    look: int | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)
    withheld: Withheld | None = None

    def look_by(self, moment: int | None) -> None:
        """Have the link looked at again by that time (microseconds), if one is given."""
        if moment is not None:
            self.look = moment if self.look is None else min(self.look, moment)

    def showed(self, side: Side, *, gone: Iterable[str] = (), new: Iterable[str] = ()) -> None:
        """Note what a write of ours changed of the relations and worklogs that a side shows."""
        before, after = self.shown.setdefault(side, (set(), set()))
        before.update(gone)
        after.update(new)

    def wrote(self, side: Side, at: int, event: str, data: Mapping[str, Any]) -> None:
        """Note one successful write."""
        self.written[side] = max(at, self.written.get(side, 0))
        self.journal.append((event, {"side": side.value, **data}))
        self.writes += 1

    def turned_down(self, side: Side, what: str, error: TrackerError) -> None:
        """Note a request that surely changed nothing: the sort of answer and its status, never its words.

        Args:
            side: where.
            what: what it was to do, e.g. ``comment``.
            error: the answer, or the lack of one.
        """
        sort = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()
        data: dict[str, Any] = {"side": side.value, "what": what, "error": sort}
        if isinstance(error, Refused):
            data["http"] = error.status
        self.journal.append(("request.refused", data))

    def left_open(self, side: Side, what: str) -> None:
        """Note a request that may have changed something, and that the next look at both sides will tell."""
        self.journal.append(("outcome.unknown", {"side": side.value, "what": what}))


def refused_field(side: Side, name: str, value: Value, words: str) -> Finding:
    """What is told of one field that a tracker refused.

    A person whom the tracker does not take (deactivated, without rights in the project) is nobody's mistake in the
    ticket: the link goes on, and now and then the field is tried again.
    """
    if name in PERSON_FIELDS and value is not None:
        return Finding(
            "person-inactive", side, name, f"the {side} tracker does not take the person of {name}: {words}"
        )
    return Finding("refused", side, name, words)
