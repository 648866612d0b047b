"""The post of Example Corp: a mail server that takes mail over SMTP and keeps it, so that the letters are really sent.

It knows the commands that every server must know (RFC 5321 4.5.1) and no extension: no TLS, no login, one machine.
"""

from __future__ import annotations

import email
import email.policy
import socketserver
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from threading import Thread

LONGEST_LINE = 4096
"""Bytes of a line that are read at once; RFC 5321 4.5.3.1.6 allows 1000."""

SIMPLE = {
    "HELO": "250 post.home.example",
    "EHLO": "250 post.home.example",
    "NOOP": "250 OK",
    "VRFY": "252 try",
}
"""Commands that change nothing, and their answers."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it arrived.

    Attributes:
        to: the addresses that the envelope says.
        message: the mail.
    """

    to: tuple[str, ...]
    message: EmailMessage

    @property
    def text(self) -> str:
        """Its plain form."""
        part = self.message.get_body(("plain",))
        return str(part.get_content()) if part is not None else ""

    @property
    def page(self) -> str:
        """Its form as HTML; "" when it has none."""
        part = self.message.get_body(("html",))
        return str(part.get_content()) if part is not None else ""


class Post:
    """The mail server.

    Attributes:
        mails: what has arrived, the oldest first.
    """

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self._server = _Server(("127.0.0.1", 0), _Talk)
        self._server.mails = self.mails
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self._server.server_address[:2]
        return str(host), port

    @property
    def url(self) -> str:
        """The same, as the configuration wants it."""
        host, port = self.address
        return f"smtp://{host}:{port}"

    def start(self) -> None:
        """Take mail."""
        self._thread.start()

    def keep(self, folder: Path) -> int:
        """Write all mails into a folder, as they came and as a browser shows them; how many."""
        mails = list(self.mails)
        for number, mail in enumerate(mails, 1):
            (folder / f"{number:03}.eml").write_bytes(bytes(mail.message))
            if mail.page:
                (folder / f"{number:03}.html").write_text(mail.page, encoding="utf-8")
        return len(mails)

    def stop(self) -> None:
        """Take no more."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    mails: list[Mail]


class _Talk(socketserver.StreamRequestHandler):
    """One connection: commands, and after DATA a mail."""

    server: _Server

    def handle(self) -> None:
        self._say("220 post.home.example")
        sender: str | None = None
        to: list[str] = []
        while line := self.rfile.readline(LONGEST_LINE):
            command = line.decode("ascii", "replace").strip()
            word = command[:4].upper()
            match word:
                case "MAIL":
                    sender, to = _address(command), []
                    self._say("250 OK")
                case "RCPT" if sender is not None:
                    to.append(_address(command))
                    self._say("250 OK")
                case "DATA" if to:
                    self._say("354 end with a dot on a line of its own")
                    if not self._take(tuple(to)):
                        return
                    sender, to = None, []
                case "RSET":
                    sender, to = None, []
                    self._say("250 OK")
                case "QUIT":
                    self._say("221 goodbye")
                    return
                case "RCPT" | "DATA":
                    self._say("503 say first from whom, and to whom")
                case _:
                    self._say(SIMPLE.get(word, "500 unknown here"))

    def _take(self, to: tuple[str, ...]) -> bool:
        """Read a mail and keep it; False when the connection broke, and the mail is not ours."""
        lines: list[bytes] = []
        while (line := self.rfile.readline(LONGEST_LINE)) != b".\r\n":
            if not line:
                return False
            lines.append(line.removeprefix(b"."))  # a dot in front hides one (RFC 5321 4.5.2)
        message = email.message_from_bytes(b"".join(lines), _class=EmailMessage, policy=email.policy.default)
        self.server.mails.append(Mail(to, message))
        self._say("250 kept")
        return True

    def _say(self, answer: str) -> None:
        self.wfile.write(f"{answer}\r\n".encode("ascii"))


def _address(command: str) -> str:
    return command.partition("<")[2].partition(">")[0]
