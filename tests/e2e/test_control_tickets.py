"""Heads of the audit chain on both sides' control tickets: one comment, kept up to date, carried over to nobody."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from world import open_world, plain

from bridge.daemon import control
from bridge.daemon.brakes import pull
from bridge.simulator import Fault
from bridge.sync.brakes import Cause


def controlled(tmp_path, **how):
    """A world whose agreement names a control ticket on each side; both are in its scope."""
    return open_world(tmp_path, more="audit: {control: {internal: OPS-1, vendor: CUST-1}}", **how)


def make_tickets(world):
    names = world.at_home().create("OPS", "Audit of Acme"), world.at_acme().create("CUST", "Audit of Example")
    assert names == ("OPS-1", "CUST-1")


def told(world):
    """The texts on both control tickets."""
    return [
        [plain(one["body"]) for one in person.comments(key)]
        for person, key in ((world.at_home(), "OPS-1"), (world.at_acme(), "CUST-1"))
    ]


def written(world):
    """How many comments were written or changed by the bridge so far."""
    return sum("/comment" in one.path and one.method in ("POST", "PUT") for one in world.calls())


def later(world, side=None):
    """As if an hour had passed since the heads were told."""
    with world.house.store.write() as tx:
        for key, note in tx.cursors.notes(control.NOTE).items():
            if side is None or key.endswith(side):
                tx.cursors.set_note(key, {**note, "at": note["at"] - control.HOUR})


def test_each_side_holds_a_head_that_later_exports_must_contain(tmp_path):
    with controlled(tmp_path) as world:
        make_tickets(world)
        key = world.at_home().create("OPS", "Work")
        world.settle()
        assert [len(texts) for texts in told(world)] == [1, 1]
        assert {link.internal_key for link in world.links()} == {key}, "control tickets are not mirrored"
        first = told(world)
        world.at_home().edit(key, summary="More work")
        world.settle()
        assert told(world) == first, "not oftener than once an hour"
        later(world)
        world.settle()
        second = told(world)
        assert [len(texts) for texts in second] == [1, 1], "in place"
        assert second != first
        later(world)
        before = written(world)
        world.settle()
        assert told(world) == second, "nothing has moved, the telling itself included"
        assert written(world) == before
        world.restart()
        for texts in (*first, *second):
            seq, digest = re.search(r"record (\d+) .* hash (\w{64})", texts[0]).groups()
            done = world.typed("audit", "verify", "--agreement", "acme", "--seq", seq, "--head", digest)
            assert done.returncode == 0, done.stdout
        with world.records() as tx:
            heads = [one.data["agreement"] for one in tx.journal.recent(99) if one.event == "head.told"]
        assert heads == ["acme"] * 4


def test_a_comment_that_was_deleted_is_written_anew_and_a_lost_answer_is_looked_for(tmp_path):
    with controlled(tmp_path) as world:
        make_tickets(world)
        world.acme.faults.add(Fault(kind="apply-then-500", method="POST", path_regex="/CUST-1|/comment"))
        key = world.at_home().create("OPS", "Work")
        world.settle()
        assert [len(texts) for texts in told(world)] == [1, 1], "it was written, though the answer was lost"
        (comment,) = world.at_home().comments("OPS-1")
        world.home.site.issues[next(iter(world.home.site.issues))].comments.clear()
        assert comment
        world.at_home().edit(key, summary="More work")
        world.settle()
        later(world)
        world.settle()
        assert [len(texts) for texts in told(world)] == [1, 1]


def test_what_cannot_be_told_is_said_in_the_log_and_changes_nothing_else(tmp_path, capsys):
    with open_world(tmp_path, more="audit: {control: {internal: OPS-99, vendor: CUST-1}}") as world:
        key = world.at_home().create("OPS", "Work")
        world.settle()
        assert world.peer(key) == "CUST-1", "made as a mirror, so no place for heads"
        assert world.at_acme().comments("CUST-1") == []
        log = capsys.readouterr().out
        assert "OPS-99 is not there" in log
        assert "CUST-1 is mirrored" in log


def test_an_agreement_that_only_observes_tells_nothing(tmp_path):
    with controlled(tmp_path) as world:
        path = tmp_path / "agreements" / "acme.yaml"
        path.write_text(path.read_text() + "mode: observe\n")
        make_tickets(world)
        world.at_home().create("OPS", "Work")
        world.sync()
        assert told(world) == [[], []]
        assert json.loads(world.typed("audit", "head", "--json").stdout)


def test_while_the_brake_is_pulled_nothing_is_told(tmp_path):
    with controlled(tmp_path) as world:
        make_tickets(world)
        world.at_home().create("OPS", "Work")
        pull(world.house, world.house.terms.settings.agreements, Cause.STORE, "for a test")
        world.sync()
        assert told(world) == [[], []]


def test_where_no_text_can_be_changed_a_further_comment_follows_once_a_day(tmp_path):
    with controlled(tmp_path) as world:
        make_tickets(world)
        key = world.at_home().create("OPS", "Work")
        terms = world.house.terms
        (agreement,) = terms.settings.agreements
        stubborn = replace(agreement, internal=replace(agreement.internal, edits_texts=False))
        world.house.terms = replace(terms, settings=replace(terms.settings, agreements=(stubborn,)))
        world.home.faults.add(Fault(kind="apply-then-500", method="POST", path_regex="/issue/[^/]+/comment"))
        world.settle()
        for hours, expected in ((1, [1, 1]), (1, [1, 1]), (24, [2, 1])):
            world.at_home().edit(key, summary=f"Work {hours}")
            world.settle()
            for _ in range(hours):
                later(world)
            world.settle()
            assert [len(texts) for texts in told(world)] == expected
