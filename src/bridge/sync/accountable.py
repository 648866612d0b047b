"""Whether somebody is accountable for a ticket on each side, and since when nobody is.

A role with a ``field`` and a ``required_within`` asks that the ticket of its side names, in that field, an active
person who is in the role; where the role names nobody, any active person will do. A deactivated person, or one who is
not in the role any more, counts as none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bridge.sync.agreement import Agreement
from bridge.sync.ownership import in_role
from bridge.sync.roles import Role
from bridge.sync.ticket import FieldChange, Person, Ticket, Value

Lack = Literal["nobody", "deactivated", "left"]
"""Why nobody is accountable: nobody is named, the account was deactivated, or is not of the role (any more)."""


@dataclass(frozen=True, slots=True)
class Vacancy:
    """Nobody is accountable.

    Attributes:
        why: see ``Lack``.
        since: since when, microseconds.
        due_at: when that is longer than the agreement allows, microseconds.
    """

    why: Lack
    since: int
    due_at: int


def lack(agreement: Agreement, role: Role, ticket: Ticket, value: Value, *, active: bool) -> Lack | None:
    """Why nobody is accountable on the role's side; None when somebody is.

    Args:
        agreement: the terms, with the members of their roles.
        role: a role with a field.
        ticket: the ticket of the role's side.
        value: what its field shows.
        active: whether the person's account is in use.
    """
    if not isinstance(value, Person):
        return "nobody"
    if not active:
        return "deactivated"
    if role.named and not in_role(agreement, role, value, role.side, ticket):
        return "left"
    return None


def vacancy(
    role: Role, ticket: Ticket, why: Lack, *, known: int | None, history: Sequence[FieldChange], now: int
) -> Vacancy:
    """Since when nobody is accountable, and until when that is allowed.

    Where nobody is named, the ticket's own history says since when; when an account was deactivated or taken out of a
    group it does not say, so that counts from when it was seen: never too early.

    Args:
        role: the role, with its time limit.
        ticket: the ticket of its side.
        why: why nobody is.
        known: since when nobody is as far as was known before, whatever the reason then; None when somebody was.
        history: the ticket's field changes, oldest first, as far as they were asked for.
        now: microseconds.
    """
    assert role.required_within is not None, "only a role with a time limit is asked about"
    since = known
    if since is None and why == "nobody":
        since = max((one.at for one in history if one.field == role.field), default=ticket.created)
    if since is None:
        since = now
    return Vacancy(why, since, since + role.required_within)
