"""Files cross both ways, once, whole, and only those that may."""

from __future__ import annotations

import json

import pytest
from world import FIELDS, World, eventually, open_world

from bridge.simulator import Fault

CROSS = "attachments: {cross: both, max: 3MB}"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
WORD = "zanzibar"
"""In names and contents, and in no log."""


@pytest.fixture
def world(tmp_path):
    with open_world(tmp_path, more=CROSS) as opened:
        yield opened


def attach(person, key, name, content=b"words", kind="text/plain") -> str:
    """A person attaches a file; its id."""
    import requests

    answer = requests.post(
        f"{person.url}/rest/api/{person.version}/issue/{key}/attachments",
        files={"file": (name, content, kind)},
        headers={**person.headers, "X-Atlassian-Token": "no-check"},
        auth=person.auth,
        timeout=60,
    )
    assert answer.ok, answer.text
    return str(answer.json()[0]["id"])


def files(server, key) -> dict[str, bytes]:
    """Name -> bytes of a ticket's files; fails when two have one name."""
    found = server.site.issue(key).attachments
    held = {one["filename"]: server.site.blobs[one["id"]].read() for one in found}
    assert len(held) == len(found), [one["filename"] for one in found]
    return held


def count(server, key) -> int:
    return len(server.site.issue(key).attachments)


def findings(world: World, key: str) -> list[dict]:
    with world.records() as tx:
        (link,) = tx.links.by_key(key)
        return list(link.findings)


def test_files_cross_both_ways_and_only_once(world):
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "With files")
    attach(ann, key, "plan.txt", b"the plan")
    attach(ann, key, "empty.txt", b"")
    world.settle()
    peer = world.peer(key)
    attach(bo, peer, "Bild \u00e4.png", PNG, "image/png")
    world.settle()
    expected = {"plan.txt": b"the plan", "empty.txt": b"", "Bild \u00e4.png": PNG}
    assert files(world.home, key) == files(world.acme, peer) == expected
    world.restart()
    assert world.settle() == 0
    assert files(world.home, key) == expected
    assert not list((world.folder / "spool").glob("*.part"))
    assert (world.folder / "spool").stat().st_mode & 0o777 == 0o700


def test_without_a_word_in_the_agreement_no_file_crosses_and_nothing_is_said(tmp_path):
    with open_world(tmp_path) as world:
        key = world.at_home().create("OPS", "With a file")
        attach(world.at_home(), key, "plan.txt")
        world.settle()
        assert count(world.acme, world.peer(key)) == 0
        assert findings(world, key) == []
        assert not [call for call in world.calls() if "attachment" in call.path]


@pytest.mark.parametrize(("cross", "counts"), [("to-vendor", (1, 2)), ("to-internal", (2, 1))])
def test_files_cross_in_one_direction(tmp_path, cross, counts):
    with open_world(tmp_path, more=f"attachments: {{cross: {cross}}}") as world:
        key = world.at_home().create("OPS", "One way")
        world.settle()
        attach(world.at_home(), key, "ours.txt")
        attach(world.at_acme(), world.peer(key), "theirs.txt")
        world.settle()
        assert (count(world.home, key), count(world.acme, world.peer(key))) == counts


def test_two_files_of_one_name_are_two_files(world):
    ann = world.at_home()
    key = ann.create("OPS", "Doubles")
    attach(ann, key, "log.txt", b"first")
    attach(ann, key, "log.txt", b"second")
    world.settle()
    there = world.acme.site.issue(world.peer(key)).attachments
    assert [one["filename"] for one in there] == ["log.txt", "log.txt"]
    assert sorted(world.acme.site.blobs[one["id"]].read() for one in there) == [b"first", b"second"]


def test_deletions_follow_the_original_and_a_deleted_copy_stays_deleted(world):
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Deletions")
    mine = attach(ann, key, "mine.txt")
    attach(ann, key, "other.txt")
    world.settle()
    peer = world.peer(key)
    ann.call("DELETE", f"/attachment/{mine}")
    world.settle()
    assert list(files(world.acme, peer)) == ["other.txt"]
    (copy,) = world.acme.site.issue(peer).attachments
    world.at_acme("bridge").call("DELETE", f"/attachment/{copy['id']}")
    world.settle()
    assert count(world.acme, peer) == 0
    assert list(files(world.home, key)) == ["other.txt"]
    ann.edit(key, summary="Deletions, again")
    world.settle()
    assert count(world.acme, peer) == 0
    assert bo.field(peer, "summary") == "Deletions, again"


def test_copies_are_kept_where_the_agreement_says_so(tmp_path):
    with open_world(tmp_path, more="attachments: {cross: both, deletes: keep}") as world:
        ann = world.at_home()
        key = ann.create("OPS", "Keeps")
        mine = attach(ann, key, "mine.txt")
        world.settle()
        ann.call("DELETE", f"/attachment/{mine}")
        world.settle()
        assert list(files(world.acme, world.peer(key))) == ["mine.txt"]
        assert count(world.home, key) == 0


def test_files_of_private_comments_stay_and_are_taken_back(world):
    ann = world.at_home()
    key = ann.create("OPS", "Secrets")
    only_us = {"visibility": {"type": "role", "value": "Developers"}}
    attach(ann, key, "salaries.txt", WORD.encode())
    ann.comment(key, "see [^salaries.txt]", **only_us)
    attach(ann, key, "later.txt")
    world.settle()
    peer = world.peer(key)
    assert list(files(world.acme, peer)) == ["later.txt"]
    said = ann.comment(key, "now !later.txt! as well", **only_us)
    world.settle()
    assert count(world.acme, peer) == 0
    ann.call("DELETE", f"/issue/{key}/comment/{said}")
    world.settle()
    assert list(files(world.acme, peer)) == ["later.txt"]
    assert findings(world, key) == []


def test_what_may_not_cross_is_told_once_with_the_reason(world):
    ann = world.at_home()
    key = ann.create("OPS", "Not all")
    attach(ann, key, "big.txt", b"x" * 3_000_001)
    attach(ann, key, "setup.png", b"MZ\x90\x00" + bytes(100), "image/png")
    attach(ann, key, "page.html", b"<html>", "text/html")
    attach(ann, key, "good.png", PNG, "image/png")
    world.settle()
    peer = world.peer(key)
    assert files(world.acme, peer) == {"good.png": PNG}
    told = [one["message"] for one in findings(world, key)]
    assert len(told) == 3
    assert any("big.txt" in one and "larger" in one for one in told)
    assert any("setup.png" in one and "not what its name says" in one for one in told)
    assert any("page.html" in one and "text/html" in one for one in told)
    before = world.home.calls.last
    ann.edit(key, summary="Not all, still")
    world.settle()
    assert [one["message"] for one in findings(world, key)] == told
    events = [one["event"] for one in world.journal(key)]
    assert (events.count("finding.opened"), events.count("finding.closed")) == (3, 0)
    assert not [one for one in world.home.calls.since(before) if "/secure/" in one.path], "not read again"


def test_a_wider_agreement_lets_the_files_cross_that_stayed(tmp_path):
    with open_world(tmp_path, more="attachments: {cross: both, types: ['image/*']}") as world:
        key = world.at_home().create("OPS", "Wider")
        attach(world.at_home(), key, "plan.txt")
        world.settle()
        assert count(world.acme, world.peer(key)) == 0
        world.restart()
        path = tmp_path / "agreements" / "acme.yaml"
        path.write_text(path.read_text().replace("['image/*']", "['image/*', 'text/*']"))
        world.at_home().edit(key, summary="Wider now")
        world.settle()
        assert list(files(world.acme, world.peer(key))) == ["plan.txt"]
        assert findings(world, key) == []


def test_names_are_made_harmless(world):
    ann = world.at_home()
    key = ann.create("OPS", "Names")
    attach(ann, key, "a\u202egnp.txt")
    world.settle()
    assert list(files(world.acme, world.peer(key))) == ["agnp.txt"]


# --- answers that are lost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["apply-then-drop", "apply-then-500", "drop"])
def test_an_upload_without_an_answer_makes_exactly_one_file(tmp_path, kind):
    with open_world(tmp_path, more=CROSS, tracker="read-timeout: 1s") as world:
        ann = world.at_home()
        key = ann.create("OPS", "Once")
        world.settle()
        world.acme.faults.add(Fault(kind, "POST", "/attachments"))
        attach(ann, key, "plan.txt", b"the plan")
        world.settle()
        assert files(world.acme, world.peer(key)) == {"plan.txt": b"the plan"}
        world.restart()
        assert world.settle() == 0


def test_a_file_that_cannot_be_had_now_stops_neither_the_others_nor_the_texts(world):
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Partly")
    world.settle()
    peer = world.peer(key)
    bad = attach(ann, key, "bad.txt", b"bad")
    attach(ann, key, "good.txt", b"good")
    ann.comment(key, "look at [^bad.txt]")
    world.home.faults.add(Fault("error", "GET", f"/secure/attachment/{bad}", status=503, times=None))
    done = world.sync()
    (report,) = done.ended("parked")
    assert "bad.txt" in report.reason
    assert files(world.acme, peer) == {"good.txt": b"good"}
    world.home.faults.clear()
    ann.edit(key, summary="Partly, again")
    world.settle()
    assert files(world.acme, peer) == {"good.txt": b"good", "bad.txt": b"bad"}
    assert "bad.txt" in json.dumps(bo.comments(peer)[-1]["body"])


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("endless", "GET", "/secure/", times=None), "beyond"),
        (Fault("bomb", "GET", "/secure/", times=None), "beyond"),
        (
            Fault(
                "error",
                "GET",
                "/secure/",
                status=302,
                body=b"",
                headers={"location": "http://169.254.169.254/latest/"},
                times=None,
            ),
            "public internet",
        ),
        (
            Fault(
                "error",
                "GET",
                "/secure/",
                status=302,
                body=b"",
                headers={"location": "http://127.0.0.1:1/"},
                times=None,
            ),
            "public internet",
        ),
    ],
    ids=["endless", "bomb", "metadata", "loopback"],
)
def test_hostile_bodies_are_refused_with_a_finding_and_texts_cross(world, fault, words):
    ann = world.at_home()
    key = ann.create("OPS", "Hostile")
    attach(ann, key, "plan.txt", b"the plan")
    world.home.faults.add(fault)
    world.settle()
    peer = world.peer(key)
    assert count(world.acme, peer) == 0
    (told,) = findings(world, key)
    assert words in told["message"]
    assert told["kind"] == "left-behind"
    fired = fault.fired
    ann.edit(key, summary="Hostile, still")
    world.settle()
    assert world.at_acme().field(peer, "summary") == "Hostile, still"
    assert fault.fired == fired, "judged once"
    assert not list((world.folder / "spool").glob("*.part"))


# --- texts that show files -----------------------------------------------------------------------------------------


def test_an_image_in_a_text_is_shown_on_the_other_side_and_nothing_goes_to_and_fro(world):
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Shown", description="Look:\n\n!plan.png!\n\nand [^notes.txt]")
    attach(ann, key, "plan.png", PNG, "image/png")
    attach(ann, key, "notes.txt")
    ann.comment(key, "here !plan.png! again")
    world.settle()
    peer = world.peer(key)
    assert world.settle() == 0
    shown = json.dumps(bo.read(peer)["fields"]["description"])
    ids = {one["filename"]: one["id"] for one in world.acme.site.issue(peer).attachments}
    for name, number in ids.items():
        assert name in shown
        assert f"/attachment/content/{number}" in shown
    assert f"/attachment/content/{ids['plan.png']}" in json.dumps(bo.comments(peer)[0]["body"])
    assert ann.read(key)["fields"]["description"] == "Look:\n\n!plan.png!\n\nand [^notes.txt]"
    attach(ann, key, "new.png", PNG + b"2", "image/png")
    ann.comment(key, "and !new.png!")
    world.settle()
    assert "/attachment/content/" in json.dumps(bo.comments(peer)[1]["body"])
    bodies = [call for call in world.calls() if call.endpoint.endswith("/comment") and call.method == "POST"]
    assert len(bodies) == 2, "each comment crossed once, after its file"


def test_an_image_of_the_vendor_is_shown_inside(world):
    ann, bo = world.at_home(), world.at_acme()
    key = bo.create("CUST", "Theirs")
    world.settle()
    ours = world.peer(key)
    attach(bo, key, "plan.png", PNG, "image/png")
    media = {
        "type": "file",
        "id": "0f0f0f0f-0000-4000-8000-000000000000",
        "collection": "",
        "alt": "plan.png",
    }
    body = {"type": "doc", "version": 1, "content": []}
    body["content"].append({"type": "mediaSingle", "content": [{"type": "media", "attrs": media}]})
    bo.call("POST", f"/issue/{key}/comment", {"body": body})
    bo.edit(key, description=body)
    world.settle()
    assert world.settle() == 0
    assert "!plan.png!" in ann.comments(ours)[0]["body"]
    assert ann.read(ours)["fields"]["description"] == "!plan.png!"
    assert bo.read(key)["fields"]["description"] == body


# --- long texts ----------------------------------------------------------------------------------------------------

LONG = "\n\n".join(f"Part {number} of a story about a printer." + " It prints." * 40 for number in range(64))


def test_a_text_beyond_the_limit_crosses_shortened_with_the_whole_of_it_attached(world):
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Long", description=LONG)
    said = ann.comment(key, LONG)
    world.settle()
    peer = world.peer(key)
    assert world.settle() == 0
    held = files(world.acme, peer)
    assert set(held) == {"description-full.md", f"comment-{said}-full.md"}
    assert held["description-full.md"].decode().split("\n\n")[-1].strip() == LONG.split("\n\n")[-1]
    assert "Shortened" in json.dumps(bo.read(peer)["fields"]["description"])
    assert "Shortened" in json.dumps(bo.comments(peer)[0]["body"])
    assert ann.read(key)["fields"]["description"] == LONG
    ann.edit(key, description=LONG + "\n\nThe end.")
    world.settle()
    held = files(world.acme, peer)
    assert held["description-full.md"].decode().strip().endswith("The end.")
    ann.edit(key, description="Short.")
    ann.call("DELETE", f"/issue/{key}/comment/{said}")
    world.settle()
    assert files(world.acme, peer) == {}
    assert count(world.home, key) == 0


def test_no_older_state_of_a_long_text_stays_when_an_answer_was_lost_and_the_text_is_made_private(tmp_path):
    with open_world(tmp_path, more=CROSS, tracker="read-timeout: 1s") as world:
        ann = world.at_home()
        key = ann.create("OPS", "Long")
        said = ann.comment(key, LONG)
        world.settle()
        peer = world.peer(key)
        world.acme.faults.add(Fault("apply-then-drop", "POST", "/attachments"))
        ann.call("PUT", f"/issue/{key}/comment/{said}", {"body": LONG + "\n\nThe end."})
        world.settle()
        limit = {"type": "role", "value": "Developers"}
        ann.call("PUT", f"/issue/{key}/comment/{said}", {"body": LONG, "visibility": limit})
        world.settle()
        assert count(world.acme, peer) == 0
        assert world.at_acme().comments(peer) == []


def test_an_edit_of_a_shortened_copy_does_not_replace_the_whole(world):
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Long", description=LONG)
    world.settle()
    peer = world.peer(key)
    bo.edit(peer, description=bo.text("I cut it down."))
    world.settle()
    assert ann.read(key)["fields"]["description"] == LONG
    assert [one["kind"] for one in findings(world, key)] == ["held"]


def test_where_no_file_crosses_a_long_text_is_shortened_and_that_is_told(tmp_path):
    with open_world(tmp_path) as world:
        key = world.at_home().create("OPS", "Long", description=LONG)
        world.settle()
        assert count(world.acme, world.peer(key)) == 0
        assert [one["kind"] for one in findings(world, key)] == ["shortened"]
        assert world.settle() == 0


# --- many, and what is written down --------------------------------------------------------------------------------


def test_a_ticket_with_250_files(world):
    ann = world.at_home()
    key = ann.create("OPS", "Many")
    for number in range(250):
        attach(ann, key, f"{number}.txt", str(number).encode())
    world.settle()
    assert files(world.acme, world.peer(key)) == files(world.home, key)
    assert count(world.acme, world.peer(key)) == 250
    assert world.settle() == 0


def test_no_name_and_no_content_of_a_file_reaches_the_log(world):
    ann = world.at_home()
    key = ann.create("OPS", "Quiet")
    world.settle()
    peer = world.peer(key)
    world.restart()
    with world.daemon(BRIDGE_LOG_LEVEL="debug"):
        attach(ann, key, f"{WORD}.txt", WORD.encode())
        attach(ann, key, f"{WORD}.exe", b"MZ" + WORD.encode())
        attach(ann, key, f"{WORD}.png", WORD.encode(), "image/png")
        eventually(lambda: files(world.acme, peer) == {f"{WORD}.txt": WORD.encode()}, 60)
        eventually(lambda: len(findings(world, key)) == 2, 60)
        text = world.bridge("status", "--json").stdout
        assert WORD in text, "people are told"
        assert WORD in world.bridge("explain", key).stdout
    assert WORD not in (world.folder / "daemon.log").read_text()


def test_a_pass_without_news_costs_no_more_than_before(tmp_path):
    with open_world(tmp_path, more=CROSS, fields=FIELDS) as world:
        ann = world.at_home()
        key = ann.create("OPS", "Cheap")
        attach(ann, key, "plan.txt")
        world.settle()
        world.settle()
        before = len(world.calls())
        world.sync()
        assert len(world.calls()) - before == 2
        before = len(world.calls())
        ann.edit(key, summary="Cheap, changed")
        world.sync()
        # Two polls, the peer read by id, the history that says who it was, the write.
        assert len(world.calls()) - before == 5
