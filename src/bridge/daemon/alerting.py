"""Claiming steps of the ladder: the claim, its letters, webhooks and what is to be done on tickets, all or nothing.

A claim is made in the transaction that puts what tells of it into the outbox. So a kill at any point leaves a step that
nobody was told of and that is told again, or one whose letters stand there; never one that is lost between the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from bridge.clock import SECOND
from bridge.config.settings import Settings
from bridge.daemon.acknowledging import page_url
from bridge.daemon.escalating import owe
from bridge.daemon.routing import MAILED, UNHEARD, Routing
from bridge.notify.clock_letters import Alarm, Late, alarm_letter
from bridge.notify.hook_message import hook_letter
from bridge.sla.ladder import Claim, CycleKey
from bridge.sla.policy import Policy
from bridge.sla.verdict import Cycle, Verdict
from bridge.store.database import Tx
from bridge.store.rows import Acknowledgement, Alert, Chronicle, Link
from bridge.sync.agreement import Agreement
from bridge.sync.roles import Role
from bridge.sync.ticket import Side

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a link found.

    Attributes:
        row: what was kept of it when it was read.
        next_at: when to look again.
        summary: what lists show until then.
        link: its tickets; None where there is nothing to tell.
        agreement: its terms, likewise.
        policy: what it is measured by.
        verdict: what its clocks say.
        claims: steps that are to be told, each with why it is late.
        stored: how a cycle is called in the store, where that differs from its beginning as it is known now.
        acknowledged: what its history says of acknowledgements, to be kept.
    """

    row: Chronicle
    next_at: int | None
    summary: Mapping[str, Any]
    link: Link | None = None
    agreement: Agreement | None = None
    policy: Policy = field(default_factory=Policy)
    verdict: Verdict | None = None
    claims: tuple[tuple[Claim, Late | None], ...] = ()
    stored: Mapping[CycleKey, CycleKey] = field(default_factory=dict)
    acknowledged: tuple[Acknowledgement, ...] = ()


def alarm_of(looked: Looked, claim: Claim, late: Late | None) -> Alarm:
    """A claim as its letters tell of it."""
    assert looked.link is not None
    assert looked.agreement is not None
    assert looked.verdict is not None
    cycle = next(
        one for one in looked.verdict.cycles if (one.clock, one.started_at) == (claim.clock, claim.cycle)
    )
    return Alarm(
        agreement=looked.agreement,
        link=looked.link,
        verdict=looked.verdict,
        cycle=cycle,
        step=claim.step,
        at=claim.at,
        round=claim.round,
        missed=claim.missed,
        late=late,
        urls=urls_of(looked.row),
    )


def urls_of(row: Chronicle) -> dict[Side, str]:
    """Where the tickets of a link can be opened, as its summary says."""
    return {Side(side): url for side, url in row.summary.get("urls", {}).items()}


def for_reader(alarm: Alarm, policy: Policy, reader: Role, settings: Settings, secret: str) -> Alarm:
    """An alarm as one role reads it: in the time of its side, with a link of its own."""
    return replace(
        alarm,
        zone=zone_for(policy, alarm.cycle, reader.side),
        ack_url=page_url(settings, secret, alarm, reader.name) if secret and alarm.cycle.open else "",
    )


def zone_for(policy: Policy, cycle: Cycle, side: Side) -> str:
    """The time zone of a side's office; where it names none, that of the goal's calendar."""
    named = policy.office.get(side, "") or (cycle.goal.calendar if cycle.goal is not None else "")
    rule = policy.calendars.get(named)
    return "UTC" if rule is None else rule.zone


def claim_all(tx: Tx, looked: Looked, routing: Routing, settings: Settings, secret: str, now: int) -> int:  # noqa: PLR0917 - what a claim is made of
    """Claim the steps of a link, and put into the outbox what tells of them; returns how many were claimed."""
    if looked.link is None or looked.agreement is None:
        return 0
    return sum(
        _claim(tx, looked, alarm_of(looked, claim, late), claim, routing, settings, secret, now)
        for claim, late in looked.claims
    )


def _claim(  # noqa: PLR0917 - as above
    tx: Tx,
    looked: Looked,
    alarm: Alarm,
    claim: Claim,
    routing: Routing,
    settings: Settings,
    secret: str,
    now: int,
) -> bool:
    agreement, link, step = alarm.agreement, alarm.link, claim.step
    readers = {name: agreement.role(name) for name in step.tell}
    ways = {name: routing.way(agreement.name, reader, urgent=step.urgent) for name, reader in readers.items()}
    detail: dict[str, Any] = {
        "roles": ways,
        "certain": alarm.verdict.certain_until,
        "event": alarm.cycle.start_event,
        "policy": alarm.verdict.policy,
    }
    told = {
        "comment": sorted(side.value for side in step.comment),
        "label": step.label,
        "priority": step.priority,
        "hook": step.webhook,
        "missed": claim.missed,
        "why": alarm.late or "",
        "late": claim.late if alarm.late else 0,
    }
    detail |= {name: value for name, value in told.items() if value}
    _, began = looked.stored.get((claim.clock, claim.cycle), (claim.clock, claim.cycle))
    row = Alert(0, link.id, agreement.name, claim.clock, began, step.name, claim.round, claim.at, now, detail)
    if not tx.alerts.claim(row):
        return False
    for name, reader in readers.items():
        if reader is not None and ways[name] == MAILED:
            tx.outbox.put(
                alarm_letter(for_reader(alarm, looked.policy, reader, settings, secret), reader, now)
            )
    if step.webhook:
        tx.outbox.put(hook_letter(alarm, step.webhook, now))
    if claim.round == 0:  # only mails and webhooks are repeated
        owe(tx, alarm, now)
    data = {
        "clock": claim.clock,
        "cycle": began,
        "step": step.name,
        "round": claim.round,
        "at": claim.at,
        **detail,
    }
    tx.journal.add(now, agreement.name, link.id, "alert.claimed", data)
    log.info(
        "alert_claimed",
        agreement=agreement.name,
        link=link.id,
        clock=claim.clock,
        step=step.name,
        round=claim.round,
        late=claim.late // SECOND,
        why=alarm.late,
        roles=ways,
    )
    unheard = [name for name, way in ways.items() if way == UNHEARD]
    if unheard:
        log.error("alert_unheard", agreement=agreement.name, link=link.id, clock=claim.clock, roles=unheard)
    return True
