"""The languages that people are written to in: words from catalogues, dates, durations and numbers as the reader's own.

English stands in the code; ``catalogues`` hold the others as gettext's .po files, read as they are, so that nothing
compiled has to be kept in step. A sentence is one message with named places: translators need its whole.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib import resources

from babel import Locale
from babel.dates import format_datetime
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_percent
from babel.units import format_unit

from bridge.clock import SECOND
from bridge.sla.calendar import zone_of
from bridge.sync.moments import to_minute
from bridge.sync.roles import Language

MINUTE = 60 * SECOND
EXACT = 2 * MINUTE
"""Durations below this are told to the second, microseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ((1_440, "duration-day"), (60, "duration-hour"), (1, "duration-minute"))


class Tongue:
    """How one reader is written to.

    Args:
        language: ``en``, ``da`` or ``nl``.
        zone: name of the time zone in which moments are told.
    """

    def __init__(self, language: Language, zone: str = "UTC") -> None:
        self.language = language
        self._locale = Locale.parse(language if language != "en" else "en_GB")  # days before months, 24 hours
        self._zone = zone_of(zone)
        self._catalogue = _catalogue(language)

    def say(self, words: str, /, **values: object) -> str:
        """A sentence in the reader's language, with its places filled."""
        message = None if self._catalogue is None else self._catalogue.get(words)
        found = message.string if message is not None else ""
        return (found if isinstance(found, str) and found else words).format(**values)

    def many(self, one: str, several: str, /, number: int, **values: object) -> str:
        """A sentence about so many of something; ``{number}`` is a place in it."""
        form = 0 if number == 1 else 1  # as all three languages have it
        message = None if self._catalogue is None else self._catalogue.get((one, several))
        forms = message.string if message is not None else ()
        found = forms[form] if isinstance(forms, tuple | list) and len(forms) > form else ""
        return (found or (one, several)[form]).format(number=number, **values)

    def moment(self, at: int) -> str:
        """A moment (microseconds UTC) in the reader's zone, e.g. ``Wed 25 Nov 2026 14:00 CET``."""
        try:
            when = _EPOCH + timedelta(microseconds=at)
        except OverflowError:
            return self.say("at an unknown time")
        return format_datetime(when, "EEE d MMM y HH:mm z", tzinfo=self._zone, locale=self._locale)

    def minute(self, at: int) -> str:
        """A moment (microseconds UTC) as the notes on tickets tell it in English, ``2026-11-25 09:30 UTC``.

        The notes are in English whoever reads them; in other languages it is told as :meth:`moment` does.
        """
        return to_minute(at) if self.language == "en" else self.moment(at)

    def span(self, duration: int) -> str:
        """A duration (microseconds), e.g. ``2 hrs 15 mins``: to the minute, and short ones to the second."""
        if duration < EXACT:
            seconds = max(0, duration) // SECOND
            return format_unit(seconds, "duration-second", length="short", locale=self._locale)
        minutes = duration // MINUTE
        parts = []
        for size, unit in _UNITS:
            count, minutes = divmod(minutes, size)
            if count:
                parts.append(format_unit(count, unit, length="short", locale=self._locale))
        return " ".join(parts)

    def share(self, part: float) -> str:
        """A share, e.g. ``80%``."""
        return format_percent(part, locale=self._locale)


@lru_cache(maxsize=64)
def tongue(language: Language, zone: str = "UTC") -> Tongue:
    """How a reader is written to; made once for each language and zone."""
    return Tongue(language, zone)


@cache
def _catalogue(language: Language) -> Catalog | None:
    """The catalogue of a language; None for English, which stands in the code."""
    if language == "en":
        return None
    file = resources.files("bridge.notify") / "catalogues" / f"{language}.po"
    with file.open("rb") as opened:
        return read_po(opened, locale=language)
