"""Private comments that may cross do so as private ones, and never a moment as anything else."""

from __future__ import annotations

import pytest
import requests
from world import eventually, open_world

from bridge.simulator import make_acme, make_home

ONLY_US = {"visibility": {"type": "role", "value": "Developers"}}
INTERNAL = {"properties": [{"key": "sd.public.comment", "value": {"internal": True}}]}
AS_PRIVATE = "comments: {private: as-private}"


def with_roles(folder) -> None:
    """The vendor's and our own side both say who reads private comments."""
    path = folder / "agreements" / "acme.yaml"
    text = path.read_text()
    text = text.replace("company: Example Corp", "company: Example Corp, private-role: Developers")
    path.write_text(text.replace("company: Acme", "company: Acme, private-group: staff"))


@pytest.fixture
def plain(tmp_path):
    """Two ordinary projects, where a role or a group makes a comment private."""
    with open_world(tmp_path, more=AS_PRIVATE) as world:
        with_roles(tmp_path)
        yield world


@pytest.fixture
def desks(tmp_path):
    """Two service desks, whose notes are internal by themselves."""
    home, acme = make_home(service_desk=True), make_acme(service_desk=True)
    with open_world(tmp_path, home, acme, more=AS_PRIVATE) as world:
        yield world


def start(world) -> tuple[str, str]:
    key = world.at_home().create("OPS", "Secrets")
    world.settle()
    return key, world.peer(key)


def comments_of(server, key):
    """The comments as the site stores them."""
    return server.site.issue(key).comments


def test_private_comments_cross_under_a_role_or_a_group(plain):
    key, peer = start(plain)
    plain.at_home().comment(key, "between us", **ONLY_US)
    plain.at_acme().comment(peer, "us, too", **ONLY_US)
    plain.settle()
    (theirs,) = [
        one for one in comments_of(plain.acme, peer) if one.author == plain.acme.site.person("bridge").id
    ]
    assert theirs.visibility["value"] == "staff"
    assert theirs.visibility["type"] == "group"
    (ours,) = [
        one for one in comments_of(plain.home, key) if one.author == plain.home.site.person("bridge").id
    ]
    assert ours.visibility == {"type": "role", "value": "Developers"}
    assert "Ann Owner (Example Corp)" in str(theirs.body)
    assert plain.sync().writes == 0


def test_internal_notes_cross_as_internal_notes(desks):
    key, peer = start(desks)
    desks.at_home().comment(key, "note from inside", **INTERNAL)
    desks.at_acme().comment(peer, "note from the vendor", **INTERNAL)
    desks.at_home().comment(key, "for the customer")
    desks.settle()
    there = {str(one["body"]): one["jsdPublic"] for one in desks.at_acme().comments(peer)}
    assert len(there) == 3
    assert [public for body, public in there.items() if "note" in body] == [False, False]
    here = desks.at_home().call("GET", f"/issue/{key}/comment", expand="properties")["comments"]
    (copy,) = [one for one in here if "note from the vendor" in one["body"]]
    assert INTERNAL["properties"][0] in copy["properties"]
    assert desks.sync().writes == 0


def test_an_edit_of_a_private_comment_follows_in_private(desks):
    key, peer = start(desks)
    said = desks.at_home().comment(key, "first", **INTERNAL)
    desks.settle()
    desks.at_home().call("PUT", f"/issue/{key}/comment/{said}", {"body": "second"})
    before = desks.acme.calls.last
    desks.settle()
    (copy,) = desks.at_acme().comments(peer)
    assert "second" in str(copy["body"])
    assert copy["jsdPublic"] is False
    calls = [(call.method, call.endpoint) for call in desks.acme.calls.since(before) if call.user == "bridge"]
    one = "/issue/{issue}/comment/{comment}"
    at = calls.index(("PUT", one))
    assert (calls[at - 1], calls[at + 1]) == (("GET", one), ("GET", one)), "looked at before and after"


@pytest.mark.parametrize("public_first", [True, False])
def test_a_comment_that_changes_sides_is_taken_back_and_written_anew(plain, public_first):
    ann = plain.at_home()
    key, peer = start(plain)
    limits = [{}, ONLY_US] if public_first else [ONLY_US, {}]
    said = ann.comment(key, "who may read this", **limits[0])
    plain.settle()
    (first,) = comments_of(plain.acme, peer)
    assert (first.visibility is None) is public_first
    body = {"body": "who may read this", "visibility": None, **limits[1]}
    ann.call("PUT", f"/issue/{key}/comment/{said}", body)
    before = plain.acme.calls.last
    plain.settle()
    (second,) = comments_of(plain.acme, peer)
    assert second.id != first.id
    assert (second.visibility is None) is not public_first
    writes = [call.method for call in plain.acme.calls.since(before) if call.kind == "write"]
    assert writes == ["DELETE", "POST"], "never a moment with both, or with the wrong one"
    assert plain.sync().writes == 0
    told = plain.bridge("explain", key).stdout
    assert ("the original is private" if public_first else "the original is public now") in told


def test_a_comment_that_changes_sides_beside_other_changes_has_each_of_them_written_once(tmp_path):
    more = f"{AS_PRIVATE}\nattachments: {{cross: both, types: ['image/*']}}\nrelations: {{links: {{Blocks: Blocks}}}}"
    with open_world(tmp_path, more=more) as world:
        with_roles(tmp_path)
        ann, bo = world.at_home(), world.at_acme()
        key, _ = start(world)
        other, _ = start(world)
        peer = world.peer(key)
        said = bo.comment(peer, "for all")
        world.settle()
        bo.call("PUT", f"/issue/{peer}/comment/{said}", {"body": bo.text("for all"), **ONLY_US})
        ann.edit(key, summary="New")
        ann.move(key, "In Progress")
        requests.post(
            f"{ann.url}/rest/api/2/issue/{key}/attachments",
            files={"file": ("notes.txt", b"words")},
            headers={**ann.headers, "X-Atlassian-Token": "no-check"},
            timeout=30,
        ).raise_for_status()
        ends = {"inwardIssue": {"key": key}, "outwardIssue": {"key": other}}
        ann.call("POST", "/issueLink", {"type": {"name": "Blocks"}, **ends})
        before = world.acme.calls.last, world.home.calls.last
        world.settle()
        calls = [*world.acme.calls.since(before[0]), *world.home.calls.since(before[1])]
        writes = sorted(f"{one.method} {one.endpoint}" for one in calls if one.kind == "write")
        assert writes == [
            "DELETE /issue/{issue}/comment/{comment}",
            "POST /issue/{issue}/comment",
            "POST /issue/{issue}/transitions",
            "POST /issueLink",
            "PUT /issue/{issue}",
        ]
        (copy,) = comments_of(world.home, key)
        assert copy.visibility is not None
        events = [entry["event"] for entry in world.journal(key)]
        assert events.count("field.written") == events.count("relation.added") == 1


def test_a_note_that_comes_out_public_is_withdrawn_at_once(desks):
    """The incident of May 2026: a layer in between dropped the properties of comments."""
    key, peer = start(desks)
    desks.acme.faults.add_json(
        {"kind": "strip", "strip": "properties", "path_regex": "/comment$", "times": None}
    )
    said = desks.at_home().comment(key, "the secret is 4711", **INTERNAL)
    before = desks.acme.calls.last
    desks.restart()
    with desks.daemon():
        eventually(lambda: [line for line in desks.log() if line["event"] == "private_exposed"], seconds=60)
        desks.at_home().comment(key, "for all")
        eventually(lambda: len(comments_of(desks.acme, peer)) == 1, seconds=60)
    assert "for all" in str(comments_of(desks.acme, peer)[0].body)
    calls = [call for call in desks.acme.calls.since(before) if call.user == "bridge"]
    posts = [call for call in calls if call.method == "POST" and "4711" in str(call.json)]
    assert len(posts) == 1, "not tried again blindly"
    after = [call.method for call in calls[calls.index(posts[0]) + 1 :]]
    assert after[:2] == ["GET", "DELETE"], "looked at, and taken back, before anything else"
    (event,) = [line for line in desks.log() if line["event"] == "private_exposed"]
    assert (event["level"], event["withdrawn"], event["side"]) == ("error", True, "vendor")
    assert "4711" not in (desks.folder / "daemon.log").read_text()
    status = desks.bridge("status")
    assert "came out public" in status.stdout
    assert "4711" not in status.stdout
    assert any(entry["event"] == "comment.withdrawn" for entry in desks.journal(key))
    desks.acme.faults.clear()
    desks.at_home().call("PUT", f"/issue/{key}/comment/{said}", {"body": "the secret is 4712"})
    desks.settle()
    secret, loud = sorted(desks.at_acme().comments(peer), key=lambda one: "for all" in str(one["body"]))
    assert "4712" in str(secret["body"])
    assert (secret["jsdPublic"], loud["jsdPublic"]) == (False, True)
    assert "came out public" not in desks.bridge("status").stdout


def test_a_note_that_somebody_makes_public_is_taken_back_and_written_anew(desks):
    key, peer = start(desks)
    desks.at_home().comment(key, "hush", **INTERNAL)
    desks.settle()
    (copy,) = comments_of(desks.acme, peer)
    loud = [{"key": "sd.public.comment", "value": {"internal": False}}]
    robot = desks.at_acme("bridge")
    body = desks.at_acme().comments(peer)[0]["body"]
    robot.call("PUT", f"/issue/{peer}/comment/{copy.id}", {"body": body, "properties": loud})
    desks.settle()
    (again,) = desks.at_acme().comments(peer)
    assert again["id"] != copy.id
    assert again["jsdPublic"] is False


def test_a_note_that_is_made_public_again_and_again_is_not_written_anew_for_ever(desks):
    key, peer = start(desks)
    ann, robot = desks.at_home(), desks.at_acme("bridge")
    said = ann.comment(key, "hush", **INTERNAL)
    desks.settle()
    loud = [{"key": "sd.public.comment", "value": {"internal": False}}]
    for _ in range(2):
        (copy,) = desks.at_acme().comments(peer)
        robot.call("PUT", f"/issue/{peer}/comment/{copy['id']}", {"body": copy["body"], "properties": loud})
        desks.settle()
    assert desks.at_acme().comments(peer) == []
    assert "came out public" in desks.typed("status").stdout
    assert desks.sync().writes == 0
    ann.call("PUT", f"/issue/{key}/comment/{said}", {"body": "hush, please"})
    desks.settle()
    (once_more,) = desks.at_acme().comments(peer)
    assert once_more["jsdPublic"] is False


def test_a_lost_answer_to_a_private_comment_is_found_and_looked_at(desks):
    key, peer = start(desks)
    desks.acme.faults.add_json(
        {"kind": "strip", "strip": "properties", "method": "POST", "path_regex": "/comment$"}
    )
    desks.at_home().comment(key, "between us", **INTERNAL)
    desks.acme.faults.clear()
    desks.acme.faults.add_json({"kind": "apply-then-500", "method": "POST", "path_regex": "/comment$"})
    desks.settle(passes=12)
    (copy,) = desks.at_acme().comments(peer)
    assert copy["jsdPublic"] is False


def test_a_plain_project_takes_no_private_comment_without_a_role(tmp_path):
    with open_world(tmp_path, more=AS_PRIVATE) as world:
        assert "no service desk" in world.bridge("check").stdout
        key, peer = start(world)
        world.at_home().comment(key, "between us", **ONLY_US)
        world.sync()
        assert comments_of(world.acme, peer) == []
        assert not [
            call for call in world.acme.calls.matching("POST", "/comment$") if "between" in str(call.json)
        ]
        assert "private-role" in world.bridge("status").stdout


def test_as_private_is_not_the_default(desks):
    path = desks.folder / "agreements" / "acme.yaml"
    path.write_text(path.read_text().replace(AS_PRIVATE, ""))
    key, peer = start(desks)
    desks.at_home().comment(key, "between us", **INTERNAL)
    desks.settle()
    assert comments_of(desks.acme, peer) == []


def test_copies_of_private_comments_go_when_the_agreement_is_narrowed(desks):
    key, peer = start(desks)
    desks.at_home().comment(key, "between us", **INTERNAL)
    desks.settle()
    path = desks.folder / "agreements" / "acme.yaml"
    path.write_text(path.read_text().replace(AS_PRIVATE, ""))
    desks.restart()
    desks.at_home().edit(key, summary="Narrowed")
    desks.settle()
    assert comments_of(desks.acme, peer) == []


def test_a_ticket_that_becomes_private_stops_crossing_until_it_is_public_again(world):
    ann, bo = world.at_home(), world.at_acme()
    key, peer = start(world)
    said = ann.comment(key, "for all")
    hidden = ann.create("OPS", "Never seen", security={"name": "Staff only"})
    world.settle()
    ann.edit(key, summary="Only for staff", security={"name": "Staff only"})
    ann.comment(key, "staff, listen")
    world.settle()
    assert bo.field(peer, "summary") == "Secrets"
    assert len(comments_of(world.acme, peer)) == 1
    status = world.bridge("status").stdout
    assert "the internal ticket is private" in status
    bo.edit(peer, summary="The vendor's word")
    ann.call("DELETE", f"/issue/{key}/comment/{said}")
    world.settle()
    assert ann.field(key, "summary") == "Only for staff"
    assert comments_of(world.acme, peer) == [], "what is taken back is taken back"
    assert len(world.acme.site.issues) == 1, "a private ticket has no mirror"
    ann.edit(key, security=None, summary="For everybody")
    ann.edit(hidden, security=None)
    world.settle()
    assert bo.field(peer, "summary") == "For everybody"
    assert len(world.acme.site.issues) == 2
    assert "is private" not in world.bridge("status").stdout
    (copy,) = comments_of(world.acme, peer)
    assert "staff, listen" in str(copy.body), "what is public now crosses"
