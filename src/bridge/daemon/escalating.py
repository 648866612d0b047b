"""What steps of the ladder do on the tickets themselves: a comment, a label, a priority.

That is owed as a note in the transaction of the claim, and done in the next run over the link, under its rules: what
may not be written now (its mode, a brake) waits, what a tracker refuses parks the link, a tracker that is down delays
it and no mail. A comment goes under an intent like every other: written again only when it surely is not there. A label
and a priority are plain changes of the internal ticket, which cross as the agreement says.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import structlog

from bridge.daemon.books import Books
from bridge.daemon.commenting import add_comment
from bridge.daemon.run import Run
from bridge.errors import Refused
from bridge.markup import Document, Paragraph, Text
from bridge.notify.clock_letters import Alarm
from bridge.store.database import Tx
from bridge.store.rows import LinkState
from bridge.sync.moments import to_minute
from bridge.sync.naming import one_line
from bridge.sync.plan import AddComment
from bridge.sync.roles import Mode
from bridge.sync.ticket import Side, Value

log = structlog.get_logger(__name__)

NOTE: Final = "escalate/"
"""How the notes begin that say what is owed: then the link's row id. A list of deeds, oldest first."""

ALERT: Final = "alert"
"""What the record of such a comment bears in the place of an original's digest."""


def owe(tx: Tx, alarm: Alarm, now: int) -> None:
    """Note what a step does on the tickets, and have the link looked at; who only observes owes nothing."""
    step, link = alarm.step, alarm.link
    if link.state is LinkState.CLOSED or alarm.agreement.mode is Mode.OBSERVE:
        return
    if not (step.comment or step.label or step.priority):
        return
    key = f"{NOTE}{link.id}"
    told = {
        "clock": alarm.cycle.clock,
        "started": alarm.cycle.started_at,
        "step": step.name,
        "breached": alarm.cycle.breached_at,
        "due": alarm.cycle.due_at,
    }
    deeds: list[dict[str, Any]] = [
        {"do": "comment", "side": side.value, **told} for side in Side if side in step.comment
    ]
    if step.label:
        deeds.append({"do": "labels", "value": step.label})
    if step.priority:
        deeds.append({"do": "priority", "value": step.priority})
    tx.cursors.set_note(key, [*(tx.cursors.get_note(key) or []), *deeds])
    tx.links.wake([link.id], now)


def escalate(run: Run, books: Books) -> None:
    """Do what is owed on the tickets of a link, and forget each deed once it is done.

    Raises:
        OutcomeUnknown: a comment may be there; its intent stays open.
        TrackerError: it was not done; it is still owed.
    """
    with run.house.store.read() as tx:
        deeds = tx.cursors.get_note(f"{NOTE}{run.link.id}") or []
    for deed in deeds:
        side = Side(deed.get("side", Side.INTERNAL))
        if run.link.ticket(side) is None:
            continue  # its ticket is still to be created
        if deed["do"] == "comment":
            _comment(run, books, side, deed)
        else:
            _set(run, books, deed["do"], deed["value"])
        with run.house.store.write() as tx:
            key = f"{NOTE}{run.link.id}"
            left = [one for one in tx.cursors.get_note(key) or [] if one != deed]
            tx.cursors.keep_note(key, left or None)


def _comment(run: Run, books: Books, side: Side, deed: dict[str, Any]) -> None:
    about = hashlib.sha256(f"{deed['clock']}\x00{deed['started']}\x00{deed['step']}".encode()).hexdigest()[
        :12
    ]
    marker = f"{run.link.marker}/{side.value}/{ALERT}-{about}"
    if any(pair.copy_digest == marker for pair in run.pairs):
        return  # it was found there by the look for an answer that was lost
    add_comment(run, AddComment(side, "", ALERT, _words(run, deed), marker), books, marker=marker)
    run.house.sightings.forget(run.scope(side).tracker, run.link.ticket(side) or "")


def _words(run: Run, deed: dict[str, Any]) -> Document:
    clock = one_line(deed["clock"])
    if deed["breached"] is not None:
        said = f"The goal of the clock '{clock}' was missed at {to_minute(deed['breached'])}."
    elif deed["due"] is not None:
        said = f"The clock '{clock}' is at risk: its goal is missed at {to_minute(deed['due'])}."
    else:
        said = f"The clock '{clock}' is at risk."
    parties = " and ".join(one_line(run.scope(side).company) for side in Side)
    told = Text(f"Written by the bridge between {parties}, because of step {deed['step']} of the ladder.")
    return Document((Paragraph((Text(said),)), Paragraph((told,))))


def _set(run: Run, books: Books, field: str, value: str) -> None:
    """Change a field of the internal ticket; one that refuses the value is told of, and not asked again."""
    side = Side.INTERNAL
    ticket = run.read(side, strong=True).ticket
    if ticket is None:
        return
    before = ticket.fields.get(field)
    labels = before if isinstance(before, frozenset) else frozenset()
    after: Value = labels | {value} if field == "labels" else value
    if before == after:
        return
    try:
        at = run.tracker(side).update(
            ticket.id, {field: after}, run.specs(side), was=labels if field == "labels" else None
        )
    except Refused as error:
        books.turned_down(side, "update", error)
        log.warning("escalation_refused", agreement=run.agreement.name, link=run.link.id, field=field)
        return
    run.house.sightings.forget(run.scope(side).tracker, ticket.id)
    run.views.pop(side, None)
    with run.house.store.write() as tx:
        tx.links.wake([run.link.id], run.house.clock.now())  # what was changed crosses like any change
    books.journal.append(("ticket.escalated", {"side": side.value, "field": field, "value": value, "at": at}))
    books.writes += 1
