"""What the tests of the store have in common: a present, and a way to make links."""

from bridge.store import Link, LinkState, Store
from bridge.sync.ticket import Side

NOW = 1_800_000_000_000_000
"""A present in 2027, far beyond 32 bits."""

MINUTE = 60_000_000


def make(store: Store, ticket: str = "10042", agreement: str = "acme", side: Side = Side.INTERNAL) -> Link:
    """A new link of that ticket, with a mark of its own."""
    with store.write() as tx:
        return tx.links.add(agreement, side, ticket, f"OPS-{ticket}", f"mark-{side}-{ticket}", NOW)[0]


def get(store: Store, link_id: int) -> Link:
    """The link as it is now."""
    with store.read() as tx:
        link = tx.links.get(link_id)
    assert link is not None
    return link


def start(store: Store, link_id: int) -> Link:
    """Take the link for work."""
    with store.write() as tx:
        link = tx.links.start(link_id)
    assert link is not None
    return link


def wake(store: Store, *ids: int, now: int = NOW) -> None:
    """Wake those links."""
    with store.write() as tx:
        tx.links.wake(ids, now)


def finish(store: Store, link: Link, **how) -> bool:
    """Finish the work on that link; active, no due time and no findings unless said otherwise."""
    values = {"due_at": None, "state": LinkState.ACTIVE, "findings": (), "synced_at": None} | how
    with store.write() as tx:
        return tx.links.finish(link.id, link.epoch, link.gen, **values)


def park(store: Store, link: Link, **how) -> bool:
    """Park that link; for a minute unless said otherwise."""
    values = {"reason": "401", "now": NOW, "next_try": NOW + MINUTE, "findings": ()} | how
    with store.write() as tx:
        return tx.links.park(link.id, link.epoch, link.gen, **values)
