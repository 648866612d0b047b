# ruff: noqa: ARG002 - a broken adapter does not look at everything that it is given
"""Adapters that break one promise each, and the suite over each of them: run by ``test_the_suite_can_fail.py``.

Not collected with the other tests, because all of this is meant to fail, save for the adapter that is whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from jira_stand import JiraStand, jira_stand

from bridge.errors import OutcomeUnknown, Refused
from bridge.testing import TrackerConformance, desk

desk.PATIENCE = 1.0  # what never comes is not worth a long wait

HOUR = 3_600_000_000


class Whole:
    """Passes everything on to a real adapter: nothing is wrong with it."""

    def __init__(self, tracker) -> None:
        self._tracker = tracker

    def __getattr__(self, name: str):
        return getattr(self._tracker, name)


class LosesTheMarker(Whole):
    """Finds nothing by its mark, as after a create that left it out."""

    def find_marked(self, scope, marker, since):
        return []


class ReadsStale(Whole):
    """Answers a read with what it saw the first time."""

    def __init__(self, tracker) -> None:
        super().__init__(tracker)
        self._seen: dict = {}

    def fetch(self, ids, fields):
        found = self._tracker.fetch(ids, fields)
        return {one: self._seen.setdefault(one, ticket) for one, ticket in found.items()}


class SwallowsRefusals(Whole):
    """Takes no for yes."""

    def update(self, ticket, values, fields, *, was=None):
        try:
            return self._tracker.update(ticket, values, fields, was=was)
        except Refused:
            return self._tracker.now()


class ShowsPrivateAsPublic(Whole):
    """Does not look at what restricts a comment."""

    def fetch(self, ids, fields):
        found = self._tracker.fetch(ids, fields)
        return {
            one: replace(ticket, comments=tuple(replace(said, private=False) for said in ticket.comments))
            for one, ticket in found.items()
        }


class WritesPrivateInPublic(Whole):
    """Forgets that a comment was for few eyes."""

    def add_comment(self, ticket, body, marker, *, private=None, parent=""):
        return self._tracker.add_comment(ticket, body, marker, parent=parent)


class TellsTheWrongTime(Whole):
    """Reads the tracker's times in the wrong zone."""

    def fetch(self, ids, fields):
        found = self._tracker.fetch(ids, fields)
        return {one: replace(ticket, updated=ticket.updated + HOUR) for one, ticket in found.items()}

    def update(self, ticket, values, fields, *, was=None):
        return self._tracker.update(ticket, values, fields, was=was) + HOUR


class SkipsTheFirstSecond(Whole):
    """Asks for what is newer than the bound, not for what is as new."""

    def changes(self, watch, since, *, canary=""):
        for page in self._tracker.changes(watch, since, canary=canary):
            yield [ticket for ticket in page if ticket.updated > since]


class SendsTwice(Whole):
    """Sends a create again when its answer was lost."""

    def create(self, draft, fields):
        try:
            return self._tracker.create(draft, fields)
        except OutcomeUnknown:
            return self._tracker.create(draft, fields)


class DropsLabelsOfOthers(Whole):
    """Writes a set of labels over whatever is there."""

    def update(self, ticket, values, fields, *, was=None):
        shown = self._tracker.fetch([ticket], fields)[ticket].fields["labels"]
        return self._tracker.update(ticket, values, fields, was=shown)


class CutsTexts(Whole):
    """Shortens what is long, without a word."""

    def create(self, draft, fields):
        values = dict(draft.fields)
        if "description" in values:
            values["description"] = replace(values["description"], blocks=values["description"].blocks[:20])
        return self._tracker.create(replace(draft, fields=values), fields)


class MixesUpAuthors(Whole):
    """Says that every comment is the person's."""

    def fetch(self, ids, fields):
        found = self._tracker.fetch(ids, fields)
        return {
            one: replace(
                ticket,
                comments=tuple(replace(said, author=ticket.creator) for said in ticket.comments),
            )
            for one, ticket in found.items()
        }


class ShowsNewestFirst(Whole):
    """Polls the wrong way round, so that a cursor would pass by what is still to come."""

    def changes(self, watch, since, *, canary=""):
        for page in reversed(list(self._tracker.changes(watch, since, canary=canary))):
            yield list(reversed(page))


class _Suite(TrackerConformance):
    broken: type = Whole

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls) -> Iterator[JiraStand]:
        with jira_stand(cloud=False) as stand:
            yield stand

    @pytest.fixture(scope="class")
    @classmethod
    def stand(cls, site) -> Iterator[JiraStand]:
        opens = site.open
        site.open = lambda settings, clock: cls.broken(opens(settings, clock))
        return site


def _over(adapter: type) -> type:
    return type(f"Test{adapter.__name__}", (_Suite,), {"broken": adapter, "__module__": __name__})


TestWhole = _over(Whole)
TestLosesTheMarker = _over(LosesTheMarker)
TestReadsStale = _over(ReadsStale)
TestSwallowsRefusals = _over(SwallowsRefusals)
TestShowsPrivateAsPublic = _over(ShowsPrivateAsPublic)
TestWritesPrivateInPublic = _over(WritesPrivateInPublic)
TestTellsTheWrongTime = _over(TellsTheWrongTime)
TestSkipsTheFirstSecond = _over(SkipsTheFirstSecond)
TestSendsTwice = _over(SendsTwice)
TestDropsLabelsOfOthers = _over(DropsLabelsOfOthers)
TestCutsTexts = _over(CutsTexts)
TestMixesUpAuthors = _over(MixesUpAuthors)
TestShowsNewestFirst = _over(ShowsNewestFirst)
