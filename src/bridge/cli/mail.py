"""``bridge mail``: the mails that wait or were given up; ``test`` and ``retry``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from bridge.cli.options import config_option, json_option, print_json, quiet, read_settings
from bridge.clock import SECOND, SystemClock
from bridge.config.settings import Settings
from bridge.errors import ConfigError, Problem
from bridge.store.database import Store, Tx
from bridge.store.rows import Letter, LetterState

SLOW = 300
"""Seconds after which a mail that still waits is a trouble."""


@click.group(invoke_without_command=True)
@config_option
@json_option
@click.pass_context
def command(context: click.Context, *, config: Path, as_json: bool) -> None:
    """Show the mails that wait to be sent, and those that were given up; works while the daemon runs.

    Ends with 1 when there are any that were given up, or when mail cannot be sent.
    """
    if context.invoked_subcommand is not None:
        return
    with quiet():
        settings = read_settings(config, secrets=False)
        store = Store.open(settings.database, migrate=False)
    now = SystemClock().now()
    with store, store.read() as tx:
        standing = mail_standing(tx, settings, now)
        letters = [*tx.outbox.list(LetterState.DEAD), *tx.outbox.list(LetterState.QUEUED)]
    rows = [_row(letter, now) for letter in letters]
    if as_json:
        print_json({**standing, "letters": rows})
    else:
        click.echo(mail_words(standing) or "mail: nothing to tell, and nobody to tell it to")
        for row in rows:
            click.echo(_line(row))
    sys.exit(1 if standing["trouble"] else 0)


@command.command()
@click.argument("address")
@config_option
def test(*, address: str, config: Path) -> None:
    """Send one mail to ADDRESS now, and tell what the mail server said.

    Ends with 1 when the server does not take it, with 3 when it cannot be reached or will not serve us.
    """
    from bridge.config.words import is_mail_address
    from bridge.notify.letters import trial
    from bridge.notify.sending import SmtpPost

    if not is_mail_address(address):
        raise click.BadParameter("is not a mail address", param_hint="ADDRESS")
    with quiet():
        settings = read_settings(config)
    mail = settings.mail
    if mail is None:
        fix = "add e.g. 'mail: {server: \"smtp://localhost:25\", from: bridge@example.com}'"
        raise ConfigError([Problem(str(config), 0, "mail", "there is no mail server", fix)])
    with SmtpPost(mail) as post:
        outcome = post.hand_over(trial(address, now=SystemClock().now()), (address,))
    where = f"{mail.host} port {mail.port}"
    if outcome.taken:
        click.echo(f"{where} has taken it: {outcome.reply}")
        return
    if outcome.unknown:
        click.echo(f"{where} did not say what became of it within {mail.timeout:g} s: it may arrive")
    else:
        word = "for now" if outcome.later else "for good"
        click.echo(f"{where} refuses it {word}: {outcome.reply}")
    sys.exit(1)


@command.command()
@click.argument("numbers", metavar="ID...", nargs=-1, required=True, type=int)
@config_option
def retry(*, numbers: tuple[int, ...], config: Path) -> None:
    """Send the mails with these numbers again, to those who have not got them; the running daemon does it.

    Without a daemon, the next 'bridge sync --once' does. Ends with 1 when one was sent, is forgotten or unknown.
    """
    with quiet():
        settings = read_settings(config, secrets=False)
        store = Store.open(settings.database, migrate=False)
    with store, store.write() as tx:
        left = [number for number in numbers if not tx.outbox.retry(number, SystemClock().now())]
    for number in numbers:
        click.echo(f"{number}: {'there is nothing to send (any more)' if number in left else 'is sent next'}")
    sys.exit(1 if left else 0)


def mail_standing(tx: Tx, settings: Settings, now: int) -> dict[str, Any]:
    """How the mail stands, for this command and ``bridge status``; ``trouble`` is "" when all is well."""
    counts, oldest = tx.outbox.counts(), tx.outbox.oldest()
    queued, dead = counts[LetterState.QUEUED], counts[LetterState.DEAD]
    waited = None if oldest is None else round((now - oldest) / SECOND)
    note = tx.cursors.get_note("mail/trouble") or {}
    troubles = []
    if settings.mail is None and queued:
        troubles.append("bridge.yaml has no 'mail', so nobody is told")
    elif settings.mail is not None and note:
        troubles.append(note["words"])
    elif waited is not None and waited > SLOW:
        troubles.append("mails wait for long")
    if dead:
        troubles.append(f"{dead} given up")
    return {
        "configured": settings.mail is not None,
        "wanted": any(agreement.roles for agreement in settings.agreements),
        "queued": queued,
        "dead": dead,
        "sent": counts[LetterState.SENT],
        "oldest_seconds": waited,
        "trouble": "; ".join(troubles),
    }


def mail_words(standing: dict[str, Any]) -> str:
    """The same as one line; "" where there is neither a mail server nor anybody to tell."""
    if not standing["configured"] and not standing["queued"] and not standing["dead"]:
        return "mail: bridge.yaml has no 'mail', so nobody would be told" if standing["wanted"] else ""
    waits = f"{standing['queued']} waiting" if standing["queued"] else "nothing waits"
    waited = "" if standing["oldest_seconds"] is None else f" (for up to {standing['oldest_seconds']} s)"
    trouble = f"; TROUBLE: {standing['trouble']}: see 'bridge mail'" if standing["trouble"] else ""
    return f"mail: {waits}{waited}, {standing['sent']} sent{trouble}"


def _row(letter: Letter, now: int) -> dict[str, Any]:
    return {
        "id": letter.id,
        "state": letter.state.value,
        "key": letter.key,
        "agreement": letter.agreement,
        "subject": letter.subject,
        "owed": list(letter.owed),
        "attempts": letter.attempts,
        "age_seconds": round((now - letter.created_at) / SECOND),
        "next_try_seconds": None if letter.due_at is None else round((letter.due_at - now) / SECOND),
        "reason": letter.reason,
        "message_id": letter.message_id,
    }


def _line(row: dict[str, Any]) -> str:
    again = row["next_try_seconds"]
    when = "given up" if again is None else "due now" if again <= 0 else f"next try in {again} s"
    to = ", ".join(row["owed"]) or "nobody: the role has no mail address"
    reason = f": {row['reason']}" if row["reason"] else ""
    return f"  {row['id']} {row['key']} to {to}: {when}, tried {row['attempts']} times{reason}"
