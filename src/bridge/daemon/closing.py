"""A ticket was deleted: its peer is told, moved or left alone as the agreement says, and the link ends.

The peer is never deleted, and nothing of the deleted ticket is repeated on it but what the link showed all along: its
key and its company. Each step is recorded before the next, so that a crash in between repeats none.
"""

from __future__ import annotations

from bridge.daemon.acting import act
from bridge.daemon.books import Books
from bridge.daemon.commenting import add_comment
from bridge.daemon.run import Run
from bridge.daemon.vanishing import Verdict
from bridge.errors import Refused
from bridge.markup import Document, Paragraph, Text, digest, settle
from bridge.sync.base import PairState
from bridge.sync.plan import AddComment, Decision, Finding, Plan, SetStatus
from bridge.sync.ticket import Side, Ticket

DELETED = "deleted"
"""Kind of the finding that a link which ended so keeps."""

RETURNED = "returned"
"""Kind of the finding of an ended link whose deleted ticket is there again."""


def end(run: Run, side: Side, verdict: Verdict, books: Books) -> None:
    """Do to the peer what the agreement says; ``books.parted`` is set once nothing is left to do.

    Args:
        run: the run; its ticket on ``side`` is gone.
        side: the side of the deleted ticket.
        verdict: how it was found out.
        books: the run's books.

    Raises:
        TrackerError: the peer's tracker cannot be worked with now; what was done is recorded.
    """
    peer = _reachable(run, side.other)
    rule = run.agreement.deleted
    if peer is not None and not verdict.outside:
        if rule.tell:
            _tell(run, side, verdict, books)
        if side.other in rule.close:
            _move(run, side.other, rule.close[side.other], books)
    stuck = books.refused or any(one.kind == "unreachable" for one in books.findings)
    if not stuck:
        books.parted = Finding(DELETED, side, "", f"the {side} ticket was deleted; the link has ended")


def _reachable(run: Run, side: Side) -> Ticket | None:
    """The peer, where the agreement still reaches it."""
    ticket = run.read(side, strong=True).ticket
    if ticket is None or ticket.archived:
        return None
    return ticket if ticket.project.casefold() == run.scope(side).project.casefold() else None


def _tell(run: Run, side: Side, verdict: Verdict, books: Books) -> None:
    """The comment on the peer, once for each disappearance."""
    once = f"{DELETED}/{verdict.since}"
    if any(pair.state is PairState.NOTE and pair.origin_digest == once for pair in run.pairs):
        return
    key, company = run.link.key(side), run.scope(side).company
    body = Document((Paragraph((Text(_words(key, company)),)),))
    shown = settle(run.scope(side.other).dialect, body)
    try:
        add_comment(run, AddComment(side.other, "", once, body, digest(shown)), books)
    except Refused as error:
        books.refused.append(
            Finding("refused", side.other, "", f"saying that the peer was deleted: {error.words}")
        )


def _words(key: str, company: str) -> str:
    return f"The mirrored ticket {key} ({company}) was deleted there. This ticket stays; nothing crosses any more."


def _move(run: Run, side: Side, goal: str, books: Books) -> None:
    """Move the peer to the status that the agreement names, by the usual ways."""
    ticket = run.read(side).ticket
    assert ticket is not None
    present = ticket.fields.get("status")
    if present == goal:
        return
    rule = run.agreement.field("status")
    other = run.bases[side.other].fields.get("status")
    settles = (goal, other) if side is Side.INTERNAL else (other, goal)
    action = SetStatus(
        side,
        goal,
        settles,
        Decision("status", side, present, goal, None, DELETED),
        tuple(rule.via.get(side, {}).get(goal, ())) if rule is not None else (),
        rule.fill.get(side, {}) if rule is not None else {},
    )
    act(run, Plan(actions=(action,)), books)
