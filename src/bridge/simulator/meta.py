"""What may be set where: createmeta, editmeta, the field list, permissions."""

from __future__ import annotations

from typing import Any

from bridge.simulator import custom_fields, render
from bridge.simulator.fields import LISTED, SYSTEM, View, label_of, screen
from bridge.simulator.model import Issue, Json, Project
from bridge.simulator.refusal import Refusal
from bridge.simulator.state import ADMIN_ONLY, PERMISSIONS


def schema(view: View, name: str) -> Json:
    """Return a field's schema."""
    if name in SYSTEM:
        one = SYSTEM[name]
        return {"type": one.type, "system": name, **({"items": one.items} if one.items else {})}
    return custom_fields.schema(view.site.custom[name])


def field_list(view: View) -> list[Json]:
    """Return GET /field."""
    rows: list[Json] = []
    for name, one in SYSTEM.items():
        row: Json = {"id": name, "key": name, "name": one.name, "custom": False, "orderable": one.on_create}
        rows.append(row | {"navigable": one.navigable, "searchable": True, "clauseNames": [name]})
    for custom in view.site.custom.values():
        number = custom.id.removeprefix("customfield_")
        row = {"id": custom.id, "key": custom.id, "name": custom.name, "custom": True, "orderable": True}
        rows.append(
            row | {"navigable": True, "searchable": True, "clauseNames": [f"cf[{number}]", custom.name]}
        )
    for row in rows:
        row["schema"] = schema(view, row["id"])
        if not view.site.cloud:
            del row["key"]
    return rows


def _operations(kind: str) -> list[str]:
    return ["add", "set", "remove"] if kind == "array" else ["set"]


def _values(view: View, project: Project, name: str) -> list[Any] | None:
    site = view.site
    if name == "priority":
        return [render.named(view, "priority", one) for one in site.priorities.values()]
    if name == "resolution":
        return [render.named(view, "resolution", one) for one in site.resolutions.values()]
    if name == "issuetype":
        return [render.issue_type(view, site.types[one]) for one in project.types]
    if name == "project":
        return [render.project(view, project)]
    if name in LISTED:
        return render.listed(view, project, name, list(project.listed(name)))
    if name in site.custom:
        return custom_fields.allowed(site.custom[name], lambda path: render.link(view, path))
    return None


def field_meta(view: View, project: Project, name: str, *, required: bool) -> Json:
    """Describe one field of a screen."""
    shape = schema(view, name)
    body: Json = {
        "required": required,
        "schema": shape,
        "name": label_of(view.site, name),
        "key": name,
        "fieldId": name,
        "operations": _operations(shape["type"]),
        "hasDefaultValue": name in {"priority", "reporter"},
    }
    values = _values(view, project, name)
    if values is not None:
        body["allowedValues"] = values
    if name in {"assignee", "reporter"}:
        body["autoCompleteUrl"] = render.link(view, "user/recommend?query=")
    return body


def _required(view: View, name: str) -> bool:
    if name in {"summary", "issuetype", "project"}:
        return True
    return name in view.site.custom and view.site.custom[name].required


def create_fields(view: View, project: Project) -> list[Json]:
    """Return the create screen of a project."""
    names = screen(view, project, edit=False)
    return [field_meta(view, project, name, required=_required(view, name)) for name in names]


def edit_fields(view: View, issue: Issue) -> Json:
    """Return GET /editmeta: nothing when the caller may not edit."""
    project = view.site.projects[issue.project]
    if not view.site.may(view.user, "EDIT_ISSUES", project.key):
        return {"fields": {}}
    names = screen(view, project, edit=True)
    shown = {name: field_meta(view, project, name, required=_required(view, name)) for name in names}
    if view.site.may(view.user, "ADD_COMMENTS", project.key):
        shown["comment"] = {
            "required": False,
            "schema": schema(view, "comment"),
            "name": "Comment",
            "key": "comment",
            "fieldId": "comment",
            "operations": ["add", "edit", "remove"],
        }
    return {"fields": shown}


def permissions(view: View, asked: str | None, project_key: str | None) -> Json:
    """Return GET /mypermissions; Cloud requires the list, and one unknown key refuses the whole call."""
    site = view.site
    if asked is None and site.cloud:
        raise Refusal(400, "The 'permissions' query parameter is required.")
    names = [one.strip() for one in asked.split(",")] if asked else list(PERMISSIONS)
    unknown = [one for one in names if one not in PERMISSIONS]
    if unknown:
        raise Refusal(400, f"Unrecognized permission: {', '.join(unknown)}")
    keys = [project_key] if project_key else list(site.projects)
    body: Json = {}
    for number, name in enumerate(PERMISSIONS):
        if name in names:
            body[name] = {
                "id": str(number),
                "key": name,
                "name": name.replace("_", " ").capitalize(),
                "type": "GLOBAL" if name in ADMIN_ONLY - {"ADMINISTER_PROJECTS"} else "PROJECT",
                "description": "",
                "havePermission": any(site.may(view.user, name, key) for key in keys),
            }
    return {"permissions": body}
