"""Comparing the agreements with the live trackers before the first write.

What the files say can be well formed and still wrong: a status that was renamed, a project that the account may not
see, a required field that nobody fills. Every mistake is found in one go and pointed at in the file that caused it.
What is asked is in ``checking.looking``; the comparisons are in the other files of :mod:`bridge.daemon.checking`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.clock import Clock, SystemClock
from bridge.config.findings import Findings
from bridge.config.source import Source, read
from bridge.daemon.checking import account, creation, people, rights, values, workflow
from bridge.daemon.checking.looking import Looks, SideLook, TrackerLook, look
from bridge.daemon.checking.report import Check, Desk, Finding, Place, Report
from bridge.daemon.house import Terms
from bridge.errors import ConfigError, Problem, TrackerError
from bridge.sync.agreement import Agreement
from bridge.sync.ticket import Side


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a live check found.

    Attributes:
        findings: mistakes and remarks, by file and line.
        places: everything that was to be looked at: each tracker, and each side of each agreement.
        unseen: (place, kind of check) -> why it could not be looked at, or only in part.
        failures: tracker -> why it could not be asked, or not to the end.
    """

    findings: tuple[Finding, ...]
    places: tuple[Place, ...]
    unseen: Mapping[tuple[Place, Check], str]
    failures: Mapping[str, TrackerError]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Mistakes: nothing is written while there are any."""
        return tuple(one.problem for one in self.findings if one.mistake)

    @property
    def remarks(self) -> tuple[Problem, ...]:
        """What will wait for a person when it occurs, or may surprise one."""
        return tuple(one.problem for one in self.findings if not one.mistake)

    def found(self, place: Place, check: Check) -> int:
        """How much a check found at a place."""
        return sum(one.place == place and one.check is check for one in self.findings)


def inspect(
    terms: Terms,
    clock: Clock | None = None,
    *,
    thorough: bool = True,
    told: Callable[[str], None] = lambda _: None,
) -> Inspection:
    """Compare all agreements with all trackers; one that cannot be asked hides nothing of the others.

    Args:
        terms: the agreements and trackers.
        clock: our time; None is the machine's.
        thorough: False leaves out what only remarks come from and what takes longest.
        told: called with a word on what is asked next, from any thread.
    """
    ours = clock or SystemClock()
    looks = look(terms, ours, thorough=thorough, told=told)
    report = Report()
    main = _lines(terms.settings.file)
    for name, tracker in looks.trackers.items():
        desk = report.at(Place(name), main)
        account.check_token(desk, terms.settings.trackers[name], ours.now())
        if tracker.failure is not None:
            _blind(desk, tracker.failure)
            continue
        account.check_clock(desk, tracker)
        account.check_zone(desk, tracker)
    for agreement in terms.settings.agreements:
        _compare(report, terms, agreement, looks, main, thorough=thorough)
    sides = [_place(one.agreement, one.side) for one in _in_order(terms, looks)]
    failures = {one.tracker.name: one.failure for one in looks.sides.values() if one.failure is not None} | {
        name: one.failure for name, one in looks.trackers.items() if one.failure is not None
    }
    return Inspection(report.sorted(), (*map(Place, looks.trackers), *sides), dict(report.unseen), failures)


def require(terms: Terms, clock: Clock | None = None) -> None:
    """Refuse to go on while the agreements do not fit the trackers. Remarks keep nobody from anything.

    Raises:
        ConfigError: with every mistake.
        TrackerError: a tracker cannot be reached or refuses the login.
    """
    inspection = inspect(terms, clock, thorough=False)
    if inspection.problems:
        raise ConfigError(inspection.problems)
    for failure in inspection.failures.values():
        raise failure


def expiring(terms: Terms, now: int) -> list[tuple[str, int]]:
    """Trackers whose token expires within a month, with the days that are left."""
    days = {name: account.days_left(one, now) for name, one in terms.settings.trackers.items()}
    return [(name, left) for name, left in days.items() if left is not None]


def _compare(
    report: Report, terms: Terms, agreement: Agreement, looks: Looks, main: Source, *, thorough: bool
) -> None:
    """Everything that is to be said of one agreement."""
    source = _lines(terms.settings.sources[agreement.name])
    desks: dict[Side, Desk] = {}
    for side in Side:
        one = looks.sides[agreement.name, side]
        tracker = looks.trackers[one.tracker.name]
        desk = desks[side] = report.at(_place(agreement, side), source)
        _check_side(desk, one, tracker, thorough=thorough)
        if one.meta is not None:
            name = one.tracker.name
            if terms.settings.trackers[name].marker_field:
                path = ("trackers", name, "marker-field")
                creation.check_mark(report.at(desk.place, main), one, one.meta, path)
            else:
                creation.check_mark(desk, one, one.meta, (side.value, "project"))
    metas = {side: looks.sides[agreement.name, side].meta for side in Side}
    shown = {side: meta for side, meta in metas.items() if meta is not None}
    for side in Side:
        if side in shown and side.other not in shown:
            desks[side].unseen(Check.VALUES, f"the {side.other} side could not be looked at to compare with")
    if len(shown) == len(Side):
        for rule in agreement.fields:
            values.check_pairs(rule, desks, shown)


def _check_side(desk: Desk, one: SideLook, tracker: TrackerLook, *, thorough: bool) -> None:
    """Everything that is to be said of one side by itself."""
    failure = tracker.failure or one.failure
    if one.hidden:
        desk.mistake(
            Check.PROJECT,
            (one.side.value, "project"),
            f"the tracker '{one.scope.tracker}' shows no project '{one.scope.project}' to our account: {one.hidden}",
            "check the key, and that the account may browse the project",
        )
        _blind_to(desk, "the project is not shown to our account", skip=Check.PROJECT)
        return
    meta = one.meta
    if meta is None:
        _blind(desk, failure)
        return
    if one.refused:
        desk.mistake(
            Check.PROJECT,
            (one.side.value, "select") if one.scope.select else (one.side.value,),
            f"the tracker refuses the query: {one.refused}",
            "try the query in the tracker's own search",
        )
    account.check_dates(desk, one, tracker)
    rights.check_rights(desk, one, meta)
    rights.check_privacy(desk, one, meta)
    values.check_fields(desk, one, meta)
    values.check_structure(desk, one, meta)
    creation.check_creation(desk, one, meta)
    workflow.check_statuses(desk, one, meta)
    people.check_rosters(desk, one)
    if failure is not None:
        for check in (Check.WORKFLOW, Check.PEOPLE):
            desk.unseen(check, str(failure))
    elif thorough:
        workflow.check_steps(desk, one, meta)
        people.check_people(desk, one)
        people.check_holders(desk, one)


def _blind(desk: Desk, failure: TrackerError | None) -> None:
    _blind_to(desk, failure.words if failure is not None else "it was not asked")


def _blind_to(desk: Desk, why: str, skip: Check | None = None) -> None:
    for check in desk.place.checks:
        if check is not skip:
            desk.unseen(check, why)


def _lines(file: str) -> Source:
    """A file, read again for its lines alone; what it says was checked when it was loaded."""
    return read(Path(file), Findings())


def _place(agreement: Agreement, side: Side) -> Place:
    return Place(agreement.scope(side).tracker, agreement.name, side)


def _in_order(terms: Terms, looks: Looks) -> list[SideLook]:
    return [looks.sides[one.name, side] for one in terms.settings.agreements for side in Side]
