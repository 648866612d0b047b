"""How things look on the wire: users, statuses, comments, issues, in v2 and v3 and in both flavours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bridge.simulator import adf, custom_fields
from bridge.simulator.fields import LISTED, SYSTEM, View, is_text, label_of
from bridge.simulator.model import (
    CATEGORIES,
    Change,
    Comment,
    Issue,
    IssueLink,
    IssueType,
    Json,
    LinkType,
    Named,
    Project,
    RemoteLink,
    Status,
    User,
    Worklog,
)
from bridge.simulator.state import Site

PRIVATE = "sd.public.comment"
SPARSE = frozenset({"comment", "attachment", "worklog", "issuelinks", "subtasks", "timetracking"})
MANY = 2**31 - 1
WORKLOGS_SHOWN = 20


def stamp(milliseconds: int) -> str:
    """Print a moment as Jira does: ``2026-11-22T08:00:00.123+0000``."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}+0000"


def link(view: View, path: str) -> str:
    """Return a ``self`` address."""
    return f"{view.site.base_url}{view.site.context_path}/rest/api/{view.api}/{path}"


def user(view: View, one: User | None) -> Json | None:
    """Render a person; Cloud tells no login name and, if hidden, no address."""
    if one is None:
        return None
    common: Json = {"displayName": one.display_name, "active": one.active, "timeZone": one.time_zone}
    avatar = f"{view.site.base_url}/avatar/{one.id}.png"
    common["avatarUrls"] = dict.fromkeys(("16x16", "24x24", "32x32", "48x48"), avatar)
    if view.site.cloud:
        shown = {} if one.hidden_email else {"emailAddress": one.email}
        here = link(view, f"user?accountId={one.id}")
        return {"self": here, "accountId": one.id, "accountType": one.account_type, **shown, **common}
    here = link(view, f"user?username={one.name}")
    return {"self": here, "name": one.name, "key": one.id, "emailAddress": one.email, **common}


def user_by_id(view: View, user_id: str | None) -> Json | None:
    """Render the person with this id."""
    return user(view, view.site.users.get(user_id)) if user_id else None


def category(view: View, key: str) -> Json:
    """Render a status category."""
    number, short, colour, name = CATEGORIES[key]
    return {
        "self": link(view, f"statuscategory/{number}"),
        "id": number,
        "key": short,
        "colorName": colour,
        "name": name,
    }


def status(view: View, one: Status) -> Json:
    """Render a status."""
    return {
        "self": link(view, f"status/{one.id}"),
        "description": one.description,
        "iconUrl": f"{view.site.base_url}/images/icons/statuses/generic.png",
        "name": one.name,
        "id": one.id,
        "statusCategory": category(view, one.category),
    }


def named(view: View, kind: str, one: Named | None) -> Json | None:
    """Render a priority or a resolution."""
    if one is None:
        return None
    body: Json = {"self": link(view, f"{kind}/{one.id}"), "name": one.name, "id": one.id}
    if kind == "priority":
        body["iconUrl"] = f"{view.site.base_url}/images/icons/priorities/{one.id}.svg"
    else:
        body["description"] = one.description
    return body


def security(view: View, level: str | None) -> Json | None:
    """Render the security level that hides an issue from everybody outside of it."""
    if level is None:
        return None
    known = view.site.security_levels[level]
    here = link(view, f"securitylevel/{level}")
    return {"self": here, "id": level, "name": known.name, "description": known.description}


def issue_type(view: View, one: IssueType) -> Json:
    """Render an issue type."""
    return {
        "self": link(view, f"issuetype/{one.id}"),
        "id": one.id,
        "description": one.description,
        "iconUrl": f"{view.site.base_url}/images/icons/issuetypes/{one.id}.svg",
        "name": one.name,
        "subtask": one.subtask,
        **({"hierarchyLevel": -1 if one.subtask else 0} if view.site.cloud else {}),
    }


def project(view: View, one: Project) -> Json:
    """Render a project, briefly."""
    return {
        "self": link(view, f"project/{one.id}"),
        "id": one.id,
        "key": one.key,
        "name": one.name,
        "projectTypeKey": "service_desk" if one.service_desk else "software",
        **({"simplified": False} if view.site.cloud else {}),
    }


def text(view: View, value: Any) -> Any:
    """Render stored long text for this version of the API."""
    if value is None or view.adf or not view.site.cloud:
        return value
    return adf.to_text(value)


def is_internal(one: Comment) -> bool:
    """Tell whether a service-desk comment is an internal note."""
    mark = one.properties.get(PRIVATE)
    return isinstance(mark, dict) and mark.get("internal") in {True, "true"}


def may_read(view: View, one: Comment) -> bool:
    """Tell whether the caller is in the role or group a comment is limited to."""
    return may_see(view, one.visibility)


def may_see(view: View, visibility: Json | None) -> bool:
    """Tell whether the caller is in the role or group that something is limited to."""
    if visibility is None:
        return True
    reader = view.user
    if reader is None:
        return False
    inside = reader.roles if visibility["type"] == "role" else reader.groups
    return visibility["value"] in inside


def comment(view: View, issue: Issue, one: Comment, *, properties: bool = False) -> Json:
    """Render a comment."""
    body: Json = {
        "self": link(view, f"issue/{issue.id}/comment/{one.id}"),
        "id": one.id,
        "author": user_by_id(view, one.author),
        "body": text(view, one.body),
        "updateAuthor": user_by_id(view, one.update_author),
        "created": stamp(one.created),
        "updated": stamp(one.updated),
    }
    if one.visibility is not None:
        body["visibility"] = dict(one.visibility)
    if view.site.cloud:
        # Data Center tells an internal note by nothing but its property, and that only when it is expanded.
        body["jsdPublic"] = not is_internal(one)
    if one.parent:
        body["parentId"] = int(one.parent)
    if properties:
        body["properties"] = [{"key": key, "value": value} for key, value in one.properties.items()]
    return body


def change(view: View, one: Change) -> Json:
    """Render one entry of the changelog."""
    body: Json = {
        "id": one.id,
        "author": user_by_id(view, one.author),
        "created": stamp(one.created),
        "items": [dict(item) for item in one.items],
    }
    if one.metadata is not None:
        body["historyMetadata"] = one.metadata
    return body


def remote_link(view: View, issue: Issue, one: RemoteLink) -> Json:
    """Render a remote link."""
    here = {"id": one.id, "self": link(view, f"issue/{issue.id}/remotelink/{one.id}")}
    return {**here, **({"globalId": one.global_id} if one.global_id else {}), **one.body}


def value(view: View, issue: Issue, name: str) -> Any:  # noqa: C901, PLR0911, PLR0912 - a table
    """Render one field of an issue."""
    site, stored = view.site, issue.values.get(name)
    if name == "issuetype":
        return issue_type(view, site.types[issue.type])
    if name == "project":
        return project(view, site.projects[issue.project])
    if name == "status":
        return status(view, site.statuses[issue.status])
    if name == "priority":
        return named(view, "priority", site.priorities.get(stored or ""))
    if name == "resolution":
        return named(view, "resolution", site.resolutions.get(issue.resolution or ""))
    if name in {"created", "updated"}:
        return stamp(getattr(issue, name))
    if name == "resolutiondate":
        return stamp(issue.resolution_date) if issue.resolution_date is not None else None
    if name == "creator":
        return user_by_id(view, issue.creator)
    if name in {"assignee", "reporter"}:
        return user_by_id(view, stored)
    if name == "parent":
        return _parent(view, issue, stored)
    if name == "issuelinks":
        return [*issue.extra.get("issuelinks", ()), *(issue_link(view, one) for one in issue.links)]
    if name == "worklog":
        return _worklog_page(view, issue)
    if name == "attachment":
        return [attachment(view, one) for one in issue.attachments]
    if name == "labels":
        return list(stored or [])
    if name == "security":
        return security(view, stored)
    if name in LISTED:
        return listed(view, site.projects[issue.project], name, stored or ())
    if name in site.custom:
        return _custom(view, name, stored)
    return text(view, stored) if is_text(site, name) else stored


def _custom(view: View, name: str, stored: Any) -> Any:
    field = view.site.custom[name]
    if stored is None:
        return None
    if field.type == "text":
        return text(view, stored)
    if field.type == "user":
        return user_by_id(view, stored)
    if field.type == "users":
        return [user_by_id(view, one) for one in stored]
    return custom_fields.show(field, stored, lambda path: link(view, path), cloud=view.site.cloud)


def listed(view: View, home: Project, name: str, chosen: Iterable[str]) -> list[Json]:
    """Render components or versions, given by their ids."""
    kind = "component" if name == "components" else "version"
    more: Json = {} if kind == "component" else {"archived": False, "released": False}
    return [
        {"self": link(view, f"{kind}/{key}"), "id": key, "name": home.listed(name)[key], **more}
        for key in chosen
    ]


def _parent(view: View, issue: Issue, number: int | None) -> Json | None:
    other = view.site.issues.get(number) if number is not None else None
    if other is None:
        return issue.extra.get("parent")
    return linked(view, other)


def linked(view: View, other: Issue) -> Json:
    """Render an issue as another one that refers to it shows it."""
    shown = {name: value(view, other, name) for name in ("summary", "status", "priority", "issuetype")}
    return {"id": str(other.id), "key": other.key, "self": link(view, f"issue/{other.id}"), "fields": shown}


def link_type(view: View, one: LinkType) -> Json:
    """Render a type of link."""
    here = link(view, f"issueLinkType/{one.id}")
    return {"id": one.id, "name": one.name, "inward": one.inward, "outward": one.outward, "self": here}


def issue_link(view: View, one: IssueLink) -> Json:
    """Render a link as one of its issues shows it: with the other one alone."""
    body: Json = {"id": one.id, "self": link(view, f"issueLink/{one.id}")}
    body["type"] = link_type(view, view.site.link_types[one.type])
    other = view.site.issues.get(one.other)
    if other is not None:
        body["outwardIssue" if one.outward else "inwardIssue"] = linked(view, other)
    return body


def worklog(view: View, issue: Issue, one: Worklog, *, properties: bool = False) -> Json:
    """Render a worklog."""
    body: Json = {
        "self": link(view, f"issue/{issue.id}/worklog/{one.id}"),
        "author": user_by_id(view, one.author),
        "updateAuthor": user_by_id(view, one.update_author),
        "created": stamp(one.created),
        "updated": stamp(one.updated),
        "started": stamp(one.started),
        "timeSpent": f"{one.seconds // 3600}h {one.seconds % 3600 // 60}m",
        "timeSpentSeconds": one.seconds,
        "id": one.id,
        "issueId": str(issue.id),
    }
    if one.body is not None:
        body["comment"] = text(view, one.body)
    if one.visibility is not None:
        body["visibility"] = dict(one.visibility)
    if properties:
        body["properties"] = [{"key": key, "value": value} for key, value in one.properties.items()]
    return body


def _worklog_page(view: View, issue: Issue) -> Json:
    """Render the embedded ``worklog`` field: the first twenty, with the true total."""
    readable = [one for one in issue.worklogs if may_see(view, one.visibility)]
    shown = [worklog(view, issue, one) for one in readable[:WORKLOGS_SHOWN]]
    return {"startAt": 0, "maxResults": WORKLOGS_SHOWN, "total": len(readable), "worklogs": shown}


def attachment(view: View, one: Json) -> Json:
    """Render an attached file; its bytes are at ``content``."""
    person = one.get("author")
    rendered = user_by_id(view, person) if isinstance(person, str) else person
    name = quote(str(one["filename"]), safe="")
    content = (
        link(view, f"attachment/content/{one['id']}")
        if view.site.cloud
        else f"{view.site.base_url}{view.site.context_path}/secure/attachment/{one['id']}/{name}"
    )
    here = link(view, f"attachment/{one['id']}")
    return {**one, "self": here, "author": rendered, "content": content}


def comment_page(view: View, issue: Issue, most: int = MANY) -> Json:
    """Render the embedded ``comment`` field: at most so many, with the true total."""
    readable = [one for one in issue.comments if may_read(view, one)]
    shown = [comment(view, issue, one) for one in readable[:most]]
    page: Json = {"comments": shown, "maxResults": len(shown), "total": len(readable), "startAt": 0}
    if view.site.cloud:
        page["self"] = link(view, f"issue/{issue.id}/comment")
    return page


def chosen(site: Site, issue: Issue, asked: Iterable[str]) -> list[str]:
    """Work out which fields a list such as ``*all,-comment`` or ``summary,status`` means."""
    wanted = [part.strip() for one in asked for part in str(one).split(",") if part.strip()]
    everything = [*SYSTEM, *(name for name in issue.extra if name not in SYSTEM), *site.custom]
    by_name = {one.name: one.id for one in site.custom.values()}
    include: dict[str, None] = {}
    if wanted and all(one.startswith("-") for one in wanted):
        wanted.insert(0, "*navigable")
    for one in wanted:
        if one == "*all":
            include.update(dict.fromkeys(everything))
        elif one == "*navigable":
            include.update(dict.fromkeys(name for name in everything if name not in SPARSE))
        elif not one.startswith("-"):
            include[by_name.get(one, one)] = None
    for one in wanted:
        if one.startswith("-"):
            include.pop(by_name.get(one[1:], one[1:]), None)
    return [name for name in everything if name in include]


def issue(
    view: View,
    one: Issue,
    asked: Iterable[str],
    *,
    expand: Iterable[str] = (),
    properties: Iterable[str] = (),
    most_comments: int = MANY,
) -> Json:
    """Render an issue with the fields, expansions and properties asked for."""
    site = view.site
    names = chosen(site, one, asked)
    shown: Json = {}
    for name in names:
        if name == "comment":
            shown[name] = comment_page(view, one, most_comments)
        elif name in SYSTEM or name in site.custom:
            shown[name] = value(view, one, name)
        else:
            shown[name] = one.extra[name]
    if shown.get("parent", 0) is None:
        del shown["parent"]
    body: Json = {
        "expand": "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
        "id": str(one.id),
        "self": link(view, f"issue/{one.id}"),
        "key": one.key,
    }
    if names:
        body["fields"] = shown
    wanted = list(properties)
    if wanted:
        body["properties"] = {
            key: held for key, held in one.properties.items() if key in wanted or "*all" in wanted
        }
    if "changelog" in expand:
        body["changelog"] = changelog(view, one)
    if "renderedFields" in expand:
        body["renderedFields"] = dict.fromkeys(names)
    if "names" in expand:
        body["names"] = {name: label_of(site, name) for name in names}
    return body


def changelog(view: View, one: Issue, most: int = 100) -> Json:
    """Render the embedded changelog: on Cloud newest first and at most so many, else whole, oldest first."""
    history = one.history[::-1][:most] if view.site.cloud else one.history
    total = len(one.history)
    limit = most if view.site.cloud else total
    return {
        "startAt": 0,
        "maxResults": limit,
        "total": total,
        "histories": [change(view, item) for item in history],
    }


def dump_issue(site: Site, one: Issue) -> Json:
    """Render everything about an issue, whoever may see it: for tests and the control API."""
    view = View(site, None, "3" if site.cloud else "2")
    body = issue(view, one, ["*all", "-comment"], properties=["*all"])
    return {
        **body,
        "comments": [comment(view, one, item, properties=True) for item in one.comments],
        "changelog": [change(view, item) for item in one.history],
        "remoteLinks": [remote_link(view, one, item) for item in one.remote_links],
        "oldKeys": list(one.old_keys),
    }


def dump(site: Site) -> list[Json]:
    """Return every issue in full, by number: what a test compares the world with."""
    with site.lock:
        return [dump_issue(site, site.issues[number]) for number in sorted(site.issues)]
