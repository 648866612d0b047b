"""Fields: which there are, who may set them where, and how a value from outside becomes a stored one.

Stored forms: text is an ADF document on Cloud and a string on Data Center; priority, option and user are
ids; labels a list of strings; dates ``yyyy-mm-dd``; a parent is an issue number. Refusals carry Jira's
words under the field's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.simulator import adf, custom_fields
from bridge.simulator.custom_fields import NOT_STRING, day, labels
from bridge.simulator.model import Issue, Json, Project, User
from bridge.simulator.refusal import Refusal, field_refusal
from bridge.simulator.state import Site

SUMMARY_LIMIT = 255
TOO_LONG = "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
NOT_ON_SCREEN = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."
NOT_ADF = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"


@dataclass(frozen=True, slots=True)
class View:
    """Who asks, and in which version of the API: what parsing and rendering depend on."""

    site: Site
    user: User | None
    api: str

    @property
    def adf(self) -> bool:
        """Tell whether texts travel as ADF documents."""
        return self.site.cloud and self.api == "3"

    @property
    def me(self) -> User:
        """Return the caller, who is known not to be anonymous."""
        assert self.user is not None
        return self.user


@dataclass(frozen=True, slots=True)
class SystemField:
    """A built-in field: its schema type, and on which screens it stands when nothing else is said."""

    name: str
    type: str
    on_create: bool = False
    on_edit: bool = False
    navigable: bool = True
    items: str = ""


SYSTEM: dict[str, SystemField] = {
    "summary": SystemField("Summary", "string", on_create=True, on_edit=True),
    "issuetype": SystemField("Issue Type", "issuetype", on_create=True, on_edit=True),
    "project": SystemField("Project", "project", on_create=True),
    "status": SystemField("Status", "status"),
    "priority": SystemField("Priority", "priority", on_create=True, on_edit=True),
    "resolution": SystemField("Resolution", "resolution"),
    "description": SystemField("Description", "string", on_create=True, on_edit=True),
    "environment": SystemField("Environment", "string", on_create=True, on_edit=True),
    "labels": SystemField("Labels", "array", on_create=True, on_edit=True, items="string"),
    "components": SystemField("Component/s", "array", on_create=True, on_edit=True, items="component"),
    "fixVersions": SystemField("Fix Version/s", "array", on_create=True, on_edit=True, items="version"),
    "versions": SystemField("Affects Version/s", "array", on_create=True, on_edit=True, items="version"),
    "assignee": SystemField("Assignee", "user", on_create=True, on_edit=True),
    "reporter": SystemField("Reporter", "user", on_create=True, on_edit=True),
    "creator": SystemField("Creator", "user"),
    "created": SystemField("Created", "datetime"),
    "updated": SystemField("Updated", "datetime"),
    "resolutiondate": SystemField("Resolved", "datetime"),
    "duedate": SystemField("Due date", "date", on_create=True, on_edit=True),
    "parent": SystemField("Parent", "issuelink", on_create=True),
    "issuelinks": SystemField("Linked Issues", "array", navigable=False, items="issuelinks"),
    "worklog": SystemField("Log Work", "array", navigable=False, items="worklog"),
    "comment": SystemField("Comment", "comments-page", navigable=False),
    "attachment": SystemField("Attachment", "array", navigable=False, items="attachment"),
}
TEXTS = frozenset({"description", "environment"})
LISTED = frozenset({"components", "fixVersions", "versions"})
"""Fields that hold a list of what the project has by that name."""
SETTABLE = frozenset(name for name, one in SYSTEM.items() if one.on_create or one.on_edit) | {"resolution"}


def is_text(site: Site, name: str) -> bool:
    """Tell whether a field holds long text (ADF in v3)."""
    return name in TEXTS or (name in site.custom and site.custom[name].type == "text")


def label_of(site: Site, name: str) -> str:
    """Return a field's name for people."""
    if name in SYSTEM:
        return SYSTEM[name].name
    return site.custom[name].name if name in site.custom else name


def screen(view: View, project: Project, *, edit: bool) -> list[str]:
    """Return the fields a caller finds on the create or edit screen of a project, in a stable order."""
    site = view.site
    chosen = project.edit_screen if edit else project.create_screen
    names = [name for name, one in SYSTEM.items() if (one.on_edit if edit else one.on_create)]
    names += [one.id for one in site.custom.values() if one.type != "raw" and site.shown(one, project)]
    if chosen is not None:
        names = [name for name in names if name in chosen or name in {"project", "issuetype", "summary"}]
    if not site.may(view.user, "MODIFY_REPORTER", project.key):
        names = [name for name in names if name != "reporter"]
    return names


def parse_text(view: View, name: str, raw: Any) -> Any:
    """Turn a long text from outside into its stored form; None and "" clear it."""
    if raw is None:
        return None
    if view.adf:
        if adf.problem(raw) is not None:
            raise field_refusal(name, NOT_ADF)
        if adf.too_long(raw):
            raise field_refusal(name, TOO_LONG)
        return raw if raw["content"] else None
    if not isinstance(raw, str):
        raise field_refusal(name, NOT_STRING)
    if adf.too_long(raw):
        raise field_refusal(name, TOO_LONG)
    if not raw:
        return None
    return adf.from_text(raw) if view.site.cloud else raw


def parse_user(view: View, name: str, raw: Any, project: str) -> str | None:
    """Turn ``{"accountId": ...}`` (Cloud) or ``{"name": ...}`` (Data Center) into a user id."""
    if raw is None:
        return None
    site = view.site
    if not isinstance(raw, Mapping):
        raise field_refusal(name, "data was not an object")
    if site.cloud:
        if not (set(raw) & {"accountId", "id"}):
            raise field_refusal(name, "expected Object containing an accountId property")
        given = raw.get("accountId", raw.get("id"))
        found = site.users.get(str(given)) if given is not None else None
    else:
        given = raw.get("name") or raw.get("key")
        found = next((one for one in site.users.values() if given in {one.name, one.id}), None)
    if given in {None, "", "-1"}:
        return None
    if found is None:
        raise field_refusal(name, f"User '{given}' does not exist.")
    if name == "assignee" and not (found.active and site.may(found, "ASSIGNABLE_USER", project)):
        raise field_refusal(name, f"User '{given}' cannot be assigned issues.")
    return found.id


def parse(view: View, project: Project, name: str, raw: Any) -> Any:  # noqa: PLR0911 - a table
    """Turn one field's value from outside into its stored form, or refuse in Jira's words."""
    site = view.site
    if name == "summary":
        return _summary(raw)
    if is_text(site, name):
        return parse_text(view, name, raw)
    if name == "labels":
        return labels(name, raw)
    if name in LISTED:
        return custom_fields.named(name, raw, project.listed(name))
    if name in {"assignee", "reporter"}:
        return parse_user(view, name, raw, project.key)
    if name == "duedate":
        return day(name, raw)
    if name == "parent":
        return _parent(view, raw)
    if name in {"priority", "resolution"}:
        return _choice(site, name, raw)
    custom = site.custom[name]
    if custom.type == "user":
        return parse_user(view, name, raw, project.key)
    if custom.type == "users":
        if raw is not None and not isinstance(raw, list):
            raise field_refusal(name, custom_fields.NOT_ARRAY)
        people = [parse_user(view, name, one, project.key) for one in raw or ()]
        return sorted(one for one in people if one)
    return custom_fields.parse(custom, raw)


def _summary(raw: Any) -> str:
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        raise field_refusal("summary", "You must specify a summary of the issue.")
    if not isinstance(raw, str):
        raise field_refusal("summary", NOT_STRING)
    if "\n" in raw or "\r" in raw:
        raise field_refusal("summary", "The summary is invalid because it contains newline characters.")
    if len(raw) > SUMMARY_LIMIT:
        raise field_refusal("summary", "Summary can't exceed 255 characters.")
    return raw.strip()


def _parent(view: View, raw: Any) -> int | None:
    if raw is None or (isinstance(raw, Mapping) and raw.get("none") is True):
        return None
    if not isinstance(raw, Mapping):
        raise field_refusal("parent", "data was not an object")
    try:
        return view.site.readable(view.user, str(raw.get("key") or raw.get("id") or "")).id
    except Refusal:
        raise field_refusal("parent", "Could not find issue by id or key.") from None


def _choice(site: Site, name: str, raw: Any) -> str | None:
    things = site.priorities if name == "priority" else site.resolutions
    if raw is None:
        return None
    if not isinstance(raw, Mapping):
        raise field_refusal(name, f"Could not find valid 'id' or 'name' in {name} object.")
    if raw.get("id") is not None:
        if str(raw["id"]) in things:
            return str(raw["id"])
        text = f"{name.capitalize()} with id '{raw['id']}' does not exist."
        raise field_refusal(name, text if not site.cloud else f"The {name} selected is invalid.")
    found = next((one.id for one in things.values() if one.name == raw.get("name")), None)
    if found is None:
        text = f"{name.capitalize()} name '{raw.get('name')}' is not valid"
        raise field_refusal(name, f"The {name} selected is invalid." if site.cloud else text)
    return found


def apply_verbs(site: Site, name: str, now: Any, operations: Any) -> Any:
    """Work out what ``update`` asks for: the raw value the field would have been set to.

    Args:
        site: the site, for the kinds of custom fields.
        name: the field's id.
        now: the stored value before.
        operations: the list under ``update.<name>``.
    """
    if not isinstance(operations, list) or not all(
        isinstance(one, dict) and len(one) == 1 for one in operations
    ):
        raise field_refusal(name, "data was not an array of single operations")
    custom = site.custom.get(name)
    is_set = name == "labels" or (custom is not None and custom.type == "labels")
    value: Any = list(now or []) if is_set else None
    for operation in operations:
        verb, operand = next(iter(operation.items()))
        if verb == "set":
            value = operand
        elif is_set and verb == "add":
            value = [*value, operand]
        elif is_set and verb == "remove":
            value = [one for one in value if one != operand]
        else:
            raise field_refusal(name, f"Field does not support update '{verb}'")
    return value


def current(issue: Issue, name: str) -> Any:
    """Return the stored value of a settable field."""
    if name == "resolution":
        return issue.resolution
    if name == "issuetype":
        return issue.type
    return issue.values.get(name)


def history_item(site: Site, name: str, old: Any, new: Any) -> Json:
    """Describe one change as Jira's changelog does."""
    old_id, old_text = _spoken(site, name, old)
    new_id, new_text = _spoken(site, name, new)
    item: Json = {
        "field": name if name in SYSTEM else label_of(site, name),
        "fieldtype": "custom" if name in site.custom else "jira",
        "fieldId": name,
        "from": old_id,
        "fromString": old_text,
        "to": new_id,
        "toString": new_text,
    }
    if not site.cloud:
        del item["fieldId"]
    return item


def _spoken(site: Site, name: str, value: Any) -> tuple[str | None, str | None]:
    if value is None or value == []:
        return (None, "" if name == "labels" else None)
    custom = site.custom.get(name)
    if name in LISTED:
        listed = {
            key: said for project in site.projects.values() for key, said in project.listed(name).items()
        }
        return ", ".join(value), ", ".join(listed[one] for one in value)
    if custom is not None and custom.type in custom_fields.CHOSEN:
        return str(value), custom_fields.spoken(custom, value)
    if isinstance(value, list):
        return None, " ".join(value)
    if is_text(site, name):
        return None, adf.to_text(value)
    registries: dict[str, Mapping[str, Any]] = {
        "priority": site.priorities,
        "resolution": site.resolutions,
        "status": site.statuses,
        "issuetype": site.types,
    }
    if name in registries:
        return str(value), registries[name][value].name
    if name in {"assignee", "reporter"} or (custom is not None and custom.type == "user"):
        person = site.users[value]
        return (person.id if site.cloud else person.name), person.display_name
    if name == "parent":
        other = site.issues.get(value)
        return str(value), other.key if other else None
    return (value if name == "duedate" else None), str(value)
