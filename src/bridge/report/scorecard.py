"""The scorecard of a vendor over a period: how each clock fared, and the evidence for it, ticket by ticket.

Every cycle of a clock that ended, was breached or was open in the period is one row, with whose minutes passed and the
ids of the trackers' own entries that began and ended it, so that either side can look them up. No words of tickets.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.clock import SECOND
from bridge.notify.page import span
from bridge.report.digest import result
from bridge.report.facts import Case, Figures
from bridge.report.paper import Paper, Table, as_csv
from bridge.report.words import Say, goal_words, keys_of, moment, owner_words, standing_words
from bridge.sla.policy import Owner
from bridge.sync.agreement import Agreement
from bridge.sync.moments import for_programs, to_minute
from bridge.sync.naming import one_line
from bridge.sync.ticket import Side

COLUMNS = (
    "agreement",
    "internal_ticket",
    "vendor_ticket",
    "clock",
    "cycle",
    "standing",
    "goal_seconds",
    "goal_calendar",
    "started",
    "start_event",
    "stopped",
    "stop_event",
    "breached",
    "counted_seconds",
    "internal_seconds",
    "vendor_seconds",
    "nobody_seconds",
)
"""Columns of the CSV form, in order; a later version may add some at the end."""


def scorecard(
    agreement: Agreement,
    reader: Side,
    figures: Figures,
    cases: Sequence[Case],
    *,
    say: Say = str,
    language: str = "en",
) -> Paper:
    """The scorecard as a paper.

    Args:
        agreement: the terms.
        reader: the side that reads it.
        figures: of the period.
        cases: the evidence.
        say: its language.
        language: the name of that language.
    """
    vendor = one_line(agreement.vendor.company)
    period = say("{since} to {until}").format(
        since=to_minute(figures.period.since), until=to_minute(figures.period.until)
    )
    lead = [
        say("{born} tickets are new, {resolved} were resolved, {open} are open.").format(
            born=figures.born, resolved=figures.resolved, open=figures.open
        )
    ]
    if figures.certain_until is not None and figures.certain_until < figures.period.until:
        lead.append(
            say("This is certain until {moment}; what happened later may not be in it yet.").format(
                moment=to_minute(figures.certain_until)
            )
        )
    head = say(
        "Audit chain of this agreement: record {seq}, {hash}. Keep it: with it you can prove later what was done."
    )
    return Paper(
        title=say("Scorecard of {vendor}: {period}").format(vendor=vendor, period=period),
        lead=lead,
        tables=(result(agreement, figures, say), _evidence(agreement, reader, cases, say)),
        closing=head.format(seq=figures.head.seq, hash=figures.head.hash),
        language=language,
    )


def scorecard_csv(agreement: Agreement, cases: Sequence[Case]) -> str:
    """The evidence for spreadsheets and programs: moments in UTC, durations in whole seconds."""
    return as_csv(COLUMNS, (_csv_row(agreement, case) for case in cases))


def _evidence(agreement: Agreement, reader: Side, cases: Sequence[Case], say: Say) -> Table:
    owners = {owner: owner_words(say, agreement, owner) for owner in Owner}
    return Table(
        say("Evidence"),
        (
            say("ticket"),
            say("clock"),
            say("result"),
            say("goal"),
            say("started"),
            say("stopped"),
            say("breached"),
            say("counted"),
            *owners.values(),
            say("events"),
        ),
        [
            (
                keys_of(case.keys, reader),
                f"{case.cycle.clock} {case.cycle.number}",
                standing_words(say, case.standing),
                goal_words(say, case),
                moment(case.cycle.started_at),
                moment(case.cycle.stopped_at),
                moment(case.cycle.breached_at),
                span(case.cycle.elapsed),
                *(span(case.minutes.get(owner, 0)) for owner in owners),
                " → ".join(event for event in (case.cycle.start_event, case.cycle.stop_event) if event),
            )
            for case in cases
        ],
        say("No clock ran in this period."),
    )


def _csv_row(agreement: Agreement, case: Case) -> tuple[str, ...]:
    cycle = case.cycle
    return (
        agreement.name,
        case.keys.get(Side.INTERNAL, ""),
        case.keys.get(Side.VENDOR, ""),
        cycle.clock,
        str(cycle.number),
        case.standing.value,
        "" if cycle.goal is None else str(cycle.goal.budget // SECOND),
        "" if cycle.goal is None else cycle.goal.calendar,
        for_programs(cycle.started_at),
        cycle.start_event,
        "" if cycle.stopped_at is None else for_programs(cycle.stopped_at),
        cycle.stop_event,
        "" if cycle.breached_at is None else for_programs(cycle.breached_at),
        str(cycle.elapsed // SECOND),
        *(
            str(case.minutes.get(owner, 0) // SECOND)
            for owner in (Owner.INTERNAL, Owner.VENDOR, Owner.NOBODY)
        ),
    )
