"""Where hints come in: "look at these tickets of that tracker", proven to come from it and not believed any further.

One short transaction notes the delivery and wakes the links of the tickets; a repeated delivery does nothing. What a
poll saw of those tickets is forgotten, so that they are read by id: a hint comes sooner than a search index knows. A
ticket that no link knows makes the polls of its tracker come early, for only they can tell whether it is in scope.

Hints of one ticket that come in a burst are gathered: the first is worked on at once, the others a quarter of a second
later.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import structlog

from bridge.clock import SECOND
from bridge.daemon.house import House
from bridge.daemon.vanishing import suspect_gone
from bridge.store.rows import Link, LinkState
from bridge.sync.ticket import Side

log = structlog.get_logger(__name__)

LEAST_DISTANCE = SECOND // 4
"""Microseconds between two runs over one link that hints ask for."""

GRID = SECOND // 20
"""Microseconds to which the second run of a burst is rounded up, so that many bursts share one look into the index."""

KEPT = 86_400 * SECOND
"""How long ids of deliveries are kept; no sender repeats one after an hour."""

_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Hint:
    """One proven delivery.

    Attributes:
        tracker: name of the tracker it comes from.
        delivery: what its repetitions have in common.
        tickets: ids of the tickets it names; none when it says no more than "something has changed".
        deleted: it says that they were deleted; that is looked into, not believed.
    """

    tracker: str
    delivery: str
    tickets: tuple[str, ...]
    deleted: bool = False


class HintDesk:
    """Takes hints. Shared by all threads.

    Args:
        house: the running parts.
        wake: has links of an agreement worked on now.
        later: has the due index looked into at that moment (microseconds).
        nudge: has the feeds of a tracker poll soon, for tickets that no link knows.
    """

    def __init__(
        self,
        house: House,
        *,
        wake: Callable[[str, Sequence[int]], None],
        later: Callable[[int], None],
        nudge: Callable[[str, Collection[str]], None],
    ) -> None:
        self._house = house
        self._wake = wake
        self._later = later
        self._nudge = nudge
        self._woken: OrderedDict[int, int] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, hint: Hint) -> bool:
        """Take a hint; False when it was taken before.

        Raises:
            StoreError: our own database failed; the sender may try again.
        """
        house, now = self._house, self._house.clock.now()
        places = [
            (agreement.name, side)
            for agreement in house.terms.settings.agreements
            for side in Side
            if agreement.scope(side).tracker == hint.tracker
        ]
        known: set[str] = set()
        links: list[Link] = []
        moments: dict[int, int] = {}
        with house.store.write(durable=False) as tx:
            fresh = tx.deliveries.note(hint.tracker, hint.delivery, now)
            for agreement, side in places if fresh else ():
                found = tx.links.by_ticket(agreement, side, hint.tickets)
                known |= found.keys()
                for link in found.values() if hint.deleted else ():
                    suspect_gone(tx, link.id, side, now)
                links += [link for link in found.values() if link.state is not LinkState.CLOSED]
            # In the order of their ids, as all who wake links do: two of them never wait for each other.
            for link in sorted(links, key=lambda one: one.id):
                moments[link.id] = self._moment(link.id, now)
                tx.links.wake([link.id], moments[link.id])
            # Before the commit: whoever works on the links from then on must not take an old sighting for the truth.
            for ticket in known:
                house.sightings.forget(hint.tracker, ticket)
        if house.hooks.spoke(hint.tracker, hint.tickets, now, "accepted" if fresh else "repeated"):
            log.info("webhook_recovered", tracker=hint.tracker)
        if not fresh:
            return False
        for link in links:
            if moments[link.id] <= now:
                self._wake(link.agreement, [link.id])
            else:
                self._later(moments[link.id])
        if len(known) < len(hint.tickets) or not hint.tickets:
            self._nudge(hint.tracker, [ticket for ticket in hint.tickets if ticket not in known])
        return True

    def forget_old(self) -> None:
        """Forget ids of deliveries that no sender will repeat.

        Raises:
            StoreError: our own database failed.
        """
        with self._house.store.write(durable=False) as tx:
            tx.deliveries.forget(self._house.clock.now() - KEPT)

    def _moment(self, link: int, now: int) -> int:
        """When a link is to be worked on: now, or together with other hints of a burst."""
        with self._lock:
            before = self._woken.get(link, 0)
            if before > now:
                return before  # planned already
            moment = now if before + LEAST_DISTANCE <= now else _up(before + LEAST_DISTANCE)
            self._woken[link] = moment
            self._woken.move_to_end(link)
            while len(self._woken) > _MOST:
                self._woken.popitem(last=False)
            return moment


def _up(moment: int) -> int:
    """The next moment of the grid."""
    return -(-moment // GRID) * GRID
