"""Fixtures of the web server's tests: a house with a store, and the real server on loopback."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from world import open_world

from bridge.daemon.hints import HintDesk
from bridge.daemon.house import House
from bridge.sync.ticket import Side
from bridge.web.server import WebServer

SECRET, OLD_SECRET = "the present secret of home", "the secret that home had before"
WEB = "web: {listen: '127.0.0.1:0'}"
HOOK = "webhook: {secret: {secret: hook}, previous: {secret: old_hook}}"


@dataclass
class Desk:
    """A real desk for hints, and a note of what it asks for."""

    house: House
    woken: list[int] = field(default_factory=list)
    later: list[int] = field(default_factory=list)
    nudged: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def made(self) -> HintDesk:
        return HintDesk(
            self.house,
            wake=lambda _, links: self.woken.extend(links),
            later=self.later.append,
            nudge=lambda tracker, tickets: self.nudged.append((tracker, tuple(tickets))),
        )


@dataclass
class Door:
    """The server, and what stands behind it."""

    server: WebServer
    desk: Desk
    house: House
    ready: bool = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def post(
        self, body: Any, *, path: str = "home", secret: str = SECRET, **headers: str
    ) -> requests.Response:
        """A signed webhook of Jira's kind; a header given as "" is left out."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"x-hub-signature": "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in given.items() if value}
        return requests.post(f"{self.url}/hooks/{path}", data=raw, headers=sent, timeout=30)

    def metric(self, name: str, **labels: str) -> float:
        """One sample of the metrics; 0 when there is none."""
        text = requests.get(f"{self.url}/metrics", timeout=30).text
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        for line in text.splitlines():
            head, _, value = line.rpartition(" ")
            if head.partition("{")[0] == name and wanted <= set(
                head.partition("{")[2].rstrip("}").split(",")
            ):
                return float(value)
        return 0.0

    @contextmanager
    def raw(self) -> Iterator[socket.socket]:
        """A bare connection."""
        with closing(socket.create_connection(("127.0.0.1", self.server.port), timeout=30)) as sock:
            yield sock

    def link(self, ticket: str) -> int:
        """A link of a ticket at home; not due."""
        with self.house.store.write() as tx:
            link, _ = tx.links.add("acme", Side.INTERNAL, ticket, f"OPS-{ticket}", f"bridge-{ticket}", 1)
            started = tx.links.start(link.id)
            assert started is not None
            tx.links.finish(
                link.id,
                started.epoch,
                started.gen,
                due_at=None,
                state=link.state,
                findings=[],
                synced_at=None,
            )
        return link.id

    def due(self) -> list[int]:
        """The links that are due."""
        with self.house.store.read() as tx:
            return tx.links.due(self.house.clock.now(), 1_000)


@pytest.fixture
def door(tmp_path):
    """The real server on loopback before a house with an empty store."""
    with open_world(tmp_path, top=WEB, tracker=HOOK) as world:
        world.environ |= {"BRIDGE_SECRET_HOOK": SECRET, "BRIDGE_SECRET_OLD_HOOK": OLD_SECRET}
        house = world.house
        server = WebServer(house, house.terms.settings.web)
        desk = Desk(house)
        opened = Door(server, desk, house)
        server.open(desk.made(), lambda: opened.ready)
        try:
            yield opened
        finally:
            server.close()
