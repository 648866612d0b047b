"""The digest: what an agreement came to over a period, for one role, in its language and as far as its side may see.

Keys and figures only: no words of tickets, no reasons. Both sides get the same figures for the tickets that both know,
and the head of the audit chain, so that neither can rewrite the past unnoticed (decision 13).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from bridge.notify.page import span
from bridge.report.facts import Case, ClockFigures, Figures, Waiting
from bridge.report.paper import Paper, Table, as_html, as_text
from bridge.report.words import Say, goal_words, keys_of, moment, owner_words, percent
from bridge.sla.policy import Owner
from bridge.store.rows import Letter
from bridge.sync.agreement import Agreement
from bridge.sync.moments import to_minute
from bridge.sync.naming import one_line
from bridge.sync.roles import Role
from bridge.sync.ticket import Side
from bridge.sync.visible import field_for

MOST_ROWS = 50
"""Tickets that a table of a digest names; how many more there are is said."""


def digest_letter(
    agreement: Agreement,
    reader: Role,
    figures: Figures,
    *,
    name: str,
    now: int,
    say: Say = str,
    language: str = "en",
) -> Letter:
    """The digest as a mail for one role.

    Args:
        agreement: the terms.
        reader: the role; its ``mail`` says where.
        figures: as the role's side may see them.
        name: which digest it is, e.g. ``2026-11-23``: part of the key, so that each is sent once.
        now: microseconds.
        say: its language.
        language: the name of that language.
    """
    paper = digest(agreement, reader.side, figures, say, language)
    key = f"digest/{agreement.name}/{name}/{reader.name}"
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


def digest(agreement: Agreement, reader: Side, figures: Figures, say: Say, language: str = "en") -> Paper:
    """The digest as a paper.

    Args:
        agreement: the terms.
        reader: the side that reads it.
        figures: as that side may see them.
        say: its language.
        language: the name of that language.
    """
    parties = say("{one} and {other}").format(
        one=_company(agreement, Side.INTERNAL), other=_company(agreement, Side.VENDOR)
    )
    period = say("{since} to {until}").format(
        since=to_minute(figures.period.since), until=to_minute(figures.period.until)
    )
    return Paper(
        title=say("Digest of {parties}: {period}").format(parties=parties, period=period),
        lead=_lead(figures, say),
        tables=(
            result(agreement, figures, say),
            _cases(say("Breached"), figures.breached, reader, say, none=say("No goal was breached.")),
            _cases(say("At risk"), figures.at_risk, reader, say, none=say("Nothing is at risk.")),
            _held(agreement, figures.held, reader, say),
            _parked(figures.parked, reader, say),
            _minutes(agreement, figures, say),
            _crossed(agreement, figures, say),
        ),
        closing=_closing(figures, parties, say),
        language=language,
    )


def _lead(figures: Figures, say: Say) -> list[str]:
    lead = [
        say("{born} tickets are new, {resolved} were resolved, {open} are open.").format(
            born=figures.born, resolved=figures.resolved, open=figures.open
        ),
        say("{count} steps of the ladder were taken.").format(count=figures.alerts),
    ]
    missed = [one.name for one in figures.clocks if one.kept is False]
    kept = [one.name for one in figures.clocks if one.kept]
    if missed:
        lead.append(say("Missed what was agreed: {clocks}.").format(clocks=_list(missed)))
    if kept:
        lead.append(say("Reached what was agreed: {clocks}.").format(clocks=_list(kept)))
    if figures.certain_until is not None and figures.certain_until < figures.period.until:
        lead.append(
            say("This is certain until {moment}; what happened later may not be in it yet.").format(
                moment=to_minute(figures.certain_until)
            )
        )
    return lead


def result(agreement: Agreement, figures: Figures, say: Say) -> Table:
    """How each clock fared, beside what the agreement says it should."""
    return Table(
        say("Result by clock"),
        (
            say("clock"),
            say("owed by"),
            say("met"),
            say("breached"),
            say("share met"),
            say("agreed"),
            say("running"),
            say("at risk"),
        ),
        [_clock(agreement, one, say) for one in figures.clocks],
        say("No clocks are agreed."),
    )


def _clock(agreement: Agreement, one: ClockFigures, say: Say) -> tuple[str, ...]:
    return (
        one.name,
        say("nobody") if one.owner is None else _company(agreement, one.owner),
        str(one.met),
        str(one.breached),
        percent(one.share),
        percent(one.target),
        str(one.running),
        str(one.at_risk),
    )


def _cases(heading: str, cases: Sequence[Case], reader: Side, say: Say, *, none: str) -> Table:
    rows = [
        (
            keys_of(case.keys, reader),
            case.cycle.clock,
            goal_words(say, case),
            moment(case.cycle.due_at if case.cycle.breached_at is None else case.cycle.breached_at),
        )
        for case in cases
    ]
    return _cut(Table(heading, (say("ticket"), say("clock"), say("goal"), say("due")), rows, none), say)


def _held(agreement: Agreement, held: Sequence[Waiting], reader: Side, say: Say) -> Table:
    rows = [
        (
            keys_of(one.keys, reader),
            field_for(agreement.field(one.field), one.field, reader),
            moment(one.since),
        )
        for one in held
    ]
    columns = (say("ticket"), say("field"), say("since"))
    return _cut(Table(say("Waiting for a decision"), columns, rows, say("No change is held.")), say)


def _parked(parked: Sequence[Waiting], reader: Side, say: Say) -> Table:
    rows = [(keys_of(one.keys, reader), moment(one.since)) for one in parked]
    columns = (say("ticket"), say("since"))
    return _cut(Table(say("Not kept in agreement now"), columns, rows, say("Every ticket is followed.")), say)


def _minutes(agreement: Agreement, figures: Figures, say: Say) -> Table:
    rows = [
        (
            owner_words(say, agreement, owner),
            span(figures.minutes.get(owner, 0)),
            span(figures.office[owner]) if owner in figures.office else "-",
        )
        for owner in Owner
    ]
    return Table(
        say("Whose time it was"), (say("who had the ball"), say("in all"), say("in its own hours")), rows
    )


def _crossed(agreement: Agreement, figures: Figures, say: Say) -> Table:
    things = {
        "tickets": say("tickets"),
        "comments": say("comments"),
        "files": say("files"),
        "fields": say("changes of fields"),
        "worklogs": say("worklogs"),
    }
    rows = [
        (
            say("to {company}").format(company=_company(agreement, side)),
            *(str(figures.crossed.get((side, what), 0)) for what in things),
        )
        for side in Side
    ]
    return Table(say("What crossed"), (say("direction"), *things.values()), rows)


def _closing(figures: Figures, parties: str, say: Say) -> str:
    head = say(
        "Audit chain of this agreement: record {seq}, {hash}. Keep it: with it you can prove later what was done."
    )
    sent = say("Sent by the bridge between {parties}. Texts of tickets never stand in its mails.")
    return f"{head.format(seq=figures.head.seq, hash=figures.head.hash)} {sent.format(parties=parties)}"


def _cut(table: Table, say: Say) -> Table:
    more = len(table.rows) - MOST_ROWS
    if more <= 0:
        return table
    words = say("and {count} more").format(count=more)
    blank = ("",) * (len(table.columns) - 1)
    return Table(table.heading, table.columns, [*table.rows[:MOST_ROWS], (words, *blank)], table.empty)


def _list(names: Sequence[str]) -> str:
    return ", ".join(one_line(name) for name in names)


def _company(agreement: Agreement, side: Side) -> str:
    return one_line(agreement.scope(side).company)
