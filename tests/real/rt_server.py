"""A real Request Tracker for the tests: the fixture ``rt``, one server for all workers of a test run.

The server is Debian's package in a private instance (``rt.sh``), on a port of its own, with a fresh database
(``shared_server``). Tests share it and stay apart by working in queues of their own (``RtServer.new_queue``).
"""

from __future__ import annotations

import itertools
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from shared_server import common_folder, shared_server

from bridge.config.settings import TrackerSettings

SCRIPT = Path(__file__).with_name("rt.sh")
PACKAGE = Path("/usr/share/request-tracker5")  # where Debian puts it
TEMPLATE = Path("/var/lib/dbconfig-common/sqlite3/request-tracker5/rtdb")

_numbers = itertools.count(1)


@dataclass(frozen=True)
class RtServer:
    """A running Request Tracker and what is in it.

    Attributes:
        url: base address.
        folder: of the instance; sent mails are in ``mail``.
        tokens: login -> token, for root, bridge (the integration account), alice and bob (staff), mute (who may add no
            replies).
        people: login -> user id.
        fields: custom field name -> id.
    """

    url: str
    folder: Path
    tokens: Mapping[str, str]
    people: Mapping[str, int]
    fields: Mapping[str, int]

    def call(self, who: str, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Speak to Request Tracker as one of the people; returns the parsed answer, None when it is empty."""
        answer = requests.request(
            method,
            f"{self.url}/REST/2.0{path}",
            params=query,
            json=body,
            headers={"Authorization": f"token {self.tokens[who]}"},
            timeout=60,
        )
        assert answer.ok, f"{method} {path} as {who}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content.strip() else None

    def settings(self, name: str = "rt", *, who: str = "bridge") -> TrackerSettings:
        """How the bridge is told of this server."""
        return TrackerSettings(
            name=name,
            kind="request-tracker",
            url=self.url,
            token=SecretStr(self.tokens[who]),
            marker_field="External ID",
            rate=1000.0,
            search_lag=0.0,
        )

    def new_queue(self) -> str:
        """Make a queue of one's own; returns its name, which has an apostrophe in it."""
        name = f"Bob's queue {os.getpid()}-{next(_numbers)}-{secrets.token_hex(3)}"
        self.call("root", "POST", "/queue", {"Name": name})
        return name

    def new_ticket(
        self, queue: str, subject: str, text: str = "", *, who: str = "alice", **fields: Any
    ) -> str:
        """Make a ticket as one of the people; returns its id."""
        body = {"Queue": queue, "Subject": subject, "Content": text, "ContentType": "text/plain", **fields}
        return str(self.call(who, "POST", "/ticket", body)["id"])

    def edit_ticket(self, ticket: str, *, who: str = "alice", **fields: Any) -> list[str]:
        """Change a ticket as one of the people; returns what Request Tracker says."""
        return list(self.call(who, "PUT", f"/ticket/{ticket}", fields))

    def reply(
        self, ticket: str, text: str, *, who: str = "alice", kind: str = "text/plain", **more: Any
    ) -> None:
        """Reply to a ticket as one of the people: everybody may read it."""
        body = {"Content": text, "ContentType": kind, **more}
        self.call(who, "POST", f"/ticket/{ticket}/correspond", body)

    def remark(self, ticket: str, text: str, *, who: str = "alice") -> None:
        """Comment on a ticket as one of the people: for staff only."""
        self.call(who, "POST", f"/ticket/{ticket}/comment", {"Content": text, "ContentType": "text/plain"})

    def read_ticket(self, ticket: str, *, who: str = "alice") -> dict[str, Any]:
        """A ticket as one of the people sees it."""
        return dict(self.call(who, "GET", f"/ticket/{ticket}"))

    def values(self, ticket: str) -> dict[str, list[str]]:
        """The ticket's custom fields: name -> values."""
        return {field["name"]: field["values"] for field in self.read_ticket(ticket)["CustomFields"]}

    def history(self, ticket: str, *kinds: str) -> list[dict[str, Any]]:
        """The ticket's transactions of these kinds, oldest first, each with the texts in it."""
        fields = "Type,Creator,Created,Field,OldValue,NewValue"
        found = self.call("alice", "GET", f"/ticket/{ticket}/history", fields=fields, per_page=100)["items"]
        chosen = [one for one in found if not kinds or one["Type"] in kinds]
        for one in chosen:
            if one["Type"] in {"Create", "Correspond", "Comment"}:
                path = f"/transaction/{one['id']}/attachments"
                texts = self.call("alice", "GET", path, fields="Content")["items"]
                one["texts"] = [text["Content"] for text in texts]
        return chosen


@pytest.fixture(scope="session")
def rt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtServer]:
    """A running Request Tracker; skips where it is not installed."""
    if not (PACKAGE.is_dir() and os.access(TEMPLATE, os.R_OK)):
        pytest.skip("Request Tracker is not installed: run tests/real/rt.sh install as root")
    with shared_server(common_folder(tmp_path_factory, "rt"), SCRIPT) as (url, instance):
        seed = json.loads((instance / "seed.json").read_text())
        yield RtServer(url=url, folder=instance, **seed)
