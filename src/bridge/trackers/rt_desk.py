"""Reading one ticket and writing its fields, so that nobody's change is written over unseen.

A write names the state it rests on: the ETag of the latest reading, which is what the decision was made on. RT answers
412 when anything has happened to the ticket since, be it a mail. Then the ticket is read again; where the very fields
have changed, the write clashes and is decided anew, else it is made on the newer state.

RT answers 200 to a write whatever becomes of it, so every write is read back. A field that does not hold what was meant
is written once more on its own: the sentence in the answer is then about this field and no other.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from bridge.errors import Clashed, Gone, Refused, Unintelligible
from bridge.trackers.answers import Answer, shorten
from bridge.trackers.http import Http
from bridge.trackers.protocol import FieldSpec
from bridge.trackers.rt_catalog import Catalog
from bridge.trackers.rt_lists import EXPAND, walk_transactions
from bridge.trackers.rt_payload import Payload, canonical_name

UNPROCESSABLE = 422
_TRIES = 4
_REMEMBERED = 512
"""Tickets whose latest reading is kept at hand; a ticket is written soon after it was read, or read again."""


class Merged(Gone):
    """The ticket was merged into another one, which RT would show and write in its place without a word.

    Attributes:
        survivor: the other one's number.
    """

    def __init__(self, tracker: str, ticket: str, survivor: str) -> None:
        self.survivor = survivor
        super().__init__(tracker, f"ticket {ticket} was merged into {survivor}")


class Desk:
    """Reads and writes tickets. Shared by all threads.

    Args:
        http: the way to RT.
        catalog: tells who we are.
    """

    def __init__(self, http: Http, catalog: Catalog) -> None:
        self._http = http
        self._catalog = catalog
        self._lock = threading.Lock()
        self._readings: OrderedDict[str, tuple[dict[str, Any], str]] = OrderedDict()

    def read(self, ticket: str) -> dict[str, Any]:
        """A ticket as RT sends it.

        Raises:
            Gone: no such ticket, deleted, or merged into another one: what is said there is that one's affair.
            Refused: it is hidden from us.
        """
        return self._read(ticket)[0]

    def glance(self, ticket: str) -> dict[str, Any]:
        """A ticket as RT sends it, on which no write rests: what was decided still rests on the reading before.

        Raises: see :meth:`read`.
        """
        return self._ask(ticket)[0]

    def known(self, ticket: str) -> dict[str, Any]:
        """A ticket as it was read last: what a decision about it rests on."""
        return self._known(ticket)[0]

    def forget(self, ticket: str) -> None:
        """Rest nothing on the last reading any more: we have changed the ticket otherwise."""
        with self._lock:
            self._readings.pop(ticket, None)

    def write(self, ticket: str, meant: Payload, specs: Sequence[FieldSpec] = ()) -> dict[str, Any]:
        """Write a payload; returns the ticket as it then is.

        Raises:
            Refused: by field, in RT's words.
            Clashed: the fields themselves have changed since the last reading.
        """
        known = self._known(ticket)
        item, tag = known if meant.unmet(known[0]) else self._read(ticket)
        for _ in range(_TRIES):
            unmet = meant.unmet(item)
            if not unmet:
                return item
            try:
                self._put(ticket, meant.only(unmet), tag)
            except Clashed:
                # Or our own write, whose answer was lost: then the ticket holds what we meant.
                newer, tag = self._read(ticket)
                if meant.clashes(item, newer):
                    raise
                item = newer
            else:
                return self._see(ticket, meant, specs, tag)
        raise Clashed(self._http.tracker, f"ticket {ticket} changes faster than it can be written")

    def _see(self, ticket: str, meant: Payload, specs: Sequence[FieldSpec], tag: str) -> dict[str, Any]:
        """See what became of a write that rested on ``tag``."""
        after, newest = self._read(ticket)
        events = meant.events()
        refused = {
            name: held
            for name, held in meant.unmet(after).items()
            if not self._overtaken(ticket, events[name], tag)
        }
        if not refused:
            return after
        names = {spec.native: spec.canonical for spec in specs}
        fields: dict[str, str] = {}
        for name, held in refused.items():
            words = (
                said(self._put(ticket, meant.only([name]), newest)) or f"still {held!r}, without a word why"
            )
            fields[names.get(name, canonical_name(name))] = words
        words = "; ".join(dict.fromkeys(fields.values()))
        raise Refused(self._http.tracker, shorten(words), status=UNPROCESSABLE, fields=fields)

    def _put(self, ticket: str, meant: Payload, tag: str) -> Answer:
        headers = {"If-Match": tag} if tag else {}
        return self._http.call(
            "PUT", "/ticket/{id}", parts={"id": ticket}, body=meant.json(), headers=headers
        )

    def _overtaken(self, ticket: str, event: str, tag: str) -> bool:
        """Whether we did write a field that somebody has changed again since: no refusal, but a quicker colleague."""
        number = tag.strip('W/"')
        if not number.isdecimal():
            return False
        me = self._catalog.account().person
        kinds = ("Set", "Status", "CustomField")
        return any(
            str(one.get("Field")) == event and one["Creator"]["id"] == me.id
            for page in walk_transactions(self._http, [ticket], kinds, int(number))
            for one in page
        )

    def _read(self, ticket: str) -> tuple[dict[str, Any], str]:
        """A ticket and its ETag, remembered."""
        reading = self._ask(ticket)
        with self._lock:
            self._readings[ticket] = reading
            self._readings.move_to_end(ticket)
            if len(self._readings) > _REMEMBERED:
                self._readings.popitem(last=False)
        return reading

    def _ask(self, ticket: str) -> tuple[dict[str, Any], str]:
        tracker = self._http.tracker
        if not (ticket.isascii() and ticket.isdecimal()):
            raise Gone(tracker, f"{ticket!r} is not the number of a ticket")
        answer = self._http.call("GET", "/ticket/{id}", parts={"id": ticket}, query=EXPAND)
        item = answer.object()
        if "id" not in item or "Status" not in item or "LastUpdated" not in item:
            raise Unintelligible(tracker, "the answer lacks a ticket")
        if str(item["id"]) != ticket:
            raise Merged(tracker, ticket, str(item["id"]))
        if item["Status"] == "deleted":
            raise Gone(tracker, f"ticket {ticket} is deleted")
        return item, answer.headers.get("ETag", "")

    def _known(self, ticket: str) -> tuple[dict[str, Any], str]:
        with self._lock:
            known = self._readings.get(ticket)
        return known or self._read(ticket)


def said(answer: Answer) -> str:
    """RT's sentences about a write, in one line."""
    return shorten("; ".join(map(str, answer.data))) if isinstance(answer.data, list) else ""
