"""What a run leaves behind for people beside its work: findings that came or went, mails, facts to be remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.daemon.books import Books
from bridge.store.database import Tx
from bridge.store.rows import Link


def journal_findings(tx: Tx, link: Link, rows: Sequence[dict[str, Any]], now: int) -> None:
    """Tell of findings when they come and when they go, not at every look.

    Args:
        tx: the transaction that ends the run.
        link: the link as it was before.
        rows: its findings now, in the store's form.
        now: microseconds.
    """
    for row in rows:
        if row not in link.findings:
            tx.journal.add(now, link.agreement, link.id, "finding.opened", row)
    for row in link.findings:
        if row not in rows:
            tx.journal.add(now, link.agreement, link.id, "finding.closed", row)


def keep_told(tx: Tx, books: Books) -> None:
    """Store the facts and queue the mails of a run."""
    for key, note in books.notes.items():
        tx.cursors.keep_note(key, note)
    for letter in books.letters:
        tx.outbox.put(letter)
