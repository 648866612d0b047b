"""A feed asks one side of one agreement what has changed, and turns the answer into wake-ups.

The poll is the truth: lower bound only, overlapping by as much as the tracker's search may trail, repeated sightings
recognised by their stamp, the cursor stored only after the wake-ups are. A canary ticket rides along in every search,
so that an empty answer from a dead login cannot look like peace.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from bridge.clock import SECOND
from bridge.config.settings import Settings
from bridge.daemon.house import House, field_specs
from bridge.daemon.lookout import Glance, after_poll, after_refusal, canary, while_polling
from bridge.daemon.neighbours import without_neighbours
from bridge.daemon.policies import mark_stale
from bridge.daemon.recalling import forgotten_mirror, tell_forgotten
from bridge.daemon.restraint import looked_at
from bridge.daemon.returning import welcome
from bridge.errors import Gone, Refused
from bridge.store.database import Tx
from bridge.store.rows import Link, LinkState
from bridge.sync.agreement import Agreement
from bridge.sync.base import Base
from bridge.sync.echo import is_echo, parts_differ
from bridge.sync.identity import marker_for
from bridge.sync.privacy import classified
from bridge.sync.ticket import Side, Ticket
from bridge.trackers.protocol import Tracker, Watch

log = structlog.get_logger(__name__)

WALK = "walk"
"""Cursor of a first poll that is under way: it reads everything, which may take hours."""

FOLLOWED = 500
"""Linked tickets that one search names at most."""

PORTION = 100
"""Tickets read at once."""

YOUTH = 60.0
"""Seconds, beside twice the search's lag, before a link's ticket is old enough to be the canary."""

RESTRICTED = frozenset({"private-ticket", "classified"})
"""Kinds of findings of a ticket that may not cross."""

Wake = Callable[[Sequence[int]], None]
"""Tells the dispatcher which links to look at."""


@dataclass(frozen=True, slots=True)
class Catch:
    """What a poll brought: tickets in the answer, links to look at, links that are new."""

    hits: int
    woken: tuple[int, ...]
    new: int


class Feed:
    """One side of one agreement.

    Args:
        house: the running parts.
        agreement: name of the agreement.
        side: the side that is watched.
        wake: where wake-ups go after they are stored.
    """

    def __init__(self, house: House, agreement: str, side: Side, wake: Wake) -> None:
        self._house = house
        self.agreement = agreement
        self.side = side
        self._wake = wake

    def poll(self) -> Catch:
        """One poll. Everything it found is stored before the cursor moves.

        Raises:
            TrackerError: the tracker cannot be asked now; the cursor has not moved.
            StoreError: our own database failed; likewise.
        """
        agreement = self._house.terms.agreement(self.agreement)
        assert agreement is not None, "a reload stops the feeds of agreements that are gone"
        glance = Glance()
        try:
            catch = self._poll(agreement, glance)
        except (Refused, Gone):
            after_refusal(self._house, agreement, self.side)
            raise
        after_poll(self._house, agreement, self.side, glance)
        return catch

    def _poll(self, agreement: Agreement, glance: Glance) -> Catch:
        house, terms = self._house, self._house.terms
        scope = agreement.scope(self.side)
        tracker = terms.trackers[scope.tracker]
        settings = terms.settings.trackers[scope.tracker]
        with house.store.read() as tx:
            cursor = tx.cursors.get(agreement.name, self.side, "poll")
            walked = tx.cursors.get(agreement.name, self.side, WALK)
            linked = tuple(tx.links.ids(agreement.name, self.side))
            settled = glance.settled = house.clock.now() - int((2 * settings.search_lag + YOUTH) * SECOND)
            glance.canary = canary(house, tx, agreement.name, self.side, settled)
        me = house.account(tracker)
        started = tracker.now()
        # Without a selection the few who leave the project are worth no further search; the census sees them.
        follow = linked if scope.select or scope.since or len(linked) <= FOLLOWED else ()
        first = glance.first = cursor is None
        watched = house.watched(agreement.name, self.side)
        # A cursor from a clock that was ahead must not make us blind until the time has caught up.
        begin = min((walked or scope.since) if cursor is None else cursor, started)
        since = max(0, begin - int(settings.search_lag * SECOND))
        watch = Watch(scope, field_specs(agreement, self.side), follow)
        hits, new, woken = 0, 0, []
        asked = house.sightings.moment()
        for page in tracker.changes(watch, since, canary=glance.canary):
            hits += len(page)
            links, fresh = self._take(agreement, tracker, page, me.id, asked=asked, glance=glance)
            woken += links
            new += fresh
            self._wake(links)
            asked = house.sightings.moment()  # each page is asked for when it is wanted
            if first and page and len(follow) <= FOLLOWED:
                # One search, oldest first: a restart goes on from here.
                with house.store.write(durable=False) as tx:
                    tx.cursors.put(agreement.name, self.side, WALK, max(ticket.updated for ticket in page))
        with house.store.write(durable=False) as tx:
            # The answers have shown the tracker's clock anew: trust whichever reading is earlier.
            tx.cursors.put(agreement.name, self.side, "poll", min(started, tracker.now()))
            waiting = []
            if first or not watched.polled:
                # Peers are made only when both sides have been seen in full, and up to now since the start.
                waiting = [link.id for link in tx.links.list(agreement.name, [LinkState.NEW])]
                tx.links.wake(waiting, house.clock.now())
        watched.polled = True
        self._wake(waiting)
        log.debug(
            "feed_polled",
            agreement=agreement.name,
            side=self.side.value,
            hits=hits,
            woken=len(woken),
            new=new,
        )
        return Catch(hits, tuple(woken), new)

    def note(self, trouble: str) -> None:
        """Remember how this feed fares, for ``bridge status``; "" when all is well.

        Raises:
            StoreError: our own database failed.
        """
        with self._house.store.write(durable=False) as tx:
            note = {"at": self._house.clock.now(), "trouble": trouble}
            tx.cursors.set_note(f"feed/{self.agreement}/{self.side.value}", note)

    def take(self, ids: Sequence[str]) -> int:
        """Read tickets that no link knows, by id, and make links of those in scope; returns how many are new.

        Raises:
            TrackerError: the tracker cannot be asked now.
            StoreError: our own database failed.
        """
        terms = self._house.terms
        agreement = terms.agreement(self.agreement)
        assert agreement is not None, "a reload stops the feeds of agreements that are gone"
        tracker = terms.trackers[agreement.scope(self.side).tracker]
        me = self._house.account(tracker)
        specs = field_specs(agreement, self.side)
        new = 0
        for start in range(0, len(ids), PORTION):
            asked = self._house.sightings.moment()
            found = tracker.fetch(ids[start : start + PORTION], specs)
            links, fresh = self._take(agreement, tracker, list(found.values()), me.id, asked=asked)
            self._wake(links)
            new += fresh
        return new

    def _take(
        self,
        agreement: Agreement,
        tracker: Tracker,
        page: Sequence[Ticket],
        me: str,
        *,
        asked: int,
        glance: Glance | None = None,
    ) -> tuple[list[int], int]:
        """Turn a page of tickets into stored wake-ups; returns the links and how many are new."""
        house, side, terms = self._house, self.side, self._house.terms
        now = house.clock.now()
        with house.store.read() as tx:
            known = tx.links.by_ticket(agreement.name, side, [ticket.id for ticket in page])
            linked = [link.id for link in known.values()]
            bases = tx.bases.many(linked)
            looked = looked_at(tx, linked, side)
            restamped = {
                t.id
                for t in page
                if t.id in known and self._restamped(tracker, t, bases[known[t.id].id][side])
            }
            changed = [
                t
                for t in page
                if t.id not in known
                or t.id in restamped
                or t.updated > max(bases[known[t.id].id][side].seen, looked.get(known[t.id].id, 0))
            ]
            pairs = {known[t.id].id: tx.comments.list(known[t.id].id) for t in changed if t.id in known}
            parts = {known[t.id].id: tx.parts.list(known[t.id].id) for t in changed if t.id in known}
        if glance is not None:
            for ticket in page:
                link = known.get(ticket.id)
                glance.note(ticket, link, bases[link.id][side] if link is not None else None)
            while_polling(house, agreement, side, glance)
        woken: list[int] = []
        strangers: list[str] = []
        new = 0
        with house.store.write(durable=False) as tx:
            for ticket in changed:
                link = known.get(ticket.id)
                if link is not None and link.state is LinkState.CLOSED:
                    welcome(tx, link, side, now)
                    continue
                if link is None:
                    link = self._discover(tx, agreement, ticket, me, strangers)
                    if link is None:
                        continue
                    new += link.gen == 1
                elif not _worth_a_look(agreement, side, link, ticket) and is_echo(
                    agreement,
                    side,
                    without_neighbours(tx, house, terms, link, side, ticket),
                    bases[link.id][side],
                    pairs[link.id],
                    parts=parts[link.id],
                ):
                    tx.bases.touch(link.id, side, seen=ticket.updated)
                    # What is no news for the mirror may be some for a clock: a private word, who it is assigned to.
                    mark_stale(tx, terms, link, now)
                    house.sightings.put(tracker.name, ticket, agreement.name, asked)
                    continue
                if ticket.id in restamped:
                    house.sightings.forget(
                        tracker.name, ticket.id
                    )  # which of the two is newer only a read by id can tell
                else:
                    house.sightings.put(tracker.name, ticket, agreement.name, asked)
                if terms.settings.trackers[tracker.name].webhook is not None:
                    ours = ticket.updated - tracker.now() + house.clock.now()
                    house.hooks.found(tracker.name, ticket.id, ours, now)
                woken.append(link.id)
            tx.links.wake(woken, now)
        if strangers and glance is not None and not glance.first:
            tell_forgotten(house, f"{strangers[0]} carries a mark of ours that our database does not know")
        return woken, new

    def _restamped(self, tracker: Tracker, ticket: Ticket, base: Base) -> bool:
        """Whether a ticket differs from what was dealt with although its stamp is the same.

        Some trackers stamp whole seconds (Redmine, Jira on MySQL): two edits within one second look alike.
        """
        if ticket.updated != base.seen:
            return False
        before = self._house.sightings.get(tracker.name, ticket.id, self.agreement)
        if before is None or before.updated != ticket.updated:
            return False
        whole = before.comments_complete and ticket.comments_complete
        return (
            _standing(before) != _standing(ticket)
            or before.fields != ticket.fields
            or (whole and before.comments != ticket.comments)
            or parts_differ(before, ticket)
        )

    def _discover(
        self, tx: Tx, agreement: Agreement, ticket: Ticket, me: str, strangers: list[str]
    ) -> Link | None:
        """The link of a ticket that has none yet: the one whose mark it carries, or a new one.

        Mirrors of ours that our database has forgotten are added to ``strangers``.
        """
        house, side = self._house, self.side
        if ticket.marker:
            link = tx.links.by_marker(agreement.name, ticket.marker)
            if link is not None and link.ticket(side) == ticket.id:
                return link  # a worker has adopted it since this page was compared with the store
            if link is not None and link.ticket(side) is None:
                if not tx.intents.open(link.id) and ticket.creator is not None and ticket.creator.id == me:
                    if forgotten_mirror(house, tx, agreement.name, ticket, link):
                        strangers.append(ticket.key)
                    tx.links.set_peer(link.id, side, ticket.id, ticket.key)  # its making was forgotten
                return link  # with an open intent, the worker adopts it together with what it was to show
            if ticket.creator is None or ticket.creator.id == me:
                if link is None and forgotten_mirror(house, tx, agreement.name, ticket, None):
                    strangers.append(ticket.key)
                self._stray(tx, agreement, ticket, link)
                return None
            # Somebody copied a mirrored ticket, label and all: a ticket of its own.
        if side.other not in agreement.create_on or ticket.created < agreement.scope(side).since:
            return None
        if _is_control(self._house.terms.settings, agreement.scope(side).tracker, ticket):
            return None
        marker = marker_for(agreement.name, side, ticket.id)
        now = house.clock.now()
        link, made = tx.links.add(agreement.name, side, ticket.id, ticket.key, marker, now)
        if made:
            data = {"side": side.value, "id": ticket.id, "key": ticket.key}
            tx.journal.add(now, agreement.name, link.id, "link.found", data)
        mirror = tx.cursors.get_note(f"stray/{agreement.name}/{side.other.value}/{marker}")
        if mirror and link.ticket(side.other) is None:
            tx.links.set_peer(
                link.id, side.other, mirror["id"], mirror["key"]
            )  # seen before its original was
        return link

    def _stray(self, tx: Tx, agreement: Agreement, ticket: Ticket, link: Link | None) -> None:
        """A ticket of ours that belongs to no link of ours: never mirrored again, told once."""
        note = f"stray/{agreement.name}/{self.side.value}/{ticket.marker}"
        if tx.cursors.get_note(note):
            return
        tx.cursors.set_note(note, {"id": ticket.id, "key": ticket.key})
        log.error("stray_mirror", agreement=agreement.name, side=self.side.value, key=ticket.key)
        data = {"side": self.side.value, "key": ticket.key}
        tx.journal.add(
            self._house.clock.now(), agreement.name, link.id if link else None, "stray.found", data
        )


def _worth_a_look(agreement: Agreement, side: Side, link: Link, ticket: Ticket) -> bool:
    """Whether a change is never taken for an echo, though the ticket may show nothing that is not known.

    It has a new key; it may not cross, or might not when its link was last looked at; something of it is held, which
    may have been taken back; or somebody must be accountable for it, in a field that does not cross.
    """
    return (
        ticket.key != link.key(side)
        or ticket.private
        or classified(agreement, side, ticket)
        or any(finding.get("kind") in RESTRICTED for finding in link.findings)
        or link.state is LinkState.HELD
        or any(
            role.side is side
            and role.required_within is not None
            and role.field
            and agreement.field(role.field) is None
            for role in agreement.roles
        )
    )


def _standing(ticket: Ticket) -> tuple[str, bool, bool]:
    """Where a ticket is and who may see it: what decides whether it crosses at all."""
    return ticket.project, ticket.private, ticket.archived


def _is_control(settings: Settings, tracker: str, ticket: Ticket) -> bool:
    """Whether a ticket is one on which heads of the audit chain are told: what stands there crosses to nobody."""
    names = {
        name.casefold().removeprefix("#")
        for one in settings.agreements
        for side, name in one.control.items()
        if one.scope(side).tracker == tracker
    }
    return ticket.key.casefold() in names or ticket.id in names
