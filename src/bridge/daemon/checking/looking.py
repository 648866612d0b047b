"""Asking the trackers everything that a live check compares, all of them at once; what one cannot tell is noted.

A tracker that cannot be reached says nothing, and keeps the others from nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

from bridge.clock import Clock
from bridge.config.findings import Path
from bridge.daemon.house import Terms, field_specs
from bridge.errors import Gone, Refused, TrackerError
from bridge.sync.agreement import Agreement, Scope
from bridge.sync.ticket import Person, Side, Transition
from bridge.trackers.protocol import ProjectMeta, Tracker, Watch
from bridge.trackers.rosters import rosters_of
from bridge.trackers.survey import KnowsPeople, Sampled, ShowsTickets, TellsClock, TellsZone

MOST_STEPS = 60
"""Tickets whose steps are asked for on one side: one for each type and status."""


@dataclass(slots=True)
class TrackerLook:
    """What a tracker tells of itself.

    Attributes:
        name: in the configuration.
        failure: why it tells nothing; None where it does.
        skew: microseconds by which its clock is ahead of ours; None where it does not tell the time.
        zone: the time zone of our account, "" for none; None where that does not matter there.
    """

    name: str
    failure: TrackerError | None = None
    skew: int | None = None
    zone: str | None = None


@dataclass(slots=True)
class SideLook:
    """What a tracker tells of one side of an agreement.

    Attributes:
        agreement: the agreement.
        side: the side.
        tracker: its tracker.
        meta: the project; None where it is not shown, or nothing could be asked.
        hidden: the tracker's words where it shows no such project.
        refused: the tracker's words where the selection is no query to it; "" where it is.
        in_scope: the latest tickets in scope; None where the tracker lists none.
        steps: what is offered from each status, on a ticket of the project; None where it was not asked.
        rosters: place in the file -> group or project role, and why it does not say who is in it.
        people: handle -> who answers to it; None where our account may not ask.
        failure: why the rest could not be asked.
    """

    agreement: Agreement
    side: Side
    tracker: Tracker
    meta: ProjectMeta | None = None
    hidden: str = ""
    refused: str = ""
    in_scope: Sequence[Sampled] | None = None
    steps: Sequence[tuple[Sampled, Sequence[Transition]]] | None = None
    rosters: dict[Path, tuple[str, str]] = field(default_factory=dict)
    people: dict[str, Sequence[Person] | None] = field(default_factory=dict)
    failure: TrackerError | None = None

    @property
    def scope(self) -> Scope:
        """The side's scope."""
        return self.agreement.scope(self.side)


@dataclass(frozen=True, slots=True)
class Looks:
    """What all trackers told: each by name, and by name of the agreement and side."""

    trackers: Mapping[str, TrackerLook]
    sides: Mapping[tuple[str, Side], SideLook]


def look(terms: Terms, clock: Clock, *, thorough: bool, told: Callable[[str], None]) -> Looks:
    """Ask all trackers, each in a thread of its own.

    Args:
        terms: the agreements and trackers.
        clock: our time.
        thorough: also ask what only remarks come from: steps, people, tickets.
        told: called with a word on what was asked, from any thread.
    """

    def ask(name: str) -> tuple[TrackerLook, list[SideLook]]:
        tracker = terms.trackers[name]
        look, sides = TrackerLook(name), list(_sides(terms, name))
        told(name)
        try:
            _ask_tracker(look, tracker, clock)
        except TrackerError as error:
            look.failure = error
            return look, sides
        for side in sides:
            told(f"{side.agreement.name}, {side.side} ({name})")
            try:
                _ask_side(side, thorough=thorough)
            except TrackerError as error:
                side.failure = error
        return look, sides

    with ThreadPoolExecutor(max(1, len(terms.trackers))) as pool:
        found = list(pool.map(ask, terms.trackers))
    return Looks(
        {look.name: look for look, _ in found},
        {(one.agreement.name, one.side): one for _, sides in found for one in sides},
    )


def _sides(terms: Terms, name: str) -> Iterator[SideLook]:
    for agreement in terms.settings.agreements:
        for side in Side:
            if agreement.scope(side).tracker == name:
                yield SideLook(agreement, side, terms.trackers[name])


def _ask_tracker(look: TrackerLook, tracker: Tracker, clock: Clock) -> None:
    tracker.whoami()
    if not isinstance(tracker, TellsClock) or tracker.clock_known():
        look.skew = tracker.now() - clock.now()
    if isinstance(tracker, TellsZone):
        look.zone = tracker.zone()


def _ask_side(look: SideLook, *, thorough: bool) -> None:
    tracker, scope = look.tracker, look.scope
    specs = field_specs(look.agreement, look.side)
    try:
        look.meta = tracker.metadata(scope.project, specs)
    except Gone as error:
        look.hidden = error.words
        return
    try:
        # The present moment: as good as nothing has changed since, so this reads next to nothing.
        next(iter(tracker.changes(Watch(scope, specs), tracker.now())), None)
    except Refused as error:
        look.refused = error.words
    look.rosters = dict(_unread_rosters(look))
    if not thorough:
        return
    if isinstance(tracker, ShowsTickets):
        if not look.refused:
            look.in_scope = tracker.sample(scope)
        if look.agreement.field("status") is not None:
            whole = replace(scope, select="", since=0)
            tickets = look.in_scope if whole == scope else tracker.sample(whole)
            look.steps = list(_steps(tracker, tickets or ()))
    if isinstance(tracker, KnowsPeople):
        for handle in dict.fromkeys(handles(look.agreement, look.side)):
            try:
                look.people[handle] = tracker.find_people(handle, scope.project)
            except Refused:
                look.people[handle] = None


def _unread_rosters(look: SideLook) -> Iterator[tuple[Path, tuple[str, str]]]:
    """The groups and project roles of a side that cannot be read, and the tracker's words.

    Those that only hide our private comments need not be read by us; that they are there is enough.
    """
    rosters, scope = rosters_of(look.tracker), look.scope
    if rosters is None:
        return
    for role in (one for one in look.agreement.roles if one.side is look.side):
        for number, name in enumerate(role.groups):
            at: Path = ("roles", role.name, "groups", number)
            yield from _try(at, f"the group '{name}'", partial(rosters.group_members, name, scope.project))
        for number, name in enumerate(role.project_roles):
            at, what = (
                ("roles", role.name, "project-roles", number),
                f"the project role '{name}' of {scope.project}",
            )
            yield from _try(at, what, partial(rosters.project_role_members, scope.project, name))
    if not look.agreement.comments.private:
        return
    if scope.privacy.role:
        at, what = (
            (look.side.value, "private-role"),
            f"the project role '{scope.privacy.role}' of {scope.project}",
        )
        ask = partial(rosters.project_role_members, scope.project, scope.privacy.role)
        yield from _try(at, what, ask, hidden=True)
    if scope.privacy.group:
        ask = partial(rosters.group_members, scope.privacy.group, scope.project)
        yield from _try(
            (look.side.value, "private-group"), f"the group '{scope.privacy.group}'", ask, hidden=True
        )


def _try(
    at: Path, what: str, ask: Callable[[], Sequence[Person]], *, hidden: bool = False
) -> Iterator[tuple[Path, tuple[str, str]]]:
    """Ask who is in a group or role; ``hidden``: it may be that we are not told."""
    try:
        ask()
    except Gone as error:
        yield at, (what, error.words)
    except Refused as error:
        if not hidden:
            yield at, (what, error.words)


def _steps(tracker: Tracker, tickets: Sequence[Sampled]) -> Iterator[tuple[Sampled, Sequence[Transition]]]:
    """The steps from each status of each type, on the latest ticket that has both."""
    latest: dict[tuple[str, str], Sampled] = {}
    for ticket in tickets:
        latest.setdefault((ticket.kind, ticket.status), ticket)
    for ticket in list(latest.values())[:MOST_STEPS]:
        try:
            yield ticket, tracker.transitions(ticket.id)
        except (Gone, Refused):  # it was deleted or hidden meanwhile
            continue


def handles(agreement: Agreement, side: Side) -> Iterator[str]:
    """Every handle of that side's tracker that the agreement names."""
    for internal, vendor in agreement.people:
        yield internal if side is Side.INTERNAL else vendor
    for role in agreement.roles:
        if role.side is side:
            yield from role.people
