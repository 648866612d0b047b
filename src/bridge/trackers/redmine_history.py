"""The changes of a Redmine issue, from its journals: numbers become the names that people know."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bridge.sync.ticket import FieldChange
from bridge.trackers.redmine_catalog import Catalog
from bridge.trackers.redmine_values import CANONICAL, Json, instant, lines


def to_changes(issue: Json, catalog: Catalog) -> tuple[FieldChange, ...]:
    """The field changes of an issue with its journals, oldest first."""
    custom = {str(field["id"]): str(field["name"]) for field in issue.get("custom_fields", ())}
    project = catalog.project_key(issue["project"])
    changes: list[FieldChange] = []
    for journal in sorted(issue["journals"], key=lambda journal: int(journal["id"])):
        for detail in journal.get("details", ()):
            kind, name = str(detail["property"]), str(detail["name"])
            before, after = lines(detail.get("old_value")), lines(detail.get("new_value"))
            if kind == "attr":
                field = CANONICAL.get(name, name.removesuffix("_id"))
                before, after = (_shown(name, value, project, catalog) for value in (before, after))
            else:
                field = custom.get(name, f"cf_{name}") if kind == "cf" else kind
            changes.append(
                FieldChange(
                    event=str(journal["id"]),
                    at=instant(journal["created_on"]),
                    author=catalog.person(journal.get("user")),
                    field=field,
                    before=before,
                    after=after,
                )
            )
    return tuple(changes)


def _shown(attribute: str, value: str, project: str, catalog: Catalog) -> str:
    """An attribute's value as Redmine prints it; the number where the name is not known any more."""
    if not value:
        return ""
    if attribute == "assigned_to_id":
        person = catalog.person({"id": value})
        return (person.name if person else "") or value
    if attribute == "project_id":
        return catalog.project_key({"id": value})
    lists: Mapping[str, Callable[[], Mapping[str, int]]] = {
        "status_id": catalog.statuses,
        "tracker_id": catalog.types,
        "priority_id": catalog.priorities,
        "category_id": lambda: catalog.categories(project),
        "fixed_version_id": lambda: catalog.versions(project),
    }
    names = lists[attribute]() if attribute in lists else {}
    return next((name for name, number in names.items() if str(number) == value), value)
