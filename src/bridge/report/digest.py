"""The digest: what an agreement came to over a period, for one role, in its language and as far as its side may see.

Keys and figures only: no words of tickets, no reasons. Both sides get the same figures for the tickets that both know,
and the head of the audit chain, so that neither can rewrite the past unnoticed (decision 13).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from bridge.notify.clock_letters import parties
from bridge.notify.languages import Tongue, tongue
from bridge.report.facts import Case, ClockFigures, Figures, Waiting
from bridge.report.paper import Paper, Table, as_html, as_text
from bridge.report.words import (
    NONE,
    goal_words,
    head_of,
    keys_of,
    moment,
    period_of,
    share,
    standing_of,
)
from bridge.store.rows import Letter
from bridge.sync.agreement import Agreement
from bridge.sync.naming import one_line
from bridge.sync.roles import Role
from bridge.sync.ticket import Side
from bridge.sync.visible import field_for

MOST_ROWS = 50
"""Tickets that a table of a digest names; how many more there are is said."""


def digest_letter(
    agreement: Agreement, reader: Role, figures: Figures, *, name: str, zone: str, now: int
) -> Letter:
    """The digest as a mail for one role, in its language.

    Args:
        agreement: the terms.
        reader: the role; its ``mail`` says where.
        figures: as the role's side may see them.
        name: which digest it is, e.g. ``2026-11-23``: part of the key, so that each is sent once.
        zone: time zone in which moments are told.
        now: microseconds.
    """
    paper = digest(agreement, reader.side, figures, tongue(reader.language, zone))
    return report_letter(paper, agreement, reader, f"digest/{agreement.name}/{name}", now)


def report_letter(paper: Paper, agreement: Agreement, reader: Role, what: str, now: int) -> Letter:
    """A report as a mail for one role.

    Args:
        paper: what it says.
        agreement: under which agreement.
        reader: the role.
        what: which report it is: with the role's name its key, so that each is sent once.
        now: microseconds.
    """
    key = f"{what}/{reader.name}"
    digested = hashlib.sha256(f"{agreement.name}\x00{key}".encode(errors="replace")).hexdigest()
    return Letter(
        id=0,
        key=key,
        agreement=agreement.name,
        to=tuple(dict.fromkeys(reader.mail)),
        subject=paper.title,
        text=as_text(paper),
        html=as_html(paper),
        message_id=f"bridge.{digested[:32]}",
        created_at=now,
    )


def digest(agreement: Agreement, reader: Side, figures: Figures, words: Tongue) -> Paper:
    """The digest as a paper.

    Args:
        agreement: the terms.
        reader: the side that reads it.
        figures: as that side may see them.
        words: its language.
    """
    internal, vendor = (one_line(agreement.scope(side).company) for side in Side)
    return Paper(
        title=words.say(
            "Digest of {internal} and {vendor}: {period}",
            internal=internal,
            vendor=vendor,
            period=period_of(words, figures),
        ),
        lead=(*standing_of(words, figures), *_verdict(figures, words)),
        tables=(
            result(agreement, figures, words),
            _missed(figures.breached, reader, words),
            _at_risk(figures.at_risk, reader, words),
            _held(agreement, figures.held, reader, words),
            _parked(figures.parked, reader, words),
            _minutes(agreement, figures, words),
            _crossed(agreement, figures, words),
        ),
        closing=" ".join(
            (
                head_of(words, figures),
                words.say(
                    "Sent by the bridge between {internal} and {vendor}. Texts of tickets never stand in its mails.",
                    internal=internal,
                    vendor=vendor,
                ),
            )
        ),
        language=words.language,
    )


def result(agreement: Agreement, figures: Figures, words: Tongue) -> Table:
    """How each clock fared, beside what the agreement says it should."""
    return Table(
        words.say("Result by clock"),
        (
            words.say("clock"),
            words.say("owed by"),
            words.say("met"),
            words.say("missed"),
            words.say("share met"),
            words.say("agreed"),
            words.say("open"),
            words.say("at risk"),
        ),
        [_clock(agreement, one, words) for one in figures.clocks],
        words.say("No clock has run."),
    )


def _clock(agreement: Agreement, one: ClockFigures, words: Tongue) -> tuple[str, ...]:
    return (
        one.name,
        words.say("nobody") if one.owner is None else one_line(agreement.scope(one.owner).company),
        str(one.met),
        str(one.breached),
        share(words, one.share),
        share(words, one.target),
        str(one.running),
        str(one.at_risk),
    )


def _verdict(figures: Figures, words: Tongue) -> list[str]:
    """What the ladder did, and which of the stated goals were reached."""
    told = [
        words.many(
            "{number} step of the ladder was taken.",
            "{number} steps of the ladder were taken.",
            number=figures.alerts,
        )
    ]
    missed = ", ".join(one_line(one.name) for one in figures.clocks if one.kept is False)
    kept = ", ".join(one_line(one.name) for one in figures.clocks if one.kept)
    if missed:
        told.append(words.say("What was agreed was not reached: {clocks}.", clocks=missed))
    if kept:
        told.append(words.say("What was agreed was reached: {clocks}.", clocks=kept))
    return told


def _missed(cases: Sequence[Case], reader: Side, words: Tongue) -> Table:
    rows = [(*_case(one, reader, words), moment(words, one.cycle.breached_at)) for one in cases]
    columns = (words.say("ticket"), words.say("clock"), words.say("goal"), words.say("missed since"))
    return _cut(Table(words.say("Goals missed"), columns, rows, words.say("No goal was missed.")), words)


def _at_risk(cases: Sequence[Case], reader: Side, words: Tongue) -> Table:
    rows = [(*_case(one, reader, words), moment(words, one.cycle.due_at) or NONE) for one in cases]
    columns = (words.say("ticket"), words.say("clock"), words.say("goal"), words.say("due"))
    return _cut(Table(words.say("Goals at risk"), columns, rows, words.say("Nothing is at risk.")), words)


def _case(case: Case, reader: Side, words: Tongue) -> tuple[str, str, str]:
    return keys_of(case.keys, reader), case.cycle.clock, goal_words(words, case)


def _held(agreement: Agreement, held: Sequence[Waiting], reader: Side, words: Tongue) -> Table:
    rows = [
        (
            keys_of(one.keys, reader),
            field_for(agreement.field(one.field), one.field, reader),
            moment(words, one.since),
        )
        for one in held
    ]
    columns = (words.say("ticket"), words.say("field"), words.say("since"))
    empty = words.say("No change waits for a decision.")
    return _cut(Table(words.say("Changes that wait for a decision"), columns, rows, empty), words)


def _parked(parked: Sequence[Waiting], reader: Side, words: Tongue) -> Table:
    rows = [(keys_of(one.keys, reader), moment(words, one.since)) for one in parked]
    columns = (words.say("ticket"), words.say("since"))
    empty = words.say("Every ticket is kept in agreement.")
    return _cut(Table(words.say("Tickets that cannot be kept in agreement now"), columns, rows, empty), words)


def _minutes(agreement: Agreement, figures: Figures, words: Tongue) -> Table:
    rows = [
        (
            name,
            words.span(figures.minutes.get(owner, 0)),
            words.span(figures.office[owner]) if owner in figures.office else NONE,
        )
        for owner, name in parties(agreement, words).items()
    ]
    columns = (words.say("had to act"), words.say("by the clock"), words.say("in its own hours"))
    return Table(words.say("Whose time it was"), columns, rows)


def _crossed(agreement: Agreement, figures: Figures, words: Tongue) -> Table:
    things = {
        "tickets": words.say("tickets"),
        "comments": words.say("comments"),
        "files": words.say("files"),
        "fields": words.say("changes of fields"),
        "worklogs": words.say("worklogs"),
    }
    rows = [
        (
            words.say("to {company}", company=one_line(agreement.scope(side).company)),
            *(str(figures.crossed.get((side, what), 0)) for what in things),
        )
        for side in Side
    ]
    return Table(words.say("What crossed"), (words.say("direction"), *things.values()), rows)


def _cut(table: Table, words: Tongue) -> Table:
    more = len(table.rows) - MOST_ROWS
    if more <= 0:
        return table
    rest = (words.say("and {count} more", count=more), *[""] * (len(table.columns) - 1))
    return replace(table, rows=[*table.rows[:MOST_ROWS], rest])
