"""What was agreed about time: clocks, goals, who has the ball, and the ladder. Frozen; built by ``config``.

A policy is one version of all that: a ticket is measured by the version that was in force when it was born, whatever
is written into the file later. All words for values of fields are the internal side's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from bridge.sla.calendar import CalendarRule
from bridge.sync.ticket import Side


class Owner(StrEnum):
    """Who has the ball, and whose a minute is."""

    INTERNAL = "internal"
    VENDOR = "vendor"
    NOBODY = "nobody"


class Happening(StrEnum):
    """What starts and stops clocks."""

    CREATED = "created"
    RESOLVED = "resolved"
    """The status becomes one of the policy's ``resolved`` ones."""
    REOPENED = "reopened"
    """It ceases to be one of them."""
    COMMENT = "comment"
    """A public comment, by somebody of the trigger's side if it names one."""
    FIELD = "field"
    """A field, the status too, becomes one of the trigger's values; without values: is changed at all."""
    OWNED = "owned"
    """Somebody is named as accountable on the trigger's side (in ``field``, ``assignee`` by default)."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody of the trigger's side acknowledged an alert of the ticket, or the ticket itself."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """One thing that starts or stops a clock.

    Attributes:
        what: see Happening.
        side: whose deed it must be; None for either.
        field: which field, for ``FIELD`` and ``OWNED``.
        values: values that it must have become; empty for any.
        words: as the file says it, for people, e.g. ``first-vendor-comment``.
    """

    what: Happening
    side: Side | None = None
    field: str = ""
    values: frozenset[str] = frozenset()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """While this holds, a clock stands. What is given must hold together.

    Attributes:
        ball: who has the ball; None for whoever.
        statuses: the ticket has one of these; empty for whichever.
        held: a change of the ticket is held.
        words: as the file says it.
    """

    ball: Owner | None = None
    statuses: frozenset[str] = frozenset()
    held: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """How long something may take, for tickets of one kind. The first one that fits counts.

    Attributes:
        when: field -> values, of which the ticket must have one; empty fits every ticket.
        budget: microseconds on the calendar.
        calendar: name of a calendar of the policy.
        words: as the file says it, e.g. ``P1: 15m``.
    """

    when: Mapping[str, frozenset[str]]
    budget: int
    calendar: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class ClockRule:
    """One clock.

    Attributes:
        name: e.g. ``resolve``.
        start: any of these opens a cycle while none is open.
        stop: any of these ends the open cycle. What does both ends one and opens the next.
        cancel: any of these ends it without a verdict (a ticket that is resolved owes no further update).
        pause: while any of these holds, it stands.
        goals: first match; none fits: the clock has no goal, and nothing to breach.
        reopen: what a reopened ticket means to a cycle that ``RESOLVED`` stopped: a ``new`` one, the same one goes on
            (``resume``; what lies between does not count), or nothing (``ignore``).
        goal_change: when the goal changes in mid-run: the new one holds for the ``whole`` cycle (a breach is then never
            earlier than the change), or the first one is kept (``keep``).
        warn: shares of the budget at which it is at risk, ascending, e.g. (0.8,).
        owner: whose clock it is: the side that misses the goal; None: nobody's in particular.
    """

    name: str
    start: tuple[Trigger, ...]
    stop: tuple[Trigger, ...]
    cancel: tuple[Trigger, ...] = ()
    pause: tuple[Pause, ...] = ()
    goals: tuple[Goal, ...] = ()
    reopen: Literal["new", "resume", "ignore"] = "new"
    goal_change: Literal["whole", "keep"] = "whole"
    warn: tuple[float, ...] = (0.8,)
    owner: Side | None = None


@dataclass(frozen=True, slots=True)
class BallRule:
    """One rule that says who has to act now; the first that fits counts. What is given must hold together.

    Attributes:
        owner: who then has the ball.
        statuses: the ticket has one of these; empty for whichever.
        comment: the last public comment is by this side; None for whoever, or none at all.
        assigned: side -> whether somebody is assigned there.
        words: as the file says it.
    """

    owner: Owner
    statuses: frozenset[str] = frozenset()
    comment: Side | None = None
    assigned: Mapping[Side, bool] = field(default_factory=dict)
    words: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the ladder.

    Attributes:
        name: as the file says it, e.g. ``80%`` or ``+2h``; unique in a ladder, part of every claim.
        share: part of the budget at which it is taken, e.g. 0.8; None where ``after`` says when.
        after: microseconds after the breach, by the wall clock; None where ``share`` says when.
        tell: roles.
        clocks: names of clocks that it is for; empty: all.
        comment: sides on whose ticket a comment says so.
        label: label that the internal ticket gets; "" for none.
        priority: priority that the internal ticket gets, in its words; "" for none.
        webhook: name of a webhook of bridge.yaml that is told; "" for none.
        every: repeated after so many microseconds until acknowledged; None: told once.
        urgent: quiet hours of the roles do not hold it back.
    """

    name: str
    share: float | None
    after: int | None
    tell: tuple[str, ...] = ()
    clocks: frozenset[str] = frozenset()
    comment: frozenset[Side] = frozenset()
    label: str = ""
    priority: str = ""
    webhook: str = ""
    every: int | None = None
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of what was agreed about time.

    Attributes:
        version: fingerprint of all that follows (``sla.serial``); the same words are the same version.
        since: tickets born at or after this moment (microseconds) are measured by it, until the next version.
        clocks: in file order.
        ladder: steps, in the order in which they are reached.
        ball: first match; none fits: the vendor's while it is not resolved, nobody's once it is.
        resolved: statuses in which a ticket counts as resolved.
        calendars: those that the goals name, and those of the sides.
        office: side -> calendar on which its minutes are told besides the wall clock's; absent: the wall clock's only.
    """

    version: str = ""
    since: int = 0
    clocks: tuple[ClockRule, ...] = ()
    ladder: tuple[Step, ...] = ()
    ball: tuple[BallRule, ...] = ()
    resolved: frozenset[str] = frozenset()
    calendars: Mapping[str, CalendarRule] = field(default_factory=dict)
    office: Mapping[Side, str] = field(default_factory=dict)


def asked_for(known: Iterable[Policy]) -> frozenset[str]:
    """The fields that the clocks of any of these policies ask for."""
    clocks = [clock for policy in known for clock in policy.clocks]
    triggers = [one for clock in clocks for one in (*clock.start, *clock.stop, *clock.cancel)]
    goals = {name for clock in clocks for goal in clock.goals for name in goal.when}
    named = {one.field for one in triggers if one.what in {Happening.FIELD, Happening.OWNED} and one.field}
    return frozenset(goals | named)
