"""A ticket that was taken for deleted is there again: restored from a backup, or the right to see it was given back.

Its link has ended, and the peer may have been closed since. So nothing begins again by itself, and no new mirror is
made either, for both tickets are known; it is told, and ``bridge link`` takes the mirroring up again.
"""

from __future__ import annotations

import structlog

from bridge.daemon.closing import DELETED, RETURNED
from bridge.store.database import Tx
from bridge.store.rows import Link
from bridge.sync.plan import Finding
from bridge.sync.ticket import Side

log = structlog.get_logger(__name__)


def missed(link: Link, side: Side) -> bool:
    """Whether an ended link's ticket on that side counts as deleted."""
    return any(one["kind"] == DELETED and one["side"] == side.value for one in link.findings)


def welcome(tx: Tx, link: Link, side: Side, now: int) -> None:
    """Tell once that the deleted ticket of an ended link can be seen again.

    Raises:
        StoreError: our own database failed.
    """
    if not missed(link, side):
        return
    keys = f"{link.internal_key} {link.vendor_key}"
    message = (
        f"the {side} ticket was taken for deleted and is there again; 'bridge link {keys}' mirrors it again"
    )
    finding = Finding(RETURNED, side, "", message).as_json()
    tx.links.set_findings(link.id, [finding])
    tx.journal.add(now, link.agreement, link.id, "finding.opened", finding)
    log.warning(
        "ticket_returned", agreement=link.agreement, link=link.id, side=side.value, key=link.key(side)
    )
