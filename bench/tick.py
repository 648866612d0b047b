"""What a tick costs: a million running clocks, of which none and then a thousand are due.

The rows are made in bulk, as the bridge would have stored them; the tick is the daemon's own, letters and claims
included. Memory is the peak of what Python allocated while it ticked.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import insert

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "daemon"))

from belfry import BORN, HOUR, Belfry
from sla_making import MINUTE, History

from bridge.log import configure
from bridge.sla.serial import timeline_to_json
from bridge.store.tables import links, timelines
from bridge.sync.ticket import Side

CLOCKS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
DUE = 1_000
PORTION = 5_000
LATER = 365 * 24 * HOUR


def main() -> None:
    """Print the table."""
    configure("critical")
    console = Console(width=110)
    table = Table(
        "due", "looked at", "alerts claimed", "ms (fastest of 5)", "ms (slowest)", "peak memory, MB"
    )
    with tempfile.TemporaryDirectory() as folder:
        belfry = Belfry(Path(folder))
        with console.status(f"making {CLOCKS:,} running clocks"):
            fill(belfry)
        belfry.at(0)
        table.add_row(*measured(belfry, 0))
        table.add_row(*measured(belfry, DUE))
        size = sum(one.stat().st_size for one in Path(folder).glob("bridge.db*")) / 1e6
        belfry.kill()
    console.print(f"one tick with {CLOCKS:,} running clocks, SQLite ({size:,.0f} MB)")
    console.print(table)


def fill(belfry: Belfry) -> None:
    """The clocks, none of them due for a year."""
    told = timeline_to_json(History(BORN, status="Open").timeline(certain_until=BORN))
    for start in range(1, CLOCKS + 1, PORTION):
        numbers = range(start, min(start + PORTION, CLOCKS + 1))
        with belfry.store.write(durable=False) as tx:
            tx.connection.execute(
                insert(links),
                [
                    {
                        "id": number,
                        "agreement": "acme",
                        "origin": Side.INTERNAL,
                        "internal_id": f"{number}",
                        "internal_key": f"OPS-{number}",
                        "vendor_id": f"9{number}",
                        "vendor_key": f"CUST-{number}",
                        "marker": f"m{number}",
                        "state": "active",
                        "gen": 1,
                        "done_gen": 1,
                        "epoch": 1,
                        "attempts": 0,
                        "reason": "",
                        "internal_linked": True,
                        "vendor_linked": True,
                        "findings": [],
                        "created_at": BORN,
                    }
                    for number in numbers
                ],
            )
            tx.connection.execute(
                insert(timelines),
                [
                    {
                        "link_id": number,
                        "agreement": "acme",
                        "policy": belfry.rules.version,
                        "born": BORN,
                        "read_at": BORN,
                        "next_at": BORN + LATER + number,
                        "timeline": told,
                        "summary": {},
                    }
                    for number in numbers
                ],
            )


def measured(belfry: Belfry, due: int) -> tuple[str, ...]:
    """Five ticks, each with so many other clocks due; the last one under the eye that counts memory."""
    dice = random.Random(due)
    times = []
    done = None
    for turn in range(6):
        chosen = dice.sample(range(1, CLOCKS + 1), due)
        with belfry.store.write() as tx:
            for number in chosen:
                tx.chronicles.set_next(number, BORN, {})
        belfry.clock.at = BORN + 31 * MINUTE + turn
        if turn == 5:
            tracemalloc.start()
        begun = time.perf_counter()
        ticked = belfry.ticker.tick()
        if turn < 5:
            times.append((time.perf_counter() - begun) * 1_000)
            done = ticked
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert done is not None
    assert done.looked == due
    return (
        f"{due:,}",
        f"{done.looked:,}",
        f"{done.claimed:,}",
        f"{min(times):,.1f}",
        f"{max(times):,.1f}",
        f"{peak / 1e6:,.1f}",
    )


if __name__ == "__main__":
    main()
