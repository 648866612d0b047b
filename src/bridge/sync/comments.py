"""What becomes of comments: which cross, which copies are renewed, which are taken back.

A comment belongs to the side on which a person wrote it. Its copy on the other side follows it: new text, new copy;
deleted, copy gone. A comment that changes from public to private or back has its copy taken back first; where private
comments may cross, it then crosses anew as what it is now. A copy that others rewrite is put back, because it carries
its author's name; a copy that others delete stays deleted. Pairs are recognised by their recorded ids, never by text
or author.

Some trackers keep every text as it was written (``Scope.edits_texts``). There a new text becomes a further copy beside
the first, and people are told what should have been taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bridge.markup import Document, Paragraph, Text, digest, plain, settle, words
from bridge.sync.agreement import Agreement
from bridge.sync.attribution import answered_name, banner, guarded
from bridge.sync.base import CommentPair, PairState
from bridge.sync.fitting import fit_text, shows
from bridge.sync.mapping import Carried, lacks_files, limited
from bridge.sync.moments import to_minute
from bridge.sync.originals import exposes
from bridge.sync.plan import Action, AddComment, DeleteComment, EditComment, Finding, LinkView
from bridge.sync.privacy import Misplaced, inherited, may_cross, misplaced, worth_another_try
from bridge.sync.shortening import surely_short
from bridge.sync.ticket import Comment, Side, Ticket

_MADE = {"private": "made private", "exposed": "made public by somebody"}
"""What became of a comment whose copy cannot be taken back."""

_NO_COPY = frozenset({PairState.COPY_DELETED, PairState.SKIPPED, PairState.WITHDRAWN})
"""States of a comment that has no copy and, as it is, gets none."""

_ROOM = 1_000
"""Characters that a comment's attribution may add, at most."""

_GUARDS = 4
"""Times at most that a text is looked over again as its tracker would show it."""


def plan_comments(
    agreement: Agreement, link: LinkView, coming: Mapping[Side, Collection[str]] | None = None
) -> tuple[list[Action], list[Finding], list[CommentPair]]:
    """Actions, findings and silent changes of pair records that bring both sides' comments into agreement.

    Args:
        agreement: what crosses.
        link: both sides.
        coming: names of files that are about to cross; a comment that shows one is left for the next look.
    """
    actions: list[tuple[int, Action]] = []
    findings: list[Finding] = []
    pairs: list[CommentPair] = []
    for origin in Side:
        here, there = link.view(origin).ticket, link.view(origin.other).ticket
        if here is None:
            continue
        talk = _Talk(agreement, origin, inherited(here.comments), there, link.pairs)
        ours = {pair.copy_id for pair in link.pairs if pair.origin is origin.other}
        by_origin = {pair.origin_id: pair for pair in link.pairs if pair.origin is origin and pair.origin_id}
        for comment in talk.comments:
            pair = by_origin.pop(comment.id, None)
            if not comment.private and shows(comment.body, (coming or {}).get(origin, ())):
                continue
            if pair is None:
                if comment.id not in ours and may_cross(agreement, origin, comment):
                    actions.append((comment.created, _add(talk, comment)))
                continue
            act, found, kept = _follow(talk, pair, comment)
            actions.extend((comment.created, one) for one in act)
            findings.extend(found)
            pairs.extend(kept)
        for pair in by_origin.values() if here.comments_complete else ():
            act, found, kept = _without_original(agreement, pair, there)
            actions.extend((0, one) for one in act)
            findings.extend(found)
            pairs.extend(kept)
    actions.sort(key=lambda entry: entry[0])
    return [action for _, action in actions], findings, pairs


def long_comments(agreement: Agreement, link: LinkView, side: Side) -> Iterator[tuple[Comment, Document]]:
    """Comments of a side of which only the beginning can cross, each with the whole of its copy."""
    here, there = link.view(side).ticket, link.view(side.other).ticket
    if here is None:
        return
    talk = _Talk(agreement, side, inherited(here.comments), there, link.pairs)
    copies = {pair.copy_id for pair in link.pairs if pair.origin is side.other}
    staying = {pair.origin_id for pair in link.pairs if pair.origin is side and pair.state in _NO_COPY}
    limit = agreement.scope(side.other).text_limit - _ROOM
    for comment in talk.comments:
        if comment.id in copies or comment.id in staying or not may_cross(agreement, side, comment):
            continue
        if not surely_short(comment.body, limit) and (whole := _carry(talk, comment)[0].whole) is not None:
            yield comment, whole


@dataclass(frozen=True, slots=True)
class _Talk:
    """One side's comments, and what is known of their copies.

    Attributes:
        agreement: the terms.
        origin: the side.
        comments: its comments, each as private as what it answers.
        there: the other side's ticket.
        pairs: all pairs of the link.
    """

    agreement: Agreement
    origin: Side
    comments: tuple[Comment, ...]
    there: Ticket | None
    pairs: tuple[CommentPair, ...]

    def answered(self, comment: Comment) -> tuple[Comment, Side] | None:
        """The comment that this one answers, and whose side wrote it, if people on the other side see it as well."""
        parent = next((one for one in self.comments if one.id == comment.parent), None)
        if parent is None:
            return None
        for pair in self.pairs:
            if pair.origin is self.origin and pair.origin_id == parent.id:
                return (parent, self.origin) if pair.state.live else None
            if pair.origin is self.origin.other and pair.copy_id == parent.id:
                # The copy of somebody's comment over there: that is whom it answers.
                written = self.there.comments if self.there and pair.state.live else ()
                said = next((one for one in written if one.id == pair.origin_id), None)
                return (replace(parent, author=said.author), self.origin.other) if said else None
        return (parent, self.origin) if may_cross(self.agreement, self.origin, parent) else None


def _without_original(
    agreement: Agreement, pair: CommentPair, there: Ticket | None
) -> tuple[list[Action], list[Finding], list[CommentPair]]:
    """What to do about the record of a comment that is gone."""
    ended = pair.state in {PairState.COPY_DELETED, PairState.WITHDRAWN}
    if ended or (pair.state.live and _deleted(pair, there)):
        return [], [], [replace(pair, state=PairState.ORIGIN_DELETED)]
    to = pair.origin.other
    if not pair.state.live:
        return [], [], []
    if agreement.scope(to).edits_texts:
        return [DeleteComment(to, pair, "deleted")], [], []
    return [], [_stays(to, "deleted")], []


def attributed(
    agreement: Agreement,
    side: Side,
    comment: Comment,
    answers: str = "",
    *,
    anew: bool = False,
    dated: bool = False,
) -> Document:
    """A comment's text under the name of its author, as the other side may see it.

    Args:
        agreement: the terms.
        side: where it was written.
        comment: the comment.
        answers: the name of whose comment it answers, where the other side has no threads; else "".
        anew: whether an earlier text of it stands there already and stays.
        dated: whether its date is told, because it is older than the link.
    """
    when = to_minute(comment.created) if dated else ""
    first = banner(agreement, side, comment.author, answers, when=when)
    if anew:
        first = Paragraph((*first.children, Text(" (edited)")))
    text = guarded(agreement, fit_text(agreement, comment.body, side.other))
    dialect = agreement.scope(side.other).dialect
    for _ in range(_GUARDS):
        # What the tracker's markup cannot say becomes other lines, and those are read as well.
        shown = Document(settle(dialect, Document((first, *text.blocks))).blocks[1:])
        again = guarded(agreement, shown)
        if again == shown:
            break
        text = again
    return Document((first, *text.blocks))


def _carry(talk: _Talk, comment: Comment, *, anew: bool = False, dated: bool = False) -> tuple[Carried, str]:
    """The copy of a comment, and the id of the comment that it answers in a thread."""
    to = talk.origin.other
    parent, whose = talk.answered(comment) or (None, talk.origin)
    # In a thread a comment is as visible as what it answers.
    threaded = parent is not None and talk.agreement.scope(to).threads and parent.private == comment.private
    name = answered_name(talk.agreement, parent.author, whose) if parent is not None and not threaded else ""
    body = attributed(talk.agreement, talk.origin, comment, name, anew=anew, dated=dated)
    # A file belongs to the ticket, and everybody sees it: a private text has none.
    carried = limited(talk.agreement, body, to, attached=not comment.private)
    return carried, comment.parent if threaded else ""


def _add(talk: _Talk, comment: Comment, *, anew: bool = False, dated: bool = False) -> AddComment:
    carried, answers = _carry(talk, comment, anew=anew, dated=dated)
    to = talk.origin.other
    body, shown = _texts(carried)
    return AddComment(to, comment.id, digest(comment.body), body, digest(shown), comment.private, answers)


def _texts(carried: Carried) -> tuple[Document, Document]:
    """What to write, and how it will be shown."""
    assert isinstance(carried.value, Document)
    assert isinstance(carried.shown, Document)
    return carried.value, carried.shown


def _follow(
    talk: _Talk, pair: CommentPair, comment: Comment
) -> tuple[list[Action], list[Finding], list[CommentPair]]:
    """What to do about a comment that has, or had, a copy."""
    if pair.state.live:
        return _keep_up(talk, pair, comment)
    settled = pair.state in {PairState.COPY_DELETED, PairState.SKIPPED}
    if settled or not may_cross(talk.agreement, talk.origin, comment):
        return [], [], []
    if pair.state is PairState.WITHDRAWN and not worth_another_try(talk.agreement, pair, comment):
        return [], [withdrawn(pair)], []
    # Taken back because it was not what it is now; or older than the link.
    return [_add(talk, comment, dated=pair.state is PairState.HISTORY)], [], []


def withdrawn(pair: CommentPair) -> Finding:
    """The finding about a private comment whose copy came out public."""
    side = pair.origin.other
    return Finding(
        "not-kept-private",
        side,
        "",
        f"a private comment ({pair.origin} {pair.origin_id}) came out public on the {side} side, or could not be seen "
        "to be private, and was taken back; it is tried again when it is edited or the agreement's private-role or "
        "private-group changes",
    )


def _keep_up(
    talk: _Talk, pair: CommentPair, comment: Comment
) -> tuple[list[Action], list[Finding], list[CommentPair]]:
    """What to do about a comment that has a copy."""
    agreement, to, copy = talk.agreement, pair.origin.other, _copy(pair, talk.there)
    why = misplaced(agreement, pair, comment, copy)
    if why:
        return _clear(talk, pair, comment, why)
    if _deleted(pair, talk.there):
        finding = Finding("copy-deleted", to, "", f"the copy of a comment was deleted on the {to} side")
        return [], [finding], [replace(pair, state=PairState.COPY_DELETED)]
    new = digest(comment.body)
    changed = new != pair.origin_digest
    edited = copy is not None and digest(copy.body) != pair.copy_digest
    still = copy is not None and not (changed or edited)
    exposed = still and copy is not None and exposes(agreement, to, copy.body)
    overdue = exposed or (still and copy is not None and _lacks_files(talk, comment, copy))
    if not (changed or edited or overdue) or (changed and pair.origin not in agreement.comments.cross):
        return [], [], []
    if not agreement.scope(to).edits_texts:
        if exposed:
            return [], [_stays(to, "redacted by a rule")], []
        if changed:
            return [_add(talk, comment, anew=True)], [], []
        assert copy is not None
        return [], [], [replace(pair, copy_digest=digest(copy.body))]
    body, shown = _texts(_carry(talk, comment)[0])
    loser = ""
    if copy is not None and edited:
        reads_alike = words(copy.body) == words(shown)
        if digest(copy.body) == digest(shown) or (reads_alike and not changed):
            # Our own write of a run that could not note it; or the tracker renders our text in its own way, and this
            # is how it looks from now on.
            return [], [], [replace(pair, origin_digest=new, copy_digest=digest(copy.body))]
        loser = "" if reads_alike else plain(copy.body)
    reason: Literal["changed", "restored"] = "restored" if edited and not changed else "changed"
    return [EditComment(to, pair, body, new, digest(shown), reason, loser)], [], []


def _lacks_files(talk: _Talk, comment: Comment, copy: Comment) -> bool:
    """Whether a copy was written before files that it shows had crossed."""
    to = talk.origin.other
    if not talk.agreement.scope(to).edits_texts:
        return False

    def shown(terms: Agreement) -> Document:
        return _texts(_carry(replace(talk, agreement=terms), comment)[0])[1]

    return lacks_files(talk.agreement, comment.body, to, copy.body, shown)


def _clear(
    talk: _Talk, pair: CommentPair, comment: Comment, why: Misplaced
) -> tuple[list[Action], list[Finding], list[CommentPair]]:
    """What to do about a copy that may not stay what it is."""
    to = pair.origin.other
    if _deleted(pair, talk.there):
        if may_cross(talk.agreement, talk.origin, comment):
            return [_add(talk, comment)], [], []
        return [], [], [replace(pair, state=PairState.ORIGIN_DELETED)]
    if talk.agreement.scope(to).edits_texts:
        return [DeleteComment(to, pair, why)], [], []
    # Nobody can take it back there. What is public now is said once more, beside the private copy.
    return (
        ([_add(talk, comment, anew=True)], [], []) if why == "public" else ([], [_stays(to, _MADE[why])], [])
    )


def _stays(side: Side, what: str) -> Finding:
    message = (
        f"a comment was {what} after it had crossed; the {side} side's tracker lets nobody take its copy back"
    )
    return Finding("fixed", side, "", message)


def _copy(pair: CommentPair, there: Ticket | None) -> Comment | None:
    return None if there is None else next((one for one in there.comments if one.id == pair.copy_id), None)


def _deleted(pair: CommentPair, there: Ticket | None) -> bool:
    """Whether our copy is surely not there any more."""
    return there is not None and there.comments_complete and _copy(pair, there) is None
