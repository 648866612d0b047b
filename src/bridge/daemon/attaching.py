"""Carrying files over: down into the spool, judged, up under an intent, compared; and taken back.

One file that cannot cross stops neither the other files nor the texts: what will not change is recorded and told once,
what may change is told and tried again with the link.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container
from dataclasses import replace
from typing import Any

from bridge.clock import SECOND
from bridge.daemon.books import Books
from bridge.daemon.intending import SKEW, forgo, intend, lost
from bridge.daemon.redacting import note_redactions, redacted_file
from bridge.daemon.run import Run
from bridge.daemon.spool import SpoolFull
from bridge.errors import Gone, OutcomeUnknown, Refused, TrackerError, Unfit, Unintelligible, Unreachable
from bridge.store.rows import Intent, IntentKind
from bridge.sync.attachments import left_behind, megabytes, new_pair, older_copies, too_large
from bridge.sync.base import PairState, PartKind, PartPair
from bridge.sync.filetypes import fit_name, judge
from bridge.sync.plan import AddAttachment, DeleteAttachment, Finding, SpillText
from bridge.sync.redacting import with_name_redacted
from bridge.sync.ticket import Attachment, Side
from bridge.trackers.files import Outgoing, Uploaded

READ_BACK = 256 * 1024
"""Bytes up to which an uploaded file is read back and compared, where the tracker tells no digest of its own."""

SETTLING = 600 * SECOND
"""How long a tracker may take until a file that it lists can be had."""

_FINAL = frozenset({413, 415, 422})

NOT_KEPT = "the copy of the file '{name}' on the {side} side is not what was sent, and was removed"

BROKEN = "the copy of the file '{name}' on the {side} side is not what was sent, and the tracker lets us not remove it"


def move_file(run: Run, action: AddAttachment | SpillText | DeleteAttachment, books: Books) -> None:
    """Carry out what a plan says of one file.

    Raises:
        OutcomeUnknown: an upload may be there; its intent stays open.
        Refused: with the tracker's words.
        TrackerError: a tracker cannot be worked with now.
    """
    match action:
        case AddAttachment():
            add_attachment(run, action, books)
        case SpillText():
            spill_text(run, action, books)
        case DeleteAttachment():
            delete_attachment(run, action, books)


def add_attachment(run: Run, action: AddAttachment, books: Books) -> None:
    """Carry one file over.

    Raises:
        OutcomeUnknown: it may be there; the intent stays open.
        TrackerError: a tracker cannot be worked with now.
    """
    file, side, rule = action.file, action.side, run.agreement.attachments
    limit = run.tracker(side).files.limit()
    if limit is not None and file.size > limit:
        _leave(run, action, books, "left-behind", too_large(file.name, file.size, limit))
        return
    try:
        with run.house.spool.room() as spooled:
            run.tracker(side.other).files.download(file, spooled, min(file.size, rule.most))
            spooled.done()
            if spooled.size != file.size:
                told = (
                    f"{megabytes(spooled.size)} came of the {megabytes(file.size)} of the file '{file.name}'"
                )
                _leave(run, action, books, "failed", told, again=True)
                return
            kind, why = judge(file.name, spooled.head, rule.types)
            if why:
                _leave(run, action, books, "left-behind", why)
                return
            name = fit_name(with_name_redacted(run.agreement.redaction, side, file.name))
            with redacted_file(run, side, spooled, kind, file.name) as (ready, counts):
                outgoing = Outgoing(ready.path, name, kind, ready.size, ready.digest)
                _upload(run, books, side, action.pair, outgoing, file=file)
                note_redactions(run, side, counts, books)
    except Unfit as error:
        books.turned_down(side, IntentKind.ATTACH.value, error)
        _leave(run, action, books, "left-behind", f"the file '{file.name}' stays: {error.words}")
    except (SpoolFull, Unreachable, Unintelligible) as error:
        words = str(error)
        if isinstance(error, TrackerError):
            words = error.words
            books.turned_down(side, IntentKind.ATTACH.value, error)
        _leave(run, action, books, "failed", f"the file '{file.name}' has not crossed: {words}", again=True)
    except (Refused, Gone) as error:
        books.turned_down(side, IntentKind.ATTACH.value, error)
        words = f"the file '{file.name}' has not crossed: {error.words}"
        _leave(run, action, books, "refused", words, again=_may_change(run, action, error))


def spill_text(run: Run, action: SpillText, books: Books) -> None:
    """Attach the whole of a text; the file with its older state goes after the new one is there.

    Raises:
        OutcomeUnknown: it may be there; the intent stays open.
        Refused: with the tracker's words.
        TrackerError: a tracker cannot be worked with now.
    """
    before = action.pair.copy_id
    try:
        with run.house.spool.room() as spooled:
            spooled.write(action.text.encode())
            spooled.done()
            outgoing = Outgoing(spooled.path, action.name, "text/markdown", spooled.size, action.digest)
            _upload(run, books, action.side, action.pair, outgoing)
    except SpoolFull as error:
        raise Refused(run.scope(action.side).tracker, str(error), status=0) from error
    if before and action.pair.state is PairState.PAIRED:
        at = run.tracker(action.side).files.delete(before)
        books.wrote(action.side, at, "file.removed", {"copy": before, "why": "renewed"})


def delete_attachment(run: Run, action: DeleteAttachment, books: Books) -> None:
    """Take a copy back.

    Raises:
        TrackerError: it was not done.
    """
    at = 0
    for number in older_copies(action.pair):  # an earlier one is still there where an answer was lost
        at = run.tracker(action.side).files.delete(number)
    books.parts.append(replace(action.pair, state=PairState.ORIGIN_DELETED))
    data = {"origin": action.pair.origin_id, "copy": action.pair.copy_id, "why": action.why}
    books.wrote(action.side, at, "file.removed", data)


def find_copied_file(run: Run, action: AddAttachment, there: Container[str]) -> str:
    """Look for the copy of a file that our database does not know of, and note it as one that we have attached.

    Args:
        run: the run over its link.
        action: what would attach it.
        there: ids of the files that it may be.

    Returns:
        Its id; "" when it is not there.

    Raises:
        TrackerError: the tracker cannot be asked now.
    """
    file, side = action.file, action.side
    ticket, name = run.link.ticket(side), fit_name(action.file.name)
    assert ticket is not None
    found = run.tracker(side).files.find(ticket, name, file.size, file.created - SKEW)
    made = next((one for one in found if one.id in there), None)
    if made is None:
        return ""
    detail = {
        "name": name,
        "size": file.size,
        "digest": made.digest,
        "origin_name": file.name,
        "origin_url": file.url,
    }
    adopt_file(run, intend(run, IntentKind.ATTACH, side, "", action.pair.origin_id, detail=detail), made)
    return made.id


def adopt_file(run: Run, intent: Intent, made: Uploaded) -> PartPair:
    """Note in one transaction that a file's copy exists."""
    now, origin = run.house.clock.now(), intent.side.other
    known = _record(run, origin, intent.subject)
    told = intent.detail
    pair = replace(
        known or new_pair(origin, intent.subject),
        copy_id=made.id,
        digest=str(told["digest"]),
        state=PairState.PAIRED,
        detail={
            "name": told["origin_name"],
            "url": told["origin_url"],
            "copy": made.name,
            "copy_url": made.url,
            "size": told["size"],
            "older": older_copies(known),
        },
    )
    with run.house.store.write() as tx:
        tx.intents.done(intent.id, made.id, now)
        pair = tx.parts.put(run.link.id, pair)
        data = {"side": intent.side.value, "origin": intent.subject, "copy": made.id, "size": told["size"]}
        tx.journal.add(now, run.agreement.name, run.link.id, "file.added", data)
    run.parts = (*(one for one in run.parts if one is not known), pair)
    return pair


def _upload(
    run: Run, books: Books, side: Side, pair: PartPair, outgoing: Outgoing, *, file: Attachment | None = None
) -> None:
    """Upload under an intent, and compare what has arrived."""
    ticket, files = run.link.ticket(side), run.tracker(side).files
    assert ticket is not None
    detail: dict[str, Any] = {
        "name": outgoing.name,
        "size": outgoing.size,
        "digest": outgoing.digest,
        "origin_name": file.name if file else outgoing.name,
        "origin_url": file.url if file else "",
    }
    intent = intend(run, IntentKind.ATTACH, side, "", pair.origin_id, detail=detail)
    try:
        made = files.upload(ticket, outgoing)
    except OutcomeUnknown:
        lost(run, intent)
        raise
    except TrackerError as error:
        forgo(run, intent, error.words)
        raise
    made_pair = adopt_file(run, intent, made)
    books.written[side] = max(made.at, books.written.get(side, 0))
    books.writes += 1
    if not _arrived_whole(run, side, outgoing, made):
        again, words = True, NOT_KEPT
        try:
            books.wrote(side, files.delete(made.id), "file.removed", {"copy": made.id, "why": "not-whole"})
        except Refused as error:
            books.turned_down(side, "attach-delete", error)
            # Another try would leave one more broken copy there.
            again, words = False, BROKEN
        message = words.format(name=outgoing.name, side=side)
        books.parts.append(left_behind(made_pair, run.agreement.attachments, "failed", message, again=again))
        (books.refused if again else books.findings).append(Finding("failed", side, "", message))


def _arrived_whole(run: Run, side: Side, sent: Outgoing, made: Uploaded) -> bool:
    """Whether the tracker has the bytes that we sent: by size, and by digest where that costs little."""
    if made.size != sent.size:
        return False
    if made.digest:
        return made.digest == sent.digest
    if sent.size > READ_BACK:
        return True
    back = _Digest()
    try:
        shown = Attachment(made.id, made.name, made.size, made.at)
        run.tracker(side).files.download(shown, back, sent.size)
    except Unfit:
        return False
    except (Gone, Refused, Unreachable, Unintelligible):
        return True  # not to be had just now: the size has been compared
    return back.hex() == sent.digest


def _may_change(run: Run, action: AddAttachment, error: Refused | Gone) -> bool:
    """Whether a refused file is worth another try.

    A tracker that finds it too large or of a wrong type will always do so. One that does not show it to us may have
    been too quick with its list; later it means that the file is not for us (a restricted comment's, on Jira Cloud).
    """
    if isinstance(error, Refused) and error.status in _FINAL:
        return False
    side = action.side.other
    missing = isinstance(error, Gone) and error.tracker == run.scope(side).tracker
    return not missing or run.tracker(side).now() - action.file.created < SETTLING


class _Digest:
    """A sink that only counts up the digest."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._hash.update(data)

    def restart(self) -> None:
        self._hash = hashlib.sha256()

    def hex(self) -> str:
        return self._hash.hexdigest()


def _record(run: Run, origin: Side, number: str) -> PartPair | None:
    """What is recorded of a file."""
    wanted = (PartKind.ATTACHMENT, origin, number)
    return next((one for one in run.parts if (one.kind, one.origin, one.origin_id) == wanted), None)


def _leave(
    run: Run, action: AddAttachment, books: Books, why: str, message: str, *, again: bool = False
) -> None:
    """Record that a file stays, and tell it."""
    origin = action.side.other
    pair = left_behind(action.pair, run.agreement.attachments, why, message, again=again)
    known = _record(run, origin, action.file.id)
    books.parts.append(replace(pair, id=known.id) if known else pair)
    finding = Finding(why, origin, "", message)
    (books.refused if again else books.findings).append(finding)
