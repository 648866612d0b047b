"""Many threads and processes at once: no lost wake-up, no two finishers, nothing half done after kill -9."""

import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from making import NOW, get, make, wake

from bridge.store import LinkState, Store
from bridge.sync.ticket import Side


def test_no_wake_up_is_lost(store):
    """Eight threads change tickets and wake links, eight work; at rest each link saw the newest change."""
    ids = [make(store, str(number)).id for number in range(12)]
    world = dict.fromkeys(ids, 0)
    guard = threading.Lock()
    quiet = threading.Event()
    refused = []

    def change(seed):
        chooser = random.Random(seed)
        for _ in range(40):
            chosen = chooser.sample(ids, 3)
            with guard:
                for link_id in chosen:
                    world[link_id] += 1
            with store.write() as tx:
                tx.links.wake(chosen, NOW)

    def work(seed):
        chooser = random.Random(seed)
        while True:
            last_round = quiet.is_set()
            with store.read() as tx:
                due = tx.links.due(NOW, 100)
            if not due and last_round:
                return
            chooser.shuffle(due)
            for link_id in due[:2]:
                with store.write() as tx:
                    link = tx.links.start(link_id)
                seen = world[link_id]
                done = {"due_at": None, "state": LinkState.ACTIVE, "findings": (), "synced_at": seen}
                with store.write() as tx:
                    if not tx.links.finish(link.id, link.epoch, link.gen, **done):
                        refused.append(link_id)

    with ThreadPoolExecutor(16) as pool:
        workers = [pool.submit(work, seed) for seed in range(8)]
        changers = [pool.submit(change, seed) for seed in range(8)]
        for changer in changers:
            changer.result()
        quiet.set()
        for worker in workers:
            worker.result()

    for link_id in ids:
        link = get(store, link_id)
        assert link.synced_at == world[link_id]
        assert link.gen == link.done_gen == 1 + world[link_id]
    assert refused, "the threads never met: the test proves nothing"


def test_of_many_who_started_only_the_last_may_finish(store, link):
    def start(_):
        with store.write() as tx:
            return tx.links.start(link.id)

    def finish(started):
        how = {"due_at": None, "state": LinkState.ACTIVE, "findings": (), "synced_at": started.epoch}
        with store.write() as tx:
            return tx.links.finish(started.id, started.epoch, started.gen, **how)

    with ThreadPoolExecutor(16) as pool:
        started = list(pool.map(start, range(16)))
        assert sorted(one.epoch for one in started) == list(range(1, 17))
        finished = [one.epoch for one, good in zip(started, pool.map(finish, started), strict=True) if good]
    assert finished == [16]
    assert get(store, link.id).synced_at == 16


def test_sixty_four_threads_share_a_store(store):
    def work(number):
        with store.write() as tx:
            link, _new = tx.links.add("acme", Side.INTERNAL, str(number % 40), "K", f"m{number % 40}", NOW)
            tx.journal.add(NOW, "acme", link.id, "x", {"n": number})
        with store.read() as tx:
            return tx.links.get(link.id).id

    with ThreadPoolExecutor(64) as pool:
        found = list(pool.map(work, range(256)))
    assert len(set(found)) == 40
    with store.read() as tx:
        assert len(tx.journal.recent(1_000)) == 256 + 1, "and the beginning of the chain"


PROLOGUE = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from bridge.store import *
from bridge.sync.ticket import Side
NOW = 1_800_000_000_000_000
url = sys.argv[1]

def die_after(count):
    left = [count]
    def executed(*_):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    event.listen(Engine, "after_cursor_execute", executed)
"""

CRASH = """
store = Store.open(url)
die_after(int(sys.argv[2]))
with store.write() as tx:
    link = tx.links.start(1)
    tx.intents.plan(1, IntentKind.CREATE, Side.VENDOR, "m", "", {}, NOW)
    tx.journal.add(NOW, "acme", 1, "x", {})
    tx.links.finish(1, link.epoch, link.gen, due_at=None, state=LinkState.ACTIVE, findings=(), synced_at=NOW)
print("committed", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""

MIGRATE = """
die_after(int(sys.argv[2]))
Store.open(url)
"""

WAKE = """
with Store.open(url) as store:
    for number in range(40):
        with store.write() as tx:
            link, _ = tx.links.add("acme", Side.INTERNAL, "1", "OPS-1", "m", NOW)
            tx.links.wake([link.id], NOW)
"""


def child(script, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", PROLOGUE + script, *arguments], stdout=subprocess.PIPE, text=True
    )


def outcome(process):
    out, _ = process.communicate(timeout=60)
    return out.strip(), process.returncode


def test_killed_within_a_transaction_nothing_is_half_done(lasting_url):
    """A child for each of some statements of the transaction, killed right after it; the last after the commit."""
    with Store.open(lasting_url) as store:
        link = make(store)
        for process in [child(CRASH, lasting_url, str(count)) for count in (1, 2, 3, 5, 8, 9)]:
            assert outcome(process) == ("", -9)
        assert get(store, link.id) == link
        with store.read() as tx:
            assert tx.intents.all_open() == []
            assert tx.journal.recent(1) == []
        assert store.check() == []

        assert outcome(child(CRASH, lasting_url, "999")) == ("committed", -9)
        after = get(store, link.id)
        assert (after.epoch, after.done_gen, after.state, after.due_at) == (1, 1, LinkState.ACTIVE, None)
        with store.read() as tx:
            assert len(tx.intents.all_open()) == 1
            assert len(tx.journal.for_link(link.id)) == 1


@pytest.mark.parametrize("count", [12, 22])
def test_killed_within_a_migration_the_next_start_mends_it(lasting_url, count):
    assert outcome(child(MIGRATE, lasting_url, str(count))) == ("", -9)
    with Store.open(lasting_url) as store:
        assert store.check() == []
        make(store)


def test_many_processes_open_an_empty_database_and_write_at_once(lasting_url):
    processes = [child(WAKE, lasting_url) for _ in range(4)]
    assert [outcome(process)[1] for process in processes] == [0] * 4
    with Store.open(lasting_url) as store, store.read() as tx:
        (link,) = tx.links.list()
        assert link.gen == 1 + 4 * 40


def test_two_who_wake_the_same_links_in_other_orders_do_not_block_each_other(store):
    ids = [make(store, str(number)).id for number in range(30)]
    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(wake, store, *order) for order in (ids, ids[::-1]) * 20]:
            future.result()
    assert {get(store, link_id).gen for link_id in ids} == {41}
