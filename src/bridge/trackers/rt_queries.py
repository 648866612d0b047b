"""TicketSQL: which tickets of a Request Tracker a request is about, with the agreement's selection made safe.

An agreement selects tickets in TicketSQL, the language of RT's own query builder. It is set in parentheses behind the
queue, so that no ``OR`` in it can reach beyond. Parentheses only hold what is balanced in itself; hence the look at
the selection here, as RT's parser would take it apart (``RT::SQL``: strings in either quotes, backslash escapes).

Dates in TicketSQL are read in the account's time zone, or in RT's own where the account has none, and REST tells that
one to nobody. A zone written behind a date is passed over without a word, and a ``Z`` drops the time of day (measured
with RT 5.0.3; ``RT::Date`` reads the date as UTC and then shifts it by the zone's offset at that hour). So a bound is
written in the account's zone, with room to spare where it cannot be exact; who asks compares the stamps as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from bridge.clock import SECOND
from bridge.errors import Refused

PAGE = 100
"""RT caps ``per_page`` at 100 without saying so."""

_SHIFT = timedelta(hours=2)
_ANYWHERE = timedelta(hours=12) + _SHIFT  # the westernmost zone, and its summer
_DAY = timedelta(hours=26)  # so long an offset is in doubt around the change to summer time or back
_EARLIEST = 7 * 86_400 * SECOND  # RT takes dates before 1970 for no date
_TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|['"\\]|[()]""", re.DOTALL)
_ID = re.compile(r"[0-9]+")
_UNPROCESSABLE = 422


def bound(at: int, zone: tzinfo | None) -> str:
    """A TicketSQL date that RT takes for this moment or for an earlier one, never for a later one.

    Args:
        at: microseconds.
        zone: the account's zone; None where it has none.
    """
    at = max(at, _EARLIEST)
    if zone is None:
        local = datetime.fromtimestamp(at // SECOND, UTC) - _ANYWHERE
    else:
        local = datetime.fromtimestamp(at // SECOND, zone)
        if (local - _DAY).utcoffset() != (local + _DAY).utcoffset():
            local -= _SHIFT
    return local.strftime("'%Y-%m-%d %H:%M:%S'")


def quote(text: str) -> str:
    """A text as a TicketSQL string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def check_select(tracker: str, select: str) -> str:
    """The selection, once it is sure that it cannot leave the parentheses it is put into.

    Args:
        tracker: the tracker's name, for the message.
        select: TicketSQL; "" selects everything.

    Raises:
        Refused: a quote or a parenthesis is left open, or one closes that was never opened.
    """
    text = select.strip()
    if not text.isprintable():
        raise _refuse(tracker, "the selection holds a line break or another control character")
    depth = 0
    for token in _TOKEN.findall(text):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth < 0:
            raise _refuse(tracker, "the selection closes a parenthesis that it never opened")
        if token in {"'", '"', "\\"}:
            raise _refuse(tracker, f"the selection leaves a {token} open")
    if depth:
        raise _refuse(tracker, "the selection leaves a parenthesis open")
    return text


def in_queue(queue: int, select: str = "") -> str:
    """Tickets of a queue, deleted ones and reminders left out; ``select`` is from :func:`check_select`."""
    query = f"Queue = {queue} AND Type = 'ticket' AND Status != 'deleted'"
    return f"{query} AND ({select})" if select else query


def by_number(ids: Sequence[str], size: int = PAGE) -> Iterator[str]:
    """Queries for numbered tickets, wherever they are now, so many at a time."""
    numbers = [int(ticket) for ticket in ids if _ID.fullmatch(ticket)]
    for start in range(0, len(numbers), size):
        listed = " OR ".join(f"id = {number}" for number in numbers[start : start + size])
        yield f"Type = 'ticket' AND Status != 'deleted' AND ({listed})"


def holds(field: int, value: str) -> str:
    """Tickets whose custom field, told by its number, has this value (whatever the capitals: RT does not tell)."""
    return f"CF.{{{field}}} = {quote(value)}"


def _refuse(tracker: str, words: str) -> Refused:
    return Refused(tracker, words, status=_UNPROCESSABLE, fields={"select": words})
