"""Comparing the agreements with the live trackers before the first write.

What the files say can be well formed and still wrong: a status that was renamed, a project that the account may not
see, a required field that nobody fills. Every mistake is found in one go and pointed at in the file that caused it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from bridge.clock import SECOND
from bridge.config.findings import Findings
from bridge.config.source import Source, read
from bridge.daemon.house import Terms, field_specs
from bridge.daemon.roster_checks import check_rosters
from bridge.errors import ConfigError, Gone, Problem, Refused
from bridge.sync.agreement import BUILT_IN_FIELDS, LISTED_FIELDS, Agreement, FieldRule, Scope
from bridge.sync.ticket import Side
from bridge.trackers.protocol import FieldMeta, ProjectMeta, Tracker, Watch

MONTH = 30
"""Days before its expiry from which a token is spoken of."""

ALWAYS_GIVEN = frozenset({"project", "issue type", "summary", "reporter", "status"})
"""Required fields, in small letters, that the bridge or the tracker fills in any case."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a live check found.

    Attributes:
        problems: mistakes; nothing is written while there are any.
        remarks: values that will wait for a decision when they occur.
    """

    problems: tuple[Problem, ...]
    remarks: tuple[Problem, ...]


def inspect(terms: Terms) -> Inspection:
    """Compare all agreements with all trackers.

    Raises:
        TrackerError: a tracker cannot be reached or refuses the login.
    """
    problems, remarks = Findings(), Findings()
    for agreement in terms.settings.agreements:
        file = terms.settings.sources[agreement.name]
        # Read again for the lines alone; what it says was checked when it was loaded.
        source, remark = read(Path(file), problems), read(Path(file), remarks)
        metas = _metadata(terms, agreement, source)
        for side, meta in metas.items():
            scope = agreement.scope(side)
            _check_rights(scope, side, meta, source)
            _check_fields(agreement, side, meta, source)
            _check_creation(agreement, side, meta, source)
            _check_privacy(agreement, side, meta, source)
            _check_closing(agreement, side, meta, source)
            _check_structure(agreement, side, terms.trackers[scope.tracker], meta, source)
            check_rosters(agreement, side, terms.trackers[scope.tracker], source)
        if len(metas) == len(Side):
            for rule in agreement.fields:
                _check_map(rule, metas, source, remark)
    return Inspection(tuple(problems.problems), tuple(remarks.problems))


def _metadata(terms: Terms, agreement: Agreement, source: Source) -> dict[Side, ProjectMeta]:
    def ask(side: Side) -> ProjectMeta | None:
        scope = agreement.scope(side)
        tracker = terms.trackers[scope.tracker]
        tracker.whoami()
        try:
            meta = tracker.metadata(scope.project, field_specs(agreement, side))
        except Gone as error:
            source.problem(
                (side.value, "project"),
                f"the tracker '{scope.tracker}' shows no project '{scope.project}' to our account: {error.words}",
                "check the key, and that the account may browse the project",
            )
            return None
        _check_selection(agreement, side, tracker, source)
        return meta

    with ThreadPoolExecutor(2) as pool:
        return {side: meta for side, meta in zip(Side, pool.map(ask, Side), strict=True) if meta is not None}


def _check_selection(agreement: Agreement, side: Side, tracker: Tracker, source: Source) -> None:
    scope = agreement.scope(side)
    watch = Watch(scope, field_specs(agreement, side))
    try:
        # The present moment: as good as nothing has changed since, so this reads next to nothing.
        next(iter(tracker.changes(watch, tracker.now())), None)
    except Refused as error:
        at = (side.value, "select") if scope.select else (side.value,)
        source.problem(
            at, f"the tracker refuses the query: {error.words}", "try the query in the tracker's own search"
        )


def _check_rights(scope: Scope, side: Side, meta: ProjectMeta, source: Source) -> None:
    for right in meta.missing_rights:
        source.problem(
            (side.value, "project"),
            f"our account lacks the right {right} in {scope.project}",
            f"ask the administrator of '{scope.tracker}' to grant it",
        )


def _check_privacy(agreement: Agreement, side: Side, meta: ProjectMeta, source: Source) -> None:
    """Private comments that are to be written here must be able to be private."""
    scope = agreement.scope(side)
    if not agreement.comments.private or side.other not in agreement.comments.cross:
        return
    if not (meta.private_notes or scope.privacy.role or scope.privacy.group):
        source.problem(
            ("comments", "private"),
            f"private comments are to cross, but project {scope.project} of '{scope.tracker}' is no service desk: "
            "without a role or a group a comment there is public",
            f"add private-role or private-group to '{side}'",
        )
    for right in meta.missing_private:
        source.problem(
            ("comments", "private"),
            f"our account lacks the right {right} in {scope.project}, which private comments need",
            f"ask the administrator of '{scope.tracker}' to grant it",
        )


def _check_fields(agreement: Agreement, side: Side, meta: ProjectMeta, source: Source) -> None:
    """Names of custom fields, and the values of this side that the maps name."""
    for rule in agreement.fields:
        at = ("fields", rule.name)
        if rule.name not in BUILT_IN_FIELDS and meta.fields and rule.name_on(side) not in meta.fields:
            source.problem(
                (*at, side.value),
                f"the tracker '{agreement.scope(side).tracker}' has no field '{rule.name_on(side)}'",
                _meant(rule.name_on(side), meta.fields),
            )
        if rule.name not in BUILT_IN_FIELDS and rule.name_on(side) in meta.unfit:
            source.problem(
                (*at, side.value),
                f"'{rule.name_on(side)}' on '{agreement.scope(side).tracker}': {meta.unfit[rule.name_on(side)]}",
                "name another field, by its id if need be, or remove it",
            )
        known = _vocabulary(rule, side, meta)
        if known is None:
            continue
        for name, path in _named(rule, side):
            if name not in known:
                source.problem(
                    (*at, *path),
                    f"'{name}' is no {rule.name} in project {agreement.scope(side).project} of "
                    f"'{agreement.scope(side).tracker}'",
                    _meant(name, known),
                )


def _check_structure(
    agreement: Agreement, side: Side, tracker: Tracker, meta: ProjectMeta, source: Source
) -> None:
    """Whether the tracker has what the agreement says of relations and worklogs."""
    rules = agreement.relations
    if (rules.parent or rules.links) and not tracker.abilities.relations:
        source.problem(
            ("relations",),
            f"the bridge cannot relate tickets of '{tracker.name}' ({tracker.kind})",
            "remove 'relations'",
            key=True,
        )
    elif meta.link_types:
        for rule in rules.links:
            if rule.name_on(side) not in meta.link_types:
                source.problem(
                    ("relations", "links", rule.internal),
                    f"'{tracker.name}' has no type of link '{rule.name_on(side)}'",
                    _meant(rule.name_on(side), meta.link_types),
                    key=side is Side.INTERNAL,
                )
    if agreement.worklogs.cross and not tracker.abilities.worklogs:
        source.problem(
            ("worklogs",),
            f"the bridge cannot book time in '{tracker.name}' ({tracker.kind})",
            "remove 'worklogs'",
            key=True,
        )


def _named(rule: FieldRule, side: Side) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every value of this side that the rule names, with the place in the file."""
    for internal, vendor in rule.values:
        yield (internal if side is Side.INTERNAL else vendor), ("values", internal)
    if side in rule.otherwise.values:
        yield rule.otherwise.values[side], ("otherwise",)
    for goal, steps in rule.via.get(side, {}).items():
        for step in (goal, *steps):
            yield step, ("via", side.value, goal)
    for status in rule.fill.get(side, {}):
        yield status, ("fill", side.value, status)


def _check_creation(agreement: Agreement, side: Side, meta: ProjectMeta, source: Source) -> None:
    """Fields that the tracker demands of a new ticket and that nothing fills."""
    if side not in agreement.create_on:
        return
    scope = agreement.scope(side)
    given = {name.casefold() for name in scope.on_create} | {
        rule.name_on(side).casefold() for rule in agreement.fields
    }
    kind = scope.on_create.get("type")
    if kind is not None and kind not in meta.types:
        source.problem(
            (side.value, "on-create", "type"),
            f"'{kind}' is no type of ticket in {scope.project}",
            _meant(kind, meta.types),
        )
    if meta.types and kind is None and agreement.field("type") is None:
        source.problem(
            (side.value,),
            f"new tickets in {scope.project} need a type, which nothing gives",
            f"map the field type, or add on-create: {{type: {meta.types[0]}}}",
        )
    lacking: dict[str, tuple[FieldMeta, list[str]]] = {}
    for kind in _created_types(agreement, side, meta):
        for needed in _unfilled(meta.create.get(kind, ()), given):
            lacking.setdefault(needed.name, (needed, []))[1].append(kind)
    for name, (needed, types) in lacking.items():
        source.problem(
            (side.value,),
            f"a new {_list(types)} in {scope.project} must have '{name}', which nothing fills",
            f"map the field, or add it to on-create{_offer(needed)}",
        )


def _check_closing(agreement: Agreement, side: Side, meta: ProjectMeta, source: Source) -> None:
    """The status that a ticket is moved to when its peer was deleted."""
    goal = agreement.deleted.close.get(side)
    known = {status for statuses in meta.statuses.values() for status in statuses}
    if goal is not None and goal not in known:
        scope = agreement.scope(side)
        source.problem(
            ("deleted", "close", side.value),
            f"'{goal}' is no status in project {scope.project} of '{scope.tracker}'",
            _meant(goal, known),
        )


def _created_types(agreement: Agreement, side: Side, meta: ProjectMeta) -> list[str]:
    """The types of tickets that the bridge may create here."""
    rule = agreement.field("type")
    named = {agreement.scope(side).on_create["type"]} if "type" in agreement.scope(side).on_create else set()
    if rule is not None:
        named |= {internal if side is Side.INTERNAL else vendor for internal, vendor in rule.values}
    return sorted(named & set(meta.types)) or list(meta.types[:1])


def _unfilled(fields: tuple[FieldMeta, ...], given: set[str]) -> Iterator[FieldMeta]:
    for one in fields:
        if one.required and one.name.casefold() not in ALWAYS_GIVEN | given:
            yield one


def _meant_to_cross(rule: FieldRule, names: Iterable[str]) -> list[str]:
    """Those that ``only`` lets cross: the others stay on their own side, and are no matter of the agreement."""
    return sorted(
        name for name in names if not rule.only or any(fnmatchcase(name, pattern) for pattern in rule.only)
    )


def _check_map(rule: FieldRule, metas: Mapping[Side, ProjectMeta], source: Source, remark: Source) -> None:
    """Values that exist on one side and have nothing to become on the other."""
    for side in Side:
        here = _vocabulary(rule, side, metas[side])
        there = _vocabulary(rule, side.other, metas[side.other])
        if here is None or there is None:
            continue
        at = ("fields", rule.name)
        if not rule.values:
            foreign = _meant_to_cross(rule, here - there)
            if foreign:
                # Components and versions come and go with every release: their lists need not be equal today.
                place = remark if rule.name in LISTED_FIELDS else source
                place.problem(
                    at,
                    f"{rule.name} has no value map, and the {side.other} side does not know {_list(foreign)}",
                    "add values: {...} that pair the names of both sides",
                )
                return
            continue
        paired = {internal if side is Side.INTERNAL else vendor for internal, vendor in rule.values}
        paired |= {step for steps in rule.via.get(side, {}).values() for step in steps}
        missing = _meant_to_cross(rule, here - paired)
        if missing and rule.otherwise.kind == "hold":
            remark.problem(
                (*at, "values"),
                f"the {side} side also has {_list(missing)}, which will not cross",
                "pair them, or say under otherwise what becomes of them",
            )


def _vocabulary(rule: FieldRule, side: Side, meta: ProjectMeta) -> set[str] | None:
    """The values that a field of this side can have; None when that is not a closed list, or not told."""
    match rule.name:
        case "status":
            return {status for statuses in meta.statuses.values() for status in statuses} or None
        case "priority":
            return set(meta.priorities) or None
        case "type":
            return set(meta.types) or None
        case _:
            return _options(rule.name_on(side), meta)


def _options(name: str, meta: ProjectMeta) -> set[str] | None:
    """The values that a custom field offers on the create screens; None when it is free or on none of them."""
    offered = {
        value
        for screen in meta.create.values()
        for one in screen
        if one.name == name
        for value in one.allowed
    }
    return offered or None


def _meant(name: str, known: set[str] | tuple[str, ...]) -> str:
    close = get_close_matches(name, sorted(known), n=1)
    return f"did you mean '{close[0]}'?" if close else f"there is: {_list(sorted(known))}"


def _list(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")  # noqa: PLR2004 - a line's worth


def _offer(needed: FieldMeta) -> str:
    return f", e.g. {needed.name}: {needed.allowed[0]}" if needed.allowed else ""


def expiring(terms: Terms, now: int) -> list[tuple[str, int]]:
    """Trackers whose token expires within a month, with the days that are left; no tracker tells that by itself."""
    today = datetime.fromtimestamp(now // SECOND, UTC).date()
    days = {
        name: (date.fromisoformat(tracker.expires) - today).days
        for name, tracker in terms.settings.trackers.items()
        if tracker.expires
    }
    return [(name, left) for name, left in days.items() if left <= MONTH]


def require(terms: Terms) -> None:
    """Refuse to go on while the agreements do not fit the trackers.

    Raises:
        ConfigError: with every mistake.
        TrackerError: a tracker cannot be reached or refuses the login.
    """
    inspection = inspect(terms)
    if inspection.problems:
        raise ConfigError(inspection.problems)
