"""Which tickets a Redmine list request is about: the agreement's selection, made safe.

An agreement selects Redmine tickets with a query string such as ``tracker_id=1&cf_2=S1``, the same words that
Redmine's own addresses use. Two habits of Redmine make it dangerous to pass such a string on:

* an unknown or unusable filter is ignored without a word, so that a slip of the pen selects the whole
  project; hence the list of keys here, and the probe in ``redmine_catalog`` that asks the server about each
  of them;
* parameters of the request itself (sort, page, project) share the name space with filters; hence those are
  refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl

from bridge.errors import Refused

PAGE = 100
"""Redmine caps ``limit`` at 100 without saying so."""

CHUNK = 400
"""Ids in one request: of seven digits each they stay well below the 8 kB that web servers allow."""

_FILTERS = frozenset(
    {
        "assigned_to_id",
        "author_id",
        "category_id",
        "fixed_version_id",
        "is_private",
        "parent_id",
        "priority_id",
        "status_id",
        "subject",
        "tracker_id",
    }
)
_CUSTOM = re.compile(r"cf_\d+")
_ID = re.compile(r"\d+")
_UNPROCESSABLE = 422


def parse_select(tracker: str, select: str) -> dict[str, str]:
    """Turn an agreement's selection into request parameters.

    Args:
        tracker: the tracker's name, for the message.
        select: query string; "" selects everything.

    Returns:
        Filter -> expression. Closed tickets are included unless the selection speaks of the status.

    Raises:
        Refused: the selection is not a query string, or names something that is no filter.
    """
    filters: dict[str, str] = {"status_id": "*"}
    try:
        pairs = parse_qsl(
            select.strip(), keep_blank_values=True, strict_parsing=bool(select.strip()), errors="strict"
        )
    except ValueError as problem:
        raise _refuse(
            tracker, f"the selection {select!r} is not of the form key=value&key=value"
        ) from problem
    seen: set[str] = set()
    for key, value in pairs:
        if key not in _FILTERS and not _CUSTOM.fullmatch(key):
            known = ", ".join(sorted(_FILTERS))
            raise _refuse(
                tracker,
                f"the selection uses {key!r}; Redmine tickets are selected by {known} and cf_<number>",
            )
        if key in seen:
            raise _refuse(tracker, f"the selection names {key!r} twice; alternatives are written {key}=1|2")
        if not value.strip() or not value.isprintable():
            raise _refuse(tracker, f"the selection gives no value for {key!r}")
        seen.add(key)
        filters[key] = value
    return filters


def in_project(project: str, filters: dict[str, str]) -> dict[str, str]:
    """Restrict filters to one project without its subprojects."""
    return {**filters, "project_id": project, "subproject_id": "!*"}


def by_number(ids: Sequence[str], size: int = CHUNK) -> Iterator[dict[str, str]]:
    """Parameters that select issues by number, wherever they are now, so many at a time."""
    numbers = [ticket for ticket in ids if _ID.fullmatch(ticket)]
    for start in range(0, len(numbers), size):
        yield {"status_id": "*", "issue_id": ",".join(numbers[start : start + size])}


def _refuse(tracker: str, words: str) -> Refused:
    return Refused(tracker, words, status=_UNPROCESSABLE, fields={"select": words})
