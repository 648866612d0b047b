"""A real Redmine for the tests: the fixture ``redmine``, one server for all workers of a test run.

The server is Debian's package in a private instance (``redmine.sh``), on a port of its own, with a fresh
database. The first worker that needs it starts it, the last one that lets go stops it. Tests share it and
stay apart by working in projects of their own (``RedmineServer.new_project``).
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr

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
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    with _shared_server(shared / "redmine") as server:
        yield server


@contextmanager
def _shared_server(folder: Path) -> Iterator[RedmineServer]:
    """Start the server unless another worker has; stop it when no worker uses it any more."""
    folder.mkdir(exist_ok=True)
    users = folder / "users"
    with _locked(folder):
        count = int(users.read_text()) if users.exists() else 0
        if count == 0:
            _start(folder)
        users.write_text(str(count + 1))
        url = (folder / "url").read_text()
        instance = (folder / "instance").read_text()
    try:
        seed = json.loads(Path(instance, "keys.json").read_text())
        yield RedmineServer(url=url, **seed)
    finally:
        with _locked(folder):
            count = int(users.read_text()) - 1
            users.write_text(str(count))
            if count == 0:
                subprocess.run([SCRIPT, "stop", instance], check=True)


def _start(folder: Path) -> None:
    """Start a fresh instance and note where it is."""
    instance = folder / f"instance-{secrets.token_hex(4)}"
    started = subprocess.run([SCRIPT, "start", instance], check=False, capture_output=True, text=True)
    assert started.returncode == 0, started.stderr
    (folder / "url").write_text(started.stdout.strip())
    (folder / "instance").write_text(str(instance))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel lets go of it if the process dies."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
