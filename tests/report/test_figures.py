"""What counts in which period, whose minutes they were, and what a side that has no ticket of it learns: nothing."""

from __future__ import annotations

import pytest
from measured_links import AGREEMENT, DAY, HOUR, MINUTE, at, fill, history, policy, put_link, put_policy

from bridge.notify.languages import tongue
from bridge.report.digest import digest, digest_letter
from bridge.report.facts import Period, Standing
from bridge.report.gathering import gather
from bridge.report.paper import as_text
from bridge.report.scorecard import scorecard
from bridge.sla.policy import Owner
from bridge.store.database import Store
from bridge.sync.holding import Hold, HoldKind, HoldState
from bridge.sync.ticket import Side

MONDAY = at("2026-11-02 08:00")
WEEK = Period(MONDAY, MONDAY + 7 * DAY)
TERMS = policy()
ENGLISH = tongue("en")


@pytest.fixture
def store(tmp_path):
    with Store.open(f"sqlite:///{tmp_path / 'bridge.db'}") as opened:
        yield opened


def gathered(store, period=WEEK, now=None):
    with store.read() as tx:
        return gather(tx, AGREEMENT, period, period.until if now is None else now)


def clock(figures, name):
    return next(one for one in figures.clocks if one.name == name)


def test_a_cycle_counts_as_breached_in_the_period_of_its_breach_and_as_met_in_that_of_its_stop(store):
    with store.write() as tx:
        put_policy(tx, TERMS)
        late = MONDAY + 6 * DAY + 20 * HOUR  # breached 4 hours after the week's end
        put_link(tx, 1, history(late, (10 * MINUTE, "comment"), (9 * HOUR, "Resolved")), TERMS)
        put_link(tx, 2, history(MONDAY, (2 * HOUR, "comment"), (3 * HOUR, "Resolved")), TERMS)
    this, following = gathered(store), gathered(store, Period(WEEK.until, WEEK.until + 7 * DAY))
    one, other = (each.figures(Side.INTERNAL, {"resolve": 0.95}) for each in (this, following))
    assert (clock(one, "acknowledge").met, clock(one, "acknowledge").breached) == (1, 1)
    assert (clock(one, "resolve").met, clock(one, "resolve").breached, clock(one, "resolve").running) == (
        1,
        0,
        1,
    )
    assert (clock(one, "resolve").share, clock(one, "resolve").kept) == (1.0, True)
    assert (clock(other, "resolve").met, clock(other, "resolve").breached) == (0, 1)
    assert (clock(other, "acknowledge").met, clock(other, "acknowledge").breached) == (0, 0)
    assert clock(other, "resolve").kept is False
    assert (one.born, one.open, one.resolved) == (2, 1, 1)
    assert (other.born, other.open, other.resolved) == (0, 0, 1)


def test_the_minutes_of_a_period_are_those_of_the_tickets_open_in_it_and_sum_to_the_whole(store):
    with store.write() as tx:
        put_policy(tx, TERMS)
        put_link(tx, 1, history(MONDAY, (HOUR, "Waiting"), (3 * HOUR, "Open"), (5 * HOUR, "Resolved")), TERMS)
        put_link(tx, 2, history(MONDAY - 30 * DAY, (HOUR, "Resolved")), TERMS)
    told = gathered(store).figures(Side.INTERNAL, {})
    assert told.minutes == {
        Owner.INTERNAL: 2 * HOUR,
        Owner.VENDOR: 3 * HOUR,
        Owner.NOBODY: 7 * DAY - 5 * HOUR,
    }
    assert told.office == {Owner.INTERNAL: 2 * HOUR}  # 10:00 to 12:00 in Copenhagen, on a Monday


def test_a_side_without_a_ticket_of_its_own_learns_nothing_of_a_link(store):
    with store.write() as tx:
        put_policy(tx, TERMS)
        put_link(tx, 1, history(MONDAY, (2 * HOUR, "comment")), TERMS)
        put_link(tx, 2, history(MONDAY, (2 * HOUR, "comment")), TERMS, mirrored=False)
    both, theirs = (gathered(store).figures(side, {}) for side in Side)
    assert (both.born, theirs.born) == (2, 1)
    assert clock(theirs, "acknowledge").breached == 1
    assert [case.keys[Side.INTERNAL] for case in gathered(store).cases(Side.VENDOR)] == ["OPS-1", "OPS-1"]
    assert "OPS-2" not in as_text(digest(AGREEMENT, Side.VENDOR, theirs, ENGLISH))
    assert "OPS-2" in as_text(digest(AGREEMENT, Side.INTERNAL, both, ENGLISH))


def test_a_report_on_a_past_month_says_what_held_then(store):
    with store.write() as tx:
        put_policy(tx, TERMS)
        put_link(tx, 1, history(MONDAY, (10 * MINUTE, "comment"), (20 * DAY, "Resolved")), TERMS)
    early = Period(MONDAY - DAY, MONDAY + 7 * HOUR)
    (_, resolving) = gathered(store, early, now=MONDAY + 300 * DAY).cases(Side.INTERNAL)
    assert (resolving.standing, resolving.cycle.stopped_at) == (Standing.AT_RISK, None)


def test_the_digest_names_what_is_held_and_the_head_of_the_chain_and_no_words_of_tickets(store):
    with store.write() as tx:
        put_policy(tx, TERMS)
        link = put_link(tx, 1, history(MONDAY, (2 * HOUR, "comment"), certain=MONDAY + DAY), TERMS)
        hold = Hold(
            id=0,
            field="priority",
            side=Side.VENDOR,
            kind=HoldKind.UNENTITLED,
            state=HoldState.OPEN,
            since=MONDAY + HOUR,
            before="canary-before",
            value="canary-after",
            other="canary-other",
        )
        tx.holds.put(link.id, hold)
        tx.journal.add(MONDAY + HOUR, "acme", link.id, "comment.added", {"side": "vendor", "copy": "1"})
        tx.journal.add(MONDAY + HOUR, "acme", link.id, "comment.added", {"side": "internal", "copy": "2"})
        tx.journal.add(MONDAY - HOUR, "acme", link.id, "comment.added", {"side": "internal", "copy": "3"})
    with store.read() as tx:
        head = tx.journal.head("acme")
    found = gathered(store).figures(Side.INTERNAL, {"acknowledge": 0.9})
    assert found.crossed == {(Side.VENDOR, "comments"): 1, (Side.INTERNAL, "comments"): 1}
    text = as_text(digest(AGREEMENT, Side.INTERNAL, found, ENGLISH))
    for words in (
        "OPS-1 = CUST-1",
        f"record {head.seq}, {head.hash}",
        "priority",
        "acknowledge",
        "90%",
        "0%",
    ):
        assert words in text
    assert "certain until Tue 3 Nov 2026 08:00 UTC" in text
    assert "canary" not in text


def test_a_digest_of_many_tickets_says_how_many_it_leaves_out(store):
    fill(store, policy(resolve=MINUTE, paused=False), 80, MONDAY - 14 * DAY)
    found = gathered(store).figures(Side.VENDOR, {})
    letter = digest_letter(
        AGREEMENT, AGREEMENT.roles[1], found, name="2026-11-09", zone="UTC", now=WEEK.until
    )
    assert letter.key == "digest/acme/2026-11-09/delivery-manager"
    assert letter.to == ("bo@acme.example",)
    assert len(found.breached) > 50
    assert f"and {len(found.breached) - 50} more" in letter.text
    assert len(letter.text) < 50_000


def test_the_evidence_of_a_scorecard_is_the_trackers_own_entries(store):
    with store.write() as tx:
        put_policy(tx, TERMS)
        put_link(tx, 1, history(MONDAY, (2 * HOUR, "comment"), (3 * HOUR, "Resolved")), TERMS)
    found = gathered(store)
    text = as_text(
        scorecard(AGREEMENT, Side.VENDOR, found.figures(Side.VENDOR, {}), found.cases(Side.VENDOR), ENGLISH)
    )
    assert "internal:issue/1 → vendor:comment/100" in text
    assert "internal:issue/1 → internal:history/101" in text
    assert "CUST-1 = OPS-1" in text
