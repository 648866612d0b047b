"""The keys of roles, of holds, of who may change what, and of an agreement's mode."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from bridge.config.clock_words import QuietHours
from bridge.config.form import Shape
from bridge.config.words import MailAddresses, Seconds, Text, TextList, Texts, misfit
from bridge.sync.roles import Language
from bridge.sync.ticket import Side


class RoleShape(Shape):
    """One role: who is in it, and what it answers for."""

    side: Side | None = Field(default=None, json_schema_extra={"needed": True})
    """side that it belongs to: internal or vendor"""
    people: TextList = ()
    """people in it, by e-mail, login or id in that side's tracker"""
    groups: TextList = ()
    """groups of that side's tracker whose members are in it"""
    project_roles: TextList = ()
    """roles in that side's project whose members are in it"""
    field: Text = ""
    """person field of that side's ticket that names who is accountable for it"""
    required_within: Seconds | None = None
    """time in which an accountable person must be there"""
    mail: MailAddresses = ()
    """addresses at which the role is told; by default those of its people"""
    language: Language = "en"
    """language of its mails: en, da or nl"""
    quiet: QuietHours = ""
    """hours in which it gets no mail unless it is urgent, e.g. 20:00-07:00 Europe/Copenhagen"""


class ApproversShape(Shape):
    """The role that decides, for each side."""

    internal: Text = ""
    """role that decides about what the vendor's people wanted to change"""
    vendor: Text = ""
    """role that decides about what the internal people wanted to change"""


class HoldsShape(Shape):
    """Who decides about holds, and by when."""

    approvers: ApproversShape = ApproversShape()
    """role that decides about the other side's changes, for each side; by default the first one of that side"""
    mediator: Text = ""
    """role that decides between the sides; by default the one called mediator"""
    expire: Seconds | None = None
    """time after which a hold that nobody decides expires"""
    then: Literal["wait", "reject", "approve"] = "wait"
    """what becomes of a hold that expires"""


class PilotShape(Shape):
    """The tickets of a pilot."""

    tickets: TextList = ()
    """keys of tickets that are written to, of either side"""
    labels: TextList = ()
    """patterns of labels, on either side, of tickets that are written to"""


class GrantShape(Shape):
    """One thing that people of a side may do with a field."""

    to: Text = "*"
    """value that they may set"""
    before: Text = Field(default="*", alias="from")
    """value that it must have had"""
    by: Texts = ()
    """roles or people who may, in place of everybody on that side"""


def _value_alone(value: Any) -> Any:
    return {"to": value} if isinstance(value, str) else value


def _list_or_word(value: Any) -> Any:
    if isinstance(value, str) and value not in {"any", "none"}:
        raise misfit(f"'{value}' is neither 'any' nor 'none'", f"write [{value}] for a value that may be set")
    if isinstance(value, dict):
        raise misfit("must be a list", "write it as a list: [{...}]")
    if value == []:
        raise misfit("must not be an empty list", "write 'none' if that side may change nothing")
    return value


def _is_list(value: Any) -> str:
    return "word" if isinstance(value, str) else "list"


May = Annotated[
    Annotated[Literal["any", "none"], Tag("word")]
    | Annotated[tuple[Annotated[GrantShape, BeforeValidator(_value_alone)], ...], Tag("list")],
    Discriminator(_is_list),
    BeforeValidator(_list_or_word),
]
"""``any``, ``none``, or what may be done, one by one."""
