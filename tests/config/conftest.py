"""A sound configuration that tests break in one place at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.config import Settings, load
from bridge.errors import ConfigError, Problem

BRIDGE = """\
database: sqlite:///bridge.db
threads: 64
census: 24h
trackers:
  home:
    kind: jira-datacenter
    url: https://jira.example.com
    token: {secret: home_token}
    poll: 15s
  acme:
    kind: jira-cloud
    url: https://acme.atlassian.net
    user: bridge@example.com
    token: {secret: acme_token}
  shop:
    kind: redmine
    url: https://shop.example.com
    token: {secret: shop_key}
    marker-field: External ID
agreements: agreements/*.yaml
"""

ACME = """\
name: acme
internal:
  tracker: home
  project: OPS
  company: Example Corp
  select: labels = vendor-acme
vendor:
  tracker: acme
  project: CUST
  company: Acme
create: both
people:
  - {internal: ann@example.com, vendor: bo@acme.example}
  - {internal: cy@example.com, vendor: di@acme.example}
fields:
  summary: {owner: internal}
  description: {rule: newest}
  priority:
    owner: internal
    values: {High: P1, Low: P2}
    otherwise: hold
  status:
    values: {Open: To Do, Resolved: Done, Closed: Done}
    via: {vendor: {Done: [In Progress]}}
    fill: {internal: {Resolved: {resolution: Fixed}}}
  labels: {only: ["sev-*"]}
  due: {owner: vendor}
  assignee: {otherwise: keep}
  severity:
    internal: Severity
    vendor: Impact
    values: {Bad: Worse}
comments:
  cross: public
  attribute: "{author} ({company})"
"""

RIGHTS = """\
mode: pilot
pilot: {tickets: [OPS-1, CUST-7], labels: ["pilot-*"]}
roles:
  service-owner: {side: internal, people: [ann@example.com], groups: [ops], field: assignee, required-within: 4h}
  delivery-manager:
    side: vendor
    people: [bo@acme.example]
    mail: [desk@acme.example]
holds:
  approvers: {internal: service-owner, vendor: delivery-manager}
  expire: 14d
  then: reject
"""
"""Roles for the same agreement."""

MAY = """\
  type:
    values: {Task: Job, Bug: Fault}
    vendor-may:
      - Task
      - {to: Bug, from: Task, by: [delivery-manager, eva@acme.example]}
    internal-may: any
    unentitled: flag
"""
"""A field of it with rights."""


TIME = """\
mail: {server: "smtp://localhost:25", from: bridge@example.com}
calendars:
  office:
    zone: Europe/Copenhagen
    holidays: DK
    hours: {mon-thu: "08:00-12:00, 12:30-16:00", fri: "08:00-15:30"}
    closed: [2026-12-24, 2026-12-27..2026-12-30]
    open: [2026-04-02]
hooks:
  chat: {url: "https://chat.example.com/in?room=7", secret: {secret: chat_secret}}
heartbeat: {file: alive, url: https://hc.example.com/5f1, mail: ops@example.com}
"""
"""Everything about time for ``bridge.yaml``."""

CLOCKS = """\
office: {internal: office, vendor: always}
ball:
  - {status: [Resolved], comment: vendor, owner: internal}
  - {assigned: {vendor: false}, owner: vendor}
clocks:
  acknowledge:
    start: created
    stop: first-vendor-comment
    goals: {P1: 15m, Low: 1h, default: 4h}
    calendar: {P1: always, default: office}
  resolve:
    start: created
    stop: resolved
    pause: {ball: internal}
    goals: {High: 4h, default: 5d}
    calendar: office
    owner: vendor
  update: {start: last-vendor-comment, stop: next-vendor-comment, goals: {P1: 1h}, calendar: always}
ladder:
  - {at: 50%, tell: delivery-manager}
  - {at: 100%, tell: [delivery-manager, service-owner], comment: true, label: breached, priority: P1, hook: chat}
  - {at: +2h, tell: service-owner, until: acknowledged, every: 1h, urgent: true, clocks: [resolve]}
alerts: {most-per-hour: 7, gather: 2m}
digest: {to: [service-owner, delivery-manager], every: friday 16:30, goals: {resolve: 95%}}
clocks-from: 2026-11-01
"""
"""Everything about time for the same agreement, with its roles."""


@dataclass
class Folder:
    """A configuration folder on disk."""

    path: Path

    @property
    def bridge(self) -> Path:
        return self.path / "bridge.yaml"

    @property
    def acme(self) -> Path:
        return self.path / "agreements" / "acme.yaml"

    def add(self, name: str, text: str) -> Path:
        """Write a file."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def replace(self, file: Path, old: str, new: str) -> None:
        """Change one place of a file; the place must be there once."""
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file.name}"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def line(self, file: Path, needle: str) -> int:
        """The 1-based line of the first occurrence."""
        lines = file.read_text(encoding="utf-8").splitlines()
        return next(number for number, line in enumerate(lines, 1) if needle in line)

    def load(self, *, secrets: bool = False, environ: dict[str, str] | None = None) -> Settings:
        """Load it."""
        return load(self.path, environ=environ or {}, secrets=secrets)

    def problems(
        self, *, secrets: bool = False, environ: dict[str, str] | None = None
    ) -> tuple[Problem, ...]:
        """What is wrong with it."""
        with pytest.raises(ConfigError) as caught:
            self.load(secrets=secrets, environ=environ)
        return caught.value.problems


@pytest.fixture
def folder(tmp_path) -> Folder:
    folder = Folder(tmp_path)
    folder.add("bridge.yaml", BRIDGE)
    folder.add("agreements/acme.yaml", ACME)
    return folder


@pytest.fixture
def governed(folder) -> Folder:
    """The same with roles on both sides, a pilot, and a field with rights."""
    folder.replace(folder.acme, "  due:", f"{MAY}  due:")
    folder.replace(folder.acme, "comments:\n", f"{RIGHTS}comments:\n")
    return folder


@pytest.fixture
def timed(governed) -> Folder:
    """The same with calendars, clocks, a ladder and all that goes with them."""
    governed.replace(governed.bridge, "threads: 64\n", f"threads: 64\n{TIME}")
    governed.replace(governed.acme, "comments:\n", f"{CLOCKS}comments:\n")
    return governed
