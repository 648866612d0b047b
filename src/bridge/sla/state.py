"""How a link stands at a moment, and what each entry of its timeline does to it: the words that rules are about.

One ``State`` walks through a timeline once. Every entry becomes a ``Deed``: what happened at the level of the link, as
triggers ask for it. Entries of one instant have an order of their own (``in_order``), so that how they were collected
changes nothing.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from bridge.sla.policy import Happening, Policy, Trigger
from bridge.sla.timeline import Entry, EntryKind, Timeline
from bridge.sync.ticket import Side

STATUS: Final = "status"
ASSIGNEE: Final = "assignee"


class Deed:
    """What an entry did.

    Attributes:
        entry: which one.
        at: when it counts as done, microseconds: nothing happens before the ticket is born.
        happenings: what it is, other than a change of a field.
        changed: the field that it changed at the level of the link; "" for none.
        tells: whether the link's values are others than before: it changed one, or told one that nobody knew.
        owned: the field in which it named somebody on its side; "" for none.
        born: field -> value for the birth, which brings every first value with it; empty for every other deed.
    """

    __slots__ = ("at", "born", "changed", "entry", "happenings", "owned", "tells")

    def __init__(self, entry: Entry, at: int) -> None:
        self.entry = entry
        self.at = at
        self.happenings: tuple[Happening, ...] = ()
        self.changed = ""
        self.tells = False
        self.owned = ""
        self.born: dict[str, str] = {}

    def meets(self, trigger: Trigger) -> bool:
        """Whether this is what a trigger waits for."""
        if trigger.side is not None and trigger.side is not self.entry.side:
            return False
        if trigger.what is Happening.FIELD:
            if self.changed == trigger.field:
                return not trigger.values or self.entry.after in trigger.values
            return bool(self.born) and self.born.get(trigger.field) in trigger.values
        if trigger.what is Happening.OWNED:
            field = trigger.field or ASSIGNEE
            return self.owned == field or bool(self.born.get(field))
        return trigger.what in self.happenings

    def meets_any(self, triggers: tuple[Trigger, ...]) -> bool:
        """Whether this is what any of them waits for."""
        return any(self.meets(trigger) for trigger in triggers)


class State:
    """How a link stands.

    Attributes:
        values: field -> its value at the level of the link: that of the latest entry of either side.
        comment: the side that wrote the last public comment; None while there is none.
        resolved: whether the status is one of the policy's resolved ones.
    """

    __slots__ = ("_born", "_held", "_resolved", "_sides", "comment", "resolved", "values")

    def __init__(self, timeline: Timeline, policy: Policy) -> None:
        self.values = dict(timeline.start)
        self.comment: Side | None = None
        self.resolved = self.values.get(STATUS) in policy.resolved
        self._resolved = policy.resolved
        self._born = timeline.born
        self._held: set[str] = set()
        # The ticket that came first had all the first values; its mirror shows what its own entries say.
        self._sides = {(timeline.origin, name): value for name, value in timeline.start.items()}

    @property
    def held(self) -> bool:
        """Whether any change waits for somebody to decide."""
        return bool(self._held)

    def assigned(self, side: Side) -> bool:
        """Whether somebody is assigned on a side."""
        return bool(self._sides.get((side, ASSIGNEE)))

    def apply(self, entry: Entry) -> Deed:
        """Let an entry happen."""
        deed = Deed(entry, max(entry.at, self._born))
        match entry.kind:
            case EntryKind.FIELD:
                self._change(entry, deed)
            case EntryKind.COMMENT:
                if entry.public:
                    self.comment = entry.side
                    deed.happenings = (Happening.COMMENT,)
            case EntryKind.HELD:
                self._held.add(entry.event)
            case EntryKind.RELEASED:
                self._held.discard(entry.event)
            case EntryKind.ACKNOWLEDGED:
                deed.happenings = (Happening.ACKNOWLEDGED,)
            case EntryKind.CREATED:
                deed.born = dict(self.values)
                also = (Happening.RESOLVED,) if self.resolved else ()
                deed.happenings = (Happening.CREATED, *also)
        return deed

    def _change(self, entry: Entry, deed: Deed) -> None:
        field, after = entry.field, entry.after
        here = (entry.side, field)
        if after and self._sides.get(here, entry.before) != after:
            deed.owned = field
        self._sides[here] = after
        before = self.values.get(field, entry.before)
        deed.tells = self.values.get(field) != after
        self.values[field] = after
        if field == STATUS:
            self.resolved = after in self._resolved
        if before == after:
            return
        deed.changed = field
        if field == STATUS:
            was = before in self._resolved
            if was is not self.resolved:
                deed.happenings = (Happening.RESOLVED if self.resolved else Happening.REOPENED,)


def in_order(timeline: Timeline, until: int) -> list[Entry]:
    """The entries up to and including a moment (microseconds), in the one order in which they are told.

    Of what happened in one instant the birth comes first, then what the tracker of origin tells, then by the trackers'
    ids of their entries, in which 9 comes before 10.
    """
    born, origin = timeline.born, timeline.origin
    entries = [entry for entry in timeline.entries if entry.at <= until] if born <= until else []
    apart = all(one.at < other.at for one, other in pairwise(entries))
    if apart and (not entries or entries[0].at >= born):
        return entries

    def place(entry: Entry) -> tuple[object, ...]:
        head = entry.event.rstrip("0123456789")
        tail = entry.event[len(head) :]
        return (
            max(entry.at, born),
            entry.kind is not EntryKind.CREATED,
            entry.side is not origin,
            (head, len(tail), tail),
            (entry.kind, entry.field, entry.before, entry.after, entry.who, entry.public),
        )

    return sorted(entries, key=place)
