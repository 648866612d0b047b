"""The ``roles`` and ``holds`` of an agreement: who is in a role, what it answers for, and who decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from bridge.clock import SECOND
from bridge.config.clock_words import quiet_of
from bridge.config.findings import Path, did_you_mean
from bridge.config.kinds import Kind
from bridge.config.role_shape import HoldsShape, RoleShape
from bridge.config.shape import AgreementShape
from bridge.config.source import Source
from bridge.config.words import is_mail_address
from bridge.config.zones import check_zone
from bridge.sync.agreement import BUILT_IN_FIELDS, PERSON_FIELDS
from bridge.sync.roles import HoldRule, Quiet, Role
from bridge.sync.ticket import Side

_MEDIATOR = "mediator"
"""The role that decides between the sides, unless the file names another."""


def settle_roles(
    shape: AgreementShape, source: Source, kinds: Mapping[Side, Kind | None]
) -> tuple[Role, ...]:
    """The roles, in file order; what is wrong goes to the source's findings.

    Args:
        shape: the fitted agreement.
        source: its file.
        kinds: each side's kind of tracker, None when unknown.
    """
    roles = shape.roles or {}
    if shape.roles == {} and source.sound(("roles",)):
        source.problem(
            ("roles",),
            "no role is named",
            "name one for each side, e.g. service-owner: {side: internal, people: [...]}, or drop the key",
            key=True,
        )
    _check_names(roles, source)
    for name, role in roles.items():
        _check_members(name, role, source, kinds)
        _check_field(name, role, shape, source, kinds)
    _check_fields_apart(roles, source)
    _check_sides(roles, source)
    return tuple(
        Role(
            name=name,
            side=role.side or Side.INTERNAL,  # without a side, the file is refused
            people=role.people,
            groups=role.groups,
            project_roles=role.project_roles,
            field=role.field,
            required_within=None if role.required_within is None else round(role.required_within * SECOND),
            mail=role.mail or tuple(person for person in role.people if is_mail_address(person)),
            language=role.language,
            quiet=_quiet(name, role, source),
        )
        for name, role in roles.items()
    )


def _quiet(name: str, role: RoleShape, source: Source) -> Quiet | None:
    if not role.quiet:
        return None
    start, end, zone = quiet_of(role.quiet)
    check_zone(zone, ("roles", name, "quiet"), source)
    return Quiet(start, end, zone)


def settle_holds(shape: AgreementShape, source: Source) -> HoldRule:
    """Who decides, and by when; what is wrong goes to the source's findings.

    Without a word on it, the first role of a side decides about the other side's changes; the mediator only where its
    side has no other role.
    """
    roles = shape.roles or {}
    holds = shape.holds or HoldsShape()
    if shape.holds is not None and shape.roles is None and source.sound(("holds",), ("roles",)):
        source.problem(
            ("holds",),
            "there are no roles: nobody could decide about a hold",
            "name the people who decide under 'roles', or remove 'holds'",
            key=True,
        )
    elif roles:
        for side in Side:
            _check_decider(getattr(holds.approvers, side), ("holds", "approvers", side), side, roles, source)
        _check_decider(holds.mediator, ("holds", "mediator"), None, roles, source)
    if holds.then != "wait" and holds.expire is None and source.sound(("holds", "expire")):
        source.problem(
            ("holds", "then"),
            f"'then: {holds.then}' has no effect: no hold expires",
            "add e.g. 'expire: 14d', or remove 'then'",
            key=True,
        )
    mediator = holds.mediator or (_MEDIATOR if _MEDIATOR in roles else "")
    return HoldRule(
        approvers={
            side: name
            for side in Side
            if (name := getattr(holds.approvers, side) or _first_role(roles, side, mediator))
        },
        mediator=mediator,
        expire=None if holds.expire is None else round(holds.expire * SECOND),
        then=holds.then,
    )


def _first_role(roles: Mapping[str, RoleShape], side: Side, mediator: str) -> str:
    """The role of a side that decides when the file names none; "" when it has none."""
    mine = [name for name, role in roles.items() if role.side is side]
    return next((name for name in mine if name != mediator), mine[0] if mine else "")


def _check_names(roles: Iterable[str], source: Source) -> None:
    """Names that differ by capitals only would be told apart by nobody."""
    seen: dict[str, str] = {}
    for name in roles:
        first = seen.setdefault(name.casefold(), name)
        if first != name:
            source.problem(
                ("roles", name),
                f"'{name}' and '{first}' differ by capitals only",
                "choose another name",
                key=True,
            )


def _check_members(name: str, role: RoleShape, source: Source, kinds: Mapping[Side, Kind | None]) -> None:
    """Somebody must be in a role, nobody twice, and its tracker must know groups and roles if they are used."""
    at: Path = ("roles", name)
    keys = {
        "people": role.people,
        "groups": role.groups,
        "project-roles": role.project_roles,
        "mail": role.mail,
    }
    for key, members in keys.items():
        _check_twice(members, (*at, key), source)
    somebody = role.people or role.groups or role.project_roles or role.field
    sources = [(*at, key) for key in ("people", "groups", "project-roles", "field")]
    if not somebody and source.sound(*sources):
        source.problem(
            at,
            f"nobody is in '{name}', and no field names anybody",
            "add 'people: [...]', 'groups: [...]', 'project-roles: [...]' or e.g. 'field: assignee'",
            key=True,
        )
    kind = kinds[role.side] if role.side is not None else None
    if kind is None:
        return
    fix = "name its people under 'people'"
    lacking = {"groups": not kind.groups, "project-roles": kind.project_roles == ()}
    for key, lacks in lacking.items():
        if keys[key] and lacks:
            what = key.replace("-", " ")
            source.problem((*at, key), f"the {role.side} side's kind of tracker has no {what}", fix, key=True)
    for position, known in enumerate(role.project_roles):
        if kind.project_roles and known not in kind.project_roles:
            source.problem(
                (*at, "project-roles", position),
                f"the {role.side} side's kind of tracker has no project role '{known}'",
                did_you_mean(known, kind.project_roles),
            )


def _check_twice(members: tuple[str, ...], at: Path, source: Source) -> None:
    seen: dict[str, int] = {}
    for position, member in enumerate(members):
        if seen.setdefault(member.casefold(), position) != position:
            source.problem((*at, position), f"'{member}' stands twice", "keep one of them")


def _check_field(
    name: str,
    role: RoleShape,
    agreement: AgreementShape,
    source: Source,
    kinds: Mapping[Side, Kind | None],
) -> None:
    """Who is accountable can be read from a field that holds a person, and only from such a field."""
    at: Path = ("roles", name)
    if role.required_within is not None and not role.field and source.sound((*at, "field")):
        source.problem(
            (*at, "required-within"),
            "no field says who is accountable, so that it could be missing",
            "add e.g. 'field: assignee', or remove 'required-within'",
            key=True,
        )
    if not role.field:
        return
    kind = kinds[role.side] if role.side is not None else None
    custom = [field for field in agreement.fields if field not in BUILT_IN_FIELDS]
    persons = [*sorted(PERSON_FIELDS), *(field for field in custom if not agreement.fields[field].values)]
    if role.field in persons:
        if kind is not None and role.field in kind.lacks:
            source.problem(
                (*at, "field"),
                f"the {role.side} side's kind of tracker has no {role.field}",
                "name a custom field that holds a person, or list its 'people'",
            )
    elif role.field in BUILT_IN_FIELDS or role.field in custom:
        source.problem(
            (*at, "field"),
            f"'{role.field}' holds no person",
            "write 'assignee', or a custom field that holds a person",
        )
    elif meant := _misspelt(role.field, persons):
        # Any other name is that of a field in the tracker: who is accountable need not cross.
        source.problem(
            (*at, "field"), f"'{role.field}' is not how this file calls the field", f"did you mean '{meant}'?"
        )


def _misspelt(name: str, known: list[str]) -> str:
    """The known name that this one surely means; "" when it may be another field of the tracker."""
    folded = {one.casefold(): one for one in known}
    near = get_close_matches(name.casefold(), folded, n=1, cutoff=0.85)
    return folded[near[0]] if near else ""


def _check_fields_apart(roles: Mapping[str, RoleShape], source: Source) -> None:
    """One field cannot say who is accountable for two roles."""
    seen: dict[tuple[Side, str], str] = {}
    for name, role in roles.items():
        if role.side is None or not role.field:
            continue
        first = seen.setdefault((role.side, role.field), name)
        if first != name:
            line = source.line(("roles", first, "field"))
            source.problem(
                ("roles", name, "field"),
                f"'{role.field}' of the {role.side} side already names the '{first}' (line {line})",
                "give each role a field of its own, or leave it out of one of them",
            )


def _check_sides(roles: Mapping[str, RoleShape], source: Source) -> None:
    """Somebody who acts for both sides may do everything: what one side may not do, the other may.

    Only addresses are compared: a login or id may mean two people in two trackers.
    """
    seen: dict[str, tuple[Side, Path]] = {}
    for name, role in roles.items():
        for position, person in enumerate(role.people):
            if role.side is None or not is_mail_address(person):
                continue
            at: Path = ("roles", name, "people", position)
            side, first = seen.setdefault(person.casefold(), (role.side, at))
            if side is not role.side:
                source.problem(
                    at,
                    f"'{person}' already acts for the {side} side (line {source.line(first)})",
                    "a person belongs to one side",
                )


def _check_decider(
    name: str, at: Path, side: Side | None, roles: Mapping[str, RoleShape], source: Source
) -> None:
    """Who decides must be a role, and an approver one of the side that it decides for."""
    if not name:
        return
    role = roles.get(name)
    if role is None:
        if source.sound(("roles", name)):
            fitting = [known for known, other in roles.items() if side is None or other.side is side]
            source.problem(at, f"there is no role '{name}'", did_you_mean(name, fitting or roles))
    elif side is not None and role.side is side.other:
        mine = [known for known, other in roles.items() if other.side is side]
        options = " or ".join(f"'{known}'" for known in mine)
        source.problem(
            at,
            f"'{name}' belongs to the {role.side} side: it cannot decide for the {side} side",
            f"write {options}" if mine else f"add a role with 'side: {side}'",
        )
