"""Carrying comments over: a new copy under an intent, a copy that follows its origin, a copy that is taken back."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from typing import Any

from bridge.daemon.books import Books
from bridge.daemon.guarding import keep_private, tell_exposed
from bridge.daemon.intending import SKEW, forgo, intend, lost
from bridge.daemon.run import Run
from bridge.errors import Gone, OutcomeUnknown, Refused, TrackerError
from bridge.markup import to_json
from bridge.store.rows import Intent, IntentKind
from bridge.sync.base import CommentPair, PairState
from bridge.sync.plan import AddComment, DeleteComment, EditComment, Finding
from bridge.sync.privacy import tried
from bridge.sync.ticket import Side


def add_comment(run: Run, action: AddComment, books: Books, *, marker: str = "") -> None:
    """Write the copy of a comment, under an intent.

    Args:
        run: the run.
        action: what to write.
        books: the run's books.
        marker: the mark of words of the bridge's own, which have no original to be named after.

    Raises:
        OutcomeUnknown: it may be there; the intent stays open.
        TrackerError: it surely is not.
    """
    ticket = run.link.ticket(action.side)
    assert ticket is not None
    marker = marker or comment_marker(run, action.side, action.origin_id)
    intent = _intend(run, action, marker)
    try:
        comment, at = _write(run, action, ticket, marker, books)
    except OutcomeUnknown:
        lost(run, intent)
        raise
    except TrackerError as error:
        forgo(run, intent, error.words)
        raise
    pair = adopt_comment(run, intent, comment)
    books.written[action.side] = max(at, books.written.get(action.side, 0))
    books.writes += 1
    exposed = keep_private(run, pair) if action.private else None
    if exposed is not None:
        books.findings.append(exposed)


def find_copy(run: Run, action: AddComment, there: Container[str]) -> str:
    """Look for the copy of a comment that our database does not know of, and note it as one that we have written.

    Args:
        run: the run over its link.
        action: what would write it.
        there: ids of the comments that it may be.

    Returns:
        Its id; "" when it is not there.

    Raises:
        TrackerError: the tracker cannot be asked now, or a private copy came out public and cannot be taken back.
    """
    ticket, origin = run.link.ticket(action.side), run.views[action.side.other].ticket
    assert ticket is not None
    assert origin is not None
    since = min((one.created for one in origin.comments if one.id == action.origin_id), default=0)
    marker = comment_marker(run, action.side, action.origin_id)
    found = run.tracker(action.side).find_comment(
        ticket, action.body, marker, since - SKEW, private=action.private
    )
    if found is None or found not in there:
        return ""
    pair = adopt_comment(run, _intend(run, action, marker), found)
    if action.private:
        keep_private(run, pair)
    return found


def _intend(run: Run, action: AddComment, marker: str) -> Intent:
    detail = {
        "body": to_json(action.body),
        "origin_digest": action.origin_digest,
        "copy_digest": action.copy_digest,
        "private": action.private,
    }
    return intend(run, IntentKind.COMMENT, action.side, marker, action.origin_id, detail=detail)


def _write(run: Run, action: AddComment, ticket: str, marker: str, books: Books) -> tuple[str, int]:
    """Write the copy, as an answer where it is one; returns its id and the tracker's time."""
    tracker = run.tracker(action.side)
    privacy = run.scope(action.side).privacy if action.private else None
    parent = _twin(run, action)
    if parent:
        try:
            return tracker.add_comment(ticket, action.body, marker, private=privacy, parent=parent)
        except Refused as error:
            # The site has no threads, or this one ended. A refused write has made nothing.
            books.turned_down(action.side, IntentKind.COMMENT.value, error)
    return tracker.add_comment(ticket, action.body, marker, private=privacy)


def _twin(run: Run, action: AddComment) -> str:
    """The comment on the receiving side that the copy answers: its id, or "".

    In a thread a comment is as visible as what it answers, so only one that is equally private will do.
    """
    origin, wanted = action.side.other, PairState.PRIVATE if action.private else PairState.PAIRED
    for pair in run.pairs:
        if pair.state is wanted and (pair.origin, pair.origin_id) == (origin, action.answers):
            return pair.copy_id
        if pair.state is wanted and (pair.origin, pair.copy_id) == (action.side, action.answers):
            return pair.origin_id
    return ""


def adopt_comment(run: Run, intent: Intent, comment: str) -> CommentPair:
    """Note in one transaction that a comment's copy exists."""
    origin_digest, copy_digest = intent.detail["origin_digest"], intent.detail["copy_digest"]
    now = run.house.clock.now()
    origin = intent.side.other
    # Words of the bridge itself have no original.
    written = PairState.PRIVATE if intent.detail.get("private") else PairState.PAIRED
    state = written if intent.subject else PairState.NOTE
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
        if known is not None and known.state.live and known.copy_id != comment:
            # A text that follows beside the first copy, which nobody can change: that stays ours, and stays here.
            first = CommentPair(0, origin, "", known.copy_id, state=PairState.NOTE)
            renewed.append(tx.comments.add(run.link.id, first))
    run.pairs = (*(one for one in run.pairs if one is not known), *renewed)
    return pair


def comment_marker(run: Run, side: Side, origin_id: str) -> str:
    """The mark of a comment's copy: the link's mark, the receiving side, the original's id."""
    return f"{run.link.marker}/{side.value}/{origin_id}"


def edit_comment(run: Run, action: EditComment, books: Books) -> None:
    """Have a copy follow its origin; what somebody else wrote into it is in the journal first.

    A private copy is looked at before and after: the new text must not meet one that was made public meanwhile.

    Raises:
        TrackerError: it was not done.
    """
    ticket, pair = run.link.ticket(action.side), action.pair
    assert ticket is not None
    private = pair.state is PairState.PRIVATE
    if private and (exposed := keep_private(run, pair, written=False)) is not None:
        books.findings.append(exposed)
        return
    if action.loser:
        with run.house.store.write() as tx:
            kept = {"side": action.side.value, "copy": pair.copy_id, "loser": action.loser}
            tx.journal.add(run.house.clock.now(), run.agreement.name, run.link.id, "words.kept", kept)
    try:
        at = run.tracker(action.side).edit_comment(ticket, pair.copy_id, action.body)
    except Gone as error:
        books.turned_down(action.side, "comment-edit", error)
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
    if private and (exposed := keep_private(run, pair)) is not None:
        books.findings.append(exposed)
        books.writes += 1
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
    if action.why == "exposed":
        tell_exposed(run, pair, withdrawn=False)
    at = run.tracker(action.side).delete_comment(ticket, pair.copy_id)
    gone = replace(pair, state=PairState.ORIGIN_DELETED)
    if action.why == "exposed" and _exposed_before(run, pair):
        # A rule over there may publish whatever we write: once more, and the text would be public once more.
        gone = replace(pair, state=PairState.WITHDRAWN, copy_digest=tried(run.agreement, action.side))
    if action.why == "deleted":
        books.pairs.append(gone)
    else:
        # On the disk at once, or a crash would make it look as if others had deleted the copy.
        with run.house.store.write() as tx:
            tx.comments.update(gone)
        run.pairs = tuple(gone if one.id == pair.id else one for one in run.pairs)
        run.views.pop(action.side, None)
        books.cleared = True
    if action.why == "exposed":
        tell_exposed(run, pair, withdrawn=True)
        message = f"the copy of a private comment was public on the {action.side} side, and was taken back"
        books.findings.append(Finding("exposed", action.side, "", message))
    data = {"origin": pair.origin_id, "copy": pair.copy_id, "why": action.why}
    books.wrote(action.side, at, "comment.deleted", data)


def _exposed_before(run: Run, pair: CommentPair) -> bool:
    """Whether an earlier copy of this comment was made public as well."""
    with run.house.store.read() as tx:
        journal = tx.journal.for_link(run.link.id)
    wanted = {"side": pair.origin.other.value, "origin": pair.origin_id, "why": "exposed"}
    return any(one.event == "comment.deleted" and wanted.items() <= one.data.items() for one in journal)
