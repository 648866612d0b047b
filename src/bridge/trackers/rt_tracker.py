"""Request Tracker 5 and later, over REST 2, with plain requests under the house's HTTP policy.

What makes RT different from its neighbours, and what follows from it here:

* A PUT is always answered "200", with sentences: every write is read back, and a write that rests on an old reading is
  refused (``rt_desk``).
* The description, replies and comments are transactions, which nobody can change. A reply is public, a comment is for
  staff (``rt_messages``). Files are parts of these, and as public (``rt_files``).
* Its lists never hold texts: a ticket from a list has ``comments_complete`` False, and tickets are read one by one.
* A number that was merged into another ticket leads there in silence: nothing is written under it, and whoever reads
  it is told the other one's number.
* The bridge's mark lives in a text custom field (``marker_field``), set in the create request itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from bridge.clock import Clock
from bridge.config.settings import TrackerSettings
from bridge.errors import Gone, OutcomeUnknown, Refused, TrackerError
from bridge.markup import Document, Mention
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
from bridge.trackers.rt_catalog import Catalog
from bridge.trackers.rt_desk import UNPROCESSABLE, Desk, Merged, said
from bridge.trackers.rt_files import RtFiles
from bridge.trackers.rt_history import read_changes
from bridge.trackers.rt_lists import (
    FIELDS,
    PERSON,
    read_messages,
    read_numbered,
    walk_all,
)
from bridge.trackers.rt_messages import Messages
from bridge.trackers.rt_metadata import LACKS, describe
from bridge.trackers.rt_payload import WATCHERS, Payload, Payloads
from bridge.trackers.rt_queries import PAGE, bound, by_number, check_select, holds, in_queue, quote
from bridge.trackers.rt_rosters import RtRosters
from bridge.trackers.rt_values import (
    DIALECT,
    Json,
    Shape,
    instant,
    mark_of,
    native,
    person,
    same_text,
    second,
    to_ticket,
)
from bridge.trackers.sessions import PlainSession
from bridge.trackers.structure import NoStructure, Structure
from bridge.trackers.survey import Sampled
from bridge.trackers.transfers import Transfers, open_transfers, patient_session

_FORBIDDEN = 403
_Item = TypeVar("_Item")


def open_tracker(settings: TrackerSettings, clock: Clock) -> Tracker:
    """Make the adapter; nothing is sent yet."""
    login = {"Authorization": f"token {settings.token.get_secret_value()}"}

    def session() -> PlainSession:
        return PlainSession(
            settings.url,
            timeout=(settings.connect_timeout, settings.read_timeout),
            headers=login,
            ca_file=settings.ca_file,
        )

    def file_session() -> PlainSession:
        return patient_session(settings, headers=login)

    http = open_http(settings, clock, session, f"{settings.url}/REST/2.0")
    return RequestTracker(settings, http, open_transfers(settings, http, clock, file_session), clock)


class RequestTracker:
    """One Request Tracker. Shared by all threads.

    Args:
        settings: where it is.
        http: the way to its REST 2 interface.
        transfers: the way for bytes.
        clock: the time.
    """

    kind = "request-tracker"
    abilities = Abilities(
        dialect=DIALECT,
        fields=frozenset(BUILT_IN_FIELDS) - LACKS,
        search_has_comments=False,
        comment_edits_bump=True,  # there are no edits that could be overlooked
        read_back=True,
        coarse_stamps=True,
        summary_limit=200,
        text_limit=10_000_000,
        attachments=True,
    )

    def __init__(self, settings: TrackerSettings, http: Http, transfers: Transfers, clock: Clock) -> None:
        self.name = settings.name
        self._url = settings.url.rstrip("/")
        self._marker = settings.marker_field
        self._http = http
        self._catalog = Catalog(http, clock, settings.token.get_secret_value())
        self._payloads = Payloads(self._catalog)
        self._messages = Messages(http, self._catalog)
        self._desk = Desk(http, self._catalog)
        self.rosters = RtRosters(http, self._catalog)
        self.files = RtFiles(
            self._url,
            http=http,
            transfers=transfers,
            catalog=self._catalog,
            desk=self._desk,
            messages=self._messages,
        )

    @property
    def structure(self) -> Structure:
        """See :class:`bridge.trackers.protocol.Tracker`: what RT links is not mirrored."""
        return NoStructure()

    def whoami(self) -> Person:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        return self._catalog.ask_account().person

    def now(self) -> int:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        return self._http.now()

    def close(self) -> None:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        self._http.close()

    # Reading

    def changes(self, watch: Watch, since: int, *, canary: str = "") -> Iterator[Sequence[Ticket]]:  # noqa: ARG002 - RT refuses a dead token, it never treats us as nobody
        """See :class:`bridge.trackers.protocol.Tracker`.

        Followed tickets are asked for by number where a selection, or a move, might leave them out. First who changed
        and when, then, in that order, how they are now.
        """
        shape = self._shape(watch.fields)
        zone = self._catalog.account().zone
        stamps: dict[str, int] = {}
        for query in (self._scope(watch.scope), *by_number(watch.follow)):
            changed = f"{query} AND LastUpdated >= {bound(since, zone)}"
            stamps |= {
                str(item["id"]): instant(item["LastUpdated"]) for item in walk_all(self._http, changed)
            }
        recent = [ticket for ticket, at in stamps.items() if at >= second(since)]
        recent.sort(key=lambda ticket: (stamps[ticket], int(ticket)))
        for page in read_numbered(self._http, recent, FIELDS):
            if page:
                yield tuple(to_ticket(item, shape) for item in page)

    def census(self, watch: Watch) -> Iterator[Sequence[Stamp]]:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        seen: set[str] = set()

        def walk() -> Iterator[Stamp]:
            for item in walk_all(self._http, self._scope(watch.scope)):
                seen.add(str(item["id"]))
                yield _stamp(item)
            rest = [ticket for ticket in watch.follow if ticket not in seen]
            for page in read_numbered(self._http, rest):
                yield from map(_stamp, page)

        yield from _pages(walk())

    def fetch(self, ids: Sequence[str], fields: Sequence[FieldSpec]) -> Mapping[str, Ticket]:
        """See :class:`bridge.trackers.protocol.Tracker`.

        One request each for the tickets, about three for the texts of up to a hundred of them, and one more for
        their files, if there may be any. For a number that was merged into another ticket the answer is that ticket.
        """
        shape = self._shape(fields)
        found: dict[str, Ticket] = {}
        for start in range(0, len(ids), PAGE):
            items = dict(self._items(ids[start : start + PAGE], survivors=True))
            messages = read_messages(
                self._http, list({str(item["id"]) for item in items.values()}), files=True
            )
            found |= {
                ticket: to_ticket(item, shape, messages[str(item["id"])]) for ticket, item in items.items()
            }
        return found

    def hidden(self, ticket: str) -> bool:
        """See :class:`bridge.trackers.protocol.TellsHidden`: 403 for a ticket out of our sight, 404 for none."""
        try:
            self._desk.read(ticket)
        except Refused as refusal:
            return refusal.status == _FORBIDDEN
        except Gone:
            return False
        return False

    def histories(self, ids: Sequence[str]) -> Mapping[str, Sequence[FieldChange]]:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        # A history is asked for between a decision and its write, which must rest on what was decided about.
        there = dict(self._items(ids, read=self._desk.glance))
        return read_changes(self._http, self._catalog, list(there)) if there else {}

    def find_marked(self, scope: Scope, marker: str, since: int) -> Sequence[Stamp]:
        """See :class:`bridge.trackers.protocol.Tracker`. RT asks its database: there is no lag.

        Every hit is compared with the marker here, because RT's comparison heeds no capitals.
        """
        found: dict[str, Stamp] = {}
        queue, account = self._catalog.queue(scope.project), self._catalog.account()
        created = f"Created >= {bound(since, account.zone)}"
        queries = [f"Creator = {quote(account.person.id)} AND {created}"]
        if self._marker in queue.fields:
            queries.insert(0, f"{in_queue(queue.id)} AND {holds(queue.fields[self._marker], marker)}")
        for query in queries:
            for item in walk_all(self._http, query, FIELDS):
                if mark_of(item, self._marker) == marker:
                    found[str(item["id"])] = _stamp(item)
        return tuple(found.values())

    def transitions(self, ticket: str) -> Sequence[Transition]:
        """See :class:`bridge.trackers.protocol.Tracker`.

        RT shows the steps that its lifecycle names an action for; others may be allowed, but nobody is told.
        """
        item = self._desk.read(ticket)
        steps = [link for link in item.get("_hyperlinks") or () if link.get("ref") == "lifecycle"]
        return tuple(
            Transition(id=str(step["to"]), name=str(step.get("label") or step["to"]), to=str(step["to"]))
            for step in steps
            if step["to"] != "deleted"
        )

    def metadata(self, project: str, fields: Sequence[FieldSpec] = ()) -> ProjectMeta:  # noqa: ARG002 - a queue names all its fields
        """See :class:`bridge.trackers.protocol.Tracker`."""
        return describe(self._http, self._catalog, project, self._marker)

    def sample(self, scope: Scope) -> Sequence[Sampled]:
        """See :class:`bridge.trackers.survey.ShowsTickets`."""
        query = {"query": self._scope(scope), "orderby": "LastUpdated", "order": "DESC", "per_page": PAGE}
        asked = {"fields": "Status,Owner,Created,LastUpdated", "fields[Owner]": PERSON}
        return [
            Sampled(
                id=str(item["id"]),
                key=f"#{item['id']}",
                kind="",
                status=str(item["Status"]),
                assignee=person(item.get("Owner")),
                untouched=item["Created"] == item["LastUpdated"],
            )
            for item in self._http.call("GET", "/tickets", query={**query, **asked}).objects("items")
        ]

    def find_people(self, handle: str, project: str) -> Sequence[Person]:  # noqa: ARG002 - users are the whole RT's
        """See :class:`bridge.trackers.survey.KnowsPeople`."""
        return self._catalog.called(handle.strip())

    def zone(self) -> str:
        """See :class:`bridge.trackers.survey.TellsZone`."""
        return str(self._catalog.account().zone or "")

    # Writing

    def create(self, draft: Draft, fields: Sequence[FieldSpec]) -> Created:
        """See :class:`bridge.trackers.protocol.Tracker`.

        What can be foretold is refused before; what RT then leaves out in silence (an owner without the right to own),
        the ticket that is returned shows.
        """
        queue = self._catalog.queue(draft.project)
        if not self._marker:
            raise self._catalog.refuse(
                "marker_field", "set marker_field: the text custom field for the bridge's mark"
            )
        body: dict[str, Any] = {"Queue": str(queue.id)}
        values = dict(draft.fields)
        text = values.pop("description", None)
        if isinstance(text, Document) and text.blocks:
            body |= {"Content": native(text), "ContentType": "text/html"}
        for name in [name for name in values if name.casefold() in WATCHERS]:
            body[WATCHERS[name.casefold()]] = str(values.pop(name))
        meant = self._payloads.make(values, fields, queue.fields)
        mark = self._payloads.field(self._marker, queue.fields)
        meant = Payload(meant.attributes, {**meant.custom, mark: draft.marker})
        answer = self._http.call("POST", "/ticket", body={**body, **meant.json()})
        number = str(answer.data.get("id") or "") if isinstance(answer.data, dict) else ""
        if not number:
            raise OutcomeUnknown(self.name, "Request Tracker says that it created a ticket, but not which")
        try:
            ticket = self.fetch([number], fields).get(number)
        except TrackerError as trouble:
            raise OutcomeUnknown(
                self.name, f"the ticket was created, but not read back: {trouble}"
            ) from trouble
        if ticket is None or ticket.marker != draft.marker:
            words = (
                f"Request Tracker created ticket {number} but did not keep the mark in {self._marker!r}: the account "
                "may lack ModifyCustomField; please delete it"
            )
            raise Refused(self.name, words, status=UNPROCESSABLE, fields={"marker_field": "not kept"})
        return Created(ticket.id, ticket.key, ticket.url, ticket.created, ticket)

    def update(
        self,
        ticket: str,
        values: Mapping[str, Value],
        fields: Sequence[FieldSpec],
        *,
        was: frozenset[str] | None = None,  # noqa: ARG002 - RT has no labels
    ) -> int:
        """See :class:`bridge.trackers.protocol.Tracker`.

        What is already so is not written.

        Raises:
            Clashed: somebody else has changed one of the fields since the ticket was read.
        """
        if "status" in values:
            raise ValueError("the status is changed by a transition")
        values = dict(values)
        text = values.pop("description", None)
        if text is not None:
            assert isinstance(text, Document)
            self._insist_on_text(ticket, text)
        item = self._desk.known(ticket)
        meant = self._payloads.same_day(self._payloads.make(values, fields, _fields_on(item)), item)
        return instant(self._desk.write(ticket, meant, fields)["LastUpdated"])

    def transition(self, ticket: str, step: Transition, values: Mapping[str, str]) -> int:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        meant = self._payloads.make(dict(values), (), _fields_on(self._desk.known(ticket)))
        meant = Payload({**meant.attributes, "Status": step.id}, meant.custom)
        return instant(self._desk.write(ticket, meant)["LastUpdated"])

    def add_comment(
        self,
        ticket: str,
        body: Document,
        marker: str,  # noqa: ARG002 - a reply has no room for it
        *,
        private: Privacy | None = None,
        parent: str = "",  # noqa: ARG002 - nor does it say what it answers
    ) -> tuple[str, int]:
        """See :class:`bridge.trackers.protocol.Tracker`. A reply goes to the requestors by mail, a comment does not."""
        self._desk.read(ticket)  # a reply to a ticket that was merged would silently go to the other one
        try:
            return self._messages.add(ticket, body, private=private is not None)
        finally:
            self._desk.forget(ticket)

    def find_comment(
        self,
        ticket: str,
        body: Document,
        marker: str,  # noqa: ARG002 - a reply has no room for it
        since: int,
        *,
        private: bool = False,
    ) -> str | None:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        self._desk.read(ticket)
        return self._messages.find(ticket, body, since, private=private)

    def is_private(self, ticket: str, comment: str) -> bool:
        """See :class:`bridge.trackers.protocol.Tracker`."""
        return self._messages.is_private(ticket, comment)

    def find_mention(self, handle: str, project: str) -> Mention | None:  # noqa: ARG002 - whoever it is
        """See :class:`bridge.trackers.protocol.Tracker`. Texts of RT mention nobody."""
        return None

    def edit_comment(self, ticket: str, comment: str, body: Document) -> int:  # noqa: ARG002 - refused in any case
        """See :class:`bridge.trackers.protocol.Tracker`. Always refused: RT keeps what was said."""
        raise Refused(
            self.name, f"Request Tracker lets nobody change a reply ({comment})", status=UNPROCESSABLE
        )

    def delete_comment(self, ticket: str, comment: str) -> int:  # noqa: ARG002 - likewise
        """See :class:`bridge.trackers.protocol.Tracker`. Always refused: RT keeps what was said."""
        raise Refused(
            self.name, f"Request Tracker lets nobody take back a reply ({comment})", status=UNPROCESSABLE
        )

    def link_back(self, ticket: str, peer: PeerLink) -> str:
        """See :class:`bridge.trackers.protocol.Tracker`.

        The ticket refers to the peer's address; RT knows a second link to the same address for the first.
        """
        if not _refers(self._desk.read(ticket), peer.url):
            answer = self._http.call(
                "PUT", "/ticket/{id}", parts={"id": ticket}, body={"AddRefersTo": peer.url}
            )
            if not _refers(self._desk.read(ticket), peer.url):
                raise Refused(self.name, said(answer) or "the link was not kept", status=UNPROCESSABLE)
        return ""

    # Beneath

    def _scope(self, scope: Scope) -> str:
        """The query of a scope."""
        query = in_queue(self._catalog.queue(scope.project).id, check_select(self.name, scope.select))
        if not scope.since:
            return query
        return f"{query} AND Created >= {bound(scope.since, self._catalog.account().zone)}"

    def _shape(self, fields: Iterable[FieldSpec]) -> Shape:
        return Shape(
            tracker=self.name,
            url=self._url,
            custom={spec.canonical: spec.native for spec in fields if spec.canonical not in BUILT_IN_FIELDS},
            marker=self._marker,
            zone=self._catalog.account().days,
            field=self._catalog.field,
        )

    def _items(
        self,
        ids: Iterable[str],
        *,
        survivors: bool = False,
        read: Callable[[str], dict[str, Any]] | None = None,
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Those of the tickets that we can see; if so asked, in place of a merged one the ticket that is left."""
        for ticket in dict.fromkeys(ids):
            try:
                yield ticket, (read or self._desk.read)(ticket)
            except Merged as merged:
                if survivors:
                    yield from ((ticket, item) for _, item in self._items([merged.survivor]))
            except Gone:
                continue
            except Refused as refusal:
                if refusal.status != _FORBIDDEN:
                    raise

    def _insist_on_text(self, ticket: str, text: Document) -> None:
        """The description is what the ticket was created with.

        Raises:
            Refused: it is another text.
        """
        messages = read_messages(self._http, [ticket])[ticket]
        present = next((one.body for one in messages if one.kind == "Create"), Document())
        if not same_text(text, present):
            words = "Request Tracker lets nobody change the text that a ticket was created with"
            raise self._catalog.refuse("description", words)


def _fields_on(item: Json) -> dict[str, int]:
    """The custom fields that a ticket carries, name -> number."""
    return {str(one["name"]): int(one["id"]) for one in item.get("CustomFields") or ()}


def _refers(item: Json, url: str) -> bool:
    links = item.get("_hyperlinks") or ()
    return any(link.get("ref") == "refers-to" and link.get("_url") == url for link in links)


def _stamp(item: Json) -> Stamp:
    return Stamp(str(item["id"]), str(item["id"]), instant(item["LastUpdated"]))


def _pages(items: Iterable[_Item]) -> Iterator[Sequence[_Item]]:
    """Hundreds of items; no page is empty."""
    walk = iter(items)
    while page := tuple(islice(walk, PAGE)):
        yield page
