"""Walking through Request Tracker's lists while tickets move, and reading what is in them.

A list by pages loses the ticket at the border of two pages when one before it moves. So a walk goes by number, from the
last ticket it saw. RT tells the total where it is sure of it; elsewhere the walk ends at an empty page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bridge.trackers.answers import Answer
from bridge.trackers.http import Http
from bridge.trackers.rt_queries import PAGE, by_number
from bridge.trackers.rt_values import Message, body_of, instant, person

PERSON = "Name,RealName,EmailAddress"

EXPAND = {"fields[Owner]": PERSON, "fields[Creator]": PERSON, "fields[Queue]": "Name"}
"""What is told of the things that a ticket refers to; without it RT gives their numbers."""

FIELDS = "Subject,Status,Priority,Due,Owner,Queue,Created,LastUpdated,Creator,CustomFields"


def walk_all(http: Http, query: str, fields: str = "LastUpdated") -> Iterator[dict[str, Any]]:
    """All tickets of a query, by number, whatever their age."""
    last = 0
    while True:
        answer = _tickets(http, f"{query} AND id > {last}", fields)
        page = answer.objects("items")
        yield from page
        if not page or _whole(answer, page):
            return
        last = int(page[-1]["id"])


def read_numbered(
    http: Http, ids: Sequence[str], fields: str = "LastUpdated"
) -> Iterator[list[dict[str, Any]]]:
    """Those of the numbered tickets that we can see, wherever they are now: pages in the order asked for."""
    for start in range(0, len(ids), PAGE):
        asked = ids[start : start + PAGE]
        found = {
            str(item["id"]): item
            for query in by_number(asked)
            for item in _tickets(http, query, fields).objects("items")
        }
        yield [found[ticket] for ticket in asked if ticket in found]


def read_messages(http: Http, tickets: Sequence[str], *, files: bool = False) -> dict[str, list[Message]]:
    """The texts of these tickets, per ticket, oldest first. Those of a ticket that was merged into one stay out.

    Files are looked for only if so asked, and only where a mail has several parts or no text.

    Staff's comments are asked for on their own: where they are hidden from us, RT leaves holes in a list, and a list
    with holes has no end that we could know of.
    """
    found: dict[str, list[Message]] = {ticket: [] for ticket in tickets}
    for kinds, gapless in ((["Create", "Correspond"], True), (["Comment"], False)):
        for page in walk_transactions(http, tickets, kinds, gapless=gapless):
            parts = _parts(http, [str(one["id"]) for one in page])
            likely = [number for one in page if _may_hold_files(parts.get(number := str(one["id"]), ()))]
            held = read_files(http, likely) if files else {}
            for one in page:
                message = Message(
                    id=str(one["id"]),
                    ticket=str(one["ObjectId"]),
                    kind=str(one["Type"]),
                    author=person(one["Creator"]),
                    created=instant(one["Created"]),
                    body=body_of(parts.get(str(one["id"]), ())),
                    files=tuple(held.get(str(one["id"]), ())),
                )
                found[message.ticket].append(message)
    for messages in found.values():
        messages.sort(key=lambda message: int(message.id))
    return found


def walk_transactions(
    http: Http, tickets: Sequence[str], kinds: Sequence[str] = (), since: int = 0, *, gapless: bool = False
) -> Iterator[list[dict[str, Any]]]:
    """Pages of what happened to these tickets, in order.

    Args:
        http: the way to RT.
        tickets: their numbers.
        kinds: RT's types of transactions; none means all but the records of mails that RT sent.
        since: only transactions with a higher number.
        gapless: whoever sees the tickets sees all transactions of these kinds, so that a short page is the last one.
    """
    chosen: list[dict[str, Any]] = [
        {"field": "ObjectType", "operator": "=", "value": "RT::Ticket"},
        {"field": "ObjectId", "operator": "IN", "value": [int(ticket) for ticket in tickets]},
        {"field": "Type", "operator": "IN", "value": list(kinds)}
        if kinds
        else {"field": "Type", "operator": "!=", "value": "EmailRecord"},
    ]
    query = {
        "fields": "Type,Created,Creator,ObjectId,Field,OldValue,NewValue",
        "fields[Creator]": PERSON,
        "orderby": "id",
        "per_page": PAGE,
    }
    while tickets:
        body = [*chosen, {"field": "id", "operator": ">", "value": since}]
        page = http.call("POST", "/transactions", query=query, body=body, repeatable=True).objects("items")
        if not page:
            return
        yield page
        if gapless and len(page) < PAGE:
            return
        since = int(page[-1]["id"])


def read_files(http: Http, transactions: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The files in these transactions, without their bytes, in order: the parts that have a name."""
    body = [
        {"field": "Filename", "operator": "IS NOT", "value": "NULL"},
        {"field": "Filename", "operator": "!=", "value": ""},
    ]
    found: dict[str, list[dict[str, Any]]] = {}
    for start in range(0, len(transactions), PAGE):
        for part in _walk_parts(
            http, transactions[start : start + PAGE], body, "TransactionId,Filename,ContentType,Headers"
        ):
            found.setdefault(str(part["TransactionId"]), []).append(part)
    return found


def _may_hold_files(parts: Sequence[dict[str, Any]]) -> bool:
    """Whether a transaction with these texts and frames may hold files as well: one text alone does not."""
    return not parts or any(str(part.get("ContentType")).startswith("multipart/") for part in parts)


def _parts(http: Http, transactions: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The texts in these transactions, and the frames that hold several, in order; no files."""
    body = [
        # Limits on one field are alternatives.
        {"field": "ContentType", "operator": "LIKE", "value": "text/"},
        {"field": "ContentType", "operator": "LIKE", "value": "multipart/"},
        {"field": "Filename", "operator": "IS", "value": "NULL"},
        {"field": "Filename", "operator": "=", "value": ""},
    ]
    found: dict[str, list[dict[str, Any]]] = {}
    for part in _walk_parts(http, transactions, body, "TransactionId,ContentType,Content"):
        found.setdefault(str(part["TransactionId"]), []).append(part)
    return found


def _walk_parts(
    http: Http, transactions: Sequence[str], chosen: Sequence[dict[str, Any]], fields: str
) -> Iterator[dict[str, Any]]:
    """Parts of these transactions, in order."""
    query = {"fields": fields, "orderby": "id", "per_page": PAGE}
    within = {
        "field": "TransactionId",
        "operator": "IN",
        "value": [int(number) for number in transactions],
    }
    last = 0
    while transactions:
        body = [within, *chosen, {"field": "id", "operator": ">", "value": last}]
        page = http.call("POST", "/attachments", query=query, body=body, repeatable=True).objects("items")
        yield from page
        if len(page) < PAGE:
            return
        last = int(page[-1]["id"])


def _tickets(http: Http, query: str, fields: str) -> Answer:
    asked = {"query": query, "fields": fields, "orderby": "id", "per_page": PAGE, **EXPAND}
    return http.call("GET", "/tickets", query=asked)


def _whole(answer: Answer, page: Sequence[Any]) -> bool:
    """Whether nothing follows this page."""
    return answer.object().get("total") is not None and len(page) < PAGE
