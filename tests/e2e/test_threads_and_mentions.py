"""Who answers whom, and who is mentioned: on both sides of an agreement."""

from __future__ import annotations

from dataclasses import replace

import pytest
from world import Person, World, open_world, write_config

from bridge.simulator import SimulatorServer, make_acme, make_site

LIVE = "comments: {mentions: live}"


def mention(account: str, text: str):
    """A text of Cloud that begins with a live mention."""
    node = {"type": "mention", "attrs": {"id": account, "text": f"@{text}"}}
    words = {"type": "text", "text": " please look"}
    return {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [node, words]}]}


@pytest.fixture
def live(tmp_path):
    """Mentions of Ann at home are mentions of Bo at Acme, and the reverse."""
    with open_world(tmp_path, more=LIVE) as world:
        yield world


def pair(world):
    key = world.at_home().create("OPS", "Talk")
    world.settle()
    return key, world.peer(key)


def test_an_answer_says_whom_it_answers_where_there_are_no_threads(world):
    key, peer = pair(world)
    bo, cy = world.at_acme(), world.at_acme("cy")
    world.at_home().comment(key, "Who has the key?")
    world.settle()
    (copy,) = bo.comments(peer)
    first = bo.comment(peer, "Cy has.", parentId=int(copy["id"]))
    cy.comment(peer, "No, Bo has.", parentId=int(first))
    world.settle()
    _, one, two = [comment["body"] for comment in world.at_home().comments(key)]
    assert one == "*Bo Manager (Acme), in reply to Ann Owner*\n\nCy has."
    assert two == "*Cy Engineer (Acme), in reply to Bo Manager*\n\nNo, Bo has."
    assert world.sync().writes == 0


def test_an_answer_to_what_does_not_cross_is_an_ordinary_comment(world):
    key, peer = pair(world)
    bo = world.at_acme()
    only_us = {"visibility": {"type": "role", "value": "Developers"}}
    hidden = bo.comment(peer, "between us", **only_us)
    bo.comment(peer, "what do you mean?", parentId=int(hidden))
    loud = bo.comment(peer, "for all")
    world.settle()
    (copy,) = world.at_home().comments(key)
    assert copy["body"] == "*Bo Manager (Acme)*\n\nfor all", "a child of a private comment is private"
    bo.comment(peer, "again", parentId=int(loud))
    bo.call("DELETE", f"/issue/{peer}/comment/{loud}")
    world.settle()
    (copy,) = world.at_home().comments(key)
    assert copy["body"] == "*Bo Manager (Acme)*\n\nagain"


def test_threads_stay_threads_between_two_clouds(tmp_path):
    home, acme = make_site("cloud", "acme", project="OPS"), make_acme()
    with SimulatorServer(home) as left, SimulatorServer(acme) as right:
        environ = write_config(tmp_path, left.url, right.url, fields="\n  summary: {}\n  type: {}")
        path = tmp_path / "bridge.yaml"
        path.write_text(path.read_text().replace("jira-datacenter", "jira-cloud, user: bridge@acme.example"))
        world = World(tmp_path, left, right, environ)
        ann = Person(left.url, 3, auth=("bo@acme.example", "bo-token"))
        key = ann.create("OPS", "Threads")
        world.settle()
        bo, peer = world.at_acme(), world.peer(key)
        ann.comment(key, "first")
        question = ann.comment(key, "question")
        ann.comment(key, "more of it", parentId=int(question))
        world.settle()
        first, copy, more = bo.comments(peer)
        assert more["parentId"] == int(copy["id"])
        assert "parentId" not in copy
        assert "in reply to" not in str(more)
        bo.comment(peer, "answer", parentId=int(copy["id"]))
        bo.comment(peer, "answer to the first", parentId=int(first["id"]))
        world.settle()
        *_, answer, other = ann.comments(key)
        assert answer["parentId"] == int(question)
        assert other["parentId"] != int(question)
        assert world.sync().writes == 0
        # A thread that cannot be gone on with is no reason to keep an answer back.
        right.faults.add_json(
            {
                "kind": "error",
                "status": 400,
                "method": "POST",
                "body_regex": "parentId",
                "path_regex": "/comment$",
            }
        )
        ann.comment(key, "one more", parentId=int(question))
        world.settle()
        assert "one more" in str(bo.comments(peer)[-1]["body"])
        assert "parentId" not in bo.comments(peer)[-1]
        world.restart()


def test_people_who_agreed_to_it_are_mentioned_on_the_other_side(live):
    key, peer = pair(live)
    ann, bo = live.at_home(), live.at_acme()
    account = live.acme.site.person("bo").id
    ann.comment(key, "[~ann] and [~ivan] please look")
    ann.edit(key, description="[~ann] knows")
    bo.comment(peer, "over to you")
    live.settle()
    bodies = [comment["body"] for comment in bo.comments(peer)]
    (copy,) = [body for body in bodies if "please look" in str(body)]
    node, *rest = copy["content"][1]["content"]
    assert node == {"type": "mention", "attrs": {"id": account, "text": "@Bo Manager"}}
    assert "mention" not in str(rest), "Ivan has agreed to nothing"
    assert "ivan" not in str(rest).casefold()
    assert bo.field(peer, "description")["content"][0]["content"][0]["attrs"]["id"] == account
    assert live.sync().writes == 0, "no ping-pong"
    bo.call("POST", f"/issue/{peer}/comment", {"body": mention(account, "Bo Manager")})
    cy = live.acme.site.person("cy").id
    bo.call("POST", f"/issue/{peer}/comment", {"body": mention(cy, "Cy Engineer")})
    live.settle()
    one, two = [comment["body"] for comment in ann.comments(key)][-2:]
    assert one.endswith("[~ann] please look")
    assert "@Cy Engineer please look" in two.replace("\\", "").replace("\u2060", "")
    assert "[~" not in two
    ann.edit(key, description="[~ann] knows it all")
    live.settle()
    assert "all" in str(bo.field(peer, "description"))
    assert live.sync().writes == 0


def test_nobody_is_mentioned_unless_the_agreement_says_so(world):
    key, peer = pair(world)
    world.at_home().comment(key, "[~ann] please look")
    account = world.acme.site.person("bo").id
    world.at_acme().call("POST", f"/issue/{peer}/comment", {"body": mention(account, "Bo Manager")})
    world.settle()
    assert "mention" not in str([one["body"] for one in world.at_acme().comments(peer) if "(Ex" in str(one)])
    assert "[~" not in str([one["body"] for one in world.at_home().comments(key) if "(Acme" in str(one)])
    assert not world.acme.calls.matching("GET", "/user"), "nobody is looked up for nothing"


def test_somebody_who_has_left_is_a_plain_name(live):
    key, peer = pair(live)
    live.restart()
    site = live.acme.site
    account = site.person("bo")
    site.users[account.id] = replace(account, active=False)
    live.at_home().comment(key, "[~ann] please look")
    live.settle()
    (copy,) = [one.body for one in site.issue(peer).comments]
    assert "mention" not in str(copy)
    assert "please look" in str(copy)


def test_a_comment_of_somebody_anonymised_crosses(world):
    key, peer = pair(world)
    site = world.acme.site
    world.at_acme("cy").comment(peer, "still my words")
    account = site.person("cy")
    site.users[account.id] = replace(account, active=False, display_name="Former user")
    world.settle()
    (copy,) = world.at_home().comments(key)
    assert copy["body"] == "*Former user (Acme)*\n\nstill my words"


def test_a_comment_that_becomes_empty_and_one_that_vanishes_under_an_edit(world):
    key, peer = pair(world)
    ann, bo = world.at_home(), world.at_acme()
    said = bo.comment(peer, "a word")
    world.settle()
    blank = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": []}]}
    bo.call("PUT", f"/issue/{peer}/comment/{said}", {"body": blank})
    world.settle()
    (copy,) = ann.comments(key)
    assert copy["body"] == "*Bo Manager (Acme)*"
    bo.call("PUT", f"/issue/{peer}/comment/{said}", {"body": bo.text("a word again")})
    world.home.faults.add_json({"kind": "error", "status": 404, "method": "PUT", "path_regex": "/comment/"})
    world.settle()
    assert "was deleted on the internal side" in world.bridge("explain", key).stdout
    assert world.sync().writes == 0
