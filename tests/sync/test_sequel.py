"""What follows from a creation, told beforehand; and what of the real second round counts as foreseen."""

from __future__ import annotations

from dataclasses import replace

from makings import agreement, comment, doc, link, ticket

from bridge.sync.agreement import FieldRule
from bridge.sync.decide import decide
from bridge.sync.plan import AddComment, Decision, LinkBack, Plan, SetStatus, UpdateFields
from bridge.sync.sequel import foreseen, sequel
from bridge.sync.ticket import Side


def test_links_back_comments_and_the_status_follow_from_the_original():
    terms = agreement(FieldRule("summary"), FieldRule("status", values=(("Open", "To Do"),)))
    said = comment("7", doc("Said"))
    origin = ticket(Side.INTERNAL, {"summary": "s", "status": "Open"}, [said])
    view = replace(link(origin, None), linked=frozenset())
    plan = decide(terms, view)
    after = sequel(terms, view, plan)
    assert [type(one) for one in after.actions] == [LinkBack, LinkBack, AddComment, SetStatus]
    assert after.actions[-1].goal == "To Do"
    assert sequel(terms, view, Plan()) is None


def test_what_the_new_ticket_would_bring_back_is_not_foreseen():
    def decision(name, to):
        return Decision(name, to, None, "x", Side.VENDOR, "merged")

    labels = {"labels": ("x", "x")}
    both = {**labels, "summary": ("s", "s")}
    plan = Plan(
        (
            LinkBack(Side.INTERNAL),
            LinkBack(Side.VENDOR),
            UpdateFields(Side.INTERNAL, {"labels": "x"}, labels, (decision("labels", Side.INTERNAL),)),
            UpdateFields(
                Side.VENDOR,
                {"labels": "x", "summary": "s"},
                both,
                (decision("labels", Side.VENDOR), decision("summary", Side.VENDOR)),
            ),
            SetStatus(Side.INTERNAL, "Open", ("Open", "To Do"), decision("status", Side.INTERNAL)),
        )
    )
    rest = foreseen(plan, Side.VENDOR)
    assert rest.actions[:2] == plan.actions[:2]
    (update,) = rest.actions[2:]
    # A set that is written on one side only is in agreement on neither.
    assert (update.side, dict(update.values)) == (Side.VENDOR, {"summary": "s"})
    assert list(update.settles) == ["summary"]
    assert [one.field for one in update.decisions] == ["summary"]
