"""Writing the note about what is held: one comment of the bridge's own on each ticket, updated in place.

A note is written under an intent, like any comment: one whose answer was lost is looked for before it is written
again. Where nobody can change a comment, a further one follows when the plan says so.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.daemon.books import Books
from bridge.daemon.commenting import add_comment, comment_marker
from bridge.daemon.run import Run
from bridge.errors import Gone
from bridge.sync.base import PairState
from bridge.sync.holdnotes import HOLDS
from bridge.sync.plan import AddComment, WriteNote


def write_note(run: Run, action: WriteNote, books: Books) -> None:
    """Write the note, in the place of the one that is there.

    Raises:
        OutcomeUnknown: a new one may be there; the intent stays open.
        TrackerError: it was not written.
    """
    if not _edit(run, action, books):
        words = AddComment(action.side, "", HOLDS, action.body, action.said)
        add_comment(run, words, books, marker=comment_marker(run, action.side, HOLDS))


def _edit(run: Run, action: WriteNote, books: Books) -> bool:
    """Change the note that is there; False when there is none that could be changed."""
    pair, ticket = action.pair, run.link.ticket(action.side)
    assert ticket is not None
    if pair is None or pair.state is not PairState.NOTE or not run.scope(action.side).edits_texts:
        return False
    try:
        at = run.tracker(action.side).edit_comment(ticket, pair.copy_id, action.body)
    except Gone as error:
        books.turned_down(action.side, "note", error)
        # Somebody has deleted it; what is new is worth saying all the same.
        books.pairs.append(replace(pair, state=PairState.COPY_DELETED))
        return False
    books.pairs.append(replace(pair, copy_digest=action.said))
    books.wrote(action.side, at, "note.updated", {"copy": pair.copy_id})
    return True
