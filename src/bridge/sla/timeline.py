"""The ordered history of a link from both trackers' own histories: what the clocks are functions of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.sync.ticket import Side


class EntryKind(StrEnum):
    """What an entry of a timeline tells."""

    CREATED = "created"
    """The first ticket of the link came into being. Its mirror's coming is no entry."""
    FIELD = "field"
    """A field changed: ``status``, ``priority``, ``assignee`` and every other mapped one."""
    COMMENT = "comment"
    """A comment was written; copies are no entries."""
    HELD = "held"
    """A change began to wait for somebody to decide."""
    RELEASED = "released"
    """It no longer waits: the one whose ``event`` is the same."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody acknowledged."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    Attributes:
        at: microseconds UTC: the tracker's own time, less its clock's skew.
        side: in whose tracker, which is whose deed it counts as.
        kind: see EntryKind.
        field: which field (canonical name); of a hold: which one is held.
        before: the value before, in the internal side's words.
        after: the value since, in the internal side's words; of a person: their name, "" for nobody.
        who: who did it, as their tracker shows them; "" when hidden.
        event: the tracker's id of the entry: evidence, e.g. ``internal:history/10023`` or ``vendor:comment/991``.
        public: the other side may read it (a comment).
        observed: no history tells it: the bridge saw it, ``at`` is when it did.
    """

    at: int
    side: Side
    kind: EntryKind
    field: str = ""
    before: str = ""
    after: str = ""
    who: str = ""
    event: str = ""
    public: bool = True
    observed: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """The history of a link.

    Attributes:
        born: when its first ticket was created, microseconds.
        origin: in whose tracker that was.
        start: field -> its value at birth, in the internal side's words.
        entries: in order of time; ``CREATED`` first.
        certain_until: everything that happened before this moment (microseconds) is in it; later things may be missing.
        ended: when the link was closed, microseconds; None while it goes on. No clock runs on after that.
        shown: side -> field -> what it showed when it was last read, in the internal words: what no history tells of a
            change is seen by it.
    """

    born: int
    origin: Side
    start: Mapping[str, str] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    certain_until: int = 0
    ended: int | None = None
    shown: Mapping[Side, Mapping[str, str]] = field(default_factory=dict)
