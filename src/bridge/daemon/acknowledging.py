"""Acknowledging: one way in for the command, the page behind a letter's link, and what histories tell.

Whoever acknowledges has seen it: nothing of that cycle is repeated any more. The first word stands. The link in a
letter is signed, for one role and one cycle; it says nothing and opens nothing but that one page.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote, unquote

import structlog

from bridge.config.settings import Settings
from bridge.notify.clock_letters import Alarm
from bridge.sla.serial import timeline_from_json, timeline_to_json
from bridge.sla.timeline import Entry, EntryKind
from bridge.store.database import Store, Tx
from bridge.store.rows import Acknowledgement, Link
from bridge.sync.ticket import Side

log = structlog.get_logger(__name__)

SECRET: Final = "acknowledge/secret"  # noqa: S105 - the name of the note
"""The note that holds what links are signed with: random, made once."""

PATH: Final = "/ack/"
"""Where the page is: the token follows."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a signed link is about.

    Attributes:
        link: row id.
        clock: name of the clock.
        cycle: when its cycle began, microseconds.
        role: who was written to.
    """

    link: int
    clock: str
    cycle: int
    role: str


def secret_of(store: Store) -> str:
    """What links are signed with; made when it is first needed.

    Raises:
        StoreError: our own database failed.
    """
    with store.read() as tx:
        known = tx.cursors.get_note(SECRET)
    if known is None:
        with store.write() as tx:
            known = tx.cursors.get_note(SECRET)
            if known is None:
                known = secrets.token_hex(32)
                tx.cursors.set_note(SECRET, known)
    return str(known)


def page_url(settings: Settings, secret: str, alarm: Alarm, role: str) -> str:
    """The address at which a role can acknowledge; "" where no page can be reached from outside."""
    if settings.web is None or not settings.web.public_url:
        return ""
    invitation = Invitation(alarm.link.id, alarm.cycle.clock, alarm.cycle.started_at, role)
    return f"{settings.web.public_url}{PATH}{quote(token_for(secret, invitation), safe='.~')}"


def token_for(secret: str, invitation: Invitation) -> str:
    """The token of a link: what it is about in the clear, and the proof that we wrote it."""
    words = (str(invitation.link), invitation.clock, str(invitation.cycle), invitation.role)
    return "~".join((*(quote(word, safe="").replace("~", "%7E") for word in words), _proof(secret, words)))


def invitation_of(secret: str, token: str) -> Invitation | None:
    """What a token is about; None when we did not write it."""
    *parts, proof = token.split("~")
    words = tuple(unquote(part) for part in parts)
    try:
        link, clock, cycle, role = words
        made = Invitation(int(link), clock, int(cycle), role)
    except ValueError:
        return None
    sound = hmac.compare_digest(_proof(secret, words).encode(), proof.encode(errors="replace"))
    return made if sound else None


def acknowledge(
    tx: Tx, link: Link, cycles: Sequence[tuple[str, int]], *, who: str, side: Side, how: str, now: int
) -> int:
    """Somebody has seen it; returns of how many cycles nobody had before.

    What was said is part of the link's history at once, also while its trackers cannot be read: a clock that waits for
    somebody to acknowledge stops now.

    Args:
        tx: the transaction.
        link: the link.
        cycles: (clock, when the cycle began) of those that are acknowledged.
        who: whoever it was, as people call them.
        side: on whose behalf.
        how: ``mail`` or ``command``.
        now: microseconds.
    """
    detail = {"who": who, "side": side.value, "how": how}
    new = [
        (clock, began)
        for clock, began in cycles
        if tx.alerts.acknowledge(Acknowledgement(link.id, clock, began, now, detail))
    ]
    if not new:
        return 0
    row = tx.chronicles.get(link.id)
    tx.chronicles.touch(link.id, link.agreement, now)
    if row is not None and row.timeline:
        timeline = timeline_from_json(row.timeline)
        words = [entry_of(Acknowledgement(link.id, *key, now, detail)) for key in new]
        entries = sorted((*timeline.entries, *words), key=lambda entry: entry.at)
        told = timeline_to_json(replace(timeline, entries=tuple(entries)))
        tx.chronicles.amend(link.id, told, now)
    told_to_journal(tx, link, new, detail, now)
    return len(new)


def entry_of(word: Acknowledgement) -> Entry:
    """An acknowledgement outside of the trackers as an entry of the link's history."""
    return Entry(
        at=word.at,
        side=Side(word.detail.get("side") or Side.INTERNAL),
        kind=EntryKind.ACKNOWLEDGED,
        field=word.clock,
        who=str(word.detail.get("who", "")),
        event=f"bridge:acknowledged/{word.clock or 'all'}/{word.cycle}",
    )


def told_to_journal(
    tx: Tx, link: Link, cycles: Sequence[tuple[str, int]], detail: dict[str, Any], now: int
) -> None:
    """Have the journal tell who acknowledged what."""
    for clock, began in cycles:
        data = {"clock": clock, "cycle": began, **detail}
        tx.journal.add(now, link.agreement, link.id, "alert.acknowledged", data)
    log.info(
        "alert_acknowledged",
        agreement=link.agreement,
        link=link.id,
        clocks=[clock for clock, _ in cycles],
        side=detail["side"],
        how=detail["how"],
    )


def _proof(secret: str, words: Sequence[str]) -> str:
    said = "\x00".join(words).encode(errors="replace")
    return hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()[:40]
