"""Checks across agreements: unique names, and no two that claim the same tickets."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.config.agreement_checks import Draft
from bridge.sync.ticket import Side


def check_overlap(drafts: Sequence[Draft]) -> None:
    """Report agreements that get in each other's way, at the later of the two."""
    clear = {side: [_clear(draft, side) for draft in drafts] for side in Side}
    for position, later in enumerate(drafts):
        for place, earlier in enumerate(drafts[:position]):
            _check_names(earlier, later)
            for side in Side:
                if clear[side][position] and clear[side][place]:
                    _check_claims(earlier, later, side)


def _clear(draft: Draft, side: Side) -> bool:
    """Whether the file says without a mistake which tickets of a side it claims."""
    return draft.source.sound((side, "select"), ("create",))


def _check_names(earlier: Draft, later: Draft) -> None:
    name, other = later.agreement.name, earlier.agreement.name
    if name and name.casefold() == other.casefold():
        place = f"{earlier.source.file}:{earlier.source.line(('name',))}"
        later.source.problem(
            ("name",), f"the name '{name}' is taken by {place}", "choose another: it marks every ticket"
        )


def _check_claims(earlier: Draft, later: Draft, side: Side) -> None:
    """One ticket must not get two mirrors because two selections hold it.

    A side claims its tickets when the other side gets mirrors of them. Whether two different queries
    overlap only the tracker could tell; equal ones do, and an empty one takes in all the others.
    """
    mine, theirs = later.agreement.scope(side), earlier.agreement.scope(side)
    if not later.trackers[side] or later.trackers[side] != earlier.trackers[side]:
        return
    if not mine.project or mine.project != theirs.project:
        return
    if side.other not in later.agreement.create_on & earlier.agreement.create_on:
        return
    select, other = (" ".join(scope.select.casefold().split()) for scope in (mine, theirs))
    if select and other and select != other:
        return
    how = "with the same selection" if select == other else "and one of the two selects all tickets"
    place = f"{earlier.source.file}:{earlier.source.line((side, 'project'))}"
    name = earlier.agreement.name or "another agreement"
    later.source.problem(
        (side, "select") if mine.select else (side, "project"),
        f"'{name}' ({place}) claims project {mine.project} on the {side} side as well, {how}",
        "give each a 'select' of its own, e.g. by label or component",
    )
