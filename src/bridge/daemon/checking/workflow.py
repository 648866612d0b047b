"""Whether the statuses that the bridge will have to set can be reached, as far as the tracker tells.

No tracker shows its workflows to an ordinary account, but each shows the steps from where a ticket is. So one ticket of
each type and status is looked at. A status is called out of reach only where every status that those steps lead to was
looked at as well; else there may be a way that nobody has seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.config.findings import Path
from bridge.daemon.checking.creation import created_types
from bridge.daemon.checking.looking import SideLook
from bridge.daemon.checking.report import Check, Desk, some
from bridge.daemon.checking.rights import may_be_written
from bridge.sync.ticket import Side, Transition
from bridge.trackers.protocol import ProjectMeta
from bridge.trackers.survey import Need, Sampled

Goal = tuple[str, Path]
"""A status that the bridge will have to set, and the place in the file that says so."""

Steps = Sequence[tuple[Sampled, Sequence[Transition]]]


@dataclass(slots=True)
class _Kind:
    """What was seen of the workflow of one type.

    Attributes:
        name: of the type; "" where tickets have none.
        offered: status -> the steps offered from it.
        born: statuses of tickets that nothing has happened to.
        tickets: status -> the ticket that was looked at.
    """

    name: str
    offered: dict[str, Sequence[Transition]] = field(default_factory=dict)
    born: set[str] = field(default_factory=set)
    tickets: dict[str, str] = field(default_factory=dict)


def check_statuses(desk: Desk, look: SideLook, meta: ProjectMeta) -> None:
    """Statuses that a project has, but not for every type of ticket that crosses."""
    kinds = _crossing_types(look, meta)
    known = {status for kind in kinds for status in meta.statuses.get(kind, ())}
    for goal, path in _goals(look):
        without = [kind for kind in kinds if meta.statuses.get(kind) and goal not in meta.statuses[kind]]
        if without and goal in known:
            desk.remark(
                Check.WORKFLOW,
                path,
                f"in {look.scope.project} tickets of the type {some(without)} cannot be '{goal}': their workflow has "
                "no such status",
                "pair a status that all types have, or let these types not cross",
            )


def check_steps(desk: Desk, look: SideLook, meta: ProjectMeta) -> None:
    """Statuses that no step leads to, and steps that ask for what nothing gives."""
    rule = look.agreement.field("status")
    if rule is None or Need.MOVE in meta.missing_rights:
        return
    if look.steps is None:
        desk.unseen(Check.WORKFLOW, "the tracker does not list tickets to see the steps from")
        return
    kinds = _seen(look.steps, None if not meta.types else set(_crossing_types(look, meta)))
    if not kinds:
        desk.unseen(Check.WORKFLOW, f"no ticket in {look.scope.project} yet, to see the steps from")
        return
    for goal in _goals(look):
        _check_goal(desk, look, meta, kinds, goal)
    fill = rule.fill.get(look.side, {})
    for goal in dict([*_waypoints(look), *_goals(look)]).items():
        _check_screens(desk, look, kinds, goal, fill.get(goal[0], {}))


def _check_goal(desk: Desk, look: SideLook, meta: ProjectMeta, kinds: Sequence[_Kind], aim: Goal) -> None:
    """Say of a status that no step leads to it, if that is sure."""
    goal, path = aim
    barred: list[_Kind] = []
    for kind in kinds:
        targets = {step.to for steps in kind.offered.values() for step in steps}
        if goal in targets or goal in kind.born or goal not in (meta.statuses.get(kind.name) or {goal}):
            continue
        unexplored = sorted(targets - kind.offered.keys())
        if unexplored:
            desk.unseen(
                Check.WORKFLOW, f"no ticket is {some(unexplored)} now, so the steps from there were not seen"
            )
        else:
            barred.append(kind)
    if not barred:
        return
    types = [kind.name for kind in barred if kind.name]
    of = f" for tickets of the type {some(types)}" if types else ""
    seen = ", ".join(
        dict.fromkeys(f"'{status}' ({key})" for kind in barred for status, key in kind.tickets.items())
    )
    desk.remark(
        Check.WORKFLOW,
        path,
        f"in {look.scope.project} no step leads to '{goal}'{of} that our account is shown; looked at: {seen}",
        "have a step to it added or shown to our account, or pair another status",
    )


def _check_screens(
    desk: Desk, look: SideLook, kinds: Sequence[_Kind], aim: Goal, given: Mapping[str, str]
) -> None:
    """Say which fields the steps to a status ask for, where none of those from the same status goes without."""
    goal, path = aim
    filled = {name.casefold() for name in given}
    asked: dict[str, tuple[str, str]] = {}
    for kind in kinds:
        for status, steps in kind.offered.items():
            ways = [
                (step, [name for name in step.required if name.casefold() not in filled]) for step in steps
            ]
            ways = [way for way in ways if way[0].to == goal]
            if ways and all(lacking for _, lacking in ways):
                step, lacking = ways[0]
                for name in lacking:
                    asked.setdefault(name, (step.name, f"'{status}' ({kind.tickets[status]})"))
    for name, (called, where) in asked.items():
        desk.remark(
            Check.WORKFLOW,
            path,
            f"in {look.scope.project} the step '{called}' from {where} to '{goal}' asks for '{name}', which nothing "
            "gives: the bridge cannot take it",
            f"add to status fill: {{{look.side}: {{{goal}: {{{name}: ...}}}}}}",
        )


def _seen(steps: Steps, wanted: set[str] | None) -> list[_Kind]:
    """What was seen, by type; of all types, or of those that cross."""
    kinds: dict[str, _Kind] = {}
    for ticket, offered in steps:
        if wanted is None or ticket.kind in wanted:
            kind = kinds.setdefault(ticket.kind, _Kind(ticket.kind))
            kind.offered[ticket.status] = offered
            kind.tickets[ticket.status] = ticket.key
            if ticket.untouched:
                kind.born.add(ticket.status)
    return list(kinds.values())


def _goals(look: SideLook) -> Iterator[Goal]:
    """The statuses that the bridge will have to set on this side, each with its place in the file."""
    rule, side = look.agreement.field("status"), look.side
    goals: dict[str, Path] = {}
    if rule is not None and may_be_written(rule, side):
        origins: set[str] = set()
        for internal, vendor in rule.values:
            here, there = (internal, vendor) if side is Side.INTERNAL else (vendor, internal)
            if there not in origins:  # of several pairs the first one is taken
                origins.add(there)
                goals.setdefault(here, ("fields", "status", "values", internal))
        if side in rule.otherwise.values:
            goals.setdefault(rule.otherwise.values[side], ("fields", "status", "otherwise"))
    if side in look.agreement.deleted.close:
        goals.setdefault(look.agreement.deleted.close[side], ("deleted", "close", side.value))
    yield from goals.items()


def _waypoints(look: SideLook) -> Iterator[Goal]:
    """The statuses on the ways that the agreement names."""
    rule = look.agreement.field("status")
    if rule is not None:
        for goal, stops in rule.via.get(look.side, {}).items():
            for stop in stops:
                yield stop, ("fields", "status", "via", look.side.value, goal)


def _crossing_types(look: SideLook, meta: ProjectMeta) -> list[str]:
    """The types of the tickets that are mirrored here: those that are mapped or created, else all."""
    if look.agreement.field("type") is None and "type" not in look.scope.on_create:
        return list(meta.types)
    if look.agreement.field("type") is None and not _only_mirrors(look):
        return list(meta.types)
    return created_types(look, meta)


def _only_mirrors(look: SideLook) -> bool:
    """Whether all mirrored tickets of this side are of our making."""
    return look.side.other not in look.agreement.create_on
