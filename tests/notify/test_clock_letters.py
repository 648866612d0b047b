"""Letters about clocks: what they say in three languages, to whom, and what they never say."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import bridge
from bridge.notify.clock_letters import Alarm, alarm_key, alarm_letter, caption_for, gathered_letter
from bridge.notify.envelope import message
from bridge.notify.languages import tongue
from bridge.notify.picture import as_cells, as_line, as_svg
from bridge.sla.policy import Goal, Owner, Step
from bridge.sla.verdict import BallSpan, ClockState, Cycle, Segment, Verdict
from bridge.store.rows import Link, LinkState
from bridge.sync.agreement import Agreement, Scope
from bridge.sync.roles import Role
from bridge.sync.ticket import Side

SOURCE = Path(bridge.__file__).parent
MINUTE = 60_000_000
HOUR = 60 * MINUTE
BORN = 1_794_997_600_000_000  # 2026-11-18 10:26:40 UTC
GOAL = Goal({}, 4 * HOUR, "office", "P1: 4h")
AGREEMENT = Agreement(
    "acme",
    Scope("home", "OPS", "Example Corp", "wiki"),
    Scope("acme", "CUST", "Acme", "adf"),
)
LINK = Link(
    id=7,
    agreement="acme",
    origin=Side.INTERNAL,
    internal_id="1",
    internal_key="OPS-7",
    vendor_id="2",
    vendor_key="CUST-9",
    marker="m7",
    state=LinkState.ACTIVE,
    gen=1,
    done_gen=1,
    due_at=None,
    epoch=1,
    attempts=0,
    reason="",
    reason_since=None,
    next_try=None,
    internal_linked=True,
    vendor_linked=True,
    findings=(),
    created_at=BORN,
    synced_at=BORN,
)
SEGMENTS = (
    Segment(BORN, BORN + 3 * HOUR, Owner.VENDOR, runs=True, counted=3 * HOUR, event="internal:created"),
    Segment(
        BORN + 3 * HOUR, BORN + 4 * HOUR, Owner.INTERNAL, runs=False, counted=0, event="vendor:comment/5"
    ),
    Segment(
        BORN + 4 * HOUR,
        BORN + 6 * HOUR,
        Owner.VENDOR,
        runs=True,
        counted=2 * HOUR,
        event="internal:history/9",
    ),
)
CYCLE = Cycle(
    clock="resolve",
    number=1,
    state=ClockState.RUNNING,
    started_at=BORN,
    start_event="internal:created",
    stopped_at=None,
    stop_event="",
    goal=GOAL,
    elapsed=5 * HOUR,
    due_at=None,
    breached_at=BORN + 5 * HOUR,
    warned_at=BORN + 4 * HOUR,
    segments=SEGMENTS,
)
BALL = tuple(BallSpan(one.since, one.until, one.owner, "secret-status", one.event) for one in SEGMENTS)
VERDICT = Verdict(BORN + 6 * HOUR, "v1", (CYCLE,), BALL, BORN + 6 * HOUR, None)
STEP = Step("100%", 1.0, None, tell=("service-owner",))
OWNER = Role("service-owner", Side.INTERNAL, mail=("ann@example.com",))
MANAGER = Role("delivery-manager", Side.VENDOR, mail=("bo@example.org",))
MISSED = Alarm(AGREEMENT, LINK, VERDICT, CYCLE, STEP, BORN + 5 * HOUR, zone="Europe/Copenhagen")
AT_RISK = replace(
    MISSED,
    cycle=replace(CYCLE, breached_at=None, due_at=BORN + 9 * HOUR),
    step=replace(STEP, name="80%", share=0.8),
)


def say(alarm, reader=OWNER):
    letter = alarm_letter(alarm, reader, VERDICT.at)
    return letter.subject, letter.text, letter.html


def test_a_letter_says_what_was_missed_whose_time_it_was_and_what_to_do():
    subject, text, html = say(MISSED)
    assert subject == "Missed: resolve of OPS-7 = CUST-9"
    for words in (
        "The goal of clock 'resolve' of OPS-7 = CUST-9 was missed at Wed 18 Nov 2026 16:26 CET.",
        "Example Corp 1 hr, Acme 5 hrs",
        "Counted so far",
        "bridge sla ack OPS-7 --clock resolve",
        "#ack",
        "Wed 18 Nov 2026 16:26 CET = 2026-11-18 15:26 UTC",
        "Acme (secret-status), since Wed 18 Nov 2026 15:26 CET",
    ):
        assert words in text
        assert words.replace("'", "&#x27;") in html
    assert "VVVV" in text
    assert "bgcolor" in html


def test_a_moment_is_told_in_utc_as_well_unless_that_is_the_readers_own_time():
    assert "Wed 18 Nov 2026 16:26 CET = 2026-11-18 15:26 UTC" in say(MISSED)[1]
    assert "Missed since:           Wed 18 Nov 2026 15:26 UTC\n" in say(replace(MISSED, zone="UTC"))[1]


def test_before_it_is_missed_it_is_at_risk_and_a_clock_that_stands_has_no_deadline():
    assert say(AT_RISK)[0] == "At risk: resolve of OPS-7 = CUST-9"
    assert "is missed at Wed 18 Nov 2026 20:26 CET unless something is done" in say(AT_RISK)[1]
    stands = replace(AT_RISK, cycle=replace(AT_RISK.cycle, due_at=None, state=ClockState.PAUSED))
    assert "It stands now." in say(stands)[1]


def test_a_repetition_says_how_often_and_a_late_one_why():
    again = replace(MISSED, round=3, missed=2, late="down")
    subject, text, _ = say(again)
    assert subject == "Not acknowledged: resolve of OPS-7 = CUST-9 was missed"
    assert "It is told again (repetition 3)." in text
    assert "2 earlier repetitions could not be sent in time" in text
    assert (
        "it should have been told at Wed 18 Nov 2026 16:26 CET. Why: the bridge was not running then." in text
    )
    assert "could not be read" in say(replace(MISSED, late="unread"))[1]
    assert "came to light" in say(replace(MISSED, late="unknown"))[1]


def test_the_vendors_people_get_no_words_of_inside_and_no_commands():
    _, text, html = say(MISSED, MANAGER)
    for form in (text, html):
        assert "secret-status" not in form
        assert "bridge sla ack" not in form
        assert "#ack" in form
    assert "CUST-9 = OPS-7" in text
    assert "OPS-7 = CUST-9" not in text + html  # also not above the picture
    assert "@" not in text.replace("bridge.", "")


def test_a_link_to_acknowledge_stands_in_the_letter_and_nothing_once_it_is_over():
    url = "https://bridge.example.com/ack/abc"
    assert f'href="{url}"' in say(replace(MISSED, ack_url=url))[2]
    over = replace(
        MISSED, ack_url=url, cycle=replace(CYCLE, stopped_at=BORN + 6 * HOUR, state=ClockState.STOPPED)
    )
    _, text, _ = say(over)
    assert url not in text
    assert "#ack" not in text
    assert "It has ended since." in text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "da",
            [
                "Overskredet: resolve på OPS-7",
                "ons. 18 nov. 2026 16:26",
                "Hvis tid det var",
                "Example Corp 1 t",
            ],
        ),
        (
            "nl",
            ["Gemist: resolve van OPS-7", "wo 18 nov 2026 16:26", "Wiens tijd het was", "Example Corp 1 uur"],
        ),
    ],
)
def test_a_role_is_written_to_in_its_language(language, words):
    letter = alarm_letter(MISSED, replace(OWNER, language=language), VERDICT.at)
    for one in words:
        assert one in letter.subject + letter.text
    assert f'<html lang="{language}">' in letter.html


def test_many_alerts_in_one_letter_leave_none_out_and_the_missed_ones_come_first():
    links = [replace(LINK, id=number, internal_key=f"OPS-{number}") for number in range(1, 31)]
    alarms = [replace(AT_RISK if number % 2 else MISSED, link=link) for number, link in enumerate(links)]
    letter = gathered_letter(alarms, OWNER, VERDICT.at, "gathered/1")
    assert letter.subject == "30 alerts under agreement acme"
    assert all(f"OPS-{number} =" in letter.text for number in range(1, 31))
    assert letter.text.index("missed since") < letter.text.index("at risk")
    assert "1 alert under" in gathered_letter(alarms[:1], OWNER, VERDICT.at, "gathered/2").subject


def test_the_same_step_is_the_same_letter_and_another_step_another_one():
    one, two = (alarm_letter(MISSED, OWNER, VERDICT.at) for _ in range(2))
    assert one == two
    assert bytes(message(one, "bridge@example.com")) == bytes(message(two, "bridge@example.com"))
    others = [
        (replace(MISSED, round=1), OWNER),
        (MISSED, MANAGER),
        (AT_RISK, OWNER),
        (replace(MISSED, cycle=replace(CYCLE, started_at=BORN + 1)), OWNER),
    ]
    ids = {one.message_id} | {alarm_letter(alarm, role, VERDICT.at).message_id for alarm, role in others}
    assert len(ids) == 5
    assert one.key == alarm_key(MISSED, OWNER)
    assert one.references == alarm_letter(replace(MISSED, round=1), OWNER, VERDICT.at).references


def test_hostile_names_stay_text():
    bad = 'OPS-7; rm -rf ~ "><script>alert(1)</script>\r\nBcc: x@example.com\u202e'
    alarm = replace(MISSED, link=replace(LINK, internal_key=bad), urls={Side.INTERNAL: "javascript:alert(1)"})
    letter = alarm_letter(alarm, OWNER, VERDICT.at)
    assert "<script" not in letter.html
    assert "javascript:" not in letter.html
    assert "\n" not in letter.subject
    assert "\u202e" not in letter.html + letter.text
    assert "bridge sla ack 'OPS-7; rm" in letter.text


def test_moments_are_told_as_the_readers_clock_shows_them_over_both_changes():
    words = tongue("en", "Europe/Copenhagen")
    assert words.moment(1_774_745_940_000_000) == "Sun 29 Mar 2026 01:59 CET"
    assert words.moment(1_774_746_000_000_000) == "Sun 29 Mar 2026 03:00 CEST"
    assert words.moment(10**19) == "at an unknown time"
    assert tongue("en", "Asia/Kolkata").moment(0).startswith("Thu 1 Jan 1970 05:30")


@pytest.mark.parametrize(
    ("duration", "told"),
    [
        (-1, "0 secs"),
        (59_999_999, "59 secs"),
        (2 * MINUTE, "2 mins"),
        (26 * HOUR + 5 * MINUTE, "1 day 2 hrs 5 mins"),
    ],
)
def test_durations_are_told_in_their_largest_units(duration, told):
    assert tongue("en").span(duration) == told


@pytest.mark.parametrize("language", ["da", "nl"])
def test_every_sentence_in_the_code_is_in_both_catalogues_and_keeps_its_places(language):
    rooms = [("notify/**.py", "python"), ("report/**.py", "python"), ("daemon/**.py", "python")]
    told = {
        found[2] for found in extract_from_dir(str(SOURCE), rooms, keywords={"say": None, "many": (1, 2)})
    }
    assert len(told) > 30
    with (SOURCE / "notify" / "catalogues" / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    there = {one.id: one for one in catalogue if one.id}
    assert told == there.keys()
    for words, one in there.items():
        several = isinstance(words, tuple)
        assert not one.fuzzy
        for english, form in zip(
            words if several else (words,), one.string if several else (one.string,), strict=True
        ):
            assert form
            assert set(re.findall(r"\{\w+\}", form)) == set(re.findall(r"\{\w+\}", english))


def picture(cycle=CYCLE, verdict=VERDICT):
    return verdict, cycle, caption_for(AGREEMENT, "OPS-7", tongue("en", "UTC"))


def test_the_picture_shows_each_party_as_long_as_it_had_the_ball():
    line = as_line(*picture()).splitlines()
    bar = line[0].strip("|")
    assert (len(bar), bar.count("V"), bar.count("I")) == (48, 40, 8)
    assert line[2].strip("|") == "=" * 24 + "." * 8 + "=" * 16
    assert line[4].index("^") == 1 + 40  # five of six hours on
    cells = as_cells(*picture())
    assert cells.count("<td") == 3 + 3 + 2
    assert "goal missed: Wed 18 Nov 2026 15:26" in cells


def test_the_picture_as_svg_stands_alone_and_is_told_in_words_too():
    svg = as_svg(*picture())
    assert svg.startswith("<svg ")
    assert "<title" in svg
    assert "<desc" in svg
    assert not re.search(r"<script|href|<image|url\((?!#)|@import", svg)
    assert svg.count("stroke-dasharray") == 1
    assert as_svg(*picture(None)).count("stroke-dasharray") == 0


def test_a_picture_of_no_time_at_all_is_still_one():
    empty = Verdict(BORN, "v1", (), (), BORN, None)
    assert as_svg(*picture(None, empty)).endswith("</svg>\n")
    assert as_line(*picture(None, empty))
    assert as_cells(*picture(None, empty))


def test_each_party_is_told_by_its_letter_and_pattern_as_well_as_by_its_colour():
    cells, svg = as_cells(*picture()), as_svg(*picture())
    for letter, name in (
        ("I", "Example Corp"),
        ("V", "Acme"),
        ("=", "the clock runs"),
        (".", "the clock stands"),
    ):
        assert re.search(rf">{re.escape(letter)}</span> {name}", cells)
    assert svg.count("url(#stripes)") == 2 + 1  # two stretches, and what they mean
    assert svg.count("url(#rules)") == 1 + 1


def test_a_name_with_a_colon_is_told_whole():
    names = replace(AGREEMENT, vendor=replace(AGREEMENT.vendor, company="Acme: Nordic"))
    line = as_line(VERDICT, CYCLE, caption_for(names, "OPS-7", tongue("en", "UTC")))
    assert "V Acme: Nordic, I Example Corp" in line


def test_a_ticket_that_went_to_and_fro_a_thousand_times_makes_no_mail_that_readers_cut_off():
    owners = (Owner.VENDOR, Owner.INTERNAL)
    ball = tuple(BallSpan(BORN + i * MINUTE, BORN + (i + 1) * MINUTE, owners[i % 2]) for i in range(1000))
    segments = tuple(Segment(one.since, one.until, one.owner, i % 2 == 0, 0) for i, one in enumerate(ball))
    alarm = replace(MISSED, cycle=replace(CYCLE, segments=segments), verdict=replace(VERDICT, ball=ball))
    assert len(alarm_letter(alarm, OWNER, VERDICT.at).html.encode()) < 60_000


def test_a_mail_needs_no_more_room_than_a_phone_has():
    _, text, html = say(replace(MISSED, ack_url="https://bridge.example.com/ack/" + "a" * 200))
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in html
    assert not re.search(r"""width[=:]\s*["']?\d+(px|["'\s>])|min-width|nowrap""", html)
    assert "word-break:break-all" in html  # the address
    assert not re.search(r"<img|<style|<script|<link|src=", html)  # nothing that mail programs drop or fetch
    assert max(len(line) for line in text.splitlines() if "|" in line) <= 50
