"""By which way a role hears of an alert: in a mail of its own, or together with others, so that no storm breaks loose.

In its quiet hours, and once it got as many mails in an hour as the agreement allows, what is for a role is gathered and
told in one mail. What waits is noted in the transaction that claims it, so nothing is told twice, and nothing dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from bridge.clock import SECOND
from bridge.config.settings import Pledge, Settings
from bridge.sla.quiet import quiet_until
from bridge.store.alerts import GATHERED
from bridge.store.database import Tx
from bridge.sync.roles import Role

NOTES: Final = "alerts/"
"""How the notes begin: then the agreement and the role."""

HOUR: Final = 3_600 * SECOND

MAILED: Final = "mailed"
"""The role got a mail of its own."""

UNHEARD: Final = "unheard"
"""There is no such role any more, or it has no address."""


@dataclass(slots=True)
class Route:
    """What is known of one role.

    Attributes:
        recent: when its last mails about alerts were written, microseconds.
        until: when what is gathered for it is told; None while nothing is.
        after: id of the newest alert before those that are gathered.
    """

    recent: list[int] = field(default_factory=list)
    until: int | None = None
    after: int = 0

    def as_json(self) -> dict[str, Any]:
        """As it is noted."""
        return {"recent": self.recent, "until": self.until, "after": self.after}


def key_of(agreement: str, role: str) -> str:
    """The note about a role."""
    return f"{NOTES}{agreement}/{role}"


class Routing:
    """The ways within one transaction.

    Args:
        tx: the transaction.
        settings: how many mails a role gets in an hour, and how long more of them are gathered.
        now: microseconds.
    """

    def __init__(self, tx: Tx, settings: Settings, now: int) -> None:
        self._tx = tx
        self._settings = settings
        self._now = now
        self.changed: dict[str, Route] = {}

    def way(self, agreement: str, role: Role | None, *, urgent: bool) -> str:
        """How a role hears of one more alert; to be asked before that alert is claimed."""
        if role is None or not role.mail:
            return UNHEARD
        route = self._route(agreement, role.name)
        quiet = None if urgent else quiet_until(role.quiet, self._now)
        pledge = self._settings.pledges.get(agreement, Pledge())
        room = len(route.recent) < pledge.most_per_hour
        if quiet is None and room and (urgent or route.until is None):
            route.recent.append(self._now)
            return MAILED
        until = quiet if quiet is not None else self._now + round(pledge.gather * SECOND)
        if not urgent:
            until = (
                quiet_until(role.quiet, until) or until
            )  # it must not end in the hours that begin meanwhile
        if route.until is None:
            route.until, route.after = until, self._tx.alerts.newest()
        elif quiet is None:
            route.until = min(route.until, until)
        return GATHERED

    def told(self, agreement: str, role: str) -> None:
        """What was gathered for a role is told now."""
        route = self._route(agreement, role)
        route.until = None
        route.recent.append(self._now)

    def later(self, agreement: str, role: str, until: int) -> None:
        """What was gathered for a role cannot be told yet."""
        self._route(agreement, role).until = until

    def save(self) -> dict[str, int | None]:
        """Note what has changed; returns by key when what is gathered is to be told."""
        for key, route in self.changed.items():
            self._tx.cursors.set_note(key, route.as_json())
        return {key: route.until for key, route in self.changed.items()}

    def _route(self, agreement: str, role: str) -> Route:
        key = key_of(agreement, role)
        route = self.changed.get(key)
        if route is None:
            note = self._tx.cursors.get_note(key)
            route = self.changed[key] = Route(**note) if note else Route()
            route.recent = [at for at in route.recent if self._now - HOUR < at <= self._now]
        return route
