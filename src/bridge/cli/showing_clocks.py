"""How clocks are shown: as rows for programs, and in lines for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.clock import SECOND
from bridge.notify.page import span
from bridge.report.facts import Standing, standing
from bridge.report.measuring import Measured
from bridge.sla.attribution import minutes, of_cycle, office
from bridge.sla.policy import Owner
from bridge.sla.verdict import BallSpan, Cycle, Segment
from bridge.store.rows import Acknowledgement, Alert
from bridge.sync.agreement import Agreement
from bridge.sync.moments import for_programs
from bridge.sync.ticket import Side

MINUTE = 60
"""Seconds; what is shorter is told in seconds."""

LATE = (Standing.BREACHED, Standing.AT_RISK)
"""Standings for which a command ends with 1."""


def as_row(one: Measured, cycle: Cycle) -> dict[str, Any]:
    """An open cycle for a list."""
    ball = one.verdict.ball[-1] if one.verdict.ball else None
    due = cycle.due_at if cycle.breached_at is None else cycle.breached_at
    return {
        "agreement": one.link.agreement,
        "internal": one.link.internal_key,
        "vendor": one.link.vendor_key,
        "clock": cycle.clock,
        "cycle": cycle.number,
        "standing": standing(cycle).value,
        "goal": None if cycle.goal is None else cycle.goal.words or span(cycle.goal.budget),
        "started": for_programs(cycle.started_at),
        "due": _time(due),
        "due_seconds": None if due is None else round((due - one.verdict.at) / SECOND),
        "ball": ball.owner.value if ball else Owner.NOBODY.value,
        "certain_until": for_programs(one.verdict.certain_until),
    }


def by_due(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, what is due or missed first at the top; what is never due at the end."""
    return sorted(
        rows, key=lambda row: (row["due_seconds"] is None, row["due_seconds"] or 0, row["internal"])
    )


def list_line(row: dict[str, Any]) -> tuple[str, ...]:
    """A row of the list for people."""
    seconds = row["due_seconds"]
    if seconds is None:
        when = "-"
    elif row["standing"] == Standing.BREACHED.value:
        when = f"missed {span(-seconds * SECOND)} ago"
    else:
        when = f"in {span(seconds * SECOND)}"
    keys = " = ".join(key for key in (row["internal"], row["vendor"]) if key)
    return (row["standing"], when, row["clock"], keys, row["goal"] or "-", row["ball"], row["agreement"])


def as_story(
    one: Measured, agreement: Agreement, alerts: Sequence[Alert], words: Sequence[Acknowledgement]
) -> dict[str, Any]:
    """Everything that is known of a link's clocks."""
    verdict, policy = one.verdict, one.policy
    since, until = one.timeline.born, verdict.ball[-1].until if verdict.ball else verdict.at
    wall, desk = (
        minutes(verdict.ball, since, until),
        office(verdict.ball, one.calendars, policy, since, until),
    )
    return {
        "agreement": one.link.agreement,
        "internal": one.link.internal_key,
        "vendor": one.link.vendor_key,
        "born": for_programs(one.timeline.born),
        "ended": _time(one.timeline.ended),
        "at": for_programs(verdict.at),
        "certain_until": for_programs(verdict.certain_until),
        "next": _time(verdict.next_at),
        "policy": {"version": policy.version, "since": for_programs(policy.since) if policy.since else None},
        "sides": {
            owner.value: {
                "company": "nobody" if owner is Owner.NOBODY else agreement.scope(Side(owner.value)).company,
                "seconds": wall[owner] // SECOND,
                "office_seconds": desk[owner] // SECOND if owner in desk else None,
                "calendar": None if owner is Owner.NOBODY else policy.office.get(Side(owner.value)),
            }
            for owner in Owner
        },
        "clocks": [_cycle(cycle) for cycle in verdict.cycles],
        "ball": [_span(span_) for span_ in verdict.ball],
        "observed": sum(entry.observed for entry in one.timeline.entries),
        "alerts": [
            {
                "clock": alert.clock,
                "cycle_started": for_programs(alert.cycle),
                "step": alert.step,
                "round": alert.round,
                "at": for_programs(alert.at),
                "claimed": for_programs(alert.claimed_at),
            }
            for alert in alerts
        ],
        "acknowledged": [
            {
                "clock": word.clock or None,
                "at": for_programs(word.at),
                "who": word.detail.get("who"),
                "side": word.detail.get("side"),
                "how": word.detail.get("how"),
            }
            for word in words
        ],
    }


def tell_story(story: dict[str, Any]) -> list[str]:
    """The same for people."""
    version, since = story["policy"]["version"][:12], story["policy"]["since"]
    force = f", in force since {since}" if since else ""
    keys = " = ".join(key for key in (story["internal"], story["vendor"]) if key)
    lines = [
        f"{keys}  agreement {story['agreement']}, born {story['born']}, policy {version}{force}",
        f"  certain until {story['certain_until']}; what happened later may still change this",
    ]
    if story["observed"]:
        lines.append(
            f"  {story['observed']} entries stand in no tracker's history: the bridge saw them happen"
        )
    if story["ended"]:
        lines.append(f"  the link ended {story['ended']}")
    for clock in story["clocks"]:
        lines += _clock_lines(clock)
    lines.append("  whose time it was, since it was born:")
    for side in story["sides"].values():
        own = ""
        if side["office_seconds"] is not None:
            own = f", of it {_span_of(side['office_seconds'])} on its calendar '{side['calendar']}'"
        lines.append(f"    {side['company']}: {_span_of(side['seconds'])}{own}")
    lines += [
        f"  step {alert['step']} of {alert['clock']}"
        + (f", repeated ({alert['round']})" if alert["round"] else "")
        + f": due {alert['at']}, taken {alert['claimed']}"
        for alert in story["alerts"]
    ]
    lines += [
        f"  acknowledged {word['at']} by {word['who']} ({word['side']}, {word['how']}): {word['clock'] or 'all clocks'}"
        for word in story["acknowledged"]
    ]
    return lines


def short_line(cycle: Cycle) -> str:
    """One cycle in one line."""
    return _headline(_cycle(cycle))


def _clock_lines(clock: dict[str, Any]) -> list[str]:
    rows = [
        (
            f"{part['since']} - {part['until']}",
            part["owner"],
            "runs" if part["runs"] else "stands",
            _span_of(part["counted_seconds"]),
            " ".join(word for word in (part["why"], f"[{part['event']}]" if part["event"] else "") if word),
        )
        for part in clock["segments"]
    ]
    widths = [max((len(row[number]) for row in rows), default=0) for number in range(4)]
    return [
        f"  {_headline(clock)}",
        *(
            "    "
            + "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]])
            for row in rows
        ),
    ]


def _headline(clock: dict[str, Any]) -> str:
    goal = f"goal {clock['goal']} ({clock['calendar']})" if clock["goal"] else "no goal"
    moments = [
        f"{word} {clock[key]}"
        for key, word in (("breached", "missed"), ("due", "due"), ("stopped", "ended"))
        if clock[key]
    ]
    counted = f"{_span_of(clock['counted_seconds'])} counted"
    return f"{clock['clock']} {clock['cycle']}: {clock['standing']}; {'; '.join([goal, counted, *moments])}"


def _cycle(cycle: Cycle) -> dict[str, Any]:
    return {
        "clock": cycle.clock,
        "cycle": cycle.number,
        "state": cycle.state.value,
        "standing": standing(cycle).value,
        "goal": None if cycle.goal is None else cycle.goal.words or span(cycle.goal.budget),
        "goal_seconds": None if cycle.goal is None else cycle.goal.budget // SECOND,
        "calendar": None if cycle.goal is None else cycle.goal.calendar,
        "started": for_programs(cycle.started_at),
        "start_event": cycle.start_event,
        "stopped": _time(cycle.stopped_at),
        "stop_event": cycle.stop_event or None,
        "due": _time(cycle.due_at) if cycle.open else None,
        "warned": _time(cycle.warned_at),
        "breached": _time(cycle.breached_at),
        "counted_seconds": cycle.elapsed // SECOND,
        "seconds": {owner.value: amount // SECOND for owner, amount in of_cycle(cycle).items()},
        "segments": [_segment(segment) for segment in cycle.segments],
    }


def _segment(segment: Segment) -> dict[str, Any]:
    return {
        "since": for_programs(segment.since),
        "until": for_programs(segment.until),
        "owner": segment.owner.value,
        "runs": segment.runs,
        "counted_seconds": segment.counted // SECOND,
        "why": segment.why,
        "event": segment.event,
    }


def _span(ball: BallSpan) -> dict[str, Any]:
    return {
        "since": for_programs(ball.since),
        "until": for_programs(ball.until),
        "owner": ball.owner.value,
        "why": ball.why,
        "event": ball.event,
    }


def _span_of(seconds: int) -> str:
    return span(seconds * SECOND) if seconds >= MINUTE else f"{seconds} s"


def _time(moment: int | None) -> str | None:
    return None if moment is None else for_programs(moment)
