"""A day's work between a Jira and a real Request Tracker, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from world import Person, pass_time

from bridge.clock import SystemClock
from bridge.config import load
from bridge.daemon.house import House
from bridge.daemon.once import sync_once
from bridge.daemon.opening import close_house, open_house
from bridge.daemon.pairing import disconnect
from bridge.daemon.preflight import inspect, require
from bridge.simulator import SimulatorServer, make_home
from bridge.store.rows import Link, LinkState

pytestmark = pytest.mark.real

MAPS = """
  priority: {values: {Highest: "90", High: "70", Medium: "50", Low: "20"}, otherwise: keep}
  status:
    values: {Open: new, In Progress: open, Resolved: resolved, Closed: rejected}
    fill: {internal: {Resolved: {resolution: Fixed}}}
    via: {vendor: {new: [open]}}
  assignee: {otherwise: keep}
  severity: {internal: Severity, vendor: Severity, values: {Critical: S1, Major: S2, Minor: S3}}
"""


@contextmanager
def bridged(
    folder: Path, home: SimulatorServer, rt, queue: str, maps: str = MAPS, *, more: str = "", url: str = ""
) -> Iterator[House]:
    """The bridge between a Jira and a queue of the real Request Tracker, perhaps at another address."""
    (folder / "agreements").mkdir()
    (folder / "bridge.yaml").write_text(f"""
database: sqlite:///bridge.db
threads: 4
trackers:
  home: {{kind: jira-datacenter, url: "{home.url}", token: {{secret: home_token}}, rate: 1000, search-lag: 1s}}
  desk:
    kind: request-tracker
    url: {url or rt.url}
    token: {{secret: desk_token}}
    marker-field: External ID
    rate: 1000
    search-lag: 2s
agreements: agreements/*.yaml
""")
    (folder / "agreements" / "desk.yaml").write_text(f"""
name: desk
internal: {{tracker: home, project: OPS, company: Example Corp, on-create: {{type: Task}}}}
vendor: {{tracker: desk, project: "{queue}", company: Desk, on-create: {{requestor: carol@customer.example}}}}
create: both
people:
  - {{internal: ann@home.example, vendor: bob@tests.example}}
  - {{internal: ivan@home.example, vendor: mute@tests.example}}
fields:
  summary: {{}}
  description: {{}}
  due: {{}}
  {maps}
{more}
""")
    environ = {"BRIDGE_SECRET_HOME_TOKEN": "bridge-token", "BRIDGE_SECRET_DESK_TOKEN": rt.tokens["bridge"]}
    house = open_house(load(folder, environ=environ), SystemClock())
    try:
        yield house
    finally:
        close_house(house)


def settle(house: House) -> None:
    """Passes until one writes nothing."""
    for _ in range(6):
        done = sync_once(house)
        assert done.failures == ()
        assert done.ended("parked") == ()
        if not done.writes:
            return
    raise AssertionError("still writing after 6 passes")


def link_of(house: House, key: str) -> Link:
    """The link of a ticket."""
    with house.store.read() as tx:
        (link,) = tx.links.by_key(key)
    return link


def test_a_day_with_request_tracker_both_ways(tmp_path, rt):
    queue = rt.new_queue()
    with SimulatorServer(make_home()) as server, bridged(tmp_path, server, rt, queue) as house:
        require(house.terms)
        ann = Person(server.url, 2, headers={"Authorization": "Bearer ann-token"})
        # A ticket of ours gets its mirror in the queue.
        key = ann.create(
            "OPS",
            "Shelf is empty",
            kind="Bug",
            description="*Now* see [here|https://shop.example/a]",
            priority={"name": "High"},
            assignee={"name": "ann"},
            duedate="2027-03-01",
        )
        ann.comment(key, "first {color:red}words{color}")
        settle(house)
        peer = link_of(house, key).vendor_id
        there = rt.read_ticket(peer)
        assert (there["Subject"], there["Status"], there["Priority"]) == ("Shelf is empty", "new", "70")
        assert there["Owner"]["id"] == "bob"
        assert there["Due"] == "2027-02-28T23:00:00Z", "midnight of the account's own zone"
        assert [one["id"] for one in there["Requestor"]] == ["carol@customer.example"]
        (made,) = rt.history(peer, "Create")
        assert made["texts"] == ['<p><strong>Now</strong> see <a href="https://shop.example/a">here</a></p>']
        (reply,) = rt.history(peer, "Correspond")
        assert "Ann" in reply["texts"][0]
        assert "(Example Corp)" in reply["texts"][0]
        assert any(
            link.get("_url", "").endswith(key) for link in there["_hyperlinks"] if link["ref"] == "refers-to"
        )
        # The vendor works on it.
        rt.edit_ticket(peer, Subject="Shelf is still empty", CustomFields={"Severity": "S1"}, Status="open")
        rt.reply(peer, "We look into it:\n\n* this is <no> markup")
        rt.remark(peer, "for staff only")
        settle(house)
        fields = ann.read(key)["fields"]
        assert fields["summary"] == "Shelf is still empty"
        assert fields["status"]["name"] == "In Progress"
        assert fields["customfield_10041"]["value"] == "Critical"
        _, theirs = ann.comments(key)
        assert theirs["body"] == "*Alice Agent (Desk)*\n\nWe look into it:\n\n\\* this is <no> markup"
        # We answer and finish; the reply does not move the status, the status does.
        ann.comment(key, "{code:sql}\nselect 1\n{code}")
        settle(house)
        assert rt.read_ticket(peer)["Status"] == "open"
        ann.move(key, "Resolved", resolution={"name": "Fixed"})
        settle(house)
        assert rt.read_ticket(peer)["Status"] == "resolved"
        assert "select 1" in rt.history(peer, "Correspond")[-1]["texts"][0]
        ann.comment(key, "thanks")
        settle(house)
        assert rt.read_ticket(peer)["Status"] == "resolved", "a reply of ours opens nothing again"
        assert ann.field(key, "status") == "Resolved"
        done = sync_once(house, census=True)
        assert (done.writes, done.failures) == (0, ())
        assert inspect(house.terms).problems == ()


def test_a_ticket_of_request_tracker_and_what_cannot_be_changed_there(tmp_path, rt):
    queue = rt.new_queue()
    with SimulatorServer(make_home()) as server, bridged(tmp_path, server, rt, queue) as house:
        ann = Person(server.url, 2, headers={"Authorization": "Bearer ann-token"})
        mine = rt.new_ticket(queue, "Lamp is broken", "In aisle 4\nby the door", Priority="20")
        settle(house)
        twin = link_of(house, mine).internal_key
        assert ann.field(twin, "summary") == "Lamp is broken"
        assert ann.field(twin, "description") == "In aisle 4\nby the door"
        assert ann.field(twin, "priority") == "Low"
        # A long summary is cut to what RT keeps, and does not come back shorter.
        long = f"Lamp {'x' * 240}"
        comment = ann.comment(twin, "It is the bulb")
        ann.edit(twin, summary=long)
        settle(house)
        assert rt.read_ticket(mine)["Subject"] == long[:200]
        # What was said in RT stays: a correction follows it, and what should go or change is told.
        ann.call("PUT", f"/issue/{twin}/comment/{comment}", {"body": "It is the fuse"})
        ann.edit(twin, description="In aisle 5")
        settle(house)
        texts = [one["texts"][0] for one in rt.history(mine, "Correspond")]
        assert ["bulb" in text for text in texts] == [True, False]
        assert "(edited)" in texts[1]
        assert "fuse" in texts[1]
        assert ann.field(twin, "summary") == long
        assert ann.field(twin, "description") == "In aisle 5"
        assert len(ann.comments(twin)) == 1
        ann.call("DELETE", f"/issue/{twin}/comment/{comment}")
        settle(house)
        link = link_of(house, mine)
        assert sorted((found["kind"], found["field"]) for found in link.findings) == [
            ("fixed", ""),
            ("fixed", "description"),
        ]
        # An owner whom RT does not take at creation, in silence, is refused aloud and not taken from our side.
        with_mute = ann.create("OPS", "For mute", assignee={"name": "ivan"})
        sync_once(house)
        told = {found["kind"]: found["field"] for found in link_of(house, with_mute).findings}
        assert told == {"person-inactive": "assignee"}
        assert ann.field(with_mute, "assignee") == "ivan"
        ann.edit(with_mute, assignee=None)
        settle(house)
        # A ticket that is merged into one with a mirror of its own: nothing of that one crosses to its old peer.
        other = rt.new_ticket(queue, "All lamps")
        settle(house)
        rt.edit_ticket(mine, MergeInto=other)
        rt.reply(other, "about all of them")
        rt.edit_ticket(other, Subject="All lamps of the shop")
        ann.edit(twin, summary="Lamp again")
        done = sync_once(house, census=True)
        (parked,) = done.ended("parked")
        assert parked.link == link.id
        assert "which has a mirror of its own" in parked.reason
        assert ann.comments(twin) == []
        assert ann.field(link_of(house, other).internal_key, "summary") == "All lamps of the shop"
        assert rt.read_ticket(other)["Subject"] == "All lamps of the shop"


def test_a_link_follows_a_merged_ticket_and_ends_with_a_deleted_one(tmp_path, rt):
    queue = rt.new_queue()
    with SimulatorServer(make_home()) as server, bridged(tmp_path, server, rt, queue) as house:
        ann = Person(server.url, 2, headers={"Authorization": "Bearer ann-token"})
        ann.create("OPS", "Another")
        key = ann.create("OPS", "Shelf is empty")
        ann.comment(key, "said here")
        settle(house)
        peer = link_of(house, key).vendor_id
        rt.reply(peer, "said there")
        survivor = rt.new_ticket(queue, "Shelf")
        settle(house)
        rt.edit_ticket(peer, MergeInto=survivor)
        sync_once(house, census=True)
        (found,) = link_of(house, key).findings
        assert found["kind"] == "merged", "it has a mirror of its own"
        disconnect(house, link_of(house, survivor), "somebody")
        ann.edit(key, duedate="2027-03-01")
        settle(house)
        link = link_of(house, key)
        assert (link.vendor_id, link.state, link.findings) == (survivor, LinkState.ACTIVE, ())
        assert rt.read_ticket(survivor)["Due"].startswith("2027-02-28")
        assert ann.field(key, "summary") == "Shelf"
        rt.reply(survivor, "said afterwards")
        settle(house)
        said = [one["body"].rpartition("\n")[2] for one in ann.comments(key)]
        assert said == ["said here", "said there", "said afterwards"], (
            "nothing is taken back, nothing comes twice"
        )
        rt.call("alice", "DELETE", f"/ticket/{survivor}")
        sync_once(house, census=True)
        pass_time(house.store, 3_600)
        sync_once(house)
        assert link_of(house, key).state is LinkState.CLOSED
        assert ann.comments(key)[-1]["body"].startswith(
            f"The mirrored ticket {survivor} (Desk) was deleted there."
        )
