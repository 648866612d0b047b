"""What has been decided about the fields of a link, gathered into actions, findings, holds and questions."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.sync.agreement import FieldRule
from bridge.sync.enforcing import Judged
from bridge.sync.holding import Hold
from bridge.sync.mapping import same
from bridge.sync.merge import MISSING, Agreed, Cross, NeedTimes, Now, Outcome, Stuck
from bridge.sync.ownership import Authorship, authorship
from bridge.sync.plan import Decision, Finding, LinkView, SetStatus, UpdateFields
from bridge.sync.ticket import Side, Value

_SOMEBODYS = frozenset({"changed", "newest", "approved"})
"""Reasons for a write that carries what somebody has changed, rather than what was there before."""


@dataclass(slots=True)
class Sheet:
    """What has been decided about the fields so far."""

    updates: dict[Side, list[tuple[Decision, tuple[Value, Value]]]] = field(
        default_factory=lambda: {side: [] for side in Side}
    )
    statuses: list[SetStatus] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    settled: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    coincided: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    holds: list[Hold] = field(default_factory=list)
    asks: set[Side] = field(default_factory=set)
    deferred: bool = False

    def note(self, rule: FieldRule, judged: Judged) -> None:
        """Take in what was found out about who may change a field."""
        if judged.hold is not None:
            self.holds.append(judged.hold)
        if judged.held is not None:
            self.findings.append(Finding("held", judged.held.side, rule.name, judged.held.message))
        self.asks |= judged.asks

    def enter(self, rule: FieldRule, now: Now, outcome: Outcome, judged: Judged, link: LinkView) -> None:
        """Take in the outcome of one field.

        Args:
            rule: its rule.
            now: the field.
            outcome: what becomes of it.
            judged: the judgement that this rests on.
            link: both sides, with the histories asked so far.
        """
        match outcome:
            case Agreed():
                self.settled[rule.name] = (now.internal, now.vendor)
                if (now.base_internal is MISSING) == (now.base_vendor is MISSING):
                    # Not the side that we created ourselves, at our first look at it.
                    self.coincided.add(rule.name)
            case NeedTimes():
                self.unsure.add(rule.name)
            case Stuck(kind=kind, side=side, message=message):
                self.findings.append(Finding(kind, side, rule.name, message))
            case Cross():
                self._write(rule, now, outcome, judged, link)

    def _write(self, rule: FieldRule, now: Now, found: Cross, judged: Judged, link: LinkView) -> None:
        if all(same(now.value(side), value) for side, value in found.writes.items()):
            # Written already, by a run that could not note it.
            # What of a set is held stays a change.
            self.settled[rule.name] = found.base if judged.held is not None else (now.internal, now.vendor)
        for side, value in found.writes.items():
            if same(now.value(side), value):
                continue
            before = now.value(side)
            made = judged.made or self._author(rule, found, link)
            decision = Decision(
                rule.name,
                side,
                before,
                value,
                found.winner,
                found.why,
                found.loser,
                who=made.person,
                event=made.event,
                by=judged.by,
                flagged=judged.flagged,
            )
            if rule.name == "status":
                self.statuses.append(_status(rule, found, decision))
            else:
                self.updates[side].append((decision, found.base))

    def _author(self, rule: FieldRule, found: Cross, link: LinkView) -> Authorship:
        """Who made the change that crosses; its history is asked for if it was not."""
        if found.winner is None or found.why not in _SOMEBODYS:
            return Authorship()
        made = authorship(link, rule, found.winner)
        if made is None:
            self.asks.add(found.winner)
        return made or Authorship()

    def field_actions(self) -> list[UpdateFields]:
        """One write per side for all its fields but the status."""
        return [
            UpdateFields(
                side,
                {decision.field: decision.after for decision, _ in changes},
                {decision.field: base for decision, base in changes},
                tuple(decision for decision, _ in changes),
            )
            for side, changes in self.updates.items()
            if changes
        ]


def _status(rule: FieldRule, found: Cross, decision: Decision) -> SetStatus:
    goal, via = str(decision.after), rule.via.get(decision.to, {})
    fill = rule.fill.get(decision.to, {})
    return SetStatus(decision.to, goal, found.base, decision, tuple(via.get(goal, ())), fill)
