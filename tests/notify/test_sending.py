"""Handing letters over to a real SMTP server: what it says, and what we make of it."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from dataclasses import replace

import pytest
from post_office import open_post_office
from pydantic import SecretStr

from bridge.config.settings import MailSettings
from bridge.errors import NoPost
from bridge.notify.sending import SmtpPost
from bridge.store.rows import Letter

ANN, BO = "ann@example.com", "bo@example.com"
LETTER = Letter(
    id=1,
    key="hold/17/opened/service-owner",
    agreement="acme",
    to=(ANN,),
    subject="Decision needed: priorité of OPS-1",
    text=".\nBo's change waits.\n..\n",
    html="<p>Bo's change waits.</p>",
    message_id="bridge.4711",
    created_at=1_800_000_000_000_000,
    references=("bridge.1", "bridge.2"),
)


def settings(office, **how):
    usual = {
        "host": "localhost",
        "port": office.port,
        "sender": "bridge@example.com",
        "tls": "none",
        "timeout": 20,
    }
    return MailSettings(**(usual | how))


def hand_over(settings, letter=LETTER):
    with SmtpPost(settings) as post:
        return post.hand_over(letter, letter.to)


def authority(office, folder):
    """The office's own authority, as a file."""
    office.authority.cert_pem.write_to_path(folder / "ca.pem")
    return str(folder / "ca.pem")


def test_a_mail_arrives_as_it_was_written():
    with open_post_office() as office:
        outcome = hand_over(settings(office, reply_to="ops@example.com"))
    assert (outcome.taken, outcome.reply.code) == ((ANN,), 250)
    (mail,) = office.mails
    shown = {name: mail.message[name] for name in ("From", "To", "Reply-To", "Subject", "Auto-Submitted")}
    assert shown == {
        "From": "bridge@example.com",
        "To": ANN,
        "Reply-To": "ops@example.com",
        "Subject": "Decision needed: priorité of OPS-1",
        "Auto-Submitted": "auto-generated",
    }
    assert mail.id == "<bridge.4711@example.com>"
    assert mail.message["References"] == "<bridge.1@example.com> <bridge.2@example.com>"
    assert mail.message["In-Reply-To"] == "<bridge.2@example.com>"
    assert mail.message["X-Bridge-Agreement"] == "acme"
    assert mail.message["X-Bridge-Letter"] == LETTER.key
    assert mail.text == LETTER.text
    assert mail.message.get_body(("html",)).get_content().strip() == LETTER.html
    assert mail.raw.isascii()


def test_starttls_with_a_checked_certificate_and_a_login(tmp_path):
    with open_post_office(tls="starttls", login=("bridge", "hunter2")) as office:
        how = settings(
            office,
            tls="required",
            ca_file=authority(office, tmp_path),
            user="bridge",
            password=SecretStr("hunter2"),
        )
        assert hand_over(how).taken == (ANN,)
        (mail,) = office.mails
        assert (mail.secure, mail.login) == (True, "bridge")
        with pytest.raises(NoPost, match=r"refuses our login: 535 5\.7\.8") as caught:
            hand_over(replace(how, password=SecretStr("hunter3")))
        assert caught.value.code == "535 5.7.8"
        assert "hunter3" not in str(caught.value)
        with pytest.raises(NoPost, match="refuses our sender address: 530"):
            hand_over(replace(how, user=""))
        with pytest.raises(NoPost, match="no login by SMTP can carry"):
            hand_over(replace(how, password=SecretStr("hünter")))
    assert len(office.mails) == 1


def test_tls_from_the_first_byte(tmp_path):
    with open_post_office(tls="wrapped", login=("bridge", "hunter2")) as office:
        how = settings(office, wrapped=True, user="bridge", password=SecretStr("hunter2"))
        with pytest.raises(NoPost, match="its certificate does not hold"):
            hand_over(how)
        assert hand_over(replace(how, ca_file=authority(office, tmp_path))).taken == (ANN,)


@pytest.mark.parametrize("tls", ["required", "opportunistic"])
def test_a_certificate_that_does_not_hold_is_no_certificate(tls, tmp_path):
    with open_post_office(tls="starttls") as office:
        with pytest.raises(NoPost, match=r"no TLS with localhost .* its certificate does not hold"):
            hand_over(settings(office, tls=tls))
        trusted = settings(office, tls=tls, ca_file=authority(office, tmp_path))
        with pytest.raises(NoPost, match="its certificate does not hold"):
            hand_over(replace(trusted, host="127.0.0.1"))  # it is for localhost
        assert hand_over(trusted).taken == (ANN,)
    assert len(office.mails) == 1


def test_without_starttls_nothing_is_sent_in_clear_unless_it_may_be():
    with open_post_office() as office:
        with pytest.raises(NoPost, match="offers no STARTTLS"):
            hand_over(settings(office, tls="required"))
        assert not office.mails
        assert hand_over(settings(office, tls="opportunistic")).taken == (ANN,)


def test_a_login_where_none_is_offered():
    with open_post_office() as office, pytest.raises(NoPost, match="offers no login"):
        hand_over(settings(office, user="bridge", password=SecretStr("hunter2")))


@pytest.mark.parametrize(
    ("answer", "fate"),
    [("450 4.2.0 greylisted", "later"), ("452 4.2.2 full", "later"), ("550 5.1.1 unknown", "never")],
)
def test_a_recipient_that_is_refused_does_not_cost_the_others_their_mail(answer, fate):
    letter = replace(LETTER, to=(ANN, BO))
    with open_post_office(recipients={BO: answer}) as office:
        outcome = hand_over(settings(office), letter)
        assert outcome.taken == (ANN,)
        assert {BO: answer} == {to: str(reply) for to, reply in getattr(outcome, fate).items()}
        assert office.mails[0].to == (ANN,)
        office.recipients[ANN] = answer
        outcome = hand_over(settings(office), letter)
        assert not outcome.taken
        assert set(getattr(outcome, fate)) == {ANN, BO}
    assert len(office.mails) == 1


@pytest.mark.parametrize(("answer", "fate"), [("451 4.3.0 busy", "later"), ("554 5.7.1 no", "never")])
def test_a_mail_that_is_refused(answer, fate):
    with open_post_office(answers=[answer]) as office, SmtpPost(settings(office)) as post:
        outcome = post.hand_over(LETTER, LETTER.to)
        assert {ANN: answer} == {to: str(reply) for to, reply in getattr(outcome, fate).items()}
        assert (outcome.taken, outcome.unknown) == ((), ())
        assert post.hand_over(LETTER, LETTER.to).taken == (ANN,), "the connection still serves"


def test_a_server_that_falls_silent_after_the_mail_may_have_taken_it():
    with open_post_office(silent=True) as office:
        outcome = hand_over(settings(office, timeout=0.5))
        assert (outcome.taken, outcome.unknown) == ((), (ANN,))
    assert len(office.mails) == 1


@pytest.mark.parametrize("answer", ["530 5.7.0 login first", "421 4.7.0 go away"])
def test_what_is_said_of_us_and_not_of_the_recipient_costs_no_letter(answer):
    with open_post_office(recipients={ANN: answer}) as office, pytest.raises(NoPost, match=answer[:3]):
        hand_over(settings(office))


def test_a_sender_that_is_refused_costs_no_letter():
    refusing = {"bridge@example.com": "553 5.7.1 <bridge@example.com> is not yours"}
    with open_post_office(senders=refusing) as office, pytest.raises(NoPost) as caught:
        hand_over(settings(office))
    assert str(caught.value) == "the mail server refuses our sender address: 553 5.7.1 (address) is not yours"
    assert (caught.value.what, caught.value.code) == (
        "the mail server refuses our sender address",
        "553 5.7.1",
    )


def test_addresses_in_an_answer_are_not_kept():
    answers = {ANN: f"550 5.1.1 <{ANN}>: user unknown in {ANN[4:]}; ask postmaster@example.com"}
    with open_post_office(recipients=answers) as office:
        outcome = hand_over(settings(office))
    assert "@" not in str(outcome.never[ANN])
    assert outcome.never[ANN].short == "550 5.1.1"


def test_what_is_no_address_is_never_spoken_to_the_server():
    evil = "ann@example.com>\r\nRCPT TO:<eve@example.com"
    with open_post_office() as office:
        outcome = hand_over(settings(office), replace(LETTER, to=(evil, BO)))
        assert (outcome.taken, set(outcome.never)) == ((BO,), {evil})
        assert set(hand_over(settings(office), replace(LETTER, to=(evil,))).never) == {evil}
        assert hand_over(settings(office), replace(LETTER, to=())).taken == ()
    assert [mail.to for mail in office.mails] == [(BO,)]
    assert office.mails[0].message["To"] == BO


def test_nobody_there():
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    how = MailSettings("localhost", port, "bridge@example.com", tls="none", timeout=20)
    with pytest.raises(NoPost, match=f"no connection to localhost port {port}: Connection refused"):
        hand_over(how)
    with pytest.raises(NoPost, match="no connection to no-such-host"):
        hand_over(replace(how, host="no-such-host.invalid"))


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        (b"", "it hung up"),
        (b"554 5.3.2 not today\r\n", "does not let us in: 554 5.3.2 not today"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not let us in"),
        (None, "it did not answer in time"),
    ],
)
def test_something_else_is_there(talk, words):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        over = threading.Event()

        def serve():
            with closing(server.accept()[0]) as peer:
                if talk is None:
                    over.wait(30)
                else:
                    peer.sendall(talk)

        thread = threading.Thread(target=serve)
        thread.start()
        how = MailSettings("localhost", server.getsockname()[1], "b@example.com", tls="none", timeout=0.5)
        try:
            with pytest.raises(NoPost, match=words):
                hand_over(how)
        finally:
            over.set()
            thread.join(30)
