"""Watching that somebody is accountable for a ticket on each side, within the time that the agreement gives.

While nobody is, a note remembers since when, and the link is looked at when the time is over: then there is a finding,
and the role gets a letter. Both are over as soon as somebody is there.
"""

from __future__ import annotations

from bridge.clock import SECOND
from bridge.daemon.books import Books
from bridge.daemon.run import Run
from bridge.notify.letters import owner_missing
from bridge.store.database import Tx
from bridge.sync.accountable import Vacancy, lack, vacancy
from bridge.sync.agreement import Agreement
from bridge.sync.moments import to_minute
from bridge.sync.plan import Finding
from bridge.sync.roles import Role
from bridge.sync.ticket import Person, Side, Ticket, Value

NOTE = "unowned/"
"""How the notes begin that say since when nobody is accountable: then the link's row id and the role."""

SOON = 60 * SECOND
"""When to look again at a field that was only just written."""

_WORDS = {
    "nobody": "nobody is named",
    "deactivated": "the account that is named was deactivated",
    "left": "the person who is named is not of this role",
}


def look_after(run: Run, books: Books) -> None:
    """See whether somebody is accountable on each side.

    Raises:
        TrackerError: a history that is needed cannot be read now.
    """
    watched = [role for role in run.agreement.roles if role.field and role.required_within is not None]
    if not watched:
        return
    agreement = run.made()
    for configured in watched:
        role = agreement.role(configured.name)
        ticket = run.read(configured.side).ticket
        if role is not None and ticket is not None and role.field in ticket.fields:
            _look(run, books, agreement, role, ticket)


def forget_owners(tx: Tx, link_id: int) -> None:
    """Forget since when nobody is accountable: a link that begins anew begins with that as well."""
    for key in tx.cursors.notes(f"{NOTE}{link_id}/"):
        tx.cursors.drop_note(key)


def _look(run: Run, books: Books, agreement: Agreement, role: Role, ticket: Ticket) -> None:
    value = _value(books, role, ticket)
    if value is not None and not isinstance(value, Person):
        books.look_by(
            run.house.clock.now() + SOON
        )  # a handle that we have written: who that is will be shown
        return
    key = f"{NOTE}{run.link.id}/{role.name}"
    with run.house.store.read() as tx:
        note = tx.cursors.get_note(key)
    why = lack(agreement, role, ticket, value, active=_in_use(run, role, value))
    if why is None:
        if note is not None:
            books.notes[key] = None
        return
    known = note["since"] if note else None
    # Only the beginning needs the history; and it tells nothing of a value that we have only just written.
    history = run.history(role.side) if known is None and why == "nobody" else ()
    now = run.house.clock.now()
    missing = vacancy(role, ticket, why, known=known, history=history, now=now)
    if note is None:
        books.notes[key] = {"since": missing.since}
    if now < missing.due_at:
        books.look_by(missing.due_at)
    else:
        _tell(run, books, agreement, role, missing)


def _value(books: Books, role: Role, ticket: Ticket) -> Value:
    """What the field shows, our own writes of this run included."""
    written = books.settled.get(role.field)
    if written is None:
        return ticket.fields[role.field]
    return written[0] if role.side is Side.INTERNAL else written[1]


def _in_use(run: Run, role: Role, value: Value) -> bool:
    if not isinstance(value, Person):
        return False
    house, tracker = run.house, run.terms.trackers[run.scope(role.side).tracker]
    return house.rosters.in_use(run.agreement.name, role.side, tracker, value, house.store, house.clock.now())


def _tell(run: Run, books: Books, agreement: Agreement, role: Role, missing: Vacancy) -> None:
    now = run.house.clock.now()
    since = to_minute(missing.since)
    message = f"no {role.name} is accountable on the {role.side} side since {since}: {_WORDS[missing.why]}"
    books.findings.append(Finding("no-owner", role.side, role.field, message))
    if role.mail:
        books.letters.append(
            owner_missing(
                agreement,
                run.link,
                role,
                role,
                since=missing.since,
                now=now,
                why=missing.why,
                urls=run.urls(),
            )
        )
