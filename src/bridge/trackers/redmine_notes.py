"""Comments on Redmine issues: the notes of its journals.

Redmine answers a note with nothing at all, not even its number, and a note has no room for a mark. So a note
is found by what it is: written by our account, with our text, later than the journals that were there before.
Notes on one ticket are added one at a time, so that two equal ones each get their own number.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from bridge.clock import SECOND
from bridge.errors import Gone, OutcomeUnknown, Refused, TrackerError
from bridge.markup import Dialect, Document, Mark, Paragraph, Text
from bridge.trackers.http import Http
from bridge.trackers.protocol import PeerLink
from bridge.trackers.redmine_catalog import Catalog
from bridge.trackers.redmine_clock import FarClock
from bridge.trackers.redmine_payload import UNPROCESSABLE
from bridge.trackers.redmine_values import Json, document, instant, lines, native, newest, same_text

_LOCKS = 64


class Notes:
    """Writes and finds notes.

    Args:
        http: the way to Redmine.
        catalog: tells who we are.
        clock: learns the time from our notes.
        read: reads an issue with its journals; raises Gone.
        dialect: the markup of its texts.
    """

    def __init__(
        self,
        http: Http,
        catalog: Catalog,
        clock: FarClock,
        read: Callable[[str], dict[str, Any]],
        dialect: Dialect,
    ) -> None:
        self._http = http
        self._catalog = catalog
        self._clock = clock
        self._read = read
        self._dialect = dialect
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))

    def add(self, ticket: str, body: Document) -> tuple[str, int]:
        """Add a public note; returns its journal's number and time."""
        text = native(body, self._dialect)
        self._insist_on_words(text)
        with self._locks[hash(ticket) % _LOCKS]:
            before = newest(self._read(ticket))
            began = self._clock.here()
            note = {"issue": {"notes": text, "private_notes": False}}
            self._http.call("PUT", "/issues/{id}.json", parts={"id": ticket}, body=note, repeatable=False)
            try:
                journals = self._mine(self._read(ticket), text)
            except TrackerError as trouble:
                # The note was accepted; only its number is unknown. The caller looks for it by its text.
                raise OutcomeUnknown(
                    self._http.tracker, f"the note was sent, but not read back: {trouble}"
                ) from trouble
        for journal in journals:
            if int(journal["id"]) > before:
                at = instant(journal["created_on"])
                self._clock.witness(at, began)
                return str(journal["id"]), at
        raise Refused(
            self._http.tracker,
            f"Redmine accepted a note on {ticket} but did not keep it: the account may lack 'Add notes'",
            status=UNPROCESSABLE,
            fields={"notes": "not kept"},
        )

    def find(self, ticket: str, body: Document, since: int) -> str | None:
        """The newest of our notes with this text, written in the second of ``since`` or later."""
        floor = since // SECOND * SECOND
        found = [
            journal
            for journal in self._mine(self._read(ticket), native(body, self._dialect))
            if instant(journal["created_on"]) >= floor
        ]
        return str(found[-1]["id"]) if found else None

    def edit(self, ticket: str, comment: str, body: Document) -> int:
        """Replace a note's text. Redmine keeps no time of it and the issue does not look changed."""
        text = native(body, self._dialect)
        self._insist_on_words(text)
        answer = self._http.call(
            "PUT", "/journals/{id}.json", parts={"id": comment}, body={"journal": {"notes": text}}
        )
        journal = self._journal(ticket, comment)
        if journal is None:
            raise Gone(self._http.tracker, f"ticket {ticket} has no comment {comment}")
        if not same_text(journal.get("notes"), text, self._dialect):
            raise Refused(
                self._http.tracker,
                f"Redmine answered well but kept the old text of comment {comment}",
                status=UNPROCESSABLE,
                fields={"notes": "not changed"},
            )
        return answer.at if "Date" in answer.headers else self._clock.now()

    def delete(self, ticket: str, comment: str) -> int:
        """Empty a note. Its journal vanishes unless it also records changes of fields, which are history."""
        try:
            answer = self._http.call(
                "PUT", "/journals/{id}.json", parts={"id": comment}, body={"journal": {"notes": ""}}
            )
        except Gone:
            return self._clock.now()
        journal = self._journal(ticket, comment)
        if journal is not None and lines(journal.get("notes")).strip():
            raise Refused(
                self._http.tracker,
                f"Redmine answered well but kept comment {comment}",
                status=UNPROCESSABLE,
                fields={"notes": "not deleted"},
            )
        return answer.at if "Date" in answer.headers else self._clock.now()

    def link(self, ticket: str, peer: PeerLink) -> str:
        """Say where the peer is, unless a note of ours already does; returns the journal's number."""
        words = (Text("Mirrored as "), Text(peer.title, (Mark("link", peer.url),)))
        body = Document((Paragraph(words),))
        wanted = _addresses(native(body, self._dialect), self._dialect)
        me = self._catalog.account().person.id
        for journal in self._read(ticket)["journals"]:
            ours = _author(journal) == me and not journal.get("private_notes")
            if ours and wanted & _addresses(journal.get("notes"), self._dialect):
                return str(journal["id"])
        return self.add(ticket, body)[0]

    def _mine(self, issue: Json, text: str) -> list[Json]:
        """Our public notes with this text, oldest first."""
        me = self._catalog.account().person.id
        return [
            journal
            for journal in sorted(issue["journals"], key=lambda journal: int(journal["id"]))
            if _author(journal) == me
            and not journal.get("private_notes")
            and same_text(journal.get("notes"), text, self._dialect)
        ]

    def _journal(self, ticket: str, comment: str) -> Json | None:
        return next((item for item in self._read(ticket)["journals"] if str(item["id"]) == comment), None)

    def _insist_on_words(self, text: str) -> None:
        """Redmine takes an empty note for no note, and deletes a note that becomes empty."""
        if not text.strip():
            raise Refused(
                self._http.tracker,
                "Redmine keeps no empty comments",
                status=UNPROCESSABLE,
                fields={"notes": "is empty"},
            )


def _addresses(notes: str | None, dialect: Dialect) -> frozenset[str]:
    """Where the links in a note's paragraphs lead."""
    return frozenset(
        mark.value
        for block in document(notes, dialect).blocks
        if isinstance(block, Paragraph)
        for run in block.children
        if isinstance(run, Text)
        for mark in run.marks
        if mark.kind == "link"
    )


def _author(journal: Json) -> str:
    return str((journal.get("user") or {}).get("id"))
