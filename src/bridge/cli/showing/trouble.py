"""The scripted day, its troubles: a conflict, a storm of 429s, a kill -9 in mid-create, a shared login."""

from __future__ import annotations

import time

from bridge.cli.showing.day import Day
from bridge.cli.showing.people import VENDOR
from bridge.cli.showing.stage import ROBOT
from bridge.cli.showing.telling import DemoFailed
from bridge.simulator import Fault

STORM_SECONDS, RETRY_AFTER = 4.0, 2
"""How long the vendor refuses every call, and how long it asks to wait."""

HELD_BACK = 25_000
"""Milliseconds by which the vendor's answer is late when the daemon is killed: it never hears it."""


def conflict(day: Day) -> None:
    """Both sides change one field before the bridge has looked: the agreement decides, nothing is lost."""
    voice = day.voice
    voice.act("A conflict")
    inside = "OPS-9"
    vendor = day.twin(inside)
    ours = "Move the time clock terminals (after the stocktaking)"
    theirs = "Move nine time clock terminals to network 172.20.8.0"
    day.stage.freeze()
    try:
        day.ann.edits(inside, summary=ours)
        time.sleep(
            0.05
        )  # trackers stamp milliseconds; in the same one, the organisation's own edit would stand
        day.bo.edits(vendor, summary=theirs)
    finally:
        day.stage.thaw()
    voice.does(
        f'While the daemon is held (SIGSTOP), Ann renames {inside} to "{ours}", '
        f'and a moment later Bo {vendor} to "{theirs}".'
    )
    day.comes(
        "the newer one stands on both sides: Bo's",
        lambda: day.ann.sees(inside, "summary") == theirs and day.bo.sees(vendor, "summary") == theirs,
    )
    kept = day.until("the journal keeps what gave way", lambda: _gave_way(day, inside))
    voice.does(f"Ann's is kept. 'bridge explain {inside}' says:")
    voice.quotes(kept)


def storm(day: Day) -> None:
    """The vendor answers everything with 429 while people go on working."""
    voice, acme = day.voice, day.stage.acme
    voice.act("A storm of 429s")
    moved = {f"OPS-{number}": f"OPS-{number} changed in the storm." for number in (1, 3, 5, 7, 10)}
    answered = {f"CUST-{number}": f"CUST-{number} changed in the storm." for number in (1, 3, 5)}
    twins = {key: day.twin(key) for key in (*moved, *answered)}
    fault = acme.faults.add(Fault("throttle", user=ROBOT, times=None, retry_after=RETRY_AFTER))
    begun = time.monotonic()
    voice.does(
        f"The vendor answers the bridge with 429, Retry-After: {RETRY_AFTER}. Meanwhile people "
        f"comment on {len(moved)} tickets inside and on {len(answered)} at the vendor."
    )
    for key, words in moved.items():
        day.ivan.says(key, words)
    for key, words in answered.items():
        day.cy.says(key, words)
    day.until(
        "the bridge meets the storm",
        lambda: fault.fired >= 2 and time.monotonic() - begun >= STORM_SECONDS,  # noqa: PLR2004 - it came back once
    )
    acme.faults.clear()
    voice.does(
        f"After {time.monotonic() - begun:.0f} s it is over. The bridge was refused {fault.fired} times."
    )

    def through() -> bool:
        sent = all(words in str(day.bo.reads(twins[key])) for key, words in moved.items())
        return sent and all(words in str(day.ann.reads(twins[key])) for key, words in answered.items())

    day.comes(f"all {len(moved) + len(answered)} comments are on the other side", through)


def killed(day: Day) -> None:
    """The daemon dies between a create and its answer; its successor finds what was made."""
    stage, voice = day.stage, day.voice
    voice.act("kill -9 in the middle of a create")
    fault = Fault("slow", "POST", r"/issue$", user=ROBOT, delay_ms=HELD_BACK, when="after")
    before = stage.acme.calls.last
    stage.acme.faults.add(fault)
    summary = "Charging cabinet for hand scanners has no power"
    key = day.ivan.opens(summary, "All *twelve* places are dark, the fuse is fine.", labels=["area-power"])
    voice.does(f"Ivan opens {key}. The vendor makes its ticket, but the answer is late.")
    day.until(
        f"the bridge asks the vendor to create the twin of {key}",
        lambda: any(call.fault == "slow" for call in stage.calls(VENDOR, before)),
    )
    made = _called(day, summary)
    pid = stage.pid
    stage.kill()
    voice.does(f"kill -9 {pid}. {made[0]} is there, and the bridge does not know it.")
    day.start_daemon()
    day.comes(f"{key} and {made[0]} are linked", lambda: day.arrives(day.ivan, key) == made[0])
    day.rest()
    again = _called(day, summary)
    if again != made:
        raise DemoFailed(
            f"There should be one ticket {made[0]} at the vendor, but there are: {', '.join(again)}."
        )
    voice.notes(f"There is exactly one such ticket at the vendor: {made[0]}.")


def shared_login(day: Day) -> None:
    """Somebody uses the integration account's login: their work is a person's work and crosses."""
    day.voice.act("A person under the integration account's login")
    key = "CUST-6"
    twin = day.twin(key)
    somebody = day.stage.person("Somebody", VENDOR, ROBOT)
    summary = "Warranty of the core switch ends in January: decision needed"
    somebody.edits(key, summary=summary)
    somebody.says(key, "The offer for the exchange is valid until Christmas.")
    day.voice.does(f"Somebody at the vendor is logged in as the bridge, renames {key} and comments on it.")
    day.comes(
        f"both cross to {twin}, as from anybody",
        lambda: day.ann.sees(twin, "summary") == summary and "until Christmas" in str(day.ann.reads(twin)),
    )


def _gave_way(day: Day, key: str) -> str:
    """The journal's line about the value that lost, without its time."""
    for line in day.stage.bridge("explain", key).splitlines():
        if "gave way" in line:
            return line.split("Z  ", 1)[-1].strip()
    return ""


def _called(day: Day, summary: str) -> list[str]:
    """The vendor's tickets of that name."""
    issues = list(day.stage.acme.site.issues.values())
    return [issue.key for issue in issues if issue.values["summary"] == summary]
