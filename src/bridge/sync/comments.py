"""What becomes of comments: which cross, which copies are renewed, which are taken back.

A comment belongs to the side on which a person wrote it. Its copy on the other side follows it: new text, new copy;
deleted or made private, copy gone. A copy that others rewrite is put back, because it carries its author's name; a
copy that others delete stays deleted. Pairs are recognised by their recorded ids, never by text or author.

Some trackers keep every text as it was written (``Scope.edits_texts``). There a new text becomes a further copy beside
the first, and people are told what should have been taken back.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from bridge.markup import Document, Mark, Paragraph, Text, digest, plain, words
from bridge.sync.agreement import Agreement
from bridge.sync.base import CommentPair, PairState
from bridge.sync.mapping import carry_text, lacks_files, shows
from bridge.sync.plan import Action, AddComment, DeleteComment, EditComment, Finding, LinkView
from bridge.sync.ticket import Comment, Side, Ticket

_PLACEHOLDER = re.compile(r"\{author\}|\{company\}")


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
        ours = {pair.copy_id for pair in link.pairs if pair.origin is origin.other}
        by_origin = {pair.origin_id: pair for pair in link.pairs if pair.origin is origin and pair.origin_id}
        for comment in here.comments:
            pair = by_origin.pop(comment.id, None)
            if not comment.private and shows(comment.body, (coming or {}).get(origin, ())):
                continue
            if pair is None:
                if comment.id not in ours and crosses(agreement, origin, comment):
                    actions.append((comment.created, _add(agreement, origin, comment)))
                continue
            if pair.state in (PairState.ORIGIN_DELETED, PairState.HISTORY):
                # Taken back because it was made private, and public again now; or older than the link.
                dated = pair.state is PairState.HISTORY
                if crosses(agreement, origin, comment):
                    actions.append((comment.created, _add(agreement, origin, comment, dated=dated)))
                continue
            act, found, kept = _follow(agreement, pair, comment, there)
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


def _without_original(
    agreement: Agreement, pair: CommentPair, there: Ticket | None
) -> tuple[list[Action], list[Finding], list[CommentPair]]:
    """What to do about the copy of a comment that is gone."""
    if pair.state is PairState.PAIRED and not _deleted(pair, there):
        to = pair.origin.other
        if agreement.scope(to).edits_texts:
            return [DeleteComment(to, pair, "deleted")], [], []
        return [], [_stays(to, "deleted")], []
    if pair.state in {PairState.PAIRED, PairState.COPY_DELETED}:
        return [], [], [replace(pair, state=PairState.ORIGIN_DELETED)]
    return [], [], []


def attributed(
    agreement: Agreement, side: Side, comment: Comment, *, anew: bool = False, dated: bool = False
) -> Document:
    """A comment's text under the name of its author, as the other side may see it.

    Args:
        agreement: says how authors are named.
        side: where it was written.
        comment: the comment.
        anew: whether an earlier text of it stands there already and stays.
        dated: whether its date is told, because it is older than the link.
    """
    author = comment.author.name if comment.author and comment.author.name else "Somebody"
    told = {"{author}": author, "{company}": agreement.scope(side).company}
    # In one go: a name that looks like a placeholder stays that name.
    line = _PLACEHOLDER.sub(lambda found: told[found[0]], agreement.comments.attribute)
    if dated:
        line += datetime.fromtimestamp(comment.created / 1_000_000, UTC).strftime(", %Y-%m-%d %H:%M UTC")
    said = (Text(line, (Mark("strong"),)), *((Text(" (edited)"),) if anew else ()))
    return Document((Paragraph(said), *comment.body.blocks))


def crosses(agreement: Agreement, origin: Side, comment: Comment) -> bool:
    """Whether a comment that has no copy is to get one."""
    # A marker on an unpaired comment: a copy of ours whose pair was lost with a database.
    return origin in agreement.comments.cross and not comment.private and not comment.marker


def _add(
    agreement: Agreement, origin: Side, comment: Comment, *, anew: bool = False, dated: bool = False
) -> AddComment:
    text = attributed(agreement, origin, comment, anew=anew, dated=dated)
    carried = carry_text(agreement, text, origin.other)
    assert isinstance(carried.value, Document)
    assert isinstance(carried.shown, Document)
    return AddComment(origin.other, comment.id, digest(comment.body), carried.value, digest(carried.shown))


def _follow(
    agreement: Agreement, pair: CommentPair, comment: Comment, there: Ticket | None
) -> tuple[list[Action], list[Finding], list[CommentPair]]:
    """What to do about a comment that already has a copy."""
    if pair.state is not PairState.PAIRED:
        return [], [], []
    to = pair.origin.other
    if comment.private:
        return _hide(agreement, pair, there)
    if _deleted(pair, there):
        finding = Finding("copy-deleted", to, "", f"the copy of a comment was deleted on the {to} side")
        return [], [finding], [replace(pair, state=PairState.COPY_DELETED)]
    new, copy = digest(comment.body), _copy(pair, there)
    changed = new != pair.origin_digest
    edited = copy is not None and digest(copy.body) != pair.copy_digest
    overdue = copy is not None and not (changed or edited) and _lacks_files(agreement, pair, comment, copy)
    if not (changed or edited or overdue) or (changed and pair.origin not in agreement.comments.cross):
        return [], [], []
    if not agreement.scope(to).edits_texts:
        if changed:
            return [_add(agreement, pair.origin, comment, anew=True)], [], []
        assert copy is not None
        return [], [], [replace(pair, copy_digest=digest(copy.body))]
    carried = carry_text(agreement, attributed(agreement, pair.origin, comment), to)
    assert isinstance(carried.value, Document)
    assert isinstance(carried.shown, Document)
    loser = ""
    if copy is not None and edited:
        reads_alike = words(copy.body) == words(carried.shown)
        if digest(copy.body) == digest(carried.shown) or (reads_alike and not changed):
            # Our own write of a run that could not note it; or the tracker renders our text in its own way, and this
            # is how it looks from now on.
            return [], [], [replace(pair, origin_digest=new, copy_digest=digest(copy.body))]
        loser = "" if reads_alike else plain(copy.body)
    why: Literal["changed", "restored"] = "restored" if edited and not changed else "changed"
    return [EditComment(to, pair, carried.value, new, digest(carried.shown), why, loser)], [], []


def _lacks_files(agreement: Agreement, pair: CommentPair, comment: Comment, copy: Comment) -> bool:
    if not agreement.scope(pair.origin.other).edits_texts:
        return False
    text = attributed(agreement, pair.origin, comment)
    return lacks_files(agreement, text, pair.origin.other, copy.body)


def _hide(
    agreement: Agreement, pair: CommentPair, there: Ticket | None
) -> tuple[list[Action], list[Finding], list[CommentPair]]:
    """What to do about the copy of a comment that is private now."""
    to = pair.origin.other
    if _deleted(pair, there):
        return [], [], [replace(pair, state=PairState.ORIGIN_DELETED)]
    if not agreement.scope(to).edits_texts:
        return [], [_stays(to, "made private")], []
    return [DeleteComment(to, pair, "private")], [], []


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
