"""Any letter becomes a valid message, reads back as it was written, and gives nobody a header of their own."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.notify.envelope import body_text, header_text, message, message_id
from bridge.store.rows import Letter

SENDER = "bridge@example.com"
LETTER = Letter(
    id=1,
    key="hold/17/opened/service-owner",
    agreement="acme",
    to=("ann@example.com", "bo@example.com"),
    subject="Decision needed",
    text="Words.\n",
    html="<p>Words.</p>",
    message_id="bridge.4711",
    created_at=1_800_000_000_123_456,
    references=("bridge.1", "bridge.2"),
)
OURS = {"From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted"}
OURS |= {
    "X-Auto-Response-Suppress",
    "X-Bridge-Agreement",
    "X-Bridge-Letter",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
}
EVIL = st.sampled_from(
    ["\r\nBcc: eve@example.com\r\n", "\nX-Evil: 1", "\r\n\r\n<script>", "=?utf-8?q?x?=", "\x85", "\u2028"]
)
WORDS = st.lists(st.text(max_size=120) | EVIL, max_size=6).map("".join)


def read(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def content(message: EmailMessage, kind: str) -> str:
    return message.get_body((kind,)).get_content().replace("\r\n", "\n").rstrip("\n")


@given(subject=WORDS, text=WORDS, html=WORDS, key=WORDS, agreement=WORDS)
def test_any_letter_reads_back_as_it_was_written(subject, text, html, key, agreement):
    letter = replace(
        LETTER, subject=subject, text=text, html=html and f"<p>{html}", key=key, agreement=agreement
    )
    raw = message(letter, SENDER).as_bytes()
    assert raw.isascii()
    assert all(len(line) <= 998 and not set(line) & set(b"\r\n") for line in raw.split(b"\r\n"))
    back = read(raw)
    assert not back.defects
    assert set(back.keys()) <= OURS
    assert len(back.keys()) == len(set(back.keys()))
    assert back["To"] == "ann@example.com, bo@example.com"
    assert back["Subject"] == header_text(subject or "(no subject)")
    assert back["X-Bridge-Letter"] == header_text(key)
    assert back["X-Bridge-Agreement"] == header_text(agreement)
    assert content(back, "plain") == body_text(text).rstrip("\n")
    if html:
        assert content(back, "html") == body_text(f"<p>{html}").rstrip("\n")


@given(WORDS)
def test_a_header_is_one_printable_line(words):
    line = header_text(words)
    assert line.isprintable()
    assert len(line) <= 400
    assert header_text(line) == line


def test_the_same_letter_is_the_same_message():
    first, second = (message(LETTER, SENDER).as_bytes() for _ in range(2))
    assert first == second


def test_what_a_mail_program_goes_by():
    back = read(message(LETTER, SENDER).as_bytes())
    assert back["Message-ID"] == "<bridge.4711@example.com>"
    assert (back["In-Reply-To"], back["References"]) == (
        "<bridge.2@example.com>",
        "<bridge.1@example.com> <bridge.2@example.com>",
    )
    assert back["Auto-Submitted"] == "auto-generated"
    assert back["Date"].datetime.isoformat() == "2027-01-15T08:00:00+00:00"
    assert back.get_content_type() == "multipart/alternative"


def test_a_letter_keeps_the_id_that_it_was_first_handed_over_under():
    assert message_id(LETTER, SENDER) == "bridge.4711@example.com"
    known = replace(LETTER, message_id=message_id(LETTER, SENDER))
    assert message_id(known, "bridge@elsewhere.example") == "bridge.4711@example.com"


def test_long_subjects_with_letters_of_everywhere():
    subject = "Beslutning påkrævet: prioritet på OPS-1 — 優先度を決める必要があります 🌀 ¡" * 4
    assert read(message(replace(LETTER, subject=subject), SENDER).as_bytes())["Subject"] == header_text(
        subject
    )


@pytest.mark.parametrize(
    "sender", ["", "bridge", "Bridge <b@example.com>", "b@example.com\r\nBcc: eve@example.com"]
)
def test_a_sender_that_is_no_address_is_refused(sender):
    with pytest.raises(ValueError, match="not a mail address"):
        message(LETTER, sender)
