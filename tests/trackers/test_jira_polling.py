"""Finding tickets: polls, censuses, the search for our marks, and answers that only look like peace."""

from __future__ import annotations

import pytest
from jira_house import MARK, SPECS

from bridge.errors import Refused, Unauthorised, Unintelligible
from bridge.simulator import Fault, add_project, move
from bridge.sync.agreement import Scope
from bridge.trackers.jira_queries import changed, in_scope, quote, views
from bridge.trackers.protocol import Watch

MINUTE = 60_000_000


def ids(tickets) -> list[str]:
    return [ticket.id for ticket in tickets]


def test_a_poll_is_one_search(jira):
    human = jira.person()
    first, second = human.create("one"), human.create("two")
    jira.poll(fields=SPECS)
    before = jira.server.calls.last
    tickets = jira.poll(fields=SPECS, canary=first)
    assert ids(tickets) == [first, second]
    assert [call.kind for call in jira.reached(since=before)] == ["search"]


def test_a_poll_brings_whole_tickets(jira):
    human = jira.person()
    ticket = human.create(customfield_10042="EXT-1", labels=["red"])
    human.comment(ticket)
    (seen,) = jira.poll(fields=SPECS)
    assert seen == jira.tracker.fetch([ticket], SPECS)[ticket]


def test_a_poll_sees_only_what_changed_since(jira):
    human = jira.person()
    human.create("old")
    since = jira.clock.now() + MINUTE
    assert jira.poll(since) == []
    assert len(jira.poll(since - 2 * MINUTE)) == 1


def test_the_lower_bound_keeps_milliseconds():
    assert "updated >= 1732877091123 ORDER" in changed('project = "X"', 1_732_877_091_123_999)


def test_a_canary_is_in_the_answer_whatever_its_age(jira):
    canary = jira.person().create()
    tickets = jira.poll(jira.clock.now() + MINUTE, canary=canary)
    assert ids(tickets) == [canary]


def test_many_comments_are_marked_as_a_part(jira):
    human = jira.person()
    ticket = human.create()
    jira.server.site.comments_in_search = 5
    for number in range(8):
        human.comment(ticket, f"No {number}")
    (seen,) = jira.poll()
    if jira.cloud:
        assert not seen.comments_complete
    whole = jira.tracker.fetch([ticket], ())[ticket]
    assert whole.comments_complete
    assert len(whole.comments) == 8


def test_a_selection_limits_and_followed_tickets_stay_in_view(jira):
    human = jira.person()
    chosen, other, linked = human.create(labels=["vendor"]), human.create(), human.create()
    assert ids(jira.poll(select="labels = vendor")) == [chosen]
    assert ids(jira.poll(select="labels = vendor", follow=[linked])) == [chosen, linked]
    assert other not in ids(jira.poll(select="labels = vendor OR labels = x", follow=[linked]))


def test_a_moved_ticket_is_still_followed(jira):
    human = jira.person()
    ticket = human.create(labels=["vendor"])
    add_project(jira.server.site, "NEW")
    move(jira.server.site, ticket, "NEW", "admin")
    assert ids(jira.poll(select="labels = vendor", follow=[ticket])) == [ticket]
    assert jira.tracker.fetch([ticket], ())[ticket].project == "NEW"


def test_very_many_followed_tickets_are_asked_for_in_turns():
    scope = Scope("home", "OPS", "Us", "wiki", "labels = x")
    found = views(Watch(scope, follow=tuple(str(number) for number in range(1001))))
    assert [one.count(",") for one in found] == [499, 499, 0]
    assert found[0].startswith('((project = "OPS" AND (labels = x)) OR id in (0, 1,')
    # Without a selection too: they may have left the project.
    whole = Scope("home", "OPS", "Us", "wiki")
    assert views(Watch(whole, follow=("1", "2"))) == ['(project = "OPS" OR id in (1, 2))']
    assert views(Watch(whole)) == ['project = "OPS"']


def test_tickets_from_before_the_agreement_s_beginning_are_not_in_view_unless_they_are_followed():
    scope = Scope("home", "OPS", "Us", "wiki", since=1_767_225_600_000_000)
    assert views(Watch(scope)) == ['(project = "OPS" AND created >= 1767225600000)']
    chosen = Scope("home", "OPS", "Us", "wiki", "labels = x", since=1_767_225_600_000_000)
    (view,) = views(Watch(chosen, follow=("7",)))
    assert view == '((project = "OPS" AND created >= 1767225600000 AND (labels = x)) OR id in (7))'


def test_a_deleted_ticket_that_we_follow_does_not_stop_the_poll(jira):
    human = jira.person()
    chosen, linked, dead = human.create(labels=["vendor"]), human.create(), human.create()
    jira.person("admin").call("DELETE", f"/issue/{dead}")
    assert ids(jira.poll(select="labels = vendor", follow=[linked, dead])) == [chosen, linked]
    before = jira.server.calls.last
    jira.poll(select="labels = vendor", follow=[linked, dead], canary=chosen)
    assert len(jira.reached(since=before)) == 1, "what is gone is remembered for a while"


def test_a_deleted_canary_is_fine_as_long_as_the_login_lives(jira):
    human = jira.person()
    ticket, canary = human.create(), human.create()
    jira.person("admin").call("DELETE", f"/issue/{canary}")
    assert ids(jira.poll(canary=canary)) == [ticket]


def test_an_expired_login_never_looks_like_peace(jira):
    ticket = jira.person().create()
    assert ids(jira.poll(canary=ticket)) == [ticket]
    jira.server.site.expired.add("bridge-token")
    with pytest.raises(Unauthorised):
        jira.poll(canary=ticket)


def test_an_anonymous_answer_without_any_sign_is_found_out_by_the_canary(jira):
    """A gateway that drops Jira's login headers leaves nothing but a missing canary."""
    ticket = jira.person().create()
    jira.server.faults.add(
        Fault("error", "POST", "/search", status=200, body={"issues": [], "total": 0, "isLast": True})
    )
    jira.server.faults.add(Fault("error", "GET", "/myself", status=401))
    with pytest.raises(Unauthorised):
        jira.poll(canary=ticket)


def test_a_selection_jira_does_not_understand_is_refused_in_its_words(jira):
    with pytest.raises(Refused) as refusal:
        jira.poll(select="labels ~~ 3")
    assert refusal.value.status == 400
    assert refusal.value.words


@pytest.mark.parametrize("select", ["a = 1) OR (b = 2", "(a = 1", "a = 1))"])
def test_a_selection_cannot_reach_outside_its_project(jira, select):
    with pytest.raises(Refused, match="parentheses"):
        jira.poll(select=select)


def test_parentheses_in_quotes_do_not_count(jira):
    assert 'summary ~ ")("' in in_scope(jira.scope('summary ~ ")("'))


def test_quoting():
    assert quote('a"b\\c') == '"a\\"b\\\\c"'


def test_a_census_counts_everything_in_view(jira):
    human = jira.person()
    made = [human.create(labels=["vendor"] if number % 2 else []) for number in range(6)]
    stamps = [stamp for page in jira.tracker.census(jira.watch()) for stamp in page]
    assert [stamp.id for stamp in stamps] == made
    assert {stamp.key for stamp in stamps} == {f"{jira.project}-{n}" for n in range(1, 7)}
    followed = jira.watch("labels = vendor", follow=[made[0]])
    assert {stamp.id for page in jira.tracker.census(followed) for stamp in page} == {
        made[0],
        made[1],
        made[3],
        made[5],
    }


def test_data_center_pages_meet_tickets_that_move_while_we_read(datacenter):
    """An offset would skip the ticket that slides into the place of one that changed (JRASERVER-69860)."""
    human = datacenter.person()
    made = [human.create(f"No {number}") for number in range(230)]
    pages = datacenter.tracker.changes(datacenter.watch(), 0)
    seen = ids(next(pages))
    for ticket in made[:5]:
        human.edit(ticket, duedate="2026-12-24")
    for page in pages:
        seen += ids(page)
    assert set(seen) == set(made)


def test_tickets_with_one_time_are_all_found(datacenter):
    human = datacenter.person()
    made = [human.create(f"No {number}") for number in range(210)]
    site = datacenter.server.site
    for issue in site.issues.values():
        issue.updated = 1_795_348_800_000
        site.reindex(issue)
    assert set(ids(datacenter.poll())) == set(made)


def test_cloud_pages_may_be_short_or_empty(cloud):
    human = cloud.person()
    made = [human.create(f"No {number}") for number in range(7)]
    cloud.server.site.rich_page = 3
    assert ids(cloud.poll()) == made


def test_a_circle_of_pages_is_not_walked_for_ever(cloud):
    cloud.server.faults.add(
        Fault(
            "error", "POST", "/search/jql", times=None, status=200, body={"issues": [], "nextPageToken": "x"}
        )
    )
    before = cloud.server.calls.last
    with pytest.raises(Unintelligible, match="circle"):
        cloud.poll()
    assert len(cloud.reached(since=before)) <= 3


def test_what_we_made_is_found_by_its_mark(jira):
    since = jira.clock.now()
    made = jira.tracker.create(jira.draft(), ())
    jira.tracker.create(jira.draft(mark="bridge-ffffffffffffffff"), ())
    (found,) = jira.tracker.find_marked(jira.scope(), MARK, since)
    assert (found.id, found.key) == (made.id, made.key)


def test_what_we_made_is_found_although_its_label_was_taken_off(jira):
    made = jira.tracker.create(jira.draft(), ())
    jira.person().edit(made.id, labels=["urgent"])
    assert [one.id for one in jira.tracker.find_marked(jira.scope(), MARK, made.at)] == [made.id]
    assert list(jira.tracker.find_marked(jira.scope(), "bridge-ffffffffffffffff", made.at)) == []


def test_what_carries_another_mark_is_not_read_one_by_one(datacenter):
    for number in range(12):
        datacenter.tracker.create(datacenter.draft(mark=f"bridge-{number:016x}"), ())
    made = datacenter.tracker.create(datacenter.draft(), ())
    before = datacenter.server.calls.last
    assert [one.id for one in datacenter.tracker.find_marked(datacenter.scope(), MARK, 0)] == [made.id]
    assert len(datacenter.reached(since=before)) == 3, "two searches, one read"


def test_what_we_made_is_found_although_its_label_is_not_indexed_yet(cloud):
    """The creation is in the index, the label not yet: the scan of what we created reads by id."""
    human = cloud.person("bridge")
    ticket = human.create()
    site = cloud.server.site
    site.search_lag_ms = 600_000
    human.edit(ticket, labels=[MARK])
    assert [one.id for one in cloud.tracker.find_marked(cloud.scope(), MARK, cloud.clock.now())] == [ticket]


def test_during_search_lag_nothing_is_found(cloud):
    cloud.server.site.search_lag_ms = 600_000
    made = cloud.tracker.create(cloud.draft(), ())
    assert list(cloud.tracker.find_marked(cloud.scope(), MARK, made.at)) == []
