"""Handing letters to a mail server over SMTP, and telling its answers apart.

    taken       250 after the end of the mail: it is the server's responsibility now (RFC 5321 4.2.5)
    later       4xx for a recipient or for the mail: try again
    never       5xx for a recipient or for the mail: another try would end alike
    unknown     the connection broke or fell silent after the mail was under way: it may have been taken
    NoPost      nothing to do with this letter: no connection, no TLS, no login, a sender that is not allowed

Written over a small protocol, so that the mailer knows nothing of SMTP.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from types import TracebackType
from typing import Protocol, Self

from bridge.config.settings import MailSettings
from bridge.config.words import is_mail_address
from bridge.errors import NoPost
from bridge.notify.envelope import message
from bridge.store.rows import Letter

LONGEST_WORDS = 200
"""Characters of a mail server's answer that are kept."""

_OK = 250
_OK_ELSEWHERE = 251
_CLOSING = 421
_LOGIN_FIRST = frozenset({530, 534, 535, 538})
"""Answers that speak of our login, whatever they answer to (RFC 4954 6)."""

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_ADDRESS = re.compile(r"<?[^\s<>()\[\]\"',;:]+@[^\s<>()\[\]\"',;]+>?")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a mail server said.

    Attributes:
        code: the three digits; 0 when it said nothing.
        words: the rest, on one line, without addresses. For the operator's eyes, not for logs.
    """

    code: int
    words: str = ""

    @property
    def short(self) -> str:
        """The code, and the extended one if it began with one (RFC 3463): fit for a log."""
        found = _STATUS.match(self.words)
        return f"{self.code} {found[0]}" if found else str(self.code)

    @property
    def lasting(self) -> bool:
        """Whether another try would end alike."""
        return self.code >= 500  # noqa: PLR2004 - the first digit says it (RFC 5321 4.2.1)

    def __str__(self) -> str:
        return f"{self.code} {self.words}".strip()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one letter. Each of the addresses it was sent to is in one of the four.

    Attributes:
        taken: the server has taken it for these.
        later: not now, with the server's answer.
        never: not at all, likewise.
        unknown: it may have been taken for these.
        reply: what the server said last.
    """

    taken: tuple[str, ...] = ()
    later: Mapping[str, Reply] = field(default_factory=dict)
    never: Mapping[str, Reply] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    reply: Reply = Reply(0)


class Post(Protocol):
    """A mail server that has let us in."""

    def hand_over(self, letter: Letter, to: tuple[str, ...]) -> Outcome:
        """Hand one letter over for these recipients.

        Raises:
            NoPost: the server wants nothing from us at all now.
        """
        ...

    def close(self) -> None:
        """Say goodbye."""
        ...


class SmtpPost:
    """One connection to an SMTP server, for one batch of letters.

    Args:
        settings: where, and how.

    Raises:
        NoPost: there is no connection, no TLS, or no login.
    """

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._smtp = _connected(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """See :class:`Post`."""
        try:
            self._smtp.quit()
        except (smtplib.SMTPException, OSError):
            self._smtp.close()

    def hand_over(self, letter: Letter, to: tuple[str, ...]) -> Outcome:
        """See :class:`Post`."""
        strange = {one: Reply(0, "not a mail address") for one in to if not is_mail_address(one)}
        wanted = tuple(one for one in to if one not in strange)
        if not wanted:
            return Outcome(never=strange, reply=Reply(0, "no address to send to"))
        sound = _only(letter, wanted)
        raw = message(sound, self._settings.sender, self._settings.reply_to)
        try:
            accepted, refused = self._envelope(wanted)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self._smtp.close()
            raise NoPost(f"the mail server ended the connection: {_reason(error)}") from error
        later = {one: reply for one, reply in refused.items() if not reply.lasting}
        never = {**strange, **{one: reply for one, reply in refused.items() if reply.lasting}}
        if not accepted:
            self._reset()
            return Outcome(later=later, never=never, reply=next(iter(refused.values())))
        reply = self._data(raw)
        if reply is None:
            return Outcome(
                later=later, never=never, unknown=accepted, reply=Reply(0, "no answer to the mail")
            )
        if reply.code == _OK:
            return Outcome(taken=accepted, later=later, never=never, reply=reply)
        if reply.code in _LOGIN_FIRST:
            raise _no_post("the mail server wants another login", reply)
        verdict = dict.fromkeys(accepted, reply)
        if reply.lasting:
            return Outcome(later=later, never={**never, **verdict}, reply=reply)
        return Outcome(later={**later, **verdict}, never=never, reply=reply)

    def _envelope(self, to: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, Reply]]:
        """Sender and recipients: for whom the server will take a mail, and what it said of the others.

        A sender that is refused is no fault of the letter: the configuration or the account is to be mended.
        """
        reply = _reply(self._smtp.mail(self._settings.sender))
        if reply.code != _OK:
            self._reset()
            raise _no_post("the mail server refuses our sender address", reply)
        accepted: list[str] = []
        refused: dict[str, Reply] = {}
        for one in to:
            reply = _reply(self._smtp.rcpt(one))
            if reply.code in {_OK, _OK_ELSEWHERE}:
                accepted.append(one)
            elif reply.code == _CLOSING or reply.code in _LOGIN_FIRST:
                self._reset()
                raise _no_post("the mail server wants nothing from us now", reply)
            else:
                refused[one] = reply
        return tuple(accepted), refused

    def _data(self, mail: EmailMessage) -> Reply | None:
        """The mail itself; None when nobody knows what became of it."""
        try:
            return _reply(self._smtp.data(mail.as_bytes()))
        except smtplib.SMTPDataError as error:
            self._reset()
            return _reply((error.smtp_code, error.smtp_error))
        except (smtplib.SMTPServerDisconnected, OSError):
            self._smtp.close()
            return None

    def _reset(self) -> None:
        """Be ready for the next letter; where that fails, the next one finds the connection closed."""
        try:
            self._smtp.rset()
        except (smtplib.SMTPException, OSError):
            self._smtp.close()


def _only(letter: Letter, to: tuple[str, ...]) -> Letter:
    """The letter with no address in its head that is none."""
    sound = tuple(one for one in letter.to if is_mail_address(one))
    return replace(letter, to=sound or to)


def _connected(settings: MailSettings) -> smtplib.SMTP:
    """A connection that is as private as the settings ask, logged in.

    Raises:
        NoPost: it cannot be had.
    """
    where = f"{settings.host} port {settings.port}"
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
        if settings.wrapped:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=settings.timeout, context=context
            )
        else:
            smtp = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout)
    except ssl.SSLError as error:
        raise NoPost(f"no TLS with {where}: {_reason(error)}") from error
    except smtplib.SMTPResponseException as error:
        reply = _reply((error.smtp_code, error.smtp_error))
        raise _no_post(f"{where} does not let us in", reply) from error
    except (smtplib.SMTPException, OSError) as error:
        raise NoPost(f"no connection to {where}: {_reason(error)}") from error
    try:
        smtp.ehlo_or_helo_if_needed()
        if not settings.wrapped:
            _secure(smtp, settings, context, where)
        if settings.user:
            smtp.login(settings.user, settings.password.get_secret_value())
    except NoPost:
        smtp.close()
        raise
    except ssl.SSLError as error:
        smtp.close()
        raise NoPost(f"no TLS with {where}: {_reason(error)}") from error
    except smtplib.SMTPAuthenticationError as error:
        smtp.close()
        reply = _reply((error.smtp_code, error.smtp_error))
        raise _no_post(f"{where} refuses our login", reply) from None
    except smtplib.SMTPResponseException as error:
        smtp.close()
        reply = _reply((error.smtp_code, error.smtp_error))
        raise _no_post(f"{where} does not let us in", reply) from None
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        smtp.close()
        lost = isinstance(error, smtplib.SMTPServerDisconnected) or not isinstance(
            error, smtplib.SMTPException
        )
        what = f"ended the connection: {_reason(error)}" if lost else "offers no login that we know"
        raise NoPost(f"{where} {what}") from error
    except UnicodeEncodeError:
        smtp.close()
        raise NoPost("our user or password has letters that no login by SMTP can carry") from None
    return smtp


def _secure(smtp: smtplib.SMTP, settings: MailSettings, context: ssl.SSLContext, where: str) -> None:
    """STARTTLS, as the settings ask."""
    if settings.tls == "none":
        return
    if smtp.has_extn("starttls"):
        smtp.starttls(context=context)
        smtp.ehlo()
    elif settings.tls == "required":
        raise NoPost(f"{where} offers no STARTTLS, and nothing is sent in clear")


def _reply(answer: tuple[int, bytes | str]) -> Reply:
    code, said = answer
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    line = " ".join("".join(one if one.isprintable() else " " for one in words).split())
    return Reply(code, _ADDRESS.sub("(address)", line)[:LONGEST_WORDS])


def _no_post(what: str, reply: Reply) -> NoPost:
    return NoPost(what, reply.short, str(reply))


def _reason(error: Exception) -> str:
    """Why there is no connection, in few words and without anybody's text."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not hold ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return error.reason or "the handshake failed"
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "it did not answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "it hung up"
