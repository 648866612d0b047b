"""Both simulated Jiras, our adapters on them, people who act there, and a clock that need not wait."""

from __future__ import annotations

import time

import requests
from pydantic import SecretStr

from bridge.config.settings import TrackerSettings
from bridge.markup import Document
from bridge.markup.tree import Paragraph, Text
from bridge.simulator import SimulatorServer
from bridge.sync.agreement import Scope
from bridge.trackers import jira_cloud, jira_datacenter
from bridge.trackers.protocol import Draft, FieldSpec, Watch

MARK = "bridge-00112233445566aa"

SPECS = (
    FieldSpec("severity", "Severity"),
    FieldSpec("ref", "External id"),
    FieldSpec("effort", "Effort"),
    FieldSpec("impact", "Impact"),
    FieldSpec("promised", "Promised for"),
)


class QuickClock:
    """The real time, plus all the seconds somebody pretended to sleep."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> int:
        return time.time_ns() // 1000 + round(sum(self.slept) * 1e6)

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.slept.append(seconds)


class House:
    """One simulated site with our adapter on it.

    Attributes:
        server: the site: its faults, its call log, its plain data.
        tracker: our adapter, logged in as ``bridge``.
        clock: the adapter's.
        project: the key of the only project.
    """

    def __init__(self, server: SimulatorServer) -> None:
        self.server = server
        self.cloud = server.site.cloud
        self.project = "CUST" if self.cloud else "OPS"
        self.human_login = "bo" if self.cloud else "ann"
        self.clock = QuickClock()
        self.tracker = self.open()
        self._sessions: list[requests.Session] = []

    def settings(self, **changes) -> TrackerSettings:
        given = {
            "name": "acme" if self.cloud else "home",
            "kind": "jira-cloud" if self.cloud else "jira-datacenter",
            "url": self.server.url,
            "user": "bridge@acme.example" if self.cloud else "",
            "token": SecretStr("bridge-token"),
            "rate": 1000.0,
            "read_timeout": 5.0,
        }
        return TrackerSettings(**(given | changes))

    def open(self, **changes):
        module = jira_cloud if self.cloud else jira_datacenter
        return module.open_tracker(self.settings(**changes), self.clock)

    def scope(self, select: str = "") -> Scope:
        return Scope(self.settings().name, self.project, "Somebody", self.tracker.abilities.dialect, select)

    def watch(self, select: str = "", follow=(), fields=()) -> Watch:
        return Watch(self.scope(select), tuple(fields), tuple(follow))

    def draft(self, summary: str = "It breaks", mark: str = MARK, **fields) -> Draft:
        return Draft(self.project, {"type": "Bug", "summary": summary} | fields, mark)

    def person(self, login: str = "") -> Human:
        human = Human(self, login or self.human_login)
        self._sessions.append(human.session)
        return human

    def poll(self, since: int = 0, canary: str = "", **watch):
        pages = self.tracker.changes(self.watch(**watch), since, canary=canary)
        return [ticket for page in pages for ticket in page]

    def reached(self, method: str = "*", path: str = "", since: int = 0):
        """The requests that reached the server."""
        return self.server.calls.matching(method, path, since=since)

    def close(self) -> None:
        self.tracker.close()
        for session in self._sessions:
            session.close()


class Human:
    """Someone who uses the tracker like anybody else, through its own API."""

    def __init__(self, house: House, login: str) -> None:
        self.house = house
        self.session = requests.Session()
        if house.cloud:
            self.session.auth = (f"{login}@acme.example", f"{login}-token")
        else:
            self.session.headers["Authorization"] = f"Bearer {login}-token"
        self.root = f"{house.server.url}/rest/api/{'3' if house.cloud else '2'}"

    def call(self, method, path, body=None, **query):
        answer = self.session.request(method, self.root + path, json=body, params=query, timeout=10)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def text(self, words: str):
        if not self.house.cloud:
            return words
        paragraph = {"type": "paragraph", "content": [{"type": "text", "text": words}]}
        return {"type": "doc", "version": 1, "content": [paragraph]}

    def create(self, summary: str = "It breaks", **fields) -> str:
        named = {"project": {"key": self.house.project}, "issuetype": {"name": "Bug"}, "summary": summary}
        return self.call("POST", "/issue", {"fields": named | fields})["id"]

    def comment(self, ticket: str, words: str = "Hello", **more) -> str:
        return self.call("POST", f"/issue/{ticket}/comment", {"body": self.text(words)} | more)["id"]

    def edit(self, ticket: str, **fields) -> None:
        self.call("PUT", f"/issue/{ticket}", {"fields": fields})

    def labels(self, ticket: str) -> set[str]:
        return set(self.call("GET", f"/issue/{ticket}")["fields"]["labels"])


def doc(*paragraphs: str) -> Document:
    return Document(tuple(Paragraph((Text(words),)) for words in paragraphs))
