"""One link being worked on: what belongs to this run, and how its two sides are read.

A run reads its terms once and is of one mind from then on. Reading is lazy and as cheap as is safe: a sighting from a
poll serves when it is provably newer than all we know; a side that is to be written is read by id first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.config.settings import TrackerSettings
from bridge.daemon.house import House, Terms, field_specs
from bridge.daemon.neighbours import related, without_neighbours
from bridge.errors import Gone, Refused
from bridge.store.rows import Intent, Link
from bridge.sync.agreement import Agreement, Scope
from bridge.sync.base import Base, CommentPair, PartPair
from bridge.sync.decide import decide
from bridge.sync.holding import Hold
from bridge.sync.plan import AWAY, LinkView, Neighbour, Plan, View
from bridge.sync.sequel import sequel
from bridge.sync.ticket import FieldChange, Side, Ticket
from bridge.trackers.protocol import Abilities, FieldSpec, Tracker

YOUNGEST = 2**63 - 1
"""Stands for the row id of a link that is still to be: it will be younger than all others."""


@dataclass(slots=True)
class Run:
    """The state of one run over one link.

    Attributes:
        house: the running parts.
        terms: the terms this run goes by.
        agreement: the link's agreement.
        link: the link's row as it was at the start, renewed when the peer is created.
        bases: what each side looked like at the last agreement.
        pairs: its comment pairs.
        intents: writes of earlier runs whose outcome is still owed.
        views: sides as read so far.
        read_at: side -> the tracker's time just before it was last read by id.
        asked: sides whose tracker this run has spoken to.
        parts: its pairs of files, relations and worklogs.
        warrant: fingerprint of the reviewed plan that this run carries out, and nothing else; "" for a run of the
            daemon's.
        begun: what was reviewed, once carrying it out has begun; None before.
        mirrored: links that count as mirrored; None for all that are. What a reviewed plan has just mirrored is as
            unknown to its other lines as it was when they were planned.
        holds: every hold that it ever had, as they were at the start.
        histories: sides whose history was asked for, since they were last read.
    """

    house: House
    terms: Terms
    agreement: Agreement
    link: Link
    bases: dict[Side, Base]
    pairs: tuple[CommentPair, ...]
    intents: tuple[Intent, ...] = ()
    views: dict[Side, View] = field(default_factory=dict)
    asked: set[Side] = field(default_factory=set)
    read_at: dict[Side, int] = field(default_factory=dict)
    parts: tuple[PartPair, ...] = ()
    warrant: str = ""
    begun: Plan | None = None
    mirrored: Collection[int] | None = None
    holds: tuple[Hold, ...] = ()
    histories: dict[Side, tuple[FieldChange, ...]] = field(default_factory=dict)

    def scope(self, side: Side) -> Scope:
        """That side's scope."""
        return self.agreement.scope(side)

    def tracker(self, side: Side) -> Tracker:
        """That side's tracker, to ask it something."""
        self.asked.add(side)
        return self.terms.trackers[self.scope(side).tracker]

    def urls(self) -> dict[Side, str]:
        """Where people can open the tickets that were read."""
        tickets = {side: view.ticket for side, view in self.views.items()}
        return {side: ticket.url for side, ticket in tickets.items() if ticket is not None}

    def _abilities(self, side: Side) -> Abilities:
        return self.terms.trackers[self.scope(side).tracker].abilities

    def settings(self, side: Side) -> TrackerSettings:
        """That side's tracker settings."""
        return self.terms.settings.trackers[self.scope(side).tracker]

    def specs(self, side: Side) -> tuple[FieldSpec, ...]:
        """The custom fields that side's adapter must know."""
        return field_specs(self.agreement, side)

    def read(self, side: Side, *, strong: bool = False) -> View:
        """That side as it is now; by id when asked, or when no sighting is good enough.

        Raises:
            TrackerError: it cannot be read now.
        """
        known = self.views.get(side)
        if known is not None and (known.strong or not strong):
            return known
        view = self._read(side, strong=strong)
        self.views[side] = view
        self.histories.pop(side, None)
        return view

    def _read(self, side: Side, *, strong: bool) -> View:
        ticket_id = self.link.ticket(side)
        base = self.bases[side]
        if ticket_id is None:
            return View(None, base, strong=True, exists=False)
        name, sightings = self.scope(side).tracker, self.house.sightings
        if not strong:
            seen = sightings.get(name, ticket_id, self.agreement.name)
            if seen is not None and self._whole(seen) and base.fresh(seen.updated):
                return View(self._own(side, seen), base, strong=False)
        asked = sightings.moment()
        self.read_at[side] = self.tracker(side).now()
        answer = self.tracker(side).fetch([ticket_id], self.specs(side))
        # Under another id: it was merged into that ticket.
        found = answer.get(ticket_id) or next(iter(answer.values()), None)
        if found is None:
            sightings.forget(name, ticket_id)
            return View(None, base, strong=True)
        if self.agreement.worklogs.cross and not found.worklogs_complete:
            spent = self.tracker(side).structure.worklogs(ticket_id)
            found = replace(found, worklogs=tuple(spent), worklogs_complete=True)
        sightings.put(name, found, self.agreement.name, asked)
        return View(self._own(side, found), base, strong=True)

    def _whole(self, seen: Ticket) -> bool:
        """Whether a sighting holds everything that the agreement is about."""
        return seen.comments_complete and (seen.worklogs_complete or not self.agreement.worklogs.cross)

    def _own(self, side: Side, ticket: Ticket) -> Ticket:
        with self.house.store.read() as tx:
            return without_neighbours(tx, self.house, self.terms, self.link, side, ticket)

    def look(self, changed_at: Mapping[str, tuple[int, int]] | None = None) -> LinkView:
        """Both sides as read so far, for the core."""
        return LinkView(
            origin=self.link.origin,
            marker=self.link.marker,
            internal=self.read(Side.INTERNAL),
            vendor=self.read(Side.VENDOR),
            pairs=self.pairs,
            linked=frozenset(side for side in Side if self.link.linked(side)),
            changed_at=changed_at or {},
            id=self.link.id or YOUNGEST,
            parts=self.parts,
            files_move=all(self._abilities(side).attachments for side in Side),
            neighbours={side: self._related(side) for side in Side},
            holds=self.holds,
            histories=dict(self.histories),
            now=self.house.clock.now(),
        )

    def _related(self, side: Side) -> dict[str, Neighbour]:
        ticket = self.read(side).ticket
        rules = self.agreement.relations
        if ticket is None or not (rules.parent or rules.links):
            return {}
        with self.house.store.read() as tx:
            found = related(tx, self.agreement, side, ticket)
        if self.mirrored is None:
            return found
        return {number: one for number, one in found.items() if one.link in self.mirrored}

    def sequel(self, plan: Plan) -> Plan | None:
        """What follows once a creation that the plan begins with is done; None when it creates nothing.

        Raises:
            TrackerError: something that must be read cannot be read now.
        """
        return sequel(self.made(), self.look(), plan)

    def made(self) -> Agreement:
        """The agreement with what both trackers know of its people.

        Raises:
            TrackerError: somebody must be known and cannot be asked for now.
        """
        now, trackers = self.house.clock.now(), self.terms.trackers
        agreement = self.house.acquaintances.made(self.agreement, trackers, now)
        return self.house.rosters.made(agreement, self.agreement, trackers, self.house.store, now)

    def plan(self) -> Plan:
        """The decision, on ground that is sure enough for every write it contains.

        Raises:
            TrackerError: something that must be read cannot be read now.
        """
        times: dict[str, tuple[int, int]] = {}
        agreement = self.made()
        plan = decide(agreement, self.look())
        while True:
            weak = [side for side in Side if not self.views[side].strong]
            away = {one.side for one in plan.findings if one.kind in AWAY}
            needed = [
                side for side in weak if plan.destroys or plan.unsure or plan.rests_on(side) or side in away
            ]
            unasked = plan.asks - self.histories.keys()
            if not needed and not unasked and not (plan.unsure - times.keys()):
                return plan
            for side in needed:
                self.read(side, strong=True)
            if not needed:
                # Only now: a history must not be older than the ticket that it explains.
                for side in unasked:
                    self.histories[side] = self.history(side)
                times = self._times(plan.unsure) if plan.unsure else times
            plan = decide(agreement, self.look(times))

    def history(self, side: Side) -> tuple[FieldChange, ...]:
        """What the tracker tells of who changed what on that side, asked once; nothing where it does not tell us.

        Raises:
            TrackerError: the tracker cannot be asked now.
        """
        if side in self.histories:
            return self.histories[side]
        ticket = self.link.ticket(side)
        if ticket is None:
            return ()
        try:
            return tuple(self.tracker(side).histories([ticket]).get(ticket, ()))
        except (Refused, Gone):
            return ()

    def _times(self, fields: frozenset[str]) -> dict[str, tuple[int, int]]:
        """When each side last changed these fields, from the trackers' own histories."""
        stamps: dict[Side, dict[str, int]] = {}
        for side in Side:
            ticket = self.views[side].ticket
            assert ticket is not None
            history = self.histories.get(side)
            if history is None:
                history = tuple(self.tracker(side).histories([ticket.id]).get(ticket.id, ()))
            rules = [rule for rule in self.agreement.fields if rule.name in fields]
            stamps[side] = {
                rule.name: _last_change({rule.name, rule.name_on(side)}, history, ticket) for rule in rules
            }
        return {name: (stamps[Side.INTERNAL][name], stamps[Side.VENDOR][name]) for name in fields}


def _last_change(names: set[str], history: Sequence[FieldChange], ticket: Ticket) -> int:
    """The time of the newest change of a field, by any of its names; without a history it is as old as its ticket."""
    return max((change.at for change in history if change.field in names), default=ticket.created)
