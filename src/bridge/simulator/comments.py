"""Comments: adding, editing, deleting, and who may.

Each of them moves the issue's ``updated``; a comment's properties do not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bridge.simulator import adf, properties
from bridge.simulator.fields import TOO_LONG, View
from bridge.simulator.history import touch
from bridge.simulator.model import Comment, Issue, Json, words
from bridge.simulator.refusal import BAD_PAYLOAD, Refusal, field_refusal
from bridge.simulator.render import may_read

NOT_VALID = "Comment body is not valid!"
EMPTY = "Comment body can not be empty!"
BODY_KEYS = words(
    """
    body visibility properties author updateAuthor created updated id self jsdPublic jsdAuthorCanSeeRequest
    renderedBody parentId
    """,
)


def add(view: View, issue: Issue, body: Any) -> Comment:
    """Add a comment; its properties are there from the first moment."""
    site = view.site
    text, visibility, held = parse_new(view, issue.project, body)
    now = site.now()
    author = view.me.id
    fresh = Comment(str(site.new_id("part")), author, text, now, now, author, visibility, held)
    issue.comments = [*issue.comments, fresh]
    touch(site, issue)
    site.tell("comment_created", issue, author, {"comment": {"id": fresh.id}})
    return fresh


def parse_new(view: View, project: str, body: Any) -> tuple[Any, Json | None, Json]:
    """Return the stored text, visibility and properties of a comment to be, or refuse it.

    Apart from ``add``, so that an edit or a step that carries a comment is refused before anything is done.
    """
    _check(body)
    if not view.site.may(view.user, "ADD_COMMENTS", project):
        text = f"{view.me.display_name}, you do not have the permission to comment on this issue."
        raise Refusal(403 if view.site.cloud else 400, text)
    held = properties.as_dict(body["properties"]) if body.get("properties") is not None else {}
    return _text(view, body.get("body")), read_visibility(view, body.get("visibility")), held


def edit(view: View, issue: Issue, comment: Comment, body: Any) -> Comment:
    """Edit a comment; ``visibility`` and ``properties`` that are left out stay as they were."""
    site = view.site
    _check(body)
    _may_touch(view, issue, comment, "EDIT", "edit")
    changed = replace(
        comment,
        body=_text(view, body.get("body")),
        updated=site.now(),
        update_author=view.me.id,
    )
    if "visibility" in body:
        changed = replace(changed, visibility=read_visibility(view, body["visibility"]))
    if body.get("properties") is not None:
        changed = replace(
            changed, properties={**comment.properties, **properties.as_dict(body["properties"])}
        )
    _put(issue, changed)
    touch(site, issue)
    site.tell("comment_updated", issue, view.me.id, {"comment": {"id": comment.id}})
    return changed


def delete(view: View, issue: Issue, comment: Comment) -> None:
    """Delete a comment."""
    _may_touch(view, issue, comment, "DELETE", "delete")
    issue.comments = [one for one in issue.comments if one.id != comment.id]
    touch(view.site, issue)
    view.site.tell("comment_deleted", issue, view.me.id, {"comment": {"id": comment.id}})


def set_properties(view: View, issue: Issue, comment: Comment, held: Json) -> None:
    """Replace a comment's properties."""
    _put(issue, replace(comment, properties=held))
    view.site.reindex(issue)


def find(view: View, issue: Issue, comment_id: str) -> Comment:
    """Return a comment the caller may read, or refuse with 404."""
    for one in issue.comments:
        if one.id == comment_id and may_read(view, one):
            return one
    raise Refusal(404, f"Can not find a comment for the id: {comment_id}.")


def find_anywhere(view: View, comment_id: str) -> tuple[Issue, Comment]:
    """Return a comment by id alone, as ``/comment/{id}/properties`` needs it."""
    for issue in view.site.issues.values():
        for one in issue.comments:
            if one.id == comment_id:
                if view.site.may(view.user, "BROWSE_PROJECTS", issue.project) and may_read(view, one):
                    return issue, one
                break
    raise Refusal(404, f"Can not find a comment for the id: {comment_id}.")


def _put(issue: Issue, changed: Comment) -> None:
    issue.comments = [changed if one.id == changed.id else one for one in issue.comments]


def _check(body: Any) -> None:
    if not isinstance(body, dict) or set(body) - BODY_KEYS:
        raise Refusal(400, BAD_PAYLOAD, bare=True)


def _text(view: View, raw: Any) -> Any:
    if view.adf:
        if adf.problem(raw) is not None:
            raise field_refusal("comment", NOT_VALID)
        if not raw["content"]:
            raise field_refusal("comment", EMPTY)
        if adf.too_long(raw):
            raise field_refusal("comment", TOO_LONG)
        return raw
    if not isinstance(raw, str):
        raise field_refusal("comment", NOT_VALID if raw is not None else EMPTY)
    if not raw.strip():
        raise field_refusal("comment", EMPTY)
    if adf.too_long(raw):
        raise field_refusal("comment", TOO_LONG)
    return adf.from_text(raw) if view.site.cloud else raw


def read_visibility(view: View, raw: Any) -> Json | None:
    """Return who may read a comment or worklog; refuse a role or group that the caller is not in."""
    if raw is None:
        return None
    if not isinstance(raw, dict) or raw.get("type") not in {"role", "group"}:
        raise Refusal(400, BAD_PAYLOAD, bare=True)
    wanted = raw.get("value") or raw.get("identifier")
    kind = raw["type"]
    inside = view.me.roles if kind == "role" else view.me.groups
    if wanted not in inside:
        word = "project role" if kind == "role" else "group"
        raise field_refusal("commentLevel", f"You are currently not a member of the {word}: {wanted}.")
    return {"type": kind, "value": wanted, **({"identifier": wanted} if view.site.cloud else {})}


def _may_touch(view: View, issue: Issue, comment: Comment, verb: str, word: str) -> None:
    own = comment.author == view.me.id
    allowed = view.site.may(view.user, f"{verb}_ALL_COMMENTS", issue.project)
    if not allowed and not (own and view.site.may(view.user, f"{verb}_OWN_COMMENTS", issue.project)):
        text = f"You do not have permission to {word} comment with id: {comment.id}"
        raise Refusal(403 if view.site.cloud else 400, text)
