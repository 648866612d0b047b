"""Everything a running bridge is made of, handed to each part of it.

Time, randomness, trackers and store arrive from outside, so that a simulated world can run the same parts under a
virtual clock. The configuration part is one frozen value that a reload replaces as a whole.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.clock import Clock
from bridge.config.settings import Settings, TrackerSettings
from bridge.daemon.acquaintances import Acquaintances
from bridge.daemon.cuts import Redactions
from bridge.daemon.health import Health
from bridge.daemon.listening import HookWatch
from bridge.daemon.pulse import Pulse
from bridge.daemon.rosters import RosterDesk
from bridge.daemon.sightings import Sightings
from bridge.daemon.spool import Spool
from bridge.daemon.steps import StepMemory
from bridge.daemon.stumbles import Stumbles
from bridge.daemon.tally import Tally
from bridge.daemon.witness import Witness
from bridge.store.database import Store, Tx
from bridge.store.lease import Lease
from bridge.sync.agreement import BUILT_IN_FIELDS, CLASSIFICATION, Agreement
from bridge.sync.ticket import Person, Side
from bridge.trackers.protocol import FieldSpec, Tracker

SITES = "site/"
"""How the notes begin that say at which site each side of an agreement is."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is in force: the settings and the trackers opened for them. Replaced as a whole by a reload."""

    settings: Settings
    trackers: Mapping[str, Tracker]

    def agreement(self, name: str) -> Agreement | None:
        """The agreement of that name, or None when the configuration has none any more."""
        return next((one for one in self.settings.agreements if one.name == name), None)


@dataclass(slots=True)
class Watched:
    """What this process knows of one side of one agreement as a whole.

    Attributes:
        polled: it has been polled to the end.
        canary: id of the linked ticket that changed last, as far as that is known; "" before it was asked for.
        stamp: when that was, microseconds of the tracker's clock.
        shows: polls of its tracker show the canary.
        looked: when the canary was last seen, or looked for by id, microseconds.
        asked: when many of its tickets were last read to judge the side as a whole, microseconds.
    """

    polled: bool = False
    canary: str = ""
    stamp: int = 0
    shows: bool = False
    looked: int = 0
    asked: int = 0


Place = tuple[str, Side, str]
"""Name of an agreement, a side of it, name of that side's tracker."""


@dataclass(slots=True)
class House:
    """The running parts, shared by all threads.

    Attributes:
        terms: what is in force now; read it once per piece of work, so that the piece is of one mind.
        store: our database.
        clock: the time.
        random: jitter for back-off.
        spool: where files lie on their way.
        witness: remembers outside of the database what was done; None for a house that only looks, or is a desk.
        lease: our right to be the only one who works on the database; None for a house that only looks.
        sightings: tickets as polls saw them.
        health: which trackers are out of reach.
        steps: workflow steps seen so far.
        stumbles: links that meet the same trouble again and again.
        acquaintances: who may be mentioned under each agreement.
        rosters: who is in the roles of each agreement.
        doubts: (agreement, side) -> until when its missing tickets are not worth a question (microseconds).
        hooks: which webhooks still speak.
        redactions: how often each rule has cut something out of what was written.
        tally: how many links were changed lately.
        pulse: which threads make progress.
        braking: held while a brake is pulled: many threads may see the same.
        watches: (agreement, side) -> what this process knows of how the side fares as a whole.
    """

    terms: Terms
    store: Store
    clock: Clock
    random: random.Random
    spool: Spool
    witness: Witness | None = None
    lease: Lease | None = None
    sightings: Sightings = field(default_factory=Sightings)
    health: Health = field(default_factory=Health)
    steps: StepMemory = field(default_factory=StepMemory)
    stumbles: Stumbles = field(default_factory=Stumbles)
    acquaintances: Acquaintances = field(default_factory=Acquaintances)
    rosters: RosterDesk = field(default_factory=RosterDesk)
    doubts: dict[tuple[str, Side], int] = field(default_factory=dict)
    hooks: HookWatch = field(default_factory=HookWatch)
    redactions: Redactions = field(default_factory=Redactions)
    tally: Tally = field(default_factory=Tally)
    pulse: Pulse = field(default_factory=Pulse)
    braking: threading.Lock = field(default_factory=threading.Lock)
    watches: dict[tuple[str, Side], Watched] = field(default_factory=dict)
    _former: tuple[Terms, tuple[Place, ...]] | None = None
    _accounts: dict[str, tuple[Tracker, Person]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def account(self, tracker: Tracker) -> Person:
        """The account we are logged in as, asked once per opened tracker.

        Raises:
            TrackerError: it cannot be asked now.
        """
        known = self._accounts.get(tracker.name)
        if known is not None and known[0] is tracker:
            return known[1]
        person = tracker.whoami()
        with self._lock:
            self._accounts[tracker.name] = (tracker, person)
        return person

    def watched(self, agreement: str, side: Side) -> Watched:
        """What this process knows of one side of one agreement as a whole."""
        with self._lock:
            return self.watches.setdefault((agreement, side), Watched())

    def places(self, tx: Tx, terms: Terms) -> tuple[Place, ...]:
        """Where tickets are or were mirrored: of all agreements, those that the configuration has no more included.

        What an agreement brought into a tracker stays there when the agreement has ended.

        Raises:
            StoreError: our own database failed.
        """
        known = self._former
        if known is None or known[0] is not terms:
            known = self._former = (terms, _places(tx, terms))
        return known[1]


def site(tracker: TrackerSettings) -> str:
    """What tells one site from another: a tracker may be given another name in the configuration."""
    return f"{tracker.kind} {tracker.url}"


def _places(tx: Tx, terms: Terms) -> tuple[Place, ...]:
    present = [
        (one.name, side, one.scope(side).tracker) for one in terms.settings.agreements for side in Side
    ]
    taken = {(name, side) for name, side, _ in present}
    former = []
    for note, where in tx.cursors.notes(SITES).items():
        name, _, side = note.removeprefix(SITES).rpartition("/")
        if (name, Side(side)) not in taken:
            named = [one for one, tracker in terms.settings.trackers.items() if site(tracker) == where]
            former += [(name, Side(side), one) for one in named]
    return (*present, *former)


def field_specs(agreement: Agreement, side: Side) -> tuple[FieldSpec, ...]:
    """The custom fields that side's adapter must know: those that cross, and those that are only looked at.

    Looked at are the field that says who is accountable, and the one that classifies a ticket.
    """
    names = {rule.name: rule.name_on(side) for rule in agreement.fields}
    for role in agreement.roles:
        if role.side is side and role.field:
            names.setdefault(role.field, role.field)
    if side in agreement.classified.names:
        names[CLASSIFICATION] = agreement.classified.names[side]
    return tuple(FieldSpec(name, native) for name, native in names.items() if name not in BUILT_IN_FIELDS)
