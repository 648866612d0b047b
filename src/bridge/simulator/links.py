"""Remote links: one of the three writes that Jira itself makes idempotent, by ``globalId``.

They do not move the issue's ``updated``.
"""

from __future__ import annotations

from typing import Any

from bridge.simulator import render
from bridge.simulator.fields import View
from bridge.simulator.model import Issue, Json, RemoteLink
from bridge.simulator.refusal import BAD_PAYLOAD, Refusal

GLOBAL_ID_LIMIT = 255
BODY_KEYS = frozenset({"globalId", "application", "relationship", "object"})


def links(view: View, issue: Issue, global_id: str | None) -> Any:
    """Return all links, or the single one with this globalId (404 when there is none)."""
    if global_id is None:
        return [render.remote_link(view, issue, one) for one in issue.remote_links]
    for one in issue.remote_links:
        if one.global_id == global_id:
            return render.remote_link(view, issue, one)
    raise Refusal(404, f"No remote link exists with global id {global_id}.")


def put_link(view: View, issue: Issue, body: Json) -> tuple[RemoteLink, bool]:
    """Upsert a link: a known globalId replaces the link whole, what is left out becomes null."""
    _may_link(view, issue)
    target = body.get("object")
    if set(body) - BODY_KEYS:
        raise Refusal(400, BAD_PAYLOAD, bare=True)
    if not isinstance(target, dict):
        raise Refusal(400, errors={"object": "'object' is required."})
    errors = {name: f"'{name}' is required." for name in ("url", "title") if not target.get(name)}
    global_id = body.get("globalId") or None
    if global_id is not None and len(str(global_id)) > GLOBAL_ID_LIMIT:
        errors["globalId"] = "'globalId' should be no longer than 255 characters."
    if errors:
        raise Refusal(400, errors=errors)
    held = {
        "application": body.get("application") or {},
        "relationship": body.get("relationship"),
        "object": target,
    }
    if held["relationship"] is None:
        del held["relationship"]
    for place, one in enumerate(issue.remote_links):
        if global_id is not None and one.global_id == global_id:
            changed = RemoteLink(one.id, global_id, held)
            issue.remote_links = [*issue.remote_links[:place], changed, *issue.remote_links[place + 1 :]]
            view.site.reindex(issue)
            return changed, False
    fresh = RemoteLink(view.site.new_id("part"), global_id, held)
    issue.remote_links = [*issue.remote_links, fresh]
    view.site.reindex(issue)
    return fresh, True


def delete_link(view: View, issue: Issue, link_id: str) -> None:
    """Delete a link by id."""
    _drop(view, issue, [one for one in issue.remote_links if str(one.id) != link_id], link_id)


def delete_link_by_global_id(view: View, issue: Issue, global_id: str | None) -> None:
    """Delete a link by globalId."""
    if not global_id:
        raise Refusal(400, "The 'globalId' query parameter is required.")
    _drop(view, issue, [one for one in issue.remote_links if one.global_id != global_id], global_id)


def _drop(view: View, issue: Issue, kept: list[RemoteLink], name: str) -> None:
    _may_link(view, issue)
    if len(kept) == len(issue.remote_links):
        raise Refusal(404, f"No remote link exists with id {name}.")
    issue.remote_links = kept
    view.site.reindex(issue)


def _may_link(view: View, issue: Issue) -> None:
    if not view.site.may(view.user, "LINK_ISSUES", issue.project):
        raise Refusal(403, "You do not have permission to link issues in this project.")
