"""Linking two tickets that are both there already, and ending a link by hand.

These work on the store directly, beside a daemon or without one: a link is rows and a wake-up, and the sweep does the
rest. Everything is checked once more within the one transaction that writes, because a daemon may have made a link
of one of the tickets since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.daemon.holding import let_go
from bridge.daemon.house import House, field_specs
from bridge.daemon.neighbours import bequeath
from bridge.daemon.owning import forget_owners
from bridge.daemon.policies import mark_stale
from bridge.daemon.vanishing import forget
from bridge.errors import BridgeError
from bridge.markup import words
from bridge.store.database import Tx
from bridge.store.rows import IntentKind, Link, LinkState
from bridge.sync.agreement import Agreement
from bridge.sync.base import Base, CommentPair, PairState, PartKind, PartPair
from bridge.sync.identity import marker_for
from bridge.sync.ticket import Side, Ticket

PORTION = 100
"""Pairs that are read at once."""


class Unlinkable(BridgeError):
    """Two tickets that cannot be linked; the message says why."""

    next_step = "Nothing was linked."


@dataclass(frozen=True, slots=True)
class Wish:
    """Two tickets that somebody wants to be linked.

    Attributes:
        internal: key or id of the internal ticket, as people write it.
        vendor: likewise on the vendor's side.
        place: where this was said, for messages, e.g. ``pairs.csv:7``.
    """

    internal: str
    vendor: str
    place: str = ""

    def name(self, side: Side) -> str:
        """The ticket on that side."""
        return self.internal if side is Side.INTERNAL else self.vendor


@dataclass(frozen=True, slots=True)
class Couple:
    """Two tickets as they are.

    Attributes:
        internal: the internal ticket, with all its comments.
        vendor: the vendor's ticket, likewise.
        linked: they are mirrors of each other already, and go on being so.
        wish: what was asked for.
    """

    internal: Ticket
    vendor: Ticket
    linked: bool
    wish: Wish

    def ticket(self, side: Side) -> Ticket:
        """The ticket on that side."""
        return self.internal if side is Side.INTERNAL else self.vendor


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why a wish cannot be fulfilled, and where it was said."""

    place: str
    reason: str


def read_couples(house: House, agreement: Agreement, wishes: Sequence[Wish]) -> Iterator[Couple | Mistake]:
    """Read the tickets and say for each wish whether it can be fulfilled; in the order of the wishes.

    Raises:
        TrackerError: a tracker cannot be asked now.
        StoreError: our own database failed.
    """
    taken: dict[tuple[Side, str], str] = {}
    for start in range(0, len(wishes), PORTION):
        portion = wishes[start : start + PORTION]
        found = {side: _read(house, agreement, side, [one.name(side) for one in portion]) for side in Side}
        for wish in portion:
            yield _weigh(
                house, agreement, wish, {side: found[side].get(wish.name(side)) for side in Side}, taken
            )


def connect(
    house: House, agreement: Agreement, couple: Couple, *, winner: Side | None, history: bool, who: str
) -> Link:
    """Make the link, or take up again the one that these two tickets had.

    Args:
        house: the parts.
        agreement: under which agreement.
        couple: the two tickets.
        winner: whose values stand at first; None leaves values that differ to the rules of their fields.
        history: whether public comments, files and worklogs that are there already cross, comments with their dates.
        who: the person who asks for it, as the journal is to name them.

    Raises:
        Unlinkable: one of them has got another link meanwhile.
        StoreError: our own database failed.
    """
    now = house.clock.now()
    with house.store.write() as tx:
        reason = _obstacle(tx, agreement, couple.internal, couple.vendor)
        if reason:
            raise Unlinkable(reason)
        link, anew = _row(tx, agreement, couple, now)
        if anew or winner is not None:
            for side in Side:
                values = couple.ticket(side).fields if side is winner else {}
                rules = [rule.name for rule in agreement.fields if rule.name in values]
                tx.bases.put(link.id, side, Base({name: values[name] for name in rules}))
        for pair in _settled_comments(tx.comments.list(link.id), couple, history=history):
            tx.comments.add(link.id, pair)
        for one in () if history else _settled_parts(tx.parts.list(link.id), couple):
            tx.parts.put(link.id, one)
        tx.links.reopen(link.id, now)
        forget(tx, link.id)
        forget_owners(tx, link.id)
        data = {"anew": anew, "winner": winner.value if winner else "none", "history": history, "who": who}
        tx.journal.add(now, agreement.name, link.id, "link.made", data)
    for side in Side:
        house.sightings.forget(agreement.scope(side).tracker, couple.ticket(side).id)
    return link


def disconnect(house: House, link: Link, who: str) -> None:
    """End a link; both tickets stay as they are.

    Args:
        house: the parts.
        link: which.
        who: the person who asks for it, as the journal is to name them.

    Raises:
        StoreError: our own database failed.
    """
    with house.store.write() as tx:
        tx.links.close(link.id)
        let_go(tx, link, house.clock.now())
        mark_stale(tx, house.terms, link, house.clock.now())
        data = {"why": "unlinked", "who": who}
        tx.journal.add(house.clock.now(), link.agreement, link.id, "link.closed", data)


def _read(house: House, agreement: Agreement, side: Side, names: Iterable[str]) -> dict[str, Ticket]:
    """Tickets by the name that was given for them: an id, a key, or a key from before a move."""
    tracker = house.terms.trackers[agreement.scope(side).tracker]
    house.account(tracker)
    specs = field_specs(agreement, side)
    wanted = {name: name.removeprefix("#") for name in names}
    answer = tracker.fetch(list(wanted.values()), specs)
    known = {word.casefold(): ticket for ticket in answer.values() for word in (ticket.id, ticket.key)}
    found: dict[str, Ticket] = {}
    for name, word in wanted.items():
        ticket = known.get(word.casefold())
        if ticket is None and answer:
            ticket = next(iter(tracker.fetch([word], specs).values()), None)
        if ticket is not None:
            found[name] = ticket
    return found


def _weigh(
    house: House,
    agreement: Agreement,
    wish: Wish,
    tickets: Mapping[Side, Ticket | None],
    taken: dict[tuple[Side, str], str],
) -> Couple | Mistake:
    for side in Side:
        ticket, scope = tickets[side], agreement.scope(side)
        if ticket is None:
            return Mistake(wish.place, f"'{scope.tracker}' shows no ticket {wish.name(side)}")
        if ticket.project.casefold() != scope.project.casefold():
            reason = (
                f"{ticket.key} is not in {scope.project}, the {side} project of agreement '{agreement.name}'"
            )
            return Mistake(wish.place, reason)
    for side in Side:
        ticket = tickets[side]
        assert ticket is not None
        first = taken.setdefault((side, ticket.id), wish.place or "before")
        if first != (wish.place or "before"):
            return Mistake(wish.place, f"{ticket.key} is already paired in {first}")
    internal, vendor = tickets[Side.INTERNAL], tickets[Side.VENDOR]
    assert internal is not None
    assert vendor is not None
    with house.store.read() as tx:
        reason = _obstacle(tx, agreement, internal, vendor)
        links = _links(tx, agreement, internal, vendor)
    if reason:
        return Mistake(wish.place, reason)
    same = {link.id for link in links.values()}
    linked = len(links) == len(Side) and len(same) == 1 and _first(links).state is not LinkState.CLOSED
    return Couple(internal, vendor, linked, wish)


def _links(tx: Tx, agreement: Agreement, internal: Ticket, vendor: Ticket) -> dict[Side, Link]:
    """The links that the two tickets have, by side."""
    sides = {Side.INTERNAL: internal, Side.VENDOR: vendor}
    found = {
        side: tx.links.by_ticket(agreement.name, side, [one.id]).get(one.id) for side, one in sides.items()
    }
    return {side: link for side, link in found.items() if link is not None}


def _obstacle(tx: Tx, agreement: Agreement, internal: Ticket, vendor: Ticket) -> str:
    """Why the two cannot be linked with each other; "" when they can, or are."""
    links = _links(tx, agreement, internal, vendor)
    if len({link.id for link in links.values()}) == 1 and len(links) == len(Side):
        return ""
    for side, link in links.items():
        key, other = link.key(side), link.key(side.other)
        if link.state is LinkState.CLOSED:
            continue
        if link.ticket(side.other) is not None:
            return f"{key} is linked with {other} already; 'bridge unlink {key}' ends that"
        if any(intent.kind is IntentKind.CREATE for intent in tx.intents.open(link.id)):
            return f"a mirror of {key} is being made at this moment; try again in a minute"
    return ""


def _row(tx: Tx, agreement: Agreement, couple: Couple, now: int) -> tuple[Link, bool]:
    """The link's row with both tickets, and whether they are together for the first time."""
    links = _links(tx, agreement, couple.internal, couple.vendor)
    if len({link.id for link in links.values()}) == 1 and len(links) == len(Side):
        return _first(links), False
    # A row that waits for its mirror becomes the row of both; every other one lets go of its ticket.
    waiting = [(side, link) for side, link in links.items() if link.state is not LinkState.CLOSED]
    ended = [(side, link) for side, link in links.items() if (side, link) not in waiting[:1]]
    for side, link in ended:
        tx.links.close(link.id)
        tx.links.release(link.id, side)
    if waiting:
        side, link = waiting[0]
    else:
        side = Side.INTERNAL
        marker = _free_marker(tx, agreement, couple)
        link, _ = tx.links.add(agreement.name, side, couple.internal.id, couple.internal.key, marker, now)
    peer = couple.ticket(side.other)
    tx.links.set_peer(link.id, side.other, peer.id, peer.key)
    for one, before in ended:
        bequeath(tx, before, one, link.id)
    renewed = tx.links.get(link.id)
    assert renewed is not None
    return renewed, True


def _free_marker(tx: Tx, agreement: Agreement, couple: Couple) -> str:
    """A mark for a link between tickets that both were there: of the pair, for each may have had other links."""
    pair, number = f"{couple.internal.id}={couple.vendor.id}", 0
    while True:
        marker = marker_for(agreement.name, Side.INTERNAL, f"{pair}/{number}" if number else pair)
        if tx.links.by_marker(agreement.name, marker) is None:
            return marker
        number += 1


def _settled_comments(
    known: Iterable[CommentPair], couple: Couple, *, history: bool
) -> Iterator[CommentPair]:
    """Records of comments that are there already, so that none crosses as a new one.

    With the history, those cross whose words are not on the other side as well, where somebody or some other tool
    has carried them before.
    """
    recorded = {(pair.origin, pair.origin_id) for pair in known if pair.origin_id}
    recorded |= {(pair.origin.other, pair.copy_id) for pair in known if pair.copy_id}
    for side in Side:
        there = [words(comment.body) for comment in couple.ticket(side.other).comments]
        for comment in couple.ticket(side).comments:
            if (side, comment.id) in recorded or comment.marker:
                continue
            crosses = history and words(comment.body) not in there
            pair = CommentPair(0, side, comment.id, "")
            yield replace(pair, state=PairState.HISTORY if crosses else PairState.SKIPPED)


def _settled_parts(known: Iterable[PartPair], couple: Couple) -> Iterator[PartPair]:
    """Records of files and worklogs that are there already and stay where they are."""
    recorded = {(pair.kind, pair.origin, pair.origin_id) for pair in known}
    recorded |= {(pair.kind, pair.origin.other, pair.copy_id) for pair in known if pair.copy_id}
    for side in Side:
        ticket = couple.ticket(side)
        for kind, ids in (
            (PartKind.ATTACHMENT, [one.id for one in ticket.attachments]),
            (PartKind.WORKLOG, [one.id for one in ticket.worklogs]),
        ):
            for part in ids:
                if (kind, side, part) not in recorded:
                    yield PartPair(0, kind, side, part, "", state=PairState.SKIPPED)


def _first(links: Mapping[Side, Link]) -> Link:
    return next(iter(links.values()))
