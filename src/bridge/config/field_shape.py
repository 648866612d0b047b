"""The keys of one field of an agreement: how it crosses, how its values map, and who may change it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from bridge.config.form import Shape, needed, word_or_pair
from bridge.config.role_shape import May
from bridge.config.words import Text, TextList, Texts
from bridge.sync.agreement import Rule
from bridge.sync.roles import Unentitled
from bridge.sync.ticket import Side


class PairShape(Shape):
    """One value per side."""

    internal: Text = needed()
    """what it is on the internal side"""
    vendor: Text = needed()
    """what it is on the vendor's side"""


class ViaShape(Shape):
    """Detours per side."""

    internal: dict[Text, Texts] = Field(default={})
    """goal status: statuses to pass on the way, on the internal side"""
    vendor: dict[Text, Texts] = Field(default={})
    """goal status: statuses to pass on the way, on the vendor's side"""


class FillShape(Shape):
    """Screen fields per side."""

    internal: dict[Text, dict[Text, Text]] = Field(default={})
    """goal status: {screen field: value}, on the internal side"""
    vendor: dict[Text, dict[Text, Text]] = Field(default={})
    """goal status: {screen field: value}, on the vendor's side"""


class FieldShape(Shape):
    """How one field crosses."""

    owner: Side | None = None
    """side that decides alone; the other side's changes are undone"""
    rule: Rule | None = None
    """who wins when both sides changed it: newest, merge, hold, or owner together with the key owner"""
    values: dict[Text, Texts] = Field(default={})
    """internal value: vendor value"""
    otherwise: (
        Annotated[
            Annotated[Literal["hold", "keep", "same"], Tag("word")] | Annotated[PairShape, Tag("pair")],
            Discriminator(word_or_pair),
        ]
        | None
    ) = None
    """what becomes of a value without a pair: hold, keep, same, or a stand-in for each side"""
    only: TextList = ()
    """labels, components, versions: patterns of those that cross"""
    via: ViaShape = ViaShape()
    """status: detours where the workflow offers no direct step"""
    fill: FillShape = FillShape()
    """status: fields that a step asks for"""
    vendor_may: May | None = None
    """what the vendor's people may set: any, none, or values in the internal side's words"""
    internal_may: May | None = None
    """what the internal people may set: any, none, or values in the internal side's words"""
    unentitled: Unentitled | None = None
    """what becomes of a change that its author may not make: hold, revert or flag"""
    internal: Text = ""
    """custom field: its name in the internal tracker"""
    vendor: Text = ""
    """custom field: its name in the vendor's tracker"""
    field: Text = ""
    """custom field: its name in both trackers"""
