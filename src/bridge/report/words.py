"""The words of reports that more than one of them has, in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Mapping

from bridge.notify.languages import Tongue
from bridge.report.facts import Case, Figures, Standing
from bridge.sync.naming import one_line
from bridge.sync.ticket import Side

NONE = "-"
"""Stands in a cell where there is nothing to tell."""


def standing_words(words: Tongue, standing: Standing) -> str:
    """Where a cycle stands."""
    match standing:
        case Standing.MET:
            return words.say("met")
        case Standing.BREACHED:
            return words.say("missed")
        case Standing.AT_RISK:
            return words.say("at risk")
        case Standing.RUNNING:
            return words.say("running")
        case Standing.PAUSED:
            return words.say("standing")
        case Standing.CANCELLED:
            return words.say("cancelled")


def keys_of(keys: Mapping[Side, str], reader: Side) -> str:
    """The tickets' keys, the reader's own first."""
    return " = ".join(one_line(key) for side in (reader, reader.other) if (key := keys.get(side, "")))


def goal_words(words: Tongue, case: Case) -> str:
    """The goal that counts for a cycle: how long, on which calendar."""
    goal = case.cycle.goal
    return NONE if goal is None else f"{words.span(goal.budget)} ({one_line(goal.calendar)})"


def moment(words: Tongue, at: int | None) -> str:
    """A moment, or nothing."""
    return "" if at is None else words.moment(at)


def share(words: Tongue, part: float | None) -> str:
    """A share to the whole percent, never rounded up to what was not reached; a dash where nothing was judged."""
    return NONE if part is None else words.share(math.floor(part * 100 + 1e-9) / 100)


def standing_of(words: Tongue, figures: Figures) -> list[str]:
    """The sentences that every report begins with: how many tickets there were, and until when this is certain."""
    lead = [
        words.say(
            "New: {born}. Resolved: {resolved}. Open: {open}.",
            born=figures.born,
            resolved=figures.resolved,
            open=figures.open,
        )
    ]
    if figures.certain_until is not None and figures.certain_until < figures.period.until:
        lead.append(
            words.say(
                "This is certain until {when}; what happened later may not be in it yet.",
                when=words.moment(figures.certain_until),
            )
        )
    return lead


def period_of(words: Tongue, figures: Figures) -> str:
    """From when to when."""
    period = figures.period
    return words.say("{since} to {until}", since=words.moment(period.since), until=words.moment(period.until))


def head_of(words: Tongue, figures: Figures) -> str:
    """The head of the audit chain, and what it is good for."""
    return words.say(
        "Audit chain of this agreement: record {seq}, {hash}. Keep it: with it you can prove later what was done.",
        seq=figures.head.seq,
        hash=figures.head.hash,
    )
