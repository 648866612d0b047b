"""Creating, editing, assigning, moving and deleting issues, with the history each of them leaves.

``updated`` moves when a field really changes; an edit that changes nothing leaves no history entry and no
new stamp.
"""

from __future__ import annotations

from typing import Any

from bridge.simulator import comments, render
from bridge.simulator import fields as catalog
from bridge.simulator.fields import NOT_ON_SCREEN, SETTABLE, View
from bridge.simulator.history import record
from bridge.simulator.model import Issue, Json, Project
from bridge.simulator.properties import put_all
from bridge.simulator.refusal import BAD_PAYLOAD, Refusal, field_refusal
from bridge.simulator.state import Site

ARCHIVED = "archiveddate"
"""The field that an archived issue shows (Data Center)."""

BODY_KEYS = frozenset({"fields", "update", "properties", "historyMetadata", "transition"})


def check_body(body: Any) -> Json:
    """Refuse a body that is no object or has properties that Jira does not know."""
    if not isinstance(body, dict) or set(body) - BODY_KEYS:
        raise Refusal(400, BAD_PAYLOAD, bare=True)
    for name in ("fields", "update"):
        if not isinstance(body.get(name, {}) or {}, dict):
            raise Refusal(400, BAD_PAYLOAD, bare=True)
    return body


def parse_body(
    view: View,
    project: Project,
    body: Json,
    allowed: set[str],
    issue: Issue | None = None,
) -> tuple[Json, list[Any]]:
    """Work out the stored values a body asks for, collecting every refusal as Jira does.

    Args:
        view: the caller.
        project: whose screens and people count.
        body: ``fields`` and ``update``.
        allowed: fields that may be set here.
        issue: the issue as it is, for the verbs add and remove.

    Returns:
        The values by field, and the comments to add (``update.comment``).
    """
    values: Json = {}
    notes: list[Any] = []
    errors: dict[str, str] = {}
    given = {name: ("fields", raw) for name, raw in (body.get("fields") or {}).items()}
    for name, operations in (body.get("update") or {}).items():
        if name == "comment":
            notes = [one["add"] for one in operations if isinstance(one, dict) and "add" in one]
        elif name in given:
            errors[name] = f"Field '{name}' cannot be set both in 'fields' and in 'update'."
        else:
            given[name] = ("update", operations)
    for name, (where, raw) in given.items():
        if name not in allowed:
            errors[name] = NOT_ON_SCREEN.format(name)
            continue
        before = catalog.current(issue, name) if issue else None
        try:
            asked = catalog.apply_verbs(view.site, name, before, raw) if where == "update" else raw
            if name not in {"project", "issuetype"}:
                values[name] = catalog.parse(view, project, name, asked)
        except Refusal as refusal:
            errors.update(refusal.errors)
    if errors:
        raise Refusal(400, errors=errors)
    for one in notes:
        comments.parse_new(view, project.key, one)
    return values, notes


def create(view: View, body: Any) -> Issue:
    """Create an issue; everything in the body happens at once or not at all."""
    site = view.site
    body = check_body(body)
    given: Json = body.get("fields") or {}
    project = _project(view, given.get("project"))
    type_id = _type(view, project, given.get("issuetype"))
    errors: dict[str, str] = {}
    try:
        values, notes = parse_body(view, project, body, set(catalog.screen(view, project, edit=False)))
    except Refusal as refusal:
        errors.update(refusal.errors)
        values, notes = {}, []
    if "summary" not in given and "summary" not in (body.get("update") or {}):
        errors["summary"] = "You must specify a summary of the issue."
    for custom in site.custom.values():
        if custom.required and site.shown(custom, project) and not given.get(custom.id):
            errors[custom.id] = f"{custom.name} is required."
    if site.types[type_id].subtask and values.get("parent") is None and not errors:
        errors["parent"] = "Issue type is a sub-task but parent issue key or id not specified."
    if not site.cloud and not site.types[type_id].subtask and values.get("parent") is not None:
        errors["parent"] = "Issue type is not a sub-task but parent issue key or id specified."
    if errors:
        raise Refusal(400, errors=errors)
    properties = body.get("properties") or []
    now = site.now()
    project.last_number += 1
    values.setdefault("reporter", view.me.id)
    if values["reporter"] is None:
        values["reporter"] = view.me.id
    if values.get("priority") is None:
        values["priority"] = site.default_priority or None
    fresh = Issue(
        id=site.new_id("issue"),
        key=f"{project.key}-{project.last_number}",
        project=project.key,
        type=type_id,
        status=project.workflow_of(type_id).initial,
        creator=view.me.id,
        created=now,
        updated=now,
        values={name: value for name, value in values.items() if value is not None},
    )
    put_all(fresh, properties)
    site.put(fresh)
    site.tell("jira:issue_created", fresh, view.me.id)
    for one in notes:
        comments.add(view, fresh, one)
    return fresh


def _project(view: View, raw: Any) -> Project:
    site = view.site
    wanted = str(raw.get("key") or raw.get("id") or "") if isinstance(raw, dict) else ""
    found = site.project_at(wanted) if wanted else None
    if found is None or not site.may(view.user, "BROWSE_PROJECTS", found.key):
        if site.cloud:
            raise field_refusal("project", "Specify a valid project ID or key")
        raise field_refusal("project", "valid project is required" if wanted else "project is required")
    if not site.may(view.user, "CREATE_ISSUES", found.key):
        raise field_refusal("project", "You do not have permission to create issues in this project.")
    return found


def _type(view: View, project: Project, raw: Any) -> str:
    site = view.site
    if not isinstance(raw, dict) or not (raw.get("id") or raw.get("name")):
        raise field_refusal("issuetype", "Specify an issue type" if site.cloud else "issue type is required")
    for type_id in project.types:
        one = site.types[type_id]
        if str(raw.get("id") or one.id) == one.id and (raw.get("name") or one.name) == one.name:
            return type_id
    raise field_refusal(
        "issuetype", "Specify a valid issue type" if site.cloud else "valid issue type is required"
    )


def edit(view: View, issue: Issue, body: Any) -> None:
    """Apply ``fields`` and ``update`` of a PUT."""
    site = view.site
    body = check_body(body)
    project = site.projects[issue.project]
    if not site.may(view.user, "EDIT_ISSUES", project.key):
        raise Refusal(403, "You do not have permission to edit issues in this project.")
    allowed = set(catalog.screen(view, project, edit=True))
    if site.cloud:  # Cloud's PUT no longer checks screens: whatever the project has may be set
        allowed |= {name for name in SETTABLE if catalog.SYSTEM[name].on_edit} | {"parent"}
        allowed |= {one.id for one in site.custom.values() if one.type != "raw"}
    if not (body.get("fields") or body.get("update") or body.get("properties")):
        raise Refusal(400, "one of 'fields' or 'update' required")
    values, notes = parse_body(view, project, body, allowed, issue)
    if "parent" in values:
        _check_parent(site, issue, values["parent"])
    if "issuetype" in (body.get("fields") or {}):
        values["issuetype"] = _type(view, project, body["fields"]["issuetype"])
    properties = body.get("properties") or []
    if properties:
        put_all(issue, properties)
        site.reindex(issue)
    change_values(view, issue, values, metadata=body.get("historyMetadata"))
    for one in notes:
        comments.add(view, issue, one)


def _check_parent(site: Site, issue: Issue, parent: int | None) -> None:
    """Refuse a sub-task without a parent, and an issue above itself."""
    if parent is None and site.types[issue.type].subtask:
        raise field_refusal("parent", "A sub-task must have a parent.")
    above = site.issues.get(parent) if parent is not None else None
    while above is not None:
        if above.id == issue.id:
            raise field_refusal("parent", "An issue cannot be the parent of one that is above it.")
        above = site.issues.get(above.values.get("parent") or 0)


def change_values(
    view: View,
    issue: Issue,
    values: Json,
    *,
    first: list[Json] | None = None,
    metadata: Json | None = None,
) -> None:
    """Set stored values, writing one history entry for what really changed.

    Args:
        view: the caller.
        issue: the issue.
        values: stored values by field.
        first: history items that come before (a status change).
        metadata: ``historyMetadata`` of the request, kept with the entry.
    """
    site = view.site
    items = list(first or [])
    fresh = dict(issue.values)
    for name, new in values.items():
        old = catalog.current(issue, name)
        if old == new or (not old and not new):
            continue
        items.append(catalog.history_item(site, name, old, new))
        if name == "resolution":
            issue.resolution = new or None
            issue.resolution_date = site.now() if new else None
        elif name == "issuetype":
            issue.type = new
        elif new is None:
            fresh.pop(name, None)
        else:
            fresh[name] = new
    issue.values = fresh
    if items:
        record(site, issue, view.me.id, items, metadata)


def assign(view: View, issue: Issue, body: Any) -> None:
    """Apply PUT /assignee."""
    if not isinstance(body, dict):
        raise Refusal(400, BAD_PAYLOAD, bare=True)
    if not view.site.may(view.user, "ASSIGN_ISSUES", issue.project):
        raise Refusal(403, "You do not have permission to assign issues.")
    empty = body.get("accountId" if view.site.cloud else "name") is None
    person = None if empty else catalog.parse_user(view, "assignee", body, issue.project)
    change_values(view, issue, {"assignee": person})


def delete(view: View, issue: Issue, *, subtasks: bool) -> None:
    """Delete an issue; subtasks block it unless they go too."""
    site = view.site
    if not site.may(view.user, "DELETE_ISSUES", issue.project):
        raise Refusal(403, "You do not have permission to delete issues in this project.")
    children = [one for one in site.issues.values() if one.values.get("parent") == issue.id]
    below = [one for one in children if site.types[one.type].subtask]
    if below and not subtasks:
        message = f"The issue '{issue.key}' has subtasks.  You must specify the 'deleteSubtasks' parameter."
        raise Refusal(400, f"{message} to delete this issue and all its subtasks.")
    for one in (*below, issue):
        site.tell("jira:issue_deleted", one, view.me.id)
        site.forget(one)


def archive(view: View, issue: Issue, *, archived: bool) -> None:
    """Put an issue away, or bring it back: it stays readable, leaves the search index, and is not to be changed."""
    site = view.site
    if not site.may(view.user, "ADMINISTER_PROJECTS", issue.project):
        raise Refusal(403, "You do not have permission to archive issues in this project.")
    if archived == (ARCHIVED in issue.extra):
        raise Refusal(403, f"Issue {issue.key} is {'already' if archived else 'not'} archived.")
    kept = {name: value for name, value in issue.extra.items() if name != ARCHIVED}
    issue.extra = {**kept, ARCHIVED: render.stamp(site.now())} if archived else kept
    site.reindex(issue, gone=archived)


def check_writable(issue: Issue) -> None:
    """Refuse to change an archived issue."""
    if ARCHIVED in issue.extra:
        raise Refusal(400, f"Issue {issue.key} is archived. You can't edit it.")


def move(site: Site, id_or_key: str | int, project_key: str, by: str) -> Issue:
    """Move an issue to another project: same id, new key, a history entry, and the old key still finds it."""
    with site.lock:
        issue = site.issue(id_or_key)
        old_key, old_project = issue.key, site.projects[issue.project]
        project = site.projects[project_key]
        site.rekey(issue, project)
        items: list[Json] = [
            _moved("project", old_project.id, old_project.name, project.id, project.name),
            _moved("Key", None, old_key, None, issue.key),
        ]
        if issue.type not in project.types:
            items.append(catalog.history_item(site, "issuetype", issue.type, project.types[0]))
            issue.type = project.types[0]
        workflow = project.workflow_of(issue.type)
        if issue.status not in workflow.statuses():
            items.append(catalog.history_item(site, "status", issue.status, workflow.initial))
            issue.status = workflow.initial
        record(site, issue, site.person(by).id, items)
        return issue


def _moved(name: str, old_id: str | None, old: str, new_id: str | None, new: str) -> Json:
    return {
        "field": name,
        "fieldtype": "jira",
        "from": old_id,
        "fromString": old,
        "to": new_id,
        "toString": new,
    }
