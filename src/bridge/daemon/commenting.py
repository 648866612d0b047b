"""Carrying comments over: a new copy under an intent, a copy that follows its origin, a copy that is taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bridge.daemon.books import Books
from bridge.daemon.intending import forgo, intend, lost
from bridge.daemon.run import Run
from bridge.errors import Gone, OutcomeUnknown, TrackerError
from bridge.markup import to_json
from bridge.store.rows import Intent, IntentKind
from bridge.sync.base import CommentPair, PairState
from bridge.sync.plan import AddComment, DeleteComment, EditComment, Finding
from bridge.sync.ticket import Side


def add_comment(run: Run, action: AddComment, books: Books) -> None:
    """Write the copy of a comment, under an intent.

    Raises:
        OutcomeUnknown: it may be there; the intent stays open.
        TrackerError: it surely is not.
    """
    ticket = run.link.ticket(action.side)
    assert ticket is not None
    marker = comment_marker(run, action.side, action.origin_id)
    detail = {
        "body": to_json(action.body),
        "origin_digest": action.origin_digest,
        "copy_digest": action.copy_digest,
    }
    intent = intend(run, IntentKind.COMMENT, action.side, marker, action.origin_id, detail=detail)
    try:
        comment, at = run.tracker(action.side).add_comment(ticket, action.body, marker)
    except OutcomeUnknown:
        lost(run, intent)
        raise
    except TrackerError as error:
        forgo(run, intent, error.words)
        raise
    adopt_comment(run, intent, comment, action.origin_digest, action.copy_digest)
    books.written[action.side] = max(at, books.written.get(action.side, 0))
    books.writes += 1


def adopt_comment(run: Run, intent: Intent, comment: str, origin_digest: str, copy_digest: str) -> None:
    """Note in one transaction that a comment's copy exists."""
    now = run.house.clock.now()
    origin = intent.side.other
    # Words of the bridge itself have no original.
    state = PairState.PAIRED if intent.subject else PairState.NOTE
    # A comment that was taken back and crosses again has its row already.
    known = next(
        (
            one
            for one in run.pairs
            if one.origin_id and (one.origin, one.origin_id) == (origin, intent.subject)
        ),
        None,
    )
    number = known.id if known else 0
    pair = CommentPair(number, origin, intent.subject, comment, origin_digest, copy_digest, state)
    with run.house.store.write() as tx:
        tx.intents.done(intent.id, comment, now)
        if known is None:
            pair = tx.comments.add(run.link.id, pair)
        else:
            tx.comments.update(pair)
        data = {"side": intent.side.value, "origin": intent.subject, "copy": comment}
        tx.journal.add(now, run.agreement.name, run.link.id, "comment.added", data)
        renewed = [pair]
        if known is not None and known.state is PairState.PAIRED and known.copy_id != comment:
            # A text that follows beside the first copy, which nobody can change: that stays ours, and stays here.
            first = CommentPair(0, origin, "", known.copy_id, state=PairState.NOTE)
            renewed.append(tx.comments.add(run.link.id, first))
    run.pairs = (*(one for one in run.pairs if one is not known), *renewed)


def comment_marker(run: Run, side: Side, origin_id: str) -> str:
    """The mark of a comment's copy: the link's mark, the receiving side, the original's id."""
    return f"{run.link.marker}/{side.value}/{origin_id}"


def edit_comment(run: Run, action: EditComment, books: Books) -> None:
    """Have a copy follow its origin; what somebody else wrote into it is in the journal first.

    Raises:
        TrackerError: it was not done.
    """
    ticket, pair = run.link.ticket(action.side), action.pair
    assert ticket is not None
    if action.loser:
        with run.house.store.write() as tx:
            kept = {"side": action.side.value, "copy": pair.copy_id, "loser": action.loser}
            tx.journal.add(run.house.clock.now(), run.agreement.name, run.link.id, "words.kept", kept)
    try:
        at = run.tracker(action.side).edit_comment(ticket, pair.copy_id, action.body)
    except Gone:
        books.pairs.append(replace(pair, state=PairState.COPY_DELETED))
        books.findings.append(
            Finding(
                "copy-deleted",
                action.side,
                "",
                f"the copy of a comment was deleted on the {action.side} side",
            )
        )
        return
    books.pairs.append(replace(pair, origin_digest=action.origin_digest, copy_digest=action.copy_digest))
    data: dict[str, Any] = {"origin": pair.origin_id, "copy": pair.copy_id, "why": action.why}
    if action.loser:
        data["loser"] = action.loser
    books.wrote(action.side, at, "comment.edited", data)


def delete_comment(run: Run, action: DeleteComment, books: Books) -> None:
    """Take a copy back.

    Raises:
        TrackerError: it was not done.
    """
    ticket, pair = run.link.ticket(action.side), action.pair
    assert ticket is not None
    at = run.tracker(action.side).delete_comment(ticket, pair.copy_id)
    books.pairs.append(replace(pair, state=PairState.ORIGIN_DELETED))
    data = {"origin": pair.origin_id, "copy": pair.copy_id, "why": action.why}
    books.wrote(action.side, at, "comment.deleted", data)
