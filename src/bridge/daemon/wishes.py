"""Which existing tickets belong together: from a file of pairs, or from a field that names the other ticket."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

from bridge.daemon.house import House
from bridge.daemon.pairing import Mistake, Wish
from bridge.sync.agreement import Agreement
from bridge.sync.ticket import Side, Ticket
from bridge.trackers.protocol import FieldSpec, Watch

MATCH = "match"
"""Name under which the field is read."""

Progress = Callable[[int], None]
"""Told how many more tickets have been read."""


def from_file(path: Path) -> tuple[list[Wish], list[Mistake]]:
    """The pairs of a CSV file with the columns ``internal`` and ``vendor``; further columns are passed over.

    Raises:
        OSError: the file cannot be read.
    """
    wishes: list[Wish] = []
    mistakes: list[Mistake] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            rows = csv.reader(file, delimiter=max(",;\t", key=head.count), strict=True)
            header = [name.strip().casefold() for name in next(rows, [])]
            lacking = [side.value for side in Side if header.count(side.value) != 1]
            if lacking:
                reason = f"the first line must name the columns internal and vendor; it lacks {' and '.join(lacking)}"
                return [], [Mistake(f"{path}:1", reason)]
            places = [header.index(side.value) for side in Side]
            for row in rows:
                place = f"{path}:{rows.line_num}"
                if not any(cell.strip() for cell in row):
                    continue
                internal, vendor = (row[at].strip() if at < len(row) else "" for at in places)
                if internal and vendor:
                    wishes.append(Wish(internal, vendor, place))
                else:
                    mistakes.append(
                        Mistake(place, f"no {'vendor' if internal else 'internal'} ticket is named")
                    )
    except (UnicodeDecodeError, csv.Error) as error:
        mistakes.append(Mistake(str(path), f"is not a CSV file in UTF-8: {error}"))
    return wishes, mistakes


def from_field(
    house: House, agreement: Agreement, internal: str, vendor: str = "", progress: Progress = lambda _: None
) -> tuple[list[Wish], list[Mistake]]:
    """The pairs that a field tells, among everything in scope.

    Args:
        house: the parts.
        agreement: whose tickets.
        internal: name of the field on the internal side.
        vendor: name of a field on the vendor's side that has the same value; "" where the internal field names the
            vendor's ticket itself, by key or id.
        progress: told after each page.

    Raises:
        TrackerError: a tracker cannot be asked now.
    """
    ours = _scan(house, agreement, Side.INTERNAL, internal, progress)
    theirs = _scan(house, agreement, Side.VENDOR, vendor, progress)
    mistakes: list[Mistake] = []
    for side, field, tickets in ((Side.INTERNAL, internal, ours), (Side.VENDOR, vendor, theirs)):
        if field and tickets and all(MATCH not in ticket.fields for ticket in tickets.values()):
            tracker = agreement.scope(side).tracker
            mistakes.append(Mistake(tracker, f"no ticket in scope shows a field '{field}'"))
    named = _by_value(theirs) if vendor else _by_name(theirs)
    wishes: list[Wish] = []
    for value, keys in _by_value(ours).items():
        partners = named.get(value, [])
        if not partners:
            continue  # it speaks of a ticket that is not in scope, or of nothing
        if len(keys) > 1 or len(partners) > 1:
            both = f"{' and '.join(keys)} with {' and '.join(partners)}"
            mistakes.append(Mistake(keys[0], f"the value '{value}' would pair {both}"))
        else:
            wishes.append(Wish(keys[0], partners[0], keys[0]))
    return wishes, mistakes


def _scan(
    house: House, agreement: Agreement, side: Side, field: str, progress: Progress
) -> dict[str, Ticket]:
    """Everything in scope of a side, by id, with the field."""
    scope = agreement.scope(side)
    tracker = house.terms.trackers[scope.tracker]
    house.account(tracker)
    specs = (FieldSpec(MATCH, field),) if field else ()
    found: dict[str, Ticket] = {}
    for page in tracker.changes(Watch(scope, specs), 0):
        found.update({ticket.id: ticket for ticket in page})
        progress(len(page))
    return found


def _by_value(tickets: Mapping[str, Ticket]) -> dict[str, list[str]]:
    """Keys of tickets by the value of the field; tickets without one are left out."""
    found: dict[str, list[str]] = {}
    for ticket in tickets.values():
        value = ticket.fields.get(MATCH)
        text = f"{value:g}" if isinstance(value, float) else value
        if isinstance(text, str) and text.strip():
            found.setdefault(text.strip().removeprefix("#").casefold(), []).append(ticket.key)
    return found


def _by_name(tickets: Mapping[str, Ticket]) -> dict[str, list[str]]:
    """Keys of tickets by what they are called."""
    return {word.casefold(): [one.key] for one in tickets.values() for word in (one.id, one.key)}
