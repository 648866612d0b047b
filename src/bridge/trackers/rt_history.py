"""The changes of a ticket's fields, from its transactions: numbers become the names that people know."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.sync.ticket import FieldChange
from bridge.trackers.http import Http
from bridge.trackers.rt_catalog import Catalog
from bridge.trackers.rt_lists import walk_transactions
from bridge.trackers.rt_values import CANONICAL, NOBODY, Json, day, instant, person

_KINDS = ("Set", "Status", "CustomField")
"""Types of transactions that change a field. ``SetWatcher`` says of an owner what ``Set`` has said already."""


def read_changes(http: Http, catalog: Catalog, tickets: Sequence[str]) -> dict[str, list[FieldChange]]:
    """The field changes of these tickets, oldest first."""
    found: dict[str, list[FieldChange]] = {ticket: [] for ticket in tickets}
    for page in walk_transactions(http, tickets, _KINDS):
        for one in page:
            found[str(one["ObjectId"])].append(_change(one, catalog))
    return found


def _change(one: Json, catalog: Catalog) -> FieldChange:
    name = str(one.get("Field") or "")
    if one["Type"] == "CustomField":
        field = catalog.field_name(name)
    else:
        field = CANONICAL.get(name, {"Queue": "project"}.get(name, name))
    return FieldChange(
        event=str(one["id"]),
        at=instant(one["Created"]),
        author=person(one["Creator"]),
        field=field,
        before=_shown(name, str(one.get("OldValue") or ""), catalog),
        after=_shown(name, str(one.get("NewValue") or ""), catalog),
    )


def _shown(name: str, value: str, catalog: Catalog) -> str:
    """A value as people see it."""
    if not value:
        return ""
    if name == "Owner":
        login = catalog.login(value) if value.isdecimal() else value
        return "" if login == NOBODY else login
    if name == "Due":
        return day(f"{value.replace(' ', 'T')}Z", catalog.account().days) or ""
    return value
