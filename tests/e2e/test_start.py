"""The daemon's beginning and end: what it refuses to start with, how it reloads, how it stops, what systemd hears."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections import Counter

import pytest
from world import eventually

from bridge.clock import SECOND
from bridge.simulator import Fault
from bridge.store.rows import LinkState

AGREEMENT = "agreements/acme.yaml"


def rewrite(world, old, new, file=AGREEMENT):
    """Change a configuration file; returns the line, counted from 1, where the change begins."""
    path = world.folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


def written(world):
    """Requests of the bridge that would change something."""
    return [call for call in world.calls() if call.kind == "write" and call.user == "bridge"]


def events(world):
    """How often each event is in the log."""
    return Counter(line["event"] for line in world.log())


def started(world):
    """Wait until the daemon has begun."""
    eventually(lambda: events(world)["daemon_started"])


@pytest.fixture
def waiting(world):
    """A world in which something waits to be written."""
    world.at_home().create("OPS", "Waits")
    return world


def test_every_slip_in_the_files_is_told_at_once_with_file_line_and_fix_and_nothing_is_written(waiting):
    world = waiting
    lines = {
        "prokject": rewrite(world, "project: CUST", "prokject: CUST"),
        "'sumary'": rewrite(world, "  summary: {}", "  sumary: {}"),
        "'sometimes'": rewrite(world, "{rule: merge}", "{rule: sometimes}"),
    }
    rewrite(world, "poll: 1s", "poll: 1", "bridge.yaml")
    del world.environ["BRIDGE_SECRET_ACME_TOKEN"]
    done = world.bridge("run")
    assert done.returncode == 2
    told = done.stderr.splitlines()
    for words, line in lines.items():
        (one,) = [row for row in told if f"acme.yaml:{line}:" in row]
        assert words.strip("'") in one
        assert "(" in one, "with a fix"
    assert any("bridge.yaml" in row and "did you mean '1s'?" in row for row in told)
    assert any("acme_token" in row for row in told)
    assert "nothing was written" in done.stderr
    assert world.calls() == []


def test_a_yaml_slip_is_told_with_its_line(waiting):
    line = rewrite(waiting, "fields:", "fields: {")
    done = waiting.bridge("run")
    assert done.returncode == 2
    assert any(f"acme.yaml:{one}" in done.stderr for one in range(line, line + 16))
    assert waiting.calls() == []


def test_what_does_not_fit_the_live_trackers_is_told_at_once_and_nothing_is_written(waiting):
    world = waiting
    rewrite(world, "In Progress: In Progress", "In Progress: In Progres")
    rewrite(world, "Highest: P1", "Urgent: P1")
    rewrite(world, "  due: {}", "  due: {}\n  impact: {field: Impakt}")
    done = world.bridge("run")
    assert done.returncode == 2
    text = (world.folder / AGREEMENT).read_text().splitlines()
    for wrong, fix in (
        ("In Progres,", "did you mean 'In Progress'?"),
        ("Urgent", "there is: "),
        ("Impakt", "'Impact'?"),
    ):
        (line,) = [number for number, row in enumerate(text, 1) if wrong in row]
        assert any(f"acme.yaml:{line}:" in row and fix in row for row in done.stderr.splitlines()), (
            done.stderr
        )
    assert "nothing was written" in done.stderr
    assert written(world) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("project: CUST", "shows no project 'NOPE'"),
        ("{Highest: P1, High: P2, Medium: P3, Low: P4, Lowest: P4}", "map"),
    ],
)
def test_a_wrong_project_and_a_missing_value_map_stop_the_start(waiting, wrong, words):
    if wrong.startswith("project"):
        rewrite(waiting, wrong, "project: NOPE")
    else:
        rewrite(waiting, f"priority: {{values: {wrong}}}", "priority: {}")
    done = waiting.bridge("run")
    assert done.returncode == 2
    assert words in done.stderr
    assert written(waiting) == []


@pytest.mark.parametrize("trouble", ["down", "refused", "anonymous"])
def test_a_tracker_that_cannot_be_used_at_the_start_ends_it_with_3_and_a_sentence(waiting, trouble):
    world = waiting
    if trouble == "down":
        rewrite(world, world.acme.url, "http://127.0.0.1:9", "bridge.yaml")
    else:
        world.acme.site.expired_means = {"refused": "refuse"}.get(trouble, trouble)
        world.acme.site.expire_logins("bridge")
    begun = time.monotonic()
    done = world.bridge("run")
    assert time.monotonic() - begun < 20
    assert done.returncode == 3
    assert done.stderr.startswith("bridge: acme: ")
    assert ("Check the URL" if trouble == "down" else "Renew the token") in done.stderr
    assert "Traceback" not in done.stderr
    assert written(world) == []


def test_a_second_bridge_on_the_same_database_is_refused(waiting):
    with waiting.daemon():
        started(waiting)
        done = waiting.bridge("run")
        assert done.returncode == 1
        assert "Another bridge" in done.stderr


def test_sighup_with_bad_files_keeps_the_old_rules_and_with_good_ones_applies_them(world):
    ann = world.at_home()
    good = (world.folder / AGREEMENT).read_text()
    rewrite(world, "  due: {}\n", "")
    with world.daemon() as daemon:
        key = ann.create("OPS", "Reload", duedate="2027-01-01")
        eventually(lambda: world.acme.site.issues)
        (peer,) = [issue.key for issue in world.acme.site.issues.values()]
        bo = world.at_acme()
        bad = {
            "slip": lambda: rewrite(world, "fields:", "fieldz:"),
            "unknown on the live tracker": lambda: rewrite(
                world, "In Progress: In Progress", "In Progress: Nowhere"
            ),
        }
        for number, spoil in enumerate(bad.values(), 1):
            text = (world.folder / AGREEMENT).read_text()
            line = spoil()
            daemon.send_signal(signal.SIGHUP)
            eventually(lambda count=number: events(world)["reload_refused"] == count)
            refused = [one for one in world.log() if one["event"] == "reload_refused"][-1]
            assert any(f"acme.yaml:{line}:" in problem for problem in refused["problems"])
            ann.edit(key, summary=f"Still mirrored {number}")
            eventually(lambda count=number: bo.field(peer, "summary") == f"Still mirrored {count}")
            (world.folder / AGREEMENT).write_text(text)
        assert bo.field(peer, "duedate") is None
        (world.folder / AGREEMENT).write_text(good)
        daemon.send_signal(signal.SIGHUP)
        eventually(lambda: events(world)["reload_done"] == 1)
        ann.edit(key, summary="With the new rule")
        eventually(lambda: bo.field(peer, "duedate") == "2027-01-01")
        assert daemon.poll() is None


def test_an_agreement_that_leaves_the_configuration_rests_and_goes_on_when_it_returns(world):
    ann = world.at_home()
    agreement = (world.folder / AGREEMENT).read_text()
    with world.daemon() as daemon:
        ann.create("OPS", "One")
        eventually(lambda: len(world.acme.site.issues) == 1)
        (world.folder / AGREEMENT).write_text(
            agreement.replace("name: acme", "name: other").replace("OPS", "OPS2")
        )
        from bridge.simulator import add_project

        add_project(world.home.site, "OPS2")
        daemon.send_signal(signal.SIGHUP)
        eventually(lambda: events(world)["reload_done"] == 1)
        ann.create("OPS", "Two")
        ann.create("OPS2", "Three")
        eventually(lambda: len(world.acme.site.issues) >= 2)
        time.sleep(1.5)
        summaries = {issue.values["summary"] for issue in world.acme.site.issues.values()}
        assert summaries == {"One", "Three"}
        (world.folder / AGREEMENT).write_text(agreement)
        daemon.send_signal(signal.SIGHUP)
        eventually(lambda: "Two" in {issue.values["summary"] for issue in world.acme.site.issues.values()})


def test_sigterm_finishes_what_is_in_flight_and_ends_with_0(world):
    slow = world.acme.faults.add(Fault("slow", "POST", "/issue$", user="bridge", delay_ms=4000))
    also = world.acme.faults.add(Fault("slow", "POST", "/search", user="bridge", after=6, delay_ms=9000))
    with world.daemon() as daemon:
        world.at_home().create("OPS", "In flight")
        eventually(lambda: slow.fired)
        eventually(lambda: also.fired)
        begun = time.monotonic()
        daemon.terminate()
        assert daemon.wait(timeout=35) == 0
        assert time.monotonic() - begun < 30
    assert events(world)["daemon_stopped"] == 1
    assert [line["clean"] for line in world.log() if line["event"] == "daemon_stopped"] == [True]
    assert events(world)["link_failed"] == events(world)["dispatch_failed"] == 0
    (link,) = world.links()
    assert link.vendor_key, "the answer was waited for and kept"
    world.settle()
    assert world.judge() == 1


def test_systemd_hears_ready_watchdog_reloading_and_stopping(world, tmp_path):
    address = tmp_path / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(address))
        ear.settimeout(10)
        heard = []

        def hear(word):
            while True:
                heard.append(ear.recv(4096).decode())
                if word in heard[-1]:
                    return heard[-1]

        with world.daemon(NOTIFY_SOCKET=str(address), WATCHDOG_USEC="900000") as daemon:
            hear("READY=1")
            assert heard == ["READY=1"], "nothing is claimed before all is up"
            begun = time.monotonic()
            for _ in range(4):
                hear("WATCHDOG=1")
            assert time.monotonic() - begun < 4 * 0.9, "in time, each time"
            daemon.send_signal(signal.SIGHUP)
            assert "MONOTONIC_USEC=" in hear("RELOADING=1")
            hear("READY=1")
            daemon.terminate()
            hear("STOPPING=1")
            assert daemon.wait(timeout=35) == 0
    assert os.environ.get("NOTIFY_SOCKET") is None


def test_a_mirror_waits_for_the_first_polls_without_being_looked_at_all_the_time(world):
    refusal = {"errorMessages": ["Not now."], "errors": {}}
    world.acme.faults.add(Fault("error", "POST", "/search", status=400, body=refusal, times=None))
    world.at_home().create("OPS", "Early")
    world.sync()
    (link,) = world.links()
    assert link.state is LinkState.NEW
    assert link.due_at - world.house.clock.now() > 3_000 * SECOND, "there may be a hundred thousand of them"
    world.acme.faults.clear()
    world.settle()
    assert world.judge() == 1
