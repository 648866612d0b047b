"""What ``bridge check`` learns of a Redmine project: its types, statuses, fields, and the rights we lack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bridge.sync.agreement import BUILT_IN_FIELDS
from bridge.trackers.protocol import FieldMeta, ProjectMeta
from bridge.trackers.redmine_catalog import Catalog
from bridge.trackers.redmine_structure import KINDS
from bridge.trackers.redmine_values import ATTRIBUTES

_RIGHTS = {
    "view_issues": "View issues",
    "add_issues": "Add issues",
    "edit_issues": "Edit issues",
    "add_issue_notes": "Add notes",
    "edit_own_issue_notes": "Edit own notes",
}
"""Permissions that the account needs, as Redmine's role form calls them."""

_WIDER = {"edit_own_issue_notes": "edit_issue_notes"}
"""Permissions that stand for a needed one."""


def describe(catalog: Catalog, project: str, marker: str, wanted: Sequence[str] = ()) -> ProjectMeta:
    """What exists in a project.

    Redmine shows its workflows to nobody over REST, so every type is said to have every status; and it tells
    which custom fields must be given to administrators only.

    Args:
        catalog: names and numbers.
        project: the project's identifier.
        marker: the custom field with the bridge's mark.
        wanted: custom fields to look for by name; only administrators are shown a list.

    Raises:
        Gone: no such project, or it is hidden from us.
    """
    types = tuple(catalog.project(project).types)
    priorities = tuple(catalog.priorities())
    found = [field for name in wanted if (field := catalog.find_custom(name, project)) is not None]
    custom = tuple(dict.fromkeys([*catalog.all_custom(project), *found]))
    screen = (
        FieldMeta("summary", required=True),
        *(FieldMeta(name, required=False) for name in ("description", "due", "assignee")),
        FieldMeta(
            "components", required=False
        ),  # the whole list of categories is shown to their managers only
        FieldMeta("fix-versions", required=False, allowed=tuple(catalog.versions(project))),
        FieldMeta("priority", required=True, allowed=priorities),
        *(FieldMeta(field.name, required=field.required, allowed=field.options) for field in custom),
    )
    return ProjectMeta(
        types=types,
        statuses=dict.fromkeys(types, tuple(catalog.statuses())),
        priorities=priorities,
        fields=(*(name for name in BUILT_IN_FIELDS if name in ATTRIBUTES), *(field.name for field in custom)),
        create=dict.fromkeys(types, screen),
        missing_rights=tuple(_missing(catalog, project, marker)),
        link_types=KINDS,
    )


def _missing(catalog: Catalog, project: str, marker: str) -> Iterator[str]:
    """The rights that our roles do not give us, and what the marker's field lacks."""
    granted = catalog.permissions(project)
    if granted is not None:
        for right, label in _RIGHTS.items():
            if right not in granted and _WIDER.get(right) not in granted:
                yield label
    if marker:
        field = catalog.find_custom(marker, project)
        if field is None:
            yield f"custom field {marker!r}, visible and used as a filter"
        elif not catalog.is_filter(f"cf_{field.id}", project):
            yield f"'Used as a filter' on the custom field {marker!r}"
