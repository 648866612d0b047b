"""Finding tickets on Jira: polls, censuses, and the search for what we may have created.

Search is for discovery only: on Cloud its index trails the truth by seconds to minutes (Atlassian, "Search
and reconcile", 2025-01-10). Whatever matters is read again by id.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import structlog

from bridge.clock import SECOND, Clock
from bridge.errors import Refused, Unauthorised
from bridge.sync.agreement import Scope
from bridge.sync.ticket import Person
from bridge.trackers.jira_queries import changed, everything, marked, named_ids, newest, own_since, views
from bridge.trackers.jira_tickets import LINK_FACTS, Reading, marks
from bridge.trackers.protocol import Stamp, Watch
from bridge.trackers.survey import Sampled

log = structlog.get_logger(__name__)

Raw = Mapping[str, Any]

CREATION_SKEW = 300 * SECOND
"""How far the tracker's clock may be behind that of whoever wrote ``since``, in a scan of what we created."""

FORGET_LOST_AFTER = 3_600 * SECOND
"""How long an id that Jira refuses to hear in a query is left out of queries."""

_ROUNDS = 25


class Search(Protocol):
    """How a flavour of Jira searches and reads. Pages hold raw issues; an empty page may be left out."""

    def pages(self, jql: str, fields: Sequence[str]) -> Iterator[Sequence[Raw]]:
        """All results of a query."""

    def pages_since(
        self, query: Callable[[int], str], since: int, fields: Sequence[str]
    ) -> Iterator[Sequence[Raw]]:
        """All results of a query that asks for what changed since a time, oldest first."""

    def read(
        self, ids: Sequence[str], fields: Sequence[str], properties: Sequence[str] = ()
    ) -> Iterator[Raw]:
        """The present state of issues by id, strongly consistent; those we cannot see are left out."""


class Polls:
    """Looks for tickets on one site. Shared by all threads.

    Args:
        tracker: the tracker's name, for messages.
        search: the flavour's way of searching.
        whoami: asks the tracker who we are.
        reading: makes stamps and samples from an issue's JSON.
        clock: the time.
    """

    def __init__(
        self,
        tracker: str,
        search: Search,
        whoami: Callable[[], Person],
        reading: Reading,
        clock: Clock,
    ) -> None:
        self._tracker = tracker
        self._search = search
        self._whoami = whoami
        self._stamp = reading.stamp
        self._sampled = reading.sampled
        self._clock = clock
        self._lock = threading.Lock()
        self._lost: dict[str, int] = {}

    def changes(
        self, watch: Watch, since: int, canary: str, fields: Sequence[str]
    ) -> Iterator[Sequence[Raw]]:
        """See :meth:`bridge.trackers.protocol.Tracker.changes`; pages of raw issues.

        One search, unless very many tickets are followed.
        """
        seen_canary = not canary
        lost_before = self._lost_ids()
        for page in self._surviving(
            watch, canary, lambda lost: self._changed(watch, since, canary, lost, fields)
        ):
            seen_canary = seen_canary or any(str(raw.get("id")) == canary for raw in page)
            yield page
        if seen_canary and self._lost_ids() <= lost_before:
            return
        # What an anonymous caller may not see is simply missing from a search: nothing at all looks like
        # peace.
        try:
            self._whoami()
        except Unauthorised:
            with self._lock:
                self._lost.clear()
            raise
        if not seen_canary and next(self._search.read([canary], ["updated"]), None) is not None:
            log.warning("canary_missing", tracker=self._tracker, ticket=canary)

    def census(self, watch: Watch) -> Iterator[Sequence[Stamp]]:
        """See :meth:`bridge.trackers.protocol.Tracker.census`."""

        def run(lost: frozenset[str]) -> Iterator[Sequence[Raw]]:
            for view in views(watch, lost):
                yield from self._search.pages(everything(view), ["updated"])

        for page in self._surviving(watch, "", run):
            yield [self._stamp(raw) for raw in page]

    def sample(self, scope: Scope) -> Sequence[Sampled]:
        """See :meth:`bridge.trackers.survey.ShowsTickets.sample`."""
        asked = ["status", "issuetype", "assignee", "created", "updated"]
        page = next(iter(self._search.pages(newest(scope), asked)), ())
        return [self._sampled(raw) for raw in page]

    def find_marked(self, scope: Scope, marker: str, since: int) -> Sequence[Stamp]:
        """See :meth:`bridge.trackers.protocol.Tracker.find_marked`.

        What carries another mark is not read: that would be a call for each ticket we made lately. What counts
        is the mark as it is now, by id: the label or, where somebody took that off, the property.
        """
        ids: dict[str, None] = {}
        for jql in (marked(marker), own_since(scope, since - CREATION_SKEW)):
            for page in self._search.pages(jql, ["labels", "updated"]):
                for raw in page:
                    shown = marks(_labels(raw))
                    if not shown or marker in shown:
                        ids[str(raw["id"])] = None
        found = self._search.read(list(ids), ["labels", "updated"], [LINK_FACTS])
        return [self._stamp(raw) for raw in found if _carries(raw, marker)]

    def _changed(
        self, watch: Watch, since: int, canary: str, lost: frozenset[str], fields: Sequence[str]
    ) -> Iterator[Sequence[Raw]]:
        with_canary = "" if canary in lost else canary
        for view in views(watch, lost):
            yield from self._search.pages_since(_bound(view, with_canary), since, fields)
            with_canary = ""

    def _surviving(
        self, watch: Watch, canary: str, run: Callable[[frozenset[str]], Iterator[Sequence[Raw]]]
    ) -> Iterator[Sequence[Raw]]:
        """Run a search again without the ids that make Jira refuse it: it will not hear the name of the dead.

        A page may come twice; that is for the caller as harmless as the overlap of two polls.
        """
        for _ in range(_ROUNDS):
            lost = self._lost_ids()
            try:
                yield from run(lost)
            except Refused as refusal:
                named = named_ids(refusal.words, [*watch.follow, canary]) - lost
                if refusal.status != 400 or not named:  # noqa: PLR2004 - HTTP
                    raise
                until = self._clock.now() + FORGET_LOST_AFTER
                with self._lock:
                    self._lost.update(dict.fromkeys(named, until))
            else:
                return
        raise Refused(self._tracker, "the search names too many tickets that are gone", status=400)

    def _lost_ids(self) -> frozenset[str]:
        now = self._clock.now()
        with self._lock:
            self._lost = {one: until for one, until in self._lost.items() if until > now}
            return frozenset(self._lost)


def _labels(raw: Raw) -> Sequence[str]:
    return (raw.get("fields") or {}).get("labels") or ()


def _carries(raw: Raw, marker: str) -> bool:
    facts = (raw.get("properties") or {}).get(LINK_FACTS)
    return marker in _labels(raw) or (isinstance(facts, dict) and facts.get("marker") == marker)


def _bound(view: str, canary: str) -> Callable[[int], str]:
    return lambda since: changed(view, since, canary)
