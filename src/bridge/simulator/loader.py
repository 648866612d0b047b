"""Contents from elsewhere: exported Jira issues become a site's, with ids, keys, stamps, people and comments.

Takes JSON lines (one issue each) or a page of REST search (``{"issues": [...]}``), as either flavour exports
them. Wiki text becomes ADF paragraphs when the site is a Cloud one. What the simulator has no rules for
(votes, links, ...) is kept and shown as it came.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from bridge.simulator import adf
from bridge.simulator.custom_fields import ONE_OF
from bridge.simulator.fields import LISTED, SYSTEM
from bridge.simulator.model import (
    Change,
    Comment,
    CustomField,
    Issue,
    IssueType,
    Json,
    Named,
    Project,
    Status,
    Transition,
    User,
    Workflow,
)
from bridge.simulator.presets import open_workflow
from bridge.simulator.state import Site

CATEGORY_KEYS = {"new": "new", "indeterminate": "indeterminate", "done": "done", "undefined": "new"}
TAKEN = frozenset(SYSTEM) | {"project", "issuetype", "status"}


def read(path: Path) -> list[Json]:
    """Read a file of exported issues, whichever of the shapes it has."""
    text = path.read_text(encoding="utf-8")
    try:
        whole = json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(whole, dict):
        return list(whole["issues"]) if "issues" in whole else [whole]
    return list(whole)


def load(
    site: Site,
    rows: Iterable[Json],
    *,
    project: str | None = None,
    workflow: Workflow | None = None,
) -> list[Issue]:
    """Put exported issues into a site.

    Args:
        site: where to.
        rows: issues as REST gives them.
        project: put all of them into this project, renumbered in the order given; else they keep theirs.
        workflow: of projects that are new; else every status reaches every other. A project that was there
            keeps its own, with a step out of statuses that it does not know.

    Returns:
        The issues, in the order given.
    """
    with site.lock:
        return _Loader(site, project, workflow).load(list(rows))


def stamp(text: str) -> int:
    """Read a Jira time stamp as epoch milliseconds."""
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
    return round(moment.timestamp() * 1000)


class _Loader:
    """Fills one site."""

    def __init__(self, site: Site, project: str | None, workflow: Workflow | None) -> None:
        self.site = site
        self.target = project
        self.workflow = workflow
        self.fresh: set[str] = set()

    def load(self, rows: list[Json]) -> list[Issue]:
        found = [self.issue(row) for row in rows]
        for key in sorted({one.project for one in found}):
            self.settle(self.site.projects[key])
        if not self.site.default_priority and self.site.priorities:
            self.site.default_priority = next(iter(self.site.priorities))
        return found

    def issue(self, row: Json) -> Issue:
        fields: Json = row["fields"]
        project = self.project(fields["project"])
        creator = self.user(fields.get("creator") or fields.get("reporter")) or self.nobody()
        key = row["key"] if self.target is None else f"{project.key}-{project.last_number + 1}"
        created = stamp(fields["created"])
        resolved = fields.get("resolutiondate")
        issue = Issue(
            id=int(row["id"]),
            key=key,
            project=project.key,
            type=self.type(fields["issuetype"]),
            status=self.status(fields["status"]),
            creator=creator,
            created=created,
            updated=stamp(fields.get("updated") or fields["created"]),
            values=self.values(fields),
            resolution=self.named("resolutions", fields.get("resolution")),
            resolution_date=stamp(resolved) if resolved else None,
            comments=[self.comment(one) for one in (fields.get("comment") or {}).get("comments", [])],
            attachments=[self.attachment(one) for one in fields.get("attachment") or []],
            history=[self.change(one) for one in (row.get("changelog") or {}).get("histories", [])],
            extra=self.rest(fields),
        )
        issue.history.sort(key=lambda one: one.created)
        self.site.put(issue)
        return issue

    def settle(self, project: Project) -> None:
        """Give a project its issues' types and, out of statuses its workflow does not know, a step."""
        mine = [one for one in self.site.issues.values() if one.project == project.key]
        project.types = tuple(dict.fromkeys([*project.types, *(one.type for one in mine)]))
        held = tuple(dict.fromkeys(one.status for one in mine))
        if project.key in self.fresh and self.workflow is None:
            initial = min(held, key=lambda key: (self.site.statuses[key].category != "new", key))
            project.workflow = open_workflow(held, initial)
            return
        strange = frozenset(held) - set(project.workflow.statuses())
        if strange:
            back = Transition("991", "Take up", project.workflow.initial, strange)
            project.workflow = Workflow(project.workflow.initial, (*project.workflow.transitions, back))

    def rest(self, fields: Json) -> Json:
        kept = {
            name: value
            for name, value in fields.items()
            if name not in TAKEN and not name.startswith("customfield_")
        }
        kept.update({name: fields[name] for name in ("parent", "issuelinks") if fields.get(name)})
        return kept

    def values(self, fields: Json) -> Json:
        held: Json = {
            "summary": fields.get("summary") or "",
            "description": self.text(fields.get("description")),
            "environment": self.text(fields.get("environment")),
            "priority": self.named("priorities", fields.get("priority")),
            "labels": sorted(fields.get("labels") or []),
            "assignee": self.user(fields.get("assignee")),
            "reporter": self.user(fields.get("reporter")),
            "duedate": fields.get("duedate"),
            "parent": int(fields["parent"]["id"]) if fields.get("parent") else None,
        }
        project = self.project(fields["project"])
        for name in LISTED:
            held[name] = [self.listed(project.listed(name), one) for one in fields.get(name) or ()] or None
        for name, value in fields.items():
            if name.startswith("customfield_") and value is not None:
                held[name] = self.custom(name, value)
        return {name: value for name, value in held.items() if value is not None}

    def custom(self, name: str, value: Any) -> Any:
        """A custom field's value as the site keeps it; a field it does not know yet becomes known."""
        known = self.site.custom.get(name)
        if known is None:
            number = name.removeprefix("customfield_")
            kind = "number" if isinstance(value, int | float) else "raw"
            self.site.custom[name] = CustomField(name, f"Field {number}", kind, projects=frozenset())
        elif known.type in ONE_OF and isinstance(value, dict):
            return next((option for option, shown in known.options if shown == value.get("value")), None)
        elif known.type == "text":
            return self.text(value)
        return value

    def text(self, value: Any) -> Any:
        if not value:
            return None
        if self.site.cloud:
            return value if isinstance(value, dict) else adf.from_text(value)
        return adf.to_text(value) if isinstance(value, dict) else value

    def project(self, raw: Json) -> Project:
        key = self.target or raw["key"]
        if key not in self.site.projects:
            number = str(raw["id"])
            workflow = self.workflow or open_workflow((), "")
            self.site.projects[key] = Project(number, key, raw.get("name") or key, (), workflow)
            self.fresh.add(key)
        return self.site.projects[key]

    def listed(self, known: dict[str, str], raw: Json) -> str:
        """The id of a component or version, which becomes known to the project."""
        name = str(raw["name"])
        found = next((key for key, said in known.items() if said == name), None)
        if found is None:
            found = self.free(known, str(raw["id"]))
            known[found] = name
        return found

    def user(self, raw: Json | None) -> str | None:
        if not raw:
            return None
        user_id = str(raw.get("accountId") or raw.get("key") or raw["name"])
        if user_id not in self.site.users:
            name = str(raw.get("name") or user_id)
            shown = str(raw.get("displayName") or name)
            mail = str(raw.get("emailAddress") or "")
            zone = str(raw.get("timeZone") or "Etc/UTC")
            self.site.add_user(User(user_id, name, shown, mail, bool(raw.get("active", True)), zone))
        return user_id

    def nobody(self) -> str:
        return self.user({"key": "unknown", "name": "unknown", "displayName": "Former user"}) or ""

    def named(self, registry: str, raw: Json | None) -> str | None:
        if not raw:
            return None
        things: dict[str, Named] = getattr(self.site, registry)
        known = next((one.id for one in things.values() if one.name == raw["name"]), None)
        if known is None:
            known = self.free(things, str(raw["id"]))
            things[known] = Named(known, raw["name"], raw.get("description") or "")
        return known

    def type(self, raw: Json) -> str:
        known = self.site.type_named(raw["name"])
        if known is None:
            key = self.free(self.site.types, str(raw["id"]))
            known = IssueType(key, raw["name"], bool(raw.get("subtask")), raw.get("description") or "")
            self.site.types[key] = known
        return known.id

    def status(self, raw: Json) -> str:
        known = self.site.status_named(raw["name"])
        if known is None:
            key = self.free(self.site.statuses, str(raw["id"]))
            category = CATEGORY_KEYS.get((raw.get("statusCategory") or {}).get("key", "new"), "new")
            known = Status(key, raw["name"], category, raw.get("description") or "")
            self.site.statuses[key] = known
        return known.id

    def free(self, things: dict[str, Any], wanted: str) -> str:
        return wanted if wanted not in things else str(self.site.new_id("thing"))

    def comment(self, raw: Json) -> Comment:
        self.site.reserve_id("part", int(raw["id"]))
        author = self.user(raw.get("author")) or self.nobody()
        held = {one["key"]: one["value"] for one in raw.get("properties") or []}
        if raw.get("jsdPublic") is False:
            held.setdefault("sd.public.comment", {"internal": True})
        return Comment(
            id=str(raw["id"]),
            author=author,
            body=self.text(raw.get("body")) or ("" if not self.site.cloud else adf.from_text("")),
            created=stamp(raw["created"]),
            updated=stamp(raw.get("updated") or raw["created"]),
            update_author=self.user(raw.get("updateAuthor")) or author,
            visibility=raw.get("visibility"),
            properties=held,
        )

    def attachment(self, raw: Json) -> Json:
        return {**raw, "author": self.user(raw.get("author"))}

    def change(self, raw: Json) -> Change:
        self.site.reserve_id("part", int(raw["id"]))
        items = tuple(dict(item) for item in raw.get("items", []))
        return Change(
            str(raw["id"]), self.user(raw.get("author")) or self.nobody(), stamp(raw["created"]), items
        )
