"""How long the journal keeps what people wrote: older values are erased once a day, their seals stay for ever."""

from __future__ import annotations

import structlog

from bridge.clock import SECOND
from bridge.daemon.house import House

log = structlog.get_logger(__name__)

NOTE = "audit/retained"
"""When values were last erased for their age, in the store: a daemon that is restarted daily must not forget it."""

DAY = 86_400 * SECOND

MOST = 2_000
"""Values of one chain that are erased at once: nobody is to wait long for the database meanwhile."""


def retain(house: House) -> int:
    """Erase the values that are older than the configuration lets them become, if it is time; returns how many.

    Raises:
        StoreError: our own database failed.
    """
    kept = house.terms.settings.keep_values
    now = house.clock.now()
    if kept is None:
        return 0
    before = now - int(kept * SECOND)
    with house.store.read() as tx:
        last = tx.cursors.get_note(NOTE)
        if last is not None and now - last["at"] < DAY:
            return 0
        chains = [head.agreement for head in tx.chains.heads()]
    erased = 0
    for agreement in chains:
        with house.store.read() as tx:
            border = tx.chains.border(agreement, before)
        full = True
        while full:
            with house.store.write(durable=False) as tx:
                doomed = tx.chains.aged(agreement, before, border, MOST)
                full = len(doomed.values) == MOST or len(doomed.older) == MOST
                erased += tx.chains.erase(doomed, now, why="retention")
    with house.store.write(durable=False) as tx:
        tx.cursors.set_note(NOTE, {"at": now})
    if erased:
        log.info("values_erased", count=erased)
    return erased
