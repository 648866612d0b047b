"""Roles: named responsibilities in an agreement, who is in them, and what each may do.

Everything here is a rule or a roster. Who may change what is decided in ``ownership``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from bridge.sync.ticket import Person, Side


class Unentitled(StrEnum):
    """What becomes of a change that its author may not make."""

    HOLD = "hold"
    """It does not cross, and waits for somebody to decide."""
    REVERT = "revert"
    """It is undone at once, with a polite note."""
    FLAG = "flag"
    """It crosses, and is recorded as what it is."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the day in which a role gets no mail, unless it is urgent.

    Attributes:
        start_minute: first minute of the day that is quiet.
        end_minute: first minute that no longer is, at most 1440; not after ``start_minute``: it is quiet over midnight.
        zone: name of the time zone.
    """

    start_minute: int
    end_minute: int
    zone: str


Language = Literal["en", "da", "nl"]
"""Languages that mails are written in."""


@dataclass(frozen=True, slots=True)
class Role:
    """A named responsibility on one side.

    Attributes:
        name: what people call it, e.g. ``service-owner``.
        side: the side that it belongs to.
        people: handles of that side's tracker (e-mail, login, key, id).
        groups: groups of that side's tracker.
        project_roles: roles in that side's project, as its tracker names them.
        field: person field of that side's ticket that holds who is accountable for it; "" when the role has none.
        required_within: microseconds in which an accountable person must be there; None when nobody asks.
        mail: addresses at which the role is told; from the configuration alone.
        language: language of its mails.
        quiet: hours in which it gets no mail; None for none.
        members: who is in the groups and project roles. Found out by the shell; empty in a configuration.
    """

    name: str
    side: Side
    people: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    project_roles: tuple[str, ...] = ()
    field: str = ""
    required_within: int | None = None
    mail: tuple[str, ...] = ()
    language: Language = "en"
    quiet: Quiet | None = None
    members: tuple[Person, ...] = ()

    @property
    def named(self) -> bool:
        """Whether the configuration says who is in it; otherwise that is whom ``field`` names."""
        return bool(self.people or self.groups or self.project_roles)


@dataclass(frozen=True, slots=True)
class Grant:
    """Something that people of a side may do with a field.

    Attributes:
        to: the value that they may set, in the internal side's words; ``*`` for any.
        before: the value that it must have had, likewise.
        by: names of roles, or handles of people; empty: everybody on that side.
    """

    to: str = "*"
    before: str = "*"
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HoldRule:
    """Who decides about holds, and what becomes of those that nobody decides.

    Attributes:
        approvers: side -> role that decides about what the other side wanted to change there.
        mediator: role that decides between the sides; "" for none: then either approver may.
        expire: microseconds after which time decides; None when it never does.
        then: what it decides: ``reject``, ``approve``, or ``wait`` (the approver is only told once more).
    """

    approvers: Mapping[Side, str] = field(default_factory=dict)
    mediator: str = ""
    expire: int | None = None
    then: Literal["reject", "approve", "wait"] = "wait"


class Mode(StrEnum):
    """How much an agreement does."""

    OBSERVE = "observe"
    """Plans, and writes nothing to any tracker."""
    PILOT = "pilot"
    """Writes for a named subset of tickets, and observes the others."""
    LIVE = "live"
    """Writes."""


@dataclass(frozen=True, slots=True)
class Pilot:
    """The named subset of tickets of a pilot.

    Attributes:
        tickets: keys, of either side.
        labels: patterns of labels on either side's ticket.
    """

    tickets: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
