"""A plan in a file, and carrying it out: exactly what was planned, line by line, or nothing."""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from pathlib import Path

import pytest
from test_real_issues import FIELDS as REAL_FIELDS
from world import FIELDS, open_world

from bridge.daemon.applying import carry_out
from bridge.daemon.foresee import foresee
from bridge.daemon.planfile import load, save
from bridge.simulator import load as load_issues
from bridge.simulator import make_acme, make_home
from bridge.simulator import read as read_issues


def planned(world, *more):
    """Save a plan; the file and its lines."""
    path = world.folder / "plan.jsonl"
    done = world.typed("plan", "-o", str(path), *more)
    assert done.returncode == 1, done.stderr
    heading, *lines = [json.loads(row) for row in path.read_text().splitlines()]
    assert heading["lines"] == len(lines)
    return path, lines


def applied(world, path):
    """Carry a plan out; the exit code and what was told, as JSON."""
    done = world.typed("apply", str(path), "--json")
    return done.returncode, json.loads(done.stdout)


def writes(world):
    """All writes of the bridge so far."""
    return [call for call in world.calls() if call.kind == "write"]


@pytest.mark.slow
def test_of_a_plan_for_250_tickets_all_is_carried_out_but_what_was_changed_behind_its_back(tmp_path):
    home, folder = make_home(), os.environ.get("BRIDGE_DATA")
    if folder:
        load_issues(home, read_issues(Path(folder) / "apache-issues.jsonl"), project="OPS")
    fields = REAL_FIELDS if folder else FIELDS
    with open_world(tmp_path, home, make_acme(), fields=fields, create="to-vendor") as world:
        ann, path = world.at_home("admin"), tmp_path / "plan.jsonl"
        for number in range(0 if folder else 250):
            ann.comment(ann.create("OPS", f"Ticket {number}", description=f"Words {number}"), "Said of it.")
        save(path, {}, [one.line for one in foresee(world.house, firm=True) if one.line is not None])
        assert writes(world) == []
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        lines = load(path)
        assert len(lines) == 250
        changed = lines[100].internal
        ann.edit(changed.key, summary="Changed behind its back")
        outcomes = list(carry_out(world.house, lines))
        assert Counter(one.result for one in outcomes) == {"done": 249, "refused": 1}
        (refused,) = [one for one in outcomes if one.result == "refused"]
        assert refused.line.internal == changed
        assert refused.reason == "the internal ticket has changed since: summary"
        # No write at all is about another ticket than those of the plan, and none about the refused one.
        assert len(world.acme.site.issues) == 249
        assert len(writes(world)) >= sum(one.writes for one in outcomes) > 3 * 249
        assert touched(world.home) == {one.internal.key for one in lines} - {changed.key}
        assert touched(world.acme) == {link.vendor_key for link in world.links()} | {""}
        assert sum(call.path.endswith("/issue") for call in writes(world)) == 249
        # The second time there is nothing left to do, and what was refused is refused again.
        before = writes(world)
        again = Counter((one.result, one.writes) for one in carry_out(world.house, lines))
        assert again == {("already", 0): 249, ("refused", 0): 1}
        assert writes(world) == before


def touched(server):
    """The keys of the tickets that the bridge has written to; "" for a call that names none."""
    keys = {str(one.id): one.key for one in server.site.issues.values()}
    found = set()
    for call in server.calls.since(0):
        if call.user == "bridge" and call.kind == "write":
            names = [part for part in call.path.split("/") if part in keys or part in keys.values()]
            found.add(keys.get(names[0], names[0]) if names else "")
    return found
