"""Digests are sent when they are due, once to each role: over restarts, reloads, absences, new schedules."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from measured_links import AGREEMENT, DAY, HOUR, MINUTE, at, history, policy, put_link, put_policy

from bridge.config.settings import Digest, Pledge, Settings
from bridge.daemon.digesting import PAUSE, Digesting
from bridge.daemon.house import House, Terms
from bridge.daemon.spool import Spool
from bridge.store.database import Store

ROLES = ("service-owner", "delivery-manager")
MONDAYS = Digest(ROLES, 0, 480, "Europe/Copenhagen", {"resolve": 0.95})
START = at("2026-10-14 12:00")
FIRST, SECOND, THIRD = at("2026-10-19 06:00"), at("2026-10-26 07:00"), at("2026-11-02 07:00")
"""The first Mondays after the start; the second one is the first in winter."""


def configured(rule: Digest | None = MONDAYS, *agreements) -> Settings:
    agreements = agreements or (AGREEMENT,)
    return Settings("", {}, agreements, pledges={one.name: Pledge(digest=rule) for one in agreements})


class Bridge:
    """A house with a database of its own, which can be started anew."""

    def __init__(self, folder) -> None:
        self.store = Store.open(f"sqlite:///{folder / 'bridge.db'}")
        self.folder = folder
        self.settings = configured()
        terms = policy()
        with self.store.write() as tx:
            put_policy(tx, terms)
            put_link(tx, 1, history(at("2026-10-20 08:00"), (2 * HOUR, "comment")), terms)
        self.start()

    def start(self) -> None:
        self.house = House(
            terms=Terms(self.settings, {}),
            store=self.store,
            clock=None,
            random=random.Random(1),
            spool=Spool(self.folder / "spool", 1_000),
        )
        self.digesting = Digesting(self.house)

    def reload(self, settings: Settings) -> None:
        self.settings = settings
        self.house.terms = Terms(settings, {})

    def run(self, since: int, until: int, pause: int = HOUR) -> None:
        for moment in range(since, until, pause):
            self.digesting.step(moment)

    def letters(self):
        with self.store.read() as tx:
            return sorted(tx.outbox.list(), key=lambda one: one.id)

    def keys(self) -> list[str]:
        return [one.key for one in self.letters()]


def keys(day: str, *roles: str) -> list[str]:
    return [f"digest/acme/{day}/{role}" for role in roles or ROLES]


@pytest.fixture
def bridge(tmp_path):
    opened = Bridge(tmp_path)
    yield opened
    opened.store.close()


def test_each_role_that_is_named_gets_one_in_its_side_s_words_when_it_is_due(bridge):
    bridge.run(START, FIRST)
    assert bridge.keys() == []
    bridge.digesting.step(FIRST)
    assert bridge.keys() == keys("2026-10-19")
    bridge.run(FIRST, SECOND, 10 * MINUTE)
    assert bridge.keys() == keys("2026-10-19")
    bridge.digesting.step(SECOND)
    assert bridge.keys() == keys("2026-10-19") + keys("2026-10-26")
    assert {one.to for one in bridge.letters()} == {("ann@example.com",), ("bo@acme.example",)}
    ours, theirs = bridge.letters()[-2:]
    assert "OPS-1 = CUST-1" in ours.text
    assert "CUST-1 = OPS-1" in theirs.text
    assert "Mon 19 Oct 2026 08:00 CEST to Mon 26 Oct 2026 08:00 CET" in ours.subject
    assert ours.message_id != theirs.message_id


def test_a_restart_at_any_moment_neither_loses_nor_doubles_one(bridge):
    chance = random.Random(5)
    moment = START
    while moment < THIRD + HOUR:
        bridge.digesting.step(moment)
        if chance.random() < 0.3:
            bridge.start()
        moment += chance.randint(1, 600) * MINUTE
    assert bridge.keys() == keys("2026-10-19") + keys("2026-10-26") + keys("2026-11-02")


def test_what_was_missed_while_the_bridge_was_down_is_sent_at_the_start_the_newest_only(bridge):
    bridge.digesting.step(START)
    bridge.start()
    bridge.digesting.step(THIRD + 30 * HOUR)
    assert bridge.keys() == keys("2026-11-02")
    assert "Mon 26 Oct 2026 08:00 CET to Mon 2 Nov 2026 08:00 CET" in bridge.letters()[0].subject


def test_a_killed_process_that_had_not_noted_it_sends_nothing_twice(bridge):
    bridge.run(START, FIRST + 1)
    bridge.digesting.step(FIRST)
    with bridge.store.write() as tx:
        tx.cursors.set_note("digest/acme", {"until": FIRST - 7 * DAY})
    bridge.start()
    bridge.digesting.step(FIRST + MINUTE)
    assert bridge.keys() == keys("2026-10-19")


def test_a_clock_that_is_set_back_sends_nothing_again(bridge):
    bridge.run(START, FIRST + HOUR)
    bridge.run(FIRST - 2 * HOUR, FIRST + 2 * HOUR, 10 * MINUTE)
    bridge.start()
    bridge.run(FIRST - 2 * HOUR, FIRST + 2 * HOUR, 10 * MINUTE)
    assert bridge.keys() == keys("2026-10-19")


def test_a_reload_changes_the_schedule_and_tells_no_time_twice(bridge):
    bridge.run(START, FIRST + HOUR)
    bridge.reload(configured(replace(MONDAYS, weekday=2)))
    bridge.run(FIRST + HOUR, FIRST + 3 * DAY)
    assert bridge.keys() == keys("2026-10-19") + keys("2026-10-21")
    assert "Mon 19 Oct 2026 08:00 CEST to Wed 21 Oct 2026 08:00 CEST" in bridge.letters()[-1].subject
    bridge.reload(configured(None))
    bridge.run(FIRST + 3 * DAY, THIRD)
    assert len(bridge.keys()) == 4


def test_the_first_digest_of_an_agreement_is_sent_when_it_is_next_due(bridge):
    bridge.reload(configured(None))
    bridge.run(START, FIRST + HOUR)
    bridge.reload(configured())
    bridge.run(FIRST + HOUR, SECOND + HOUR)
    assert bridge.keys() == keys("2026-10-26")


def test_an_error_of_ours_with_one_agreement_stops_no_other_and_is_tried_again(bridge):
    other = replace(AGREEMENT, name="globex")
    bridge.reload(configured(MONDAYS, AGREEMENT, other))
    bridge.digesting.step(START)
    bridge.reload(
        configured(replace(MONDAYS, to=("service-owner",)), replace(AGREEMENT, roles=(None,)), other)
    )
    bridge.run(START + 1, FIRST + HOUR)
    assert bridge.keys() == ["digest/globex/2026-10-19/service-owner"]
    bridge.house.terms = Terms(replace(bridge.settings, agreements=(AGREEMENT, other)), {})
    bridge.digesting.step(FIRST + HOUR + PAUSE)
    assert bridge.keys()[1:] == ["digest/acme/2026-10-19/service-owner"]


def test_idle_steps_ask_the_database_nothing(bridge, monkeypatch):
    bridge.run(START, FIRST + HOUR)
    monkeypatch.setattr(bridge.house, "store", None)
    bridge.run(FIRST + HOUR, SECOND - HOUR, MINUTE)
