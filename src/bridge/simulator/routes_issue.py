"""Endpoints of an issue and its parts: transitions, comments, remote links, properties, history."""

from __future__ import annotations

from bridge.simulator import comments, issues, meta, properties, render, workflow
from bridge.simulator.exchange import ROUTES, Answer, Call, paged
from bridge.simulator.links import delete_link, delete_link_by_global_id, links, put_link
from bridge.simulator.model import Issue, Json
from bridge.simulator.refusal import BAD_PAYLOAD, GONE, Refusal

MOST_BULK = 100
MOST_CHANGELOGS = 1000
BULK_KEYS = frozenset({"issueIdsOrKeys", "fields", "fieldsByKeys", "expand", "properties"})


def _issue(call: Call) -> Issue:
    if call.view.user is None and not call.view.site.cloud and not call.view.site.public:
        raise Refusal(401, "You do not have the permission to see the specified issue.")
    found = call.view.site.readable(call.view.user, call.parts["issue"])
    if call.request.method != "GET" and not call.request.path.endswith("/restore"):
        issues.check_writable(found)
    return found


@ROUTES.add("POST", "/issue", kind="write")
def create(call: Call) -> Answer:
    """Create an issue."""
    fresh = issues.create(call.view, call.json())
    return Answer(
        201,
        {"id": str(fresh.id), "key": fresh.key, "self": render.link(call.view, f"issue/{fresh.id}")},
    )


@ROUTES.add("POST", "/issue/bulkfetch", kind="read", only="cloud", anonymous=True)
def bulk_fetch(call: Call) -> Answer:
    """Read up to 100 issues as they are now, in ascending id order."""
    body = call.object()
    asked = body.get("issueIdsOrKeys")
    if not isinstance(asked, list) or set(body) - BULK_KEYS:
        raise Refusal(400, BAD_PAYLOAD, bare=True)
    if not asked or len(asked) > MOST_BULK:
        raise Refusal(400, "The number of issues to be fetched has to be between 1 and 100.")
    site = call.view.site
    found: dict[int, Issue] = {}
    missing: list[Json] = []
    for one in asked:
        try:
            issue = site.readable(call.view.user, str(one))
            found[issue.id] = issue
        except Refusal:
            missing.append({"id": str(one), "errorMessage": GONE})
    rows = [
        render.issue(
            call.view,
            found[number],
            body.get("fields") or ["*navigable"],
            expand=body.get("expand") or (),
            properties=body.get("properties") or (),
        )
        for number in sorted(found)
    ]
    return Answer(200, {"expand": "schema,names", "issues": rows, "issueErrors": missing})


@ROUTES.add("GET", "/issue/{issue}", kind="read", anonymous=True)
def read(call: Call) -> Answer:
    """Read an issue as it is now."""
    issue = _issue(call)
    expand = call.words("expand")
    body = render.issue(
        call.view,
        issue,
        call.words("fields") or ["*all"],
        expand=expand,
        properties=call.words("properties"),
    )
    if "transitions" in expand:
        steps = workflow.available(call.view, issue)
        body["transitions"] = [workflow.describe(call.view, issue, one, with_fields=False) for one in steps]
    if "editmeta" in expand:
        body["editmeta"] = meta.edit_fields(call.view, issue)
    return Answer(200, body)


@ROUTES.add("PUT", "/issue/{issue}", kind="write")
def edit(call: Call) -> Answer:
    """Edit an issue."""
    issue = _issue(call)
    issues.edit(call.view, issue, call.json())
    if call.view.site.cloud and call.flag("returnIssue"):
        return Answer(200, render.issue(call.view, issue, ["*all"], expand=call.words("expand")))
    return Answer(204)


@ROUTES.add("DELETE", "/issue/{issue}", kind="write")
def delete(call: Call) -> Answer:
    """Delete an issue."""
    issues.delete(call.view, _issue(call), subtasks=call.flag("deleteSubtasks"))
    return Answer(204)


@ROUTES.add("PUT", "/issue/{issue}/archive", kind="write", only="datacenter")
def archive(call: Call) -> Answer:
    """Archive an issue."""
    issues.archive(call.view, _issue(call), archived=True)
    return Answer(204)


@ROUTES.add("PUT", "/issue/{issue}/restore", kind="write", only="datacenter")
def restore(call: Call) -> Answer:
    """Restore an archived issue."""
    issues.archive(call.view, _issue(call), archived=False)
    return Answer(204)


@ROUTES.add("PUT", "/issue/{issue}/assignee", kind="write")
def assign(call: Call) -> Answer:
    """Assign an issue."""
    issues.assign(call.view, _issue(call), call.json())
    return Answer(204)


@ROUTES.add("GET", "/issue/{issue}/editmeta", kind="meta")
def edit_meta(call: Call) -> Answer:
    """List what the caller may edit."""
    return Answer(200, meta.edit_fields(call.view, _issue(call)))


@ROUTES.add("GET", "/issue/{issue}/transitions", kind="meta")
def transitions(call: Call) -> Answer:
    """List the steps open to the caller; a wanted id that is not open gives an empty list."""
    issue = _issue(call)
    wanted = call.text("transitionId")
    with_fields = "transitions.fields" in call.words("expand")
    rows = [
        workflow.describe(call.view, issue, one, with_fields=with_fields)
        for one in workflow.available(call.view, issue)
        if wanted in {None, one.id}
    ]
    return Answer(200, {"expand": "transitions", "transitions": rows})


@ROUTES.add("POST", "/issue/{issue}/transitions", kind="write")
def transition(call: Call) -> Answer:
    """Take a step of the workflow."""
    workflow.take(call.view, _issue(call), call.json())
    return Answer(204)


@ROUTES.add("GET", "/issue/{issue}/changelog", kind="read", only="cloud", anonymous=True)
def changelog(call: Call) -> Answer:
    """Page through an issue's history, oldest first."""
    issue = _issue(call)
    page = paged(call, [render.change(call.view, one) for one in issue.history], 100, most=100)
    page["self"] = render.link(call.view, f"issue/{issue.id}/changelog")
    page["isLast"] = page["startAt"] + len(page["values"]) >= page["total"]
    return Answer(200, page)


@ROUTES.add("POST", "/changelog/bulkfetch", kind="read", only="cloud", anonymous=True)
def bulk_changelog(call: Call) -> Answer:
    """Page through the histories of up to 1000 issues, oldest first."""
    body = call.object()
    asked, names = body.get("issueIdsOrKeys"), set(body.get("fieldIds") or ())
    if not isinstance(asked, list) or not 1 <= len(asked) <= MOST_CHANGELOGS:
        raise Refusal(400, BAD_PAYLOAD, bare=True)
    found: dict[int, Issue] = {}
    for one in asked:
        try:
            issue = call.view.site.readable(call.view.user, str(one))
        except Refusal:
            continue
        found[issue.id] = issue
    entries = [
        (number, one)
        for number in sorted(found)
        for one in found[number].history
        if not names or any(item.get("fieldId") in names for item in one.items)
    ]
    token = str(body.get("nextPageToken") or "0")
    if not token.isdigit():
        raise Refusal(400, "The provided next page token is invalid or expired.")
    start, size = int(token), int(body.get("maxResults") or 1000)
    grouped: dict[int, list[Json]] = {}
    for number, one in entries[start : start + size]:
        grouped.setdefault(number, []).append(render.change(call.view, one))
    rows = [{"issueId": str(number), "changeHistories": held} for number, held in grouped.items()]
    page: Json = {"issueChangeLogs": rows}
    if start + size < len(entries):
        page["nextPageToken"] = str(start + size)
    return Answer(200, page)


# -- comments ---------------------------------------------------------------------------------------


@ROUTES.add("GET", "/issue/{issue}/comment", kind="read", anonymous=True)
def comment_list(call: Call) -> Answer:
    """Page through the comments the caller may read."""
    issue = _issue(call)
    order = call.text("orderBy") or "created"
    if order not in {"created", "-created", "+created"}:
        raise Refusal(400, f"Ordering by '{order}' is not supported.")
    readable = [one for one in issue.comments if render.may_read(call.view, one)]
    if order == "-created":
        readable.reverse()
    wide = "properties" in call.words("expand")
    rows = [render.comment(call.view, issue, one, properties=wide) for one in readable]
    default = 100 if call.view.site.cloud else render.MANY
    return Answer(
        200, paged(call, rows, default, "comments", most=5000 if call.view.site.cloud else render.MANY)
    )


@ROUTES.add("POST", "/issue/{issue}/comment", kind="write")
def comment_add(call: Call) -> Answer:
    """Add a comment."""
    issue = _issue(call)
    fresh = comments.add(call.view, issue, call.json())
    wide = "properties" in call.words("expand")
    return Answer(201, render.comment(call.view, issue, fresh, properties=wide))


@ROUTES.add("GET", "/issue/{issue}/comment/{comment}", kind="read", anonymous=True)
def comment_read(call: Call) -> Answer:
    """Read one comment."""
    issue = _issue(call)
    found = comments.find(call.view, issue, call.parts["comment"])
    return Answer(
        200, render.comment(call.view, issue, found, properties="properties" in call.words("expand"))
    )


@ROUTES.add("PUT", "/issue/{issue}/comment/{comment}", kind="write")
def comment_edit(call: Call) -> Answer:
    """Edit a comment."""
    issue = _issue(call)
    found = comments.find(call.view, issue, call.parts["comment"])
    changed = comments.edit(call.view, issue, found, call.json())
    return Answer(
        200, render.comment(call.view, issue, changed, properties="properties" in call.words("expand"))
    )


@ROUTES.add("DELETE", "/issue/{issue}/comment/{comment}", kind="write")
def comment_delete(call: Call) -> Answer:
    """Delete a comment."""
    issue = _issue(call)
    comments.delete(call.view, issue, comments.find(call.view, issue, call.parts["comment"]))
    return Answer(204)


def _keys(call: Call, held: Json, base: str) -> Answer:
    rows = [{"key": key, "self": render.link(call.view, f"{base}/properties/{key}")} for key in held]
    return Answer(200, {"keys": rows})


@ROUTES.add("GET", "/comment/{comment}/properties", kind="read", anonymous=True)
def comment_keys(call: Call) -> Answer:
    """List a comment's property keys."""
    _, found = comments.find_anywhere(call.view, call.parts["comment"])
    return _keys(call, found.properties, f"comment/{found.id}")


@ROUTES.add("GET", "/comment/{comment}/properties/{key}", kind="read", anonymous=True)
def comment_property(call: Call) -> Answer:
    """Read a comment's property."""
    _, found = comments.find_anywhere(call.view, call.parts["comment"])
    return Answer(200, properties.get(found.properties, call.parts["key"]))


@ROUTES.add("PUT", "/comment/{comment}/properties/{key}", kind="write")
def comment_property_put(call: Call) -> Answer:
    """Upsert a comment's property."""
    issue, found = comments.find_anywhere(call.view, call.parts["comment"])
    held, fresh = properties.put(found.properties, call.parts["key"], call.json())
    comments.set_properties(call.view, issue, found, held)
    return Answer(201 if fresh else 200, {} if call.view.site.cloud else b"")


@ROUTES.add("DELETE", "/comment/{comment}/properties/{key}", kind="write")
def comment_property_delete(call: Call) -> Answer:
    """Delete a comment's property."""
    issue, found = comments.find_anywhere(call.view, call.parts["comment"])
    comments.set_properties(call.view, issue, found, properties.remove(found.properties, call.parts["key"]))
    return Answer(204)


# -- entity properties and remote links -------------------------------------------------------------


@ROUTES.add("GET", "/issue/{issue}/properties", kind="read", anonymous=True)
def issue_keys(call: Call) -> Answer:
    """List an issue's property keys."""
    issue = _issue(call)
    return _keys(call, issue.properties, f"issue/{issue.id}")


@ROUTES.add("GET", "/issue/{issue}/properties/{key}", kind="read", anonymous=True)
def issue_property(call: Call) -> Answer:
    """Read an issue's property."""
    return Answer(200, properties.get(_issue(call).properties, call.parts["key"]))


@ROUTES.add("PUT", "/issue/{issue}/properties/{key}", kind="write")
def issue_property_put(call: Call) -> Answer:
    """Upsert an issue's property; ``updated`` does not move."""
    issue = _issue(call)
    _may_edit(call, issue)
    issue.properties, fresh = properties.put(issue.properties, call.parts["key"], call.json())
    call.view.site.reindex(issue)
    return Answer(201 if fresh else 200, {} if call.view.site.cloud else b"")


@ROUTES.add("DELETE", "/issue/{issue}/properties/{key}", kind="write")
def issue_property_delete(call: Call) -> Answer:
    """Delete an issue's property."""
    issue = _issue(call)
    _may_edit(call, issue)
    issue.properties = properties.remove(issue.properties, call.parts["key"])
    call.view.site.reindex(issue)
    return Answer(204)


def _may_edit(call: Call, issue: Issue) -> None:
    if not call.view.site.may(call.view.user, "EDIT_ISSUES", issue.project):
        raise Refusal(403, "You do not have permission to edit issues in this project.")


@ROUTES.add("GET", "/issue/{issue}/remotelink", kind="read", anonymous=True)
def link_list(call: Call) -> Answer:
    """List remote links, or the one with a globalId."""
    return Answer(200, links(call.view, _issue(call), call.text("globalId")))


@ROUTES.add("POST", "/issue/{issue}/remotelink", kind="write")
def link_put(call: Call) -> Answer:
    """Create a remote link, or replace the one with the same globalId."""
    issue = _issue(call)
    held, fresh = put_link(call.view, issue, call.object())
    body = {"id": held.id, "self": render.link(call.view, f"issue/{issue.id}/remotelink/{held.id}")}
    return Answer(201 if fresh else 200, body)


@ROUTES.add("DELETE", "/issue/{issue}/remotelink", kind="write")
def link_delete_global(call: Call) -> Answer:
    """Delete the remote link with a globalId."""
    delete_link_by_global_id(call.view, _issue(call), call.text("globalId"))
    return Answer(204)


@ROUTES.add("GET", "/issue/{issue}/remotelink/{link}", kind="read", anonymous=True)
def link_read(call: Call) -> Answer:
    """Read one remote link."""
    issue = _issue(call)
    for one in issue.remote_links:
        if str(one.id) == call.parts["link"]:
            return Answer(200, render.remote_link(call.view, issue, one))
    raise Refusal(404, f"No remote link exists with id {call.parts['link']}.")


@ROUTES.add("DELETE", "/issue/{issue}/remotelink/{link}", kind="write")
def link_delete(call: Call) -> Answer:
    """Delete one remote link."""
    delete_link(call.view, _issue(call), call.parts["link"])
    return Answer(204)
