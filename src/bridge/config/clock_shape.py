"""The keys of clocks, and of who has the ball."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from bridge.config.clock_words import Goal, TriggerWord, Warnings
from bridge.config.form import Shape, needed, word_or_pair
from bridge.config.words import Flag, Text, Texts, misfit
from bridge.sla.policy import Owner
from bridge.sync.ticket import Side


class ChangeShape(Shape):
    """A change that starts or stops a clock."""

    status: Texts = ()
    """statuses that the ticket comes into"""
    field: Text = ""
    """field that is changed"""
    becomes: Texts = ()
    """values that the field comes to have; any by default"""
    by: Side | None = None
    """side whose deed it must be; either by default"""


def _some_or_one(value: Any) -> Any:
    if isinstance(value, list):
        if not value:
            raise misfit("must not be an empty list", "name at least one")
        return value
    return [value]


def _none_or_some(value: Any) -> Any:
    return [] if value == "none" else _some_or_one(value)


TriggerShape = Annotated[
    Annotated[TriggerWord, Tag("word")] | Annotated[ChangeShape, Tag("pair")],
    Discriminator(word_or_pair),
]
"""A word, or a change."""

Triggers = Annotated[tuple[TriggerShape, ...], BeforeValidator(_some_or_one)]
"""What starts or stops a clock, one or several."""

TriggersOrNone = Annotated[tuple[TriggerShape, ...], BeforeValidator(_none_or_some)]
"""The same, or ``none``."""


class PauseShape(Shape):
    """When a clock stands."""

    ball: Owner | None = None
    """who has the ball"""
    status: Texts = ()
    """statuses of the ticket"""
    held: Flag = False
    """true: while a change of the ticket is held"""


class GoalShape(Shape):
    """One goal of a list."""

    when: dict[Text, Texts] = Field(default={})
    """field: value, or a list of values, that the ticket must have; every ticket by default"""
    goal: Goal = needed()
    """time to reach, e.g. 15m, 4h, or 5d for five working days"""
    calendar: Text = ""
    """calendar that it is measured on; by default that of the clock"""


def _one_goal(value: Any) -> Any:
    return {"default": value} if isinstance(value, str) else value


def _map_or_list(value: Any) -> str:
    return "list" if isinstance(value, list | tuple) else "map"


Goals = Annotated[
    Annotated[dict[Text, Goal], Tag("map")] | Annotated[tuple[GoalShape, ...], Tag("list")],
    Discriminator(_map_or_list),
    BeforeValidator(_one_goal),
]
"""Priority: goal; or a list of goals with the tickets that each is for; or one for all."""


def _one_calendar(value: Any) -> Any:
    return {"default": value} if isinstance(value, str) else value


class ClockShape(Shape):
    """One clock."""

    start: Triggers = Field(default=(), json_schema_extra={"needed": True})
    """what starts it, e.g. created"""
    stop: Triggers = Field(default=(), json_schema_extra={"needed": True})
    """what stops it, e.g. first-vendor-comment or resolved"""
    cancel: TriggersOrNone | None = None
    """what ends it without a verdict; by default resolved, unless that starts or stops it"""
    pause: Annotated[tuple[PauseShape, ...], BeforeValidator(_some_or_one)] = ()
    """when it stands, e.g. {ball: internal}"""
    goals: Goals = Field(default={}, json_schema_extra={"needed": True})
    """times to reach by priority, e.g. {P1: 15m, default: 4h}"""
    calendar: Annotated[dict[Text, Text], BeforeValidator(_one_calendar)] = Field(
        default={"default": "always"}
    )
    """calendar that its goals are measured on, or one for each goal; always by default"""
    reopen: Literal["new", "resume", "ignore"] = "new"
    """what it does when a resolved ticket is reopened"""
    goal_change: Literal["whole", "keep"] = "whole"
    """what a goal that changes on the way holds for"""
    warn: Warnings = (0.8,)
    """shares of the goal at which it is at risk"""
    owner: Side | None = None
    """side that misses the goal"""


class AssignedShape(Shape):
    """Whether somebody is assigned."""

    internal: Flag | None = None
    """whether somebody is assigned on the internal side"""
    vendor: Flag | None = None
    """whether somebody is assigned on the vendor's side"""


class BallShape(Shape):
    """One rule of who has to act now."""

    owner: Owner | None = Field(default=None, json_schema_extra={"needed": True})
    """who then has the ball: internal, vendor or nobody"""
    status: Texts = ()
    """statuses of the ticket"""
    comment: Side | None = None
    """side whose public comment is the last one"""
    assigned: AssignedShape = AssignedShape()
    """whether somebody is assigned, e.g. {vendor: false}"""


class OfficeShape(Shape):
    """The calendars of the two sides."""

    internal: Text = ""
    """calendar on which the internal side works"""
    vendor: Text = ""
    """calendar on which the vendor works"""
