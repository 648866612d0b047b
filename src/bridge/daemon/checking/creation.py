"""Whether the tickets that the bridge creates will be taken: their type, what the screen demands, our mark."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.config.findings import Path
from bridge.daemon.checking.looking import SideLook
from bridge.daemon.checking.report import Check, Desk, meant, some
from bridge.sync.ticket import Side
from bridge.trackers.protocol import FieldMeta, ProjectMeta

ALWAYS_GIVEN = frozenset({"project", "issue type", "summary", "reporter", "status"})
"""Required fields, in small letters, that the bridge or the tracker fills in any case."""

SET_LATER = frozenset({"status", "type"})
"""Fields that no screen needs to show: a status is reached by steps, and a type is what the screen is of."""


def check_creation(desk: Desk, look: SideLook, meta: ProjectMeta) -> None:
    """Fields that the tracker demands of a new ticket and that nothing fills, and those that it does not take."""
    agreement, side, scope = look.agreement, look.side, look.scope
    if side not in agreement.create_on:
        return
    kind = scope.on_create.get("type")
    if kind is not None and kind not in meta.types:
        desk.mistake(
            Check.CREATION,
            (side.value, "on-create", "type"),
            f"'{kind}' is no type of ticket in {scope.project}",
            meant(kind, meta.types),
        )
    if meta.types and kind is None and agreement.field("type") is None:
        desk.mistake(
            Check.CREATION,
            (side.value,),
            f"new tickets in {scope.project} need a type, which nothing gives",
            f"map the field type, or add on-create: {{type: {meta.types[0]}}}",
        )
    kinds = created_types(look, meta)
    _check_demanded(desk, look, meta, kinds)
    _check_shown(desk, look, meta, kinds)


def check_mark(desk: Desk, look: SideLook, meta: ProjectMeta, path: Path) -> None:
    """Whether our mark can be put on new tickets, and found again.

    Args:
        desk: takes the findings, of the file that says where the mark is to be.
        look: the side.
        meta: its project.
        path: the place in that file.
    """
    if look.side not in look.agreement.create_on:
        return
    name = look.scope.tracker
    for flaw in meta.marker:
        desk.mistake(Check.MARK, path, f"on '{name}', {flaw.words}", flaw.cure)


def created_types(look: SideLook, meta: ProjectMeta) -> list[str]:
    """The types of tickets that the bridge may create here."""
    rule, on_create = look.agreement.field("type"), look.scope.on_create
    named = {on_create["type"]} if "type" in on_create else set()
    if rule is not None:
        named |= {internal if look.side is Side.INTERNAL else vendor for internal, vendor in rule.values}
    return sorted(named & set(meta.types)) or list(meta.types[:1])


def _check_demanded(desk: Desk, look: SideLook, meta: ProjectMeta, kinds: list[str]) -> None:
    scope = look.scope
    given = {name.casefold() for name in scope.on_create} | {
        rule.name_on(look.side).casefold() for rule in look.agreement.fields
    }
    lacking: dict[str, tuple[FieldMeta, list[str]]] = {}
    for kind in kinds:
        for needed in _unfilled(meta.create.get(kind, ()), given):
            lacking.setdefault(needed.name, (needed, []))[1].append(kind)
    for name, (needed, types) in lacking.items():
        desk.mistake(
            Check.CREATION,
            (look.side.value,),
            f"a new {some(types)} in {scope.project} must have '{name}', which nothing fills",
            f"map the field, or add it to on-create{_offer(needed)}",
        )


def _check_shown(desk: Desk, look: SideLook, meta: ProjectMeta, kinds: list[str]) -> None:
    """Mapped fields that the create screen does not show: the ticket is created without them, and that is told."""
    for rule in look.agreement.fields:
        native = rule.name_on(look.side)
        if rule.name in SET_LATER or (meta.fields and native not in meta.fields):
            continue
        hiding = [
            kind
            for kind in kinds
            if meta.create.get(kind) and all(native not in {one.name, one.id} for one in meta.create[kind])
        ]
        if hiding:
            desk.remark(
                Check.CREATION,
                ("fields", rule.name),
                f"the screen on which a {some(hiding)} is created in {look.scope.project} does not show '{native}': "
                "new tickets come without it",
                "put the field on the create screen",
                key=True,
            )


def _unfilled(fields: tuple[FieldMeta, ...], given: set[str]) -> Iterator[FieldMeta]:
    for one in fields:
        if one.required and not {one.name.casefold(), one.id} & (ALWAYS_GIVEN | given):
            yield one


def _offer(needed: FieldMeta) -> str:
    return f", e.g. {needed.name}: {needed.allowed[0]}" if needed.allowed else ""
