"""Whether our account may do what the agreement asks for, and nothing is demanded that it does not."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.config.findings import Path
from bridge.daemon.checking.looking import SideLook
from bridge.daemon.checking.report import Check, Desk
from bridge.sync.agreement import PERSON_FIELDS, Agreement, FieldRule, Rule
from bridge.sync.roles import Mode
from bridge.sync.ticket import Side
from bridge.trackers.protocol import ProjectMeta
from bridge.trackers.survey import Need

Demand = tuple[Need, str, Path]
"""What must be allowed, what for, and the place in the file that asks for it."""

_MINOR = frozenset({Need.PEOPLE})
"""What only makes something less than it could be: no reason not to start."""


def check_rights(desk: Desk, look: SideLook, meta: ProjectMeta) -> None:
    """Every right that is missing once, with all that it is needed for.

    An agreement that only observes needs none but to see; the others are told in time.
    """
    scope, observes = look.scope, look.agreement.mode is Mode.OBSERVE
    wanted: dict[str, tuple[list[str], Path, bool]] = {}
    for need, purpose, path in demands(look.agreement, look.side):
        harmless = need in _MINOR or (observes and need is not Need.READ)
        for right in meta.missing_rights.get(need, ()):
            purposes, _, minor = wanted.setdefault(right, ([], path, harmless))
            if purpose not in purposes:
                purposes.append(purpose)
            wanted[right] = (purposes, wanted[right][1], minor and harmless)
    for right, (purposes, path, minor) in wanted.items():
        place = desk.remark if minor else desk.mistake
        place(
            Check.RIGHTS,
            path,
            f"our account lacks the right {right} in {scope.project}, which it needs {_joined(purposes)}",
            f"ask the administrator of '{scope.tracker}' to grant it",
            key=path[0] != look.side.value,
        )


def check_privacy(desk: Desk, look: SideLook, meta: ProjectMeta) -> None:
    """Private comments that are to be written here must be able to be private."""
    scope, comments = look.scope, look.agreement.comments
    if not comments.private or look.side.other not in comments.cross:
        return
    if not (meta.private_notes or scope.privacy.role or scope.privacy.group):
        desk.mistake(
            Check.RIGHTS,
            ("comments", "private"),
            f"private comments are to cross, but project {scope.project} of '{scope.tracker}' is no service desk: "
            "without a role or a group a comment there is public",
            f"add private-role or private-group to '{look.side}'",
        )


def demands(agreement: Agreement, side: Side) -> Iterator[Demand]:
    """What the bridge will have to do on a side, under this agreement."""
    other, project = side.other, (side.value, "project")
    yield Need.READ, f"to see the {side} side's tickets", project
    if side in agreement.create_on:
        yield Need.CREATE, f"to mirror the {other} side's tickets", project
    written = [rule for rule in agreement.fields if may_be_written(rule, side)]
    edited = [rule.name for rule in written if rule.name != "status"]
    if edited:
        yield Need.EDIT, f"to keep {_names(edited)} equal", project
    if "status" in [rule.name for rule in written]:
        yield Need.MOVE, "to follow the status", project
    elif side in agreement.deleted.close:
        yield Need.MOVE, "to close a ticket whose peer was deleted", ("deleted", "close", side.value)
    if any(rule.name in PERSON_FIELDS for rule in written):
        yield Need.ASSIGN, "to set the assignee", project
        yield Need.PEOPLE, "to find the people of the people map", ("people",)
    yield Need.LINK_BACK, "for the link to the peer", project
    yield from _of_comments(agreement, side)
    yield from _of_parts(agreement, side)


def may_be_written(rule: FieldRule, side: Side) -> bool:
    """Whether the bridge ever writes a field on a side: its owner's value is never touched."""
    return not (rule.rule is Rule.OWNER and rule.owner is side)


def _of_comments(agreement: Agreement, side: Side) -> Iterator[Demand]:
    other, project = side.other, (side.value, "project")
    comments, edits = agreement.comments, agreement.scope(side).edits_texts
    if other in comments.cross:
        yield Need.COMMENT, f"for the {other} side's comments", project
        if edits:
            yield Need.EDIT_COMMENT, "to follow comments that are edited", project
            yield Need.DELETE_COMMENT, "to take back comments that are deleted or made private", project
        if comments.private:
            yield Need.PRIVATE, "for private comments", ("comments", "private")
        if comments.mentions:
            yield Need.PEOPLE, "for live mentions", ("comments", "mentions")
    if agreement.deleted.tell:
        yield Need.COMMENT, "to tell that the peer was deleted", project
    if agreement.roles:
        yield Need.COMMENT, "for the note that a change is held", project
        if edits:
            yield Need.EDIT_COMMENT, "to keep the note on held changes up to date", project


def _of_parts(agreement: Agreement, side: Side) -> Iterator[Demand]:
    """Files, relations and time."""
    other = side.other
    if other in agreement.attachments.cross:
        yield Need.ATTACH, f"for the {other} side's files", ("attachments", "cross")
        if agreement.scope(side).edits_texts:
            yield (
                Need.DELETE_FILE,
                "to take back files that are deleted or made private",
                ("attachments", "cross"),
            )
    if agreement.relations.links:
        yield Need.RELATE, "for links between tickets", ("relations", "links")
    if agreement.relations.parent:
        yield Need.PARENT, "for parents", ("relations", "parent")
    if other in agreement.worklogs.cross:
        at = ("worklogs", "cross")
        yield Need.BOOK, f"for the {other} side's worklogs", at
        yield Need.EDIT_TIME, "to follow worklogs that are edited", at
        yield Need.DELETE_TIME, "to take back worklogs that are deleted", at


def _names(fields: list[str]) -> str:
    shown = ", ".join(fields[:3])
    return f"{shown} and {len(fields) - 3} more fields" if len(fields) > 3 else shown  # noqa: PLR2004 - a few are enough


def _joined(purposes: list[str]) -> str:
    *rest, last = purposes
    return f"{', '.join(rest)} and {last}" if rest else last
