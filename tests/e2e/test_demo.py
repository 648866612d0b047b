"""The demo from outside, and its proof against worlds that are not as agreed."""

from __future__ import annotations

import email
import json
import os
import signal
import smtplib
import subprocess
import sys
import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from bridge.cli.showing.people import Ledger
from bridge.cli.showing.post import Post
from bridge.cli.showing.proof import prove
from bridge.cli.showing.reading import words
from bridge.simulator import SimulatorServer, make_acme, make_home

DEMO = [sys.executable, "-m", "bridge.cli", "demo"]


def daemons(folder: Path) -> list[int]:
    """Bridges that run with this configuration."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if b"run" in command and str(folder).encode() in command:
            found.append(int(entry.name))
    return found


@pytest.mark.slow
def test_the_demo_ends_with_0_and_proves_what_it_says(tmp_path):
    figures, folder = tmp_path / "figures.json", tmp_path / "demo"
    done = subprocess.run(
        [*DEMO, "--json", str(figures), "--folder", str(folder)],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "\x1b" not in done.stdout, "no escape codes in a pipe"
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 80
    found = json.loads(figures.read_text())
    assert found["links"] == found["equal"] == found["expected"] == 38
    assert [found[name] for name in ("duplicates", "lost", "leaked", "idle_writes", "planned")] == [0] * 5
    assert found["verdicts"] == {"crossed": 1, "restored": 1}, "one change was approved, one was not"
    assert found["notes"] == 4, "one on each of the four tickets"
    kept = sorted((folder / "mail").glob("*.eml"))
    assert 7 <= len(kept) <= found["mails"], "two changes that wait; a warning, two of a miss, an escalation"
    subjects = [str(email.message_from_bytes(one.read_bytes())["Subject"]) for one in kept]
    for beginning in ("At risk: answer of", "Missed: answer of", "Not acknowledged: answer of"):
        assert any(one.startswith(beginning) for one in subjects)
    assert all("<html" in one.with_suffix(".html").read_text() for one in kept)
    (picture,) = (folder / "mail").glob("*.svg")
    assert "Acme" in picture.read_text()
    number, head, flaw = found["audit"]["acme"]
    assert flaw is None
    assert number > found["links"]
    assert head in done.stdout
    assert "fjord4711anker" not in (folder / "daemon.log").read_text()
    assert "[redacted: secret]" in done.stdout
    assert "[internal address]" in done.stdout
    assert found["seconds"] < 300
    assert (folder / "daemon.log").stat().st_size
    assert daemons(folder) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_takes_its_daemon_with_it(tmp_path, number):
    folder = tmp_path / "demo"
    demo = subprocess.Popen(
        [*DEMO, "--folder", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        deadline = time.monotonic() + 60
        while not daemons(folder):
            assert time.monotonic() < deadline, "the daemon was never started"
            time.sleep(0.05)
        os.kill(demo.pid, number)
        _, said = demo.communicate(timeout=60)
    finally:
        demo.kill()
        demo.wait()
    assert demo.returncode == 130
    assert said == b""
    assert daemons(folder) == []


def test_a_folder_with_contents_is_refused(tmp_path):
    (tmp_path / "precious").write_text("mine")
    done = subprocess.run(
        [*DEMO, "--folder", str(tmp_path)], capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.returncode == 2
    assert "not empty" in done.stderr


def test_the_mail_server_takes_what_a_mail_program_sends():
    post = Post()
    post.start()
    try:
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = "Grüße", "a@x.example", "b@x.example"
        mail.set_content("One line.\n.\n.hidden dot\nThe end: ø")
        with smtplib.SMTP(*post.address) as smtp:
            assert smtp.docmd("DATA")[0] == 503
            smtp.send_message(mail)
            smtp.send_message(mail, to_addrs=["c@x.example", "d@x.example"])
    finally:
        post.stop()
    assert [one.to for one in post.mails] == [("b@x.example",), ("c@x.example", "d@x.example")]
    assert post.mails[0].message["Subject"] == "Grüße"
    assert post.mails[0].text.splitlines() == ["One line.", ".", ".hidden dot", "The end: ø"]


# -- the proof --


@pytest.fixture
def pair(world):
    """A ticket and its twin, with a comment, brought over by the bridge; and what people made."""
    ann = world.at_home()
    key = ann.create(
        "OPS",
        "Printer on fire",
        description="It _smokes_, see [the manual|https://manual.example/7].\n\n# stand back\n# call",
        labels=["vendor-acme", "area-print"],
        priority={"name": "High"},
    )
    comment = ann.comment(key, "Still *hot*.")
    world.settle()
    return key, world.peer(key), Ledger({("home", key)}, {("home", key, comment)})


def proof_of(world, ledger):
    return prove(world.home.site, world.acme.site, ledger)


def test_the_proof_holds_for_what_the_bridge_has_made(world, pair):
    *_, ledger = pair
    proof = proof_of(world, ledger)
    assert proof.wrong == []
    assert (proof.links, proof.equal, proof.duplicates, proof.lost, proof.leaked) == (1, 1, 0, 0, 0)
    assert proof.holds


def test_a_duplicate_is_found(world, pair):
    _, peer, ledger = pair
    mark = next(label for label in world.at_acme().field(peer, "labels") if label.startswith("bridge-"))
    second = world.at_acme("bridge").create("CUST", "Printer on fire", labels=[mark])
    proof = proof_of(world, ledger)
    assert (proof.duplicates, proof.lost, proof.holds) == (1, 1, False)
    assert f"{second} has no twin" in proof.wrong


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"summary": "Printer on ice"}, "the summary differs"),
        ({"priority": {"name": "P1"}}, "the priority differs"),
        ({"labels": ["bridge-0123456789abcdef"]}, "the labels differs"),
        ({"duedate": "2027-01-01"}, "the due date differs"),
        ({"description": None}, "the description differs"),
        ({"customfield_10041": {"value": "Major"}}, "the severity differs"),
    ],
)
def test_a_differing_field_is_found(world, pair, fields, what):
    key, peer, ledger = pair
    world.at_acme().edit(peer, **fields)
    proof = proof_of(world, ledger)
    assert proof.wrong == [f"{key} and {peer}: {what}"]
    assert (proof.links, proof.equal, proof.holds) == (1, 0, False)


def test_a_differing_status_is_found(world, pair):
    _, peer, ledger = pair
    world.at_acme().move(peer, "In Progress")
    assert not proof_of(world, ledger).holds


def test_a_lost_and_a_doubled_comment_are_found(world, pair):
    _, peer, ledger = pair
    bo = world.at_acme()
    bo.comment(peer, "Never carried over.")
    assert (proof_of(world, ledger).lost, proof_of(world, ledger).holds) == (1, False)


def test_what_was_deleted_on_both_sides_is_missed(world, pair):
    key, _, ledger = pair
    (comment,) = [one for owner, at, one in ledger.comments if (owner, at) == ("home", key)]
    world.at_home().call("DELETE", f"/issue/{key}/comment/{comment}")
    world.settle()
    proof = proof_of(world, ledger)
    assert (proof.links, proof.equal, proof.lost, proof.holds) == (1, 1, 1, False)


def test_a_private_comment_that_crossed_is_found(world, pair):
    key, peer, ledger = pair
    world.at_home().comment(key, "Our price is 40.", visibility={"type": "role", "value": "Developers"})
    assert proof_of(world, ledger).holds
    world.at_acme().comment(peer, "Ann says: our price is 40.")
    assert proof_of(world, ledger).leaked == 0, "the words differ in their capitals"
    world.at_acme().comment(peer, "Ann says: Our price is 40.")
    assert proof_of(world, ledger).leaked == 1


def test_a_secret_is_to_be_replaced_on_its_way_and_is_found_when_it_was_not(world, pair):
    key, peer, ledger = pair
    ann, bo, robot = world.at_home(), world.at_acme(), world.at_acme("bridge")
    ann.comment(key, "The word is fjord4711.")
    robot.comment(peer, "Ann Owner (Example Corp)\n\nThe word is [cut].")
    assert proof_of(world, ledger).lost == 2, "nobody said that it was to be cut out"
    ledger.secrets["fjord4711"] = "[cut]"
    assert proof_of(world, ledger).holds
    bo.edit(peer, summary="fjord4711")
    assert proof_of(world, ledger).leaked == 1


def test_a_note_is_wanted_where_a_change_waited_and_nowhere_else(world, pair):
    key, peer, ledger = pair
    world.at_home("bridge").comment(key, "*On hold:* priority was changed.")
    world.at_acme("bridge").comment(peer, "On hold: priority was changed.")
    assert proof_of(world, ledger).wrong == [
        f"{key} has 1 notes of the bridge, not 0",
        f"{peer} has 1 notes of the bridge, not 0",
    ]
    ledger.notes |= {("home", key), ("acme", peer)}
    assert proof_of(world, ledger).holds
    world.at_acme().comment(peer, "On hold: says somebody else.")
    assert proof_of(world, ledger).lost == 1, "a person's comment is no note"


def test_a_ticket_without_a_twin_is_lost_and_one_out_of_scope_is_not():
    with SimulatorServer(make_home()) as home, SimulatorServer(make_acme()) as acme:
        assert not prove(home.site, acme.site, Ledger()).holds, "nothing at all proves nothing"
        assert prove(home.site, acme.site, Ledger({("home", "OPS-1")})).lost == 1


def test_both_readers_find_the_same_words():
    wiki = "h2. Now\n\n* a *b*\n\n||x||\n|1|\n\n{code:java}\nlet y\n{code}\n\n[see|https://a.example/p] [https://b.example]"
    link = {
        "type": "text",
        "text": "see",
        "marks": [{"type": "link", "attrs": {"href": "https://a.example/p"}}],
    }
    bare = {"type": "text", "text": "https://b.example"}
    bare["marks"] = [{"type": "link", "attrs": {"href": "https://b.example"}}]
    plain = [
        {"type": "paragraph", "content": [{"type": "text", "text": text}]}
        for text in ("Now", "a b", "x", "1")
    ]
    code = {"type": "codeBlock", "content": [{"type": "text", "text": "let y"}]}
    links = {"type": "paragraph", "content": [link, {"type": "text", "text": " "}, bare]}
    document = {"type": "doc", "version": 1, "content": [*plain, code, links]}
    said = "Now a b x 1 let y see https a example p https b example"
    assert " ".join(words(wiki)) == " ".join(words(document)) == said
