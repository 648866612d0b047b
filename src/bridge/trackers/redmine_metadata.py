"""What ``bridge check`` learns of a Redmine project: its types, statuses, fields, and the rights we lack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bridge.sync.agreement import BUILT_IN_FIELDS
from bridge.trackers.protocol import FieldMeta, ProjectMeta
from bridge.trackers.redmine_catalog import Catalog
from bridge.trackers.redmine_notes import PRIVATE_RIGHTS
from bridge.trackers.redmine_structure import KINDS
from bridge.trackers.redmine_values import ATTRIBUTES
from bridge.trackers.survey import Flaw, Need

_RIGHTS: Mapping[Need, tuple[str, ...]] = {
    Need.READ: ("view_issues",),
    Need.CREATE: ("add_issues",),
    Need.EDIT: ("edit_issues",),
    Need.MOVE: ("edit_issues",),
    Need.ASSIGN: ("edit_issues",),
    Need.LINK_BACK: ("add_issue_notes",),
    Need.COMMENT: ("add_issue_notes",),
    Need.EDIT_COMMENT: ("edit_own_issue_notes",),
    Need.DELETE_COMMENT: ("edit_own_issue_notes",),
    Need.PRIVATE: PRIVATE_RIGHTS,
    Need.ATTACH: ("edit_issues",),
    Need.DELETE_FILE: ("edit_issues",),
    Need.RELATE: ("manage_issue_relations",),
    Need.PARENT: ("manage_subtasks",),
}
"""Redmine's permissions for each thing that the bridge may have to do."""

_LABELS = {
    "view_issues": "View issues",
    "add_issues": "Add issues",
    "edit_issues": "Edit issues",
    "add_issue_notes": "Add notes",
    "edit_own_issue_notes": "Edit own notes",
    "manage_issue_relations": "Manage issue relations",
    "manage_subtasks": "Manage subtasks",
}
"""Permissions as Redmine's role form calls them, where an administrator has to find them there."""

_WIDER = {"edit_own_issue_notes": "edit_issue_notes"}
"""Permissions that stand for a needed one."""

_TEXTS = frozenset({"string", "text"})
"""Formats of custom fields that can hold the mark."""


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
        missing_rights=_missing(catalog, project),
        marker=tuple(_unmarkable(catalog, project, marker)),
        link_types=KINDS,
    )


def _missing(catalog: Catalog, project: str) -> dict[Need, tuple[str, ...]]:
    """What our roles do not let us do, and the rights that it would take."""
    granted = catalog.permissions(project)
    if granted is None:
        return {}
    return {
        need: lacking
        for need, rights in _RIGHTS.items()
        if (
            lacking := tuple(
                _LABELS.get(right, right)
                for right in rights
                if right not in granted and _WIDER.get(right) not in granted
            )
        )
    }


def _unmarkable(catalog: Catalog, project: str, marker: str) -> Iterator[Flaw]:
    """What is wrong with the marker's field, as far as Redmine shows it to us.

    Its format is told to administrators only; which types have it is seen from tickets.
    """
    if not marker:
        return
    field = catalog.find_custom(marker, project)
    if field is None:
        yield Flaw(
            f"there is no custom field {marker!r} that our account can see",
            "make a custom field of the format Text, used as a filter and for all types, and show it to the account",
        )
        return
    if (field.format and field.format not in _TEXTS) or field.multiple:
        kind = "holds several values" if field.multiple else f"is of the format '{field.format}'"
        yield Flaw(
            f"the custom field {marker!r} {kind}, and the mark is one text",
            "make it a field of the format Text",
        )
    if not catalog.is_filter(f"cf_{field.id}", project):
        yield Flaw(
            f"the custom field {marker!r} is not used as a filter, so that no mark can be found by it",
            f"tick 'Used as a filter' on the custom field {marker!r}, and enable it for the project",
        )
    without = catalog.types_without(field, project)
    if without:
        names = ", ".join(f"'{kind}'" for kind in without)
        yield Flaw(
            f"tickets of the type {names} do not have the custom field {marker!r}",
            f"tick these types on the custom field {marker!r}",
        )
