"""The mailer against a real mail server: what is taken, what waits, what is given up, and that it goes on by itself."""

from __future__ import annotations

import io
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from post_office import open_post_office

from bridge.clock import SECOND, SystemClock
from bridge.config.settings import MailSettings, Settings
from bridge.daemon import mailer as mailing
from bridge.daemon.house import House, Terms
from bridge.daemon.mailer import Mailed, Mailer
from bridge.daemon.spool import Spool
from bridge.log import configure
from bridge.store.database import Store
from bridge.store.rows import Letter, LetterState

ANN, BO = "ann@example.com", "bo@example.com"
HOUR = 3_600


class Turned(SystemClock):
    """The machine's clock, and the time that a test has let pass."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0

    def now(self) -> int:
        return super().now() + self.passed * SECOND


class Office:
    """A house without trackers, its mailer, and the mail server before it."""

    def __init__(self, folder: Path, post) -> None:
        self.post = post
        self.clock = Turned()
        settings = Settings(
            "",
            {},
            (),
            mail=MailSettings("localhost", post.port, "bridge@example.com", tls="none", timeout=20),
        )
        self.house = House(
            terms=Terms(settings, {}),
            store=Store.open(f"sqlite:///{folder / 'bridge.db'}"),
            clock=self.clock,
            random=random.Random(1),
            spool=Spool(folder / "spool", 1_000),
        )
        self.mailer = Mailer(self.house)

    def mail(self, **changes) -> None:
        """Change the mail settings, as a reload does."""
        settings = self.house.terms.settings
        changed = None if changes == {"server": None} else replace(settings.mail, **changes)
        self.house.terms = Terms(replace(settings, mail=changed), {})

    def put(self, key: str = "k", to: tuple[str, ...] = (ANN,), **more) -> None:
        words = {
            "subject": f"About {key}",
            "text": "Canary text\n",
            "html": "",
            "message_id": f"bridge.{key}",
        }
        letter = Letter(id=0, key=key, agreement="acme", to=to, created_at=self.clock.now(), **(words | more))
        with self.house.store.write() as tx:
            tx.outbox.put(letter)

    def get(self, key: str = "k") -> Letter:
        with self.house.store.read() as tx:
            return tx.outbox.get(key)

    def trouble(self) -> str:
        with self.house.store.read() as tx:
            return (tx.cursors.get_note(mailing.TROUBLE) or {}).get("words", "")


@pytest.fixture
def office(tmp_path):
    with open_post_office() as post:
        opened = Office(tmp_path, post)
        yield opened
        opened.house.store.close()


@pytest.fixture
def log():
    """What is logged, as text."""
    before, stream = structlog.get_config(), io.StringIO()
    configure("debug", stream=stream, json=True)
    yield stream
    structlog.configure(**before)


def events(log):
    return [json.loads(line)["event"] for line in log.getvalue().splitlines()]


def test_what_is_due_is_sent_over_one_connection(office, log):
    for number in range(5):
        office.put(f"k{number}")
    office.put("later", due_at=office.clock.now() + HOUR * SECOND)
    assert office.mailer.flush() == Mailed(sent=5)
    assert [mail.message["X-Bridge-Letter"] for mail in office.post.mails] == [
        f"k{number}" for number in range(5)
    ]
    assert office.post.connections == 1
    letter = office.get("k0")
    assert (letter.state, letter.attempts, letter.reason) == (LetterState.SENT, 1, "")
    assert (letter.message_id, letter.due_at) == ("bridge.k0@example.com", None)
    assert office.mailer.flush() == Mailed()
    assert events(log) == ["letter_sent"] * 5
    assert "Canary" not in log.getvalue()
    assert "@" not in log.getvalue()


def test_450_then_accepted(office, log):
    office.post.recipients[ANN] = "450 4.2.0 <ann@example.com> greylisted"
    office.put()
    assert office.mailer.flush() == Mailed(deferred=1)
    letter = office.get()
    assert (letter.state, letter.attempts) == (LetterState.QUEUED, 1)
    assert letter.reason == "450 4.2.0 (address) greylisted"
    assert 20 <= (letter.due_at - office.clock.now()) / SECOND <= 40
    assert office.mailer.flush() == Mailed(), "it is not due"
    office.clock.passed += 40
    del office.post.recipients[ANN]
    assert office.mailer.flush() == Mailed(sent=1)
    assert office.get().attempts == 2
    assert office.post.mails[0].id == "<bridge.k@example.com>"
    assert events(log) == ["letter_deferred", "letter_sent"]
    assert "@" not in log.getvalue()


def test_it_waits_longer_each_time_and_at_most_an_hour(office):
    office.post.recipients[ANN] = "452 4.2.2 full"
    office.put()
    waits = []
    for _ in range(12):
        assert office.mailer.flush() == Mailed(deferred=1)
        waits.append((office.get().due_at - office.clock.now()) / SECOND)
        office.clock.passed += HOUR
    assert waits[0] < 40 < waits[2] < 160 < waits[6]
    assert waits[:7] == sorted(waits[:7])
    assert HOUR * 0.7 <= waits[-1] <= max(waits) <= HOUR


def test_550_is_given_up_and_shown(office, log):
    office.post.recipients[ANN] = "550 5.1.1 no such user"
    office.put()
    assert office.mailer.flush() == Mailed(dead=1)
    letter = office.get()
    assert (letter.state, letter.due_at, letter.reason) == (LetterState.DEAD, None, "550 5.1.1 no such user")
    assert events(log) == ["letter_dead"]
    office.clock.passed += 10 * HOUR
    assert office.mailer.flush() == Mailed()
    del office.post.recipients[ANN]
    with office.house.store.write() as tx:
        assert tx.outbox.retry(letter.id, office.clock.now())
    assert office.mailer.flush() == Mailed(sent=1)


def test_some_get_it_once_and_the_others_when_they_can(office):
    office.post.recipients |= {BO: "450 4.2.0 later", "cy@example.com": "550 5.1.1 never"}
    office.put(to=(ANN, BO, "cy@example.com"))
    assert office.mailer.flush() == Mailed(deferred=1)
    assert office.get().owed == (BO, "cy@example.com")
    office.clock.passed += 60
    del office.post.recipients[BO]
    assert office.mailer.flush() == Mailed(dead=1)
    assert [mail.to for mail in office.post.mails] == [(ANN,), (BO,)]
    assert len({mail.id for mail in office.post.mails}) == 1
    assert office.get().owed == ("cy@example.com",)
    assert all(mail.message["To"] == f"{ANN}, {BO}, cy@example.com" for mail in office.post.mails)


def test_silence_after_the_mail_means_once_more_under_the_same_id(office, log):
    office.mail(timeout=0.5)
    office.post.silent = True
    office.put("first")
    office.put("second")
    done = office.mailer.flush()
    assert (done.sent, done.deferred) == (0, 1)
    assert "may have arrived" in office.get("first").reason
    office.post.silent = False
    office.clock.passed += 60
    office.mail(sender="other@elsewhere.example", timeout=20)
    assert office.mailer.flush() == Mailed(sent=2)
    ids = [mail.id for mail in office.post.mails]
    assert ids.count("<bridge.first@example.com>") == 2, "also under another sender"
    assert len(ids) == 3
    told = [json.loads(line) for line in log.getvalue().splitlines()]
    assert next(line for line in told if line["event"] == "letter_deferred")["unknown"] is True


def test_nobody_there_for_a_while(office, log):
    office.post.close()
    office.put()
    done = office.mailer.flush()
    assert done.trouble == office.trouble()
    assert "Connection refused" in done.trouble
    assert (office.get().attempts, office.get().state) == (0, LetterState.QUEUED)
    for _ in range(5):
        office.clock.passed += 301
        assert office.mailer.flush().trouble
        assert office.mailer.flush() == Mailed(), "it is left alone in between"
    office.clock.passed += 301
    office.post.open()
    assert office.mailer.flush() == Mailed(sent=1)
    assert not office.trouble()
    assert events(log) == ["mail_troubled", "letter_sent", "mail_recovered"]


def test_a_reload_ends_the_wait(office):
    port = office.post.port
    office.mail(port=1)
    office.put()
    assert office.mailer.flush().trouble
    office.mail(port=port)
    assert office.mailer.flush() == Mailed(sent=1)


def test_a_refused_login_or_sender_costs_no_letter(office):
    office.post.senders["bridge@example.com"] = "553 5.7.1 not yours"
    office.put()
    assert "553 5.7.1 not yours" in office.mailer.flush().trouble
    assert office.get().state is LetterState.QUEUED
    office.mail(sender="good@example.com")
    assert office.mailer.flush() == Mailed(sent=1)


def test_a_server_that_takes_two_mails_over_one_connection(office):
    office.post.most = 2
    for number in range(5):
        office.put(f"k{number}")
    assert office.mailer.flush() == Mailed(sent=5)
    assert office.post.connections == 3


def test_one_letter_that_the_server_hangs_up_on_does_not_keep_the_others(office):
    office.post.recipients[BO] = "421 4.3.0 not that one"
    office.put("bad", to=(BO,))
    office.put("good")
    assert office.mailer.flush().trouble
    office.clock.passed += 10
    assert office.mailer.flush().sent == 1
    assert office.get("good").state is LetterState.SENT
    assert office.get("bad").state is LetterState.QUEUED


def test_a_letter_to_nobody_is_given_up_and_shown(office):
    office.put(to=())
    assert office.mailer.flush() == Mailed(dead=1)
    assert office.get().reason == "0 no address to send to"


def test_two_letters_with_one_key_are_one(office):
    office.put()
    office.put(message_id="bridge.other")
    assert office.mailer.flush() == Mailed(sent=1)
    office.put()
    assert office.mailer.flush() == Mailed()


def test_without_a_mail_server_letters_wait_and_it_is_said_once(office, log):
    kept = office.house.terms
    office.mail(server=None)
    office.mailer.flush()
    assert events(log) == [], "there is nobody to tell"
    office.put()
    for _ in range(3):
        assert office.mailer.flush() == Mailed()
    assert events(log) == ["mail_missing"]
    assert office.get().state is LetterState.QUEUED
    office.house.terms = kept
    assert office.mailer.flush() == Mailed(sent=1)


def test_what_letters_said_is_forgotten_after_two_weeks(office):
    office.put()
    office.mailer.flush()
    office.clock.passed += 13 * 24 * HOUR
    office.mailer._forget_old()
    assert office.get().text
    office.clock.passed += 2 * 24 * HOUR
    office.mailer._forget_old()
    assert (office.get().text, office.get().to) == ("", ())
    assert office.get().message_id == "bridge.k@example.com"
