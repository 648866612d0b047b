"""A simulated Jira, Cloud or Data Center, as a stand for the conformance suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType

import pytest
import requests
from pydantic import SecretStr

from bridge.clock import Clock
from bridge.config.settings import TrackerSettings
from bridge.simulator import SimulatorServer, make_acme, make_home
from bridge.testing import Asking, Samples, Selection
from bridge.trackers import jira_cloud, jira_datacenter
from bridge.trackers.protocol import FieldSpec, Tracker

CUSTOM = {
    FieldSpec("severity", "Severity"): ("Critical", "Minor"),
    FieldSpec("ref", "External id"): ("EXT-1", "EXT-2"),
    FieldSpec("effort", "Effort"): (2.5, 3.0),
    FieldSpec("promised", "Promised for"): ("2031-02-28", "2032-02-29"),
}
NONSENSE = ("labels ~~ 3", "a = 1) OR (b = 2", "(priority = 1", 'nosuchfield = "x"')


def _samples(cloud: bool) -> Samples:
    one, two = priorities = ("P1", "P2") if cloud else ("High", "Low")
    return Samples(
        step=("To Do", "In Progress") if cloud else ("Open", "In Progress"),
        types=("Bug", "Task"),
        priorities=priorities,
        people=("bo@acme.example", "bridge@acme.example") if cloud else ("ann", "ivan"),
        custom=CUSTOM,
        selection=Selection(f"priority = {one}", {"priority": one}, {"priority": two}),
        nonsense=NONSENSE,
        part={"type": "Sub-task"},
        asking=None if cloud else Asking("Resolved", {"resolution": "Fixed"}),
    )


class Human:
    """Someone at a simulated Jira, through its REST API."""

    def __init__(self, server: SimulatorServer, login: str) -> None:
        self.cloud = server.site.cloud
        self.project = next(iter(server.site.projects))
        self.root = f"{server.url}/rest/api/{'3' if self.cloud else '2'}"
        self.session = requests.Session()
        self.admin = "admin"
        self.login = login

    def call(self, method: str, path: str, body: object = None, *, who: str = "") -> dict:
        login = who or self.login
        auth = {"auth": (f"{login}@acme.example", f"{login}-token")} if self.cloud else {}
        headers = {} if self.cloud else {"Authorization": f"Bearer {login}-token"}
        answer = self.session.request(
            method, self.root + path, json=body, headers=headers, timeout=30, **auth
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else {}

    def create(self, values: Mapping[str, str]) -> str:
        return self.call(
            "POST", "/issue", {"fields": self._fields({"type": "Bug"} | dict(values), new=True)}
        )["id"]

    def edit(self, ticket: str, values: Mapping[str, str]) -> None:
        fields = self._fields(values)
        update = {}
        if "labels" in fields:
            # A person's form sends what it shows; the bridge's own label is among that.
            shown = self.call("GET", f"/issue/{ticket}")["fields"]["labels"]
            fields["labels"] += [label for label in shown if label.startswith("bridge-")]
        self.call("PUT", f"/issue/{ticket}", {"fields": fields} | update)

    def move(self, ticket: str, status: str) -> None:
        steps = self.call("GET", f"/issue/{ticket}/transitions")["transitions"]
        step = next(one["id"] for one in steps if one["to"]["name"] == status)
        self.call("POST", f"/issue/{ticket}/transitions", {"transition": {"id": step}})

    def delete(self, ticket: str) -> None:
        self.call("DELETE", f"/issue/{ticket}", who=self.admin)

    def merge(self, ticket: str, into: str) -> None:  # noqa: ARG002 - see the reason
        pytest.skip("Jira merges no tickets")

    def comment(self, ticket: str, words: str, *, private: bool = False) -> str:
        body = {"body": self._text(words)}
        if private:
            body["visibility"] = {"type": "role", "value": "Developers"}
        return self.call("POST", f"/issue/{ticket}/comment", body)["id"]

    def edit_comment(self, ticket: str, comment: str, words: str) -> None:
        shown = self.call("GET", f"/issue/{ticket}/comment/{comment}")
        body = {"body": self._text(words)}
        if "visibility" in shown:
            body["visibility"] = shown["visibility"]
        self.call("PUT", f"/issue/{ticket}/comment/{comment}", body)

    def delete_comment(self, ticket: str, comment: str) -> None:
        self.call("DELETE", f"/issue/{ticket}/comment/{comment}")

    def _fields(self, values: Mapping[str, str], *, new: bool = False) -> dict:
        fields: dict = {"project": {"key": self.project}} if new else {}
        for name, value in values.items():
            match name:
                case "type":
                    fields["issuetype"] = {"name": value}
                case "priority":
                    fields["priority"] = {"name": value}
                case "description":
                    fields["description"] = self._text(value)
                case "labels":
                    fields["labels"] = value.split()
                case _:
                    fields[name] = value
        return fields

    def _text(self, words: str) -> object:
        if not self.cloud:
            return words
        paragraph = {"type": "paragraph", "content": [{"type": "text", "text": words}]}
        return {"type": "doc", "version": 1, "content": [paragraph]}


class JiraStand:
    """One simulated site; implements :class:`bridge.testing.Stand`."""

    def __init__(self, server: SimulatorServer) -> None:
        cloud = server.site.cloud
        self.module: ModuleType = jira_cloud if cloud else jira_datacenter
        self.server = server
        self.project = next(iter(server.site.projects))
        self.samples = _samples(cloud)
        self.person = Human(server, "bo" if cloud else "ann")
        self.settings = TrackerSettings(
            name="acme" if cloud else "home",
            kind="jira-cloud" if cloud else "jira-datacenter",
            url=server.url,
            user="bridge@acme.example" if cloud else "",
            token=SecretStr("bridge-token"),
            rate=1000.0,
            search_lag=1.0,
        )

    def open(self, settings: TrackerSettings, clock: Clock) -> Tracker:
        return self.module.open_tracker(settings, clock)


@contextmanager
def jira_stand(*, cloud: bool) -> Iterator[JiraStand]:
    """A fresh site; the index of the Cloud trails the truth, as it really does."""
    with SimulatorServer(make_acme() if cloud else make_home()) as server:
        server.site.search_lag_ms = 150 if cloud else 0
        stand = JiraStand(server)
        yield stand
        stand.person.session.close()
