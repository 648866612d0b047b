"""A real Request Tracker as a stand for the conformance suite."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from rt_server import RtServer

from bridge.clock import Clock
from bridge.config.settings import TrackerSettings
from bridge.testing import Samples, Selection
from bridge.trackers.protocol import FieldSpec, Tracker
from bridge.trackers.rt_tracker import open_tracker

FIXED = "Request Tracker lets nobody change or take back what was said"


class Alice:
    """A colleague on the staff, through Request Tracker's REST API."""

    def __init__(self, server: RtServer, queue: str) -> None:
        self.server = server
        self.queue = queue

    def create(self, values: Mapping[str, str]) -> str:
        more = {"Priority": values["priority"]} if "priority" in values else {}
        return self.server.new_ticket(self.queue, values["summary"], values.get("description", ""), **more)

    def edit(self, ticket: str, values: Mapping[str, str]) -> None:
        names = {"summary": "Subject", "priority": "Priority"}
        self.server.edit_ticket(ticket, **{names[name]: value for name, value in values.items()})

    def move(self, ticket: str, status: str) -> None:
        self.server.edit_ticket(ticket, Status=status)

    def delete(self, ticket: str) -> None:
        self.server.call("alice", "DELETE", f"/ticket/{ticket}")

    def merge(self, ticket: str, into: str) -> None:
        self.server.edit_ticket(ticket, MergeInto=into)

    def comment(self, ticket: str, words: str, *, private: bool = False) -> str:
        write = self.server.remark if private else self.server.reply
        write(ticket, words)
        return str(self.server.history(ticket, "Correspond", "Comment")[-1]["id"])

    def edit_comment(self, *_: str) -> None:
        pytest.skip(FIXED)

    def delete_comment(self, *_: str) -> None:
        pytest.skip(FIXED)


class RtStand:
    """A queue of its own on the shared server; implements :class:`bridge.testing.Stand`."""

    def __init__(self, server: RtServer) -> None:
        self.project = server.new_queue()
        self.settings = server.settings()
        self.person = Alice(server, self.project)
        self.samples = Samples(
            step=("new", "resolved"),
            types=("", ""),
            priorities=("70", "20"),
            people=("alice", "bob@tests.example"),
            custom={
                FieldSpec("severity", "Severity"): ("S1", "S3"),
                FieldSpec("areas", "Areas"): (frozenset({"Network", "Storage"}), frozenset({"Printing"})),
                FieldSpec("effort", "Effort"): ("2.5", "3"),
            },
            selection=Selection("Priority = 70", {"priority": "70"}, {"priority": "20"}),
            nonsense=("Priority = 1) OR (id > 0", "Subject = 'x", "no such thing"),
        )

    def open(self, settings: TrackerSettings, clock: Clock) -> Tracker:
        return open_tracker(settings, clock)
