"""A configuration with clocks and its database, and the commands run over them in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from world import write_config

from bridge.cli import main
from bridge.config.loading import load
from bridge.sla.policy import Policy
from bridge.store.database import Store

CLOCKS = """
roles:
  service-owner: {side: internal, people: [ann@example.com], mail: [ann@example.com], language: da}
  delivery-manager: {side: vendor, people: [bo@acme.example], mail: [bo@acme.example], language: nl}
resolved: [Resolved, Closed]
office: {internal: office, vendor: always}
clocks:
  acknowledge: {start: created, stop: vendor-comment, goals: {default: 1h}, owner: vendor}
  resolve: {start: created, stop: resolved, pause: {ball: internal}, goals: {default: 8h}, owner: vendor}
ball:
  - {status: [Waiting], owner: internal}
digest: {to: [service-owner, delivery-manager], every: monday 08:00, zone: Europe/Copenhagen, goals: {resolve: 95%}}
"""
FIELDS = """
  summary: {}
  status: {values: {Open: To Do, Waiting: In Progress, Resolved: Done, Closed: Closed}}
  priority: {values: {P1: High, P2: Low}}
  type: {values: {Incident: Bug}}
"""
TOP = """
mail: {server: "smtp://localhost:25", from: bridge@example.com}
calendars:
  office: {zone: Europe/Copenhagen, hours: {mon-fri: "08:00-16:00"}}
"""


@dataclass
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Desk:
    """The folder with the configuration, and its database."""

    def __init__(self, folder: Path, capsys) -> None:
        self.folder, self._capsys = folder, capsys
        write_config(folder, "http://127.0.0.1:9", "http://127.0.0.1:9", fields=FIELDS, more=CLOCKS, top=TOP)
        self.settings = load(folder, environ={}, secrets=False)
        self.store = Store.open(self.settings.database)

    @property
    def policy(self) -> Policy:
        return self.settings.policies["acme"]

    def run(self, *words: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            main([*words, "-c", str(self.folder)])
        said = self._capsys.readouterr()
        return Said(ended.value.code or 0, said.out, said.err)

    def dump(self) -> str:
        """Every row of every table."""
        with self.store.read() as tx:
            raw = tx.connection.connection.driver_connection
            return "\n".join(raw.iterdump())


@pytest.fixture
def desk(tmp_path, capsys):
    opened = Desk(tmp_path, capsys)
    yield opened
    opened.store.close()
