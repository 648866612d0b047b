"""Carrying time spent over: a new copy under an intent, a copy that follows its original, one that is taken back."""

from __future__ import annotations

from dataclasses import replace

from bridge.daemon.books import Books
from bridge.daemon.intending import forgo, intend, lost
from bridge.daemon.run import Run
from bridge.errors import Gone, OutcomeUnknown, TrackerError
from bridge.markup import from_json, to_json
from bridge.store.rows import Intent, IntentKind
from bridge.sync.base import PairState, PartKind, PartPair
from bridge.sync.plan import AddWorklog, DeleteWorklog, EditWorklog, Finding
from bridge.sync.worklogs import shown_key, worklog_key
from bridge.trackers.structure import TimeSpent


def keep_time(run: Run, action: AddWorklog | EditWorklog | DeleteWorklog, books: Books) -> None:
    """Do one of these actions.

    Raises:
        OutcomeUnknown: it may be booked; the intent stays open.
        TrackerError: it surely was not done.
    """
    match action:
        case AddWorklog():
            _add(run, action, books)
        case EditWorklog():
            _edit(run, action, books)
        case DeleteWorklog():
            _delete(run, action, books)


def _add(run: Run, action: AddWorklog, books: Books) -> None:
    """Book the copy of a worklog, under an intent.

    Raises:
        OutcomeUnknown: it may be booked; the intent stays open.
        TrackerError: it surely is not.
    """
    side, pair = action.side, action.pair
    ticket = run.link.ticket(side)
    assert ticket is not None
    marker = f"{run.link.marker}/{side.value}/time/{pair.origin_id}"
    detail = {
        "started": action.started,
        "seconds": action.seconds,
        "body": to_json(action.body),
        "digest": pair.digest,
        "time": dict(pair.detail),
    }
    intent = intend(run, IntentKind.WORKLOG, side, marker, pair.origin_id, detail=detail)
    spent = TimeSpent(action.started, action.seconds, action.body)
    try:
        worklog, at = run.tracker(side).structure.add_worklog(ticket, spent, marker)
    except OutcomeUnknown:
        lost(run, intent)
        raise
    except TrackerError as error:
        forgo(run, intent, error.words)
        raise
    _adopt(run, intent, worklog, pair)
    books.showed(side, new={shown_key(worklog, action.started, action.seconds, action.shown)})
    books.written[side] = max(at, books.written.get(side, 0))
    books.writes += 1


def find_worklog(run: Run, intent: Intent) -> bool:
    """Look for a worklog whose answer was lost; whether it was found and noted."""
    side, detail = intent.side, intent.detail
    ticket = run.link.ticket(side)
    if ticket is None:
        return False
    spent = TimeSpent(detail["started"], detail["seconds"], from_json(detail["body"]))
    worklog = run.tracker(side).structure.find_worklog(ticket, spent, intent.marker)
    known = {pair.copy_id for pair in run.parts if (pair.kind, pair.origin) == (PartKind.WORKLOG, side.other)}
    if worklog is None or worklog in known:
        return False
    pair = PartPair(
        0, PartKind.WORKLOG, side.other, intent.subject, "", detail["digest"], detail=detail["time"]
    )
    _adopt(run, intent, worklog, pair)
    run.views.pop(side, None)
    return True


def _edit(run: Run, action: EditWorklog, books: Books) -> None:
    """Have a copy follow its original.

    Raises:
        TrackerError: it was not done.
    """
    side, pair = action.side, action.pair
    ticket = run.link.ticket(side)
    assert ticket is not None
    spent = TimeSpent(action.started, action.seconds, action.body)
    try:
        at = run.tracker(side).structure.edit_worklog(ticket, pair.copy_id, spent)
    except Gone as error:
        books.turned_down(side, "worklog-edit", error)
        books.parts.append(replace(pair, state=PairState.COPY_DELETED))
        message = f"the copy of a worklog was deleted on the {side} side"
        books.findings.append(Finding("copy-deleted", side, "", message))
        return
    books.parts.append(pair)
    gone = {worklog_key(action.copy)} if action.copy is not None else set()
    new = shown_key(pair.copy_id, action.started, action.seconds, action.shown)
    books.showed(side, gone=gone, new={new})
    data = {"origin": pair.origin_id, "copy": pair.copy_id, "why": action.why}
    books.wrote(side, at, "worklog.edited", data)


def _delete(run: Run, action: DeleteWorklog, books: Books) -> None:
    """Take a copy back.

    Raises:
        TrackerError: it was not done.
    """
    side, pair = action.side, action.pair
    ticket = run.link.ticket(side)
    assert ticket is not None
    at = run.tracker(side).structure.delete_worklog(ticket, pair.copy_id)
    books.parts.append(replace(pair, state=PairState.ORIGIN_DELETED))
    if action.copy is not None:
        books.showed(side, gone={worklog_key(action.copy)})
    data = {"origin": pair.origin_id, "copy": pair.copy_id, "why": action.why}
    books.wrote(side, at, "worklog.deleted", data)


def _adopt(run: Run, intent: Intent, worklog: str, pair: PartPair) -> None:
    """Note in one transaction that a worklog's copy exists."""
    now = run.house.clock.now()
    key = (PartKind.WORKLOG, pair.origin, pair.origin_id)
    known = next((one for one in run.parts if (one.kind, one.origin, one.origin_id) == key), None)
    pair = replace(pair, id=known.id if known else 0, copy_id=worklog, state=PairState.PAIRED)
    with run.house.store.write() as tx:
        tx.intents.done(intent.id, worklog, now)
        pair = tx.parts.put(run.link.id, pair)
        data = {"side": intent.side.value, "origin": pair.origin_id, "copy": worklog}
        tx.journal.add(now, run.agreement.name, run.link.id, "worklog.added", data)
    run.parts = (*(one for one in run.parts if one is not known), pair)
