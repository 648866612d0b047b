"""Redmine 5 and later, over its REST API, with plain requests under the house's HTTP policy.

What makes Redmine different from its neighbours, and what follows from it here:

* It answers "done" to writes that it did not do: every write is read back (``redmine_payload``).
* Its lists never hold comments: a ticket from a list has ``comments_complete`` False, and tickets are read
  one by one.
* A note's number is not told and a note carries no mark: ``redmine_notes`` finds it by author and text.
* Editing a note does not move the ticket's ``updated_on``: such edits are seen by full reads only.
* The bridge's mark lives in a text custom field (``marker_field``), set in the create request itself.
* Redmine's application server sends no ``Date``: times of writes are those that Redmine wrote into the
  ticket.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar

from bridge.clock import Clock
from bridge.config.settings import TrackerSettings
from bridge.errors import Clashed, Gone, OutcomeUnknown, Refused, Unintelligible
from bridge.markup import Dialect, Document, Mention
from bridge.sync.agreement import BUILT_IN_FIELDS, Privacy, Scope
from bridge.sync.ticket import FieldChange, Person, Ticket, Transition, Value
from bridge.trackers.http import Http, open_http
from bridge.trackers.protocol import (
    Abilities,
    Created,
    Draft,
    FieldSpec,
    PeerLink,
    ProjectMeta,
    Stamp,
    Tracker,
    Watch,
)
from bridge.trackers.redmine_catalog import Catalog
from bridge.trackers.redmine_clock import FarClock
from bridge.trackers.redmine_files import RedmineFiles
from bridge.trackers.redmine_history import to_changes
from bridge.trackers.redmine_lists import read_numbered, walk_all, walk_changes
from bridge.trackers.redmine_metadata import describe
from bridge.trackers.redmine_notes import Notes
from bridge.trackers.redmine_payload import UNPROCESSABLE, Payload, Payloads
from bridge.trackers.redmine_query import PAGE, by_number, in_project, parse_select
from bridge.trackers.redmine_rosters import RedmineRosters
from bridge.trackers.redmine_structure import RedmineStructure
from bridge.trackers.redmine_values import (
    ATTRIBUTES,
    CANONICAL,
    Json,
    Shape,
    instant,
    is_field,
    newest,
    stamp,
    to_ticket,
)
from bridge.trackers.sessions import PlainSession
from bridge.trackers.structure import Structure
from bridge.trackers.survey import Sampled
from bridge.trackers.transfers import Transfers, open_transfers, patient_session

WHOLE = "journals,relations,attachments"
"""What makes an issue's answer tell all that the bridge mirrors."""

_Item = TypeVar("_Item")

_FORBIDDEN = 403
"""Redmine's answer for a ticket out of our sight."""


def open_tracker(settings: TrackerSettings, clock: Clock) -> Tracker:
    """Make the adapter; nothing is sent yet."""

    def session() -> PlainSession:
        return PlainSession(
            settings.url,
            timeout=(settings.connect_timeout, settings.read_timeout),
            headers={"X-Redmine-API-Key": settings.token.get_secret_value()},
            ca_file=settings.ca_file,
        )

    http = open_http(settings, clock, session)
    headers = {"X-Redmine-API-Key": settings.token.get_secret_value()}
    transfers = open_transfers(settings, http, clock, lambda: patient_session(settings, headers))
    return Redmine(settings, http, transfers, clock)


class Redmine:
    """One Redmine. Shared by all threads.

    Args:
        settings: where it is.
        http: the way to it.
        transfers: moves bytes.
        clock: the time.
    """

    kind = "redmine"

    def __init__(self, settings: TrackerSettings, http: Http, transfers: Transfers, clock: Clock) -> None:
        self.name = settings.name
        dialect: Dialect = "textile" if settings.formatting == "textile" else "markdown"
        self.abilities = Abilities(
            dialect=dialect,
            fields=frozenset(ATTRIBUTES),
            search_has_comments=False,
            comment_edits_bump=False,
            read_back=True,
            coarse_stamps=True,
            attachments=True,
            relations=True,
        )
        self._url = settings.url.rstrip("/")
        self._marker = settings.marker_field
        self._http = http
        self._clock = FarClock(clock)
        self._catalog = Catalog(http, self._clock)
        self._payloads = Payloads(self.name, self._catalog, dialect)
        self._structure = RedmineStructure(http, self._issue)
        self._notes = Notes(http, self._catalog, self._clock, self._issue, dialect)
        self.rosters = RedmineRosters(http, self._catalog)
        self.files = RedmineFiles(
            self._url,
            http=http,
            transfers=transfers,
            clock=self._clock,
            me=lambda: self._catalog.account().person.id,
            read=self._issue,
        )

    @property
    def structure(self) -> Structure:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        return self._structure

    def whoami(self) -> Person:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        return self._catalog.ask_account().person

    def now(self) -> int:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        return self._clock.now()

    def close(self) -> None:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        self._http.close()

    # Reading

    def changes(self, watch: Watch, since: int, *, canary: str = "") -> Iterator[Sequence[Ticket]]:  # noqa: ARG002 - the key is checked by asking who we are
        """See :class:`bridge.trackers.protocol.Tracker`.

        Followed tickets are asked for by number: they may have left the selection, or the project.
        """
        filters = self._scope(watch.scope)
        walks = [walk_changes(self._http, filters, since)]
        walks += [walk_changes(self._http, chosen, since) for chosen in by_number(watch.follow)]
        shape = self._shape(watch.fields)
        merged = heapq.merge(*walks, key=lambda issue: str(issue["updated_on"]))
        yield from _pages(to_ticket(issue, shape) for issue in _once(merged))

    def census(self, watch: Watch) -> Iterator[Sequence[Stamp]]:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        seen: set[str] = set()

        def walk() -> Iterator[Stamp]:
            for issue in walk_all(self._http, self._scope(watch.scope)):
                seen.add(str(issue["id"]))
                yield _stamp(issue)
            rest = [ticket for ticket in watch.follow if ticket not in seen]
            yield from map(_stamp, read_numbered(self._http, rest))

        yield from _pages(walk())

    def fetch(self, ids: Sequence[str], fields: Sequence[FieldSpec]) -> Mapping[str, Ticket]:
        """See :class:`bridge.trackers.protocol.Tracker`.

        One request each: only so Redmine gives the journals.
        """
        shape = self._shape(fields)
        return {ticket: to_ticket(issue, shape) for ticket, issue in self._issues(ids)}

    def hidden(self, ticket: str) -> bool:
        """See :class:`bridge.trackers.protocol.TellsHidden`: 403 for a ticket out of our sight, 404 for none."""
        try:
            self._issue(ticket)
        except Refused as refusal:
            return refusal.status == _FORBIDDEN
        except Gone:
            return False
        return False

    def histories(self, ids: Sequence[str]) -> Mapping[str, Sequence[FieldChange]]:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        return {ticket: to_changes(issue, self._catalog) for ticket, issue in self._issues(ids)}

    def find_marked(self, scope: Scope, marker: str, since: int) -> Sequence[Stamp]:
        """See :class:`bridge.trackers.protocol.Tracker`. Redmine asks its database: there is no lag.

        Every hit is compared with the marker here, because Redmine ignores a filter that is not set up as
        one.
        """
        found: dict[str, Stamp] = {}
        me = self._catalog.account().person.id
        queries = [{"status_id": "*", "author_id": me, "created_on": f">={stamp(since)}"}]
        field = self._catalog.find_custom(self._marker, scope.project) if self._marker else None
        if field is not None and self._catalog.is_filter(f"cf_{field.id}", scope.project):
            queries.insert(
                0, {**in_project(scope.project, {"status_id": "*"}), f"cf_{field.id}": f"={marker}"}
            )
        for query in queries:
            for issue in walk_all(self._http, query):
                if self._mark(issue) == marker:
                    found[str(issue["id"])] = _stamp(issue)
        return tuple(found.values())

    def transitions(self, ticket: str) -> Sequence[Transition]:
        """See :class:`bridge.trackers.protocol.Tracker`.

        Redmine has no steps, only statuses that it allows next.
        """
        issue = self._issue(ticket, "allowed_statuses")
        present = issue["status"]["id"]
        return tuple(
            Transition(id=str(status["id"]), name=str(status["name"]), to=str(status["name"]))
            for status in issue.get("allowed_statuses", ())
            if status["id"] != present
        )

    def metadata(self, project: str, fields: Sequence[FieldSpec] = ()) -> ProjectMeta:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        return describe(self._catalog, project, self._marker, [spec.native for spec in fields])

    def sample(self, scope: Scope) -> Sequence[Sampled]:
        """See :class:`bridge.trackers.survey.ShowsTickets`."""
        query = {**self._scope(scope), "sort": "updated_on:desc,id:desc", "limit": PAGE}
        return [
            Sampled(
                id=str(issue["id"]),
                key=f"#{issue['id']}",
                kind=str(issue["tracker"]["name"]),
                status=str(issue["status"]["name"]),
                assignee=self._catalog.person(issue.get("assigned_to")),
                untouched=issue["created_on"] == issue["updated_on"],
            )
            for issue in self._http.call("GET", "/issues.json", query=query).objects("issues")
        ]

    def find_people(self, handle: str, project: str) -> Sequence[Person]:
        """See :class:`bridge.trackers.survey.KnowsPeople`: among the members, who alone can be given tickets."""
        numbers = sorted(self._catalog.called(handle, project))
        return [person for number in numbers if (person := self._catalog.person({"id": number}))]

    def clock_known(self) -> bool:
        """See :class:`bridge.trackers.survey.TellsClock`."""
        return self._clock.known

    # Writing

    def create(self, draft: Draft, fields: Sequence[FieldSpec]) -> Created:
        """See :class:`bridge.trackers.protocol.Tracker`.

        Other fields than the marker may be refused in silence; the ticket that is returned shows what became
        of them.
        """
        self._catalog.account()
        project = self._catalog.project(draft.project)
        if not self._marker:
            raise self._payloads.refuse(
                "marker_field", "set marker_field: the text custom field for the bridge's mark"
            )
        mark = self._payloads.custom(self._marker, draft.project)
        self._catalog.require_filters([f"cf_{mark.id}"], draft.project)
        meant = self._payloads.make(draft.fields, fields, draft.project)
        meant = replace(meant, custom={**meant.custom, mark: draft.marker})
        body = {"project_id": project.id, **meant.json()}
        if draft.parent:
            body["parent_issue_id"] = int(draft.parent)
        if meant.attributes.get("due_date"):
            body["start_date"] = ""  # it would be today, and a due date before it is refused
        began = self._clock.here()
        try:
            answer = self._http.call("POST", "/issues.json", body={"issue": body})
        except Refused as refusal:
            raise meant.blame(refusal) from refusal
        issue = answer.data.get("issue") if isinstance(answer.data, dict) else None
        if not isinstance(issue, dict) or "id" not in issue:
            raise OutcomeUnknown(self.name, "Redmine says that it created a ticket, but not which")
        self._clock.witness(instant(issue["created_on"]), began)
        self._catalog.learn(issue)
        self._verify(issue, project.id, meant, draft.marker)
        ticket = to_ticket({**issue, "journals": (), "attachments": ()}, self._shape(fields))
        return Created(ticket.id, ticket.key, ticket.url, ticket.created, ticket)

    def update(
        self,
        ticket: str,
        values: Mapping[str, Value],
        fields: Sequence[FieldSpec],
        *,
        was: frozenset[str] | None = None,  # noqa: ARG002 - Redmine has no labels
    ) -> int:
        """See :class:`bridge.trackers.protocol.Tracker`.

        What is already so is not written: that would move ``updated``.
        """
        if "status" in values:
            raise ValueError("the status is changed by a transition")
        issue = self._issue(ticket)
        project = self._catalog.project_key(issue["project"])
        meant = self._payloads.make(values, fields, project, issue.get("custom_fields", ()))
        return instant(self._write(ticket, issue, meant)["updated_on"])

    def transition(self, ticket: str, step: Transition, values: Mapping[str, str]) -> int:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        issue = self._issue(ticket)
        project = self._catalog.project_key(issue["project"])
        meant = self._payloads.make(dict(values), (), project, issue.get("custom_fields", ()))
        meant = replace(meant, attributes={**meant.attributes, "status_id": int(step.id)})
        return instant(self._write(ticket, issue, meant)["updated_on"])

    def add_comment(
        self,
        ticket: str,
        body: Document,
        marker: str,  # noqa: ARG002 - a note has no room for it
        *,
        private: Privacy | None = None,
        parent: str = "",  # noqa: ARG002 - notes answer nothing
    ) -> tuple[str, int]:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        return self._notes.add(ticket, body, private=private is not None)

    def find_comment(
        self,
        ticket: str,
        body: Document,
        marker: str,  # noqa: ARG002 - a note has no room for it
        since: int,
        *,
        private: bool = False,
    ) -> str | None:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        return self._notes.find(ticket, body, since, private=private)

    def is_private(self, ticket: str, comment: str) -> bool:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        return self._notes.is_private(ticket, comment)

    def find_mention(self, handle: str, project: str) -> Mention | None:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        return self._catalog.mention(handle, project)

    def edit_comment(self, ticket: str, comment: str, body: Document) -> int:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        self._catalog.account()
        return self._notes.edit(ticket, comment, body)

    def delete_comment(self, ticket: str, comment: str) -> int:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        self._catalog.account()
        return self._notes.delete(ticket, comment)

    def link_back(self, ticket: str, peer: PeerLink) -> str:
        """See :class:`bridge.trackers.protocol.Tracker`.

        A note is the only place for a link to another site.
        """
        return self._notes.link(ticket, peer)

    # Beneath

    def _scope(self, scope: Scope) -> dict[str, str]:
        """The parameters of a scope, once it is sure that Redmine heeds them and knows us."""
        self._catalog.account()
        filters = parse_select(self.name, scope.select)
        chosen = [key for key in filters if filters[key] != "*"]
        self._catalog.require_filters(chosen, scope.project)
        if scope.since:
            filters = {**filters, "created_on": f">={stamp(scope.since)}"}
        return in_project(scope.project, filters)

    def _shape(self, fields: Iterable[FieldSpec]) -> Shape:
        return Shape(
            tracker=self.name,
            url=self._url,
            dialect=self.abilities.dialect,
            custom={spec.canonical: spec.native for spec in fields if spec.canonical not in BUILT_IN_FIELDS},
            marker=self._marker,
            format=self._catalog.custom,
            person=self._catalog.person,
            project=self._catalog.project_key,
        )

    def _issue(self, ticket: str, include: str = WHOLE) -> dict[str, Any]:
        """An issue as Redmine sends it, with journals and relations unless asked otherwise.

        Raises:
            Gone: no such ticket.
        """
        self._catalog.account()
        if not ticket.isdecimal():
            raise Gone(self.name, f"{ticket!r} is not the number of a ticket")
        answer = self._http.call("GET", "/issues/{id}.json", parts={"id": ticket}, query={"include": include})
        issue = answer.object().get("issue")
        if not isinstance(issue, dict) or (include == WHOLE and "journals" not in issue):
            raise Unintelligible(self.name, "the answer lacks an issue with its journals")
        self._catalog.learn(issue)
        return issue

    def _issues(self, ids: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Those of the issues that we can see."""
        for ticket in dict.fromkeys(ids):
            try:
                yield ticket, self._issue(ticket)
            except Gone:
                continue
            except Refused as refusal:
                if refusal.status != _FORBIDDEN:
                    raise

    def _mark(self, issue: Json) -> str:
        for field in issue.get("custom_fields", ()):
            if self._marker and is_field(field, self._marker):
                return str(field.get("value") or "")
        return ""

    def _write(self, ticket: str, before: Json, meant: Payload) -> Json:
        """Put a payload and read it back; returns the issue as it then is.

        Raises:
            Refused: aloud, or in silence.
        """
        if not meant.unmet(before):
            return before
        try:
            self._http.call("PUT", "/issues/{id}.json", parts={"id": ticket}, body={"issue": meant.json()})
        except Refused as refusal:
            if refusal.status == UNPROCESSABLE and refusal.words.startswith(f"HTTP {UNPROCESSABLE}"):
                # No complaint at all is how Redmine says that somebody saved the ticket at the same moment.
                raise Clashed(self.name, f"ticket {ticket} was being changed by somebody else") from refusal
            raise meant.blame(refusal) from refusal
        after = self._issue(ticket)
        me, last = self._catalog.account().person.id, newest(before)
        refused = {
            CANONICAL.get(name, name): f"still {held!r}"
            for name, held in meant.unmet(after).items()
            if not meant.overtaken(name, after, me, last)
        }
        if refused:
            names = ", ".join(refused)
            words = f"Redmine answered well but did not change {names} of {ticket}: not allowed to our role"
            raise Refused(self.name, words, status=UNPROCESSABLE, fields=refused)
        return after

    def _verify(self, issue: Json, project: int, meant: Payload, marker: str) -> None:
        """See that a new issue is where we meant it, of the type we meant, and can be found again."""
        wrong = []
        if issue["project"]["id"] != project:
            wrong.append("the project")
        if "tracker_id" in meant.unmet(issue):
            wrong.append("the type")
        if self._mark(issue) != marker:
            wrong.append(f"the marker in {self._marker!r}")
        if wrong:
            kept = " and ".join(wrong)
            words = f"Redmine created ticket {issue['id']} but did not keep {kept}: please delete it"
            raise Refused(self.name, words, status=UNPROCESSABLE, fields=dict.fromkeys(wrong, "not kept"))


def _stamp(issue: Json) -> Stamp:
    return Stamp(str(issue["id"]), str(issue["id"]), instant(issue["updated_on"]))


def _once(issues: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Leave out an issue that two walks show in the same state."""
    seen: set[tuple[int, str]] = set()
    for issue in issues:
        if (mark := (issue["id"], issue["updated_on"])) not in seen:
            seen.add(mark)
            yield issue


def _pages(items: Iterable[_Item]) -> Iterator[Sequence[_Item]]:
    """Hundreds of items; no page is empty."""
    walk = iter(items)
    while page := tuple(islice(walk, PAGE)):
        yield page
