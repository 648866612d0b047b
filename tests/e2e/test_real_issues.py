"""250 real Jira issues with their comments, mirrored whole; then a further pass that writes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from world import open_world

from bridge.markup import Document, plain, read, words
from bridge.simulator import load, make_acme, make_home
from bridge.simulator import read as read_issues
from bridge.sync.mapping import carry_text
from bridge.sync.ticket import Side

TYPES = {
    "Sub-task": "Task",
    "Improvement": "Service Request",
    "Bug": "Bug",
    "Task": "Task",
    "New Feature": "Service Request",
    "Test": "Task",
    "Umbrella": "Task",
    "Dependency upgrade": "Service Request",
}
PRIORITIES = {"Blocker": "P1", "Critical": "P1", "Major": "P2", "Minor": "P3", "Trivial": "P4"}
STATUSES = {"Open": "To Do", "In Progress": "In Progress", "Patch Available": "In Review", "Resolved": "Done"}
FIELDS = f"""
  summary: {{}}
  description: {{}}
  type: {{values: {TYPES}, otherwise: keep}}
  priority: {{values: {PRIORITIES}, otherwise: keep}}
  status:
    values: {STATUSES}
    otherwise: keep
    via: {{vendor: {{Done: [In Progress, In Review], In Review: [In Progress]}}}}
  labels: {{rule: merge}}
  due: {{}}
"""


@pytest.fixture
def issues():
    """The real issues."""
    folder = os.environ.get("BRIDGE_DATA")
    if not folder:
        pytest.skip("BRIDGE_DATA does not name the folder with apache-issues.jsonl")
    return read_issues(Path(folder) / "apache-issues.jsonl")


@pytest.mark.slow
def test_all_real_issues_and_comments_are_mirrored_to_the_cloud(tmp_path, issues):
    home = make_home()
    load(home, issues, project="OPS")
    with open_world(tmp_path, home, make_acme(), fields=FIELDS, create="to-vendor") as world:
        done = world.sync()
        assert done.failures == ()
        assert done.ended("parked") == ()
        world.settle()
        agreement = world.house.terms.agreement("acme")
        with world.house.store.read() as tx:
            links = tx.links.list()
            paired = [pair for link in links for pair in tx.comments.list(link.id)]
        assert len(links) == len(world.acme.site.issues) == len(issues) == 250
        assert len(paired) == sum(issue["fields"]["comment"]["total"] for issue in issues) == 298
        assert len({pair.copy_id for pair in paired}) == 298
        ann, bo = world.at_home("admin"), world.at_acme("admin")
        for link in links:
            ours, theirs = (
                one.read(key)["fields"] for one, key in ((ann, link.internal_key), (bo, link.vendor_key))
            )
            assert theirs["summary"] == " ".join(ours["summary"].split())
            assert theirs["issuetype"]["name"] == TYPES[ours["issuetype"]["name"]]
            assert theirs["priority"]["name"] == PRIORITIES[ours["priority"]["name"]]
            assert theirs["status"]["name"] == STATUSES[ours["status"]["name"]]
            assert theirs["duedate"] == ours["duedate"]
            assert {label for label in theirs["labels"] if not label.startswith("bridge-")} == set(
                ours["labels"]
            )
            text = carry_text(agreement, read("wiki", ours["description"]), Side.VENDOR).value
            assert isinstance(text, Document)
            assert words(read("adf", theirs["description"])) == words(text)
            copies = [plain(read("adf", one["body"])) for one in bo.comments(link.vendor_key)]
            assert len(copies) == len(ann.comments(link.internal_key))
        before = len(world.calls())
        assert world.sync(census=True).writes == 0
        assert [call for call in world.calls()[before:] if call.kind == "write"] == []
