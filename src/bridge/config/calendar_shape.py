"""The keys of a business calendar."""

from __future__ import annotations

from pydantic import Field

from bridge.config.clock_words import Dates
from bridge.config.form import Shape, needed
from bridge.config.words import Text


class CalendarShape(Shape):
    """When somebody works."""

    zone: Text = needed()
    """name of its time zone, e.g. Europe/Copenhagen"""
    hours: dict[Text, Text] = Field(default={}, json_schema_extra={"needed": True})
    """open hours by days, e.g. {mon-thu: "08:00-12:00, 12:30-16:00", fri: "08:00-15:30"}"""
    holidays: Text = ""
    """country, or country and part of it (DE-BY), whose public holidays are closed"""
    closed: tuple[Dates, ...] = ()
    """further closed days, e.g. [2026-12-24, 2026-12-27..2026-12-30]"""
    open: tuple[Dates, ...] = ()
    """public holidays on which work is done all the same"""
