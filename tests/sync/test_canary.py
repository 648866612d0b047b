"""Broken planners must be caught: a proof that the properties can fail.

Each canary is the real planner with one thing wrong. The property named beside it has to find that within a few
hundred examples; if it does not, the property has gone blind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import test_planner_properties as properties
from hypothesis import HealthCheck, Phase, given, settings
from planner_world import Decide
from planner_worlds import CHANCES, Maker

from bridge.markup import Document
from bridge.sync.agreement import Agreement, CommentRule, Rule
from bridge.sync.decide import decide
from bridge.sync.plan import (
    AddComment,
    DeleteComment,
    EditComment,
    LinkBack,
    LinkView,
    Plan,
    SetStatus,
    UpdateFields,
)
from bridge.sync.ticket import Side, Value


def does_nothing(agreement: Agreement, link: LinkView) -> Plan:
    return Plan()


def forgets_fields(agreement: Agreement, link: LinkView) -> Plan:
    return without(UpdateFields, decide(agreement, link))


def forgets_the_status(agreement: Agreement, link: LinkView) -> Plan:
    return without(SetStatus, decide(agreement, link))


def forgets_comments(agreement: Agreement, link: LinkView) -> Plan:
    return without(AddComment, decide(agreement, link))


def never_takes_a_comment_back(agreement: Agreement, link: LinkView) -> Plan:
    return without(DeleteComment, decide(agreement, link))


def never_renews_a_copy(agreement: Agreement, link: LinkView) -> Plan:
    return without(EditComment, decide(agreement, link))


def deletes_everything(agreement: Agreement, link: LinkView) -> Plan:
    """Both sides agree in the end: on nothing."""
    plan = decide(agreement, link)
    if not plan.actions or link.internal.ticket is None or link.vendor.ticket is None:
        return plan
    return replace(
        plan, actions=tuple(emptied(one) if isinstance(one, UpdateFields) else one for one in plan.actions)
    )


def turns_owners_round(agreement: Agreement, link: LinkView) -> Plan:
    rules = tuple(replace(rule, owner=rule.owner.other if rule.owner else None) for rule in agreement.fields)
    return decide(replace(agreement, fields=rules), link)


def knows_no_owner(agreement: Agreement, link: LinkView) -> Plan:
    rules = (replace(rule, rule=Rule.NEWEST, owner=None) if rule.owner else rule for rule in agreement.fields)
    return decide(replace(agreement, fields=tuple(rules)), link)


def lets_the_oldest_win(agreement: Agreement, link: LinkView) -> Plan:
    return decide(
        agreement, replace(link, changed_at={name: at[::-1] for name, at in link.changed_at.items()})
    )


def decides_what_is_to_be_held(agreement: Agreement, link: LinkView) -> Plan:
    rules = (replace(rule, rule=Rule.NEWEST) if rule.rule is Rule.HOLD else rule for rule in agreement.fields)
    return decide(replace(agreement, fields=tuple(rules)), link)


def knows_no_value_map(agreement: Agreement, link: LinkView) -> Plan:
    return decide(
        replace(agreement, fields=tuple(replace(rule, values=()) for rule in agreement.fields)), link
    )


def knows_no_pattern(agreement: Agreement, link: LinkView) -> Plan:
    return decide(replace(agreement, fields=tuple(replace(rule, only=()) for rule in agreement.fields)), link)


def knows_no_base(agreement: Agreement, link: LinkView) -> Plan:
    internal, vendor = (
        replace(view, base=replace(view.base, fields={})) for view in (link.internal, link.vendor)
    )
    return decide(agreement, replace(link, internal=internal, vendor=vendor))


def keeps_no_loser(agreement: Agreement, link: LinkView) -> Plan:
    plan = decide(agreement, link)
    return replace(plan, actions=tuple(silenced(one) for one in plan.actions))


def keeps_no_word_of_a_copy(agreement: Agreement, link: LinkView) -> Plan:
    plan = decide(agreement, link)
    actions = (replace(one, loser="") if isinstance(one, EditComment) else one for one in plan.actions)
    return replace(plan, actions=tuple(actions))


def never_rests(agreement: Agreement, link: LinkView) -> Plan:
    plan = decide(agreement, link)
    return plan if plan.findings else replace(plan, actions=(*plan.actions, LinkBack(Side.VENDOR)))


def sees_no_privacy(agreement: Agreement, link: LinkView) -> Plan:
    return decide(agreement, comments_changed(link, private=False))


def lets_every_comment_cross(agreement: Agreement, link: LinkView) -> Plan:
    both = CommentRule(frozenset(Side), agreement.comments.attribute)
    return decide(replace(agreement, comments=both), link)


def signs_nothing(agreement: Agreement, link: LinkView) -> Plan:
    return decide(replace(agreement, comments=replace(agreement.comments, attribute="")), link)


def knows_no_pair(agreement: Agreement, link: LinkView) -> Plan:
    return decide(agreement, replace(link, pairs=()))


def without(kind: type, plan: Plan) -> Plan:
    return replace(plan, actions=tuple(one for one in plan.actions if not isinstance(one, kind)))


def emptied(action: UpdateFields) -> UpdateFields:
    values = {name: nothing(value) for name, value in action.values.items()}
    decisions = tuple(replace(one, after=values[one.field]) for one in action.decisions)
    return replace(
        action, values=values, decisions=decisions, settles={name: (one, one) for name, one in values.items()}
    )


def nothing(value: Value) -> Value:
    match value:
        case frozenset():
            return frozenset()
        case Document():
            return Document()
        case _:
            return None


def silenced(action):
    match action:
        case UpdateFields(decisions=decisions):
            return replace(action, decisions=tuple(replace(one, loser=None) for one in decisions))
        case SetStatus(decision=decision):
            return replace(action, decision=replace(decision, loser=None))
        case _:
            return action


def comments_changed(link: LinkView, **change) -> LinkView:
    views = []
    for view in (link.internal, link.vendor):
        if view.ticket is None:
            views.append(view)
            continue
        comments = tuple(replace(one, **change) for one in view.ticket.comments)
        views.append(replace(view, ticket=replace(view.ticket, comments=comments)))
    return replace(link, internal=views[0], vendor=views[1])


def caught(property_: Callable[[Maker], None], broken: Decide, examples: int = 300) -> bool:
    """Whether a property notices a broken planner."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(CHANCES)
    def live(chances) -> None:
        property_(Maker(chances, broken))

    try:
        live()
    except AssertionError:
        return True
    return False


CANARIES = [
    (does_nothing, properties.single_values),
    (does_nothing, properties.labels),
    (does_nothing, properties.texts),
    (does_nothing, properties.comments),
    (forgets_fields, properties.single_values),
    (forgets_the_status, properties.single_values),
    (forgets_comments, properties.comments),
    (never_takes_a_comment_back, properties.comments),
    (never_renews_a_copy, properties.comments),
    (deletes_everything, properties.single_values),
    (deletes_everything, properties.labels),
    (deletes_everything, properties.texts),
    (turns_owners_round, properties.single_values),
    (turns_owners_round, properties.whole_tickets),
    (turns_owners_round, properties.one_edit),
    (knows_no_owner, properties.single_values),
    (lets_the_oldest_win, properties.single_values),
    (decides_what_is_to_be_held, properties.single_values),
    (knows_no_value_map, properties.single_values),
    (knows_no_value_map, properties.labels),
    (knows_no_pattern, properties.labels),
    (knows_no_base, properties.single_values),
    (knows_no_base, properties.labels),
    (keeps_no_loser, properties.single_values),
    (keeps_no_loser, properties.texts),
    (keeps_no_word_of_a_copy, properties.comments),
    (never_rests, properties.single_values),
    (never_rests, properties.one_edit),
    (sees_no_privacy, properties.comments),
    (lets_every_comment_cross, properties.comments),
    (signs_nothing, properties.comments),
    (knows_no_pair, properties.comments),
]


@pytest.mark.parametrize(
    ("broken", "property_"), CANARIES, ids=[f"{broken.__name__}-{one.__name__}" for broken, one in CANARIES]
)
def test_a_broken_planner_is_caught(broken, property_) -> None:
    assert caught(property_, broken)


@pytest.mark.parametrize("property_", dict.fromkeys(one for _, one in CANARIES), ids=lambda one: one.__name__)
def test_the_real_planner_is_not(property_) -> None:
    assert not caught(property_, decide, examples=20)
