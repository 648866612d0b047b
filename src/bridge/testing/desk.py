"""Where a test works: the adapter, the stand, a person, and the few things that every test does with them.

Waiting has generous bounds and no test measures time. What a search shows is waited for, because searches may
trail; what is read by id must be there at once.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import pytest

from bridge.clock import SECOND
from bridge.config.kinds import Kind
from bridge.markup import Document, Paragraph, Text, settle
from bridge.sync.agreement import Scope
from bridge.sync.ticket import Comment, Ticket, Transition, Value
from bridge.testing.stand import Samples, Someone, Stand
from bridge.trackers.protocol import Abilities, Created, Draft, FieldSpec, Tracker, Watch
from bridge.trackers.registry import kinds

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds that something is waited for, beyond the lag of the tracker's searches."""

ROUNDING = 2 * SECOND
"""How far a stamp may lie outside the span in which it was made: trackers and HTTP round to whole seconds."""


class Hurry:
    """The real time, plus all the seconds somebody pretended to sleep: retries and limits cost a test nothing."""

    def __init__(self) -> None:
        self._slept = 0.0

    def now(self) -> int:
        """See :class:`bridge.clock.Clock`."""
        return time.time_ns() // 1000 + round(self._slept * SECOND)

    def sleep(self, seconds: float) -> None:
        """See :class:`bridge.clock.Clock`."""
        self._slept += max(0.0, seconds)


@dataclass(frozen=True)
class Desk:
    """One test's place of work.

    Attributes:
        tracker: the adapter under test, logged in as the integration account.
        stand: what its author gave.
    """

    tracker: Tracker
    stand: Stand

    @property
    def abilities(self) -> Abilities:
        """What the adapter says it can do."""
        return self.tracker.abilities

    @property
    def kind(self) -> Kind:
        """What the configuration is told of the kind; one that is no entry point yet counts as editing its texts."""
        return kinds().get(self.tracker.kind, Kind(self.abilities.dialect))

    @property
    def samples(self) -> Samples:
        """Names that exist in the project."""
        return self.stand.samples

    @property
    def person(self) -> Someone:
        """Somebody who works there without the bridge."""
        return self.stand.person

    @property
    def specs(self) -> tuple[FieldSpec, ...]:
        """The mapped fields beyond the built-in ones."""
        return tuple(self.samples.custom)

    def needs(self, *fields: str) -> None:
        """Skip the test unless the tracker has these built-in fields."""
        for name in fields:
            if name not in self.abilities.fields:
                pytest.skip(f"a tracker of kind {self.tracker.kind} has no {name}")

    def needs_edits(self) -> None:
        """Skip the test where a text stays as it was written."""
        if not self.kind.edits_texts:
            pytest.skip(f"a tracker of kind {self.tracker.kind} keeps every text as it was written")

    # -- tickets --

    def scope(self, select: str = "") -> Scope:
        """The stand's project."""
        name, dialect = self.stand.settings.name, self.abilities.dialect
        return Scope(name, self.stand.project, "Somebody", dialect, select)

    def watch(self, select: str = "", follow: Sequence[str] = ()) -> Watch:
        """A view of the stand's project."""
        return Watch(self.scope(select), self.specs, tuple(follow))

    def draft(self, marker: str, /, **values: Value) -> Draft:
        """A ticket to be created."""
        given: dict[str, Value] = {"summary": f"Made for a test {marker}"}
        if "type" in self.abilities.fields:
            given["type"] = self.samples.types[0]
        return Draft(self.stand.project, given | values, marker)

    def create(self, marker: str = "", /, **values: Value) -> Created:
        """Create a ticket through the adapter."""
        return self.tracker.create(self.draft(marker or mark(), **values), self.specs)

    def filed(self, summary: str = "It breaks", /, **values: str) -> str:
        """Create a ticket as the person; returns its id."""
        return self.person.create({"summary": summary} | values)

    def update(self, ticket: str, values: Mapping[str, Value]) -> int:
        """Set fields through the adapter."""
        return self.tracker.update(ticket, values, self.specs)

    def read(self, ticket: str) -> Ticket:
        """The ticket as it is now; fails the test where it is absent."""
        found = self.tracker.fetch([ticket], self.specs)
        assert ticket in found, f"fetch does not show ticket {ticket}, which exists"
        return found[ticket]

    def poll(
        self, since: int, *, select: str = "", follow: Sequence[str] = (), canary: str = ""
    ) -> list[Ticket]:
        """What a poll shows, in its order."""
        pages = self.tracker.changes(self.watch(select, follow), since, canary=canary)
        return [ticket for page in pages for ticket in page]

    def counted(self, *, select: str = "", follow: Sequence[str] = ()) -> dict[str, int]:
        """What a census shows: id -> ``updated``."""
        pages = self.tracker.census(self.watch(select, follow))
        return {stamp.id: stamp.updated for page in pages for stamp in page}

    def step(self, ticket: str, status: str) -> Transition:
        """The step that leads to a status; fails the test where none is offered."""
        steps = self.tracker.transitions(ticket)
        found = [step for step in steps if step.to == status]
        offered = ", ".join(step.to for step in steps)
        assert found, f"no step to {status!r} is offered; there are steps to {offered or 'nothing'}"
        return found[0]

    # -- comments --

    def comment(self, ticket: str, comment: str) -> Comment:
        """A comment as it is now; fails the test where it is absent."""
        found = {one.id: one for one in self.read(ticket).comments}
        assert comment in found, f"ticket {ticket} does not show comment {comment}, which exists"
        return found[comment]

    def settled(self, document: Document) -> Document:
        """How this tracker shows a text that was written there."""
        return settle(self.abilities.dialect, document)

    # -- time --

    @contextmanager
    def moment(self) -> Iterator[Moment]:
        """Notice when something happened, by the tracker's clock."""
        span = Moment(self.tracker.now())
        yield span
        span.end = self.tracker.now()

    def next_second(self) -> None:
        """Wait until a change gets another stamp than one made before, where stamps are whole seconds."""
        if self.abilities.coarse_stamps:
            time.sleep(1.1)

    def eventually(self, look: Callable[[], T], until: Callable[[T], bool], what: str) -> T:
        """Look again until it is so: what searches show may trail the truth.

        Raises:
            pytest.fail.Exception: it never was.
        """
        deadline = time.monotonic() + PATIENCE + self.stand.settings.search_lag
        while not until(seen := look()):
            if time.monotonic() > deadline:
                pytest.fail(f"{what} did not come about; last seen: {seen!r}")
            time.sleep(0.2)
        return seen


@dataclass
class Moment:
    """The span in which something happened, microseconds of the tracker's clock."""

    begin: int
    end: int = 0

    def holds(self, stamp: int) -> bool:
        """Whether a stamp was made in it."""
        return self.begin - ROUNDING <= stamp <= self.end + ROUNDING


def mark() -> str:
    """A mark that nothing carries yet, of the form that the bridge makes."""
    return f"bridge-{secrets.token_hex(8)}"


def said(*paragraphs: str) -> Document:
    """A text of plain paragraphs."""
    return Document(tuple(Paragraph((Text(words),)) for words in paragraphs))
