"""How a hold is shown: as a row for programs, and in two lines for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bridge.clock import SECOND
from bridge.daemon.deciding import deciders
from bridge.store.rows import Link
from bridge.sync.agreement import Agreement, FieldRule
from bridge.sync.holding import Hold, HoldKind, HoldState, stamp
from bridge.sync.mapping import crossing, show, show_change
from bridge.sync.moments import for_programs
from bridge.sync.ticket import Side, Value

DAY, HOUR, MINUTE = 86_400, 3_600, 60

WAITING = frozenset({HoldState.OPEN, HoldState.APPROVED, HoldState.REJECTED})
"""States of a hold that still stands in the way."""

WHY = {
    HoldKind.UNENTITLED: "its author may not make this change",
    HoldKind.CONFLICT: "both sides changed it differently",
    HoldKind.PING_PONG: "it was undone, and came back each time",
}


def as_row(agreement: Agreement, link: Link, hold: Hold) -> dict[str, Any]:
    """A hold for ``--json``; of a set only what may cross, of a text not its words."""
    rule = agreement.field(hold.field) or FieldRule(hold.field)
    expiry = agreement.holds.expire
    waits = hold.state is HoldState.OPEN
    return {
        "id": f"{hold.id}-{stamp(hold)}",
        "number": hold.id,
        "agreement": link.agreement,
        "internal": link.internal_key,
        "vendor": link.vendor_key,
        "field": hold.field,
        "side": hold.side.value,
        "kind": hold.kind.value,
        "state": hold.state.value,
        "change": _change(rule, hold),
        "other": show(_may_cross(rule, hold.other, hold.side.other)),
        "who": None if hold.actor is None else hold.actor.name or hold.actor.id,
        "why": WHY[hold.kind],
        "rounds": hold.rounds,
        "decides": [role.name for role in deciders(agreement, hold)],
        "since": for_programs(hold.since),
        "expires": for_programs(hold.since + expiry) if waits and expiry is not None else None,
        "then": agreement.holds.then if waits and expiry is not None else None,
        "decided_by": hold.decided_by or None,
        "decided": for_programs(hold.decided_at) if hold.decided_at else None,
        "reason": hold.reason or None,
        "closed": for_programs(hold.closed_at) if hold.closed_at else None,
    }


def told(row: dict[str, Any], now: int) -> str:
    """A hold for people."""
    keys = f"{row['internal']} = {row['vendor']} ({row['agreement']})"
    who = f" by {row['who']}" if row["who"] else ""
    lines = [
        f"{row['id']}  {keys}  {row['field']}: {row['change']}{who} on the {row['side']} side",
        f"    {row['why']}; the other side has {row['other']}; since {row['since']} ({_span(now, row['since'])})",
    ]
    if row["state"] == "open":
        asked = " or ".join(row["decides"]) or "anybody"
        expiry = f"; {row['then']} after {row['expires']}" if row["expires"] else ""
        lines.append(f"    {asked} decides{expiry}")
    else:
        by = f" by {row['decided_by']}" if row["decided_by"] else ""
        reason = f": {row['reason']}" if row["reason"] else ""
        lines.append(f"    {row['state']}{by}{reason}")
    return "\n".join(lines)


def _change(rule: FieldRule, hold: Hold) -> str:
    if hold.kind is HoldKind.CONFLICT:
        here, there = _may_cross(rule, hold.value, hold.side), _may_cross(rule, hold.other, hold.side.other)
        return f"{show(here)} here, {show(there)} there"
    return show_change(_may_cross(rule, hold.before, hold.side), _may_cross(rule, hold.value, hold.side))


def _may_cross(rule: FieldRule, value: Value, side: Side) -> Value:
    return crossing(rule, value, side) if isinstance(value, frozenset) else value


def _span(now: int, since: str) -> str:
    begun = datetime.strptime(since, "%Y-%m-%d %H:%M:%SZ").replace(tzinfo=UTC)
    seconds = max(0, now // SECOND - int(begun.timestamp()))
    for size, word in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= size:
            return f"{seconds // size} {word}"
    return f"{seconds} s"
