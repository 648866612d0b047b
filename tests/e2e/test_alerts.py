"""Alerts end to end: a goal is missed, mail arrives though trackers are down, and the tickets say so, once."""

from __future__ import annotations

import random
import time

import pytest
from holding_world import ROLES, letters, linked, roles_world
from post_office import open_post_office
from world import FIELDS, eventually, open_world, plain

from bridge.simulator import Fault

CLOCKS = """
clocks:
  answer: {start: created, stop: vendor-comment, goals: {default: 1s}, calendar: always}
ladder:
  - {at: 100%, tell: service-owner, comment: true, label: late, priority: Highest}
alerts: {settle: 0s}
"""

MISSED = "The goal of the clock 'answer' was missed"


def said(person, key):
    return [one for one in (plain(one["body"]) for one in person.comments(key)) if MISSED in one]


@pytest.mark.parametrize("lost", [None, "apply-then-500", "apply-then-drop", "drop"])
def test_the_tickets_say_so_once_whatever_is_lost(tmp_path, lost):
    with roles_world(
        tmp_path, roles=ROLES + CLOCKS.replace("tell: service-owner, ", ""), tracker="read-timeout: 2s"
    ) as world:
        rules = [
            server.faults.add(
                Fault(method="POST", path_regex="/comment$", body_regex="was missed", kind=lost)
            )
            for server in (world.home, world.acme)
            if lost
        ]
        key, peer = linked(world)
        ann, bo = world.at_home(), world.at_acme()
        eventually(lambda: world.sync() and len(said(ann, key)) == len(said(bo, peer)) == 1)
        eventually(lambda: world.sync() and bo.field(peer, "priority") == "P1")
        world.settle(12)
        assert [rule.fired for rule in rules] == [1] * len(rules)
        assert len(ann.comments(key)) == len(bo.comments(peer)) == 1, "and what was said crossed to nobody"
        assert ann.field(key, "priority") == "Highest"
        assert "late" in ann.field(key, "labels")
        events = [entry["event"] for entry in world.journal(key)]
        assert events.count("alert.claimed") == 1
        assert events.count("ticket.escalated") == 2
        with world.records() as tx:
            assert tx.cursors.notes("escalate/") == {}


def test_mail_arrives_while_both_trackers_are_down_and_the_comment_when_they_are_back(tmp_path):
    clocks = CLOCKS.replace("1s", "4s")
    with open_post_office() as office:
        mail = f'mail: {{server: "smtp://127.0.0.1:{office.port}", from: bridge@home.example}}'
        with open_world(tmp_path, fields=FIELDS, more=ROLES + clocks, top=mail) as world:
            key, peer = linked(world)
            for server in (world.home, world.acme):
                server.faults.add(Fault("error", status=503, times=None))
            world.restart()

            def started_again():
                """The daemon ends at its start without trackers, and is started again by whoever runs it."""
                with world.daemon() as daemon:
                    daemon.wait(60)
                return office.mails

            eventually(started_again)
            (arrived,) = office.mails
            assert arrived.to == ("ops@home.example",)
            assert key in str(arrived.message["Subject"])
            for server in (world.home, world.acme):
                server.faults.clear()
            eventually(lambda: world.sync() and said(world.at_home(), key) and said(world.at_acme(), peer))
            assert len(office.mails) == 1


@pytest.mark.slow
def test_kill_9_whenever_the_mail_server_has_taken_a_mail_and_in_between_loses_no_alert(tmp_path):
    clocks = CLOCKS.replace("1s", "8s").replace(", comment: true, label: late, priority: Highest", "")
    with open_post_office() as office:
        mail = f'mail: {{server: "smtp://127.0.0.1:{office.port}", from: bridge@home.example}}'
        with open_world(tmp_path, fields=FIELDS, more=ROLES + clocks, top=mail) as world:
            ann, dice = world.at_home(), random.Random(5)
            keys = [ann.create("OPS", f"Ticket {number}") for number in range(6)]
            world.settle()
            world.restart()
            assert office.mails == [], "their time is not up yet"
            kills = 0
            while kills < 6:
                with world.daemon() as daemon:
                    # Its answer is on the way when the process dies: whether the mail was taken is not known to it.
                    office.arrived = lambda _, daemon=daemon: daemon.kill()
                    if kills % 2:
                        eventually(lambda daemon=daemon: daemon.poll() is not None)
                    else:
                        time.sleep(dice.uniform(1.0, 3.0))
                        daemon.kill()
                    daemon.wait()
                    kills += 1
            office.arrived = lambda _: None
            with world.daemon():
                eventually(lambda: {one.state for one in letters(world)} == {"sent"})
            ids = {
                key: [one.id for one in office.mails if f"{key} " in str(one.message["Subject"])]
                for key in keys
            }
            assert all(ids.values()), "each alert has arrived"
            assert all(len(set(found)) == 1 for found in ids.values()), "each under one Message-ID"
            assert len(office.mails) <= len(keys) + kills, "doubled at most where an answer was lost"
            for key in keys:
                assert [one["event"] for one in world.journal(key)].count("alert.claimed") == 1
