"""Seeing to it that the copy of a private comment is private, and taking it back at once when it is not.

A tracker may not do what it was asked: a proxy drops what it does not know, a workflow rewrites comments, a project
stops being a service desk. So every private write is looked at again, by asking anew, and whatever cannot be seen to be
private is deleted before anything else happens. It is not tried again blindly: something has to change first.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from bridge.daemon.run import Run
from bridge.errors import Gone, TrackerError
from bridge.sync.base import CommentPair, PairState
from bridge.sync.comments import withdrawn
from bridge.sync.plan import Finding
from bridge.sync.privacy import tried

log = structlog.get_logger(__name__)


def keep_private(run: Run, pair: CommentPair, *, written: bool = True) -> Finding | None:
    """Look at the copy of a private comment, and take it back unless it is private.

    Args:
        run: the run over its link.
        pair: the comment and its copy.
        written: whether we have just written it, so that it goes as well when the tracker cannot tell.

    Returns:
        None when all is well; else what people should know.

    Raises:
        TrackerError: the tracker cannot tell now, or does not let us take the copy back. In the first case a copy that
            we have just written was taken back and is written anew; in the second, the next look finds it exposed.
    """
    side = pair.origin.other
    ticket = run.link.ticket(side)
    assert ticket is not None
    try:
        if run.tracker(side).is_private(ticket, pair.copy_id):
            return None
    except Gone:
        return None  # somebody was quicker; the next look sees that
    except TrackerError:
        if written:
            _take_back(run, ticket, replace(pair, state=PairState.ORIGIN_DELETED))
        raise
    gone = replace(pair, state=PairState.WITHDRAWN, copy_digest=tried(run.agreement, side))
    _take_back(run, ticket, gone)
    return withdrawn(gone)


def tell_exposed(run: Run, pair: CommentPair, *, withdrawn: bool) -> None:
    """Say in the log that private text was, or may have been, public on the other side. None of it is in the line."""
    log.error(
        "private_exposed",
        agreement=run.agreement.name,
        link=run.link.id,
        side=pair.origin.other.value,
        comment=pair.copy_id,
        withdrawn=withdrawn,
    )


def _take_back(run: Run, ticket: str, gone: CommentPair) -> None:
    """Delete a copy and note it at once, so that no crash makes us forget."""
    side = gone.origin.other
    try:
        run.tracker(side).delete_comment(ticket, gone.copy_id)
    except TrackerError:
        tell_exposed(run, gone, withdrawn=False)
        raise
    tell_exposed(run, gone, withdrawn=True)
    with run.house.store.write() as tx:
        tx.comments.update(gone)
        data = {"side": side.value, "origin": gone.origin_id, "copy": gone.copy_id}
        tx.journal.add(run.house.clock.now(), run.agreement.name, run.link.id, "comment.withdrawn", data)
    run.pairs = tuple(gone if one.id == gone.id else one for one in run.pairs)
    run.views.pop(side, None)
