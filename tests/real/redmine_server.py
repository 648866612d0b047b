"""A real Redmine for the tests: the fixture ``redmine``, one server for all workers of a test run.

The server is Debian's package in a private instance (``redmine.sh``), on a port of its own, with a fresh
database (``shared_server``). Tests share it and stay apart by working in projects of their own
(``RedmineServer.new_project``).
"""

from __future__ import annotations

import itertools
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from shared_server import common_folder, shared_server

from bridge.config.settings import TrackerSettings

SCRIPT = Path(__file__).with_name("redmine.sh")
PACKAGE = Path("/usr/share/redmine")  # where Debian puts it
TEMPLATE = Path("/var/lib/dbconfig-common/sqlite3/redmine/instances/default/redmine_default")

_numbers = itertools.count(1)


@dataclass(frozen=True)
class RedmineServer:
    """A running Redmine and what is in it.

    Attributes:
        url: base address.
        keys: login -> API key, for admin, bridge (the integration account), alice (manager), bob (developer).
        people: login -> user id.
        roles: login -> id of the role that this person has by default; also ``mute``, who may add no notes.
        fields: custom field name -> id.
        project: identifier of a project with everybody in it.
    """

    url: str
    keys: Mapping[str, str]
    people: Mapping[str, int]
    roles: Mapping[str, int]
    fields: Mapping[str, int]
    project: str

    def call(self, who: str, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Speak to Redmine as one of the people; returns the parsed answer, None when it is empty."""
        answer = requests.request(
            method,
            self.url + path,
            params=query,
            json=body,
            headers={"X-Redmine-API-Key": self.keys[who]},
            timeout=60,
        )
        assert answer.ok, f"{method} {path} as {who}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content.strip() else None

    def settings(self, name: str = "redmine", *, who: str = "bridge") -> TrackerSettings:
        """How the bridge is told of this server."""
        return TrackerSettings(
            name=name,
            kind="redmine",
            url=self.url,
            token=SecretStr(self.keys[who]),
            marker_field="External ID",
            rate=1000.0,
            search_lag=0.0,
        )

    def new_project(
        self, *, people: Sequence[str] = ("bridge", "alice", "bob"), public: bool = False, **roles: str
    ) -> str:
        """Make a project of one's own; returns its identifier.

        Args:
            people: who is in it.
            public: whether everybody may look.
            roles: login -> whose role to have, where it is not one's own.
        """
        identifier = f"p-{os.getpid()}-{next(_numbers)}-{secrets.token_hex(3)}"
        self.call(
            "admin",
            "POST",
            "/projects.json",
            {
                "project": {
                    "name": identifier,
                    "identifier": identifier,
                    "is_public": public,
                    "enabled_module_names": ["issue_tracking"],
                }
            },
        )
        for login in people:
            membership = {"user_id": self.people[login], "role_ids": [self.roles[roles.get(login, login)]]}
            self.call("admin", "POST", f"/projects/{identifier}/memberships.json", {"membership": membership})
        return identifier

    def new_issue(self, project: str, subject: str, *, who: str = "alice", **attributes: Any) -> str:
        """Make an issue as one of the people; returns its id."""
        issue = {"project_id": project, "subject": subject, **attributes}
        return str(self.call(who, "POST", "/issues.json", {"issue": issue})["issue"]["id"])

    def edit_issue(self, issue: str, *, who: str = "alice", **attributes: Any) -> None:
        """Change an issue or add a note to it (``notes=...``) as one of the people."""
        self.call(who, "PUT", f"/issues/{issue}.json", {"issue": attributes})

    def read_issue(self, issue: str, *, who: str = "alice") -> dict[str, Any]:
        """An issue with its journals as one of the people sees it."""
        return dict(self.call(who, "GET", f"/issues/{issue}.json", include="journals")["issue"])


@pytest.fixture(scope="session")
def redmine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedmineServer]:
    """A running Redmine; skips where it is not installed."""
    if not (PACKAGE.is_dir() and os.access(TEMPLATE, os.R_OK) and shutil.which("puma")):
        pytest.skip("Redmine is not installed: run tests/real/redmine.sh install as root")
    with shared_server(common_folder(tmp_path_factory, "redmine"), SCRIPT) as (url, instance):
        seed = json.loads((instance / "keys.json").read_text())
        yield RedmineServer(url=url, **seed)
