"""A letter as it goes over the wire: headers, a plain form, and an HTML form.

Built by the standard library's message classes, which encode and fold; what they would let through is taken out first:
line breaks and control characters in headers (nobody can add a header or a recipient by the name of a ticket), and what
no encoding has (single surrogates). The same letter always becomes the same message, so that a second sending is one.
"""

from __future__ import annotations

import email.policy
import hashlib
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy

from bridge.clock import SECOND
from bridge.config.words import is_mail_address
from bridge.store.rows import Letter

LONGEST_HEADER = 400
"""Characters of a header's text; longer ones are cut."""

_POLICY = email.policy.SMTP.clone(cte_type="7bit")
"""Lines end in CR LF, and no server needs to know more than ASCII (no 8BITMIME, no SMTPUTF8)."""


class _Words(str):
    """The text of a header, encoded by the older of the library's two encoders.

    The newer one loses a space now and then where it folds between two encoded words (python/cpython#92081). A value
    that has a ``name`` is stored as it is and folds itself.
    """

    __slots__ = ("name",)

    name: str

    def fold(self, *, policy: EmailPolicy) -> str:
        """The header's lines. What looks encoded already is encoded too, or it would be read as something else."""
        charset = "us-ascii" if self.isascii() and "=?" not in self else "utf-8"
        encoded = Header(str(self), charset, header_name=self.name, maxlinelen=76).encode(
            linesep=policy.linesep
        )
        return f"{self.name}: {encoded}{policy.linesep}"


def message_id(letter: Letter, sender: str) -> str:
    """The letter's Message-ID, without its brackets: the one it was first handed over under, if it was."""
    return _full(letter.message_id, sender)


def message(letter: Letter, sender: str, reply_to: str = "") -> EmailMessage:
    """The letter as a message.

    Args:
        letter: what to send.
        sender: address that it comes from; its domain completes the Message-IDs.
        reply_to: address that answers go to; "" for the sender's.

    Raises:
        ValueError: an address is none.
    """
    made = EmailMessage(policy=_POLICY)
    made["From"] = _address(sender)
    made["To"] = [_address(one) for one in letter.to]
    if reply_to:
        made["Reply-To"] = _address(reply_to)
    made["Subject"] = _words("Subject", letter.subject or "(no subject)")
    made["Date"] = datetime.fromtimestamp(letter.created_at // SECOND, UTC)
    made["Message-ID"] = f"<{_full(letter.message_id, sender)}>"
    if letter.references:
        earlier = [f"<{_full(one, sender)}>" for one in letter.references]
        made["In-Reply-To"] = earlier[-1]
        made["References"] = " ".join(earlier)
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no program answers it
    made["X-Auto-Response-Suppress"] = "All"  # likewise, for Exchange
    made["X-Bridge-Agreement"] = _words("X-Bridge-Agreement", letter.agreement)
    made["X-Bridge-Letter"] = _words("X-Bridge-Letter", letter.key)
    made.set_content(body_text(letter.text), charset="utf-8", cte="quoted-printable")
    if letter.html:
        made.add_alternative(body_text(letter.html), subtype="html", charset="utf-8", cte="quoted-printable")
        made.set_boundary("=_" + hashlib.sha256(letter.message_id.encode()).hexdigest()[:32])
    return made


def _words(name: str, text: str) -> _Words:
    made = _Words(header_text(text))
    made.name = name
    return made


def header_text(text: str) -> str:
    """A text fit for a header: one line, printable, not too long."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line[:LONGEST_HEADER].rstrip()


def body_text(text: str) -> str:
    """A text fit for a body: lines that end in one line feed, no other control characters, nothing without encoding."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(one if one in "\n\t" or not _control(one) else "\ufffd" for one in lines)


def _control(character: str) -> bool:
    return character < " " or "\x7f" <= character < "\xa0" or "\ud800" <= character <= "\udfff"


def _full(local: str, sender: str) -> str:
    return local if "@" in local else f"{local}@{sender.rpartition('@')[2]}"


def _address(address: str) -> Address:
    if not is_mail_address(address):
        raise ValueError("not a mail address")  # whose it is does not belong into a log
    return Address(addr_spec=address)
