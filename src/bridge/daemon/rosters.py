"""Who is in the roles of each agreement: from its file, and from the groups and project roles of both trackers.

Asked once in a while and remembered: in memory, and in the store, so that a tracker which is out of reach takes
nobody's rights away, not even over a restart. A roster is replaced by a whole answer only.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import structlog

from bridge.clock import SECOND
from bridge.errors import Gone, Refused, TrackerError
from bridge.store.database import Store, Tx
from bridge.store.rows import LinkState
from bridge.sync.agreement import Agreement
from bridge.sync.roles import Role
from bridge.sync.ticket import Person, Side
from bridge.trackers.protocol import Tracker
from bridge.trackers.rosters import Rosters, rosters_of

log = structlog.get_logger(__name__)

KEEP = 300 * SECOND
"""How long an answer is believed: people join, and leave."""

RETRY = 60 * SECOND
"""How soon a roster is asked for again that could not be learned."""

NOTE = "roster/"
"""How the notes begin that remember rosters."""

KEEP_USED = 3_600 * SECOND
"""How long it is believed whether an account is in use."""

OWNERS = "owners/"
"""How the notes begin that remember who is accountable somewhere, and whether their accounts are in use."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out about an agreement.

    Attributes:
        asked: the agreement as it was asked for.
        until: how long that is believed, microseconds.
        made: the agreement with its rosters.
    """

    asked: Agreement
    until: int
    made: Agreement


class RosterDesk:
    """The agreements with the members of their roles. Shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Known] = {}
        self._asking: set[str] = set()
        self._used: dict[tuple[str, str], tuple[bool, int]] = {}

    def made(
        self,
        agreement: Agreement,
        configured: Agreement,
        trackers: Mapping[str, Tracker],
        store: Store,
        now: int,
    ) -> Agreement:
        """The agreement with the members of its roles.

        Args:
            agreement: the terms of a piece of work; returned with other roles.
            configured: the same as the configuration has it.
            trackers: by name.
            store: where rosters are remembered.
            now: our time, microseconds.

        Raises:
            TrackerError: somebody's rights depend on a roster that was never learned.
        """
        if not configured.roles:
            return agreement
        name, known = configured.name, self._known.get(configured.name)
        if known is None or known.asked != configured:
            known = self._ask(configured, trackers, store, now)
        elif now >= known.until and self._claim(name):
            # One thread asks again; the others go by what was known a moment ago.
            try:
                known = self._ask(configured, trackers, store, now)
            finally:
                with self._lock:
                    self._asking.discard(name)
        return replace(agreement, roles=known.made.roles)

    def _claim(self, name: str) -> bool:
        with self._lock:
            free = name not in self._asking
            self._asking.add(name)
        return free

    def review(self, configured: Agreement, trackers: Mapping[str, Tracker], store: Store, now: int) -> None:
        """Ask again if it is time; when somebody came or left, the agreement's links are due."""
        with suppress(TrackerError):  # a link that needs what cannot be learned will say so
            self.made(configured, configured, trackers, store, now)
        for side in Side:
            if any(role.side is side and role.required_within is not None for role in configured.roles):
                self._review_owners(configured, side, trackers[configured.scope(side).tracker], store, now)

    def in_use(  # noqa: PLR0917 - where, who, and when
        self, agreement: str, side: Side, tracker: Tracker, person: Person, store: Store, now: int
    ) -> bool:
        """Whether the account of somebody who is accountable is in use; remembered, to be asked again by itself.

        Nobody is blamed for a tracker that cannot be asked now.
        """
        if not person.active:
            return False
        used, asked = self._used.get((tracker.name, person.id), (True, 0))
        if now - asked < KEEP_USED:
            return used
        used = self._ask_used(tracker, person, now)
        note = f"{OWNERS}{agreement}/{side.value}"
        with store.read() as tx:
            owners = tx.cursors.get_note(note) or {}
        if owners.get(person.id) != used:
            with store.write(durable=False) as tx:
                owners = tx.cursors.get_note(note) or {}
                tx.cursors.set_note(note, {**owners, person.id: used})
        return used

    def _ask_used(self, tracker: Tracker, person: Person, now: int) -> bool:
        """Whether an account is in use, asked now; as it was when that cannot be asked."""
        rosters = rosters_of(tracker)
        used, _ = self._used.get((tracker.name, person.id), (True, 0))
        if rosters is not None:
            with suppress(TrackerError):
                used = rosters.active(person)
        with self._lock:
            self._used[tracker.name, person.id] = (used, now)
        return used

    def _review_owners(
        self, agreement: Agreement, side: Side, tracker: Tracker, store: Store, now: int
    ) -> None:
        """Ask again of those who are or were accountable: a deactivated account changes no ticket by itself."""
        note = f"{OWNERS}{agreement.name}/{side.value}"
        with store.read() as tx:
            owners: dict[str, bool] = tx.cursors.get_note(note) or {}
        changed = {}
        for number, before in owners.items():
            _, asked = self._used.get((tracker.name, number), (before, 0))
            if now - asked < KEEP_USED:
                continue
            used = self._ask_used(tracker, Person(number), now)
            if used != before:
                changed[number] = used
        if changed:
            with store.write(durable=False) as tx:
                tx.cursors.set_note(note, {**(tx.cursors.get_note(note) or {}), **changed})
            roles = [role.name for role in agreement.roles if role.side is side and role.field]
            _wake(store, agreement, roles, now)

    def _ask(self, agreement: Agreement, trackers: Mapping[str, Tracker], store: Store, now: int) -> Known:
        roles: list[Role] = []
        trouble = False
        changed: list[str] = []
        for role in agreement.roles:
            scope = agreement.scope(role.side)
            note = _note(agreement, role)
            try:
                members = ask_members(role, trackers[scope.tracker], scope.project)
            except TrackerError as error:
                trouble = True
                roles.append(replace(role, members=_remembered(store, note, role, error)))
                log.warning(
                    "roster_unknown",
                    agreement=agreement.name,
                    role=role.name,
                    tracker=error.tracker,
                    words=error.words,
                )
                continue
            if _remember(store, note, role, members):
                changed.append(role.name)
            roles.append(replace(role, members=members))
        if changed:
            _wake(store, agreement, changed, now)
        known = Known(agreement, now + (RETRY if trouble else KEEP), replace(agreement, roles=tuple(roles)))
        with self._lock:
            self._known[agreement.name] = known
        return known


def ask_members(role: Role, tracker: Tracker, project: str) -> tuple[Person, ...]:
    """Everybody whom the configuration names for a role, as the tracker knows them.

    Raises:
        Gone: a group or project role is not there.
        Refused: our account may not see who is in it, or nobody can tell with this kind of tracker.
        TrackerError: the tracker cannot be asked now.
    """
    if not role.named:
        return ()
    rosters = rosters_of(tracker)
    if rosters is None:
        if role.groups or role.project_roles:
            words = (
                f"the bridge cannot read groups and project roles of this kind of tracker ({tracker.kind})"
            )
            raise Refused(tracker.name, words, status=0)
        return ()
    found: dict[str, Person] = {}
    for handle in role.people:
        # Whoever is not found is still known by that name: a hidden address is why this is asked at all.
        person = rosters.person(handle, project)
        if person is not None:
            found[person.id] = person
    for person in _of_groups(role, rosters, project):
        found[person.id] = person
    return tuple(found.values())


def _of_groups(role: Role, rosters: Rosters, project: str) -> list[Person]:
    found: list[Person] = []
    for group in role.groups:
        found += rosters.group_members(group, project)
    for name in role.project_roles:
        found += rosters.project_role_members(project, name)
    return found


def _source(role: Role) -> list[Any]:
    """What a roster was asked for: one that was learned for other groups is of no use."""
    return [role.side.value, list(role.people), list(role.groups), list(role.project_roles)]


def _remember(store: Store, note: str, role: Role, members: Sequence[Person]) -> bool:
    """Remember a roster; returns whether somebody has come or left since it was last learned."""
    people = [
        {"id": one.id, "name": one.name, "handles": list(one.handles), "active": one.active}
        for one in sorted(members, key=lambda one: one.id)
    ]
    told = {"of": _source(role), "people": people}
    with store.read() as tx:
        before = tx.cursors.get_note(note)
    if before != told:
        with store.write(durable=False) as tx:
            tx.cursors.set_note(note, told)
    return before is not None and _standing(before) != _standing(told)


def _wake(store: Store, agreement: Agreement, roles: Sequence[str], now: int) -> None:
    """What was held, or had no owner, may be otherwise now."""
    with store.write(durable=False) as tx:
        links = [link.id for link in tx.links.list(agreement.name, (LinkState.ACTIVE, LinkState.HELD))]
        tx.links.wake(links, now)
    log.info("roster_changed", agreement=agreement.name, roles=list(roles), links=len(links))


def _remembered(store: Store, note: str, role: Role, error: TrackerError) -> tuple[Person, ...]:
    """The roster as it was last known.

    Raises:
        TrackerError: it was never known, and people's rights depend on it.
    """
    with store.read() as tx:
        told = tx.cursors.get_note(note)
    if not told or told.get("of") != _source(role):
        if not (role.groups or role.project_roles):
            return ()
        if isinstance(error, Gone | Refused):
            words = f"who is in the role '{role.name}' cannot be learned: {error.words}"
            raise Refused(error.tracker, words, status=0) from error
        raise error
    return _people(told)


def known_members(tx: Tx, agreement: Agreement, role: Role) -> tuple[Person, ...]:
    """The members of a role as they were last learned, without asking a tracker; those in use alone."""
    told: dict[str, Any] = tx.cursors.get_note(_note(agreement, role)) or {}
    return tuple(one for one in _people(told) if one.active)


def _note(agreement: Agreement, role: Role) -> str:
    return f"{NOTE}{agreement.name}/{role.name}"


def _people(told: Mapping[str, Any]) -> tuple[Person, ...]:
    return tuple(
        Person(one["id"], one["name"], tuple(one["handles"]), active=one["active"])
        for one in told.get("people", ())
    )


def _standing(told: Mapping[str, Any]) -> set[tuple[str, bool]]:
    """Who is in a remembered roster, and in use."""
    return {(one["id"], one["active"]) for one in told["people"]}
