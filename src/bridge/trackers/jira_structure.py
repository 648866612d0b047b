"""Parents, issue links and worklogs on Jira.

A link has no id in the answer that makes it, but Jira recognises one that exists (Atlassian's REST v3 description,
"Create issue link"), so the request may be repeated. A parent is a field: on Data Center sub-tasks alone have one,
given at their creation; on Cloud it can be set and, for other types than sub-tasks, taken away. Booked time leaves the
remaining estimate alone, which is each side's own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from bridge.errors import Gone, OutcomeUnknown, Refused, Unauthorised
from bridge.markup import plain
from bridge.sync.ticket import Relation, Worklog
from bridge.trackers.answers import Answer
from bridge.trackers.http import Http
from bridge.trackers.jira_people import People
from bridge.trackers.jira_values import Values, moment
from bridge.trackers.structure import TimeSpent

WORKLOG_MARK = "bridge.worklog"
"""Property of a worklog that carries our mark."""

_LEAVE = {"adjustEstimate": "leave"}
_PAGE = 1_000


class JiraStructure:
    """What stands between and beside the issues of one site.

    Args:
        http: the policy.
        api: prefix of the API's paths.
        values: the flavour's codec.
        people: who we are.
    """

    def __init__(self, http: Http, api: str, values: Values, people: People) -> None:
        self._http = http
        self._api = api
        self._values = values
        self._me = people.me
        self._whoami = people.whoami

    def link_types(self) -> Sequence[str]:
        """See :meth:`bridge.trackers.structure.Structure.link_types`."""
        answer = self._call("GET", "/issueLinkType")
        return tuple(str(one.get("name")) for one in answer.objects("issueLinkTypes"))

    def set_parent(self, ticket: str, parent: str) -> int:
        """See :meth:`bridge.trackers.structure.Structure.set_parent`."""
        body: dict[str, Any] = {"fields": {"parent": {"id": parent}}}
        if not parent:
            body = {"update": {"parent": [{"set": {"none": True}}]}}
        return self._call("PUT", "/issue/{id}", {"id": ticket}, body=body).at

    def add_relation(self, kind: str, source: str, target: str) -> int:
        """See :meth:`bridge.trackers.structure.Structure.add_relation`."""
        body = {"type": {"name": kind}, "inwardIssue": {"id": source}, "outwardIssue": {"id": target}}
        with self._forbidden():
            return self._call("POST", "/issueLink", body=body, repeatable=True).at

    def remove_relation(self, relation: str) -> int:
        """See :meth:`bridge.trackers.structure.Structure.remove_relation`."""
        try:
            with self._forbidden():
                return self._call("DELETE", "/issueLink/{link}", {"link": relation}).at
        except Gone:
            return self._http.now()

    @contextmanager
    def _forbidden(self) -> Iterator[None]:
        """Data Center answers 401 also to an account that is known, but may not link issues: that is a refusal."""
        try:
            yield
        except Unauthorised as error:
            self._whoami()
            raise Refused(self._http.tracker, error.words, status=401) from error

    def worklogs(self, ticket: str) -> Sequence[Worklog]:
        """See :meth:`bridge.trackers.structure.Structure.worklogs`."""
        return tuple(worklog(self._values, raw) for raw in self._all_worklogs(ticket))

    def add_worklog(self, ticket: str, spent: TimeSpent, marker: str) -> tuple[str, int]:
        """See :meth:`bridge.trackers.structure.Structure.add_worklog`.

        The mark is a property within the request, where the site keeps properties of worklogs (Cloud).
        """
        body = self._spent(spent)
        if self._marks:
            body["properties"] = [{"key": WORKLOG_MARK, "value": {"marker": marker}}]
        answer = self._call("POST", "/issue/{id}/worklog", {"id": ticket}, body=body, query=_LEAVE)
        if not isinstance(answer.data, dict) or not answer.data.get("id"):
            raise OutcomeUnknown(self._http.tracker, f"HTTP {answer.status}, but the answer names no id")
        return str(answer.data["id"]), answer.at

    def find_worklog(self, ticket: str, spent: TimeSpent, marker: str) -> str | None:
        """See :meth:`bridge.trackers.structure.Structure.find_worklog`."""
        wanted = plain(self._values.text(self._values.write_text(spent.body)))
        alike: str | None = None
        for raw in self._all_worklogs(ticket):
            mark = _mark(raw)
            if mark == marker:
                return str(raw["id"])
            one = worklog(self._values, raw)
            mine = one.author is not None and one.author.id == self._me().id
            same = (one.started, one.seconds) == (_milliseconds(spent.started) * 1000, spent.seconds)
            if mine and same and not mark and plain(one.body) == wanted:
                alike = one.id
        return alike

    def edit_worklog(self, ticket: str, worklog: str, spent: TimeSpent) -> int:
        """See :meth:`bridge.trackers.structure.Structure.edit_worklog`."""
        parts = {"id": ticket, "worklog": worklog}
        return self._call(
            "PUT", "/issue/{id}/worklog/{worklog}", parts, body=self._spent(spent), query=_LEAVE
        ).at

    def delete_worklog(self, ticket: str, worklog: str) -> int:
        """See :meth:`bridge.trackers.structure.Structure.delete_worklog`."""
        parts = {"id": ticket, "worklog": worklog}
        try:
            return self._call("DELETE", "/issue/{id}/worklog/{worklog}", parts, query=_LEAVE).at
        except Gone:
            return self._http.now()

    @property
    def _marks(self) -> bool:
        return self._values.person_key == "accountId"

    def _spent(self, spent: TimeSpent) -> dict[str, Any]:
        started = dt.datetime.fromtimestamp(_milliseconds(spent.started) / 1000, dt.UTC)
        return {
            "started": f"{started:%Y-%m-%dT%H:%M:%S}.{started.microsecond // 1000:03d}+0000",
            "timeSpentSeconds": spent.seconds,
            "comment": self._values.write_text(spent.body),
        }

    def _all_worklogs(self, ticket: str) -> Iterator[dict[str, Any]]:
        start = 0
        while True:
            query = {"startAt": start, "maxResults": _PAGE, "expand": "properties" if self._marks else None}
            answer = self._call("GET", "/issue/{id}/worklog", {"id": ticket}, query=query)
            page = answer.objects("worklogs")
            yield from page
            start += len(page)
            if not page or start >= int(answer.object().get("total", 0)):
                return

    def _call(self, method: str, path: str, parts: Mapping[str, str] | None = None, **options: Any) -> Answer:
        return self._http.call(method, self._api + path, parts=parts or {}, **options)


def worklog(values: Values, raw: Mapping[str, Any]) -> Worklog:
    """Time that was booked; any restriction makes it private."""
    return Worklog(
        id=str(raw["id"]),
        author=values.person(raw.get("author")),
        started=moment(raw["started"]),
        seconds=int(raw.get("timeSpentSeconds") or 0),
        body=values.text(raw.get("comment")),
        created=moment(raw["created"]),
        private=bool(raw.get("visibility")),
    )


def _milliseconds(at: int) -> int:
    """A time in what Jira keeps of it."""
    return at // 1000


def _mark(raw: Mapping[str, Any]) -> str:
    for one in raw.get("properties") or ():
        if one.get("key") == WORKLOG_MARK and isinstance(one.get("value"), dict):
            return str(one["value"].get("marker", ""))
    return ""


def relations(listed: Sequence[Mapping[str, Any]]) -> tuple[Relation, ...]:
    """The links in an issue's JSON; one whose other issue is hidden from us is left out."""
    found = []
    for raw in listed:
        outward = "outwardIssue" in raw
        other = raw.get("outwardIssue") or raw.get("inwardIssue")
        if not isinstance(other, dict) or not other.get("id"):
            continue
        kind = raw["type"]
        found.append(
            Relation(
                id=str(raw["id"]),
                kind=str(kind["name"]),
                other=str(other["id"]),
                outward=outward,
                symmetric=kind.get("inward") == kind.get("outward"),
            )
        )
    return tuple(found)
