"""Whether the fields and values that the agreement names exist, and what exists has a pair."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from bridge.daemon.checking.looking import SideLook
from bridge.daemon.checking.report import Check, Desk, meant, some
from bridge.sync.agreement import BUILT_IN_FIELDS, LISTED_FIELDS, FieldRule
from bridge.sync.ticket import Side
from bridge.trackers.protocol import ProjectMeta


def check_fields(desk: Desk, look: SideLook, meta: ProjectMeta) -> None:
    """Names of custom fields, and the values of this side that the maps name."""
    scope = look.scope
    for rule in look.agreement.fields:
        at, native = ("fields", rule.name), rule.name_on(look.side)
        if rule.name not in BUILT_IN_FIELDS and meta.fields and native not in meta.fields:
            desk.mistake(
                Check.FIELDS,
                (*at, look.side.value),
                f"the tracker '{scope.tracker}' has no field '{native}'",
                meant(native, meta.fields),
            )
        if rule.name not in BUILT_IN_FIELDS and native in meta.unfit:
            desk.mistake(
                Check.FIELDS,
                (*at, look.side.value),
                f"'{native}' on '{scope.tracker}': {meta.unfit[native]}",
                "name another field, by its id if need be, or remove it",
            )
        known = vocabulary(rule, look.side, meta)
        if known is None:
            continue
        for name, path in _named(rule, look.side):
            if name not in known:
                desk.mistake(
                    Check.VALUES,
                    (*at, *path),
                    f"'{name}' is no {rule.name} in project {scope.project} of '{scope.tracker}'",
                    meant(name, known),
                )
    _check_closing(desk, look, meta)
    _check_role_fields(desk, look, meta)


def check_structure(desk: Desk, look: SideLook, meta: ProjectMeta) -> None:
    """Whether the tracker has what the agreement says of relations and worklogs."""
    tracker, rules = look.tracker, look.agreement.relations
    if (rules.parent or rules.links) and not tracker.abilities.relations:
        desk.mistake(
            Check.FIELDS,
            ("relations",),
            f"the bridge cannot relate tickets of '{tracker.name}' ({tracker.kind})",
            "remove 'relations'",
            key=True,
        )
    elif meta.link_types:
        for rule in rules.links:
            if rule.name_on(look.side) not in meta.link_types:
                desk.mistake(
                    Check.VALUES,
                    ("relations", "links", rule.internal),
                    f"'{tracker.name}' has no type of link '{rule.name_on(look.side)}'",
                    meant(rule.name_on(look.side), meta.link_types),
                    key=look.side is Side.INTERNAL,
                )
    if look.agreement.worklogs.cross and not tracker.abilities.worklogs:
        desk.mistake(
            Check.FIELDS,
            ("worklogs",),
            f"the bridge cannot book time in '{tracker.name}' ({tracker.kind})",
            "remove 'worklogs'",
            key=True,
        )


def check_pairs(rule: FieldRule, desks: Mapping[Side, Desk], metas: Mapping[Side, ProjectMeta]) -> None:
    """Values that exist on one side and have nothing to become on the other."""
    at = ("fields", rule.name)
    for side in Side:
        here = vocabulary(rule, side, metas[side])
        there = vocabulary(rule, side.other, metas[side.other])
        if here is None or there is None:
            _not_told(desks, rule, side if here is None else side.other)
            return
        if not rule.values:
            foreign = _meant_to_cross(rule, here - there)
            if foreign:
                # Components and versions come and go with every release: their lists need not be equal today.
                desk = desks[side.other]
                (desk.remark if rule.name in LISTED_FIELDS else desk.mistake)(
                    Check.VALUES,
                    at,
                    f"{rule.name} has no value map, and the {side.other} side does not know {some(foreign)}",
                    "add values: {...} that pair the names of both sides",
                )
                return
            continue
        paired = {internal if side is Side.INTERNAL else vendor for internal, vendor in rule.values}
        paired |= {step for steps in rule.via.get(side, {}).values() for step in steps}
        missing = _meant_to_cross(rule, here - paired)
        if missing and rule.otherwise.kind == "hold":
            desks[side].remark(
                Check.VALUES,
                (*at, "values"),
                f"the {side} side also has {some(missing)}, which will not cross",
                "pair them, or say under otherwise what becomes of them",
            )
        unknown = [name for name in missing if name not in there]
        if unknown and rule.otherwise.kind == "same":
            desks[side].remark(
                Check.VALUES,
                (*at, "otherwise"),
                f"the {side} side also has {some(unknown)}, which the {side.other} side does not know and will refuse",
                "pair them",
            )


def vocabulary(rule: FieldRule, side: Side, meta: ProjectMeta) -> set[str] | None:
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


def _not_told(desks: Mapping[Side, Desk], rule: FieldRule, side: Side) -> None:
    """Say which lists a tracker keeps to itself; a custom field that takes anything has none."""
    if rule.name in {"status", "priority", "type"}:
        desks[side].unseen(Check.VALUES, f"the tracker does not tell which {rule.name} values there are")


def _options(name: str, meta: ProjectMeta) -> set[str] | None:
    """The values that a custom field offers on the create screens; None when it is free or on none of them."""
    offered = {
        value
        for screen in meta.create.values()
        for one in screen
        if name in {one.name, one.id}
        for value in one.allowed
    }
    return offered or None


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


def _meant_to_cross(rule: FieldRule, names: Iterable[str]) -> list[str]:
    """Those that ``only`` lets cross: the others stay on their own side, and are no matter of the agreement."""
    return sorted(
        name for name in names if not rule.only or any(fnmatchcase(name, pattern) for pattern in rule.only)
    )


def _check_closing(desk: Desk, look: SideLook, meta: ProjectMeta) -> None:
    """The status that a ticket is moved to when its peer was deleted."""
    goal = look.agreement.deleted.close.get(look.side)
    known = {status for statuses in meta.statuses.values() for status in statuses}
    if goal is not None and known and goal not in known:
        desk.mistake(
            Check.VALUES,
            ("deleted", "close", look.side.value),
            f"'{goal}' is no status in project {look.scope.project} of '{look.scope.tracker}'",
            meant(goal, known),
        )


def _check_role_fields(desk: Desk, look: SideLook, meta: ProjectMeta) -> None:
    """The fields that say who is accountable; those that cross were looked at with the others."""
    for role in look.agreement.roles:
        mapped = look.agreement.field(role.field) is not None
        if (
            role.side is look.side
            and role.field
            and not mapped
            and meta.fields
            and role.field not in meta.fields
        ):
            desk.mistake(
                Check.FIELDS,
                ("roles", role.name, "field"),
                f"the tracker '{look.scope.tracker}' has no field '{role.field}'",
                meant(role.field, meta.fields),
            )
