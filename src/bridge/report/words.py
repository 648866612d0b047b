"""The words of reports: durations, moments, names of sides and standings, in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from bridge.notify.page import span
from bridge.report.facts import Case, Standing
from bridge.sla.policy import Owner
from bridge.sync.agreement import Agreement
from bridge.sync.moments import to_minute
from bridge.sync.naming import one_line
from bridge.sync.ticket import Side

Say = Callable[[str], str]
"""Tells an English sentence in the reader's language; places for values are ``{named}`` and filled in afterwards."""


def standing_words(say: Say, standing: Standing) -> str:
    """Where a cycle stands."""
    return {
        Standing.MET: say("met"),
        Standing.BREACHED: say("breached"),
        Standing.AT_RISK: say("at risk"),
        Standing.RUNNING: say("running"),
        Standing.PAUSED: say("paused"),
        Standing.CANCELLED: say("cancelled"),
    }[standing]


def owner_words(say: Say, agreement: Agreement, owner: Owner) -> str:
    """Whose minutes: the company's name."""
    if owner is Owner.NOBODY:
        return say("nobody")
    return one_line(agreement.scope(Side(owner.value)).company)


def keys_of(keys: Mapping[Side, str], reader: Side) -> str:
    """The tickets' keys, the reader's own first."""
    return " = ".join(one_line(key) for side in (reader, reader.other) if (key := keys.get(side, "")))


def goal_words(say: Say, case: Case) -> str:
    """The goal that counts for a cycle: how long, on which calendar."""
    goal = case.cycle.goal
    if goal is None:
        return say("none")
    return f"{span(goal.budget)} ({one_line(goal.calendar)})"


def moment(at: int | None) -> str:
    """A moment, or nothing."""
    return "" if at is None else to_minute(at)


def percent(share: float | None) -> str:
    """A share for people; a dash where nothing was judged. Never rounded up to what was not reached."""
    if share is None:
        return "-"
    tenths = math.floor(share * 1000 + 1e-9)
    return f"{tenths / 10:g} %"
