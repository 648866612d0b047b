"""Random histories: many tickets, people of all roles who do what they may and what they may not, decisions, trouble.

A history is one ticket and its mirror with a sequence of edits drawn from its own dice, ``seed/token``. Many of them
share a world: two simulators, a store, the real feeds, worker and adapters over HTTP, pass by pass. People's requests
go straight into the simulators, under their logins, and are logged like all others.
"""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checker import Checker, Decision
from world import open_world

from bridge.daemon.deciding import Undecidable, Verdict, decide_hold, stamp
from bridge.simulator.exchange import Answer, Request
from bridge.store.rows import LinkState
from bridge.sync.holding import HoldKind, HoldState

FIELDS = """
  summary: {owner: internal, unentitled: revert}
  description: {}
  type: {values: {Task: Task}}
  priority:
    owner: internal
    internal-may: [{by: service-owner}]
    values: {Highest: P1, High: P2, Medium: P3, Low: P4}
  status:
    values: {Open: To Do, Reopened: To Do, In Progress: In Progress, Resolved: In Review, Closed: Done}
    vendor-may: [In Progress, Resolved, {to: Open, by: delivery-manager}]
    via:
      vendor:
        To Do: [In Progress]
        In Progress: [To Do]
        In Review: [To Do, In Progress]
        Done: [In Progress, In Review]
      internal: {Open: [Reopened, In Progress], In Progress: [Reopened], Resolved: [Reopened], Closed: [Resolved]}
    fill: {internal: {Resolved: {resolution: Fixed}}}
  labels: {rule: merge, only: ["team-*", "sev-*"], vendor-may: [team-red, team-blue]}
  due: {owner: vendor}
"""

TERMS = """
brakes: {share: off}
roles:
  service-owner: {side: internal, people: [ann@home.example]}
  delivery-manager: {side: vendor, people: [bo@acme.example]}
  mediator: {side: internal, people: [admin@home.example]}
redact:
  - {find: [secrets, addresses]}
  - {pattern: '\\b10\\.\\d+\\.\\d+\\.\\d+\\b', as: "[internal address]", to: vendor}
"""

CROSS = {"both": "", "to-vendor": "comments: {cross: to-vendor}\n"}
DECIDERS = {
    "service-owner": "ann@home.example",
    "delivery-manager": "bo@acme.example",
    "mediator": "admin@home.example",
}
PEOPLE = {"home": ("ann", "ivan"), "acme": ("bo", "cy")}
LABELS = ("team-red", "team-blue", "sev-1", "sev-2", "own-1")
ROLE = {"visibility": {"type": "role", "value": "Developers"}}
PRIVATE_FIELD = {"home": "environment", "acme": "customfield_10042"}
WORDS = [
    "lamp",
    "door",
    "printer",
    "stairs",
    "window",
    "heating",
    "lift",
    "gate",
    "cable",
    "roof",
    "pump",
    "alarm",
]
ALNUM = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


REST_SECONDS = 180
"""How long a world may take to come to rest; a request without an answer alone takes twice the read timeout."""


class Desk:
    """People at one tracker: their requests go into the simulator without a socket."""

    def __init__(self, name: str, server: Any) -> None:
        self.name, self.server, self.site = name, server, server.site
        self.api = "/rest/api/2" if name == "home" else "/rest/api/3"

    def ask(self, login: str, method: str, path: str, body: Any = None) -> Answer:
        """One request under somebody's login."""
        given = f"{login}@acme.example:{login}-token".encode()
        auth = f"Bearer {login}-token" if self.name == "home" else f"Basic {base64.b64encode(given).decode()}"
        headers = {"authorization": auth, "content-type": "application/json"}
        raw = b"" if body is None else json.dumps(body).encode()
        answer = self.server.simulator.handle(Request(method, self.api + path, "", headers, raw))
        assert answer.status < 400, (login, method, path, body, answer.body)
        return answer

    def text(self, words: str) -> Any:
        """Words as this tracker takes them."""
        if self.name == "home":
            return words
        inner = [{"type": "text", "text": words}]
        return {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": inner}]}


@dataclass
class History:
    """One ticket's own dice and what there is of it."""

    token: str
    dice: random.Random
    keys: dict[str, str] = field(default_factory=dict)
    comments: list[tuple[str, str, str, str]] = field(default_factory=list)
    edits: int = 0


class Town:
    """One world of many histories.

    Attributes:
        planted: words that must not cross as they are -> (side, kind).
        checker: judges it.
    """

    def __init__(self, world: Any, seed: str, tokens: list[str], talk: str) -> None:
        self.world, self.seed, self.talk = world, seed, talk
        self.dice = random.Random(seed)
        self.desks = {"home": Desk("home", world.home), "acme": Desk("acme", world.acme)}
        self.histories = [History(token, random.Random(f"{seed}/{token}")) for token in tokens]
        self.planted: dict[str, tuple[str, str]] = {}
        sites = {name: desk.site for name, desk in self.desks.items()}
        self.checker = Checker(sites, talk, self.planted, ("home-bridge-token", "acme-bridge-token"))
        self.seen = dict.fromkeys(self.desks, 0)
        self.comments = 0

    # --- the course ------------------------------------------------------------------------------

    def live(self) -> Checker:
        """Let it all happen; returns the judge."""
        for one in self.histories:
            self._begin(one)
        self._bridge()
        self._bridge()
        for _ in range(self.dice.choice((1, 1, 2))):
            self._trouble()
            for one in self.histories:
                for _ in range(one.dice.choice((3, 3, 4))):
                    self._edit(one)
            if self.dice.random() < 0.5:
                self.world.restart()
            self._bridge()
            self._decide(0.6)
            for one in self.histories:
                if one.dice.random() < 0.25:
                    self._edit(one)
        for desk in self.desks.values():
            desk.server.faults.clear()
        self._come_to_rest()
        self.checker.finish()
        return self.checker

    def _come_to_rest(self) -> None:
        """Decide about all that waits, and then pass after pass until nothing is owed."""
        deadline = time.monotonic() + REST_SECONDS
        while True:
            self._bridge()
            waiting = self._decide(1.0)
            with self.world.house.store.write() as tx:
                due = [link.id for link in tx.links.list() if link.due_at or link.state is LinkState.PARKED]
                tx.links.wake(due, 1)
            if not waiting and not due and not self._last:
                return
            if time.monotonic() > deadline:
                self.checker.wrong("", f"still at work on links {due} after {REST_SECONDS} s")
                return
            if not waiting and not self._last:
                time.sleep(0.5)

    def _bridge(self) -> None:
        """What people did, then a pass of the bridge, both judged."""
        self._judge()
        done = self.world.sync()
        self._last = done.writes or len(done.ended("postponed"))
        self._judge()

    def _judge(self) -> None:
        calls = {}
        for name, desk in self.desks.items():
            calls[name] = desk.server.calls.since(self.seen[name])
            self.seen[name] = desk.server.calls.last
        self.checker.read(calls)

    def _trouble(self) -> None:
        """Some requests of the bridge go wrong: throttled, done without an answer, not done."""
        for desk in self.desks.values():
            desk.server.faults.clear()
            for kind in ("throttle", "apply-then-500", "apply-then-drop", "error"):
                if self.dice.random() < 0.5:
                    where = r"/issue/\d+(/comment|/transitions)?$"
                    after = self.dice.randrange(3 * len(self.histories))
                    rule = {"kind": kind, "user": "bridge", "path_regex": where, "after": after}
                    method = "*" if kind == "throttle" else self.dice.choice(("PUT", "POST"))
                    desk.server.faults.add_json({**rule, "method": method, "times": 1})

    # --- decisions -------------------------------------------------------------------------------

    def _decide(self, share: float) -> int:
        """Decide about this share of the open holds; returns how many were open."""
        house, known = self.world.house, {one.name: one for one in self.world.house.terms.settings.agreements}
        with house.store.read() as tx:
            waiting = [(number, hold, tx.links.get(number)) for number, hold in tx.holds.live()]
        waiting = [one for one in waiting if one[1].state is HoldState.OPEN]
        by_key = {one.keys["home"]: one for one in self.histories if "home" in one.keys}
        by_key |= {one.keys["acme"]: one for one in self.histories if "acme" in one.keys}
        for _, hold, link in waiting:
            history = by_key.get(link.internal_key) or by_key[link.vendor_key]
            if history.dice.random() >= share:
                continue
            conflict = hold.kind is HoldKind.CONFLICT
            by = "mediator" if conflict and known["acme"].holds.mediator else hold.approver
            approve = history.dice.random() < 0.5
            try:
                verdict = Verdict(approve, DECIDERS[by], "" if approve else "not agreed", seen=stamp(hold))
                decide_hold(house.store, known, hold.id, verdict, house.clock.now())
            except Undecidable as error:
                self.checker.wrong(history.token, f"undecidable: {error}")
                continue
            side, value, other = hold.side.value, hold.value, hold.other
            if conflict and not approve:
                # Of two values, the one that is not rejected stands.
                side, value, other, approve = hold.side.other.value, other, value, True
            where = {"internal": "home", "vendor": "acme"}[side]
            self.checker.decided(Decision(history.token, hold.field, where, value, other, approve))
        return len(waiting)

    # --- people ----------------------------------------------------------------------------------

    def _begin(self, history: History) -> None:
        """Somebody opens the ticket."""
        side = history.dice.choice(("home", "home", "home", "acme"))
        desk, login = self.desks[side], history.dice.choice(PEOPLE[side])
        priority = history.dice.choice(("High", "Medium", "Low") if side == "home" else ("P2", "P3", "P4"))
        fields = {
            "project": {"key": "OPS" if side == "home" else "CUST"},
            "issuetype": {"name": "Task"},
            "summary": self._words(history, side, history.token),
            "description": desk.text(self._words(history, side)),
            "priority": {"name": priority},
            "labels": history.dice.sample(LABELS, history.dice.randrange(3)),
            PRIVATE_FIELD[side]: self._plant(history, side, "private"),
        }
        made = desk.ask(login, "POST", "/issue", {"fields": fields}).body
        history.keys[side] = made["key"]

    def _key(self, history: History, side: str) -> str:
        if side not in history.keys:
            for key, issue in ((one.key, one) for one in self.desks[side].site.issues.values()):
                if issue.values["summary"].startswith(history.token):
                    history.keys[side] = key
        return history.keys[side]

    def _edit(self, history: History) -> None:
        """Somebody does something, by right or not."""
        dice = history.dice
        side = dice.choice(("home", "acme"))
        login = dice.choice(PEOPLE[side])
        act = dice.choices(
            (
                self._priority,
                self._status,
                self._labels,
                self._due,
                self._summary,
                self._text,
                self._comment,
                self._own,
            ),
            (4, 5, 4, 3, 3, 3, 5, 1),
        )[0]
        act(history, side, login)
        history.edits += 1

    def _set(self, history: History, side: str, login: str, **fields: Any) -> None:
        self.desks[side].ask(login, "PUT", f"/issue/{self._key(history, side)}", {"fields": fields})

    def _priority(self, history: History, side: str, login: str) -> None:
        names = ("Highest", "High", "Medium", "Low") if side == "home" else ("P1", "P2", "P3", "P4")
        self._set(history, side, login, priority={"name": history.dice.choice(names)})

    def _status(self, history: History, side: str, login: str) -> None:
        """One or two steps of the workflow."""
        desk, key = self.desks[side], self._key(history, side)
        for _ in range(history.dice.choice((1, 1, 2, 3))):
            issue = desk.site.issue(key)
            (project,) = desk.site.projects.values()
            steps = [one for one in project.workflow.transitions if issue.status in (one.sources or ())]
            step = history.dice.choice(steps)
            fields = {"resolution": {"name": "Fixed"}} if dict(step.screen).get("resolution") else {}
            body = {"transition": {"id": step.id}, "fields": fields}
            desk.ask(login, "POST", f"/issue/{key}/transitions", body)

    def _labels(self, history: History, side: str, login: str) -> None:
        present = list(self.desks[side].site.issue(self._key(history, side)).values.get("labels") or ())
        for label in history.dice.sample(LABELS, history.dice.choice((1, 1, 2))):
            if label in present:
                present.remove(label)
            else:
                present.append(label)
        self._set(history, side, login, labels=present)

    def _due(self, history: History, side: str, login: str) -> None:
        self._set(
            history, side, login, duedate=f"2027-0{history.dice.randint(1, 9)}-1{history.dice.randint(0, 9)}"
        )

    def _summary(self, history: History, side: str, login: str) -> None:
        self._set(history, side, login, summary=self._words(history, side, history.token))

    def _text(self, history: History, side: str, login: str) -> None:
        self._set(history, side, login, description=self.desks[side].text(self._words(history, side)))

    def _own(self, history: History, side: str, login: str) -> None:
        """A field that is no business of the other side's."""
        self._set(history, side, login, **{PRIVATE_FIELD[side]: self._plant(history, side, "private")})

    def _comment(self, history: History, side: str, login: str) -> None:
        """Something is said, to everybody or not; or what somebody said is said otherwise."""
        desk, key = self.desks[side], self._key(history, side)
        private = history.dice.random() < 0.3
        mine = [one for one in history.comments if one[:2] == (side, login)]
        if mine and not private and history.dice.random() < 0.3:
            _, _, number, name = history.dice.choice(mine)
            body = {"body": desk.text(self._words(history, side, name))}
            desk.ask(login, "PUT", f"/issue/{key}/comment/{number}", body)
            return
        self.comments += 1
        name = f"c{self.comments:06}"
        words = self._words(history, side, name)
        if private:
            words += f" {self._plant(history, side, 'private')}"
        body = {"body": desk.text(words), **(ROLE if private else {})}
        made = desk.ask(login, "POST", f"/issue/{key}/comment", body).body
        if not private:
            history.comments.append((side, login, str(made["id"]), name))

    def _words(self, history: History, side: str, first: str = "") -> str:
        """A few words, now and then with something that must not cross."""
        said = [first] if first else []
        said += history.dice.sample(WORDS, 3)
        for kind in ("secret", "address", "network"):
            if history.dice.random() < 0.2:
                said.append(self._plant(history, side, kind))
        return " ".join([*said, history.dice.choice(WORDS)])

    def _plant(self, history: History, side: str, kind: str) -> str:
        dice = history.dice
        match kind:
            case "secret":
                word = "ghp_" + "".join(dice.choices(ALNUM, k=36))
            case "address":
                word = f"{''.join(dices(dice, 7))}@{''.join(dices(dice, 6))}.example"
            case "network":
                word = f"10.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(256)}"
            case _:
                word = "private" + "".join(dices(dice, 14))
        self.planted[word] = self.planted.get(word, (side, kind))
        return word


def dices(dice: random.Random, count: int) -> Iterator[str]:
    """So many consonants: no word that means anything."""
    return iter(dice.choices("bcdfghjklmnpqrstvwxz", k=count))


@contextmanager
def open_town(folder: Path, seed: str, tokens: list[str], talk: str) -> Iterator[Town]:
    """A world of histories that nothing has happened in yet."""
    folder.mkdir(parents=True)
    more = TERMS + CROSS[talk]
    with open_world(
        folder, fields=FIELDS, more=more, lag="0s", tracker="read-timeout: 5s", top="threads: 8"
    ) as world:
        for server, name in ((world.home, "home"), (world.acme, "acme")):
            server.site.tokens[f"{name}-bridge-token"] = server.site.tokens.pop("bridge-token")
            world.environ[f"BRIDGE_SECRET_{name.upper()}_TOKEN"] = f"{name}-bridge-token"
        yield Town(world, seed, tokens, talk)


def run_histories(folder: Path, seed: str, count: int, *, each: int = 100) -> Iterator[Town]:
    """Let so many histories happen, world after world; each world is given when its judge is done."""
    for first in range(0, count, each):
        tokens = [f"h{number:05}" for number in range(first, min(first + each, count))]
        talk = "both" if (first // each) % 2 == 0 else "to-vendor"
        with open_town(folder / f"from-{first}", f"{seed}/{first}", tokens, talk) as town:
            town.live()
            yield town
