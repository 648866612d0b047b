"""A small world for end-to-end tests: two simulators on loopback, a configuration folder, people, and the bridge.

People act through the trackers' own APIs with their own logins; the bridge is either driven pass by pass in this
process or run as a process of its own. Nothing of the bridge is replaced.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests
import structlog

from bridge.cli import main
from bridge.clock import SECOND, SystemClock
from bridge.config import load
from bridge.daemon.house import House
from bridge.daemon.once import Pass, sync_once
from bridge.daemon.opening import close_house, open_house
from bridge.simulator import LoggedCall, SimulatorServer, Site, make_acme, make_home
from bridge.simulator.model import Issue
from bridge.store.database import Store, Tx
from bridge.store.rows import Link, LinkState

FIELDS = """
  summary: {}
  description: {}
  type: {values: {Bug: Bug, Task: Task, Incident: Incident, Improvement: Service Request}}
  priority: {values: {Highest: P1, High: P2, Medium: P3, Low: P4, Lowest: P4}}
  status:
    values: {Open: To Do, Reopened: To Do, In Progress: In Progress, Resolved: Done, Closed: Done}
    via: {vendor: {Done: [In Progress, In Review]}}
    fill: {internal: {Resolved: {resolution: Fixed}}}
  labels: {rule: merge}
  due: {}
  assignee: {otherwise: keep}
"""

PEOPLE = "[{internal: ann@home.example, vendor: bo@acme.example}]"


@dataclass
class Person:
    """Somebody who works in one tracker through its API, under their own login."""

    url: str
    version: int
    auth: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """One request; the answer's JSON. Fails the test on a refusal."""
        answer = requests.request(
            method,
            f"{self.url}/rest/api/{self.version}{path}",
            json=body,
            params=query or None,
            auth=self.auth,
            headers=self.headers,
            timeout=30,
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def text(self, words: str) -> Any:
        """Plain words as this tracker takes them: wiki text or ADF."""
        if self.version == 2:
            return words
        return {
            "type": "doc",
            "version": 1,
            "content": [{"type": "paragraph", "content": [{"type": "text", "text": words}]}],
        }

    def create(self, project: str, summary: str, *, kind: str = "Task", **fields: Any) -> str:
        """A new ticket; returns its key."""
        given = {"project": {"key": project}, "summary": summary, "issuetype": {"name": kind}, **fields}
        return str(self.call("POST", "/issue", {"fields": given})["key"])

    def edit(self, key: str, **fields: Any) -> None:
        """Set fields."""
        self.call("PUT", f"/issue/{key}", {"fields": fields})

    def comment(self, key: str, words: str, **more: Any) -> str:
        """Add a comment; returns its id."""
        return str(self.call("POST", f"/issue/{key}/comment", {"body": self.text(words), **more})["id"])

    def move(self, key: str, status: str, **fields: Any) -> None:
        """Take the step that leads to a status."""
        steps = self.call("GET", f"/issue/{key}/transitions")["transitions"]
        step = next(one for one in steps if one["to"]["name"] == status)
        self.call("POST", f"/issue/{key}/transitions", {"transition": {"id": step["id"]}, "fields": fields})

    def read(self, key: str) -> dict[str, Any]:
        """A ticket as the tracker shows it."""
        return dict(self.call("GET", f"/issue/{key}"))

    def field(self, key: str, name: str) -> Any:
        """One field; the name of what is named."""
        value = self.read(key)["fields"][name]
        return value["name"] if isinstance(value, dict) and "name" in value else value

    def comments(self, key: str) -> list[dict[str, Any]]:
        """All comments."""
        return list(self.call("GET", f"/issue/{key}/comment", maxResults=1000)["comments"])


@dataclass
class World:
    """Two trackers, their people, a configuration, and the bridge."""

    folder: Path
    home: SimulatorServer
    acme: SimulatorServer
    environ: dict[str, str]
    _house: House | None = None

    # --- people --------------------------------------------------------------------------------------------------

    def at_home(self, login: str = "ann") -> Person:
        """Somebody inside the organisation."""
        return Person(self.home.url, 2, headers={"Authorization": f"Bearer {login}-token"})

    def at_acme(self, login: str = "bo") -> Person:
        """Somebody at the vendor."""
        return Person(self.acme.url, 3, auth=(f"{login}@acme.example", f"{login}-token"))

    # --- the bridge, pass by pass --------------------------------------------------------------------------------

    @property
    def house(self) -> House:
        """The bridge's parts in this process."""
        if self._house is None:
            self._house = open_house(load(self.folder, environ=self.environ), SystemClock())
        return self._house

    def restart(self) -> None:
        """Forget everything that is not in the store."""
        if self._house is not None:
            close_house(self._house)
            self._house = None

    def sync(self, *, census: bool = False) -> Pass:
        """One pass."""
        return sync_once(self.house, census=census)

    def settle(self, passes: int = 6) -> int:
        """Passes until one writes nothing; returns how many wrote."""
        for number in range(passes):
            done = self.sync()
            if not done.writes and not done.ended("postponed"):
                return number
        raise AssertionError(f"still writing after {passes} passes")

    def later(self, seconds: int) -> None:
        """As if so much time had passed; see ``pass_time``."""
        store = Store.open(load(self.folder, environ=self.environ).database)
        try:
            pass_time(store, seconds)
        finally:
            store.close()

    # --- the bridge as a process ---------------------------------------------------------------------------------

    @contextmanager
    def daemon(self, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
        """``bridge run`` as a process of its own; its log goes to ``daemon.log``."""
        with (self.folder / "daemon.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bridge.cli", "run", "--config", str(self.folder)],
                env={**os.environ, **self.environ, **environ},
                stderr=log,
                stdout=log,
            )
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                    process.wait(timeout=40)

    def bridge(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A ``bridge`` command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "bridge.cli", *arguments, "--config", str(self.folder)],
            env={**os.environ, **self.environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def typed(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The same within this process: quicker, and good enough where no process is to be proved."""
        out, err, code = io.StringIO(), io.StringIO(), 0
        alone, logging = patch("sys.stdin", io.StringIO()), structlog.get_config()
        with patch.dict(os.environ, self.environ), alone, redirect_stdout(out), redirect_stderr(err):
            try:
                main([*arguments, "--config", str(self.folder)])
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 1
            finally:
                structlog.configure(
                    **logging
                )  # a command sets up logging for its whole process, which is ours here
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    def log(self) -> list[dict[str, Any]]:
        """The daemon's log so far."""
        path = self.folder / "daemon.log"
        return [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]

    # --- looking -------------------------------------------------------------------------------------------------

    def peer(self, key: str) -> str:
        """The key of a ticket's mirror, from the bridge's own store."""
        with self.records() as tx:
            (link,) = tx.links.by_key(key)
        return link.vendor_key if link.internal_key == key else link.internal_key

    @contextmanager
    def records(self) -> Iterator[Tx]:
        """The bridge's store, to look into; also while the daemon runs."""
        if self._house is not None:
            with self._house.store.read() as tx:
                yield tx
            return
        store = Store.open(load(self.folder, environ=self.environ).database, migrate=False)
        try:
            with store.read() as tx:
                yield tx
        finally:
            store.close()

    def journal(self, key: str) -> list[dict[str, Any]]:
        """A link's journal: one dictionary an entry, with its event."""
        with self.records() as tx:
            (link,) = tx.links.by_key(key)
            return [{**entry.data, "event": entry.event} for entry in tx.journal.for_link(link.id)]

    def links(self) -> list[Link]:
        """All links, as stored."""
        with self.records() as tx:
            return tx.links.list()

    def twins(self) -> list[tuple[Issue, Issue]]:
        """Every internal ticket with its twin, told from the trackers alone; fails if one is single or has two."""
        home, acme = (
            {one.key: one for one in server.site.issues.values()} for server in (self.home, self.acme)
        )
        pairs = []
        for mirrors, origins in ((acme, home), (home, acme)):
            for mirror in mirrors.values():
                if "bridge.link" in mirror.properties:
                    mark = mirror.properties["bridge.link"]["marker"]
                    (origin,) = (
                        one
                        for one in origins.values()
                        if any(link.global_id == mark for link in one.remote_links)
                    )
                    pairs.append((origin, mirror) if mirrors is acme else (mirror, origin))
        lefts, rights = [left.key for left, _ in pairs], [right.key for _, right in pairs]
        assert sorted(lefts) == sorted(home), f"single or double at home: {lefts} of {sorted(home)}"
        assert sorted(rights) == sorted(acme), f"single or double at acme: {rights} of {sorted(acme)}"
        return pairs

    def judge(self) -> int:
        """Compare all twins, told from the trackers alone; returns how many there are."""
        twins = self.twins()
        for left, right in twins:
            assert facts(self.home.site, left) == facts(self.acme.site, right), f"{left.key} = {right.key}"
            ours, theirs = ([plain(one.body) for one in issue.comments] for issue in (left, right))
            ours, theirs = ([one for one in said if not one.startswith(NOTES)] for said in (ours, theirs))
            written = [one for one in ours if "(Acme)" not in one] + [
                one for one in theirs if "(Example Corp)" not in one
            ]
            assert len(ours) == len(theirs) == len(written), f"{left.key} = {right.key}: {ours} / {theirs}"
            for body in written:
                assert any(body in one for one in ours), f"{left.key} lacks {body!r}: {ours}"
                assert any(body in one for one in theirs), f"{right.key} lacks {body!r}: {theirs}"
        return len(twins)

    def calls(self) -> list[LoggedCall]:
        """All API calls of the bridge's accounts so far, both trackers."""
        return [
            call
            for server in (self.home, self.acme)
            for call in server.calls.since(0)
            if (call.user or "bridge").startswith("bridge")
        ]


NOTES = ("On hold:", "Settled:")
"""How the bridge's own notes about holds begin."""

STATUSES = {"Open": "To Do", "Reopened": "To Do", "Resolved": "Done", "Closed": "Done"}
PRIORITIES = {"Highest": "P1", "High": "P2", "Medium": "P3", "Low": "P4", "Lowest": "P4"}


def facts(site: Site, issue: Issue) -> dict[str, Any]:
    """What must be equal on both sides, in the vendor's words."""
    status, priority = site.statuses[issue.status].name, site.priorities[issue.values["priority"]].name
    return {
        "summary": issue.values["summary"],
        "description": plain(issue.values.get("description")),
        "labels": sorted(one for one in issue.values.get("labels") or () if not one.startswith("bridge-")),
        "due": issue.values.get("duedate"),
        "status": STATUSES.get(status, status),
        "priority": PRIORITIES.get(priority, priority),
    }


def plain(body: Any) -> str:
    """The words of a text as a tracker stores it: wiki text or ADF."""
    if isinstance(body, dict):
        return body.get("text", "") + " ".join(plain(one) for one in body.get("content", ()))
    return (body or "").replace("*", "").strip()


def pass_time(store: Store, seconds: int) -> None:
    """As if so much time had passed since tickets were first missed, and every parked link's next try had come."""
    with store.write() as tx:
        for key, note in tx.cursors.notes("gone/").items():
            moved = {name: at - seconds * SECOND for name, at in note.items() if name in {"first", "told"}}
            tx.cursors.set_note(key, {**note, **moved})
        tx.links.wake([link.id for link in tx.links.list(states=[LinkState.PARKED])], 1)


def eventually(check: Callable[[], Any], seconds: float = 60.0, every: float = 0.1) -> Any:
    """Wait until the check gives something true, and return it; its assertion errors count as "not yet"."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            result = check()
            if result:
                return result
        except (AssertionError, ValueError, LookupError):
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {check}")
        time.sleep(every)


def write_config(
    folder: Path,
    home_url: str,
    acme_url: str,
    *,
    fields: str = FIELDS,
    lag: str = "1s",
    more: str = "",
    create: str = "both",
    select: str = "",
    tracker: str = "",
    top: str = "",
    database: str = "sqlite:///bridge.db",
) -> dict[str, str]:
    """A configuration of the two trackers; returns the environment with its secrets.

    ``tracker`` adds keys to both trackers, ``top`` to the file itself.
    """
    (folder / "agreements").mkdir(exist_ok=True)
    usual = f"rate: 1000, concurrency: 16, search-lag: {lag}, poll: 1s{tracker and ', '}{tracker}"
    (folder / "bridge.yaml").write_text(f"""
database: "{database}"
{top}
trackers:
  home: {{kind: jira-datacenter, url: "{home_url}", token: {{secret: home_token}}, {usual}}}
  acme: {{kind: jira-cloud, url: "{acme_url}", user: bridge@acme.example, token: {{secret: acme_token}}, {usual}}}
agreements: agreements/*.yaml
""")
    chosen = f', select: "{select}"' if select else ""
    (folder / "agreements" / "acme.yaml").write_text(f"""
name: acme
internal: {{tracker: home, project: OPS, company: Example Corp{chosen}}}
vendor: {{tracker: acme, project: CUST, company: Acme}}
create: {create}
people: {PEOPLE}
fields:{fields}
{more}
""")
    return {"BRIDGE_SECRET_HOME_TOKEN": "bridge-token", "BRIDGE_SECRET_ACME_TOKEN": "bridge-token"}


@contextmanager
def open_world(
    folder: Path, home: Site | None = None, acme: Site | None = None, **config: Any
) -> Iterator[World]:
    """Two running trackers and a configuration for them."""
    with (
        SimulatorServer(home or make_home()) as home_server,
        SimulatorServer(acme or make_acme()) as acme_server,
    ):
        environ = write_config(folder, home_server.url, acme_server.url, **config)
        world = World(folder, home_server, acme_server, environ)
        try:
            yield world
        finally:
            world.restart()
