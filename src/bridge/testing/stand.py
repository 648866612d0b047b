"""What the suite asks of whoever runs it: a running tracker, and a person who works there without the bridge.

The suite speaks to the tracker through the adapter under test only. What people do meanwhile, it leaves to the
author of the stand, who does it through the tracker's own interface: else an adapter that misreads what it wrote
itself would agree with itself. What cannot be done at a tracker the stand answers with ``pytest.skip`` and the
reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bridge.clock import Clock
from bridge.config.settings import TrackerSettings
from bridge.sync.ticket import Value
from bridge.trackers.protocol import FieldSpec, Tracker


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection of tickets in the tracker's query language, and tickets on both sides of it.

    Attributes:
        query: what an agreement would have under ``select``.
        inside: values (see :meth:`Someone.create`) of a ticket that it selects.
        outside: values of one that it does not.
    """

    query: str
    inside: Mapping[str, str]
    outside: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asking:
    """A step of the workflow that asks for something.

    Attributes:
        to: the status that it leads to from that of a new ticket.
        give: screen field -> a value that it takes.
    """

    to: str
    give: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Samples:
    """Names that exist in the stand's project.

    Attributes:
        step: the status of a new ticket, and one that a single step leads to which asks for nothing.
        types: two ticket types; ("", "") where the tracker has none.
        priorities: two priorities.
        people: two people who may be assigned, named as in an agreement's map of people (e-mail or login).
        custom: mapped fields beyond the built-in ones, each with two values that it takes.
        selection: a selection; None where the adapter has none.
        nonsense: selections that the tracker cannot mean, or that reach outside the project; each must be refused.
        asking: a step that asks for something; None where the workflow has none.
        part: values with which a ticket may be created as a part of another one; None where tickets have no parts.
        absent: an id that no ticket has.
    """

    step: tuple[str, str]
    types: tuple[str, str]
    priorities: tuple[str, str]
    people: tuple[str, str]
    custom: Mapping[FieldSpec, tuple[Value, Value]] = field(default_factory=dict)
    selection: Selection | None = None
    nonsense: tuple[str, ...] = ()
    asking: Asking | None = None
    part: Mapping[str, Value] | None = None
    absent: str = "999999999"


class Someone(Protocol):
    """A person who uses the tracker like anybody else, through its own interface, under their own login."""

    def create(self, values: Mapping[str, str]) -> str:
        """Create a ticket; returns its id.

        Args:
            values: ``summary``, and any of ``description`` (plain words), ``type``, ``priority`` and what the
                stand's selection names.
        """

    def edit(self, ticket: str, values: Mapping[str, str]) -> None:
        """Set any of ``summary``, ``priority``, ``description`` (plain words), ``labels`` (blank-separated)."""

    def move(self, ticket: str, status: str) -> None:
        """Take the one step to a status."""

    def delete(self, ticket: str) -> None:
        """Delete a ticket, so that the integration account cannot see it any more."""

    def merge(self, ticket: str, into: str) -> None:
        """Merge a ticket into another one."""

    def comment(self, ticket: str, words: str, *, private: bool = False) -> str:
        """Add a comment, private as this tracker has it (a role, an internal note); returns its id."""

    def edit_comment(self, ticket: str, comment: str, words: str) -> None:
        """Replace the text of the person's own comment."""

    def delete_comment(self, ticket: str, comment: str) -> None:
        """Delete the person's own comment."""


class Stand(Protocol):
    """A running tracker with a project that the tests may fill. An empty one is quicker; nothing else depends on it.

    Attributes:
        settings: how the bridge is told of the tracker, with the login of the integration account. Its ``rate``
            should be high, and ``search_lag`` what searches really trail by.
        project: key of the project.
        samples: names that exist there.
        person: somebody else, who may do in the project what people do.
    """

    settings: TrackerSettings
    project: str
    samples: Samples
    person: Someone

    def open(self, settings: TrackerSettings, clock: Clock) -> Tracker:
        """The adapter under test: usually the factory of its entry point.

        Args:
            settings: the stand's own, or with another address or token, where a test is about failures.
            clock: the time.
        """
