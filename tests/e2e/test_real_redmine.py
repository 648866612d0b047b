"""The main job against a real Redmine: real Jira issues, then a day's work both ways.

Every third of the 250 issues is enough for each ``make test``, because a real Redmine takes its time; ``BRIDGE_ISSUES``
says how many there are at least, and ``make soak`` asks for all.
"""

from __future__ import annotations

import os
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
from bridge.daemon.preflight import require
from bridge.markup import read, words
from bridge.simulator import SimulatorServer, make_home
from bridge.simulator import load as load_issues
from bridge.simulator import read as read_issues
from bridge.store.rows import LinkState
from bridge.sync.mapping import carry_text
from bridge.sync.ticket import Side

pytestmark = pytest.mark.real

TYPES = {
    "Bug": "Bug",
    "Improvement": "Feature",
    "New Feature": "Feature",
    "Task": "Feature",
    "Sub-task": "Feature",
}
TYPES |= {"Test": "Feature", "Umbrella": "Feature", "Dependency upgrade": "Feature"}
PRIORITIES = {
    "Blocker": "Immediate",
    "Critical": "Urgent",
    "Major": "High",
    "Minor": "Normal",
    "Trivial": "Low",
}
STATUSES = {
    "Open": "New",
    "In Progress": "In Progress",
    "Patch Available": "Feedback",
    "Resolved": "Resolved",
}


ISSUES = int(os.environ.get("BRIDGE_ISSUES", "80"))


@contextmanager
def bridged(
    folder: Path, home: SimulatorServer, redmine, project: str, maps: str, *, more: str = ""
) -> Iterator[House]:
    """The bridge between a Jira and a project of the real Redmine."""
    (folder / "agreements").mkdir()
    (folder / "bridge.yaml").write_text(f"""
database: sqlite:///bridge.db
threads: 4
trackers:
  home: {{kind: jira-datacenter, url: "{home.url}", token: {{secret: home_token}}, rate: 1000, search-lag: 1s}}
  shop:
    kind: redmine
    url: {redmine.url}
    token: {{secret: shop_key}}
    marker-field: External ID
    rate: 1000
    search-lag: 2s
agreements: agreements/*.yaml
""")
    (folder / "agreements" / "shop.yaml").write_text(f"""
name: shop
internal: {{tracker: home, project: OPS, company: Example Corp}}
vendor: {{tracker: shop, project: {project}, company: Shop}}
create: both
fields:
  summary: {{}}
  description: {{}}
  due: {{}}
  {maps}
{more}
""")
    environ = {"BRIDGE_SECRET_HOME_TOKEN": "bridge-token", "BRIDGE_SECRET_SHOP_KEY": redmine.keys["bridge"]}
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
        if not done.writes:
            return
    raise AssertionError("still writing after 6 passes")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_real_issues_and_all_their_comments_are_mirrored_to_redmine(tmp_path, redmine):
    folder = os.environ.get("BRIDGE_DATA")
    if not folder:
        pytest.skip("BRIDGE_DATA does not name the folder with apache-issues.jsonl")
    every = read_issues(Path(folder) / "apache-issues.jsonl")
    issues = every[:: max(1, len(every) // ISSUES)]
    assert ISSUES <= len(issues) <= len(every) == 250
    home = make_home()
    load_issues(home, issues, project="OPS")
    maps = f"""
  type: {{values: {TYPES}, otherwise: keep}}
  priority: {{values: {PRIORITIES}, otherwise: keep}}
  status: {{values: {STATUSES}, otherwise: keep}}
"""
    project = redmine.new_project()
    with SimulatorServer(home) as server, bridged(tmp_path, server, redmine, project, maps) as house:
        done = sync_once(house)
        assert done.failures == ()
        assert done.ended("parked") == ()
        settle(house)
        agreement = house.terms.agreement("shop")
        assert agreement is not None
        with house.store.read() as tx:
            links = tx.links.list()
            pairs = [pair for link in links for pair in tx.comments.list(link.id) if pair.origin_id]
        said = sum(issue["fields"]["comment"]["total"] for issue in issues)
        assert len(links) == len(issues)
        assert len({pair.copy_id for pair in pairs}) == len(pairs) == said > ISSUES / 2
        ours = {row["id"]: row["fields"] for row in issues}
        for link in links:
            here, there = ours[link.internal_id], redmine.read_issue(link.vendor_id)
            assert there["subject"] == " ".join(here["summary"].split())[:255].rstrip()
            assert there["tracker"]["name"] == TYPES[here["issuetype"]["name"]]
            assert there["priority"]["name"] == PRIORITIES[here["priority"]["name"]]
            assert there["status"]["name"] == STATUSES[here["status"]["name"]]
            assert there.get("due_date") == here.get("duedate")
            text = carry_text(agreement, read("wiki", here.get("description")), Side.VENDOR).value
            assert words(read("markdown", there.get("description"))) == words(text)
            notes = [journal for journal in there["journals"] if journal.get("notes")]
            assert len(notes) == here["comment"]["total"] + 1, "every comment, and the link back"
        again = sync_once(house, census=True)
        assert again.writes == 0
        assert again.failures == ()


def test_a_day_with_redmine_both_ways(tmp_path, redmine):
    maps = """
  type: {values: {Bug: Bug, Task: Feature, Incident: Support}, otherwise: keep}
  priority: {values: {Highest: Urgent, High: High, Medium: Normal, Low: Low}, otherwise: keep}
  status:
    values: {Open: New, In Progress: In Progress, Resolved: Resolved, Closed: Closed}
    fill: {internal: {Resolved: {resolution: Fixed}}}
  severity: {internal: Severity, vendor: Severity, values: {Critical: S1, Major: S2, Minor: S3}}
"""
    project = redmine.new_project()
    with SimulatorServer(make_home()) as server, bridged(tmp_path, server, redmine, project, maps) as house:
        require(house.terms)
        ann = Person(server.url, 2, headers={"Authorization": "Bearer ann-token"})
        key = ann.create(
            "OPS", "Shelf is empty", kind="Bug", description="*Now* see [here|https://shop.example/a]"
        )
        settle(house)
        with house.store.read() as tx:
            (link,) = tx.links.by_key(key)
        peer = link.vendor_id
        assert redmine.read_issue(peer)["description"] == "**Now** see [here](https://shop.example/a)"
        redmine.edit_issue(peer, subject="Shelf is still empty", notes="We **look** into it.")
        severity = [{"id": redmine.fields["Severity"], "value": "S1"}]
        redmine.edit_issue(peer, custom_fields=severity)
        in_progress = redmine.call("alice", "GET", "/issue_statuses.json")["issue_statuses"]
        redmine.edit_issue(
            peer, status_id=next(one["id"] for one in in_progress if one["name"] == "In Progress")
        )
        settle(house)
        fields = ann.read(key)["fields"]
        assert fields["summary"] == "Shelf is still empty"
        assert fields["status"]["name"] == "In Progress"
        assert fields["customfield_10041"]["value"] == "Critical"
        (comment,) = ann.comments(key)
        assert comment["body"] == "*Alice Agent (Shop)*\n\nWe *look* into it."
        ann.comment(key, "{code:sql}\nselect 1\n{code}")
        ann.move(key, "Resolved", resolution={"name": "Fixed"})
        settle(house)
        there = redmine.read_issue(peer)
        assert there["status"]["name"] == "Resolved"
        assert any("select 1" in (journal.get("notes") or "") for journal in there["journals"])
        mine = redmine.new_issue(project, "Lamp is broken", description="In _aisle_ 4")
        settle(house)
        with house.store.read() as tx:
            (link,) = tx.links.by_key(mine)
        assert ann.field(link.internal_key, "summary") == "Lamp is broken"
        assert ann.field(link.internal_key, "description") == "In _aisle_ 4"
        assert sync_once(house, census=True).writes == 0


def test_files_and_the_texts_that_show_them_cross_both_ways(tmp_path, redmine):
    from test_attachments import PNG, attach, files
    from test_redmine_files import upload
    from world import Person

    project = redmine.new_project()
    maps = "type: {values: {Bug: Bug, Task: Feature}, otherwise: keep}"
    more = "attachments: {cross: both}"
    with (
        SimulatorServer(make_home()) as server,
        bridged(tmp_path, server, redmine, project, maps, more=more) as house,
    ):
        ann = Person(server.url, 2, headers={"Authorization": "Bearer ann-token"})
        key = ann.create("OPS", "Shelf plan", kind="Bug", description="See !shelf plan.png!")
        attach(ann, key, "shelf plan.png", PNG, "image/png")
        attach(ann, key, "empty.txt", b"")
        settle(house)
        with house.store.read() as tx:
            (link,) = tx.links.by_key(key)
        peer = link.vendor_id

        def theirs():
            issue = redmine.call("alice", "GET", f"/issues/{peer}.json", include="attachments")["issue"]
            return {one["filename"]: one["filesize"] for one in issue["attachments"]}

        assert theirs() == {"shelf plan.png": len(PNG), "empty.txt": 0}
        assert redmine.read_issue(peer)["description"] == "See ![](<shelf plan.png>)"
        upload(redmine, peer, "answer.png", PNG, notes="Like this: ![](answer.png)", who="bob")
        upload(redmine, peer, "price.txt", b"secret", notes="for us", private_notes=True)
        settle(house)
        assert set(files(server, key)) == {"shelf plan.png", "empty.txt", "answer.png"}
        assert files(server, key)["answer.png"] == PNG
        assert ann.comments(key)[0]["body"].endswith("Like this: !answer.png!")
        first = next(one for one in server.site.issue(key).attachments if one["filename"] == "empty.txt")
        ann.call("DELETE", f"/attachment/{first['id']}")
        settle(house)
        assert set(theirs()) == {"shelf plan.png", "answer.png", "price.txt"}
        assert sync_once(house, census=True).writes == 0


def test_redmine_tickets_that_move_are_hidden_or_deleted(tmp_path, redmine):
    project, open_to_us, secret = (
        redmine.new_project(),
        redmine.new_project(),
        redmine.new_project(people=("alice",)),
    )
    with (
        SimulatorServer(make_home()) as server,
        bridged(tmp_path, server, redmine, project, "type: {values: {Task: Feature}}") as house,
    ):
        ann = Person(server.url, 2, headers={"Authorization": "Bearer ann-token"})
        another, key = (ann.create("OPS", summary) for summary in ("Another", "Shelf is empty"))
        settle(house)

        def link_of(name):
            with house.store.read() as tx:
                (link,) = tx.links.by_key(name)
            return link

        def kinds():
            return [finding["kind"] for finding in link_of(key).findings]

        def move(to):
            redmine.call("admin", "PUT", f"/issues/{peer}.json", {"issue": {"project_id": to}})

        peer = link_of(key).vendor_id
        move(open_to_us)
        redmine.edit_issue(peer, subject="Not for them")
        sync_once(house)
        assert kinds() == ["moved-out"], "a poll has seen it go"
        ann.edit(key, duedate="2027-03-01")
        sync_once(house, census=True)
        assert ann.field(key, "summary") == "Shelf is empty"
        assert "due_date" not in {name for name, value in redmine.read_issue(peer).items() if value}
        move(project)
        pass_time(house.store, 0)
        settle(house)
        assert kinds() == []
        assert ann.field(key, "summary") == "Not for them"
        assert redmine.read_issue(peer)["due_date"] == "2027-03-01"
        move(secret)
        for _ in range(3):
            sync_once(house, census=True)
            pass_time(house.store, 3_600)
        sync_once(house)
        assert kinds() == ["gone"], "403: it is there, but not for us"
        redmine.call("admin", "DELETE", f"/issues/{peer}.json")
        for _ in range(2):
            pass_time(house.store, 3_600)
            sync_once(house)
        assert link_of(key).state is LinkState.CLOSED
        assert [one["body"] for one in ann.comments(key)] == [
            f"The mirrored ticket {peer} (Shop) was deleted there. This ticket stays; nothing crosses any more."
        ]
        assert link_of(another).state is LinkState.ACTIVE


def test_parents_and_relations_cross_both_ways(tmp_path, redmine):
    maps = """
  type: {values: {Task: Feature, Sub-task: Bug}, otherwise: keep}
  priority: {values: {Medium: Normal}, otherwise: keep}
relations:
  parent: true
  links: {Blocks: blocks, Relates: relates, Duplicate: {vendor: copied_to, reversed: true}}
"""
    project = redmine.new_project(bridge="alice")
    with SimulatorServer(make_home()) as server, bridged(tmp_path, server, redmine, project, maps) as house:
        require(house.terms)
        ann = Person(server.url, 2, headers={"Authorization": "Bearer ann-token"})
        one, two, three = (ann.create("OPS", summary) for summary in ("One", "Two", "Three"))
        part = ann.create("OPS", "Part", kind="Sub-task", parent={"key": one})

        def peer(key: str) -> str:
            with house.store.read() as tx:
                (link,) = tx.links.by_key(key)
            return link.vendor_id or ""

        def relate(kind: str, source: str, target: str) -> None:
            body = {"type": {"name": kind}, "inwardIssue": {"key": source}, "outwardIssue": {"key": target}}
            ann.call("POST", "/issueLink", body)

        def related(issue: str) -> list[tuple[int, str, int]]:
            shown = redmine.call("alice", "GET", f"/issues/{issue}.json", include="relations")["issue"]
            return sorted(
                (row["issue_id"], row["relation_type"], row["issue_to_id"])
                for row in shown.get("relations", ())
            )

        relate("Blocks", one, two)
        relate("Duplicate", one, two)
        settle(house)
        first, second = int(peer(one)), int(peer(two))
        assert related(str(first)) == sorted([(first, "blocks", second), (second, "copied_to", first)])
        assert redmine.read_issue(peer(part))["parent"]["id"] == first
        assert sync_once(house, census=True).writes == 0
        for row in redmine.call("alice", "GET", f"/issues/{first}/relations.json")["relations"]:
            if row["relation_type"] == "blocks":
                redmine.call("alice", "DELETE", f"/relations/{row['id']}.json")
        redmine.call(
            "alice",
            "POST",
            f"/issues/{first}/relations.json",
            {"relation": {"issue_to_id": int(peer(three)), "relation_type": "relates"}},
        )
        done = sync_once(house, census=True)  # Redmine moves no stamp: only the census sees it
        assert done.failures == ()
        settle(house)
        names = {one["type"]["name"] for one in ann.read(one)["fields"]["issuelinks"]}
        assert names == {"Duplicate", "Relates"}
        assert sync_once(house, census=True).writes == 0
