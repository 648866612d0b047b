"""Private text stays private: a canary in every private place of every tracker, looked for in all that comes out.

Each canary is a made-up word that stands in one place only, where the other side may not see it; ``canaries.PLACES``
is the table of these places. A day's work is done around them (``canary_day``, ``canary_work``), with edits, changes
between public and private, conflicts, files, journeys, and trackers that quote our requests in their complaints. Then
everything that left is searched: each request to the other tracker with its address and headers, what that tracker
stored or was ever given as a file, the logs at their most talkative, metrics and health, the answers to webhooks, what
the commands print, and what is left in the spool. Words that may cross stand in the same kinds of places, and have to
be found there: whoever does not find these would not find the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
import structlog
from canaries import LOGGED, SHOWN_TO_PEOPLE, every, groups
from canary_day import Day
from canary_watch import watch
from canary_work import AGREED, work
from test_webhooks import ACME_HOOK, HOME_HOOK, HOOK, WEB
from world import World, open_world

from bridge.log import configure
from bridge.simulator.render import dump

FIELDS = """
  summary: {}
  description: {}
  type: {values: {Bug: Bug, Task: Task, Incident: Incident, Improvement: Service Request, Sub-task: Sub-task}}
  priority: {values: {Highest: P1, High: P2, Medium: P3, Low: P4, Lowest: P4}}
  labels: {rule: merge, only: ["release-*", vendor-acme]}
  components: {only: ["shared-*"]}
  fix-versions: {only: ["shared-*"]}
  assignee: {otherwise: hold}
"""


@dataclass
class Outcome:
    """A day, and all that came out of it.

    Attributes:
        sent: tracker -> the bridge's requests to it.
        stored: tracker -> what it stores, and every content it was ever given.
        log: of the passes and of the daemon.
        told: by the daemon's web server.
        spool: what is left there.
    """

    day: Day
    sent: dict[str, str]
    stored: dict[str, str]
    log: str = ""
    told: str = ""
    spool: str = ""

    def leaks(self) -> dict[str, set[str]]:
        """Where a secret came out."""
        ours, theirs, mapped = self.day.ours, self.day.theirs, self.day.mapped
        printed = "\n".join(self.day.prints)
        found = {
            "requests to acme": ours.found(self.sent["acme"]),
            "acme's store": ours.found(self.stored["acme"]),
            "requests to home": theirs.found(self.sent["home"]),
            "home's store": theirs.found(self.stored["home"]),
            "prints": _but(ours.found(printed) | theirs.found(printed), SHOWN_TO_PEOPLE),
            "log": _but(ours.found(self.log) | theirs.found(self.log), LOGGED),
            "web": ours.found(self.told) | theirs.found(self.told),
            "spool": ours.found(self.spool) | theirs.found(self.spool),
            "handles at acme": {place for place in mapped.found(self.sent["acme"]) if "home" in place},
            "handles at home": {place for place in mapped.found(self.sent["home"]) if "acme" in place},
            "handles in logs": mapped.found(self.log + self.told),
        }
        return {where: places for where, places in found.items() if places}


def _but(places: Iterable[str], allowed: frozenset[str]) -> set[str]:
    return {place for place in places if place.partition(": ")[2] not in allowed}


def spend(folder: Path, *, comments: str, daemon: bool) -> Outcome:
    """A whole day under an agreement about comments; returns it with all that came out."""
    day, log = Day(folder), folder / "passes.log"
    with (
        log.open("w") as stream,
        open_world(
            folder,
            day.home,
            day.acme,
            fields=FIELDS,
            more=comments + AGREED,
            select="labels = vendor-acme",
            top=WEB,
            tracker=HOOK,
        ) as world,
    ):
        path = folder / "agreements" / "acme.yaml"
        text = path.read_text().replace("ann@home.example", f"{day.ann_mail}@home.example")
        path.write_text(text.replace("bo@acme.example", f"{day.bo_mail}@acme.example"))
        text = (folder / "bridge.yaml").read_text()
        for name in ("home", "acme"):
            text = text.replace("NAME_hook", f"{name}_hook", 1)
        (folder / "bridge.yaml").write_text(text)
        world.environ |= {"BRIDGE_SECRET_HOME_HOOK": HOME_HOOK, "BRIDGE_SECRET_ACME_HOOK": ACME_HOOK}
        configure("debug", stream=stream)
        try:
            keys = day.morning(world)
            day.noon(world, keys)
            keys |= work(day, world)
            day.evening(world, keys)
            heard, told = watch(day, world, keys) if daemon else ("", "")
        finally:
            structlog.reset_defaults()
        return _collect(day, world, log.read_text() + heard, told)


def _collect(day: Day, world: World, log: str, told: str) -> Outcome:
    """Everything that came out; and every canary is where it was put."""
    sent = {
        side: "\n".join(
            json.dumps(asdict(call), ensure_ascii=False)
            for call in server.calls.since(0)
            if call.user in {"bridge", ""} and call.kind != "unknown"
        )
        for side, server in (("home", world.home), ("acme", world.acme))
    }
    stored = {
        site.name: json.dumps(dump(site)) + b"\n".join(day.uploads[site.name].all).decode(errors="replace")
        for site in (day.home, day.acme)
    }
    spool = world.folder / "spool"
    # The witness stays there, with numbers and hashes; whatever else is left has to be looked into.
    kept = [one for one in spool.rglob("*") if one.is_file() and one.name != "witness.json"]
    left = [f"{one.name} {one.read_bytes()!r}" for one in kept]
    return Outcome(day, sent, stored, log, told, "\n".join(left))


def _places(found: Iterable[str]) -> set[str]:
    """Places, whichever tracker's."""
    return {place.partition(": ")[2] for place in found}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_canary_comes_out(tmp_path) -> None:
    outcome = spend(tmp_path, comments="comments: {mentions: live}", daemon=True)
    day = outcome.day
    assert outcome.leaks() == {}
    assert outcome.spool == ""
    assert {*day.ours.words.values(), *day.theirs.words.values()} == every(listening=True)
    # The search can fail, group by group: words that may cross have crossed from the same kinds of places.
    crossed = {
        place
        for site, other in (("home", "acme"), ("acme", "home"))
        for place in day.open.found(outcome.stored[other])
        if place.startswith(site)
    }
    assert crossed == set(day.open.words.values())
    printed = "\n".join(day.prints)
    for canaries in (day.ours, day.theirs):
        assert _places(canaries.found(printed)) == SHOWN_TO_PEOPLE
        assert _places(canaries.found(outcome.log)) == LOGGED
    assert {"daemon_started", "tracker_call", "webhook_refused"} <= set(
        re.findall(r'"event": "(\w+)"', outcome.log)
    )
    assert day.open.found(outcome.log + outcome.told) == set(), "no word at all, not even those for everybody"
    assert "bad times" not in outcome.log
    assert 'bridge_links{agreement="acme",state="active"}' in outcome.told


@pytest.mark.timeout(300)
def test_the_search_would_find_them(tmp_path) -> None:
    """With an agreement that lets private comments cross, their canaries are found: the test can fail."""
    outcome = spend(tmp_path, comments="comments: {private: as-private}", daemon=False)
    leaks = outcome.leaks()
    assert leaks.keys() == {"requests to acme", "acme's store", "requests to home", "home's store"}
    assert {"home: role", "home: internal note", "home: flipped", "home: note, edited"} <= leaks[
        "requests to acme"
    ]
    assert {"acme: group", "acme: internal note", "acme: child of a note"} <= leaks["requests to home"]
    assert groups(set().union(*leaks.values())) == {"comments"}, (
        "and nothing else, no file and no end of a text"
    )
    assert "Part 0 of a story" in outcome.stored["acme"]
    for site, canaries in ((outcome.day.acme, outcome.day.ours), (outcome.day.home, outcome.day.theirs)):
        said = [comment for issue in site.issues.values() for comment in issue.comments]
        crossed = [one for one in said if canaries.found(json.dumps(one.body))]
        assert crossed
        assert all("sd.public.comment" in one.properties for one in crossed), "private there as well"
