"""Webhooks end to end: the real daemon with its web server, trackers that send, and everything that goes wrong."""

from __future__ import annotations

import random
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests
from world import eventually, facts, open_world, plain

from bridge.simulator import Delivery, Webhook
from bridge.trackers.jira_hooks import EVENTS

PATIENCE = 60
HOME_HOOK, ACME_HOOK = "what home signs its webhooks with", "what acme signs its webhooks with"
WEB = "web: {listen: '127.0.0.1:0'}"
HOOK = "webhook: {secret: {secret: NAME_hook}}"


@contextmanager
def hooked_world(folder, *, poll="1s", web=WEB, more=""):
    """A world whose trackers' webhooks the bridge takes; nothing is registered yet."""
    with open_world(folder, top=web, tracker=HOOK, more=more) as world:
        text = (folder / "bridge.yaml").read_text().replace("poll: 1s", f"poll: {poll}")
        for name in ("home", "acme"):
            text = text.replace("NAME_hook", f"{name}_hook", 1)
        (folder / "bridge.yaml").write_text(text)
        world.environ |= {"BRIDGE_SECRET_HOME_HOOK": HOME_HOOK, "BRIDGE_SECRET_ACME_HOOK": ACME_HOOK}
        yield world


@pytest.fixture
def hooked(tmp_path):
    """A hooked world that hardly polls: what crosses soon, crosses by hook."""
    with hooked_world(tmp_path, poll="10m") as world:
        yield world


def port(world, start=0):
    """Where the daemon listens."""
    lines = eventually(
        lambda: [one for one in world.log()[start:] if one["event"] == "web_listening"], seconds=PATIENCE
    )
    eventually(lambda: [one for one in world.log()[start:] if one["event"] == "daemon_started"])
    return lines[-1]["port"]


def register(world, where, *, home=HOME_HOOK, acme=ACME_HOOK):
    """Have both trackers send."""
    for server, name, secret in ((world.home, "home", home), (world.acme, "acme", acme)):
        url = f"http://127.0.0.1:{where}/hooks/{name}"
        server.hooks.registered[1] = Webhook(1, "bridge", url, list(EVENTS), "", secret)


def count(where, name, **labels):
    """The sum of a metric's samples with these labels."""
    text = requests.get(f"http://127.0.0.1:{where}/metrics", timeout=30).text
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    return sum(
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith(name + "{") and all(one in line for one in wanted)
    )


def seen(world, event):
    return [one for one in world.log() if one["event"] == event]


def test_changes_of_both_sides_and_new_tickets_cross_though_nobody_polls(hooked):
    world, ann, bo = hooked, hooked.at_home(), hooked.at_acme()
    key = ann.create("OPS", "There before")
    world.settle()
    peer = world.peer(key)
    world.restart()
    with world.daemon() as daemon:
        register(world, port(world))
        ann.edit(key, summary="Changed at home")
        eventually(lambda: bo.field(peer, "summary") == "Changed at home", seconds=PATIENCE)
        bo.edit(peer, labels=["from-acme"])
        eventually(lambda: "from-acme" in ann.field(key, "labels"), seconds=PATIENCE)
        ann.comment(key, "A word from home")
        eventually(lambda: any("A word" in plain(one["body"]) for one in bo.comments(peer)), seconds=PATIENCE)
        ann.create("OPS", "New at home")
        bo.create("CUST", "New at acme")
        eventually(lambda: len(world.home.site.issues) == len(world.acme.site.issues) == 3, seconds=PATIENCE)
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(timeout=40) == 0
    assert not seen(world, "webhook_refused")
    assert set(world.home.hooks.sent) | set(world.acme.hooks.sent) <= {204, 0}
    world.settle()
    assert world.judge() == 3


def test_a_new_ticket_that_the_search_does_not_show_yet_is_found_before_the_next_poll(tmp_path):
    with hooked_world(tmp_path, poll="10m") as world:
        text = (tmp_path / "bridge.yaml").read_text()
        (tmp_path / "bridge.yaml").write_text(text.replace("search-lag: 1s", "search-lag: 20s"))
        with world.daemon():
            register(world, port(world))
            eventually(lambda: len([c for c in world.calls() if c.kind == "search"]) >= 2)
            world.home.site.set_lag(1_500)
            world.at_home().create("OPS", "Not in the index yet")
            eventually(lambda: world.acme.site.issues, seconds=PATIENCE)


def test_a_reload_changes_the_secrets_and_a_rotation_loses_nothing(hooked):
    world, ann, bo = hooked, hooked.at_home(), hooked.at_acme()
    key = ann.create("OPS", "Zero")
    world.settle()
    peer = world.peer(key)
    world.restart()
    (world.folder / "secrets").mkdir()
    for name in ("home_hook", "next_hook"):
        del_from_environ = f"BRIDGE_SECRET_{name.upper()}"
        world.environ.pop(del_from_environ, None)
        (world.folder / "secrets" / name).write_text(
            HOME_HOOK if name == "home_hook" else "the next secret of home"
        )
    file = world.folder / "bridge.yaml"
    with world.daemon() as daemon:
        where = port(world)
        register(world, where)

        def crosses(words):
            ann.edit(key, summary=words)
            eventually(lambda: bo.field(peer, "summary") == words, seconds=PATIENCE)

        def reload(old, new):
            file.write_text(file.read_text().replace(old, new))
            before = len(seen(world, "reload_done"))
            daemon.send_signal(signal.SIGHUP)
            eventually(lambda: len(seen(world, "reload_done")) > before, seconds=PATIENCE)

        crosses("signed with the old one")
        both = "{secret: {secret: next_hook}, previous: {secret: home_hook}}"
        reload("{secret: {secret: home_hook}}", both)
        crosses("still signed with the old one")
        register(world, where, home="the next secret of home")
        crosses("signed with the new one")
        reload(both, "{secret: {secret: next_hook}}")
        crosses("signed with the only one")
        assert count(where, "bridge_webhooks_refused_total") == 0
        register(world, where, home=HOME_HOOK)
        ann.edit(key, summary="signed with one that is over")
        eventually(
            lambda: count(where, "bridge_webhooks_refused_total", reason="signature") == 1, seconds=PATIENCE
        )


def test_a_port_that_is_taken_ends_the_start_with_a_sentence(tmp_path):
    with hooked_world(tmp_path) as world:
        file = tmp_path / "bridge.yaml"
        file.write_text(file.read_text().replace("127.0.0.1:0", world.home.url.rpartition("/")[2]))
        done = world.bridge("run")
        assert done.returncode == 2
        assert "nothing can listen on 127.0.0.1" in done.stderr
        assert "Give another address or port" in done.stderr


def test_status_tells_when_a_webhook_was_heard_and_that_it_is_silent(hooked):
    world = hooked
    key = world.at_home().create("OPS", "One")
    world.settle()
    with world.house.store.write() as tx:
        tx.cursors.set_note("hook/home", {"heard": 1, "silent_since": 2})
    world.restart()
    told = world.bridge("status")
    assert told.returncode == 1
    assert "webhooks of home: heard" in told.stdout
    assert "did not announce" in told.stdout
    assert "webhooks of acme: never heard" in told.stdout
    with world.daemon():
        where = port(world)
        assert count(where, "bridge_webhook_silent", tracker="home") == 1
        register(world, where)
        world.at_home().edit(key, summary="It speaks again")
        eventually(lambda: seen(world, "webhook_recovered"), seconds=PATIENCE)
        assert count(where, "bridge_webhook_silent", tracker="home") == 0
        eventually(lambda: world.bridge("status").returncode == 0, seconds=PATIENCE)


# --- a thousand webhooks -------------------------------------------------------------------------------------------

TICKETS, ROUNDS = 24, 4
THOUSAND = 1_000
EVERY_TENTH = 10
NO_BRAKE = "brakes: {share: off}"
"""On this day every ticket is changed within minutes."""


class Day:
    """What people do, the same in every world: no two of them change one field of one ticket."""

    def __init__(self, world):
        self.world, self.ann, self.bo = world, world.at_home(), world.at_acme()
        self.keys = [self.ann.create("OPS", f"Ticket {number}") for number in range(TICKETS)]
        world.settle()
        self.peers = [world.peer(key) for key in self.keys]
        world.restart()

    def round(self, number):
        for place, (key, peer) in enumerate(zip(self.keys, self.peers, strict=True)):
            self.ann.edit(key, summary=f"Ticket {place}, round {number}")
            self.ann.comment(key, f"from home, ticket {place}, round {number}")
            self.bo.edit(peer, duedate=f"2027-0{number + 1}-{place + 1:02d}")
            self.bo.comment(peer, f"from acme, ticket {place}, round {number}")

    def there_and_back(self):
        """Edits that leave everything as it was."""
        for place, key in enumerate(self.keys):
            self.ann.edit(key, summary=f"Ticket {place}, on the way")
            self.ann.edit(key, summary=f"Ticket {place}, round {ROUNDS - 1}")

    def end(self):
        """Everything that a person can see at the end, told from the trackers alone, by the ticket's first key."""
        result = {}
        for left, right in self.world.twins():
            result[left.key] = [
                (facts(server.site, issue), sorted(plain(one.body) for one in issue.comments))
                for server, issue in ((self.world.home, left), (self.world.acme, right))
            ]
        return result


def forged(dice, delivery):
    """A webhook that somebody made up: about a real ticket, or none, with a signature that is none."""
    body = delivery.body if dice.random() < 0.5 else delivery.body.replace(b'"id": "', b'"id": "9', 1)
    proof = f"{dice.choice(['sha256', 'sha256', 'sha1'])}={dice.getrandbits(256):064x}"
    headers = {**delivery.headers, "x-hub-signature": proof}
    if "x-atlassian-webhook-identifier" in headers:
        headers["x-atlassian-webhook-identifier"] = f"{dice.getrandbits(64):x}"
    return Delivery(delivery.event, delivery.issue, delivery.url, headers, body)


class Storm:
    """Takes what the trackers would send, and sends it in another order: each twice, or not at all, and forged ones."""

    def __init__(self, world, dice):
        self.servers, self.dice = (world.home, world.acme), dice
        self.sent, self.statuses = Counter(), Counter()
        self._mine = threading.local()
        for server in self.servers:
            server.hooks.hold = True

    def blow(self, pool):
        bag = []
        for server in self.servers:
            with server.site.lock:
                held, server.hooks.held = server.hooks.held, []
            for delivery in held:
                if self.dice.randrange(EVERY_TENTH):
                    bag += [delivery, delivery]
                    self.sent["genuine"] += 1
                else:
                    self.sent["lost"] += 1
                if not self.dice.randrange(EVERY_TENTH):
                    bag.append(forged(self.dice, delivery))
                    self.sent["forged"] += 1
        self.dice.shuffle(bag)
        self.statuses.update(pool.map(self._post, bag))

    def _post(self, delivery):
        if not hasattr(self._mine, "session"):
            self._mine.session = requests.Session()
        answer = self._mine.session.post(
            delivery.url, data=delivery.body, headers=delivery.headers, timeout=60
        )
        return answer.status_code


@pytest.mark.slow
def test_a_thousand_webhooks_twice_shuffled_some_lost_some_forged_end_like_none(tmp_path):
    (tmp_path / "none").mkdir()
    (tmp_path / "hooks").mkdir()
    with open_world(tmp_path / "none", more=NO_BRAKE) as world:
        day = Day(world)
        for number in range(ROUNDS):
            day.round(number)
        world.settle()
        assert world.judge() == TICKETS
        expected = day.end()

    hooks = hooked_world(tmp_path / "hooks", poll="3s", more=NO_BRAKE)
    with hooks as world, ThreadPoolExecutor(6) as pool:
        day = Day(world)
        storm = Storm(world, random.Random(20_261_125))
        with world.daemon():
            where = port(world)
            register(world, where)
            for number in range(ROUNDS):
                day.round(number)
                storm.blow(pool)
            while storm.sent["genuine"] < THOUSAND:  # what the bridge itself wrote was told too
                day.there_and_back()
                storm.blow(pool)
            eventually(lambda: day.end() == expected, seconds=2 * PATIENCE, every=0.5)
            eventually(lambda: _quiet(world), seconds=2 * PATIENCE, every=0.5)
            sent = storm.sent
            assert storm.statuses == {204: 2 * sent["genuine"], 401: sent["forged"]}
            assert min(sent["lost"], sent["forged"]) > THOUSAND / 20
            assert count(where, "bridge_webhooks_refused_total") == sent["forged"]
            assert count(where, "bridge_webhooks_total") == 2 * sent["genuine"]
            repeated = count(where, "bridge_webhooks_total", outcome="repeated", tracker="acme")
            assert repeated == count(where, "bridge_webhooks_total", outcome="accepted", tracker="acme")
        assert day.end() == expected
        assert world.judge() == TICKETS
        assert not seen(world, "link_failed")
        assert not seen(world, "duplicates_found")


def _quiet(world):
    """Whether nothing is owed."""
    with world.records() as tx:
        return all(link.due_at is None for link in tx.links.list())
