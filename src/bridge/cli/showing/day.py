"""What every act needs: the stage, the people, the voice, and waiting for what must come.

Nothing here takes time for truth: each wait ends when a condition holds, and a condition that does not hold
in time ends the demo with a sentence that says what was missing.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from bridge.cli.showing.people import INSIDE, VENDOR, Person
from bridge.cli.showing.stage import Stage
from bridge.cli.showing.telling import DemoFailed, Voice

PATIENCE = 45.0
"""Seconds within which a change must be seen on the other side. Usually it is one or two; machines differ."""

T = TypeVar("T")

LOOK_EVERY = 0.1
"""Seconds between two looks at a condition."""

PASSES = 2
"""Polls of each side that make a quiet pass."""


class Day:
    """A scripted day.

    Args:
        stage: where it happens.
        voice: who tells of it.

    Attributes:
        ann, ivan: service owner and engineer on duty, inside.
        bo, cy: delivery manager and engineer at the vendor.
    """

    def __init__(self, stage: Stage, voice: Voice) -> None:
        self.stage = stage
        self.voice = voice
        self.ann = stage.person("Ann", INSIDE)
        self.ivan = stage.person("Ivan", INSIDE)
        self.bo = stage.person("Bo", VENDOR)
        self.cy = stage.person("Cy", VENDOR)

    def until(self, what: str, check: Callable[[], T], seconds: float = PATIENCE) -> T:
        """Wait until the check gives something true; what it gave.

        Args:
            what: completes the sentence "... did not happen: ".
            check: looks.
            seconds: how long.

        Raises:
            DemoFailed: it did not come in time, or the daemon has ended.
        """
        deadline = time.monotonic() + seconds
        while True:
            found = check()
            if found:
                return found
            self.stage.check()
            if time.monotonic() > deadline:
                raise DemoFailed(f"This did not happen within {seconds:.0f} s: {what}.")
            time.sleep(LOOK_EVERY)

    def comes(self, sentence: str, check: Callable[[], T], seconds: float = PATIENCE) -> T:
        """Wait for the check and tell what has come, and how long after it was told what people did."""
        found = self.until(sentence, check, seconds)
        self.voice.seen(sentence)
        return found

    def arrives(self, person: Person, key: str) -> str:
        """Wait until a ticket of this person's site has its twin, each showing the other; the twin's key."""
        other = self.bo if person.site == INSIDE else self.ann

        def linked() -> str:
            twin = person.follows(key)
            return twin if twin and other.follows(twin) == key else ""

        return self.until(f"{key} and its twin show each other", linked)

    def twin(self, key: str) -> str:
        """The twin of a ticket that has one."""
        person = self.ann if key.startswith("OPS-") else self.bo
        found = person.follows(key)
        if not found:
            raise DemoFailed(f"{key} should have a twin by now, and has none.")
        return found

    def start_daemon(self) -> None:
        """Start the daemon and wait until it runs."""
        begun = time.monotonic()
        self.stage.start()
        self.until("the daemon says that it runs", self.stage.started)
        again = " again" if self.stage.starts > 1 else ""
        self.voice.seen(f"the daemon runs{again}, process {self.stage.pid}", time.monotonic() - begun)

    def rest(self) -> None:
        """Wait until each side has been polled twice since the bridge last wrote anything."""
        self.until(
            "the bridge comes to rest after the last change", lambda: self.quiet_since(self.last_write())
        )

    def further_pass(self) -> tuple[int, int]:
        """Watch while both sides are polled twice more and ``bridge plan`` reads everything again.

        Returns:
            The writes that the trackers saw meanwhile, and the actions that the plan asks for.
        """
        before = {site: self.stage.server(site).calls.last for site in (INSIDE, VENDOR)}
        begun = self.stage.home.site.now()
        planned = json.loads(self.stage.bridge("plan", "--json"))["counts"]["actions"]
        self.until("both sides are polled twice more", lambda: self.quiet_since(begun))
        writes = (call.kind == "write" for site, at in before.items() for call in self.stage.calls(site, at))
        return sum(writes), int(planned)

    def audit(self) -> list[dict[str, Any]]:
        """What ``bridge audit verify`` says of each hash chain."""
        return list(json.loads(self.stage.bridge("audit", "verify", "--json")))

    def verdicts(self) -> Counter[str]:
        """How the changes ended that waited for people: state -> how many."""
        return Counter(row["state"] for row in json.loads(self.stage.bridge("holds", "--all", "--json")))

    def last_write(self) -> int:
        """When the bridge last asked for a change, milliseconds."""
        writes = (
            call.at for site in (INSIDE, VENDOR) for call in self.stage.calls(site) if call.kind == "write"
        )
        return max(writes, default=0)

    def quiet_since(self, moment: int) -> bool:
        """Whether both sides have been polled often enough since."""
        return all(
            sum(call.kind == "search" and call.at > moment for call in self.stage.calls(site)) >= PASSES
            for site in (INSIDE, VENDOR)
        )
