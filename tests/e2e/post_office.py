"""A real SMTP server on loopback that keeps what it takes, and can be told to misbehave; it speaks through aiosmtpd."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, cast

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


@dataclass(frozen=True)
class Mail:
    """One mail as it arrived: for whom it was said to be, its bytes, and its parts."""

    to: tuple[str, ...]
    raw: bytes
    secure: bool
    login: str

    @property
    def message(self) -> EmailMessage:
        """The mail, read."""
        return cast("EmailMessage", email.message_from_bytes(self.raw, policy=email.policy.default))

    @property
    def id(self) -> str:
        """Its Message-ID."""
        return str(self.message["Message-ID"])

    @property
    def text(self) -> str:
        """Its plain form."""
        part = self.message.get_body(("plain",))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")


@dataclass
class PostOffice:
    """The server.

    Attributes:
        mails: what was taken, and what came in and was not answered.
        senders: address -> answer to it as a sender, in place of yes.
        recipients: address -> answer to it as a recipient, in place of yes.
        answers: answers to the next mails, in place of yes; taken from the front.
        silent: while it is set, mails get no answer at all.
        arrived: called with each mail before it is answered.
        most: mails over one connection; 0 for any number.
    """

    login: tuple[str, str] | None = None
    tls: str = "none"
    port: int = 0
    mails: list[Mail] = field(default_factory=list)
    senders: dict[str, str] = field(default_factory=dict)
    recipients: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    silent: bool = False
    arrived: Callable[[Mail], None] = lambda _: None
    most: int = 0
    connections: int = 0

    def __post_init__(self) -> None:
        self.authority = trustme.CA()
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._server: asyncio.Server | None = None

    # --- what aiosmtpd calls -------------------------------------------------------------------------------------

    async def handle_MAIL(self, _server, session, envelope, address, _options) -> str:  # noqa: N802 - aiosmtpd's names
        taken = getattr(session, "taken", 0)
        if self.most and taken >= self.most:
            return "421 4.7.0 too many mails over this connection"
        envelope.mail_from = address
        return self.senders.get(address, "250 OK")

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:  # noqa: N802 - likewise
        answer = self.recipients.get(address, "250 OK")
        if answer.startswith("25"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server, session, envelope) -> str:  # noqa: N802 - likewise
        login = session.auth_data.login.decode() if session.auth_data else ""
        mail = Mail(tuple(envelope.rcpt_tos), envelope.content, session.ssl is not None, login)
        answer = self.answers.pop(0) if self.answers else "250 2.0.0 queued as 4711"
        if self.silent or answer.startswith("2"):
            self.mails.append(mail)
            session.taken = getattr(session, "taken", 0) + 1
        self.arrived(mail)
        while self.silent:  # noqa: ASYNC110 - set and unset from other threads
            await asyncio.sleep(0.02)
        return answer

    # --- opening and closing -------------------------------------------------------------------------------------

    def open(self) -> None:
        """Listen, on the same port as before."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(30)

    def close(self) -> None:
        """Listen no more, and hang up."""
        if self._thread is not None:
            self.silent = False
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(30)
            self._thread = None

    def _serve(self, ready: threading.Event) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        wrapped = self._context() if self.tls == "wrapped" else None
        making = loop.create_server(self._protocol, "127.0.0.1", self.port, ssl=wrapped)
        server = loop.run_until_complete(making)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(asyncio.sleep(0.05))

    def _protocol(self) -> SMTP:
        self.connections += 1
        starttls = self._context() if self.tls == "starttls" else None
        how: dict[str, Any] = {"tls_context": starttls, "require_starttls": starttls is not None}
        if self.login:
            # TLS from the first byte is nothing that aiosmtpd sees: it would offer no login.
            seen = self.tls == "starttls"
            how |= {"authenticator": self._authenticate, "auth_required": seen, "auth_require_tls": seen}
        return SMTP(self, hostname="post.example", loop=self._loop, timeout=60, **how)

    def _authenticate(self, _server, _session, _envelope, _mechanism, data) -> AuthResult:
        assert isinstance(data, LoginPassword)
        right = self.login is not None and (data.login.decode(), data.password.decode()) == self.login
        return AuthResult(success=right, handled=False, auth_data=data)

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("localhost").configure_cert(context)
        return context


@contextmanager
def open_post_office(**how: Any) -> Iterator[PostOffice]:
    """A post office, open."""
    office = PostOffice(**how)
    office.open()
    try:
        yield office
    finally:
        office.close()
        office._loop.close()
