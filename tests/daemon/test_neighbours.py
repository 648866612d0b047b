"""Two agreements that share the inside: what one vendor writes and sees is no business of the other."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from world import Person, open_world

from bridge.simulator import SimulatorServer, make_site

BETA = """
name: beta
internal: {{tracker: home, project: OPS, company: Example Corp{select}}}
vendor: {{tracker: beta, project: BETA, company: Beta}}
create: to-vendor
fields:
  summary: {{}}
  type: {{values: {{Task: Task}}, otherwise: {{internal: Task, vendor: Task}}}}
  note: {{internal: External id, vendor: External id}}
"""


@contextmanager
def two_vendors(folder):
    """Acme and beta, both with the tickets of OPS; the field 'note' means another field under each."""
    with SimulatorServer(make_site("cloud", "beta", project="BETA")) as beta:
        fields = (
            "\n  summary: {}\n  type: {values: {Task: Task}, otherwise: {internal: Task, vendor: Task}}"
            "\n  note: {internal: Severity, vendor: Severity}\n"
        )
        with open_world(folder, fields=fields, create="to-vendor", select="labels = both") as world:
            text = (folder / "bridge.yaml").read_text()
            line = next(line for line in text.splitlines() if line.strip().startswith("acme:"))
            other = line.replace("acme:", "beta:").replace(world.acme.url, beta.url)
            other = other.replace("bridge@acme.example", "bridge@beta.example").replace(
                "acme_token", "beta_token"
            )
            (folder / "bridge.yaml").write_text(text.replace(line, f"{line}\n{other}"))
            select = ', select: "labels = both AND priority is not EMPTY"'
            (folder / "agreements" / "beta.yaml").write_text(BETA.format(select=select))
            world.environ["BRIDGE_SECRET_BETA_TOKEN"] = "bridge-token"
            yield world, Person(beta.url, 3, auth=("bo@beta.example", "bo-token")), beta


def test_what_one_vendor_says_is_not_passed_on_to_the_other(tmp_path):
    with two_vendors(tmp_path) as (world, bea, beta):
        ann, bo = world.at_home(), world.at_acme()
        key = ann.create("OPS", "Shared", labels=["both"])
        world.settle()
        (at_acme,), (at_beta,) = world.acme.site.issues.values(), beta.site.issues.values()
        bo.comment(at_acme.key, "ACME-WORDS")
        ann.comment(key, "for both of you")
        world.settle()
        assert len(ann.comments(key)) == 2
        assert len(bo.comments(at_acme.key)) == 2
        (heard,) = bea.comments(at_beta.key)
        assert "for both of you" in str(heard)
        assert "ACME-WORDS" not in str(heard)


def test_each_agreement_sees_its_own_fields_of_a_shared_ticket(tmp_path):
    with two_vendors(tmp_path) as (world, bea, beta):
        ann, bo = world.at_home(), world.at_acme()
        key = ann.create("OPS", "Shared", labels=["both"], customfield_10041={"value": "Minor"})
        world.settle()
        (at_acme,), (at_beta,) = world.acme.site.issues.values(), beta.site.issues.values()
        ann.edit(
            key, summary="Changed", customfield_10041={"value": "Major"}, customfield_10042="FOR-BETA-ONLY"
        )
        world.settle()
        mine, theirs = bo.read(at_acme.key)["fields"], bea.read(at_beta.key)["fields"]
        assert mine["summary"] == theirs["summary"] == "Changed"
        assert mine["customfield_10041"]["value"] == "Major"
        assert theirs["customfield_10042"] == "FOR-BETA-ONLY"
        assert "FOR-BETA-ONLY" not in str(mine)


def test_the_time_that_one_vendor_books_is_not_passed_on_to_the_other(tmp_path):
    with two_vendors(tmp_path) as (world, bea, beta):
        for file in (tmp_path / "agreements").iterdir():
            file.write_text(file.read_text() + "\nworklogs: {cross: both}\n")
        ann, bo = world.at_home(), world.at_acme()
        key = ann.create("OPS", "Shared", labels=["both"])
        world.settle()
        (at_acme,), (at_beta,) = world.acme.site.issues.values(), beta.site.issues.values()
        bo.call(
            "POST", f"/issue/{at_acme.key}/worklog", {"timeSpent": "3h", "comment": bo.text("ACME-WORDS")}
        )
        ann.call("POST", f"/issue/{key}/worklog", {"timeSpent": "1h"})
        world.settle()
        assert len(ann.call("GET", f"/issue/{key}/worklog")["worklogs"]) == 2
        assert len(bo.call("GET", f"/issue/{at_acme.key}/worklog")["worklogs"]) == 2
        (booked,) = bea.call("GET", f"/issue/{at_beta.key}/worklog")["worklogs"]
        assert booked["timeSpentSeconds"] == 3600
        assert world.sync().writes == 0


@pytest.mark.parametrize("how", ["another partner", "agreement over"])
def test_what_a_vendor_said_stays_between_the_two_when_their_link_or_their_agreement_has_ended(tmp_path, how):
    with two_vendors(tmp_path) as (world, bea, beta):
        for file in (tmp_path / "agreements").iterdir():
            file.write_text(file.read_text() + "\nworklogs: {cross: both}\n")
        ann, bo = world.at_home(), world.at_acme()
        key = ann.create("OPS", "Shared", labels=["both"])
        world.settle()
        (at_acme,), (at_beta,) = world.acme.site.issues.values(), beta.site.issues.values()
        bo.call(
            "POST", f"/issue/{at_acme.key}/worklog", {"timeSpent": "3h", "comment": bo.text("ACME-WORDS")}
        )
        world.settle()
        if how == "another partner":
            second = bo.create("CUST", "Second")
            assert world.typed("unlink", key, "--agreement", "acme").returncode == 0
            done = world.typed("link", key, second, "--agreement", "acme", "--history", "--yes")
            assert done.returncode == 0, done.stderr
        else:
            world.restart()
            world.typed("sync", "--once")  # which notes where each agreement's tickets are
            (tmp_path / "agreements" / "acme.yaml").unlink()
            world.restart()
        ann.edit(key, summary="Changed")
        world.settle()
        assert bea.read(at_beta.key)["fields"]["summary"] == "Changed"
        assert bea.call("GET", f"/issue/{at_beta.key}/worklog")["worklogs"] == []
        if how == "another partner":
            assert bo.call("GET", f"/issue/{second}/worklog")["worklogs"] == [], (
                "nor back to where it came from"
            )
