"""How much an agreement does: what its mode, and the subset that a pilot names, let be written."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from bridge.sync.agreement import Agreement
from bridge.sync.roles import Mode
from bridge.sync.ticket import Ticket


def may_write(agreement: Agreement, keys: Iterable[str], tickets: Iterable[Ticket]) -> bool:
    """Whether the mode of an agreement lets anything be written about a pair of tickets, on either side.

    Args:
        agreement: the terms.
        keys: what people call the two tickets; a pilot names tickets so, in any case.
        tickets: those of the two that are there; a pilot goes by their labels as well.
    """
    match agreement.mode:
        case Mode.LIVE:
            return True
        case Mode.OBSERVE:
            return False
        case Mode.PILOT:
            return _in_pilot(agreement, keys, tuple(tickets))


def _in_pilot(agreement: Agreement, keys: Iterable[str], tickets: tuple[Ticket, ...]) -> bool:
    named = {key.casefold() for key in agreement.pilot.tickets}
    if any(key.casefold() in named for key in (*keys, *(ticket.key for ticket in tickets))):
        return True
    patterns = [pattern.casefold() for pattern in agreement.pilot.labels]
    return any(
        fnmatchcase(label.casefold(), pattern)
        for ticket in tickets
        if isinstance(labels := ticket.fields.get("labels"), frozenset)
        for label in labels
        for pattern in patterns
    )
