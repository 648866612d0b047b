"""A clock that tests turn, and people who act on a simulated site through its REST API."""

from __future__ import annotations

import requests

from bridge.simulator import SimulatorServer

NOON = 1_795_348_800_123  # 2026-11-22T12:00:00.123Z


class TurnedClock:
    """A clock that stands still until a test turns it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        return self.now

    def turn(self, *, seconds: float) -> None:
        self.now += int(seconds * 1000)


class Person:
    """Someone with a login, acting through the site's REST API; remembers the last answer."""

    def __init__(self, server: SimulatorServer, login: str, version: str | None = None) -> None:
        self.session = requests.Session()
        self.cloud = server.site.cloud
        if self.cloud:
            self.session.auth = (f"{login}@acme.example", f"{login}-token")
        else:
            self.session.headers["Authorization"] = f"Bearer {login}-token"
        self.root = f"{server.url}/rest/api/{version or ('3' if self.cloud else '2')}"

    def call(self, method, path, body=None, expect=None, **query):
        answer = self.session.request(method, self.root + path, json=body, params=query, timeout=10)
        if expect is not None:
            assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        if answer.headers.get("content-type", "").startswith("application/json") and answer.content:
            return answer.json()
        return answer

    def get(self, path, expect=200, **query):
        return self.call("GET", path, expect=expect, **query)

    def post(self, path, body, expect=None, **query):
        return self.call("POST", path, body, expect, **query)

    def put(self, path, body, expect=None, **query):
        return self.call("PUT", path, body, expect, **query)

    def delete(self, path, expect=204, **query):
        return self.call("DELETE", path, expect=expect, **query)

    def create(self, summary="It breaks", **fields):
        project = "CUST" if self.cloud else "OPS"
        given = {"project": {"key": project}, "issuetype": {"name": "Bug"}, "summary": summary} | fields
        return self.post("/issue", {"fields": given}, 201)["key"]

    def search(self, jql, expect=200, **more):
        path = "/search/jql" if self.cloud else "/search"
        fields = more.pop("fields", ["summary"])
        return self.post(path, {"jql": jql, "fields": fields} | more, expect)

    def keys(self, jql, **more):
        return [one["key"] for one in self.search(jql, **more)["issues"]]


def doc(text: str) -> dict:
    """An ADF document of one paragraph."""
    return {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}],
    }
