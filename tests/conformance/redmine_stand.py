"""A real Redmine as a stand for the conformance suite."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from redmine_server import RedmineServer
from world import eventually

from bridge.clock import Clock
from bridge.config.settings import TrackerSettings
from bridge.sync.agreement import Privacy
from bridge.testing import Samples, Selection
from bridge.trackers.protocol import FieldSpec, Tracker
from bridge.trackers.redmine import open_tracker

STATUSES = {"New": 1, "In Progress": 2, "Resolved": 3}
TYPES = {"Bug": 1, "Feature": 2}
PRIORITIES = {"Normal": 2, "High": 3}


class Alice:
    """The manager of the project, through Redmine's REST API; an administrator deletes for her."""

    def __init__(self, server: RedmineServer, project: str) -> None:
        self.server = server
        self.project = project

    def create(self, values: Mapping[str, str]) -> str:
        attributes = self._attributes({"type": "Bug", "priority": "Normal"} | dict(values))
        return self.server.new_issue(self.project, attributes.pop("subject"), **attributes)

    def edit(self, ticket: str, values: Mapping[str, str]) -> None:
        self.server.edit_issue(ticket, **self._attributes(values))

    def move(self, ticket: str, status: str) -> None:
        self.server.edit_issue(ticket, status_id=STATUSES[status])

    def delete(self, ticket: str) -> None:
        self.server.call("admin", "DELETE", f"/issues/{ticket}.json")

    def merge(self, ticket: str, into: str) -> None:  # noqa: ARG002 - see the reason
        pytest.skip("Redmine merges no tickets")

    def comment(self, ticket: str, words: str, *, private: bool = False) -> str:
        self.server.edit_issue(ticket, notes=words, private_notes=private)
        return str(eventually(lambda: self._said(ticket, words))[-1]["id"])

    def _said(self, ticket: str, words: str) -> list[dict]:
        return [one for one in self.server.read_issue(ticket)["journals"] if one.get("notes") == words]

    def edit_comment(self, ticket: str, comment: str, words: str) -> None:  # noqa: ARG002 - Redmine's notes are known by number
        self.server.call("alice", "PUT", f"/journals/{comment}.json", {"journal": {"notes": words}})

    def delete_comment(self, ticket: str, comment: str) -> None:
        self.edit_comment(ticket, comment, "")

    def _attributes(self, values: Mapping[str, str]) -> dict:
        named = {
            "summary": ("subject", str),
            "description": ("description", str),
            "type": ("tracker_id", TYPES.__getitem__),
            "priority": ("priority_id", PRIORITIES.__getitem__),
        }
        return {named[name][0]: named[name][1](value) for name, value in values.items()}


class RedmineStand:
    """A project of its own on the shared server; implements :class:`bridge.testing.Stand`."""

    def __init__(self, server: RedmineServer) -> None:
        self.project = server.new_project(bridge="alice")  # a manager's role: links between tickets need it
        self.settings = server.settings()
        self.person = Alice(server, self.project)
        self.samples = Samples(
            step=("New", "In Progress"),
            types=("Bug", "Feature"),
            priorities=("Normal", "High"),
            people=("alice", "bridge"),
            custom={
                FieldSpec("severity", "Severity"): ("S1", "S3"),
                FieldSpec("areas", "Areas"): (frozenset({"Network", "Storage"}), frozenset({"Printing"})),
                FieldSpec("effort", "Effort"): ("2.5", "3"),
            },
            part={},
            private=Privacy(),
            selection=Selection("priority_id=3", {"priority": "High"}, {"priority": "Normal"}),
            nonsense=("no query", "project_id=1", "cf_77=S1", "sort=id"),
        )

    def open(self, settings: TrackerSettings, clock: Clock) -> Tracker:
        return open_tracker(settings, clock)
