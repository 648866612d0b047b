"""What the live check says of a real Redmine and a real Request Tracker that do not fit the agreement."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_real_redmine import bridged as with_redmine
from test_real_rt import bridged as with_rt

from bridge.clock import SystemClock
from bridge.config import load
from bridge.daemon.checking.report import Check, Finding, Place
from bridge.daemon.opening import close_trackers, open_terms
from bridge.daemon.preflight import Inspection, inspect
from bridge.simulator import SimulatorServer, make_home
from bridge.sync.ticket import Side

pytestmark = pytest.mark.real

SHOP = """
  type: {values: {Bug: Bug}, otherwise: keep}
  status:
    values: {Open: New, In Progress: In Progress, Resolved: Resolved, Closed: Rejected}
    fill: {internal: {Resolved: {resolution: Fixed}}}
"""
SHOP_MORE = """
people:
  - {internal: ann@home.example, vendor: ghost@example.test}
  - {internal: ivan@home.example, vendor: alice@example.test}
relations:
  parent: true
  links: {Blocks: blocks}
"""


def said(found: Inspection, check: Check, side: Side) -> list[Finding]:
    """What a kind of check found on one side."""
    return [one for one in found.findings if (one.check, one.place.side) == (check, side)]


def stands_at(finding: Finding, words: str) -> bool:
    """Whether a finding points at the first line of its file that holds these words."""
    lines = Path(finding.problem.file).read_text().splitlines()
    assert finding.problem.line == next(number for number, text in enumerate(lines, 1) if words in text)
    assert finding.problem.fix
    return True


def look_again(folder: Path, environ: Mapping[str, str], changes: Mapping[str, str]) -> Inspection:
    """Check once more after changes to the words of bridge.yaml."""
    path = folder / "bridge.yaml"
    for old, new in changes.items():
        path.write_text(path.read_text().replace(old, new))
    terms = open_terms(load(folder, environ=environ), SystemClock())
    try:
        return inspect(terms)
    finally:
        close_trackers(terms.trackers)


def test_what_does_not_fit_in_a_real_redmine(tmp_path, redmine):
    project = redmine.new_project()
    statuses = redmine.call("admin", "GET", "/issue_statuses.json")["issue_statuses"]
    bug = next(
        one["id"]
        for one in redmine.call("admin", "GET", "/trackers.json")["trackers"]
        if one["name"] == "Bug"
    )
    made = {redmine.new_issue(project, "One", tracker_id=bug): status["id"] for status in statuses}
    time.sleep(1.1)  # Redmine's stamps are whole seconds: what follows shall show as a change
    for issue, status in made.items():
        redmine.edit_issue(issue, who="admin", status_id=status, notes="moved")
    with (
        SimulatorServer(make_home()) as server,
        with_redmine(tmp_path, server, redmine, project, SHOP, more=SHOP_MORE) as house,
    ):
        found = inspect(house.terms)
        rights = said(found, Check.RIGHTS, Side.VENDOR)
        for one, right, line in zip(
            rights,
            ("Manage subtasks", "Manage issue relations"),
            ("parent: true", "links: {Blocks"),
            strict=True,
        ):
            assert f"lacks the right {right} in {project}" in one.problem.message
            assert one.mistake
            assert stands_at(one, line)
        (barred,) = said(found, Check.WORKFLOW, Side.VENDOR)
        assert "no step leads to 'Rejected' for tickets of the type 'Bug'" in barred.problem.message
        assert "have a step to it added or shown to our account" in barred.problem.fix
        assert stands_at(barred, "values: {Open: New")
        (ghost,) = said(found, Check.PEOPLE, Side.VENDOR)
        assert "answers to 'ghost@example.test'" in ghost.problem.message
        assert stands_at(ghost, "ghost@example.test")
        assert said(found, Check.MARK, Side.VENDOR) == []
        environ = {
            "BRIDGE_SECRET_HOME_TOKEN": "bridge-token",
            "BRIDGE_SECRET_SHOP_KEY": redmine.keys["bridge"],
        }
        (flaw,) = said(look_again(tmp_path, environ, {"External ID": "Nothing"}), Check.MARK, Side.VENDOR)
        assert flaw.mistake
        assert "on 'shop', there is no custom field 'Nothing'" in flaw.problem.message
        assert stands_at(flaw, "marker-field: Nothing")


def test_what_does_not_fit_in_a_real_request_tracker(tmp_path, rt):
    queue = rt.new_queue()
    made = {
        rt.new_ticket(queue, "One"): status for status in ("open", "stalled", "resolved", "rejected", "new")
    }
    time.sleep(1.1)  # RT's stamps are whole seconds: what follows shall show as a change
    for ticket, status in made.items():
        rt.edit_ticket(ticket, Status=status, Subject="Two")
    more = "roles: {manager: {side: vendor, people: [ghost@tests.example]}}"
    with SimulatorServer(make_home()) as server, with_rt(tmp_path, server, rt, queue, more=more) as house:
        found = inspect(house.terms)
        assert found.unseen[Place("desk", "desk", Side.VENDOR), Check.VALUES]
        assert said(found, Check.RIGHTS, Side.VENDOR) == said(found, Check.MARK, Side.VENDOR) == []
        assert Check.CLOCK not in {one.check for one in found.findings}
        assert (Place("desk"), Check.CLOCK) not in found.unseen
        (barred,) = said(found, Check.WORKFLOW, Side.VENDOR)
        assert "no step leads to 'new' that our account is shown" in barred.problem.message
        assert not barred.mistake
        assert stands_at(barred, "values: {Open: new")
        (ghost,) = said(found, Check.PEOPLE, Side.VENDOR)
        assert "answers to 'ghost@tests.example'" in ghost.problem.message
        assert stands_at(ghost, "ghost@tests.example")
        environ = {
            "BRIDGE_SECRET_HOME_TOKEN": "bridge-token",
            "BRIDGE_SECRET_DESK_TOKEN": rt.tokens["bridge"],
        }
        (flaw,) = said(look_again(tmp_path, environ, {"External ID": "Severity"}), Check.MARK, Side.VENDOR)
        assert "the custom field 'Severity' is of the type 'Select'" in flaw.problem.message
        assert stands_at(flaw, "marker-field: Severity")


def test_a_real_request_tracker_tells_which_rights_and_zone_are_missing(tmp_path, rt):
    queue = rt.new_queue()
    rt.new_ticket(queue, "There")
    mute = SimpleNamespace(url=rt.url, tokens={"bridge": rt.tokens["mute"]})
    with SimulatorServer(make_home()) as server, with_rt(tmp_path, server, mute, queue) as house:
        found = inspect(house.terms)
        create, reply = said(found, Check.RIGHTS, Side.VENDOR)
        (zone,) = [one for one in found.findings if one.check is Check.CLOCK]
    assert "lacks the right CreateTicket" in create.problem.message
    assert "to mirror the internal side's tickets" in create.problem.message
    assert "lacks the right ReplyToTicket" in reply.problem.message
    assert "for the internal side's comments and to tell that the peer was deleted" in reply.problem.message
    assert all(one.mistake and stands_at(one, "vendor: {tracker: desk") for one in (create, reply))
    assert "our account on 'desk' has no time zone" in zone.problem.message
    assert not zone.mistake
    assert stands_at(zone, f"url: {rt.url}")
