"""Fields: which there are, who may set them where, and how a value from outside becomes a stored one.

Stored forms: text is an ADF document on Cloud and a string on Data Center; priority, option and user are
ids; labels a list of strings; dates ``yyyy-mm-dd``; a parent is an issue number. Refusals carry Jira's
words under the field's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bridge.simulator import adf
from bridge.simulator.model import CustomField, Issue, Json, Project, User
from bridge.simulator.refusal import Refusal, field_refusal
from bridge.simulator.state import Site

SUMMARY_LIMIT = 255
LABEL_LIMIT = 255
TOO_LONG = "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
NOT_ON_SCREEN = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."
NOT_ADF = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
NOT_STRING = "Operation value must be a string"


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
    "assignee": SystemField("Assignee", "user", on_create=True, on_edit=True),
    "reporter": SystemField("Reporter", "user", on_create=True, on_edit=True),
    "creator": SystemField("Creator", "user"),
    "created": SystemField("Created", "datetime"),
    "updated": SystemField("Updated", "datetime"),
    "resolutiondate": SystemField("Resolved", "datetime"),
    "duedate": SystemField("Due date", "date", on_create=True, on_edit=True),
    "parent": SystemField("Parent", "issuelink", on_create=True),
    "security": SystemField("Security Level", "securitylevel", on_create=True, on_edit=True),
    "comment": SystemField("Comment", "comments-page", navigable=False),
    "attachment": SystemField("Attachment", "array", navigable=False, items="attachment"),
}
TEXTS = frozenset({"description", "environment"})
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


def parse(view: View, project: Project, name: str, raw: Any) -> Any:
    """Turn one field's value from outside into its stored form, or refuse in Jira's words."""
    site = view.site
    if name == "summary":
        return _summary(raw)
    if is_text(site, name):
        return parse_text(view, name, raw)
    if name == "labels":
        return _labels(name, raw)
    if name in {"assignee", "reporter"}:
        return parse_user(view, name, raw, project.key)
    if name == "duedate":
        return _date(name, raw)
    if name == "parent":
        return _parent(view, raw)
    if name in {"priority", "resolution", "security"}:
        return _choice(site, name, raw)
    return _custom(site.custom[name], raw)


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


def _labels(name: str, raw: Any) -> list[str]:
    if raw is None:
        return []
    if not isinstance(raw, list) or not all(isinstance(one, str) for one in raw):
        raise field_refusal(name, "Operation value must be an array of strings")
    for one in raw:
        if re.search(r"\s", one):
            raise field_refusal(name, f"The label '{one}' contains spaces which is invalid.")
        if len(one) > LABEL_LIMIT:
            raise field_refusal(name, f"The label '{one}' exceeds the maximum length of 255 characters.")
    return sorted({one for one in raw if one})


def _date(name: str, raw: Any) -> str | None:
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str):
        raise field_refusal(name, NOT_STRING)
    refusal = field_refusal(name, f"Error parsing date string: {raw}")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", raw):
        raise refusal
    try:
        return date.fromisoformat(raw).isoformat()
    except ValueError:
        raise refusal from None


def _parent(view: View, raw: Any) -> int | None:
    if raw is None:
        return None
    if not isinstance(raw, Mapping):
        raise field_refusal("parent", "data was not an object")
    try:
        return view.site.readable(view.user, str(raw.get("key") or raw.get("id") or "")).id
    except Refusal:
        raise field_refusal("parent", "Could not find issue by id or key.") from None


def _choice(site: Site, name: str, raw: Any) -> str | None:
    things = {
        "priority": site.priorities,
        "resolution": site.resolutions,
        "security": site.security_levels,
    }[name]
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


def _custom(custom: CustomField, raw: Any) -> Any:
    name = custom.id
    if custom.type == "labels":
        return _labels(name, raw)
    if custom.type == "date":
        return _date(name, raw)
    if raw is None:
        return None
    if custom.type == "number":
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            raise field_refusal(name, "Operation value must be a number")
        return float(raw)
    if custom.type == "select":
        return _option(custom, raw)
    if not isinstance(raw, str):
        raise field_refusal(name, NOT_STRING)
    if len(raw) > SUMMARY_LIMIT:
        raise field_refusal(
            name, "The entered text is too long. It exceeds the allowed limit of 255 characters."
        )
    return raw or None


def _option(custom: CustomField, raw: Any) -> str:
    if not isinstance(raw, Mapping) or not (set(raw) & {"id", "value"}):
        raise field_refusal(custom.id, f"Specify a valid 'id' or 'name' for {custom.name}")
    for option, value in custom.options:
        if str(raw.get("id", option)) == option and raw.get("value", value) == value:
            return option
    said = f"Option id '{raw['id']}'" if "id" in raw else f"Option value '{raw['value']}'"
    raise field_refusal(custom.id, f"{said} is not valid")


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
    is_set = name == "labels" or (name in site.custom and site.custom[name].type == "labels")
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
    if isinstance(value, list):
        return None, " ".join(value)
    if is_text(site, name):
        return None, adf.to_text(value)
    registries: dict[str, Mapping[str, Any]] = {
        "priority": site.priorities,
        "resolution": site.resolutions,
        "status": site.statuses,
        "issuetype": site.types,
        "security": site.security_levels,
    }
    if name in registries:
        return str(value), registries[name][value].name
    if name in {"assignee", "reporter"}:
        person = site.users[value]
        return (person.id if site.cloud else person.name), person.display_name
    if name == "parent":
        other = site.issues.get(value)
        return str(value), other.key if other else None
    custom = site.custom.get(name)
    if custom and custom.type == "select":
        return str(value), dict(custom.options).get(value)
    return (value if name == "duedate" else None), str(value)
