"""Short words for policies and timelines, for the tests of the clocks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.sla.policy import ClockRule, Goal, Happening, Policy, Trigger
from bridge.sla.timeline import Entry, EntryKind, Timeline
from bridge.sync.ticket import Side

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
INTERNAL, VENDOR = Side.INTERNAL, Side.VENDOR

CREATED = Trigger(Happening.CREATED, words="created")
RESOLVED = Trigger(Happening.RESOLVED, words="resolved")
REOPENED = Trigger(Happening.REOPENED, words="reopened")
VENDOR_COMMENT = Trigger(Happening.COMMENT, side=VENDOR, words="vendor-comment")


def moment(text: str, zone: str = "UTC") -> int:
    """``2026-03-27 16:00`` in a zone, as microseconds."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return (local.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def goal(budget: int, *, calendar: str = "always", **when: str) -> Goal:
    """A goal; ``priority="P1"`` says for which tickets."""
    return Goal({name: frozenset(value.split("|")) for name, value in when.items()}, budget, calendar)


def always(budget: int, **when: str) -> Goal:
    """A goal round the clock."""
    return goal(budget, **when)


def clock(
    name: str = "resolve",
    start: Iterable[Trigger] = (CREATED,),
    stop: Iterable[Trigger] = (RESOLVED,),
    goals: Iterable[Goal] = (),
    **more,
) -> ClockRule:
    return ClockRule(name, tuple(start), tuple(stop), goals=tuple(goals), **more)


def policy(*clocks: ClockRule, resolved: str = "Resolved|Closed", **more) -> Policy:
    return Policy(clocks=clocks, resolved=frozenset(resolved.split("|")), **more)


class History:
    """A timeline in the making; every entry is some minutes after birth."""

    def __init__(self, born: int, origin: Side = INTERNAL, **start: str) -> None:
        self.born, self.origin, self.start = born, origin, start
        self.values = dict(start)
        self.entries = [Entry(born, origin, EntryKind.CREATED, event=f"{origin}:created")]

    def entry(self, minutes: float, kind: EntryKind, side: Side, **more) -> History:
        at = self.born + round(minutes * MINUTE)
        more.setdefault("event", f"{side}:{kind}/{len(self.entries)}")
        self.entries.append(Entry(at, side, kind, **more))
        return self

    def becomes(self, minutes: float, side: Side = VENDOR, **fields: str) -> History:
        """A field changes, e.g. ``status="Resolved"``."""
        for name, value in fields.items():
            self.entry(
                minutes, EntryKind.FIELD, side, field=name, before=self.values.get(name, ""), after=value
            )
            self.values[name] = value
        return self

    def comment(self, minutes: float, side: Side = VENDOR, *, public: bool = True) -> History:
        return self.entry(minutes, EntryKind.COMMENT, side, public=public)

    def held(self, minutes: float, side: Side = VENDOR, *, until: float | None = None) -> History:
        """A change begins to wait, and ceases to."""
        event = f"bridge:hold/{len(self.entries)}"
        self.entry(minutes, EntryKind.HELD, side, field="priority", event=event)
        if until is not None:
            self.entry(until, EntryKind.RELEASED, side, field="priority", event=event)
        return self

    def acknowledged(self, minutes: float, side: Side = VENDOR) -> History:
        return self.entry(minutes, EntryKind.ACKNOWLEDGED, side)

    def timeline(self, ended: float | None = None, certain_until: int = 0) -> Timeline:
        return Timeline(
            self.born,
            self.origin,
            self.start,
            tuple(self.entries),
            certain_until,
            None if ended is None else self.born + round(ended * MINUTE),
        )
