"""Who may be mentioned: the people of an agreement, as the texts of both its trackers mention them.

The people map names people as its authors know them: by e-mail, login or id. A text mentions an account. Which account
a handle means is the trackers' knowledge, so it is asked there, once in a while, and only where the agreement lets
mentions be live. Whoever is not found on both sides is a plain name in texts.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace

from bridge.clock import SECOND
from bridge.sync.agreement import Agreement
from bridge.sync.ticket import Side
from bridge.trackers.protocol import Tracker

KEEP = 3_600 * SECOND
"""How long an answer is believed: people join, and leave."""

Known = tuple[Agreement, int, Agreement]
"""The agreement as it was asked for, when, and what was found out."""


class Acquaintances:
    """The agreements with their people made known. Shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Known] = {}

    def made(self, agreement: Agreement, trackers: Mapping[str, Tracker], now: int) -> Agreement:
        """The agreement with those of its people who can be mentioned.

        Args:
            agreement: as configured.
            trackers: by name.
            now: our time, microseconds.

        Raises:
            TrackerError: a tracker cannot be asked now.
        """
        if not (agreement.comments.mentions and agreement.people):
            return agreement
        with self._lock:
            known = self._known.get(agreement.name)
        if known is not None and known[0] == agreement and now - known[1] < KEEP:
            return known[2]
        found = []
        for handles in agreement.people:
            mentions = [
                trackers[agreement.scope(side).tracker].find_mention(handle, agreement.scope(side).project)
                for side, handle in zip(Side, handles, strict=True)
            ]
            if mentions[0] is not None and mentions[1] is not None:
                found.append((mentions[0], mentions[1]))
        made = replace(agreement, mentionable=tuple(found))
        with self._lock:
            self._known[agreement.name] = (agreement, now, made)
        return made
