"""``bridge check --alive`` beside the real daemon: 0 while it works, 1 with the reason when it does not."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest
from world import eventually, open_world

from bridge.clock import SECOND
from bridge.config import load
from bridge.daemon.heartbeat import NOTE
from bridge.daemon.lifesigns import SILENT
from bridge.store.database import Store

BEATING = "heartbeat: {file: alive, every: 5s}"


@pytest.fixture
def beating(tmp_path):
    with open_world(tmp_path, top=BEATING) as opened:
        yield opened


def alive(world):
    return world.typed("check", "--alive")


def test_it_is_not_alive_before_it_was_ever_started_alive_while_it_works_and_not_when_it_hangs(beating):
    before = alive(beating)
    assert before.returncode == 1
    assert before.stdout.startswith("BRIDGE NOT ALIVE: ")
    with beating.daemon() as daemon:
        eventually(lambda: alive(beating).returncode == 0)
        said = beating.typed("check", "--alive", "--json")
        assert json.loads(said.stdout)["alive"] is True
        assert beating.typed("check", "--alive", "--offline").returncode == 2
        file = beating.folder / "alive"
        first = eventually(lambda: file.exists() and file.stat().st_mtime_ns)
        eventually(lambda: file.stat().st_mtime_ns > first)
        assert json.loads(file.read_text())["ages"].keys() == {"sweep", "tick", "mailer"}
        os.kill(daemon.pid, signal.SIGSTOP)
        try:
            stopped = file.stat().st_mtime_ns
            time.sleep(6.5)
            assert file.stat().st_mtime_ns == stopped
        finally:
            os.kill(daemon.pid, signal.SIGCONT)
        eventually(lambda: file.stat().st_mtime_ns > stopped)
    pass_silence(beating)
    gone = alive(beating)
    assert (gone.returncode, "given no sign for 3 min" in gone.stdout) == (1, True)


def pass_silence(world) -> None:
    """As if the daemon had been gone for some minutes."""
    store = Store.open(load(world.folder, environ=world.environ).database, migrate=False)
    with store.write() as tx:
        note = tx.cursors.get_note(NOTE)
        tx.cursors.set_note(NOTE, note | {"at": note["at"] - SILENT - 60 * SECOND})
    store.close()


def test_a_database_that_cannot_be_read_is_no_life(beating):
    (beating.folder / "bridge.db").write_bytes(b"not a database at all" * 500)
    said = alive(beating)
    assert (said.returncode, said.stdout.startswith("BRIDGE NOT ALIVE: ")) == (1, True)
