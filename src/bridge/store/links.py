"""Links: which tickets belong together, and when each is to be looked at.

A wake-up is one UPDATE (``gen + 1``, ``due_at`` no later than now). Work begins with :meth:`Links.start`,
which takes a new epoch, and ends with exactly one of ``finish``, ``park`` and ``postpone``. Those are fenced:
they do nothing and return False when somebody else has started since. They also compare ``gen`` with the one
that the work had seen: if it moved, a wake-up came during the work and ``due_at`` stays where that wake-up
put it, so none is ever lost.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Update,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from bridge.errors import StoreError
from bridge.store.columns import chunks, insert
from bridge.store.rows import Link, LinkState
from bridge.store.tables import HAS_MARKER, bases, links
from bridge.store.waits import Waits
from bridge.sync.ticket import Side

C = links.c
IDS = {Side.INTERNAL: C.internal_id, Side.VENDOR: C.vendor_id}
KEYS = {Side.INTERNAL: C.internal_key, Side.VENDOR: C.vendor_key}
LINKED = {Side.INTERNAL: C.internal_linked, Side.VENDOR: C.vendor_linked}
AT_ONCE = 0
"""A time at which everything is due."""

PROVEN = (LinkState.ACTIVE, LinkState.HELD)
"""States in which both tickets were there when last looked at."""


def _link(row: Row[Any]) -> Link:
    values = dict(row._mapping)  # noqa: SLF001 - public in SQLAlchemy, the underscore only avoids column names
    values["findings"] = tuple(values["findings"])
    return Link(**values)


def _time(value: int | None) -> ColumnElement[int | None]:
    """A time as an expression of its own; untyped, PostgreSQL would be told that it fits into 32 bits."""
    return literal(value, BigInteger)


def _no_later(than: int | None) -> ColumnElement[int | None]:
    """``due_at``, or that time if it is earlier; None counts as never."""
    if than is None:
        return C.due_at
    return case((or_(C.due_at.is_(None), C.due_at > than), _time(than)), else_=C.due_at)


def _unless_closed(state: LinkState) -> ColumnElement[Any]:
    """That state, but a link that a person closed while the work ran stays closed."""
    return case((C.state == LinkState.CLOSED, C.state), else_=literal(state, C.state.type))


class Links:
    """The links, within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- finding -------------------------------------------------------------------------

    def get(self, link_id: int) -> Link | None:
        """The link with that row id."""
        return self._one(C.id == link_id)

    def of(self, ids: Iterable[int]) -> dict[int, Link]:
        """Those of these links that there are, by id."""
        return {link.id: link for some in chunks(ids) for link in self._many(C.id.in_(some))}

    def by_ticket(self, agreement: str, side: Side, ids: Iterable[str]) -> dict[str, Link]:
        """The links of those tickets, by the tracker's ticket id; tickets without one are absent."""
        found: dict[str, Link] = {}
        for portion in chunks(ids):
            query = select(links).where(C.agreement == agreement, IDS[side].in_(portion))
            for row in self._connection.execute(query):
                link = _link(row)
                ticket = link.ticket(side)
                assert ticket is not None
                found[ticket] = link
        return found

    def by_marker(self, agreement: str, marker: str) -> Link | None:
        """The link whose peer carries that mark."""
        # Saying that it is not empty is what lets SQLite use the index.
        return self._one(and_(C.agreement == agreement, C.marker == marker, HAS_MARKER)) if marker else None

    def by_key(self, key: str) -> builtins.list[Link]:
        """The links that a person may mean by that key: on either side, under any agreement, in any case."""
        wanted = key.strip().lower()
        if not wanted:
            return []
        return self._many(or_(func.lower(C.internal_key) == wanted, func.lower(C.vendor_key) == wanted))

    def list(
        self, agreement: str | None = None, states: Iterable[LinkState] | None = None
    ) -> builtins.list[Link]:
        """All links, by row id; of one agreement, and in some states, if so asked."""
        conditions: builtins.list[ColumnElement[bool]] = []
        if agreement is not None:
            conditions.append(C.agreement == agreement)
        if states is not None:
            conditions.append(C.state.in_(tuple(states)))
        return self._many(*conditions)

    def counts(self) -> dict[tuple[str, LinkState], int]:
        """How many links there are, by agreement and state; what there is none of is absent."""
        query = select(C.agreement, C.state, func.count()).group_by(C.agreement, C.state)
        return {(agreement, state): count for agreement, state, count in self._connection.execute(query)}

    def ids(self, agreement: str, side: Side) -> builtins.list[str]:
        """The tickets to follow on that side: those of all links that are not closed."""
        query = (
            select(IDS[side])
            .where(C.agreement == agreement, C.state != LinkState.CLOSED, IDS[side].is_not(None))
            .order_by(C.id)
        )
        return builtins.list(self._connection.scalars(query))

    def canary(self, agreement: str, side: Side, before: int) -> str | None:
        """A ticket that should be visible on that side: that of the youngest link known to have both.

        Args:
            agreement: the agreement's name.
            side: the side it is on.
            before: younger links are passed over, microseconds: a search index may not know their tickets yet.
        """
        query = (
            select(IDS[side])
            .where(
                C.agreement == agreement, C.state.in_(PROVEN), IDS[side].is_not(None), C.created_at <= before
            )
            .order_by(C.id.desc())
            .limit(1)
        )
        found: str | None = self._connection.scalar(query)
        return found

    def freshest(self, agreement: str, side: Side, before: int, limit: int) -> builtins.list[Link]:
        """Links known to have both tickets, those first whose ticket on that side was changed last.

        Args:
            agreement: the agreement's name.
            side: the side that is asked about.
            before: younger links are passed over, microseconds.
            limit: how many at most.
        """
        query = (
            select(links)
            .join(bases, and_(bases.c.link_id == C.id, bases.c.side == side))
            .where(
                C.agreement == agreement, C.state.in_(PROVEN), IDS[side].is_not(None), C.created_at <= before
            )
            .order_by(bases.c.seen.desc(), C.id.desc())
            .limit(limit)
        )
        return [_link(row) for row in self._connection.execute(query)]

    def witnesses(self, agreement: str, side: Side, but: int, limit: int) -> builtins.list[str]:
        """Tickets of other links on that side, those known to be there first: if none can be seen, none is deleted.

        Args:
            agreement: the agreement's name.
            side: the side it is on.
            but: the link whose ticket is in question.
            limit: how many at most.
        """
        query = (
            select(IDS[side])
            .where(C.agreement == agreement, C.id != but, C.state != LinkState.CLOSED, IDS[side].is_not(None))
            .order_by(case((C.state.in_(PROVEN), 0), else_=1), C.id.desc())
            .limit(limit)
        )
        return builtins.list(self._connection.scalars(query))

    # --- identity ------------------------------------------------------------------------

    def add(  # noqa: PLR0917 - the columns of the row, in the order of the table
        self, agreement: str, origin: Side, ticket_id: str, key: str, marker: str, now: int
    ) -> tuple[Link, bool]:
        """The link of a ticket that was found in scope, and whether it is a new one.

        A ticket that already has a link under this agreement, as origin or as peer, keeps it unchanged. A new
        link is due at once.

        Raises:
            StoreError: the mark already belongs to another ticket.
        """
        statement = (
            insert(self._connection, links)
            .values(
                {
                    "agreement": agreement,
                    "origin": origin,
                    **{column.name: None for column in IDS.values()},
                    **{column.name: "" for column in KEYS.values()},
                    IDS[origin].name: ticket_id,
                    KEYS[origin].name: key,
                    "marker": marker,
                    "state": LinkState.NEW,
                    "gen": 1,
                    "done_gen": 0,
                    "due_at": now,
                    "epoch": 0,
                    "attempts": 0,
                    "reason": "",
                    "internal_linked": False,
                    "vendor_linked": False,
                    "findings": [],
                    "created_at": now,
                }
            )
            .on_conflict_do_nothing()
            .returning(*C)
        )
        row = self._connection.execute(statement).one_or_none()
        if row is not None:
            return _link(row), True
        link = self._one(and_(C.agreement == agreement, IDS[origin] == ticket_id))
        if link is None:
            raise StoreError(
                f"The mark {marker!r} of agreement {agreement!r} already belongs to another ticket."
            )
        return link, False

    def set_peer(self, link_id: int, side: Side, ticket_id: str, key: str) -> None:
        """Note which ticket the link has on that side; repeating it is harmless.

        Links whose tickets are related to it, and had to wait until it is mirrored, are due at once.

        Raises:
            StoreError: the link has another ticket there, or the ticket another link.
        """
        statement = (
            update(links)
            .where(C.id == link_id, or_(IDS[side].is_(None), IDS[side] == ticket_id))
            .values({IDS[side].name: ticket_id, KEYS[side].name: key})
        )
        try:
            changed = self._connection.execute(statement).rowcount
        except IntegrityError as error:
            raise StoreError(
                f"The {side} ticket {key} ({ticket_id}) already has a link under this agreement; "
                f"link {link_id} cannot have it too."
            ) from error
        if not changed:
            raise StoreError(
                f"Link {link_id} does not exist or has another {side} ticket than {key} ({ticket_id}); "
                "a link never changes its tickets."
            )
        self._wake_waiting(link_id)

    def set_key(self, link_id: int, side: Side, key: str) -> None:
        """Note what people call the ticket now: it was moved to another project."""
        self._change(link_id, {KEYS[side].name: key})

    def follow(self, link_id: int, side: Side, ticket_id: str, key: str) -> None:
        """Note that the link's ticket was merged into another one, which it follows from now on.

        Raises:
            StoreError: the other ticket has a link of its own under this agreement, or there is no such link.
        """
        try:
            self._change(link_id, {IDS[side].name: ticket_id, KEYS[side].name: key})
        except IntegrityError as error:
            raise StoreError(
                f"The {side} ticket {key} ({ticket_id}) already has a link under this agreement."
            ) from error

    def set_state(self, link_id: int, state: LinkState) -> None:
        """Put a link into a state, whatever work is going on; with ``reopen`` the only way out of CLOSED."""
        self._change(link_id, {"state": state})

    def set_findings(self, link_id: int, findings: Sequence[Mapping[str, Any]]) -> None:
        """Put other findings into the place of those that a link has, outside any work on it."""
        self._change(link_id, {"findings": [dict(finding) for finding in findings]})

    def mark_linked(self, link_id: int, side: Side, *, linked: bool = True) -> None:
        """Note that the link back is written on that side's ticket, or was taken off again."""
        self._change(link_id, {LINKED[side].name: linked})

    def close(self, link_id: int) -> None:
        """End a link, whatever work is going on: that work changes the row no more, and nothing makes it due."""
        ended = {"state": LinkState.CLOSED, "due_at": None, "next_try": None, "done_gen": C.gen}
        self._change(
            link_id, {**ended, "epoch": C.epoch + 1, "reason": "", "reason_since": None, "findings": []}
        )

    def reopen(self, link_id: int, now: int) -> None:
        """Have a link with both its tickets go on, or begin, at once; work on it as it was before changes nothing.

        Links that waited for one of its tickets are due at once as well, as with ``set_peer``.
        """
        begun = {"state": LinkState.ACTIVE, "due_at": now, "gen": C.gen + 1, "epoch": C.epoch + 1}
        self._change(link_id, {**begun, "attempts": 0, "reason": "", "reason_since": None, "findings": []})
        self._wake_waiting(link_id)

    def release(self, link_id: int, side: Side) -> None:
        """Let an ended link's ticket have another link; the key stays, for the story.

        Raises:
            StoreError: the link has not ended, or does not exist.
        """
        statement = update(links).where(C.id == link_id, C.state == LinkState.CLOSED)
        if not self._run(statement.values({IDS[side].name: None})):
            raise StoreError(f"Link {link_id} has not ended, so it keeps its tickets.")

    # --- work ----------------------------------------------------------------------------

    def wake(self, ids: Iterable[int], now: int) -> None:
        """Have those links looked at: now, or when they were due if that is earlier; parked ones too.

        The rows are locked in the order of their ids, so that two nodes waking the same links on PostgreSQL
        never wait for each other.
        """
        for portion in chunks(sorted(ids)):
            chosen = select(C.id).where(C.id.in_(portion)).order_by(C.id).with_for_update()
            statement = update(links).where(C.id.in_(chosen)).values(gen=C.gen + 1, due_at=_no_later(now))
            self._connection.execute(statement)

    def due(self, now: int, limit: int, agreement: str | None = None) -> builtins.list[int]:
        """The links to be looked at, of one agreement or of all, the longest waiting first."""
        query = select(C.id).where(C.due_at <= now).order_by(C.due_at, C.id).limit(limit)
        if agreement is not None:
            query = query.where(C.agreement == agreement)
        return builtins.list(self._connection.scalars(query))

    def start(self, link_id: int) -> Link | None:
        """Take the link for work: the row with its new epoch, None when there is no such link.

        ``due_at`` stays in the past, so that the link is found again should this process die.
        """
        statement = update(links).where(C.id == link_id).values(epoch=C.epoch + 1).returning(*C)
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else _link(row)

    def finish(
        self,
        link_id: int,
        epoch: int,
        gen: int,
        *,
        due_at: int | None,
        state: LinkState,
        findings: Sequence[Mapping[str, Any]],
        synced_at: int | None,
    ) -> bool:
        """Note that the work is done.

        Args:
            link_id: the link.
            epoch: of the row that ``start`` gave.
            gen: likewise.
            due_at: when to look again by itself, None for "only when woken"; void if it was woken meanwhile.
            state: the state from now on; a link that was closed meanwhile stays closed.
            findings: what the plan had to remark.
            synced_at: when both sides were in agreement; None leaves the older stamp.

        Returns:
            False, and nothing changed, when somebody else has started the link since.
        """
        return self._fenced(
            link_id,
            epoch,
            {
                "done_gen": gen,
                "due_at": case((C.gen == gen, _time(due_at)), else_=C.due_at),
                "state": _unless_closed(state),
                "attempts": 0,
                "reason": "",
                "reason_since": None,
                "next_try": None,
                "findings": [dict(finding) for finding in findings],
                "synced_at": C.synced_at if synced_at is None else synced_at,
            },
        )

    def park(
        self,
        link_id: int,
        epoch: int,
        gen: int,
        *,
        reason: str,
        now: int,
        next_try: int | None,
        findings: Sequence[Mapping[str, Any]],
    ) -> bool:
        """Note that the link cannot proceed, why, and when it is tried again.

        Args:
            link_id: the link.
            epoch: of the row that ``start`` gave.
            gen: likewise.
            reason: why, for people.
            now: the present; becomes ``reason_since`` unless the link was already parked.
            next_try: when to try again by itself, None for "only when woken"; a wake-up comes first.
            findings: what the plan had to remark.

        Returns:
            False, and nothing changed, when somebody else has started the link since.
        """
        return self._fenced(
            link_id,
            epoch,
            {
                "due_at": case((C.gen == gen, _time(next_try)), else_=_no_later(next_try)),
                "state": _unless_closed(LinkState.PARKED),
                "attempts": C.attempts + 1,
                "reason": reason,
                "reason_since": case(
                    (and_(C.state == LinkState.PARKED, C.reason_since.is_not(None)), C.reason_since),
                    else_=_time(now),
                ),
                "next_try": next_try,
                "findings": [dict(finding) for finding in findings],
            },
        )

    def rest(self, link_id: int) -> None:
        """Look at the link no more until somebody wakes it: it has ended."""
        self._change(link_id, {"due_at": None, "next_try": None, "done_gen": C.gen})

    def postpone(self, link_id: int, epoch: int, gen: int, due_at: int | None) -> bool:
        """Leave the link as it is and look again later; a wake-up meanwhile comes first.

        Returns:
            False, and nothing changed, when somebody else has started the link since.
        """
        return self._fenced(
            link_id, epoch, {"due_at": case((C.gen == gen, _time(due_at)), else_=_no_later(due_at))}
        )

    # --- how -----------------------------------------------------------------------------

    def _wake_waiting(self, link_id: int) -> None:
        link = self.get(link_id)
        assert link is not None
        waits = Waits(self._connection)
        for one in Side:
            ticket = link.ticket(one)
            self.wake(waits.take(link.agreement, one, ticket) if ticket is not None else (), AT_ONCE)

    def _one(self, condition: ColumnElement[bool]) -> Link | None:
        row = self._connection.execute(select(links).where(condition)).one_or_none()
        return None if row is None else _link(row)

    def _many(self, *conditions: ColumnElement[bool]) -> builtins.list[Link]:
        query = select(links).where(*conditions).order_by(C.id)
        return [_link(row) for row in self._connection.execute(query)]

    def _change(self, link_id: int, values: Mapping[str, Any]) -> None:
        if not self._run(update(links).where(C.id == link_id).values(values)):
            raise StoreError(f"Link {link_id} does not exist.")

    def _fenced(self, link_id: int, epoch: int, values: Mapping[str, Any]) -> bool:
        return self._run(update(links).where(C.id == link_id, C.epoch == epoch).values(values))

    def _run(self, statement: Update) -> bool:
        return bool(self._connection.execute(statement).rowcount)
