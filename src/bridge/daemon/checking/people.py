"""Whether the people and groups whom the agreement names are there, and who holds tickets without being named.

Somebody who has left is only remarked: the agreement is still one. A group that does not say who is in it is a mistake:
nobody could be told to be in the role; a bridge that runs goes by what it last knew.
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.config.findings import Path
from bridge.daemon.checking.looking import SideLook
from bridge.daemon.checking.report import Check, Desk, some
from bridge.sync.mapping import names
from bridge.sync.ticket import Person, Side
from bridge.trackers.rosters import rosters_of


def check_people(desk: Desk, look: SideLook) -> None:
    """The handles under ``people`` and ``roles``: each is one person who is still there."""
    named = list(_named(look))
    if not named:
        return
    if not look.people:
        desk.unseen(Check.PEOPLE, "the tracker does not tell who answers to a handle")
        return
    tracker = look.scope.tracker
    for handle, path in named:
        found = look.people.get(handle)
        if found is None:
            desk.unseen(Check.PEOPLE, "our account may not look people up")
        elif not found:
            desk.remark(
                Check.PEOPLE,
                path,
                f"nobody whom our account can see on '{tracker}' answers to '{handle}'",
                "name a login, an id or the whole mail address of somebody who is there",
            )
        elif len(found) > 1:
            desk.remark(
                Check.PEOPLE,
                path,
                f"several people on '{tracker}' answer to '{handle}'",
                f"name one by the id: {some(person.id for person in found)}",
            )
        elif not found[0].active:
            desk.remark(
                Check.PEOPLE,
                path,
                f"the account '{handle}' on '{tracker}' was deactivated",
                "name whoever has taken over",
            )


def check_rosters(desk: Desk, look: SideLook) -> None:
    """The groups and project roles that roles are filled from, and those that hide private comments."""
    tracker = look.tracker
    for role in look.agreement.roles:
        if role.side is look.side and rosters_of(tracker) is None and (role.groups or role.project_roles):
            desk.mistake(
                Check.PEOPLE,
                ("roles", role.name),
                f"the bridge cannot read groups and project roles of '{tracker.name}' ({tracker.kind})",
                "name its people under 'people'",
                key=True,
            )
    for path, (what, words) in look.rosters.items():
        desk.mistake(
            Check.PEOPLE,
            path,
            f"'{tracker.name}' does not tell who is in {what}: {words}",
            "check the name, and that our account may see it (docs/trackers.md, Rights)",
        )


def check_holders(desk: Desk, look: SideLook) -> None:
    """People who hold tickets in scope, and whom no pair names: such an assignee does not cross."""
    rule = look.agreement.field("assignee")
    if rule is None or rule.otherwise.kind != "hold":
        return
    if look.in_scope is None:
        desk.unseen(Check.PEOPLE, "the tracker does not list tickets to see who holds them")
        return
    known = [internal if look.side is Side.INTERNAL else vendor for internal, vendor in look.agreement.people]
    strangers: dict[str, Person] = {}
    for ticket in look.in_scope:
        holder = ticket.assignee
        if holder is not None and not any(names(holder, handle) for handle in known):
            strangers.setdefault(holder.id, holder)
    if strangers:
        shown = some(sorted(person.name or person.id for person in strangers.values()))
        desk.remark(
            Check.PEOPLE,
            ("people",) if look.agreement.people else ("fields", "assignee"),
            f"tickets in {look.scope.project} are assigned to {shown}, whom no pair under 'people' names: that does "
            "not cross",
            "pair them, or say under otherwise of assignee what becomes of it",
            key=True,
        )


def _named(look: SideLook) -> Iterator[tuple[str, Path]]:
    """Every handle that the agreement names on this side, with its place in the file."""
    for number, (internal, vendor) in enumerate(look.agreement.people):
        yield (internal if look.side is Side.INTERNAL else vendor), ("people", number, look.side.value)
    for role in look.agreement.roles:
        if role.side is look.side:
            for number, handle in enumerate(role.people):
                yield handle, ("roles", role.name, "people", number)
