"""Where the findings of a live check go: each with its line in the file, and counted by place and kind of check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum

from bridge.config.findings import Path, dotted
from bridge.config.source import Source
from bridge.errors import Problem
from bridge.sync.ticket import Side

_SHOWN = 12
"""Names in one sentence: a line's worth."""


class Check(StrEnum):
    """A kind of check, in the order in which the table shows them."""

    LOGIN = "login"
    CLOCK = "clock"
    PROJECT = "project"
    RIGHTS = "rights"
    FIELDS = "fields"
    VALUES = "values"
    CREATION = "new tickets"
    WORKFLOW = "workflow"
    MARK = "mark"
    PEOPLE = "people"


OF_TRACKERS = (Check.LOGIN, Check.CLOCK)
"""What is checked once a tracker; everything else once a side of an agreement."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """What was looked at: a tracker by itself or, where an agreement is named, one side of it."""

    tracker: str
    agreement: str = ""
    side: Side | None = None

    @property
    def checks(self) -> tuple[Check, ...]:
        """The kinds of checks that are made there."""
        return tuple(check for check in Check if (check in OF_TRACKERS) is (self.side is None))

    def __str__(self) -> str:
        return f"{self.agreement}, {self.side} ({self.tracker})" if self.side else self.tracker


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found, and by which check of which place; a mistake keeps a daemon from starting, a remark does not."""

    problem: Problem
    place: Place
    check: Check
    mistake: bool


@dataclass(slots=True)
class Report:
    """Everything found so far.

    Attributes:
        findings: in the order in which they were found.
        unseen: what could not be looked at, or only in part, and why.
        files: in the order of the configuration.
    """

    findings: list[Finding] = field(default_factory=list)
    unseen: dict[tuple[Place, Check], str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    def at(self, place: Place, source: Source) -> Desk:
        """Where the findings of one place in one file are handed in."""
        if source.file not in self.files:
            self.files.append(source.file)
        return Desk(self, place, source)

    def sorted(self) -> tuple[Finding, ...]:
        """All findings, by file and line."""
        found = list(dict.fromkeys(self.findings))
        return tuple(sorted(found, key=lambda one: (self.files.index(one.problem.file), one.problem.line)))


@dataclass(frozen=True, slots=True)
class Desk:
    """Takes the findings of one place."""

    report: Report
    place: Place
    source: Source

    def mistake(self, check: Check, path: Path, message: str, fix: str = "", *, key: bool = False) -> None:
        """Note what makes the agreement wrong: nothing is written while it is so."""
        self._add(check, path, message, fix, key=key, mistake=True)

    def remark(self, check: Check, path: Path, message: str, fix: str = "", *, key: bool = False) -> None:
        """Note what will wait for a person, or may surprise one."""
        self._add(check, path, message, fix, key=key, mistake=False)

    def unseen(self, check: Check, why: str) -> None:
        """Note that something could not be looked at; the first reason stands."""
        self.report.unseen.setdefault((self.place, check), why)

    def _add(self, check: Check, path: Path, message: str, fix: str, *, key: bool, mistake: bool) -> None:
        line = self.source.line(path, key=key)
        problem = Problem(self.source.file, line, dotted(path), message, fix)
        self.report.findings.append(Finding(problem, self.place, check, mistake))


def meant(name: str, known: Iterable[str]) -> str:
    """The cure for a name that is not among the known ones: the nearest one, or else all of them."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    return f"did you mean '{close[0]}'?" if close else f"there is: {some(names)}"


def some(names: Iterable[str]) -> str:
    """Names in quotes, not too many."""
    listed = list(names)
    shown = ", ".join(f"'{name}'" for name in listed[:_SHOWN])
    return shown + (f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else "")
