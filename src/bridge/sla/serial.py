"""Policies and timelines as plain JSON for the store, and the fingerprint that is a policy's version.

What is read back equals what was written. What an attribute is by default is left out, so that a timeline stays small
and an attribute that is added later changes no version of a policy that does not use it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, Final, TypeVar

from bridge.errors import StoreError
from bridge.sla.calendar import CalendarRule
from bridge.sla.policy import BallRule, ClockRule, Goal, Happening, Owner, Pause, Policy, Step, Trigger
from bridge.sla.timeline import Entry, EntryKind, Timeline
from bridge.sync.ticket import Side

VERSION: Final = 1

T = TypeVar("T")


def policy_to_json(policy: Policy) -> dict[str, Any]:
    """A policy as a dict of plain values, with the version of this form in ``v``."""
    return {"v": VERSION, **_plain(policy)}


def policy_from_json(data: Mapping[str, Any]) -> Policy:
    """The policy that ``policy_to_json`` wrote.

    Raises:
        StoreError: the data is of another version or damaged.
    """
    return _read("policy", data, _policy)


def timeline_to_json(timeline: Timeline) -> dict[str, Any]:
    """A timeline as a dict of plain values, with the version of this form in ``v``."""
    return {"v": VERSION, **_plain(timeline)}


def timeline_from_json(data: Mapping[str, Any]) -> Timeline:
    """The timeline that ``timeline_to_json`` wrote.

    Raises:
        StoreError: the data is of another version or damaged.
    """
    return _read("timeline", data, _timeline)


def version_of(policy: Policy) -> str:
    """The fingerprint of everything that a policy says: SHA-256 of its canonical JSON, 64 hex digits.

    Its own ``version`` and its ``since`` are no part of it; the order in which mappings were built does not matter.
    """
    plain = _plain(policy)
    said = {name: value for name, value in plain.items() if name not in {"version", "since"}}
    text = json.dumps(said, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """A value as JSON knows it; of our own types what is not by default."""
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(_plain(one) for one in value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(one) for key, one in value.items()}
    told: dict[str, Any] = {}
    for name, default in _defaults(type(value)):  # type: ignore[arg-type]  # a class is hashable
        one = getattr(value, name)
        if one != default or default is MISSING:
            told[name] = _plain(one)
    return told


@cache
def _defaults(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    """The attributes of a type of ours, each with its value by default."""

    def default(one: Field[Any]) -> Any:
        return one.default_factory() if one.default_factory is not MISSING else one.default

    return tuple((one.name, default(one)) for one in fields(kind))


def _read(what: str, data: Mapping[str, Any], reader: Callable[[Mapping[str, Any]], T]) -> T:
    if data.get("v") != VERSION:
        raise StoreError(
            f"a stored {what} has the unknown version {data.get('v')!r}; this program reads {VERSION}"
        )
    try:
        return reader({name: value for name, value in data.items() if name != "v"})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"a stored {what} is damaged: {error}") from error


def _policy(data: Mapping[str, Any]) -> Policy:
    return _made(
        Policy,
        data,
        clocks=_each(_clock),
        ladder=_each(_step),
        ball=_each(_ball_rule),
        resolved=frozenset,
        calendars=_mapped(str, _calendar),
        office=_mapped(Side, str),
    )


def _clock(data: Mapping[str, Any]) -> ClockRule:
    return _made(
        ClockRule,
        data,
        start=_each(_trigger),
        stop=_each(_trigger),
        cancel=_each(_trigger),
        pause=_each(_pause),
        goals=_each(_goal),
        warn=tuple,
        owner=Side,
    )


def _trigger(data: Mapping[str, Any]) -> Trigger:
    return _made(Trigger, data, what=Happening, side=Side, values=frozenset)


def _pause(data: Mapping[str, Any]) -> Pause:
    return _made(Pause, data, ball=Owner, statuses=frozenset)


def _goal(data: Mapping[str, Any]) -> Goal:
    return _made(Goal, data, when=_mapped(str, frozenset))


def _ball_rule(data: Mapping[str, Any]) -> BallRule:
    return _made(BallRule, data, owner=Owner, statuses=frozenset, comment=Side, assigned=_mapped(Side, bool))


def _step(data: Mapping[str, Any]) -> Step:
    sides = _each(Side)
    return _made(Step, data, tell=tuple, clocks=frozenset, comment=lambda value: frozenset(sides(value)))


def _calendar(data: Mapping[str, Any]) -> CalendarRule:
    return _made(CalendarRule, data, hours=_each(_each(tuple)), added=_days, removed=_days)


def _timeline(data: Mapping[str, Any]) -> Timeline:
    shown = _mapped(Side, dict)
    return _made(Timeline, data, origin=Side, start=dict, entries=_each(_entry), shown=shown)


def _entry(data: Mapping[str, Any]) -> Entry:
    return _made(Entry, data, side=Side, kind=EntryKind)


def _days(value: list[str]) -> frozenset[date]:
    return frozenset(date.fromisoformat(one) for one in value)


def _each(reader: Callable[[Any], T]) -> Callable[[list[Any]], tuple[T, ...]]:
    return lambda value: tuple(reader(one) for one in value)


def _mapped(
    key: Callable[[str], Any], reader: Callable[[Any], T]
) -> Callable[[dict[str, Any]], dict[Any, T]]:
    return lambda value: {key(name): reader(one) for name, one in value.items()}


def _made(made: type[T], data: Mapping[str, Any], /, **readers: Callable[[Any], Any]) -> T:
    """One of our types from plain values; those without a reader are what they are, and so is null."""
    told = {
        name: readers[name](value) if name in readers and value is not None else value
        for name, value in data.items()
    }
    return made(**told)
