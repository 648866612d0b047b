"""The main job, end to end over HTTP: tickets appear, change and close on both sides."""

from __future__ import annotations

from world import FIELDS, eventually, open_world


def test_a_ticket_made_inside_appears_at_the_vendor_with_everything_that_maps(world):
    ann = world.at_home()
    key = ann.create(
        "OPS",
        "Printer on fire",
        kind="Bug",
        description="h1. Help\n* now\n* *please*",
        priority={"name": "High"},
        labels=["floor-3"],
        duedate="2026-12-01",
        assignee={"name": "ann"},
    )
    ann.comment(key, "It _smokes_.")
    world.settle()
    bo = world.at_acme()
    peer = world.peer(key)
    fields = bo.read(peer)["fields"]
    assert fields["summary"] == "Printer on fire"
    assert fields["issuetype"]["name"] == "Bug"
    assert fields["priority"]["name"] == "P2"
    assert "floor-3" in fields["labels"]
    assert fields["duedate"] == "2026-12-01"
    assert fields["assignee"]["displayName"] == "Bo Manager"
    assert fields["status"]["name"] == "To Do"
    heading, items = fields["description"]["content"]
    assert heading["type"] == "heading"
    assert items["type"] == "bulletList"
    (comment,) = bo.comments(peer)
    attribution, body = comment["body"]["content"]
    assert attribution["content"][0]["text"] == "Ann Owner (Example Corp)"
    assert {"type": "em"} in body["content"][1]["marks"]


def test_both_tickets_carry_a_link_that_people_can_click(world):
    key = world.at_home().create("OPS", "Linked")
    world.settle()
    peer = world.peer(key)
    (here,) = world.at_home().call("GET", f"/issue/{key}/remotelink")
    (there,) = world.at_acme().call("GET", f"/issue/{peer}/remotelink")
    assert here["object"]["url"] == f"{world.acme.url}/browse/{peer}"
    assert there["object"]["url"] == f"{world.home.url}/browse/{key}"
    assert "Linked" not in there["object"]["title"], "a summary may not be allowed to cross"


def test_a_ticket_made_by_the_vendor_appears_inside(world):
    key = world.at_acme().create("CUST", "Certificate expires", kind="Incident", priority={"name": "P1"})
    world.settle()
    assert world.at_home().field(world.peer(key), "priority") == "Highest"


def test_a_status_is_reached_through_the_workflow_and_its_screens(world):
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Solve me")
    world.settle()
    peer = world.peer(key)
    ann.move(key, "In Progress")
    world.settle()
    assert bo.field(peer, "status") == "In Progress"
    bo.move(peer, "In Review")
    bo.move(peer, "Done")
    world.settle()
    assert ann.field(key, "status") == "Resolved"
    assert ann.field(key, "resolution") == "Fixed"
    ann.move(key, "Closed")
    world.settle()
    assert bo.field(peer, "status") == "Done", "Closed and Done already agree: nothing to do"


def test_a_long_way_is_walked_step_by_step(world):
    ann = world.at_home()
    key = ann.create("OPS", "Solved at once")
    world.settle()
    ann.move(key, "Resolved", resolution={"name": "Fixed"})
    world.settle()
    changes = world.at_acme("bridge").call("GET", f"/issue/{world.peer(key)}/changelog")["values"]
    steps = [item["toString"] for change in changes for item in change["items"] if item["field"] == "status"]
    assert steps == ["In Progress", "In Review", "Done"]


def test_comments_are_made_edited_and_deleted_both_ways(world):
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Talk")
    world.settle()
    peer = world.peer(key)
    mine = ann.comment(key, "first from inside")
    theirs = bo.comment(peer, "first from the vendor")
    world.settle()
    assert len(ann.comments(key)) == len(bo.comments(peer)) == 2
    assert "Bo Manager (Acme)" in ann.comments(key)[1]["body"]
    ann.call("PUT", f"/issue/{key}/comment/{mine}", {"body": "first, better said"})
    world.settle()
    copy = next(one for one in bo.comments(peer) if one["id"] != theirs)
    assert copy["body"]["content"][1]["content"][0]["text"] == "first, better said"
    bo.call("DELETE", f"/issue/{peer}/comment/{theirs}")
    world.settle()
    assert [one["id"] for one in ann.comments(key)] == [mine]


def test_a_private_comment_never_crosses_and_one_made_private_is_taken_back(world):
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Secrets")
    world.settle()
    peer = world.peer(key)
    only_us = {"visibility": {"type": "role", "value": "Developers"}}
    ann.comment(key, "between us", **only_us)
    public = ann.comment(key, "for all")
    world.settle()
    assert len(bo.comments(peer)) == 1
    ann.call("PUT", f"/issue/{key}/comment/{public}", {"body": "for all", **only_us})
    world.settle()
    assert bo.comments(peer) == []


def test_a_comment_made_public_again_crosses_again(world):
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "On second thoughts")
    said = ann.comment(key, "for all")
    world.settle()
    peer = world.peer(key)
    only_us = {"visibility": {"type": "role", "value": "Developers"}}
    ann.call("PUT", f"/issue/{key}/comment/{said}", {"body": "for all", **only_us})
    world.settle()
    assert bo.comments(peer) == []
    ann.call("PUT", f"/issue/{key}/comment/{said}", {"body": "for all again", "visibility": None})
    world.settle()
    (copy,) = bo.comments(peer)
    assert copy["body"]["content"][1]["content"][0]["text"] == "for all again"
    ann.call("PUT", f"/issue/{key}/comment/{said}", {"body": "and again"})
    world.settle()
    (copy,) = bo.comments(peer)
    assert copy["body"]["content"][1]["content"][0]["text"] == "and again"


def test_a_comment_made_private_before_it_crossed_does_not_cross(world):
    """The search saw it public; what counts is what its author's tracker says when it is about to leave."""
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Just in time")
    world.settle()
    said = ann.comment(key, "oh no")
    world.home.site.set_lag(60_000)
    only_us = {"visibility": {"type": "role", "value": "Developers"}}
    ann.call("PUT", f"/issue/{key}/comment/{said}", {"body": "oh no", **only_us})
    world.settle()
    assert bo.comments(world.peer(key)) == []


def test_a_walk_that_stops_halfway_does_not_come_back_as_the_vendors_change(tmp_path):
    fields = FIELDS.replace("[In Progress, In Review]", "[In Progress]")
    with open_world(tmp_path, fields=fields) as world:
        ann = world.at_home()
        key = ann.create("OPS", "Halfway")
        world.settle()
        ann.move(key, "Resolved", resolution={"name": "Fixed"})
        world.settle()
        world.restart()
        world.settle()
        assert ann.field(key, "status") == "Resolved", "what people did stands"
        assert world.at_acme().field(world.peer(key), "status") == "In Progress"
        assert "no known way from 'In Progress' to 'Done'" in world.bridge("status").stdout
        agreement = tmp_path / "agreements" / "acme.yaml"
        agreement.write_text(agreement.read_text().replace("[In Progress]", "[In Progress, In Review]"))
        world.restart()
        ann.edit(key, summary="Halfway no more")
        world.settle()
        assert world.at_acme().field(world.peer(key), "status") == "Done"


def test_a_corrected_word_does_not_cost_the_vendor_an_image(world):
    bo = world.at_acme()
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": "The lamp is brokn."}]}
    image = {
        "type": "mediaSingle",
        "attrs": {"layout": "center"},
        "content": [{"type": "media", "attrs": {"type": "external", "url": "https://acme.example/lamp.png"}}],
    }
    text = {"type": "doc", "version": 1, "content": [paragraph, image]}
    key = bo.create("CUST", "Lamp", description=text)
    world.settle()
    peer = world.peer(key)
    ann = world.at_home()
    there = ann.field(peer, "description")
    ann.edit(peer, description=there.replace("brokn", "broken"))
    world.settle()
    after = bo.field(key, "description")["content"]
    assert after[0]["content"][0]["text"] == "The lamp is broken."
    assert after[1]["type"] == "mediaSingle"


def test_an_edit_under_the_integration_account_crosses_like_any_other(world):
    key = world.at_home().create("OPS", "Before")
    world.settle()
    peer = world.peer(key)
    robot = world.at_acme("bridge")
    robot.edit(peer, summary="After, by a person using the bridge's login")
    robot.comment(peer, "and a comment by the same")
    world.settle()
    assert world.at_home().field(key, "summary") == "After, by a person using the bridge's login"
    (copy,) = world.at_home().comments(key)
    assert "and a comment by the same" in copy["body"]


def test_after_agreement_a_further_pass_writes_nothing_and_asks_each_side_once(world):
    key = world.at_home().create("OPS", "Quiet")
    world.at_home().comment(key, "hush")
    world.settle()
    world.sync()
    before = len(world.calls())
    assert world.sync().writes == 0
    after = world.calls()[before:]
    world_calls = [call.endpoint for call in world.calls()][before:]
    assert len(world_calls) == len(after) == 2


def test_a_lost_memory_of_the_process_changes_nothing(world):
    key = world.at_home().create("OPS", "Remember")
    world.settle()
    world.restart()
    world.at_acme().edit(world.peer(key), summary="Remembered")
    world.restart()
    world.settle()
    assert world.at_home().field(key, "summary") == "Remembered"
    assert len(world.home.site.issues) == len(world.acme.site.issues) == 1


def test_the_daemon_mirrors_while_people_work_and_stops_cleanly(world):
    ann, bo = world.at_home(), world.at_acme()
    with world.daemon() as daemon:
        key = ann.create("OPS", "Live")
        peer = eventually(lambda: [one.key for one in world.acme.site.issues.values()])[0]
        ann.edit(key, summary="Live and well")
        eventually(lambda: bo.field(peer, "summary") == "Live and well")
        bo.comment(peer, "seen")
        eventually(lambda: len(ann.comments(key)) == 1)
        daemon.terminate()
        assert daemon.wait(timeout=35) == 0
    events = [line["event"] for line in world.log()]
    assert events[-1] == "daemon_stopped"
    assert "link_synced" in events
