"""Finding out what became of a write whose answer was lost, before anything is written again.

An intent that is still open means: the request may have been carried out. So we look: for the marker, then among what
our account has made since. A search may trail the truth, hence patience; only when it has passed without a find is the
intent dead, and the plan free to make the write anew.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from bridge.clock import SECOND
from bridge.daemon.attaching import adopt_file
from bridge.daemon.commenting import adopt_comment
from bridge.daemon.creating import adopt_created
from bridge.daemon.guarding import keep_private
from bridge.daemon.intending import SKEW
from bridge.daemon.run import Run
from bridge.daemon.stumbles import TOO_OFTEN
from bridge.daemon.timekeeping import find_worklog
from bridge.errors import Gone, Refused
from bridge.markup import from_json
from bridge.store.database import Tx
from bridge.store.rows import Intent, IntentKind
from bridge.sync.base import PartKind, decode_fields
from bridge.trackers.protocol import Created

log = structlog.get_logger(__name__)

UNDER_WAY = 2
"""Read time-outs after which a request is taken for over: we listen for one, a slow tracker may work on for another."""

FIRST_LOOK, LONGEST_PAUSE = 1 * SECOND, 15 * SECOND


def resolve(run: Run) -> int | None:
    """Settle the link's open intents as far as can be.

    Returns:
        None when nothing is open any more, else when to look again (microseconds).

    Raises:
        TrackerError: a tracker cannot be asked now.
    """
    waits = [wait for intent in run.intents if (wait := _settle(run, intent)) is not None]
    return min(waits, default=None)


def _settle(run: Run, intent: Intent) -> int | None:
    """Settle one intent; returns when to look again, or None."""
    settings = run.settings(intent.side)
    patience = UNDER_WAY * settings.read_timeout
    match intent.kind:
        case IntentKind.CREATE:
            found = _find_ticket(run, intent)
            patience += settings.search_lag
        case IntentKind.COMMENT:
            # Comments are read by id, so no index is waited for; only a request that is still under way.
            found = _find_comment(run, intent)
        case IntentKind.ATTACH:
            found = _find_file(run, intent)
        case IntentKind.WORKLOG:
            found = find_worklog(run, intent)
        case IntentKind.TRANSITION:
            _look_at_status(run, intent)
            return None
    if found:
        with run.house.store.write() as tx:
            _tell(tx, run, intent, "outcome.found")
        log.info(
            "outcome_found",
            agreement=run.agreement.name,
            link=run.link.id,
            side=intent.side.value,
            what=intent.kind.value,
        )
        return None
    now = run.house.clock.now()
    since = intent.sent_at or intent.created_at
    waited, limit = now - since, int(patience * SECOND)
    if waited >= limit:
        _close(run, intent, f"looked for it for {waited // SECOND} s and found nothing")
        what = f"{intent.kind.value}/{intent.side.value}/{intent.subject}"
        times = run.house.stumbles.again(run.link.id, what)
        if times >= TOO_OFTEN:
            message = f"{times} times no clear answer to a {intent.kind.value}, and nothing came of it"
            raise Refused(run.tracker(intent.side).name, message, status=0)
        return None
    return min(now + min(max(FIRST_LOOK, waited // 2), LONGEST_PAUSE), since + limit)


def _look_at_status(run: Run, intent: Intent) -> None:
    """The ticket's own status tells how far the walk came; wherever that is, it was our step and nobody's change."""
    side = intent.side
    run.house.sightings.forget(run.scope(side).tracker, run.link.ticket(side) or "")
    view = run.read(side, strong=True)
    before = str(intent.detail.get("before", ""))
    with run.house.store.write() as tx:
        tx.intents.dead(intent.id, "the status was read again", run.house.clock.now())
        _tell(tx, run, intent, "outcome.found")
        if view.ticket is not None and before and view.ticket.fields["status"] != before:
            run.bases[side] = replace(run.bases[side], underway=(before, str(view.ticket.fields["status"])))
            run.views[side] = replace(view, base=run.bases[side])
            tx.bases.put(run.link.id, side, run.bases[side])


def _find_ticket(run: Run, intent: Intent) -> bool:
    side = intent.side
    tracker = run.tracker(side)
    stamps = sorted(
        tracker.find_marked(run.scope(side), intent.marker, intent.created_at - SKEW),
        key=lambda stamp: (len(stamp.id), stamp.id),
    )
    if not stamps:
        return False
    if len(stamps) > 1:
        _duplicates(run, intent, [stamp.key for stamp in stamps])
    first = stamps[0]
    ticket = tracker.fetch([first.id], run.specs(side)).get(first.id)
    url = ticket.url if ticket else ""
    created = Created(first.id, first.key, url, ticket.created if ticket else run.house.clock.now(), ticket)
    shown = decode_fields(intent.detail["shown"])
    origin_base = decode_fields(intent.detail["origin"])
    run.read(side.other)
    adopt_created(run, intent, created, shown, origin_base)
    return True


def _find_comment(run: Run, intent: Intent) -> bool:
    ticket = run.link.ticket(intent.side)
    if ticket is None:
        return False
    body = from_json(intent.detail["body"])
    since = intent.created_at - SKEW
    private = bool(intent.detail.get("private"))
    tracker = run.tracker(intent.side)
    try:
        comment = tracker.find_comment(ticket, body, intent.marker, since, private=private)
    except Gone:
        return False  # the ticket itself cannot be seen; what that means is found out apart
    # Ids are unique within one tracker only: the same number on the other side is another comment.
    known = {pair.copy_id for pair in run.pairs if pair.origin is intent.side.other}
    if comment is None or comment in known:
        return False
    pair = adopt_comment(run, intent, comment)
    run.views.pop(intent.side, None)
    if private:
        keep_private(run, pair)
    return True


def _find_file(run: Run, intent: Intent) -> bool:
    ticket = run.link.ticket(intent.side)
    if ticket is None:
        return False
    told, since = intent.detail, intent.created_at - SKEW
    found = run.tracker(intent.side).files.find(ticket, str(told["name"]), int(told["size"]), since)
    known = {
        pair.copy_id
        for pair in run.parts
        if pair.kind is PartKind.ATTACHMENT and pair.origin is intent.side.other
    }
    made = next((one for one in found if one.id not in known), None)
    if made is None:
        return False
    adopt_file(run, intent, made)
    run.views.pop(intent.side, None)
    return True


def _duplicates(run: Run, intent: Intent, keys: list[str]) -> None:
    log.error("duplicates_found", agreement=run.agreement.name, link=run.link.id, keys=keys)
    with run.house.store.write() as tx:
        data = {"side": intent.side.value, "keys": keys}
        tx.journal.add(run.house.clock.now(), run.agreement.name, run.link.id, "duplicates.found", data)


def _close(run: Run, intent: Intent, reason: str) -> None:
    with run.house.store.write() as tx:
        tx.intents.dead(intent.id, reason, run.house.clock.now())
        _tell(tx, run, intent, "outcome.absent")


def _tell(tx: Tx, run: Run, intent: Intent, event: str) -> None:
    data = {"side": intent.side.value, "what": intent.kind.value}
    tx.journal.add(run.house.clock.now(), run.agreement.name, run.link.id, event, data)
