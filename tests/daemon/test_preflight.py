"""What a live check says before the first write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from world import open_world

from bridge.clock import SECOND, SystemClock
from bridge.daemon.preflight import expiring, inspect


def test_a_token_is_spoken_of_a_month_before_it_expires(tmp_path):
    now = SystemClock().now()
    today = datetime.fromtimestamp(now // SECOND, UTC).date()
    with open_world(tmp_path) as world:
        path = tmp_path / "bridge.yaml"
        text = path.read_text()
        for days, told in ((31, []), (30, [("acme", 30)]), (0, [("acme", 0)]), (-3, [("acme", -3)])):
            expires = f"{{secret: acme_token}}, expires: {today + timedelta(days)}"
            path.write_text(text.replace("{secret: acme_token}", expires))
            world.restart()
            assert expiring(world.house.terms, now) == told
        checked = world.bridge("check")
        assert "remark" in checked.stdout
        assert "the token expired 3 days ago" in checked.stdout
        assert checked.returncode == 1


def test_an_agreement_that_fits_has_no_problems(world):
    assert inspect(world.house.terms).problems == ()


def test_values_that_have_no_pair_are_remarked_where_they_would_be_held(tmp_path):
    fields = (
        "\n  summary: {}\n  type: {values: {Task: Task}, otherwise: keep}\n  priority: {values: {High: P2}}\n"
    )
    with open_world(tmp_path, fields=fields) as world:
        found = inspect(world.house.terms)
    assert found.problems == ()
    assert [one.line for one in found.remarks] == [10, 10]
    assert "the internal side also has 'Highest', 'Low', 'Lowest', 'Medium'" in found.remarks[0].message


def test_names_that_the_agreement_keeps_back_are_not_told(tmp_path):
    fields = '\n  summary: {}\n  type: {values: {Task: Task}, otherwise: keep}\n  components: {only: ["shared-*"]}\n'
    with open_world(tmp_path, fields=fields) as world:
        world.home.site.projects["OPS"].components |= {"1": "shared-gate", "2": "secret-plan"}
        found = inspect(world.house.terms)
    (remark,) = found.remarks
    assert "the vendor side does not know 'shared-gate'" in remark.message
    assert "secret-plan" not in remark.message


def test_new_tickets_need_a_type_and_one_that_exists(tmp_path):
    fields = (
        "\n  summary: {}\n  severity: {internal: Severity, vendor: Severity, values: {Blocker: Critical}}\n"
    )
    with open_world(tmp_path, fields=fields) as world:
        told = [one.message for one in inspect(world.house.terms).problems]
        path = tmp_path / "agreements" / "acme.yaml"
        path.write_text(path.read_text().replace("company: Acme", "company: Acme, on-create: {type: Tusk}"))
        world.restart()
        mistyped = [one for one in inspect(world.house.terms).problems if "Tusk" in one.message]
    assert "new tickets in CUST need a type, which nothing gives" in told
    assert any("'Blocker' is no severity" in message for message in told)
    assert [one.fix for one in mistyped] == ["did you mean 'Task'?"]
