"""The ``fields`` of an agreement: which rules go with which field, and whether statuses fit the map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bridge.config.field_shape import FieldShape, PairShape
from bridge.config.findings import Path, did_you_mean, listed
from bridge.config.grant_checks import settle_grants
from bridge.config.kinds import Kind
from bridge.config.shape import AgreementShape
from bridge.config.source import Source
from bridge.sync.agreement import (
    BUILT_IN_FIELDS,
    PERSON_FIELDS,
    SET_FIELDS,
    TEXT_FIELDS,
    FieldRule,
    Otherwise,
    Rule,
)
from bridge.sync.ticket import Side

_UNMAPPED = frozenset({"summary", "description", "due"})
"""Built-in fields whose values cross as they are: a map of values makes no sense."""

_MERGED = SET_FIELDS | TEXT_FIELDS | {"summary"}
"""Built-in fields of which two versions can be merged. A custom field may be a set: its tracker knows."""


def settle_fields(
    shape: AgreementShape, source: Source, kinds: Mapping[Side, Kind | None]
) -> tuple[FieldRule, ...]:
    """The rules of all fields; what is wrong goes to the source's findings.

    Args:
        shape: the fitted agreement.
        source: its file.
        kinds: each side's kind of tracker, None when unknown.
    """
    if not shape.fields and source.sound(("fields",)):
        source.problem(("fields",), "no field crosses", "name at least 'summary: {}'", key=True)
    for side in Side:
        _check_same_name(shape, source, side)
    return tuple(_settle(name, field, source, shape, kinds) for name, field in shape.fields.items())


def _settle(
    name: str, field: FieldShape, source: Source, agreement: AgreementShape, kinds: Mapping[Side, Kind | None]
) -> FieldRule:
    """One field: checked, and turned into the core's rule."""
    if name in BUILT_IN_FIELDS:
        _check_built_in(name, field, source, agreement, kinds)
    else:
        _check_custom(name, field, source)
    _check_rule(name, field, source)
    _check_maps(name, field, source)
    _check_values_apart(name, field, source)
    _check_status_keys(name, field, source)
    return FieldRule(
        name=name,
        rule=_rule(name, field),
        owner=field.owner,
        names={side: _name_on(name, field, side) for side in Side},
        values=tuple((inner, outer) for inner, outers in field.values.items() for outer in outers),
        otherwise=_otherwise(field.otherwise),
        only=field.only,
        via={Side.INTERNAL: dict(field.via.internal), Side.VENDOR: dict(field.via.vendor)},
        fill={
            Side.INTERNAL: {status: dict(given) for status, given in field.fill.internal.items()},
            Side.VENDOR: {status: dict(given) for status, given in field.fill.vendor.items()},
        },
        may=settle_grants(name, field, source, agreement),
        unentitled=field.unentitled,
    )


def _rule(name: str, field: FieldShape) -> Rule:
    if field.owner is not None:
        return Rule.OWNER
    return field.rule or (Rule.MERGE if name in SET_FIELDS else Rule.NEWEST)


def _otherwise(given: str | PairShape | None) -> Otherwise:
    match given:
        case PairShape():
            return Otherwise("value", {Side.INTERNAL: given.internal, Side.VENDOR: given.vendor})
        case "keep":
            return Otherwise("keep")
        case "same":
            return Otherwise("same")
        case _:
            return Otherwise("hold")


def _name_on(name: str, field: FieldShape, side: Side) -> str:
    own = field.internal if side is Side.INTERNAL else field.vendor
    return own or field.field or name


def _check_same_name(shape: AgreementShape, source: Source, side: Side) -> None:
    """Two entries for one field of a tracker would overwrite each other."""
    seen: dict[str, str] = {}
    for name, field in shape.fields.items():
        native = _name_on(name, field, side)
        first = seen.setdefault(native.casefold(), name)
        if first != name:
            source.problem(
                ("fields", name),
                f"'{native}' on the {side} side already crosses as '{first}'",
                "keep one of the two",
                key=True,
            )


def _check_built_in(
    name: str, field: FieldShape, source: Source, agreement: AgreementShape, kinds: Mapping[Side, Kind | None]
) -> None:
    """Built-in fields have their own names, and must exist on both sides."""
    at: Path = ("fields", name)
    for key in ("internal", "vendor", "field"):
        if getattr(field, key):
            source.problem(
                (*at, key),
                f"'{name}' is a built-in field: every tracker knows it by that name",
                "remove the key; a custom field needs a name of its own here",
                key=True,
            )
    for side, kind in kinds.items():
        scope = agreement.internal if side is Side.INTERNAL else agreement.vendor
        if kind is not None and scope is not None and name in kind.lacks:
            source.problem(
                at,
                f"tracker '{scope.tracker}' ({side}) is of a kind that has no {name}",
                f"remove '{name}', or map a custom field under another name",
                key=True,
            )


def _check_custom(name: str, field: FieldShape, source: Source) -> None:
    """A custom field needs the name that people see in the tracker."""
    at: Path = ("fields", name)
    names = [(*at, key) for key in ("internal", "vendor", "field")]
    if not source.sound(*names):
        return
    right = "give 'internal: ...' and 'vendor: ...', or 'field: ...' for the same name on both"
    if field.field and (field.internal or field.vendor):
        source.problem(
            (*at, "field"),
            "'field' is the name on both sides, but a side has its own as well",
            right,
            key=True,
        )
    elif not field.field and not (field.internal and field.vendor):
        lacking = [side for side in Side if not getattr(field, side)]
        source.problem(
            at,
            f"'{name}' is no built-in field and has no name for {' and '.join(lacking)}",
            did_you_mean(name, BUILT_IN_FIELDS, otherwise=right),
            key=True,
        )


def _check_rule(name: str, field: FieldShape, source: Source) -> None:
    """Owner and rule must say the same, and a merge needs something to merge."""
    at: Path = ("fields", name)
    if not source.sound((*at, "owner"), (*at, "rule")):
        return
    if field.owner is not None and field.rule not in {None, Rule.OWNER}:
        source.problem(
            (*at, "rule"),
            f"'rule: {field.rule}' contradicts 'owner: {field.owner}'",
            "keep one of the two: an owner decides alone",
        )
    elif field.owner is None and field.rule is Rule.OWNER:
        source.problem(
            (*at, "rule"),
            "'rule: owner' does not say who owns the field",
            "write 'owner: internal' or 'owner: vendor'",
        )
    elif field.rule is Rule.MERGE and name in BUILT_IN_FIELDS and name not in _MERGED:
        source.problem(
            (*at, "rule"),
            f"two values of '{name}' cannot be merged",
            "use newest, hold or an owner; merge is for labels, texts and custom fields that hold sets",
        )


def _check_maps(name: str, field: FieldShape, source: Source) -> None:
    """Keys that only make sense for some fields: values, otherwise, only."""
    at: Path = ("fields", name)
    if field.values and name in _UNMAPPED:
        source.problem(
            (*at, "values"),
            f"'{name}' crosses as it is: its values cannot be mapped",
            "remove 'values'",
            key=True,
        )
    if field.values and name in PERSON_FIELDS:
        source.problem(
            (*at, "values"), "persons are not mapped by 'values'", "pair them under 'people'", key=True
        )
    if (
        field.otherwise is not None
        and not field.values
        and name in BUILT_IN_FIELDS
        and name not in PERSON_FIELDS
        and source.sound((*at, "values"))
    ):
        source.problem(
            (*at, "otherwise"),
            "'otherwise' has no effect without 'values'",
            "add the values, or remove 'otherwise'",
            key=True,
        )
    if field.otherwise == "same" and name in PERSON_FIELDS:
        source.problem(
            (*at, "otherwise"),
            "a person of one tracker is unknown in the other",
            "use keep, hold or a stand-in for each side",
        )
    if field.only and name not in SET_FIELDS:
        source.problem(
            (*at, "only"),
            f"'only' is for labels, components and versions, not for '{name}'",
            "remove it",
            key=True,
        )


def _check_values_apart(name: str, field: FieldShape, source: Source) -> None:
    """No pair twice; and words of one tracker that differ by capitals or spaces only are one word, mistyped."""
    at: Path = ("fields", name, "values")
    inners: dict[str, str] = {}
    outers: dict[str, str] = {}
    for inner, listed_outers in field.values.items():
        _check_spelling(inner, inners, source, (*at, inner), key=True)
        for position, outer in enumerate(listed_outers):
            here: Path = (*at, inner, position)
            if here not in source.lines:
                here = here[:-1]  # one value without a list
            if outer in listed_outers[:position]:
                source.problem(here, f"'{outer}' stands twice", "keep one of them")
            else:
                _check_spelling(outer, outers, source, here)


def _check_spelling(word: str, known: dict[str, str], source: Source, at: Path, *, key: bool = False) -> None:
    first = known.setdefault(" ".join(word.casefold().split()), word)
    if first != word:
        source.problem(
            at,
            f"'{word}' and '{first}' differ by capitals or spaces only",
            f"did you mean '{first}'? Write each value as its tracker does",
            key=key,
        )


def _check_status_keys(name: str, field: FieldShape, source: Source) -> None:
    """Detours and screen fields: for the status only, and for goals that can come up."""
    for key, sides in (("via", field.via), ("fill", field.fill)):
        at: Path = ("fields", name, key)
        if name != "status":
            if sides.internal or sides.vendor:
                source.problem(
                    at,
                    f"'{key}' is for the status, not for '{name}'",
                    "move it under 'status', or remove it",
                    key=True,
                )
            continue
        for side in Side:
            goals = _goals(field, side)
            for goal in getattr(sides, side):
                _check_goal(goal, goals, field, source, (*at, side, goal))
    for side in Side:
        for goal, steps in getattr(field.via, side).items():
            _check_steps(goal, steps, _goals(field, side), source, ("fields", name, "via", side, goal))


def _goals(field: FieldShape, side: Side) -> tuple[str, ...]:
    """The statuses that the map can ask for on a side."""
    if side is Side.INTERNAL:
        goals = [*field.values]
    else:
        goals = [outer for outers in field.values.values() for outer in outers]
    if isinstance(field.otherwise, PairShape):
        goals.append(getattr(field.otherwise, side))
    return tuple(dict.fromkeys(goals))


def _check_goal(goal: str, goals: tuple[str, ...], field: FieldShape, source: Source, at: Path) -> None:
    """A goal that no value maps to would never be used."""
    if goals and goal not in goals and field.otherwise != "same" and source.sound((*at[:2], "values")):
        side = at[3]
        source.problem(
            at, f"no value maps to '{goal}' on the {side} side", did_you_mean(goal, goals), key=True
        )


def _check_steps(goal: str, steps: Iterable[str], goals: tuple[str, ...], source: Source, at: Path) -> None:
    """Steps may be statuses that the map does not know, but not near misses of those it does."""
    folded = {known.casefold().strip(): known for known in goals}
    for position, step in enumerate(steps):
        known = folded.get(step.casefold().strip())
        if known is not None and known != step:
            source.problem(
                (*at, position), f"'{step}' is written '{known}' in the map", f"did you mean '{known}'?"
            )
        elif step == goal:
            source.problem(
                (*at, position),
                f"'{goal}' is the goal itself",
                f"name only what lies before it; known: {listed(goals)}",
            )
