"""The store: what the bridge knows, on SQLite or PostgreSQL. The truth; the queue only carries wake-ups.

Open a :class:`Store`, begin a transaction with ``write()`` or ``read()``, and use the repositories on it::

    with store.write() as tx:
        link, new = tx.links.add("acme", Side.INTERNAL, "10042", "OPS-7", marker, clock.now())
        tx.journal.add(clock.now(), "acme", link.id, "link.found", {"key": link.internal_key})
"""

from bridge.store.database import Store, Tx
from bridge.store.rows import Intent, IntentKind, IntentState, JournalEntry, Link, LinkState

__all__ = ["Intent", "IntentKind", "IntentState", "JournalEntry", "Link", "LinkState", "Store", "Tx"]
