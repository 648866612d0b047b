"""The scorecard of a vendor over a period: how each clock fared, and the evidence for it, ticket by ticket.

Every cycle of a clock that ended, was breached or was open in the period is one row, with whose minutes passed and the
ids of the trackers' own entries that began and ended it, so that either side can look them up. No words of tickets.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.clock import SECOND
from bridge.notify.clock_letters import parties
from bridge.notify.languages import Tongue, tongue
from bridge.report.digest import report_letter, result
from bridge.report.facts import Case, Figures
from bridge.report.paper import Paper, Table, as_csv
from bridge.report.words import goal_words, head_of, keys_of, moment, period_of, standing_of, standing_words
from bridge.sla.policy import Owner
from bridge.store.rows import Letter
from bridge.sync.agreement import Agreement
from bridge.sync.moments import for_programs
from bridge.sync.naming import one_line
from bridge.sync.roles import Role
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
    agreement: Agreement, reader: Side, figures: Figures, cases: Sequence[Case], words: Tongue
) -> Paper:
    """The scorecard as a paper.

    Args:
        agreement: the terms.
        reader: the side that reads it.
        figures: of the period.
        cases: the evidence.
        words: its language.
    """
    return Paper(
        title=words.say(
            "Scorecard of {vendor}: {period}",
            vendor=one_line(agreement.vendor.company),
            period=period_of(words, figures),
        ),
        lead=standing_of(words, figures),
        tables=(result(agreement, figures, words), _evidence(agreement, reader, cases, words)),
        closing=head_of(words, figures),
        language=words.language,
    )


def scorecard_letter(
    agreement: Agreement, reader: Role, figures: Figures, cases: Sequence[Case], *, zone: str
) -> Letter:
    """The scorecard as a mail for one role, in its language. The same report is sent to it once.

    Args:
        agreement: the terms.
        reader: the role; its ``mail`` says where.
        figures: as the role's side may see them.
        cases: the evidence, likewise.
        zone: time zone in which moments are told.
    """
    paper = scorecard(agreement, reader.side, figures, cases, tongue(reader.language, zone))
    period = figures.period
    return report_letter(
        paper, agreement, reader, f"report/{agreement.name}/{period.since}-{period.until}", figures.at
    )


def scorecard_csv(agreement: Agreement, cases: Sequence[Case]) -> str:
    """The evidence for spreadsheets and programs: moments in UTC, durations in whole seconds."""
    return as_csv(COLUMNS, (_csv_row(agreement, case) for case in cases))


def _evidence(agreement: Agreement, reader: Side, cases: Sequence[Case], words: Tongue) -> Table:
    owners = parties(agreement, words)
    return Table(
        words.say("Evidence"),
        (
            words.say("ticket"),
            words.say("clock"),
            words.say("result"),
            words.say("goal"),
            words.say("started"),
            words.say("ended"),
            words.say("missed since"),
            words.say("counted"),
            *owners.values(),
            words.say("evidence"),
        ),
        [
            (
                keys_of(case.keys, reader),
                f"{case.cycle.clock} {case.cycle.number}",
                standing_words(words, case.standing),
                goal_words(words, case),
                moment(words, case.cycle.started_at),
                moment(words, case.cycle.stopped_at),
                moment(words, case.cycle.breached_at),
                words.span(case.cycle.elapsed),
                *(words.span(case.minutes.get(owner, 0)) for owner in owners),
                " → ".join(event for event in (case.cycle.start_event, case.cycle.stop_event) if event),
            )
            for case in cases
        ],
        words.say("No clock ran in this period."),
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
