"""What a change costs: tracker calls per change, and changes per second beside a bare loop of the same writes.

Calls are counted in the simulators' own logs, after the fact. Throughput is a ratio within one run, taken several times
in turn, because machines differ and are noisy: the bare loop makes the very same PUTs through the same kind of session
and does nothing else (no reading, no deciding, no store).
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

from world import World, open_world, write_config

from bridge.log import configure
from bridge.trackers.jira_session import JiraSession

LINKS = 200
ROUNDS = 5


def main() -> None:
    """Print both tables."""
    configure("error")
    console = Console(width=110)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_world(Path(folder), lag="0s", more="brakes: {share: off}") as world,
    ):
        console.print(calls_table(world, fill(world, 12)))
    with tempfile.TemporaryDirectory() as folder, far_world(Path(folder)) as world:
        console.print(throughput_table(world, fill(world, LINKS)))


@dataclass
class Far:
    """A simulator in a process of its own, so that it does not share our interpreter."""

    url: str


@contextmanager
def far_world(folder: Path) -> Iterator[World]:
    """A world whose trackers are processes of their own."""
    processes = []
    try:
        urls = []
        for flavour in ("datacenter", "cloud"):
            command = [sys.executable, "-m", "bridge.cli", "simulator", flavour, "--port", "0"]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            processes.append(process)
            assert process.stdout is not None
            found = re.search(r"http://[0-9.:]+", process.stdout.readline())
            assert found, "the simulator said no address"
            urls.append(found.group())
        environ = write_config(folder, *urls, lag="0s", more="brakes: {share: off}")
        world = World(folder, Far(urls[0]), Far(urls[1]), environ)
        yield world
        world.restart()
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def fill(world: World, count: int) -> list[str]:
    """Mirror a number of tickets and let everything come to rest."""
    ann = world.at_home()
    keys = [ann.create("OPS", f"Ticket {number}") for number in range(count)]
    world.settle()
    time.sleep(2.1)  # past the one-second doubt of Date headers, so that every change below is on its own
    world.settle()
    return keys


def calls_table(world: World, keys: list[str]) -> Table:
    """Calls for one change of each kind: the cycle that notices it, and the cycle after it."""
    ann, bo = world.at_home(), world.at_acme()
    acts: list[tuple[str, Callable[[], object]]] = [
        ("idle cycle", lambda: None),
        ("one changed field", lambda: ann.edit(keys[0], summary="Changed")),
        ("one changed field, from the vendor", lambda: bo.edit(world.peer(keys[1]), summary="Changed there")),
        ("one status step", lambda: ann.move(keys[2], "In Progress")),
        ("one status step, way known", lambda: ann.move(keys[3], "In Progress")),
        ("one comment", lambda: ann.comment(keys[4], "A word.")),
        ("one create", lambda: ann.create("OPS", "New")),
    ]
    table = Table(title="Tracker calls, both sides (a cycle always holds one search a side)")
    for heading in (
        "change",
        "searches",
        "reads",
        "writes",
        "all but the other side's search",
        "cycle after it",
    ):
        table.add_column(heading, justify="left" if heading == "change" else "right")
    for name, change in acts:
        change()
        first, after = cycle(world), cycle(world)
        time.sleep(2.1)
        world.settle()
        total = sum(first.values())
        share = total - 1 if name != "idle cycle" else total
        table.add_row(
            name,
            str(first["search"]),
            str(first["read"] + first["meta"]),
            str(first["write"]),
            str(share),
            str(sum(after.values())),
        )
    return table


def cycle(world: World) -> dict[str, int]:
    """Poll both sides once and work off what is due; the calls by kind."""
    before = {id(server): len(server.calls.since(0)) for server in (world.home, world.acme)}
    world.sync()
    kinds = {"search": 0, "read": 0, "meta": 0, "write": 0}
    for server in (world.home, world.acme):
        for call in server.calls.since(0)[before[id(server)] :]:
            kinds[call.kind] += 1
    return kinds


def throughput_table(world: World, keys: list[str]) -> Table:
    """Changes per second through the bridge, beside the same writes in a bare loop."""
    ann = world.at_home()
    settings = world.house.terms.settings.trackers["acme"]
    peers = [world.peer(key) for key in keys]
    bridged, bare, threaded = [], [], []
    for number in range(ROUNDS):
        for key in keys:
            ann.edit(key, summary=f"Round {number}")
        started = time.perf_counter()
        done = world.sync()
        bridged.append(done.writes / (time.perf_counter() - started))
        assert done.writes == len(keys)
        bare.append(puts_per_second(settings, peers, number, threads=1))
        threaded.append(puts_per_second(settings, peers, number, threads=settings.concurrency))
        time.sleep(2.1)
        world.settle()
    table = Table(title=f"Changes per second, {LINKS} changed tickets a round, {ROUNDS} rounds")
    for heading in ("", "median", "least", "most", "ratio of medians"):
        table.add_column(heading, justify="right" if heading else "left")
    base = statistics.median(bridged)
    for name, rates in (
        ("the bridge: find, read, decide, write, store", bridged),
        ("bare loop, one thread: the same PUTs", bare),
        (f"bare loop, {settings.concurrency} threads", threaded),
    ):
        middle = statistics.median(rates)
        table.add_row(name, f"{middle:.0f}", f"{min(rates):.0f}", f"{max(rates):.0f}", f"{base / middle:.2f}")
    return table


def puts_per_second(settings, peers: list[str], number: int, *, threads: int) -> float:  # noqa: ANN001 - TrackerSettings
    """The same PUTs through the same kind of session, and nothing else."""
    sessions = [JiraSession(settings, settings.url, version="3", deployment="Cloud") for _ in range(threads)]

    def put(place: tuple[int, str]) -> None:
        turn, key = place
        sessions[turn % threads].request(
            "PUT",
            f"{settings.url}/rest/api/3/issue/{key}",
            params={},
            data=f'{{"fields": {{"summary": "Round {number}"}}}}'.encode(),
            headers={"Content-Type": "application/json"},
            hook=lambda _: None,
        )

    started = time.perf_counter()
    if threads == 1:
        for place in enumerate(peers):
            put(place)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(put, enumerate(peers)))
    rate = len(peers) / (time.perf_counter() - started)
    for session in sessions:
        session.close()
    return rate


if __name__ == "__main__":
    main()
