"""What happens to tickets over the years: moved, deleted, archived, retyped, reopened; people who leave."""

from __future__ import annotations

import json
import time

import pytest
from world import open_world, plain

from bridge.daemon.hints import Hint, HintDesk
from bridge.daemon.once import work_off
from bridge.daemon.vanishing import APART, APART_WHEN_TOLD
from bridge.daemon.worker import Worker
from bridge.simulator import Fault, add_project, move
from bridge.store.rows import LinkState
from bridge.sync.ticket import Side

HOUR = 3_600


@pytest.fixture
def pair(world):
    """Two mirrored tickets: the one that things happen to, and another one that shows that all else is well."""
    ann = world.at_home()
    ann.create("OPS", "Another")
    key = ann.create("OPS", "This one")
    world.settle()
    return key, world.peer(key)


def the_link(world, key):
    """The link of a ticket, as stored."""
    with world.records() as tx:
        (link,) = tx.links.by_key(key)
        return link


def kinds(world, key):
    """The kinds of a link's findings."""
    return [finding["kind"] for finding in the_link(world, key).findings]


def delete(world, side, key):
    """Somebody deletes a ticket for good."""
    person = world.at_home("admin") if side is Side.INTERNAL else world.at_acme("admin")
    person.call("DELETE", f"/issue/{key}")


def tell(world, ticket):
    """A webhook of the vendor's says that a ticket was deleted."""
    desk = HintDesk(world.house, wake=lambda *_: None, later=lambda _: None, nudge=lambda *_: None)
    assert desk.take(Hint("acme", str(time.monotonic()), (ticket,), deleted=True))


def words(world, side, key):
    """What the comments of a ticket say."""
    site = world.home.site if side is Side.INTERNAL else world.acme.site
    return [plain(comment.body) for comment in site.issue(key).comments]


@pytest.mark.parametrize("side", list(Side))
def test_a_deleted_ticket_is_told_on_its_peer_once_it_is_sure_and_the_link_ends(world, pair, side):
    key, peer = pair
    gone, left = (key, peer) if side is Side.INTERNAL else (peer, key)
    company = "Example Corp" if side is Side.INTERNAL else "Acme"
    delete(world, side, gone)
    world.sync(census=True)
    assert the_link(world, gone).state is LinkState.PARKED
    assert kinds(world, gone) == ["gone"]
    world.restart()
    world.later(APART - 60)
    world.sync()
    assert the_link(world, gone).state is LinkState.PARKED, "a second look too soon proves nothing"
    assert words(world, side.other, left) == []
    world.restart()
    world.later(120)
    world.sync()
    assert the_link(world, gone).state is LinkState.CLOSED
    told = f"The mirrored ticket {gone} ({company}) was deleted there. This ticket stays; nothing crosses any more."
    assert words(world, side.other, left) == [told]
    assert {"event": "link.closed", "why": "deleted"} in world.journal(gone)
    # And that is all, for ever: no delete, no new mirror, no second word, whatever people do to the one that is left.
    site = world.acme.site if side is Side.INTERNAL else world.home.site
    person = world.at_acme() if side is Side.INTERNAL else world.at_home()
    person.edit(left, summary="Mine alone")
    person.comment(left, "Said to nobody")
    world.restart()
    world.sync(census=True)
    world.settle()
    assert site.issue(left).values["summary"] == "Mine alone"
    assert [len(server.site.issues) for server in (world.home, world.acme)] == (
        [1, 2] if side is Side.INTERNAL else [2, 1]
    )
    shown = world.typed("explain", gone).stdout
    assert "the link has ended" in shown


def test_a_ticket_that_is_hidden_together_with_everything_else_is_never_taken_for_deleted(world, pair):
    key, _ = pair
    world.acme.site.revoke("bridge", "BROWSE_PROJECTS")
    for _ in range(4):
        world.at_home().edit(key, summary="Meanwhile")
        world.sync(census=True)
        world.later(HOUR)
    world.sync()
    assert the_link(world, key).state is LinkState.PARKED
    world.acme.site.restore("bridge", "BROWSE_PROJECTS")
    world.later(0)
    world.settle()
    assert world.judge() == 2


def test_a_project_that_is_hidden_is_not_asked_about_each_of_its_tickets(world):
    for number in range(5):
        world.at_home().create("OPS", f"No {number}")
    world.settle()
    world.acme.site.revoke("bridge", "BROWSE_PROJECTS")
    for number in range(1, 6):
        world.at_home().edit(f"OPS-{number}", labels=["woken"])
    world.sync()
    assert {link.state for link in world.links()} == {LinkState.PARKED}
    world.later(0)
    before = world.acme.calls.last
    assert {report.ending for report in work_off(world.house)} == {"parked"}
    assert [call.endpoint for call in world.acme.calls.since(before)] == ["/issue/bulkfetch"] * 5


def test_an_only_ticket_counts_as_deleted_only_where_its_project_can_still_be_seen(world):
    key = world.at_home().create("OPS", "All there is")
    world.settle()
    peer = world.peer(key)
    world.acme.site.revoke("bridge", "BROWSE_PROJECTS")
    world.at_home().edit(key, labels=["woken"])
    for _ in range(3):
        world.sync()
        world.later(HOUR)
    assert the_link(world, key).state is LinkState.PARKED
    world.acme.site.restore("bridge", "BROWSE_PROJECTS")
    delete(world, Side.VENDOR, peer)
    world.restart()
    world.later(HOUR)
    world.sync()
    assert the_link(world, key).state is LinkState.PARKED, "the count began anew when the project came back"
    world.later(HOUR)
    world.sync()
    assert the_link(world, key).state is LinkState.CLOSED


def test_a_dead_login_concludes_nothing(world, pair):
    key, _ = pair
    delete(world, Side.VENDOR, pair[1])
    world.sync(census=True)
    world.acme.site.expire_logins("bridge")
    world.later(HOUR)
    assert Worker(world.house).sync(the_link(world, key).id).ending == "postponed"
    assert the_link(world, key).state is LinkState.PARKED
    assert words(world, Side.INTERNAL, key) == []


def test_word_of_a_delete_makes_it_sure_sooner_but_is_not_believed_by_itself(world, pair):
    key, peer = pair
    ticket = the_link(world, key).vendor_id
    tell(world, ticket)
    world.sync()
    assert the_link(world, key).state is LinkState.ACTIVE, "it is still there"
    delete(world, Side.VENDOR, peer)
    tell(world, ticket)
    world.sync()
    assert the_link(world, key).state is LinkState.PARKED
    assert the_link(world, key).next_try - world.house.clock.now() <= APART_WHEN_TOLD * 1_000_000
    world.later(APART_WHEN_TOLD + 1)
    world.sync()
    assert the_link(world, key).state is LinkState.CLOSED


def test_the_word_on_the_peer_is_said_once_even_if_its_answer_is_lost_and_the_bridge_restarts(world, pair):
    key, peer = pair
    delete(world, Side.VENDOR, peer)
    world.sync(census=True)
    world.home.faults.add(Fault("apply-then-drop", "POST", "/comment$"))
    world.later(HOUR)
    world.sync()
    world.restart()
    world.later(0)
    world.settle()
    assert the_link(world, key).state is LinkState.CLOSED
    assert len(words(world, Side.INTERNAL, key)) == 1


@pytest.mark.parametrize(
    ("policy", "told", "status"), [("keep", 0, "To Do"), ("{close: {vendor: Done}}", 1, "Done")]
)
def test_the_agreement_says_what_becomes_of_the_peer(tmp_path, policy, told, status):
    with open_world(tmp_path, more=f"deleted: {policy}") as world:
        assert "mistake" not in world.typed("check").stdout
        world.at_home().create("OPS", "Another")
        key = world.at_home().create("OPS", "To be deleted")
        world.settle()
        peer = world.peer(key)
        delete(world, Side.INTERNAL, key)
        world.sync(census=True)
        world.later(HOUR)
        world.sync()
        assert the_link(world, peer).state is LinkState.CLOSED
        assert len(words(world, Side.VENDOR, peer)) == told
        assert world.at_acme().field(peer, "status") == status


def test_a_status_for_the_peer_that_does_not_exist_is_a_mistake_of_the_configuration(tmp_path):
    with open_world(tmp_path, more="deleted: {close: {vendor: Dome}}") as world:
        checked = world.typed("check")
        assert checked.returncode == 1
        assert (
            "deleted.close.vendor: 'Dome' is no status in project CUST of 'acme' (did you mean 'Done'?)"
            in checked.stdout
        )


def test_a_deleted_ticket_that_comes_back_is_told_and_mirrored_again_when_a_person_says_so(world, pair):
    key, peer = pair
    backup = world.acme.site.backup()
    delete(world, Side.VENDOR, peer)
    world.sync(census=True)
    world.later(HOUR)
    world.sync()
    assert the_link(world, key).state is LinkState.CLOSED
    world.acme.site.restore_backup(backup)
    world.sync(census=True)
    world.settle()
    assert kinds(world, key) == ["returned"]
    assert len(world.acme.site.issues) == len(world.home.site.issues) == 2, "no new mirror"
    (told,) = json.loads(world.typed("status", "--json").stdout)["findings"]
    assert f"'bridge link {key} {peer}' mirrors it again" in told["reason"]
    linked = world.typed("link", key, peer, "--yes")
    assert linked.returncode == 0, linked.stderr
    world.at_home().edit(key, summary="Together again")
    world.settle()
    assert world.at_acme().field(peer, "summary") == "Together again"
    assert len(words(world, Side.VENDOR, peer)) == 0, (
        "the word about the delete is not carried to the other side"
    )


def test_a_look_from_before_the_tickets_were_linked_again_counts_for_nothing(world, pair):
    key, peer = pair
    backup = world.acme.site.backup()
    delete(world, Side.VENDOR, peer)
    world.sync(census=True)
    assert kinds(world, key) == ["gone"]
    assert world.typed("unlink", key).returncode == 0
    world.acme.site.restore_backup(backup)
    assert world.typed("link", key, peer, "--yes").returncode == 0
    world.settle()
    delete(world, Side.VENDOR, peer)
    world.later(APART + 60)
    world.sync(census=True)
    assert the_link(world, key).state is LinkState.PARKED, "this is the first look that misses it"


@pytest.mark.parametrize("side", list(Side))
def test_a_ticket_moved_out_of_the_project_stops_crossing_until_it_is_back(world, pair, side):
    key, peer = pair
    gone, left = (key, peer) if side is Side.INTERNAL else (peer, key)
    server = world.home if side is Side.INTERNAL else world.acme
    there, here = (
        (world.at_home(), world.at_acme()) if side is Side.INTERNAL else (world.at_acme(), world.at_home())
    )
    home_project = server.site.issue(gone).project
    add_project(server.site, "SECRET")
    moved = move(server.site, gone, "SECRET", "admin").key
    there.edit(moved, summary="Not for them")
    there.comment(moved, "Nor this")
    world.sync()
    link = the_link(world, left)
    assert link.key(side) == moved
    assert link.state is LinkState.PARKED
    assert kinds(world, left) == ["moved-out"], "a poll has seen it go"
    here.edit(left, duedate="2027-01-01")
    here.comment(left, "Hello?")
    world.restart()
    world.sync(census=True)
    world.later(HOUR)
    world.sync()
    assert here.field(left, "summary") == "This one"
    assert words(world, side.other, left) == ["Hello?"]
    assert there.field(moved, "duedate") is None
    assert there.field(moved, "summary") == "Not for them"
    back = move(server.site, moved, home_project, "admin").key
    there.edit(back, summary="For them again")
    world.settle()
    assert the_link(world, left).state is LinkState.ACTIVE
    assert here.field(left, "summary") == "For them again"
    assert there.field(back, "duedate") == "2027-01-01"
    told = [entry["to"] for entry in world.journal(left) if entry["event"] == "ticket.moved"]
    assert told == [moved, back]


def test_what_becomes_of_a_ticket_after_it_has_left_the_project_is_not_told(world, pair):
    key, peer = pair
    add_project(world.home.site, "SECRET")
    moved = move(world.home.site, key, "SECRET", "admin").key
    world.sync()
    delete(world, Side.INTERNAL, moved)
    world.later(0)
    world.sync()
    world.later(HOUR)
    world.sync()
    assert the_link(world, peer).state is LinkState.CLOSED
    assert words(world, Side.VENDOR, peer) == []


def test_a_ticket_that_had_left_the_project_is_not_told_of_after_a_time_in_which_nothing_could_be_seen(
    world, pair
):
    key, peer = pair
    add_project(world.home.site, "SECRET")
    moved = move(world.home.site, key, "SECRET", "admin").key
    world.sync()
    world.home.site.revoke("bridge", "BROWSE_PROJECTS")
    world.restart()
    world.later(0)
    world.sync()
    assert kinds(world, peer) == ["gone"]
    world.home.site.restore("bridge", "BROWSE_PROJECTS")
    delete(world, Side.INTERNAL, moved)
    world.restart()
    for _ in range(3):
        world.later(HOUR)
        world.sync()
    assert the_link(world, peer).state is LinkState.CLOSED
    assert words(world, Side.VENDOR, peer) == []


def test_a_ticket_that_has_left_before_its_mirror_was_made_gets_none(world):
    add_project(world.home.site, "SECRET")
    world.acme.faults.add(
        Fault("error", "POST", "/issue$", status=422, body={"errorMessages": ["Later."], "errors": {}})
    )
    key = world.at_home().create("OPS", "Gone too soon")
    world.sync()
    moved = move(world.home.site, key, "SECRET", "admin").key
    world.later(0)
    world.sync()
    assert kinds(world, moved) == ["moved-out"]
    assert world.acme.site.issues == {}


def test_an_archived_ticket_is_not_taken_for_deleted_and_goes_on_once_restored(world, pair):
    key, peer = pair
    world.at_home("admin").call("PUT", f"/issue/{key}/archive")
    world.at_acme().edit(peer, summary="Changed meanwhile")
    world.sync(census=True)
    for _ in range(3):
        world.later(HOUR)
        world.sync()
    assert the_link(world, key).state is LinkState.PARKED
    assert kinds(world, key) == ["archived"]
    assert words(world, Side.VENDOR, peer) == []
    world.at_home("admin").call("PUT", f"/issue/{key}/restore")
    world.later(0)
    world.settle()
    assert world.judge() == 2


def test_a_person_who_has_left_keeps_nothing_else_from_crossing_and_is_not_tried_all_the_time(world, pair):
    key, peer = pair
    for person in ("ann", None):
        world.at_home().edit(key, assignee=person and {"name": person})
        world.settle()
    world.acme.site.deactivate("bo")
    rule = world.acme.faults.add(Fault("slow", "PUT", "/issue/", body_regex="assignee", times=None))
    world.at_home().edit(key, assignee={"name": "ann"}, summary="Assigned")
    world.sync()
    cy = world.at_acme("cy")
    assert cy.field(peer, "summary") == "Assigned"
    link = the_link(world, key)
    assert link.state is LinkState.ACTIVE
    ((told,),) = (link.findings,)
    assert (told["kind"], told["field"], told["side"]) == ("person-inactive", "assignee", "vendor")
    assert "cannot be assigned issues" in told["message"]
    assert link.due_at - world.house.clock.now() > 3_000 * 1_000_000, "tried again in an hour"
    assert rule.fired == 1
    for _ in range(3):
        world.sync()
    assert rule.fired == 1
    assert world.typed("status").returncode == 1
    world.acme.site.deactivate("bo", active=True)
    world.at_home().comment(key, "She is back")
    world.settle()
    assert cy.read(peer)["fields"]["assignee"]["displayName"] == "Bo Manager"
    assert kinds(world, key) == []


def test_a_mirror_is_made_without_a_person_who_has_left(world):
    world.acme.site.deactivate("bo")
    key = world.at_home().create("OPS", "Hers", assignee={"name": "ann"})
    world.sync()
    assert kinds(world, key) == ["person-inactive"]
    assert world.at_acme("cy").field(world.peer(key), "assignee") is None


def test_a_change_of_type_crosses_and_so_does_a_reopening(world, pair):
    key, peer = pair
    ann, bo = world.at_home(), world.at_acme()
    ann.edit(key, issuetype={"name": "Incident"})
    ann.move(key, "Resolved", resolution={"name": "Fixed"})
    world.settle()
    assert (bo.field(peer, "issuetype"), bo.field(peer, "status")) == ("Incident", "Done")
    ann.move(key, "Reopened")
    world.settle()
    assert bo.field(peer, "status") == "To Do"
    bo.edit(peer, issuetype={"name": "Bug"})
    world.settle()
    assert ann.field(key, "issuetype") == "Bug"
    assert world.judge() == 2
