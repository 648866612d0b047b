"""Jira Data Center: REST v2, texts in wiki markup, people by login name, search paged by offset.

Offsets shift while tickets change, so a poll moves its lower bound instead, and a census lets its pages
overlap (Atlassian KB, "Inconsistent paginated API search result while using JQL"; JRASERVER-69860).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from bridge.clock import Clock
from bridge.config.settings import TrackerSettings
from bridge.errors import Gone, Unintelligible
from bridge.sync.agreement import BUILT_IN_FIELDS
from bridge.sync.ticket import FieldChange
from bridge.trackers.answers import Answer
from bridge.trackers.http import Http, open_http
from bridge.trackers.jira_files import file_session
from bridge.trackers.jira_polls import Raw
from bridge.trackers.jira_session import JiraSession
from bridge.trackers.jira_tracker import Flavour, JiraTracker
from bridge.trackers.jira_values import Values, moment
from bridge.trackers.protocol import Abilities
from bridge.trackers.transfers import open_transfers

KIND = "jira-datacenter"

FLAVOUR = Flavour(
    kind=KIND,
    api="/rest/api/2",
    values=Values("wiki", "name"),
    abilities=Abilities(
        dialect="wiki",
        fields=frozenset(BUILT_IN_FIELDS),
        search_has_comments=True,
        comment_edits_bump=True,
        read_back=False,
        attachments=True,
        relations=True,
        worklogs=True,
    ),
)

_PAGE = 100
_STAMP_PAGE = 1_000
_OVERLAP = 10
_MOST_PAGES = 10_000


def open_tracker(settings: TrackerSettings, clock: Clock) -> JiraTracker:
    """Open a Jira Data Center site; the factory of the entry point ``jira-datacenter``.

    The token is a personal access token, or with ``user`` the password of basic authentication.
    """
    http = open_http(
        settings, clock, lambda: JiraSession(settings, settings.url, version="2", deployment="Server")
    )
    transfers = open_transfers(settings, http, clock, lambda: file_session(settings, settings.url))
    return JiraDataCenter(
        settings.name,
        settings.url,
        http=http,
        transfers=transfers,
        clock=clock,
        flavour=FLAVOUR,
        search=_Search(http),
    )


class JiraDataCenter(JiraTracker):
    """One Jira Data Center site; see :class:`bridge.trackers.jira_tracker.JiraTracker`."""

    def histories(self, ids: Sequence[str]) -> Mapping[str, Sequence[FieldChange]]:
        """See :meth:`bridge.trackers.protocol.Tracker.histories`."""
        found: dict[str, Sequence[FieldChange]] = {}
        for one in dict.fromkeys(ids):
            query = {"fields": "updated", "expand": "changelog"}
            try:
                raw = self._call("GET", "/issue/{id}", {"id": one}, query=query).object()
            except Gone:
                continue
            changelog = raw.get("changelog") or {}
            found[str(raw.get("id", one))] = self._reading.history(changelog.get("histories") or ())
        return found


class _Search:
    """How Data Center searches and reads; implements :class:`bridge.trackers.jira_polls.Search`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def pages(self, jql: str, fields: Sequence[str]) -> Iterator[Sequence[Raw]]:
        """All results of a query whose order is stable.

        A page begins a little before the end of the one before, so that a few tickets leaving the result in
        between push none past us.
        """
        start = 0
        seen: set[str] = set()
        for _ in range(_MOST_PAGES):
            answer = self._ask(jql, start, fields)
            page = answer.objects("issues")
            fresh = [raw for raw in page if str(raw.get("id")) not in seen]
            seen.update(str(raw.get("id")) for raw in fresh)
            if fresh:
                yield fresh
            if not page or start + len(page) >= _total(answer):
                return
            start += max(1, len(page) - _OVERLAP)
        raise Unintelligible(self._http.tracker, f"a search has more than {_MOST_PAGES} pages")

    def pages_since(
        self, query: Callable[[int], str], since: int, fields: Sequence[str]
    ) -> Iterator[Sequence[Raw]]:
        """What changed since a time: the next page asks for what is not older than the last ticket seen.

        A ticket that changes meanwhile moves to the end, where it is met again. Only where a whole page
        carries one time does the offset move instead.
        """
        bound, start = since, 0
        seen: set[tuple[str, str]] = set()
        for _ in range(_MOST_PAGES):
            answer = self._ask(query(bound), start, fields)
            page = answer.objects("issues")
            fresh = [raw for raw in page if _version(raw) not in seen]
            seen.update(map(_version, fresh))
            if fresh:
                yield fresh
            if not page or start + len(page) >= _total(answer):
                return
            newest = self._newest(page)
            if newest // 1000 > bound // 1000:
                bound, start = newest, 0
            else:
                start += len(page)
        raise Unintelligible(self._http.tracker, f"a search has more than {_MOST_PAGES} pages")

    def read(
        self, ids: Sequence[str], fields: Sequence[str], properties: Sequence[str] = ()
    ) -> Iterator[Raw]:
        """The present state by id, one call each: a search would show what the index knows."""
        for one in ids:
            try:
                answer = self._http.call(
                    "GET",
                    f"{FLAVOUR.api}/issue/{{id}}",
                    parts={"id": one},
                    query={"fields": ",".join(fields), "properties": ",".join(properties) or None},
                )
            except Gone:
                continue
            yield answer.object()

    def _newest(self, page: Sequence[Raw]) -> int:
        """The time of the last issue on a page that says one; what comes after it is met again."""
        for raw in reversed(page):
            try:
                return moment(raw["fields"]["updated"])
            except (KeyError, TypeError, ValueError):
                continue
        raise Unintelligible(self._http.tracker, "a page of issues without a time")

    def _ask(self, jql: str, start: int, fields: Sequence[str]) -> Answer:
        size = _PAGE if "comment" in fields else _STAMP_PAGE
        body = {"jql": jql, "startAt": start, "maxResults": size, "fields": list(fields)}
        return self._http.call("POST", f"{FLAVOUR.api}/search", body=body, repeatable=True)


def _total(answer: Answer) -> int:
    total = answer.object().get("total")
    return total if isinstance(total, int) else 0


def _version(raw: Raw) -> tuple[str, str]:
    return str(raw.get("id")), str((raw.get("fields") or {}).get("updated"))
