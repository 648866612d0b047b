"""The goals of a clock: for which tickets, how long, on which calendar; every ``d`` is one of that calendar's days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.clock import SECOND
from bridge.config.calendar_checks import ALWAYS
from bridge.config.clock_shape import ClockShape, GoalShape
from bridge.config.clock_words import on_calendar
from bridge.config.findings import Path, did_you_mean
from bridge.config.vocabulary import Vocabulary
from bridge.sla.calendar import HORIZON, CalendarRule
from bridge.sla.policy import Goal

_DEFAULT = "default"
_PRIORITY = "priority"
_MINUTE = 60 * SECOND
_LONGEST = (HORIZON - 1) * 52
"""Weeks of a calendar in which a goal must be reached: no deadline is looked for later, some weeks have holidays."""


class Calendars:
    """The calendars that an agreement may name, and those that it does."""

    def __init__(self, known: Mapping[str, CalendarRule] | None, words: Vocabulary) -> None:
        """Begin.

        Args:
            known: by name; None when ``bridge.yaml`` could not be read, so that none is known.
            words: the agreement.
        """
        self._known = known
        self._words = words
        self.used: dict[str, CalendarRule] = {}

    def find(self, name: str, at: Path) -> CalendarRule:
        """The calendar of that name; in place of one that is not there, one that is never closed."""
        rule = ALWAYS if name == ALWAYS.name or self._known is None else self._known.get(name)
        if rule is None:
            options = list(self._known or ())
            self._words.source.problem(
                at, f"bridge.yaml has no calendar '{name}'", did_you_mean(name, options)
            )
            return ALWAYS
        self.used[rule.name] = rule
        return rule


@dataclass(frozen=True, slots=True)
class _Bench:
    """What the goals of one clock are read against.

    Attributes:
        name: of the clock.
        places: goal -> calendar, as the clock says it.
        words: the agreement's fields and their values.
        calendars: those that it may name.
    """

    name: str
    places: Mapping[str, str]
    words: Vocabulary
    calendars: Calendars


def settle_goals(name: str, clock: ClockShape, words: Vocabulary, calendars: Calendars) -> tuple[Goal, ...]:
    """The goals of a clock, in the order in which they count; what is wrong goes to the file's findings."""
    at: Path = ("clocks", name, "goals")
    if not clock.goals and "goals" in clock.model_fields_set and words.source.sound(at):
        words.source.problem(
            at,
            "no goal is given: the clock could neither be met nor missed",
            "write e.g. {P1: 15m, default: 4h}",
            key=True,
        )
    if isinstance(clock.goals, dict):
        return _by_priority(clock.goals, _Bench(name, clock.calendar, words, calendars))
    return _listed(clock.goals, _Bench(name, clock.calendar, words, calendars))


def _by_priority(goals: Mapping[str, str], bench: _Bench) -> tuple[Goal, ...]:
    """Goals by priority. A priority that only has a calendar of its own has the default's goal on that calendar."""
    at: Path = ("clocks", bench.name)
    places, words, source = bench.places, bench.words, bench.words.source
    given = {key: (*at, "goals", key) for key in goals if key != _DEFAULT}
    if _DEFAULT in goals:
        given |= {key: (*at, "calendar", key) for key in places if key not in {*goals, _DEFAULT}}
    else:
        for key in places:
            if key not in {*goals, _DEFAULT} and source.sound((*at, "goals")):
                fix = did_you_mean(
                    key, goals, otherwise=f"add '{key}' or 'default' to the goals, or remove it"
                )
                source.problem((*at, "calendar", key), f"there is no goal for '{key}'", fix, key=True)
    if given and not words.field(_PRIORITY, (*at, "goals"), key=True):
        return ()
    settled: list[Goal] = []
    seen: dict[str, str] = {}
    for key, place in given.items():
        values = words.value(_PRIORITY, key, place, key=True)
        for value in sorted(values):
            first = seen.setdefault(value, key)
            if first != key:
                source.problem(
                    place, f"'{key}' and '{first}' are the same priority", "keep one of them", key=True
                )
        text = goals.get(key) or goals[_DEFAULT]
        settled.append(_goal({_PRIORITY: values}, text, key, bench))
    if _DEFAULT in goals:
        settled.append(_goal({}, goals[_DEFAULT], _DEFAULT, bench))
    return tuple(settled)


def _goal(when: Mapping[str, frozenset[str]], text: str, key: str, bench: _Bench) -> Goal:
    at: Path = ("clocks", bench.name, "calendar")
    places, source = bench.places, bench.words.source
    calendar = places.get(key) or places.get(_DEFAULT, "")
    here = (*at, key if key in places else _DEFAULT)
    here = here if here in source.lines else at
    if not calendar and places and source.sound(at):
        source.problem(
            at, f"no calendar is given for '{key}'", f"add '{key}: ...' or 'default: ...'", key=True
        )
    rule = bench.calendars.find(calendar or ALWAYS.name, here)
    budget = _budget(text, rule, ("clocks", bench.name, "goals", key), bench.words)
    return Goal(when, budget, rule.name, f"{key}: {text}")


def _listed(goals: tuple[GoalShape, ...], bench: _Bench) -> tuple[Goal, ...]:
    """Goals that say themselves for which tickets they are."""
    at: Path = ("clocks", bench.name, "goals")
    places, words, source = bench.places, bench.words, bench.words.source
    for key in places:
        if key != _DEFAULT:
            source.problem(
                ("clocks", bench.name, "calendar", key),
                "goals in a list name their calendars themselves",
                "write 'calendar: ...' into the goal, and here one for all others",
                key=True,
            )
    settled: list[Goal] = []
    for position, goal in enumerate(goals):
        here: Path = (*at, position)
        when = {
            field: words.values(field, values, (*here, "when", field))
            for field, values in goal.when.items()
            if words.field(field, (*here, "when", field), key=True)
        }
        if position and not goals[position - 1].when and source.sound((*at, position - 1)):
            source.problem(
                here,
                f"the goal on line {source.line((*at, position - 1))} fits every ticket: this one never counts",
                "put the one without 'when' last",
            )
        place = (*here, "calendar") if goal.calendar else ("clocks", bench.name, "calendar")
        rule = bench.calendars.find(goal.calendar or places.get(_DEFAULT) or ALWAYS.name, place)
        kinds = ", ".join(" or ".join(values) for values in goal.when.values())
        budget = _budget(goal.goal, rule, (*here, "goal"), words) if goal.goal else 0
        settled.append(Goal(when, budget, rule.name, f"{kinds or _DEFAULT}: {goal.goal}"))
    return tuple(settled)


def _budget(text: str, rule: CalendarRule, at: Path, words: Vocabulary) -> int:
    """Microseconds of a goal; one beyond all reason goes to the file's findings."""
    week = sum(until - since for day in rule.hours for since, until in day) * _MINUTE
    if not week:
        return 0  # the calendar is reported where it stands
    budget = on_calendar(text, rule.workday, week)
    if budget > week * _LONGEST:
        words.source.problem(
            at,
            f"'{text}' would take {budget // (week * 52)} years on the calendar '{rule.name}'",
            "a 'd' is a working day of the calendar, a 'w' a working week: write e.g. 5d",
        )
    return budget
