"""The tick: what is due is told once and in time, whatever else fails; and every alert arrives."""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import replace

import pytest
import structlog
from belfry import ANN, BO, BORN, ROLES, Belfry, step
from post_office import open_post_office
from pydantic import SecretStr
from sla_making import HOUR, MINUTE, History
from sqlalchemy import event

from bridge.config.settings import TrackerSettings
from bridge.daemon import ticking
from bridge.daemon.acknowledging import acknowledge
from bridge.daemon.ticking import PORTION, Ticked
from bridge.notify.sending import SmtpPost
from bridge.sla.policy import Happening, Trigger
from bridge.store.rows import LetterState
from bridge.sync.roles import Quiet
from bridge.sync.ticket import Side


@pytest.fixture
def belfry(tmp_path):
    made = Belfry(tmp_path)
    yield made
    made.kill()


def test_each_step_is_told_once_to_its_roles_at_its_moment(belfry):
    belfry.link()
    told = {}
    for minute in range(0, 300, 5):
        done = belfry.at(minute)
        if done.claimed:
            told[minute] = belfry.told()[-done.claimed :]
    assert told == {
        30: [("50%", 0)],
        60: [("100%", 0)],
        120: [("+60", 0)],
        180: [("+60", 1)],
        240: [("+60", 2)],
    }
    letters = belfry.letters()
    assert [letter.to for letter in letters] == [(ANN,), (ANN,), (BO,), (ANN,), (ANN,), (ANN,)]
    assert len({letter.message_id for letter in letters}) == len(letters)
    assert all(one.claimed_at == one.at for one in belfry.alerts())
    assert "At risk" in letters[0].subject
    assert "Missed" in letters[1].subject


def test_who_answered_in_the_last_second_is_not_told_that_they_did_not(tmp_path):
    ladder = [step("50%"), step("100%"), step("+60", every=60 * MINUTE)]
    belfry = Belfry(tmp_path, ladder=ladder, settle=30.0)
    in_time, late = belfry.link(), belfry.link()
    assert belfry.at(30.4).claimed == 0
    assert belfry.at(30.5).claimed == 2
    assert belfry.at(60).claimed == 0
    belfry.clock.at = BORN + round(60.2 * MINUTE)
    belfry.tell(in_time, History(BORN, status="Open").becomes(59.99, status="Resolved"))
    assert belfry.at(60.4).claimed == 0
    assert belfry.at(60.5).claimed == 1
    assert [one.link_id for one in belfry.alerts() if one.step == "100%"] == [late]
    told = [minute / 2 for minute in range(220, 500) if belfry.at(minute / 2).claimed]
    assert told == [120.5, 180.5, 240.5], "repeated at its own moments, each as much later"
    belfry.kill()


@pytest.mark.parametrize(
    ("polls", "given", "waits"), [((15, 5), None, 30), ((90, 1), None, 60), ((15, 5), 0.0, 0), ((), None, 0)]
)
def test_a_step_waits_for_two_polls_of_the_slower_tracker_unless_the_agreement_says_otherwise(
    tmp_path, polls, given, waits
):
    belfry = Belfry(tmp_path, ladder=[step("100%")], settle=given)
    trackers = {
        name: TrackerSettings(name, "jira-cloud", "https://x.example", SecretStr(""), poll=poll)
        for name, poll in zip(("home", "acme"), polls, strict=False)
    }
    belfry.house.terms = replace(
        belfry.house.terms, settings=replace(belfry.house.terms.settings, trackers=trackers)
    )
    belfry.link()
    assert not waits or belfry.at(60 + (waits - 1) / 60).claimed == 0
    assert belfry.at(60 + waits / 60).claimed == 1
    belfry.kill()


def test_nothing_is_looked_at_before_it_is_due(belfry):
    belfry.link()
    assert belfry.at(0) == Ticked(looked=1)
    assert belfry.at(29.99) == Ticked()
    assert belfry.at(30).looked == 1


def test_whoever_asks_what_is_due_goes_by_the_index_of_what_is_due(belfry):
    """By the index of the agreements, a tick over a million clocks of which none is due took a second."""
    belfry.link()
    asked = []
    with belfry.store.read() as tx:
        event.listen(tx.connection, "before_cursor_execute", lambda *args: asked.append(args[2:4]))
        tx.chronicles.due(BORN, 10, ["acme"])
        tx.chronicles.stale(BORN, 10, "acme")
        plans = [
            tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", values).all()[0][-1]
            for words, values in asked[:2]
        ]
    assert ["ix_timelines_next" in plans[0], "ix_timelines_stale" in plans[1]] == [True, True], plans


def test_a_history_that_is_ahead_of_our_clock_is_looked_at_when_it_comes_true(belfry):
    belfry.link(History(BORN + 2 * MINUTE, status="Open"))
    assert belfry.at(1) == Ticked(looked=1)
    assert [minute for minute in range(2, 100) if belfry.at(minute).claimed] == [32, 62]


def test_links_without_a_history_or_an_agreement_are_left_alone(belfry):
    belfry.link()
    belfry.house.terms = replace(
        belfry.house.terms, settings=replace(belfry.settings, agreements=(), pledges={})
    )
    assert belfry.at(500) == Ticked()
    belfry.house.terms = replace(belfry.house.terms, settings=belfry.settings)
    assert belfry.at(501).claimed == 3, "it comes back with its agreement"


def test_a_row_that_cannot_be_read_is_put_off_and_stops_no_other(belfry):
    broken, sound = belfry.link(), belfry.link()
    with belfry.store.write() as tx:
        row = tx.chronicles.get(broken)
        tx.chronicles.put(replace(row, timeline={"v": 99}), None)
    assert belfry.at(31) == Ticked(looked=2, claimed=1, failed=1)
    assert [one.link_id for one in belfry.alerts()] == [sound]
    assert belfry.at(32) == Ticked(), "put off"
    belfry.clock.at = BORN + 37 * MINUTE
    belfry.tell(broken, History(BORN, status="Open"))
    assert belfry.at(37).claimed == 1


def test_more_than_a_portion_at_once(belfry):
    for _ in range(PORTION + 7):
        belfry.link()
    done = belfry.at(60)
    assert (done.looked, done.claimed) == (PORTION + 7, 2 * (PORTION + 7))
    assert belfry.at(61).looked == 0


def test_a_history_that_is_stored_meanwhile_is_looked_at_again(belfry, monkeypatch):
    link = belfry.link()
    looking = belfry.ticker._look.at

    def slowly(tx, rows, now):
        found = looking(tx, rows, now)
        belfry.clock.at += 1
        return found

    monkeypatch.setattr(belfry.ticker._look, "at", slowly)
    commit = belfry.ticker._commit

    def after_another(*args):
        monkeypatch.undo()
        belfry.tell(link, History(BORN, status="Open").becomes(20, status="Resolved"))
        return commit(*args)

    monkeypatch.setattr(belfry.ticker, "_commit", after_another)
    belfry.at(31)
    belfry.at(32)
    assert belfry.told() == []


# --- late -------------------------------------------------------------------------------------------------------------


def test_an_alert_whose_moment_passed_while_the_bridge_was_down_says_so(belfry):
    belfry.link()
    belfry.at(10)
    belfry.ticker.join()
    belfry.kill()
    belfry.open()
    belfry.at(24 * 60)
    details = {one.step: one.detail for one in belfry.alerts()}
    assert {name: detail["why"] for name, detail in details.items()} == {
        "50%": "down",
        "100%": "down",
        "+60": "down",
    }
    assert details["100%"]["late"] == 23 * HOUR
    assert details["+60"]["missed"] == 22
    assert "the bridge was not running" in belfry.letters()[1].text
    assert belfry.at(24 * 60 + 1).claimed == 0


def test_a_deed_that_comes_to_light_late_is_not_blamed_on_the_bridge(belfry):
    link = belfry.link(History(BORN, status="Open").becomes(20, status="Resolved"))
    for minute in range(200):
        belfry.at(minute)
    assert belfry.told() == []
    belfry.tell(link, History(BORN, status="Open"))
    belfry.at(200)
    assert {one.detail["why"] for one in belfry.alerts()} == {"unknown"}


@pytest.mark.parametrize("resolved", [55, 60])
def test_what_was_undone_before_anybody_noticed_is_not_told(belfry, resolved):
    belfry.link(History(BORN, status="Open").becomes(resolved, status="Resolved"))
    belfry.at(24 * 60)
    assert belfry.told() == []


# --- acknowledged -----------------------------------------------------------------------------------------------------


def test_a_comment_that_acknowledges_ends_the_repetitions(belfry):
    link = belfry.link()
    for minute in (0, 60, 120):
        belfry.at(minute)
    told = belfry.told()
    belfry.tell(link, History(BORN, status="Open").acknowledged(100))
    for minute in range(121, 500, 10):
        belfry.at(minute)
    assert belfry.told() == told
    with belfry.store.read() as tx:
        (word,) = tx.alerts.acknowledged(link)
    assert (word.clock, word.cycle, word.at) == ("resolve", BORN, BORN + 100 * MINUTE)
    assert word.detail == {"who": "", "side": "vendor", "how": "comment"}


def test_an_acknowledgement_stops_a_clock_at_once_though_no_tracker_was_read_since(tmp_path):
    """Whoever was reading the history at that moment does not take it back."""
    belfry = Belfry(tmp_path, ladder=[step("100%")], stop=[Trigger(Happening.ACKNOWLEDGED)])
    link = belfry.link()
    belfry.at(30)
    with belfry.store.write() as tx:
        row = tx.chronicles.get(link)
        words = {"who": "ann", "side": Side.INTERNAL, "how": "command", "now": belfry.clock.now()}
        assert acknowledge(tx, tx.links.get(link), [("resolve", BORN)], **words) == 1
        assert acknowledge(tx, tx.links.get(link), [("resolve", BORN)], **words) == 0
    belfry.tell(link, History(BORN, status="Open"))
    with belfry.store.read() as tx:
        assert tx.chronicles.get(link).stale_at != row.stale_at
    belfry.at(90)
    assert belfry.told() == []


# --- storms and nights ------------------------------------------------------------------------------------------------


def test_a_word_from_before_anything_was_told_silences_nothing(belfry):
    """The vendor's first answer, `Acknowledged.`, kept the mediator from ever hearing of the breach."""
    belfry.link(History(BORN, status="Open").acknowledged(5))
    for minute in (0, 30, 60, 120):
        belfry.at(minute)
    assert belfry.told() == [("50%", 0), ("100%", 0), ("+60", 0)]


def test_a_cycle_that_was_acknowledged_under_a_later_beginning_is_told_no_step_twice(belfry):
    """A skew is measured anew with each reading: the link in the mail may call the cycle otherwise than its claims."""
    link = belfry.link()
    for minute in (0, 30, 60):
        belfry.at(minute)
    told = belfry.told()
    belfry.clock.at = BORN + 61 * MINUTE
    with belfry.store.write() as tx:
        row = tx.links.get(link)
        acknowledge(
            tx, row, [("resolve", BORN + 5)], who="Ann", side=Side.INTERNAL, how="mail", now=belfry.clock.at
        )
    belfry.tell(link, History(BORN + 5, status="Open"))
    for minute in range(62, 400, 20):
        belfry.at(minute)
    assert belfry.told() == told


def test_a_history_read_by_a_clock_that_was_wrong_by_minutes_tells_nothing_twice(belfry):
    """All that had been told was told again, and whoever had acknowledged was asked once more."""
    link = belfry.link()
    for minute in (0, 30, 60, 120):
        belfry.at(minute)
    with belfry.store.write() as tx:
        row = tx.links.get(link)
        acknowledge(
            tx, row, [("resolve", BORN)], who="Ann", side=Side.INTERNAL, how="mail", now=belfry.clock.at
        )
    told = belfry.told()
    for minute, shift in ((130, -2), (140, 0), (150, 3)):
        belfry.clock.at = BORN + minute * MINUTE
        belfry.tell(link, History(BORN + shift * MINUTE, status="Open"))
        belfry.at(minute)
    for minute in range(160, 400, 20):
        belfry.at(minute)
    assert belfry.told() == told


def in_letters(belfry, to: str) -> list[int]:
    """How many alerts each letter to somebody tells of."""
    letters = [letter for letter in belfry.letters() if letter.to == (to,)]
    keys = [f"OPS-{number}" for number in range(1, len(belfry.links) + 1)]
    return [sum(f"{key} = " in letter.text for key in keys) for letter in letters]


def test_a_storm_is_one_mail_in_which_nothing_is_missing(tmp_path):
    belfry = Belfry(tmp_path, ladder=[step("100%")], most_per_hour=5, gather=300.0)
    for _ in range(50):
        belfry.link()
    assert belfry.at(60).claimed == 50
    assert len(belfry.letters()) == 5
    assert belfry.at(64).gathered == 0
    assert belfry.at(65).gathered == 1
    letters = belfry.letters()
    assert len(letters) == 6
    for number in range(1, 51):
        assert sum(f"OPS-{number} " in letter.text for letter in letters) == 1, number
    assert belfry.at(70).gathered == 0
    belfry.kill()


def test_of_what_was_gathered_for_a_role_that_is_gone_somebody_hears(tmp_path):
    belfry = Belfry(tmp_path, ladder=[step("100%")], most_per_hour=1)
    for _ in range(3):
        belfry.link()
    belfry.at(60)
    agreement = replace(belfry.settings.agreements[0], roles=())
    belfry.house.terms = replace(
        belfry.house.terms, settings=replace(belfry.settings, agreements=(agreement,))
    )
    with structlog.testing.capture_logs() as logs:
        belfry.at(90)
        belfry.at(91)
    assert [one["roles"] for one in logs if one["event"] == "alert_unheard"] == [["owner"]] * 2
    belfry.house.terms = replace(belfry.house.terms, settings=belfry.settings)
    assert belfry.at(120).gathered == 1, "it is told when the role is there again"
    belfry.kill()


def test_a_gathered_alert_whose_verdict_fails_keeps_no_other_one_back(tmp_path, monkeypatch):
    belfry = Belfry(tmp_path, ladder=[step("100%")], most_per_hour=1)
    for _ in range(4):
        belfry.link()
    belfry.at(60)
    bad, verdict = belfry.links[2], belfry.ticker._look.verdict

    def fails(tx, row, now, words=()):
        if row.link_id == bad:
            raise ValueError("odd")
        return verdict(tx, row, now, words)

    monkeypatch.setattr(belfry.ticker._look, "verdict", fails)
    assert belfry.at(90).gathered == 1
    assert all(f"OPS-{number} " in belfry.letters()[-1].text for number in (2, 3, 4))
    belfry.kill()


def test_a_storm_outlives_a_kill(tmp_path):
    belfry = Belfry(tmp_path, ladder=[step("100%")], most_per_hour=1)
    for _ in range(9):
        belfry.link()
    belfry.at(60)
    belfry.kill()
    belfry.open()
    assert belfry.at(90).gathered == 1
    assert len(belfry.letters()) == 2
    belfry.kill()


def test_quiet_hours_hold_back_what_is_not_urgent(tmp_path):
    night = replace(ROLES[0], quiet=Quiet(20 * 60, 7 * 60, "Europe/Copenhagen"))
    ladder = [step("100%"), step("+10"), step("+20", urgent=True)]
    belfry = Belfry(tmp_path, roles=[night], ladder=ladder)
    belfry.link(History(BORN + 12 * HOUR, status="Open"))  # 22:00 in Copenhagen
    for minute in range(12 * 60, 24 * 60, 5):
        belfry.at(minute)
    assert belfry.told() == [("100%", 0), ("+10", 0), ("+20", 0)]
    urgent, gathered = belfry.letters()
    assert urgent.created_at == BORN + (13 * 60 + 20) * MINUTE
    assert gathered.created_at == BORN + 21 * HOUR, "07:00 in Copenhagen"
    assert gathered.text.count("OPS-1 = CUST-1") == 2
    belfry.kill()


def test_one_alert_that_waited_alone_is_an_ordinary_letter(tmp_path):
    night = replace(ROLES[0], quiet=Quiet(0, 12 * 60, "UTC"))
    belfry = Belfry(tmp_path, roles=[night], ladder=[step("100%")])
    belfry.link()
    for minute in (60, 119, 120, 180):
        belfry.at(minute)
    (letter,) = belfry.letters()
    assert letter.created_at == BORN + 3 * HOUR
    assert "Missed" in letter.subject
    belfry.kill()


def test_whoever_cannot_be_reached_is_in_the_evidence(tmp_path):
    belfry = Belfry(tmp_path, ladder=[step("100%", "nobody", "gone", "owner")])
    belfry.link()
    belfry.at(60)
    (alert,) = belfry.alerts()
    assert alert.detail["roles"] == {"nobody": "unheard", "gone": "unheard", "owner": "mailed"}
    assert len(belfry.letters()) == 1
    belfry.kill()


# --- a clock that jumps -----------------------------------------------------------------------------------------------


def test_a_clock_that_is_set_back_an_hour(belfry):
    """Nothing is told early or twice, and what was on its way goes out without waiting for the lost hour."""
    with open_post_office() as post:
        belfry.house.terms = replace(
            belfry.house.terms,
            settings=replace(belfry.settings, mail=replace(belfry.settings.mail, port=post.port)),
        )
        belfry.link()
        for minute in (0, 30, 60, 125):
            belfry.at(minute)
        before = belfry.told()
        assert before == [("50%", 0), ("100%", 0), ("+60", 0)]
        for minute in range(66, 180):
            belfry.at(minute)
            assert belfry.told() == before, minute
            belfry.mailer.flush()
            if minute == 66:
                assert len(post.mails) == 4, "they do not wait until the clock is there again"
        belfry.at(180)
        assert belfry.told() == [*before, ("+60", 1)]


def test_what_was_read_before_the_clock_was_set_back_does_not_wait_for_the_lost_hour(belfry):
    belfry.at(90)
    link = belfry.link()
    with belfry.store.write() as tx:
        tx.chronicles.later(link, belfry.clock.at + MINUTE)
    assert belfry.at(31).claimed == 1
    with belfry.store.read() as tx:
        assert tx.chronicles.stale(belfry.clock.at, 10, "acme")


def test_what_is_gathered_waits_for_the_end_of_quiet_hours_that_begin_meanwhile(tmp_path):
    quiet = Quiet(11 * 60 + 2, 12 * 60, "Europe/Copenhagen")
    owner = replace(ROLES[0], quiet=quiet)
    belfry = Belfry(tmp_path, roles=(owner, *ROLES[1:]), ladder=[step("100%")], most_per_hour=1, gather=300.0)
    belfry.link()
    belfry.link()
    assert belfry.at(60).claimed == 2, "11:00 there: one is mailed, one is gathered"
    assert [minute for minute in range(61, 130) if belfry.at(minute).gathered] == [120]
    belfry.kill()


def test_what_was_gathered_before_the_clock_was_set_back_is_told(tmp_path):
    belfry = Belfry(tmp_path, ladder=[step("100%")], most_per_hour=1)
    for _ in range(4):
        belfry.link()
    belfry.at(70)
    assert belfry.at(10).gathered == 0
    assert belfry.at(16).gathered == 1
    assert len(belfry.letters()) == 2
    belfry.kill()


def test_a_clock_that_jumps_ahead_tells_late_and_once(belfry):
    belfry.link()
    belfry.at(10)
    assert belfry.at(130).claimed == 3
    assert belfry.at(131).claimed == 0


@pytest.mark.parametrize("trouble", ["down", "450", "silent", "550"])
def test_a_breach_found_a_day_late_arrives_through_a_mail_server_in_trouble(tmp_path, trouble):
    with open_post_office() as post:
        belfry = Belfry(tmp_path, port=post.port, ladder=[step("100%")])
        belfry.link()
        belfry.at(10)
        belfry.kill()
        belfry.open()
        belfry.at(24 * 60)
        mail = belfry.settings.mail
        post.silent = trouble == "silent"
        post.recipients = {ANN: f"{trouble} no"} if trouble.isdigit() else {}
        broken = replace(mail, port=9 if trouble == "down" else mail.port, timeout=0.5)
        belfry.house.terms = replace(belfry.house.terms, settings=replace(belfry.settings, mail=broken))
        belfry.mailer.flush()
        belfry.clock.at += HOUR
        belfry.mailer.flush()
        post.silent, post.recipients = False, {}
        belfry.house.terms = replace(belfry.house.terms, settings=belfry.settings)
        belfry.clock.at += 2 * HOUR
        belfry.mailer.flush()
        (letter,) = belfry.letters()
        if trouble == "550":
            assert letter.state is LetterState.DEAD
            with belfry.store.write() as tx:
                assert tx.outbox.retry(letter.id, belfry.clock.now()), "bridge mail retry"
            belfry.mailer.flush()
        assert belfry.letters()[0].state is LetterState.SENT
        assert "told late" in post.mails[-1].text
        assert len({one.id for one in post.mails}) == 1
        assert len(post.mails) == (3 if trouble == "silent" else 1), "doubled only where the answer was lost"
        belfry.kill()


class Killed(BaseException):
    """The process is gone."""


@contextmanager
def killed(belfry, where: str):
    """Have the process end at that point of a round, as a kill does: nothing after it happens."""

    def end(*_: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        if where == "claim":
            patch.setattr(ticking, "claim_all", end)
        if where == "send":
            patch.setattr(SmtpPost, "hand_over", end)
        if where == "mark":
            patch.setattr(belfry.mailer, "_note", end)
        yield


# --- killed ----------------------------------------------------------------------------------------------------------


def test_every_alert_arrives_whatever_breaks(tmp_path):
    """Kills at random between claim, handing over and noting; a mail server that refuses, defers, and does not answer.

    Each alert arrives at least once and never early, always under the same Message-ID, and twice only where the mail
    server's answer was lost.
    """
    dice = random.Random(7)
    with open_post_office() as post:
        belfry = Belfry(tmp_path, port=post.port, most_per_hour=1_000)
        for number in range(6):
            belfry.link(History(BORN + number * 7 * MINUTE, status="Open"))
        arrived: list[tuple[str, int]] = []
        post.arrived = lambda mail: arrived.append((mail.id.strip("<>"), belfry.clock.now()))
        doubtful = 0
        for minute in range(0, 300, 6):
            post.answers[:] = dice.choice([[], [], ["450 4.2.0 later"], ["451 4.3.0 later"]])
            where = dice.choice(["nowhere", "nowhere", "claim", "send", "mark"])
            belfry.clock.at = BORN + minute * MINUTE
            before = len(arrived)
            try:
                with killed(belfry, where):
                    belfry.ticker.tick()
                    belfry.mailer.flush()
            except Killed:
                doubtful += where == "mark" and len(arrived) > before
                belfry.kill()
                belfry.open()
        post.answers.clear()
        for _ in range(5):
            belfry.clock.at += 2 * HOUR
            belfry.mailer.flush()
        letters = belfry.letters()
        assert {letter.state for letter in letters} == {LetterState.SENT}
        assert {one for one, _ in arrived} == {letter.message_id for letter in letters}
        put = {letter.message_id: letter.created_at for letter in letters}
        assert all(at >= put[one] for one, at in arrived)
        assert all(alert.claimed_at >= alert.at for alert in belfry.alerts())
        told = [(one.link_id, one.step, one.round) for one in belfry.alerts()]
        assert len(told) == len(set(told)) > 20
        owed = sum(len(alert.detail["roles"]) for alert in belfry.alerts())
        assert len(letters) == owed, "each alert is in a letter to each of its roles"
        assert doubtful, "the dice are to kill between handing over and noting, too"
        refused = sum(letter.attempts - 1 for letter in letters)
        assert len(arrived) - len(letters) <= doubtful + refused
        belfry.kill()
