"""What letters say, and what they do not: each reader sees what may cross to their side, in their own words."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

import bridge
from bridge.daemon.brakes import WORDS, letter_about
from bridge.markup import Document, Paragraph, Text
from bridge.notify.letters import (
    brake_pulled,
    hold_decided,
    hold_opened,
    hold_overdue,
    owner_missing,
    trial,
)
from bridge.store.rows import Link, LinkState
from bridge.sync.agreement import Agreement, CommentRule, FieldRule, Otherwise, Rule, Scope
from bridge.sync.brakes import Cause
from bridge.sync.holding import Hold, HoldKind, HoldState, stamp
from bridge.sync.redaction import Detector, Redaction, RedactionRule
from bridge.sync.roles import HoldRule, Role
from bridge.sync.ticket import Person, Side

HOUR = 3_600_000_000
NOW = 1_800_000_000_000_000
ANN = Person("ann", "Ann Example", ("ann@example.com",))
BO = Person("557058:bo", "Bo Vendor <bo@acme.example>", ("bo@acme.example",))
CY = Person("557058:cy", "Cy Vendor", ("cy@acme.example",))
OWNER = Role(
    "service-owner", Side.INTERNAL, people=("ann@example.com",), mail=("ops@example.com", "ops@example.com")
)
MANAGER = Role(
    "delivery-manager",
    Side.VENDOR,
    people=("bo@acme.example",),
    field="assignee",
    required_within=HOUR,
    mail=("bo@acme.example",),
)
AGREEMENT = Agreement(
    "acme",
    Scope("home", "OPS", "Example Corp", "jira"),
    Scope("acme", "CUST", "Acme", "adf"),
    fields=(
        FieldRule("summary", owner=Side.INTERNAL, rule=Rule.OWNER),
        FieldRule("description"),
        FieldRule("priority", values=(("Highest", "P1"), ("Low", "P4"))),
        FieldRule("labels", rule=Rule.MERGE, only=("sev-*",)),
        FieldRule("due"),
        FieldRule("assignee", otherwise=Otherwise("keep")),
        FieldRule("severity", names={Side.INTERNAL: "Severity", Side.VENDOR: "Impact"}, values=(("Bad", "Worse"),)),
        FieldRule("remark", names={Side.INTERNAL: "Remark", Side.VENDOR: "Note"}),
    ),
    people=(("ann@example.com", "bo@acme.example"),),
    roles=(OWNER, MANAGER),
    holds=HoldRule({Side.INTERNAL: "service-owner", Side.VENDOR: "delivery-manager"}),
)  # fmt: skip
LINK = Link(
    id=3, agreement="acme", origin=Side.INTERNAL, internal_id="1", internal_key="OPS-1", vendor_id="2",
    vendor_key="CUST-7", marker="bridge-3f", state=LinkState.HELD, gen=1, done_gen=1, due_at=None, epoch=1,
    attempts=0, reason="", reason_since=None, next_try=None, internal_linked=True, vendor_linked=True, findings=(),
    created_at=NOW, synced_at=NOW,
)  # fmt: skip
URLS = {
    Side.INTERNAL: "https://jira.example.com/browse/OPS-1",
    Side.VENDOR: "https://acme.example/browse/CUST-7",
}
HOLD = Hold(
    17,
    "priority",
    Side.VENDOR,
    HoldKind.UNENTITLED,
    HoldState.OPEN,
    NOW - HOUR,
    "P4",
    "P1",
    "Low",
    BO,
    "10042",
)


def opened(reader=OWNER, agreement=AGREEMENT, **changes):
    return hold_opened(agreement, LINK, replace(HOLD, **changes), reader, now=NOW, urls=URLS)


def fact(letter, label):
    """One line of the letter's table."""
    return next(
        line.partition(":")[2].strip() for line in letter.text.splitlines() if line.startswith(f"{label}:")
    )


def test_the_approver_learns_what_is_held_where_by_whom_and_how_to_decide():
    letter = opened()
    assert letter.to == ("ops@example.com",)
    assert letter.subject == "Decision needed: priority of OPS-1 = CUST-7"
    assert (letter.key, letter.agreement, letter.link_id) == ("hold/17/opened/service-owner", "acme", 3)
    assert "Bo Vendor (Acme) changed priority without being entitled to it" in letter.text
    assert fact(letter, "Changed at Acme") == "Low → Highest"
    assert fact(letter, "Stands at Example Corp") == "Low"
    assert fact(letter, "By") == "Bo Vendor (Acme)"
    assert fact(letter, "When") == "2027-01-15 07:00 UTC"
    for form in (letter.text, letter.html):
        assert f"bridge holds approve 17-{stamp(HOLD)}" in form
        assert f"bridge holds reject 17-{stamp(HOLD)} --reason" in form
        assert all(url in form for url in URLS.values())
        assert "acme.example>" not in form
        assert "@" not in form


def test_the_vendors_approver_reads_it_in_their_own_words():
    letter = opened(MANAGER, side=Side.INTERNAL, before="Low", value="Highest", other="P4", actor=ANN)
    assert letter.subject == "Decision needed: priority of CUST-7 = OPS-1"
    assert fact(letter, "Changed at Example Corp") == "P4 → P1"
    assert fact(letter, "Stands at Acme") == "P4"
    assert "whoever runs the bridge at Example Corp does that for you" in letter.text
    assert " --by YOU" in letter.text


def test_a_value_that_may_not_cross_is_not_shown_to_the_other_side_but_to_its_own():
    secret = {"side": Side.INTERNAL, "before": "Low", "value": "Board only", "other": "P4", "actor": ANN}
    theirs, ours = opened(MANAGER, **secret), opened(OWNER, **secret)
    assert "Board only" not in theirs.text + theirs.html + theirs.subject
    assert fact(theirs, "Changed at Example Corp") == "P4 → (not shown in mails)"
    assert fact(ours, "Changed at Example Corp") == "Low → Board only"


@pytest.mark.parametrize("reader", [OWNER, MANAGER])
@pytest.mark.parametrize(
    ("field", "before", "after"),
    [
        ("summary", "Canary one", "Canary two"),
        (
            "description",
            Document((Paragraph((Text("Canary one"),)),)),
            Document((Paragraph((Text("Canary two"),)),)),
        ),
        ("remark", "Canary one", "Canary two"),
        ("severity", "Canary one", "Worse"),
        ("unknown", "Canary one", "Canary two"),
    ],
)
def test_words_of_texts_are_in_no_mail(reader, field, before, after):
    for side in Side:
        hold = replace(HOLD, field=field, side=side, before=before, value=after, other=before)
        decided = replace(hold, state=HoldState.REJECTED, decided_by="ann", decided_at=NOW)
        letters = [
            opened(reader, field=field, side=side, before=before, value=after, other=before),
            hold_overdue(AGREEMENT, LINK, hold, reader, now=NOW),
            hold_decided(AGREEMENT, LINK, decided, reader, now=NOW),
        ]
        for letter in letters:
            assert "Canary" not in letter.subject + letter.text + letter.html
            assert "not shown in mails" in letter.text


def test_values_that_the_agreement_names_are_shown_of_custom_fields_too():
    hold = {"field": "severity", "before": None, "value": "Worse", "other": None}
    assert fact(opened(**hold), "Changed at Acme") == "(none) → Bad"
    assert opened(**hold).subject.startswith("Decision needed: Severity of")
    assert opened(MANAGER, **hold).subject.startswith("Decision needed: Impact of")


def test_of_labels_only_those_that_cross_and_only_what_changed():
    hold = {
        "field": "labels", "side": Side.INTERNAL, "other": frozenset({"sev-1"}), "actor": ANN,
        "before": frozenset({"sev-1", "vip", "old"}), "value": frozenset({"sev-1", "sev-2", "vip", "fire-them"}),
    }  # fmt: skip
    theirs, ours = opened(MANAGER, **hold), opened(OWNER, **hold)
    assert fact(theirs, "Changed at Example Corp") == "+sev-2"
    assert not {"vip", "old", "fire-them"} & set(theirs.text.replace(",", " ").split())
    assert fact(ours, "Changed at Example Corp") == "+fire-them, +sev-2, -old"


def test_people_without_a_pair_are_not_named_to_the_other_side():
    hold = {"field": "assignee", "before": BO, "value": CY, "other": ANN, "actor": BO}
    assert fact(opened(OWNER, **hold), "Changed at Acme") == "Bo Vendor → (not shown in mails)"
    assert fact(opened(OWNER, **hold), "Stands at Example Corp") == "Ann Example"
    assert fact(opened(MANAGER, **hold), "Changed at Acme") == "Bo Vendor → Cy Vendor"


def test_who_made_a_change_is_named_across_only_where_comments_name_people():
    mute = replace(AGREEMENT, comments=CommentRule(cross=frozenset({Side.INTERNAL})))
    assert fact(opened(OWNER, mute), "By") == "Acme team"
    assert fact(opened(MANAGER, mute), "By") == "Bo Vendor (Acme)"
    assert fact(opened(OWNER, actor=None), "By") == "Acme team"


@pytest.mark.parametrize(
    ("shown", "who", "assignee"),
    [
        ("name", "Bo Vendor (Acme)", "Bo Vendor"),
        ("role", "delivery manager (Acme)", "delivery manager"),
        ("company", "Acme team", "Acme team"),
    ],
)
def test_people_are_called_what_the_agreement_says_wherever_they_stand(shown, who, assignee):
    agreement = replace(AGREEMENT, show_people=shown)
    letter = opened(OWNER, agreement, field="assignee", before=None, value=BO, other=None)
    assert fact(letter, "By") == who
    assert fact(letter, "Changed at Acme") == f"(none) → {assignee}"
    assert ("Bo Vendor" in letter.text + letter.html) == (shown == "name")


def test_what_is_redacted_on_its_way_to_a_side_is_redacted_in_its_mails():
    rule = RedactionRule("own", "[gone]", (Detector("canary-[0-9]+"),))
    redaction = Redaction((rule,))
    fields = tuple(replace(field, redaction=redaction) for field in AGREEMENT.fields)
    agreement = replace(AGREEMENT, redaction=redaction, fields=fields)
    rejected = {"state": HoldState.REJECTED, "decided_by": "Ann", "decided_at": NOW, "reason": "see canary-1"}
    labels = {
        "field": "labels",
        "before": frozenset(),
        "value": frozenset({"sev-1", "sev-canary-2"}),
        "other": None,
    }
    letter = hold_decided(agreement, LINK, replace(HOLD, **rejected, **labels), OWNER, now=NOW)
    assert "canary" not in letter.subject + letter.text + letter.html
    assert fact(letter, "Reason") == "see [gone]"
    assert fact(letter, "Changed at Acme") == "+sev-1"


def test_who_decided_is_named_to_the_side_that_runs_the_bridge_and_a_role_to_the_other():
    decided = replace(
        HOLD, state=HoldState.APPROVED, decided_by="Ann", decided_at=NOW, approver="service-owner"
    )
    ours, theirs = (hold_decided(AGREEMENT, LINK, decided, reader, now=NOW) for reader in (OWNER, MANAGER))
    assert "approved by Ann." in ours.text
    assert "approved by the service owner (Example Corp)." in theirs.text
    assert "Ann" not in theirs.text


def test_a_conflict_asks_whose_value_stands():
    letter = opened(kind=HoldKind.CONFLICT)
    assert "Both sides changed priority differently" in letter.text
    number = f"17-{stamp(replace(HOLD, kind=HoldKind.CONFLICT))}"
    theirs, ours = (letter.text.index(f"approve {number} --from {side}") for side in ("vendor", "internal"))
    assert letter.text.index("let the value of Acme stand") < theirs
    assert theirs < letter.text.index("let the value of Example Corp stand") < ours
    assert "By:" not in letter.text


def test_what_came_back_says_how_often():
    assert "was undone 2 times and came back each time" in opened(kind=HoldKind.PING_PONG, rounds=2).text


@pytest.mark.parametrize(
    ("then", "words"),
    [("reject", "rejected by itself on 2027-01-15 09:00 UTC"), ("approve", "approved by"), ("wait", None)],
)  # fmt: skip
def test_what_happens_by_itself_is_said(then, words):
    letter = opened(agreement=replace(AGREEMENT, holds=HoldRule(expire=2 * HOUR, then=then)))
    assert (words in letter.text) if words else ("by itself" not in letter.text)


def test_a_hold_that_is_opened_again_is_told_again_and_belongs_to_the_same_thread():
    first = opened()
    again = hold_opened(AGREEMENT, LINK, HOLD, OWNER, now=NOW, again=NOW - HOUR)
    assert again.key == f"hold/17/opened/{NOW - HOUR}/service-owner"
    assert "the values have changed since" in again.text
    assert again.references == first.references
    assert again.message_id != first.message_id


@pytest.mark.parametrize(
    ("state", "by", "words", "subject"),
    [
        (HoldState.APPROVED, "Ann <ann@example.com>", "was approved by Ann.", "Approved: "),
        (HoldState.CROSSED, "Ann", "was approved by Ann.", "Approved: "),
        (HoldState.REJECTED, "ann@example.com", "was rejected by somebody.", "Rejected: "),
        (HoldState.RESTORED, "", "was rejected by time: nobody decided before it expired.", "Rejected: "),
        (HoldState.OVERTAKEN, "", "Somebody who is entitled to it has changed priority since", "Overtaken: "),
        (HoldState.WITHDRAWN, "", "Both sides agree about priority again", "Withdrawn: "),
    ],
)
def test_the_end_of_a_hold_is_told_in_the_thread_of_its_beginning(state, by, words, subject):
    hold = replace(HOLD, state=state, decided_by=by, decided_at=NOW, reason="Not\nyet <b>")
    letter = hold_decided(AGREEMENT, LINK, hold, OWNER, now=NOW, urls=URLS)
    assert words in letter.text
    assert letter.subject == f"{subject}priority of OPS-1 = CUST-7"
    assert letter.references[-1] == opened().message_id
    assert letter.references[:1] == opened().references
    assert "ann@example.com" not in letter.text + letter.html
    assert ("Not yet <b>" in letter.text) == ("by" in words)
    assert "<b>" not in letter.html


@pytest.mark.parametrize(("winner", "company"), [(Side.VENDOR, "Acme"), (Side.INTERNAL, "Example Corp")])
def test_of_a_conflict_it_is_told_whose_value_stands(winner, company):
    decided = {"state": HoldState.APPROVED, "winner": winner, "decided_by": "Ann", "decided_at": NOW}
    hold = replace(HOLD, kind=HoldKind.CONFLICT, **decided)
    letter = hold_decided(AGREEMENT, LINK, hold, OWNER, now=NOW)
    assert f"The value of priority at {company} stands: that was decided by Ann." in letter.text
    assert letter.subject.startswith("Decided: ")


def test_carrying_a_decision_out_is_not_told_once_more():
    approved = replace(HOLD, state=HoldState.APPROVED, decided_by="Ann", decided_at=NOW)
    crossed = replace(approved, state=HoldState.CROSSED)
    first, second = (hold_decided(AGREEMENT, LINK, one, OWNER, now=NOW) for one in (approved, crossed))
    assert first.key == second.key


def test_an_open_hold_is_not_told_as_decided():
    with pytest.raises(ValueError, match="nothing has been decided"):
        hold_decided(AGREEMENT, LINK, HOLD, OWNER, now=NOW)


def test_a_hold_that_waits_too_long_is_told_once_more():
    letter = hold_overdue(AGREEMENT, LINK, HOLD, OWNER, now=NOW + 26 * HOUR)
    assert "has waited for your decision for 1 d 3 h." in letter.text
    assert "bridge holds approve 17" in letter.text
    assert letter.references[-1] == opened().message_id


def test_each_role_is_told_of_its_own_and_ids_are_of_this_link_alone():
    letters = [opened(OWNER), opened(MANAGER)]
    letters += [hold_opened(AGREEMENT, replace(LINK, marker="bridge-40"), HOLD, OWNER, now=NOW)]
    assert len({letter.message_id for letter in letters}) == 3
    assert letters[0].key != letters[1].key
    assert opened().message_id == opened().message_id


def test_a_brake_says_what_happened_and_what_to_type():
    words = ["87 of 250 tickets of Acme would be changed at once; the agreement allows 30 %."]
    commands = [("To go on:", "bridge brakes release acme")]
    letter = brake_pulled(AGREEMENT, OWNER, cause="share", words=words, commands=commands, at=NOW, now=NOW)
    assert letter.key == f"brake/acme/share/{NOW}/service-owner"
    assert letter.link_id is None
    for piece in (*words, "bridge brakes release acme", "2027-01-15 08:00 UTC"):
        assert piece in letter.text
        assert piece in letter.html


@pytest.mark.parametrize("why", ["nobody", "deactivated", "left"])
def test_nobody_accountable(why):
    letter = owner_missing(AGREEMENT, LINK, MANAGER, OWNER, since=NOW - 2 * HOUR, now=NOW, why=why, urls=URLS)
    assert letter.subject == "Nobody accountable: OPS-1 = CUST-7 has no delivery-manager"
    assert "No delivery-manager of Acme is accountable for this ticket" in letter.text
    assert "The agreement allows 1 h." in letter.text
    assert "Name somebody in CUST-7" in letter.text
    assert letter.key == f"owner/3/delivery-manager/{NOW - 2 * HOUR}/service-owner"
    assert letter.to == ("ops@example.com",)


def test_a_trial():
    assert trial("ann@example.com", now=NOW).to == ("ann@example.com",)


def test_addresses_that_may_not_be_clicked_are_not_links():
    for url in (
        "javascript:alert(1)",
        "https://x\n.example",
        "data:text/html,x",
        "https://[",
        "file:///etc/passwd",
    ):
        letter = hold_opened(AGREEMENT, LINK, HOLD, OWNER, now=NOW, urls={Side.VENDOR: url})
        assert "href" not in letter.html
        assert url not in letter.text


@given(st.text(min_size=1), st.text(), st.text(), st.text())
def test_whatever_stands_in_a_tracker_stays_on_its_line_and_is_no_markup(key, before, value, name):
    link = replace(LINK, vendor_key=key)
    person = Person("x", name)
    hold = replace(HOLD, field="due", before=before, value=value, other=value, actor=person)
    letter = hold_opened(AGREEMENT, link, hold, OWNER, now=NOW)
    assert letter.subject.isprintable()
    assert all(line.isprintable() for line in letter.text.split("\n"))
    assert letter.text.count("\n    bridge holds ") == 2, "nobody adds a command"
    tags = letter.html.replace("<!DOCTYPE html>", "").count("<")
    plain = hold_opened(
        AGREEMENT, LINK, replace(hold, before="a", value="b", other="b", actor=CY), OWNER, now=NOW
    )
    assert tags <= plain.html.replace("<!DOCTYPE html>", "").count("<"), "nobody adds a tag"


def every_letter(language):
    """Letters of all kinds, to roles of both sides that read this language."""
    owner, manager = (replace(role, language=language) for role in (OWNER, MANAGER))
    conflict = replace(HOLD, kind=HoldKind.CONFLICT)
    expiring = replace(AGREEMENT, holds=HoldRule({}, expire=HOUR, then="approve"))
    decided = {"decided_by": "Ann", "decided_at": NOW}
    for reader in (owner, manager):
        yield opened(reader)
        yield opened(reader, agreement=expiring)
        yield opened(reader, kind=HoldKind.CONFLICT)
        yield opened(reader, kind=HoldKind.PING_PONG, rounds=2)
        yield hold_opened(AGREEMENT, LINK, HOLD, reader, now=NOW, again=NOW - 1)
        yield hold_overdue(AGREEMENT, LINK, HOLD, reader, now=NOW)
        for state in (HoldState.APPROVED, HoldState.REJECTED, HoldState.OVERTAKEN, HoldState.WITHDRAWN):
            yield hold_decided(AGREEMENT, LINK, replace(HOLD, state=state, **decided), reader, now=NOW)
        yield hold_decided(AGREEMENT, LINK, replace(HOLD, state=HoldState.REJECTED), reader, now=NOW)
        won = replace(conflict, state=HoldState.APPROVED, winner=Side.VENDOR, **decided)
        yield hold_decided(AGREEMENT, LINK, won, reader, now=NOW)
        for cause in Cause:
            yield letter_about(AGREEMENT, reader, cause, "3 of 9", NOW)
        for why in ("nobody", "deactivated", "left"):
            yield owner_missing(AGREEMENT, LINK, MANAGER, reader, since=NOW, now=NOW, why=why)


@pytest.mark.parametrize("language", ["da", "nl"])
def test_every_sentence_of_a_letter_is_in_the_language_of_its_role(language):
    file = Path(bridge.__file__).parent / "notify" / "catalogues" / f"{language}.po"
    with file.open("rb") as opened_file:
        sentences = [one.id for one in read_po(opened_file, locale=language) if isinstance(one.id, str)]
    english = {
        part.strip() for words in sentences for part in re.split(r"\{\w+\}", words) if len(part.strip()) > 15
    }
    pairs = list(zip(every_letter("en"), every_letter(language), strict=True))
    assert len(pairs) > 30
    for before, after in pairs:
        assert (after.key, after.to) == (before.key, before.to)
        assert after.subject != before.subject
        assert f'<html lang="{language}">' in after.html
        assert not [words for words in english if words in after.text + after.subject]
    assert any(words in before.text for words in english for before, _ in pairs)


@pytest.mark.parametrize("language", ["da", "nl"])
def test_labels_and_moments_are_the_readers_too(language):
    for before, after in zip(every_letter("en"), every_letter(language), strict=True):
        ours, theirs = (re.findall("<th[^>]*>(.*?)</th>", letter.html) for letter in (before, after))
        assert len(ours) == len(theirs) > 0
        assert not set(ours) & set(theirs)
        assert not re.search(r"\d{4}-\d\d-\d\d", after.text)
        assert "15 jan" in after.text
        assert re.search(r"2027-01-15 0\d:\d\d UTC", before.text)


@pytest.mark.parametrize("cause", Cause)
def test_a_brake_means_the_same_in_a_letter_and_in_the_log(cause):
    letter = letter_about(AGREEMENT, OWNER, cause, "3 of 9", NOW)
    assert letter.text.lower().startswith(f"{WORDS[cause]}.\n".lower())
    assert "What was seen: 3 of 9." in letter.text
    assert 'bridge brakes release acme --reason "..."' in letter.text
