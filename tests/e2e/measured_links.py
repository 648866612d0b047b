"""Stored timelines for tests of reports and commands: an agreement, its policy, and links with histories."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

from bridge.sla.calendar import CalendarRule
from bridge.sla.policy import BallRule, ClockRule, Goal, Happening, Owner, Pause, Policy, Trigger
from bridge.sla.serial import policy_to_json, timeline_to_json, version_of
from bridge.sla.timeline import Entry, EntryKind, Timeline
from bridge.store.database import Store, Tx
from bridge.store.rows import Chronicle, Link, LinkState, PolicyRow
from bridge.sync.agreement import Agreement, Scope
from bridge.sync.roles import Role
from bridge.sync.ticket import Side

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def at(words: str) -> int:
    """A moment, e.g. ``2026-11-02 08:00`` in UTC."""
    return round(datetime.fromisoformat(words).replace(tzinfo=UTC).timestamp()) * 1_000_000


ALWAYS = CalendarRule("always", "UTC", (((0, 1_440),),) * 7)
OFFICE = CalendarRule("office", "Europe/Copenhagen", (((480, 960),),) * 5 + ((), ()), holidays="DK")
RESOLVED = frozenset({"Resolved", "Closed"})
CREATED, DONE = Trigger(Happening.CREATED), Trigger(Happening.RESOLVED)

AGREEMENT = Agreement(
    name="acme",
    internal=Scope("home", "OPS", "Example", "wiki"),
    vendor=Scope("acme", "CUST", "Acme", "wiki"),
    roles=(
        Role("service-owner", Side.INTERNAL, mail=("ann@example.com",)),
        Role("delivery-manager", Side.VENDOR, mail=("bo@acme.example",)),
        Role("bystander", Side.VENDOR, mail=("cy@acme.example",)),
    ),
)


def policy(resolve: int = 8 * HOUR, *, calendar: str = "always", paused: bool = True) -> Policy:
    """An acknowledge clock of an hour, and one for resolving that stands while the ball is the internal side's."""
    made = Policy(
        clocks=(
            ClockRule(
                "acknowledge",
                start=(CREATED,),
                stop=(Trigger(Happening.COMMENT, Side.VENDOR),),
                goals=(Goal({}, HOUR, "always", "default: 1h"),),
                owner=Side.VENDOR,
            ),
            ClockRule(
                "resolve",
                start=(CREATED,),
                stop=(DONE,),
                pause=(Pause(ball=Owner.INTERNAL, words="ball: internal"),) if paused else (),
                goals=(Goal({}, resolve, calendar, "default: 8h"),),
                owner=Side.VENDOR,
            ),
        ),
        ball=(BallRule(Owner.INTERNAL, statuses=frozenset({"Waiting"}), words="status: Waiting"),),
        resolved=RESOLVED,
        calendars={"always": ALWAYS, "office": OFFICE},
        office={Side.INTERNAL: "office"},
    )
    return replace(made, version=version_of(made))


def history(born: int, *deeds: tuple[int, str], certain: int | None = None) -> Timeline:
    """A timeline.

    Args:
        born: microseconds.
        deeds: (microseconds after birth, what): ``comment`` by the vendor, or a status.
        certain: until when it is certain; without it for a year.
    """
    entries = [Entry(born, Side.INTERNAL, EntryKind.CREATED, event="internal:issue/1")]
    status = "Open"
    for number, (after, what) in enumerate(deeds, 100):
        if what == "comment":
            made = Entry(born + after, Side.VENDOR, EntryKind.COMMENT, event=f"vendor:comment/{number}")
        else:
            made = Entry(
                born + after,
                Side.INTERNAL,
                EntryKind.FIELD,
                field="status",
                before=status,
                after=what,
                event=f"internal:history/{number}",
            )
            status = what
        entries.append(made)
    return Timeline(
        born,
        Side.INTERNAL,
        {"status": "Open", "priority": "P2"},
        tuple(entries),
        certain_until=born + 365 * DAY if certain is None else certain,
    )


def put_policy(tx: Tx, terms: Policy, since: int = 0, agreement: str = "acme") -> None:
    """Keep a version."""
    tx.policies.add(PolicyRow(agreement, terms.version, since, since, policy_to_json(terms)))


def put_link(
    tx: Tx, number: int, timeline: Timeline, terms: Policy, *, mirrored: bool = True, agreement: str = "acme"
) -> Link:
    """Keep a link with its timeline."""
    link, _ = tx.links.add(
        agreement, Side.INTERNAL, str(10_000 + number), f"OPS-{number}", f"m{number}", timeline.born
    )
    if mirrored:
        tx.links.set_peer(link.id, Side.VENDOR, str(20_000 + number), f"CUST-{number}")
        tx.links.set_state(link.id, LinkState.ACTIVE)
    tx.chronicles.touch(link.id, agreement, timeline.born)
    row = Chronicle(
        link.id,
        agreement,
        policy=terms.version,
        born=timeline.born,
        read_at=timeline.certain_until,
        timeline=timeline_to_json(timeline),
    )
    tx.chronicles.put(row, timeline.born)
    return tx.links.get(link.id)


def fill(store: Store, terms: Policy, count: int, first: int, seed: int = 7) -> None:
    """Many links with histories of two weeks, the same ones for the same seed."""
    chance = random.Random(seed)
    with store.write() as tx:
        put_policy(tx, terms)
        for number in range(1, count + 1):
            moment, deeds = 0, []
            for _ in range(chance.randint(1, 40)):
                moment += chance.randint(1, 900) * MINUTE
                deeds.append((moment, chance.choice(["comment", "comment", "Waiting", "Open", "Resolved"])))
            put_link(tx, number, history(first + chance.randint(0, 14 * DAY), *deeds), terms)
