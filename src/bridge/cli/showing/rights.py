"""The scripted day, its rights: a change that somebody may not make waits for a person, and a secret stays inside."""

from __future__ import annotations

import shlex

from rich.table import Table
from rich.text import Text

from bridge.cli.showing.day import Day
from bridge.cli.showing.people import INSIDE, VENDOR
from bridge.cli.showing.post import Mail
from bridge.cli.showing.reading import is_note, said
from bridge.cli.showing.telling import DemoFailed

ANN = "ann@home.example"
"""Who is the service owner."""

REASON = "P1 is for outages"
"""Why Ann does not approve."""

SECRET, ADDRESS = "fjord4711anker", "10.20.4.17"
"""What may not leave Example Corp."""

LETTER_LINES = 3
"""Lines of a letter that are shown."""


def held(day: Day) -> None:
    """The vendor changes what is ours to set: it waits, a person decides."""
    voice = day.voice
    voice.act("A change that somebody may not make")
    good, bad = "OPS-7", "OPS-8"
    twins = {key: day.twin(key) for key in (good, bad)}
    before = {key: day.ann.sees(key, "priority") for key in twins}
    was = day.bo.sees(twins[bad], "priority")
    day.bo.edits(twins[good], priority={"name": "P1"})
    day.bo.edits(twins[bad], priority={"name": "P1"})
    noted = {(INSIDE, key) for key in twins} | {(VENDOR, key) for key in twins.values()}
    day.stage.ledger.notes |= noted
    voice.does(
        f"Bo raises {twins[good]} and {twins[bad]} to P1. By the agreement the priority is ours to set."
    )
    day.comes(
        "neither crosses; all four tickets bear a note, and Ann, the service owner, has two mails",
        lambda: all(_noted(day, *one) for one in noted) and all(_letters(day, key) for key in twins),
    )
    if any(day.ann.sees(key, "priority") != value for key, value in before.items()):
        raise DemoFailed("A priority has crossed that nobody approved.")
    voice.does(f"The note on {twins[good]}, as Bo reads it:")
    voice.quotes(_note(day, twins[good], "On hold"))
    _show_letter(day, _letters(day, good)[0])
    voice.does("'bridge holds' says:")
    listed = day.stage.bridge("holds").splitlines()
    for line in listed:
        voice.quotes(line.strip())
    ids = {key: line.split()[0] for key in twins for line in listed if f" {key} = " in line}
    _decide(day, "approve", ids[good])
    day.comes(f"{good} is Highest, as Bo wished", lambda: day.ann.sees(good, "priority") == "Highest")
    _decide(day, "reject", ids[bad], "--reason", REASON)
    day.comes(f"{twins[bad]} is {was} again", lambda: day.bo.sees(twins[bad], "priority") == was)
    note = day.until("the note says how it came out", lambda: _note(day, twins[bad], "Settled"))
    voice.quotes(f"{twins[bad]}: {note}")


def secret(day: Day) -> None:
    """A secret in a comment is cut out before it leaves."""
    voice = day.voice
    voice.act("A secret in a comment")
    inside = "OPS-5"
    vendor = day.twin(inside)
    words = f"The test shop is on {ADDRESS} now, password: {SECRET}"
    day.stage.ledger.secrets |= {SECRET: "[redacted: secret]", ADDRESS: "[internal address]"}
    day.ann.says(inside, words)
    voice.does(f"Ann comments on {inside}, and forgets who can read it.")
    copy = day.until(
        "the comment crosses",
        lambda: next((text for text in _texts(day, vendor) if "The test shop" in text), ""),
    )
    voice.seen("it crosses without what may not leave:")
    table = Table(box=None, padding=(0, 3, 0, 0), show_edge=False)
    for heading in (f"{inside} (home)", f"{vendor} (acme)"):
        table.add_column(Text(heading, style="dim"), ratio=1)
    table.add_row(Text(words), Text(copy))
    voice.table(table)


def _decide(day: Day, verdict: str, number: str, *more: str) -> None:
    """Ann decides, by the command that anybody would use."""
    typed = ("bridge", "holds", verdict, number, "--by", ANN, *more)
    day.voice.does(f"Ann: {shlex.join(typed)}")
    day.voice.quotes(day.stage.bridge(*typed[1:]).strip())


def _letters(day: Day, key: str) -> list[Mail]:
    """The mails to Ann about a ticket."""
    return [mail for mail in day.stage.post.mails if ANN in mail.to and key in str(mail.message["Subject"])]


def _show_letter(day: Day, mail: Mail) -> None:
    day.voice.does("One of the mails:")
    day.voice.quotes(f"To: {mail.message['To']}")
    day.voice.quotes(f"Subject: {mail.message['Subject']}")
    for line in [line for line in mail.text.splitlines() if line.strip()][:LETTER_LINES]:
        day.voice.quotes(line)


def _noted(day: Day, site: str, key: str) -> bool:
    """Whether a ticket bears the bridge's note."""
    person = day.ann if site == INSIDE else day.bo
    return any(is_note(comment["body"]) for comment in person.reads(key))


def _note(day: Day, key: str, beginning: str) -> str:
    """The bridge's note on a ticket of the vendor, once it begins like that."""
    return next((text for text in _texts(day, key) if text.startswith(beginning)), "")


def _texts(day: Day, key: str) -> list[str]:
    """What the comments of a ticket say to the vendor."""
    return [said(comment["body"]) for comment in day.bo.reads(key)]
