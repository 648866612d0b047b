"""Writing replies, which everybody on a ticket reads and RT sends to its requestors by mail, and comments for staff.

A reply gets its transaction's number at once, but has no room for a mark: it is found again by our account, its text
and its time. RT 5 lets nobody change or take back a reply.

A reply also makes RT's own scrips act: they open a new or a resolved ticket. A mirrored reply is nobody's decision to
do so, and the new status would travel back to where the reply came from; so it is set back, unless somebody else has
moved the ticket meanwhile.
"""

from __future__ import annotations

import re

from bridge.errors import Gone, OutcomeUnknown, TrackerError
from bridge.markup import Document
from bridge.trackers.answers import Answer
from bridge.trackers.http import Http
from bridge.trackers.rt_catalog import Catalog
from bridge.trackers.rt_lists import read_messages, walk_transactions
from bridge.trackers.rt_values import Json, instant, native, same_text, second

_TRANSACTION = re.compile(r"/transaction/([0-9]+)/?$")
_SCRIPS = "RT_System"
"""The user that RT's scrips act as."""


class Messages:
    """Writes and finds replies.

    Args:
        http: the way to RT.
        catalog: tells who we are.
    """

    def __init__(self, http: Http, catalog: Catalog) -> None:
        self._http = http
        self._catalog = catalog

    def add(self, ticket: str, body: Document, *, private: bool = False) -> tuple[str, int]:
        """Add a reply, or a comment for staff; returns its transaction's number and time.

        Raises:
            Refused: the account may not reply, or there is no such ticket.
            OutcomeUnknown: it may be there.
        """
        reply = {"Content": native(body), "ContentType": "text/html"}
        path = "/ticket/{id}/comment" if private else "/ticket/{id}/correspond"
        answer = self._http.call("POST", path, parts={"id": ticket}, body=reply)
        if private:
            return self._place(answer), answer.at  # no scrip moves a ticket because of a comment
        return self.settle(ticket, answer)

    def settle(self, ticket: str, answer: Answer) -> tuple[str, int]:
        """Undo what scrips made of a reply that was just taken; returns its transaction's number and the latest time.

        Raises:
            OutcomeUnknown: RT does not say as which transaction it took the reply.
        """
        reply = self._place(answer)
        try:
            return reply, self._aftermath(ticket, int(reply)) or answer.at
        except TrackerError:
            # The reply is there and known. A status that a scrip moved stays so, and crosses like any other.
            return reply, answer.at

    def find(self, ticket: str, body: Document, since: int, *, private: bool = False) -> str | None:
        """The newest of our replies (of comments as well, if it was to be one) with this text, since that second."""
        me, floor = self._catalog.account().person, second(since)
        found = [
            message.id
            for message in read_messages(self._http, [ticket])[ticket]
            if (message.kind == "Correspond" or (private and message.kind == "Comment"))
            and message.author == me
            and message.created >= floor
            and same_text(body, message.body)
        ]
        return found[-1] if found else None

    def is_private(self, ticket: str, comment: str) -> bool:
        """Whether what was said is a comment for staff."""
        for message in read_messages(self._http, [ticket])[ticket]:
            if message.id == comment:
                return message.kind == "Comment"
        raise Gone(self._http.tracker, f"ticket {ticket} has no comment {comment}")

    def _place(self, answer: Answer) -> str:
        place = _TRANSACTION.search(answer.headers.get("Location", ""))
        if place is None:
            raise OutcomeUnknown(
                self._http.tracker, "Request Tracker took a reply, but does not say as which"
            )
        return place[1]

    def _aftermath(self, ticket: str, reply: int) -> int:
        """Set back the status that scrips gave the ticket because of the reply; returns the time of our last write."""
        written = 0
        moved: list[Json] = []
        for page in walk_transactions(self._http, [ticket], ("Correspond", "Status"), reply - 1):
            for one in page:
                if int(one["id"]) == reply:
                    written = instant(one["Created"])
                elif one["Type"] == "Status":
                    moved.append(one)
                elif one["Type"] == "Correspond":
                    return written  # somebody else's reply: whatever moves now is theirs
        if not moved or any(one["Creator"]["id"] != _SCRIPS for one in moved):
            return written
        answer = self._http.call("GET", "/ticket/{id}", parts={"id": ticket})
        if answer.object()["Status"] != moved[-1]["NewValue"]:
            return written
        self._http.call(
            "PUT",
            "/ticket/{id}",
            parts={"id": ticket},
            body={"Status": moved[0]["OldValue"]},
            headers={"If-Match": answer.headers.get("ETag", "*")},
        )
        after = self._http.call("GET", "/ticket/{id}", parts={"id": ticket}).object()
        return max(written, instant(after["LastUpdated"]))
