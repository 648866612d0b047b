"""Links between issues: their types, making and removing them, how they look on either issue.

A link is kept on both issues, so that a search which trails shows each as it was. Making one that exists changes
nothing and is answered as made. Both issues get a history entry and a new ``updated``.
"""

from __future__ import annotations

from typing import Any

from bridge.simulator import render
from bridge.simulator.fields import View
from bridge.simulator.history import record
from bridge.simulator.model import Issue, IssueLink, Json, LinkType
from bridge.simulator.refusal import BAD_PAYLOAD, Refusal

BODY_KEYS = frozenset({"type", "inwardIssue", "outwardIssue", "comment"})


def types(view: View) -> list[Json]:
    """Return every type of link."""
    return [render.link_type(view, one) for one in view.site.link_types.values()]


def add(view: View, body: Any) -> None:
    """Link two issues: the inward one is where the link starts ("A blocks B": A is the inward issue)."""
    if not isinstance(body, dict) or set(body) - BODY_KEYS:
        raise Refusal(400, BAD_PAYLOAD, bare=True)
    kind = _type(view, body.get("type"))
    source, target = (_issue(view, body.get(name)) for name in ("inwardIssue", "outwardIssue"))
    for one in (source, target):
        _may_link(view, one)
    if source.id == target.id:
        raise Refusal(400, "You cannot link an issue to itself.")
    if any(one.type == kind.id and one.outward and one.other == target.id for one in source.links):
        return
    number = str(view.site.new_id("part"))
    source.links = [*source.links, IssueLink(number, kind.id, outward=True, other=target.id)]
    target.links = [*target.links, IssueLink(number, kind.id, outward=False, other=source.id)]
    record(view.site, source, view.me.id, [_item(None, (target.key, kind.outward))])
    record(view.site, target, view.me.id, [_item(None, (source.key, kind.inward))])


def find(view: View, number: str) -> tuple[Issue, IssueLink]:
    """Return a link by id with the issue where it starts, or refuse with 404."""
    for issue in view.site.issues.values():
        for one in issue.links:
            if (
                one.id == number
                and one.outward
                and view.site.may(view.user, "BROWSE_PROJECTS", issue.project)
            ):
                return issue, one
    raise Refusal(404, f"No issue link with id '{number}' exists.")


def show(view: View, number: str) -> Json:
    """Return a link with both its issues."""
    source, held = find(view, number)
    target = view.site.issues[held.other]
    body = render.issue_link(view, held)
    return {**body, "inwardIssue": render.linked(view, source), "outwardIssue": render.linked(view, target)}


def remove(view: View, number: str) -> None:
    """Remove a link from both its issues."""
    source, held = find(view, number)
    kind, target = view.site.link_types[held.type], view.site.issues[held.other]
    _may_link(view, source)
    for one in (source, target):
        one.links = [each for each in one.links if each.id != number]
    record(view.site, source, view.me.id, [_item((target.key, kind.outward), None)])
    record(view.site, target, view.me.id, [_item((source.key, kind.inward), None)])


def _type(view: View, raw: Any) -> LinkType:
    wanted = raw if isinstance(raw, dict) else {}
    for one in view.site.link_types.values():
        if str(wanted.get("id", one.id)) == one.id and wanted.get("name", one.name) == one.name and wanted:
            return one
    raise Refusal(404, f"No issue link type with name '{wanted.get('name') or wanted.get('id')}' found.")


def _issue(view: View, raw: Any) -> Issue:
    if not isinstance(raw, dict):
        raise Refusal(400, BAD_PAYLOAD, bare=True)
    return view.site.readable(view.user, str(raw.get("id") or raw.get("key") or ""))


def _may_link(view: View, issue: Issue) -> None:
    if not view.site.may(view.user, "LINK_ISSUES", issue.project):
        raise Refusal(404 if view.site.cloud else 401, f"No Link Issue Permission for issue '{issue.key}'")


def _item(old: tuple[str, str] | None, new: tuple[str, str] | None) -> Json:
    """A history item: (the other issue's key, what this one does to it) before and after."""
    before, after = (
        (None, None) if one is None else (one[0], f"This issue {one[1]} {one[0]}") for one in (old, new)
    )
    return {
        "field": "Link",
        "fieldtype": "jira",
        "from": before[0],
        "fromString": before[1],
        "to": after[0],
        "toString": after[1],
    }
