"""The heads of the audit chains, told on both companies' control tickets: what each side holds, neither can rewrite.

One comment of ours on each ticket, changed in place as the chain grows, at most once an hour; where a tracker keeps
every text as it was written, a further comment at most once a day. A control ticket is never mirrored (the feeds leave
it alone), so what is written there crosses to nobody as somebody's words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog

from bridge.clock import SECOND
from bridge.daemon.brakes import pulled
from bridge.daemon.house import House
from bridge.daemon.intending import SKEW
from bridge.errors import Gone, OutcomeUnknown, TrackerError
from bridge.markup import Document, Paragraph, Text
from bridge.store.rows import LinkState
from bridge.sync.agreement import Agreement
from bridge.sync.chain import Head
from bridge.sync.identity import marker_for
from bridge.sync.moments import for_programs
from bridge.sync.roles import Mode
from bridge.sync.ticket import Side, Ticket

log = structlog.get_logger(__name__)

NOTE = "audit/control/"
"""How the notes begin that say what was told where."""

HOUR, DAY = 3_600 * SECOND, 86_400 * SECOND


@dataclass(frozen=True, slots=True)
class _Post:
    """One control ticket, and what is known of our comment on it.

    Attributes:
        agreement: whose chain.
        side: the side.
        told: what was told last: ``seq``, ``at``, ``ticket``, ``comment`` (ids), ``sent`` while an answer is out.
    """

    agreement: Agreement
    side: Side
    told: dict[str, Any]

    @property
    def note(self) -> str:
        return f"{NOTE}{self.agreement.name}/{self.side.value}"

    @property
    def marker(self) -> str:
        return f"{marker_for(self.agreement.name, self.side, 'control')}/audit"

    @property
    def edits(self) -> bool:
        return self.agreement.scope(self.side).edits_texts


def tell_heads(house: House) -> int:
    """Bring the control tickets up to date that are due; returns how many requests changed something.

    What cannot be told now is tried again after the next pause.

    Raises:
        StoreError: our own database failed.
    """
    writes = 0
    for agreement in house.terms.settings.agreements:
        for side in Side if agreement.mode is not Mode.OBSERVE else ():
            if side not in agreement.control:
                continue
            with house.store.read() as tx:
                if pulled(tx, agreement.name) is not None:
                    break  # nothing is written until a person says go on
                head = tx.journal.head(agreement.name)
                post = _Post(
                    agreement, side, tx.cursors.get_note(f"{NOTE}{agreement.name}/{side.value}") or {}
                )
            if head.seq and _due(post, head, house.clock.now()):
                writes += _try(house, post, head)
    return writes


def _due(post: _Post, head: Head, now: int) -> bool:
    pause = HOUR if post.edits or "sent" in post.told else DAY
    return post.told.get("seq") != head.seq and now - post.told.get("at", 0) >= pause


def _try(house: House, post: _Post, head: Head) -> int:
    tracker = post.agreement.scope(post.side).tracker
    if house.health.blocked_until(tracker, house.clock.now()) is not None:
        return 0
    try:
        return _tell(house, post, head)
    except TrackerError as error:
        _remember(house, post, at=house.clock.now())
        _not_told(post, error.words)
        return 0


def _tell(house: House, post: _Post, head: Head) -> int:
    """Write the comment.

    Raises:
        TrackerError: it was not written, or nobody knows.
    """
    name, side = post.agreement.control[post.side], post.side
    tracker = house.terms.trackers[post.agreement.scope(side).tracker]
    ticket = next(iter(tracker.fetch([name.removeprefix("#")], ()).values()), None)
    why = _obstacle(house, post, ticket)
    if why or ticket is None:
        _remember(house, post, at=house.clock.now())
        _not_told(post, why)
        return 0
    body = _words(post, head)
    comment = _ours(house, post, ticket)
    if comment and not post.edits and "sent" in post.told:
        _settled(house, post, post.told["sent"]["seq"], ticket, comment)
        return 0
    if comment and post.edits:
        try:
            tracker.edit_comment(ticket.id, comment, body)
        except Gone:
            comment = ""  # somebody deleted it
    if not comment or not post.edits:
        sent = {
            "ticket": ticket.id,
            "seq": head.seq,
            "hash": head.hash,
            "moment": head.at,
            "now": tracker.now(),
        }
        _remember(house, post, sent=sent)
        try:
            comment, _ = tracker.add_comment(ticket.id, body, post.marker)
        except OutcomeUnknown:
            raise
        except TrackerError:
            _remember(house, post, sent=None)
            raise
    _settled(house, post, head.seq, ticket, comment)
    return 1


def _settled(house: House, post: _Post, seq: int, ticket: Ticket, comment: str) -> None:
    """Note that a head stands on the ticket."""
    now = house.clock.now()
    _remember(house, post, seq=seq, at=now, ticket=ticket.id, comment=comment, sent=None)
    with house.store.write() as tx:
        # In the bridge's own chain: in the agreement's, each telling would move the head that it tells.
        data = {"agreement": post.agreement.name, "side": post.side.value, "seq": seq, "copy": comment}
        tx.journal.add(now, "", None, "head.told", data)


def _ours(house: House, post: _Post, ticket: Ticket) -> str:
    """Our comment on the ticket; "" when there is none. One whose answer was lost is looked for."""
    told, tracker = post.told, house.terms.trackers[post.agreement.scope(post.side).tracker]
    sent = told.get("sent")
    if sent and sent["ticket"] == ticket.id:
        before = _words(post, Head(post.agreement.name, sent["seq"], sent["hash"], sent["moment"]))
        return tracker.find_comment(ticket.id, before, post.marker, sent["now"] - SKEW) or ""
    return str(told.get("comment", "")) if told.get("ticket") == ticket.id else ""


def _obstacle(house: House, post: _Post, ticket: Ticket | None) -> str:
    """Why nothing is to be written on that ticket; "" when it may be."""
    name = post.agreement.control[post.side]
    if ticket is None:
        return f"the control ticket {name} is not there, or not to be seen"
    if ticket.key.casefold() != name.casefold().removeprefix("#") and ticket.id != name:
        return f"the control ticket {name} is called {ticket.key} now; say so in the agreement"
    where = post.agreement.scope(post.side).tracker
    with house.store.read() as tx:
        for one in house.terms.settings.agreements:
            for side in Side:
                if one.scope(side).tracker != where:
                    continue
                link = tx.links.by_ticket(one.name, side, [ticket.id]).get(ticket.id)
                if link is not None and link.state is not LinkState.CLOSED:
                    return f"the control ticket {name} is mirrored; name one that is not, or unlink it"
    return ""


def _words(post: _Post, head: Head) -> Document:
    text = (
        f"Audit chain of '{post.agreement.name}': record {head.seq} of {for_programs(head.at)} has the hash "
        f"{head.hash}. Keep it: every later export of the chain must contain this record."
    )
    return Document((Paragraph((Text(text),)),))


def _remember(house: House, post: _Post, **news: Any) -> None:
    post.told.update(news)
    left = {key: value for key, value in post.told.items() if value is not None}
    post.told.clear()
    post.told.update(left)
    with house.store.write() as tx:
        tx.cursors.set_note(post.note, left)


def _not_told(post: _Post, words: str) -> None:
    log.warning("head_not_told", agreement=post.agreement.name, side=post.side.value, words=words)
