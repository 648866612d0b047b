"""The service around the parts: a dispatcher that dies ends it, so that it can be started again."""

from __future__ import annotations

import threading

from world import eventually

from bridge.clock import SystemClock
from bridge.config import load
from bridge.daemon.opening import open_house
from bridge.daemon.service import Service


def test_a_service_whose_dispatcher_died_ends_with_a_failure_so_that_systemd_starts_it_again(world):
    clock = SystemClock()
    settings = load(world.folder, environ=world.environ)
    service = Service(open_house(settings, clock), clock, lambda: settings, environ={})
    ended = []

    def run():
        try:
            service.run()
        except SystemExit as end:
            ended.append(end.code)

    thread = threading.Thread(target=run)
    thread.start()
    lane = eventually(lambda: service._lanes.get("acme"))
    eventually(lambda: lane._queue is not None and service._loops)
    lane._loop.call_soon_threadsafe(lane._queue.shutdown.set)
    eventually(lambda: not lane.alive)
    service._wake.set()
    thread.join(20)
    assert ended == [1]
