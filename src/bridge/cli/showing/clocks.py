"""The scripted day, its clocks: a warning, a goal that is missed, an escalation until somebody acknowledges."""

from __future__ import annotations

import shlex
import time

from bridge.cli.showing.day import Day
from bridge.cli.showing.post import Mail
from bridge.cli.showing.rights import ANN
from bridge.cli.showing.telling import DemoFailed
from bridge.simulator.presets import SEVERITY

BO = "bo@acme.example"
"""Who is the vendor's delivery manager."""

LETTER_LINES = 9
"""Lines of a letter that are shown."""

AGAIN = 4.0
"""Seconds between two tellings of what nobody acknowledges, as the agreement of the demo has it."""

AT_RISK, MISSED, NOT_ACKNOWLEDGED = "At risk:", "Missed:", "Not acknowledged:"
"""How the subjects begin."""


def missed(day: Day) -> None:
    """Nobody at the vendor answers a critical ticket in time."""
    voice = day.voice
    voice.act("A goal that is missed")
    key = day.ann.opens(
        "Cards are refused at every gate",
        "Nobody can enter since 07:40.",
        issuetype={"name": "Incident"},
        priority={"name": "Highest"},
        **{SEVERITY: {"value": "Critical"}},
    )
    voice.does(
        f"Ann opens {key}, critical. By the agreement Acme answers such a ticket within 8 s (in earnest: "
        "15 minutes). Nobody at Acme does."
    )
    twin = day.arrives(day.ann, key)
    day.comes("at half of the time Bo has a warning", lambda: _mails(day, BO, AT_RISK, twin))
    day.comes(
        "at the goal Bo and Ann are told that it was missed",
        lambda: _mails(day, BO, MISSED, twin) and _mails(day, ANN, MISSED, key),
    )
    _show(day, _mails(day, ANN, MISSED, key)[0])
    day.comes("Ann is told again, for nobody acknowledges", lambda: _mails(day, ANN, NOT_ACKNOWLEDGED, key))
    typed = ("bridge", "sla", "ack", key, "--by", ANN)
    voice.does(f"Ann: {shlex.join(typed)}")
    voice.quotes(day.stage.bridge(*typed[1:]).strip())
    before = len(_mails(day, ANN, NOT_ACKNOWLEDGED, key))
    time.sleep(2 * AGAIN)
    told = len(_mails(day, ANN, NOT_ACKNOWLEDGED, key))
    if told > before + 1:  # one may have been on its way
        raise DemoFailed("Ann was told again although she has acknowledged.")
    voice.seen("she is not told again")
    day.bo.says(twin, "We are on it: the card list of last night is broken.")
    voice.does("Bo answers at last. 'bridge sla' says whose time it was:")
    day.until("the clock has stopped", lambda: "; ended " in day.stage.bridge("sla", key))
    for line in day.stage.bridge("sla", key).splitlines():
        voice.quotes(line.rstrip())
    picture = day.stage.folder / "mail" / f"{key}.svg"
    picture.parent.mkdir(exist_ok=True)
    day.stage.bridge("sla", key, "--svg", str(picture))
    kept = day.stage.post.keep(picture.parent)
    voice.notes(f"The picture of it, and the {kept} mails of this day as .eml and .html: {picture.parent}")


def _mails(day: Day, to: str, beginning: str, key: str) -> list[Mail]:
    """The mails to somebody about a ticket whose subjects begin like that."""
    return [
        mail
        for mail in list(day.stage.post.mails)
        if to in mail.to
        and str(mail.message["Subject"]).startswith(beginning)
        and key in str(mail.message["Subject"])
    ]


def _show(day: Day, mail: Mail) -> None:
    day.voice.does("Ann's mail:")
    day.voice.quotes(f"Subject: {mail.message['Subject']}")
    lines = [line for line in mail.text.splitlines() if line.strip()]
    for line in lines[:LETTER_LINES]:
        day.voice.quotes(line)
    for line in lines:
        if line.startswith("|"):
            day.voice.quotes(line)
