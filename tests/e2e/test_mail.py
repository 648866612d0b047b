"""Mail from the real daemon and the real commands: at least once, whatever is killed or down meanwhile."""

from __future__ import annotations

import json
import os
import shlex
import signal
import time
from contextlib import contextmanager

from holding_world import linked, roles_world
from post_office import open_post_office
from world import eventually, open_world

from bridge.config import load
from bridge.simulator import Fault
from bridge.store.database import Store
from bridge.store.rows import Letter, LetterState

ANN = "ann@home.example"


def mail_line(post, **more):
    extra = "".join(f", {name}: {value}" for name, value in more.items())
    return f'mail: {{server: "smtp://127.0.0.1:{post.port}", from: bridge@home.example{extra}}}'


@contextmanager
def office(folder, *, configured=True):
    """Two trackers, and a mail server that the bridge knows."""
    with open_post_office() as post, open_world(folder, top=mail_line(post) if configured else "") as world:
        Store.open(load(world.folder, environ=world.environ).database).close()  # makes the database
        yield world, post


def put(world, *keys, to=(ANN,)):
    """Letters, as another part of the bridge puts them there, beside a daemon or without."""
    with Store.open(load(world.folder, environ=world.environ).database) as store, store.write() as tx:
        for key in keys:
            tx.outbox.put(
                Letter(
                    0,
                    key,
                    "acme",
                    to,
                    f"About {key}",
                    "Canary text\n",
                    "",
                    f"bridge.{key}",
                    time.time_ns() // 1000,
                )
            )


def standing(world, key):
    with world.records() as tx:
        return tx.outbox.get(key)


def sent(world, *keys):
    return all(standing(world, key).state is LetterState.SENT for key in keys)


def test_the_daemon_sends_what_is_put_there_and_tells_nobody_elses_log(tmp_path):
    with office(tmp_path) as (world, post), world.daemon():
        put(world, "k1", "k2")
        eventually(lambda: sent(world, "k1", "k2"))
        put(world, "k2", "k3")
        eventually(lambda: sent(world, "k3"))
        assert sorted(mail.id for mail in post.mails) == [
            f"<bridge.k{number}@home.example>" for number in (1, 2, 3)
        ]
    log = (tmp_path / "daemon.log").read_text()
    assert log.count('"letter_sent"') == 3
    assert ANN not in log
    assert "Canary" not in log


def test_a_held_change_is_told_decided_by_the_words_of_the_mail_and_told_again_in_its_thread(tmp_path):
    with open_post_office() as post, roles_world(tmp_path) as world:
        config = tmp_path / "bridge.yaml"
        config.write_text(config.read_text() + mail_line(post) + "\n")
        key, peer = linked(world)
        world.at_acme("cy").edit(peer, priority={"name": "P1"})
        world.settle()
        (mail,) = post.mails
        assert mail.to == ("ops@home.example",)
        assert mail.message["Subject"] == f"Decision needed: priority of {key} = {peer}"
        assert "Medium → Highest" in mail.text
        assert f"/browse/{key}" in mail.text
        command = next(line for line in mail.text.splitlines() if "holds approve" in line)
        assert world.typed(*shlex.split(command)[1:], "--by", "ann").returncode == 0
        world.settle()
        assert world.at_home().field(key, "priority") == "Highest"
        opened, decided = post.mails
        assert "was approved by ann." in decided.text
        assert opened.id in decided.message["References"]


def test_kill_9_between_handing_over_and_noting_it_means_twice_under_one_id(tmp_path):
    with office(tmp_path) as (world, post):
        put(world, "k")
        with world.daemon() as process:
            post.arrived = lambda _: os.kill(process.pid, signal.SIGKILL)
            assert eventually(lambda: process.poll() is not None)
        assert standing(world, "k").state is LetterState.QUEUED
        assert standing(world, "k").attempts == 1
        post.arrived = lambda _: None
        assert world.typed("sync", "--once").returncode == 0
        assert sent(world, "k")
    assert [mail.id for mail in post.mails] == ["<bridge.k@home.example>"] * 2
    assert post.mails[0].raw == post.mails[1].raw


def test_a_tracker_that_is_down_delays_no_mail_not_even_at_the_start(tmp_path):
    with office(tmp_path) as (world, post):
        world.acme.faults.add(Fault("drop", times=None))
        put(world, "before")
        assert world.typed("run").returncode == 3
        assert sent(world, "before")
        put(world, "pass")
        assert world.typed("sync", "--once").returncode == 3
        assert sent(world, "pass")
    assert len(post.mails) == 2


def test_a_mail_server_that_hangs_does_not_delay_the_mirroring(tmp_path):
    with office(tmp_path) as (world, post):
        post.silent = True
        put(world, "k")
        with world.daemon():
            eventually(lambda: post.mails)
            key = world.at_home().create("OPS", "Meanwhile")
            eventually(lambda: world.peer(key))
            assert standing(world, "k").state is LetterState.QUEUED
            post.silent = False
            eventually(lambda: sent(world, "k"))


def test_a_mail_server_that_is_down_for_a_while_and_a_reload(tmp_path):
    with office(tmp_path, configured=False) as (world, post):
        put(world, "k")
        with world.daemon() as process:
            eventually(lambda: any(line["event"] == "mail_missing" for line in world.log()))
            told = world.typed("status")
            assert (told.returncode, "so nobody is told" in told.stdout) == (1, True)
            post.close()
            config = tmp_path / "bridge.yaml"
            config.write_text(config.read_text() + mail_line(post) + "\n")
            process.send_signal(signal.SIGHUP)
            eventually(lambda: any(line["event"] == "mail_troubled" for line in world.log()))
            eventually(lambda: "Connection refused" in world.typed("mail").stdout)
            post.open()
            eventually(lambda: sent(world, "k"))
            eventually(lambda: json.loads(world.typed("mail", "--json").stdout)["trouble"] == "")
    assert len(post.mails) == 1


def test_what_was_given_up_is_shown_and_tried_again(tmp_path):
    with office(tmp_path) as (world, post):
        post.recipients[ANN] = f"550 5.1.1 <{ANN}> unknown"
        put(world, "k")
        done = world.typed("sync", "--once")
        assert (done.returncode, "1 given up" in done.stdout) == (1, True)
        world.restart()
        assert "1 given up: see 'bridge mail'" in world.typed("status").stdout
        shown = world.typed("mail")
        assert shown.returncode == 1
        assert f"k to {ANN}: given up, tried 1 times: 550 5.1.1 (address) unknown" in shown.stdout
        (row,) = json.loads(world.typed("mail", "--json").stdout)["letters"]
        assert (row["state"], row["owed"], row["next_try_seconds"]) == ("dead", [ANN], None)
        post.recipients.clear()
        assert world.typed("mail", "retry", str(row["id"])).returncode == 0
        assert world.typed("sync", "--once").returncode == 0
        assert world.typed("mail").returncode == 0
        assert world.typed("mail", "retry", str(row["id"])).returncode == 1
        assert sent(world, "k")


def test_a_test_mail(tmp_path):
    with office(tmp_path) as (world, post):
        for answer, code, words in (
            ("250 OK", 0, "has taken it: 250 2.0.0 queued as 4711"),
            ("450 4.2.0 later", 1, "refuses it for now: 450 4.2.0 later"),
            ("550 5.1.1 unknown", 1, "refuses it for good: 550 5.1.1 unknown"),
        ):
            post.recipients[ANN] = answer
            done = world.typed("mail", "test", ANN)
            assert (done.returncode, words in done.stdout) == (code, True)
    assert [mail.to for mail in post.mails] == [(ANN,)]


def test_a_test_mail_that_cannot_be(tmp_path):
    with office(tmp_path) as (world, post):
        assert world.typed("mail", "test", "ann").returncode == 2
        post.close()
        done = world.typed("mail", "test", ANN)
        assert (done.returncode, "Connection refused" in done.stderr) == (3, True)
        config = tmp_path / "bridge.yaml"
        config.write_text(config.read_text().replace("mail:", "# mail:"))
        done = world.typed("mail", "test", ANN)
        assert (done.returncode, "there is no mail server" in done.stderr) == (2, True)


def test_the_metrics_tell_of_the_mail(tmp_path):
    from bridge.web import metrics

    with office(tmp_path) as (world, post):
        post.recipients[ANN] = "450 4.2.0 later"
        put(world, "k")
        world.sync()
        text = metrics.render(world.house, {})
    assert 'bridge_letters{state="queued"} 1' in text
    age = next(line for line in text.splitlines() if line.startswith("bridge_letter_age_seconds "))
    assert float(age.split()[1]) > 0
