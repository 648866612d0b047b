"""The keys of the ladder, of how alerts are gathered, and of the digest."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from bridge.config.clock_words import Part, Point, Weekly
from bridge.config.form import Shape, needed
from bridge.config.words import Flag, Many, Seconds, SecondsOrNone, Text, Texts, misfit
from bridge.sync.ticket import Side

_COMMENT = {
    "true": frozenset(Side),
    "false": frozenset[Side](),
    "internal": frozenset({Side.INTERNAL}),
    "vendor": frozenset({Side.VENDOR}),
}


def _sides(value: Any) -> Any:
    right = "write true for both tickets, internal, or vendor"
    if isinstance(value, list | dict):
        raise misfit("must be one word", right)
    if isinstance(value, str) and value not in _COMMENT:
        raise misfit(f"'{value}' is not possible here", right)
    return _COMMENT[value] if isinstance(value, str) else value


class StepShape(Shape):
    """One step of the ladder."""

    at: Point = needed()
    """when: a share of the goal, e.g. 80%, or a time after it was missed, e.g. +2h"""
    tell: Texts = ()
    """roles that are told by mail"""
    clocks: Texts = ()
    """clocks that it is for; all by default"""
    comment: Annotated[frozenset[Side], BeforeValidator(_sides)] = frozenset()
    """tickets on which a comment says so: true for both, internal or vendor"""
    label: Text = ""
    """label that the internal ticket gets"""
    priority: Text = ""
    """priority that the internal ticket gets"""
    hook: Text = ""
    """outgoing webhook of bridge.yaml that is told"""
    until: Literal["", "acknowledged"] = ""
    """acknowledged: repeated until somebody acknowledges"""
    every: Seconds | None = None
    """time between two repetitions"""
    urgent: Flag = False
    """true: quiet hours do not hold it back"""


class AlertsShape(Shape):
    """How many mails of alerts a role gets."""

    most_per_hour: Many = 20
    """mails that a role gets in an hour; what is more comes gathered in one"""
    gather: Seconds = 300.0
    """time over which alerts are gathered into one mail then"""
    settle: SecondsOrNone | None = None
    """time for which a step waits for deeds that are not known yet; by default two polls"""


class DigestShape(Shape):
    """The weekly report to both sides."""

    to: Texts = Field(default=(), json_schema_extra={"needed": True})
    """roles that get it"""
    every: Weekly = "monday 08:00"
    """day and time at which it is sent, e.g. monday 08:00"""
    zone: Text = ""
    """time zone of that time; by default that of the internal side's calendar, else UTC"""
    goals: dict[Text, Part] = Field(default={})
    """clock: share of its cycles that should meet their goal, e.g. {resolve: 95%}"""
