"""Walking through Redmine's lists while tickets move.

Redmine pages by offset. A ticket that changes during the walk moves to the end of a list sorted by change,
and every ticket behind it moves up one place: the one at the border of two pages is never seen. So a walk
goes on from the last ticket it saw, not from a count; only among tickets of one and the same second does it
count, with pages that overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.clock import SECOND
from bridge.trackers.http import Http
from bridge.trackers.redmine_query import PAGE, by_number
from bridge.trackers.redmine_values import instant, stamp

_OVERLAP = 20
"""Places that a page in the same second shares with the one before: so many tickets may leave meanwhile."""


def walk_changes(http: Http, filters: Mapping[str, str], since: int) -> Iterator[dict[str, Any]]:
    """Issues that changed at or after ``since`` (microseconds), oldest change first.

    An issue that changes during the walk comes again. Redmine's filter works on whole seconds and returns up
    to one second more than asked for.
    """
    start, offset = since // SECOND * SECOND, 0
    seen: set[tuple[int, str]] = set()
    while True:
        query = {
            **filters,
            "updated_on": f">={stamp(start)}",
            "sort": "updated_on,id",
            "limit": PAGE,
            "offset": offset,
        }
        page = http.call("GET", "/issues.json", query=query).objects("issues")
        for issue in page:
            if (mark := (issue["id"], issue["updated_on"])) not in seen:
                seen.add(mark)
                yield issue
        if len(page) < PAGE:
            return
        last = instant(page[-1]["updated_on"])
        if last > start:
            start, offset = last, 0
            seen = {mark for mark in seen if instant(mark[1]) >= last - SECOND}
        else:
            offset += PAGE - _OVERLAP


def walk_all(http: Http, filters: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """All issues, by number, whatever their age."""
    after = 0
    while True:
        query = {**filters, "issue_id": f">={after + 1}", "sort": "id", "limit": PAGE}
        page = http.call("GET", "/issues.json", query=query).objects("issues")
        yield from page
        if len(page) < PAGE:
            return
        after = max(issue["id"] for issue in page)


def read_numbered(http: Http, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Those of the numbered issues that we can see, wherever they are now, by number within each hundred."""
    for filters in by_number(ids, PAGE):
        yield from http.call("GET", "/issues.json", query={**filters, "sort": "id", "limit": PAGE}).objects(
            "issues"
        )
