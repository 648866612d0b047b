"""Jira Cloud: REST v3, rich texts in ADF, people by accountId, search through ``/search/jql``.

The old ``/search`` is gone (HTTP 410 since 2025, CHANGE-2046). Its successor pages by token, promises
neither full pages nor a total, and trails the truth; the present state of many tickets comes from
``/issue/bulkfetch``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bridge.clock import Clock
from bridge.config.settings import TrackerSettings
from bridge.errors import Unintelligible
from bridge.sync.agreement import BUILT_IN_FIELDS
from bridge.sync.ticket import FieldChange
from bridge.trackers.http import Http, open_http
from bridge.trackers.jira_files import file_session
from bridge.trackers.jira_polls import Raw
from bridge.trackers.jira_session import JiraSession
from bridge.trackers.jira_tracker import Flavour, JiraTracker
from bridge.trackers.jira_values import Values
from bridge.trackers.protocol import Abilities
from bridge.trackers.transfers import open_transfers

KIND = "jira-cloud"

FLAVOUR = Flavour(
    kind=KIND,
    api="/rest/api/3",
    values=Values("adf", "accountId"),
    abilities=Abilities(
        dialect="adf",
        fields=frozenset(BUILT_IN_FIELDS),
        search_has_comments=True,
        comment_edits_bump=True,
        read_back=False,
        attachments=True,
        relations=True,
        worklogs=True,
    ),
)

_BULK = 100
_PAGE = 100
_STAMP_PAGE = 1_000
_HISTORY_PAGE = 1_000
_MOST_PAGES = 10_000


def open_tracker(settings: TrackerSettings, clock: Clock) -> JiraTracker:
    """Open a Jira Cloud site; the factory of the entry point ``jira-cloud``.

    Scoped tokens and those of service accounts are honoured only by the gateway host, under the site's
    cloud id (support.atlassian.com, "Manage API tokens for service accounts").
    """
    url = f"{settings.gateway.rstrip('/')}/ex/jira/{settings.cloud_id}" if settings.cloud_id else settings.url
    http = open_http(
        settings, clock, lambda: JiraSession(settings, url, version="3", deployment="Cloud"), url
    )
    transfers = open_transfers(settings, http, clock, lambda: file_session(settings, url))
    return JiraCloud(
        settings.name,
        settings.url,
        http=http,
        transfers=transfers,
        clock=clock,
        flavour=FLAVOUR,
        search=_Search(http),
    )


class JiraCloud(JiraTracker):
    """One Jira Cloud site; see :class:`bridge.trackers.jira_tracker.JiraTracker`."""

    def histories(self, ids: Sequence[str]) -> Mapping[str, Sequence[FieldChange]]:
        """See :meth:`bridge.trackers.protocol.Tracker.histories`."""
        entries: dict[str, list[Raw]] = {}
        for at in range(0, len(ids), _BULK):
            body = {"issueIdsOrKeys": list(ids[at : at + _BULK]), "maxResults": _HISTORY_PAGE}
            for page in _token_pages(self._http, f"{self._api}/changelog/bulkfetch", body, "issueChangeLogs"):
                for log in page:
                    entries.setdefault(str(log.get("issueId")), []).extend(log.get("changeHistories") or ())
        return {number: self._reading.history(found) for number, found in entries.items()}


class _Search:
    """How Cloud searches and reads; implements :class:`bridge.trackers.jira_polls.Search`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def pages(self, jql: str, fields: Sequence[str]) -> Iterator[Sequence[Raw]]:
        """All results of a query. Tokens do not shift while tickets change, unlike offsets."""
        size = _PAGE if "comment" in fields else _STAMP_PAGE
        body = {"jql": jql, "fields": list(fields), "maxResults": size}
        return _token_pages(self._http, f"{FLAVOUR.api}/search/jql", body, "issues")

    def pages_since(
        self, query: Callable[[int], str], since: int, fields: Sequence[str]
    ) -> Iterator[Sequence[Raw]]:
        """What changed since a time."""
        return self.pages(query(since), fields)

    def read(
        self, ids: Sequence[str], fields: Sequence[str], properties: Sequence[str] = ()
    ) -> Iterator[Raw]:
        """The present state by id, a hundred a call; what is gone or hidden is listed apart and left out."""
        for at in range(0, len(ids), _BULK):
            body = {"issueIdsOrKeys": list(ids[at : at + _BULK]), "fields": list(fields)}
            if properties:
                body["properties"] = list(properties)
            answer = self._http.call("POST", f"{FLAVOUR.api}/issue/bulkfetch", body=body, repeatable=True)
            yield from answer.objects("issues")


def _token_pages(http: Http, path: str, body: Mapping[str, Any], name: str) -> Iterator[list[dict[str, Any]]]:
    """The pages of a POST that only reads and pages by token.

    A short or empty page is not the last one; only a missing token ends the list. A token that comes again
    would go round for ever, and stopping quietly would lose what follows.

    Raises:
        Unintelligible: a token came again, or there is no end.
    """
    seen: set[str] = set()
    token: str | None = None
    for _ in range(_MOST_PAGES):
        asked = dict(body) if token is None else {**body, "nextPageToken": token}
        answer = http.call("POST", path, body=asked, repeatable=True)
        page = answer.objects(name)
        if page:
            yield page
        token = answer.object().get("nextPageToken")
        if not token:
            return
        if token in seen:
            raise Unintelligible(http.tracker, "the pages of a search go round in a circle")
        seen.add(token)
    raise Unintelligible(http.tracker, f"a search has more than {_MOST_PAGES} pages")
