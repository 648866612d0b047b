"""The mail server of ``bridge.yaml``: where it is, and that no password or mail goes over an open line."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from bridge.config.settings import MailSettings
from bridge.config.shape import BridgeShape, MailShape
from bridge.config.source import Source
from bridge.config.tracker_checks import reveal
from bridge.config.vault import Vault
from bridge.config.words import is_loopback

_PORTS = {"smtp": 25, "smtps": 465}


def settle_mail(shape: BridgeShape, source: Source, folder: Path, vault: Vault | None) -> MailSettings | None:
    """The mail settings; what is wrong goes to the source's findings.

    Args:
        shape: the fitted file.
        source: the file itself.
        folder: folder of the configuration.
        vault: where secrets are; None leaves the password empty and does not look for files of this machine.
    """
    mail = shape.mail
    if mail is None:
        return None
    parts = urlsplit(mail.server)
    host, wrapped = parts.hostname or "", parts.scheme == "smtps"
    ca_file = str(folder / mail.ca) if mail.ca else ""
    if ca_file and vault is not None and not Path(ca_file).is_file():
        source.problem(
            ("mail", "ca"),
            f"there is no file {ca_file}",
            "give a PEM file, relative to the configuration's folder",
        )
    _check_login(mail, source)
    tls = _tls(mail, host, source, wrapped=wrapped)
    if ca_file and tls == "none" and not wrapped and source.sound(("mail", "server"), ("mail", "tls")):
        source.problem(
            ("mail", "ca"),
            "no certificate is looked at without TLS",
            "add tls: required, or remove it",
            key=True,
        )
    return MailSettings(
        host=host,
        port=parts.port or _PORTS.get(parts.scheme, 0),
        sender=mail.sender,
        wrapped=wrapped,
        tls=tls,
        reply_to=mail.reply_to,
        user=mail.user,
        password=reveal(mail.password, source, ("mail", "password", "secret"), vault),
        timeout=mail.timeout,
        ca_file=ca_file,
    )


def _check_login(mail: MailShape, source: Source) -> None:
    """A user and a password go together."""
    if mail.password is not None and not mail.user and source.sound(("mail", "user")):
        source.problem(
            ("mail", "password"),
            "there is a password and no 'user'",
            "add 'user: ...', or remove it",
            key=True,
        )
    if mail.user and mail.password is None and source.sound(("mail", "password")):
        source.problem(
            ("mail", "user"),
            "there is a user and no 'password'",
            "add 'password: {secret: mail_password}', or remove it",
            key=True,
        )


def _tls(
    mail: MailShape, host: str, source: Source, *, wrapped: bool
) -> Literal["required", "opportunistic", "none"]:
    """What is asked of STARTTLS."""
    local = is_loopback(host)
    if not mail.tls:
        return "none" if local else "required"
    if not source.sound(("mail", "server")):
        return mail.tls
    if wrapped:
        source.problem(
            ("mail", "tls"), "smtps:// is TLS from the first byte", "remove it, or write smtp://", key=True
        )
    elif mail.tls == "none" and not local:
        source.problem(
            ("mail", "tls"),
            f"mails would go to {host} in clear",
            "write tls: required, or hand them to a mail server on this machine",
        )
    elif mail.tls == "opportunistic" and mail.user and not local:
        source.problem(
            ("mail", "tls"),
            "somebody in between could have the password sent in clear",
            "write tls: required: with a login, TLS is not optional",
        )
    return mail.tls
