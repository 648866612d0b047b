"""What Jira Cloud and Jira Data Center have in common: writes, comments, steps, links.

The flavours differ in how they search, read many tickets and tell their history; each passes those in as its
:class:`bridge.trackers.jira_polls.Search` and overrides :meth:`JiraTracker.histories`.
"""

from __future__ import annotations

import abc
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import structlog

from bridge.clock import SECOND, Clock
from bridge.errors import Gone, OutcomeUnknown, Refused, Unintelligible
from bridge.markup import Document, Mention, plain
from bridge.sync.agreement import Privacy, Scope
from bridge.sync.ticket import FieldChange, Person, Ticket, Transition, Value
from bridge.trackers.answers import Answer
from bridge.trackers.http import Http
from bridge.trackers.jira_fields import CANONICAL_NAMES, Catalogue, Encoder, JiraField, canonical_refusal
from bridge.trackers.jira_files import JiraFiles
from bridge.trackers.jira_hooks import JiraHooks
from bridge.trackers.jira_metadata import Project
from bridge.trackers.jira_people import People
from bridge.trackers.jira_polls import Polls, Raw, Search
from bridge.trackers.jira_rosters import JiraRosters
from bridge.trackers.jira_structure import JiraStructure
from bridge.trackers.jira_tickets import (
    ALWAYS,
    COMMENT_MARK,
    INTERNAL_NOTE,
    LINK_FACTS,
    Reading,
    Unreadable,
    comment_mark,
    foreign_labels,
    is_service_desk,
)
from bridge.trackers.jira_values import Values, kind_of, lines, moment
from bridge.trackers.protocol import (
    Abilities,
    Created,
    Draft,
    FieldSpec,
    PeerLink,
    ProjectMeta,
    Stamp,
    Watch,
)
from bridge.trackers.structure import Structure
from bridge.trackers.survey import Sampled
from bridge.trackers.transfers import Transfers

log = structlog.get_logger(__name__)

COMMENT_SKEW = 300 * SECOND
"""How far the clocks of the tracker and of whoever wrote ``since`` may differ in a scan for our comment."""

REMEMBERED = 20_000
"""Tickets whose latest label set is kept in memory, and steps whose screen is."""

_COMMENT_PAGE = 100


@dataclass(frozen=True, slots=True)
class Flavour:
    """What distinguishes the two kinds of Jira where they otherwise do the same.

    Attributes:
        kind: the entry point's name.
        api: prefix of the API's paths.
        values: the codec: markup and the way people are named.
        abilities: what the rest of the house adapts to.
    """

    kind: str
    api: str
    values: Values
    abilities: Abilities

    @property
    def cloud(self) -> bool:
        """Whether it is Cloud."""
        return self.values.person_key == "accountId"


class JiraTracker(abc.ABC):
    """One Jira site. Implements :class:`bridge.trackers.protocol.Tracker` together with a flavour.

    Args:
        name: the tracker's name in the configuration.
        url: the address people open.
        http: the policy.
        transfers: moves bytes.
        clock: the time.
        flavour: Cloud or Data Center.
        search: how the flavour searches and reads.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        http: Http,
        transfers: Transfers,
        clock: Clock,
        flavour: Flavour,
        search: Search,
    ) -> None:
        self.name = name
        self.kind = flavour.kind
        self.abilities = flavour.abilities
        self._http = http
        self._clock = clock
        self._flavour = flavour
        self._api = flavour.api
        self._values = flavour.values
        self._search = search
        self._reading = Reading(name, url, flavour.values)
        self._people = People(http, flavour.api, flavour.values)
        self.files = JiraFiles(
            url,
            http=http,
            transfers=transfers,
            api=flavour.api,
            values=flavour.values,
            me=self._people.me,
        )
        self._catalogue = Catalogue(name, lambda: self._get("/field").array(), clock)
        self._encoder = Encoder(name, self._catalogue, flavour.values, self._people.find)
        self._polls = Polls(name, search, self._people.whoami, self._reading, clock)
        self._structure = JiraStructure(http, flavour.api, flavour.values, self._people)
        self.hooks = JiraHooks(http, cloud=flavour.cloud)
        self.rosters = JiraRosters(http, flavour.api, flavour.values, self._people, cloud=flavour.cloud)
        self._labels: _Recent[frozenset[str]] = _Recent(REMEMBERED)
        self._screens: _Recent[Mapping[str, JiraField]] = _Recent(REMEMBERED)
        self._desks: _Recent[bool] = _Recent(REMEMBERED)

    @property
    def structure(self) -> Structure:
        """See :attr:`bridge.trackers.protocol.Tracker.structure`."""
        return self._structure

    # -- reading --

    def whoami(self) -> Person:
        """See :meth:`bridge.trackers.protocol.Tracker.whoami`."""
        return self._people.whoami()

    def now(self) -> int:
        """See :meth:`bridge.trackers.protocol.Tracker.now`."""
        return self._http.now()

    def changes(self, watch: Watch, since: int, *, canary: str = "") -> Iterator[Sequence[Ticket]]:
        """See :meth:`bridge.trackers.protocol.Tracker.changes`.

        Comments that a search result leaves out, or of which it does not tell whether they are internal, are
        not fetched; the ticket then says that it has not all.
        """
        custom = self._catalogue.readable(watch.fields)
        for page in self._polls.changes(watch, since, canary, _asked(custom)):
            yield self._readable(page, lambda raw: self._ticket(raw, custom))

    def census(self, watch: Watch) -> Iterator[Sequence[Stamp]]:
        """See :meth:`bridge.trackers.protocol.Tracker.census`."""
        return self._polls.census(watch)

    def fetch(self, ids: Sequence[str], fields: Sequence[FieldSpec]) -> Mapping[str, Ticket]:
        """See :meth:`bridge.trackers.protocol.Tracker.fetch`."""
        custom = self._catalogue.readable(fields)
        found = self._search.read(list(dict.fromkeys(ids)), _asked(custom))
        tickets = self._readable(
            found, lambda raw: self._ticket(self._with_all_comments(raw), custom, told=True)
        )
        return {ticket.id: ticket for ticket in tickets}

    @abc.abstractmethod
    def histories(self, ids: Sequence[str]) -> Mapping[str, Sequence[FieldChange]]:
        """See :meth:`bridge.trackers.protocol.Tracker.histories`."""

    def find_marked(self, scope: Scope, marker: str, since: int) -> Sequence[Stamp]:
        """See :meth:`bridge.trackers.protocol.Tracker.find_marked`."""
        return self._polls.find_marked(scope, marker, since)

    def metadata(self, project: str, fields: Sequence[FieldSpec] = ()) -> ProjectMeta:
        """See :meth:`bridge.trackers.protocol.Tracker.metadata`."""
        reader = Project(self._http, self._api, project, cloud=self._flavour.cloud)
        types = tuple(self._structure.link_types())
        return replace(
            reader.read(self._catalogue.all(), fields, self._catalogue.unfit(fields)), link_types=types
        )

    def sample(self, scope: Scope) -> Sequence[Sampled]:
        """See :meth:`bridge.trackers.survey.ShowsTickets.sample`."""
        return self._polls.sample(scope)

    def find_people(self, handle: str, project: str) -> Sequence[Person]:  # noqa: ARG002 - accounts are the site's
        """See :meth:`bridge.trackers.survey.KnowsPeople.find_people`."""
        return self._people.everybody(handle)

    def zone(self) -> str | None:
        """See :meth:`bridge.trackers.survey.TellsZone.zone`."""
        zone = self._get("/myself").object().get("timeZone")
        return str(zone) if zone else None

    # -- tickets --

    def create(self, draft: Draft, fields: Sequence[FieldSpec]) -> Created:
        """See :meth:`bridge.trackers.protocol.Tracker.create`.

        The mark is a label, which can be searched for, and an issue property, which stays when labels are
        edited; both are part of the one request. It says nothing about the peer.
        """
        encoded, names = self._encoder.encode(draft.fields, fields)
        labels = encoded.get("labels") or []
        encoded |= {"project": {"key": draft.project}, "labels": [*labels, draft.marker]}
        if draft.parent:
            encoded["parent"] = {"id": draft.parent}
        facts = {"marker": draft.marker}
        body = {"fields": encoded, "properties": [{"key": LINK_FACTS, "value": facts}]}
        try:
            answer = self._http.call("POST", f"{self._api}/issue", body=body)
        except Refused as refusal:
            raise canonical_refusal(refusal, names) from refusal
        number, key = self._made(answer, "id"), self._made(answer, "key")
        self._labels.put(number, frozenset(labels))
        return Created(number, key, f"{self._reading.url}/browse/{key}", answer.at)

    def update(
        self,
        ticket: str,
        values: Mapping[str, Value],
        fields: Sequence[FieldSpec],
        *,
        was: frozenset[str] | None = None,
    ) -> int:
        """See :meth:`bridge.trackers.protocol.Tracker.update`.

        Labels are added and removed one by one, so that one which somebody else adds at the same moment
        stays.

        Args:
            ticket: its id.
            values: canonical name -> new value; labels without our own.
            fields: native names of the custom fields among them.
            was: the labels that the new set was computed from. Without it, the latest seen of this ticket.
        """
        rest = dict(values)
        body: dict[str, Any] = {}
        if "labels" in rest and all(spec.native == "labels" for spec in fields if spec.canonical == "labels"):
            wanted = rest.pop("labels")
            labels = foreign_labels(wanted) if isinstance(wanted, frozenset) else frozenset()
            changes = self._label_changes(ticket, labels, was)
            if changes:
                body["update"] = {"labels": changes}
        encoded, names = self._encoder.encode(rest, fields)
        if encoded:
            body["fields"] = encoded
        if not body:
            return self._http.now()
        try:
            answer = self._call("PUT", "/issue/{id}", {"id": ticket}, body=body)
        except Refused as refusal:
            raise canonical_refusal(refusal, names) from refusal
        if "update" in body:
            self._labels.put(ticket, labels)
        return answer.at

    def transitions(self, ticket: str) -> Sequence[Transition]:
        """See :meth:`bridge.trackers.protocol.Tracker.transitions`.

        Empty also when the account lacks the right to move tickets: Jira says nothing else.
        """
        query = {"expand": "transitions.fields"}
        answer = self._call("GET", "/issue/{id}/transitions", {"id": ticket}, query=query)
        steps = []
        for raw in answer.objects("transitions"):
            screen = raw.get("fields") or {}
            required = [
                CANONICAL_NAMES.get(field, str(meta.get("name", field)))
                for field, meta in screen.items()
                if meta.get("required") and not meta.get("hasDefaultValue")
            ]
            target = raw.get("to") or {}
            step = Transition(str(raw["id"]), str(raw.get("name")), str(target.get("name")), tuple(required))
            self._screens.put(f"{ticket}/{step.id}", _screen(screen))
            steps.append(step)
        return steps

    def transition(self, ticket: str, step: Transition, values: Mapping[str, str]) -> int:
        """See :meth:`bridge.trackers.protocol.Tracker.transition`.

        Values for fields that this step's screen does not show are left out: Jira would refuse the step.
        """
        body: dict[str, Any] = {"transition": {"id": step.id}}
        names: dict[str, str] = {}
        screen = self._screens.get(f"{ticket}/{step.id}")
        for name, value in values.items():
            if name.casefold() == "comment":
                said = self._values.write_text(lines(value))
                body["update"] = {"comment": [{"add": {"body": said}}]}
                continue
            field = self._encoder.screen_field(name) if screen is None else screen.get(name.casefold())
            if field is not None:
                names[field.id] = name
                body.setdefault("fields", {})[field.id] = self._encoder.one(field, name, value)
        try:
            return self._call("POST", "/issue/{id}/transitions", {"id": ticket}, body=body).at
        except Refused as refusal:
            raise canonical_refusal(refusal, names) from refusal

    def link_back(self, ticket: str, peer: PeerLink) -> str:
        """See :meth:`bridge.trackers.protocol.Tracker.link_back`.

        A remote link with our mark as its global id: the one thing that Jira recognises when it is sent
            twice.
        """
        body = {
            "globalId": peer.marker,
            "application": {"type": "bridge", "name": "bridge"},
            "relationship": "mirrored as",
            "object": {"url": peer.url, "title": peer.title},
        }
        self._call("POST", "/issue/{id}/remotelink", {"id": ticket}, body=body, repeatable=True)
        return ""

    def take_link_back(self, ticket: str, marker: str) -> None:
        """See :meth:`bridge.trackers.protocol.TakesLinkBack.take_link_back`."""
        with suppress(Gone):
            self._call("DELETE", "/issue/{id}/remotelink", {"id": ticket}, query={"globalId": marker})

    # -- comments --

    def add_comment(
        self, ticket: str, body: Document, marker: str, *, private: Privacy | None = None, parent: str = ""
    ) -> tuple[str, int]:
        """See :meth:`bridge.trackers.protocol.Tracker.add_comment`.

        The mark is a property within the request, and so is what makes an internal note of a service desk: set
        afterwards, it would come too late.
        """
        properties = [{"key": COMMENT_MARK, "value": {"marker": marker}}]
        content: dict[str, Any] = {"body": self._values.write_text(body), "properties": properties}
        if private is not None:
            properties.append({"key": INTERNAL_NOTE, "value": {"internal": True}})
            if not parent:
                # A child has the visibility of its parent, and Jira takes no other.
                content |= self._visibility(ticket, private)
        if parent and self._flavour.cloud:
            content["parentId"] = int(parent)
        answer = self._call("POST", "/issue/{id}/comment", {"id": ticket}, body=content)
        return self._made(answer, "id"), answer.at

    def is_private(self, ticket: str, comment: str) -> bool:
        """See :meth:`bridge.trackers.protocol.Tracker.is_private`.

        A property says nothing where the project is no service desk: there, only a role or a group hides a comment.
        """
        query = None if self._flavour.cloud else {"expand": "properties"}
        parts = {"id": ticket, "comment": comment}
        raw = self._call("GET", "/issue/{id}/comment/{comment}", parts, query=query).object()
        return self._reading.surely_private(raw, desk=self._is_desk(ticket))

    def find_mention(self, handle: str, project: str) -> Mention | None:  # noqa: ARG002 - accounts are the site's
        """See :meth:`bridge.trackers.protocol.Tracker.find_mention`."""
        person = self._people.look_up(handle)
        return None if person is None else Mention(person.id, person.name)

    def find_comment(
        self,
        ticket: str,
        body: Document,
        marker: str,
        since: int,
        *,
        private: bool = False,  # noqa: ARG002 - the mark tells
    ) -> str | None:
        """See :meth:`bridge.trackers.protocol.Tracker.find_comment`."""
        mine = self._people.me().id
        wanted = plain(self._values.text(self._values.write_text(body)))
        same_text: str | None = None
        pages = self._comment_pages(ticket, {"orderBy": "-created", "expand": "properties"})
        for raw in (one for page in pages for one in page.objects("comments")):
            if moment(raw["created"]) < since - COMMENT_SKEW:
                break
            mark = comment_mark(raw)
            if mark == marker:
                return str(raw["id"])
            author = self._values.person(raw.get("author"))
            if not mark and author is not None and author.id == mine:
                same = plain(self._values.text(raw.get("body"))) == wanted
                same_text = str(raw["id"]) if same else same_text
        return same_text

    def edit_comment(self, ticket: str, comment: str, body: Document) -> int:
        """See :meth:`bridge.trackers.protocol.Tracker.edit_comment`.

        Properties are not sent: that leaves them as they are, our mark and a service desk's privacy among
            them.
        """
        content = {"body": self._values.write_text(body)}
        parts = {"id": ticket, "comment": comment}
        return self._call("PUT", "/issue/{id}/comment/{comment}", parts, body=content).at

    def delete_comment(self, ticket: str, comment: str) -> int:
        """See :meth:`bridge.trackers.protocol.Tracker.delete_comment`."""
        try:
            return self._call(
                "DELETE", "/issue/{id}/comment/{comment}", {"id": ticket, "comment": comment}
            ).at
        except Gone:
            return self._http.now()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    # -- inside --

    def _get(self, path: str) -> Answer:
        return self._http.call("GET", self._api + path)

    def _call(self, method: str, path: str, parts: Mapping[str, str], **options: Any) -> Answer:
        return self._http.call(method, self._api + path, parts=parts, **options)

    def _made(self, answer: Answer, name: str) -> str:
        """What a new thing is called. An answer that does not say so leaves open what happened."""
        if not isinstance(answer.data, dict) or not answer.data.get(name):
            raise OutcomeUnknown(self.name, f"HTTP {answer.status}, but the answer names no {name}")
        return str(answer.data[name])

    def _visibility(self, ticket: str, private: Privacy) -> dict[str, Any]:
        """Who may read a private comment.

        Raises:
            Refused: nothing would make it private here.
        """
        if private.role:
            return {"visibility": {"type": "role", "value": private.role}}
        if private.group:
            return {"visibility": {"type": "group", "value": private.group}}
        if self._is_desk(ticket):
            return {}
        words = "the project is no service desk: a private comment needs the agreement's private-role or private-group"
        raise Refused(self.name, words, status=0)

    def _is_desk(self, ticket: str) -> bool:
        """Whether a ticket is in a service desk, as its project says."""
        known = self._desks.get(ticket)
        if known is None:
            raw = self._call("GET", "/issue/{id}", {"id": ticket}, query={"fields": "project"}).object()
            known = is_service_desk(raw.get("fields") or {})
            self._desks.put(ticket, known)
        return known

    def _readable(self, found: Iterable[Raw], read: Callable[[Raw], Ticket]) -> list[Ticket]:
        """The tickets that can be read: one that cannot must not stop the others.

        Raises:
            Unintelligible: none can, so that the trouble is not with one ticket.
        """
        tickets: list[Ticket] = []
        odd: list[Unreadable] = []
        for raw in found:
            try:
                tickets.append(read(raw))
            except Gone:
                continue
            except Unreadable as error:
                odd.append(error)
        if odd and not tickets:
            raise Unintelligible(self.name, str(odd[0]))
        for one in odd:
            log.warning("ticket_unreadable", tracker=self.name, ticket=one.ticket, error=one.kind)
        return tickets

    def _ticket(self, raw: Raw, custom: Mapping[str, JiraField], *, told: bool = False) -> Ticket:
        ticket = self._reading.ticket(raw, custom, told=told)
        labels = ticket.fields.get("labels")
        if isinstance(labels, frozenset):
            self._labels.put(ticket.id, labels)
        self._desks.put(ticket.id, is_service_desk(raw["fields"]))
        return ticket

    def _label_changes(
        self, ticket: str, wanted: frozenset[str], was: frozenset[str] | None
    ) -> list[dict[str, str]]:
        seen = self._labels.get(ticket) if was is None else was
        if seen is None:
            answer = self._call("GET", "/issue/{id}", {"id": ticket}, query={"fields": "labels"})
            seen = foreign_labels((answer.object().get("fields") or {}).get("labels") or ())
        added = [{"add": label} for label in sorted(wanted - seen)]
        return added + [{"remove": label} for label in sorted(seen - wanted)]

    def _with_all_comments(self, raw: Raw) -> Raw:
        """The issue with the comments that its own answer left out, or showed without what makes them internal."""
        with self._reading.guard(raw):
            if not self._reading.lacks_comments(raw):
                return raw
            query = {"orderBy": "created"}
            if self._reading.hides_notes(raw):
                query["expand"] = "properties"
            comments: dict[str, Any] = {}
            total = 0
            for page in self._comment_pages(str(raw["id"]), query):
                comments.update({str(one["id"]): one for one in page.objects("comments")})
                total = int(page.object().get("total", 0))
            # If comments were deleted while we paged, some may have slipped through: the total tells.
            whole = {"comments": list(comments.values()), "total": total}
            return {**raw, "fields": {**raw["fields"], "comment": whole}}

    def _comment_pages(self, ticket: str, query: Mapping[str, str]) -> Iterator[Answer]:
        start = 0
        while True:
            paged = {**query, "startAt": start, "maxResults": _COMMENT_PAGE}
            answer = self._call("GET", "/issue/{id}/comment", {"id": ticket}, query=paged)
            yield answer
            got = len(answer.objects("comments"))
            start += got
            if not got or start >= int(answer.object().get("total", 0)):
                return


T = TypeVar("T")


class _Recent(Generic[T]):
    """The latest value per name, for so many names. Shared by all threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._values: OrderedDict[str, T] = OrderedDict()

    def get(self, name: str) -> T | None:
        with self._lock:
            return self._values.get(name)

    def put(self, name: str, value: T) -> None:
        with self._lock:
            self._values[name] = value
            self._values.move_to_end(name)
            if len(self._values) > self._size:
                self._values.popitem(last=False)


def _asked(custom: Mapping[str, JiraField]) -> list[str]:
    """The fields to ask for by name: an answer of all fields is many times as large."""
    return [*ALWAYS, *(field.id for field in custom.values())]


def _screen(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, JiraField]:
    """The fields of a step's screen, under every name that an agreement may use for them."""
    screen: dict[str, JiraField] = {}
    for number, meta in fields.items():
        field = JiraField(number, str(meta.get("name", number)), kind_of(number, meta.get("schema") or {}))
        for name in (number, field.name, CANONICAL_NAMES.get(number, number)):
            screen[name.casefold()] = field
    return screen
