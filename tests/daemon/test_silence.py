"""A webhook that has gone silent is noticed by the polls and told once; the next word of it ends that."""

from __future__ import annotations

import threading

import pytest
from structlog.testing import capture_logs
from world import eventually, open_world

from bridge.clock import SystemClock
from bridge.daemon.hints import Hint
from bridge.daemon.listening import HookWatch
from bridge.daemon.service import Service


class Ear:
    """A listener that keeps the desk it is handed: hints come from the test."""

    desk = None

    def open(self, desk, ready):
        self.desk, self.ready = desk, ready

    def ready(self):
        return False

    def close(self):
        pass


@pytest.fixture
def hooked(tmp_path):
    """A world whose trackers have webhooks, of which nobody sends any."""
    hook = "webhook: {secret: {secret: hook}}"
    with open_world(tmp_path, top="web: {listen: '127.0.0.1:0'}", tracker=hook) as world:
        world.environ["BRIDGE_SECRET_HOOK"] = "sixteen letters and more"
        yield world


def test_three_changes_that_no_webhook_announced_are_a_silence_and_the_next_word_ends_it(hooked):
    world, ann = hooked, hooked.at_home()
    keys = [ann.create("OPS", f"Ticket {number}") for number in range(4)]
    world.settle()
    house = world.house
    house.hooks = HookWatch(patience=0.5)
    ear = Ear()
    service = Service(house, SystemClock(), lambda: house.terms.settings, environ={}, listener=ear)
    told = []
    with capture_logs() as lines:
        thread = threading.Thread(target=service.run)
        thread.start()
        try:
            eventually(lambda: ear.ready())  # noqa: PLW0108 - it is another one once the service has opened it

            def events():
                return [
                    (one["event"], one["tracker"]) for one in lines if one["event"].startswith("webhook_")
                ]

            for key in keys[:2]:
                ann.edit(key, summary="Unannounced")
            eventually(lambda: house.hooks._hooks["home"].missed == 2, seconds=60)
            assert events() == [], "two are no silence"
            for key in keys[2:]:
                ann.edit(key, summary="Unannounced as well")
            eventually(lambda: events() == [("webhook_silent", "home")], seconds=60)
            ticket = str(world.home.site.issue(keys[0]).id)
            assert ear.desk.take(Hint("home", "one", (ticket,)))
            told = eventually(lambda: events()[1:])
            assert told == [("webhook_recovered", "home")]

            def remembered():
                with house.store.read() as tx:
                    return tx.cursors.get_note("hook/home")

            eventually(lambda: (note := remembered()) and note["heard"] and note["silent_since"] is None)
        finally:
            service.stop()
            thread.join(60)
    assert not thread.is_alive()
    world._house = None  # the service has closed it
