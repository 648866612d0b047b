"""The mailer: hands the letters of the outbox to the mail server, whatever the trackers are doing.

It looks once a second for letters that are due, opens one connection for a batch, claims the batch (its Message-IDs and
attempts are on the disk before the first byte leaves), and notes the outcome of each letter before it goes on to the
next. So a kill at any point sends at most one letter twice, and that one under the same Message-ID.

A letter that was not taken waits longer each time, up to an hour; one that never will be is given up and shown. A mail
server that is out of reach costs one probe now and then, and holds up nothing but the mail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

import structlog

from bridge.clock import SECOND
from bridge.config.settings import MailSettings
from bridge.daemon.house import House
from bridge.daemon.rounds import Rounds
from bridge.errors import NoPost
from bridge.notify.envelope import message_id
from bridge.notify.sending import Outcome, Post, SmtpPost
from bridge.store.rows import Letter

log = structlog.get_logger(__name__)

ROUND = 1.0
"""Seconds between looks into the outbox."""

BATCH = 50
"""Letters over one connection."""

FIRST_WAIT, LONGEST_WAIT = 30.0, 3_600.0
"""Seconds before a letter that was not taken is tried again: doubled each time. Greylisting asks for some minutes."""

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds in which a mail server is left alone that is out of reach: an alert must not wait an hour for it."""

KEPT = 14 * 86_400
"""Seconds after which what a letter says is forgotten, once it was sent or given up."""

FORGETTING = 3_600.0
"""Seconds between two times that this is done."""

GOODBYE = 5.0
"""Seconds that a shutdown waits for the letter that is on its way; it may then be sent twice."""

TROUBLE = "mail/trouble"
"""The note that says why no mail goes out, for ``bridge status``: ``words`` and ``since``."""


@dataclass(frozen=True, slots=True)
class Mailed:
    """What one flush did.

    Attributes:
        sent: letters that the mail server took for everybody.
        deferred: letters that are tried again.
        dead: letters that were given up.
        trouble: why the mail server takes nothing at all; "" when it does.
    """

    sent: int = 0
    deferred: int = 0
    dead: int = 0
    trouble: str = ""


class _End(Enum):
    """How the handing over of one letter ended."""

    SENT = auto()
    DEFERRED = auto()
    DEAD = auto()


class Mailer:
    """Hands over what is due, by itself as a thread or when asked.

    Args:
        house: the running parts.
        connect: opens a connection to a mail server.
    """

    def __init__(self, house: House, connect: Callable[[MailSettings], Post] = SmtpPost) -> None:
        self._house = house
        self._connect = connect
        self._rounds = Rounds(house, "mailer", self._round, ROUND)
        self._tries = 0
        self._pause_until = 0
        self._known: MailSettings | None = None
        self._clean = self._missed = False
        self._forgot_at = 0

    # --- as a thread ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to work, in a thread of its own."""
        self._rounds.start()

    def stop(self) -> None:
        """Take up no further letter."""
        self._rounds.stop()

    def join(self) -> None:
        """Wait a little for the letter that is on its way."""
        self._rounds.join(GOODBYE)

    def _round(self) -> None:
        self.flush()
        self._forget_old()

    # --- one round -----------------------------------------------------------------------------------------------

    def flush(self) -> Mailed:
        """Hand over every letter that is due; at once back when the mail server is left alone for now.

        Raises:
            StoreError: our own database failed.
        """
        settings = self._house.terms.settings.mail
        if settings != self._known:  # a reload: the trouble may be mended
            self._known, self._tries, self._pause_until, self._missed = settings, 0, 0, False
        if settings is None:
            self._miss()
            return Mailed()
        ends: Counter[_End] = Counter()
        trouble = ""
        # A clock that was set back must not make it a longer pause.
        longest = self._house.clock.now() + int(LONGEST_PAUSE * SECOND)
        self._pause_until = min(self._pause_until, longest)
        while not self._rounds.over() and self._house.clock.now() >= self._pause_until:
            with self._house.store.read() as tx:
                due = tx.outbox.due(self._house.clock.now(), BATCH)
            if not due:
                break
            try:
                self._hand_over(settings, due, ends)
            except NoPost as error:
                self._leave_alone(error)
                trouble = str(error)
        return Mailed(ends[_End.SENT], ends[_End.DEFERRED], ends[_End.DEAD], trouble)

    def _hand_over(self, settings: MailSettings, letters: Sequence[Letter], ends: Counter[_End]) -> None:
        """One batch over one connection; counts how each letter ended.

        Raises:
            NoPost: the mail server wants nothing from us now.
        """
        post = self._connect(settings)
        try:
            for number, letter in enumerate(self._claim(letters, settings)):
                if self._rounds.over():
                    return
                self._house.pulse.beat("mailer")
                try:
                    outcome = post.hand_over(letter, letter.owed)
                except NoPost as error:
                    if number:
                        return  # many servers take only so many letters over one connection: go on over a new one
                    self._put_behind(letter, str(error))
                    raise
                except Exception as error:  # one bad letter stops no other
                    log.exception("letter_failed", letter=letter.id, key=letter.key)
                    self._defer(letter, f"internal error ({type(error).__name__}); see the log")
                    ends[_End.DEFERRED] += 1
                    return
                ends[self._note(letter, outcome)] += 1
                if outcome.unknown:
                    raise NoPost("the mail server did not say what became of a mail")
                self._answered()
        finally:
            post.close()

    def _claim(self, letters: Sequence[Letter], settings: MailSettings) -> list[Letter]:
        """The letters, each with the Message-ID that it keeps; on the disk before any of them leaves."""
        claimed = [
            replace(letter, message_id=message_id(letter, settings.sender), attempts=letter.attempts + 1)
            for letter in letters
        ]
        with self._house.store.write() as tx:
            for letter in claimed:
                tx.outbox.claim(letter.id, letter.message_id)
        return claimed

    def _note(self, letter: Letter, outcome: Outcome) -> _End:
        """Store what became of a letter, and log it: by its key, never by what it says or to whom."""
        owed = tuple(one for one in letter.owed if one not in outcome.taken)
        if letter.owed and not owed:
            with self._house.store.write() as tx:
                tx.outbox.sent(letter.id, self._house.clock.now())
            log.info("letter_sent", **_named(letter))
            return _End.SENT
        if outcome.taken:
            with self._house.store.write() as tx:
                tx.outbox.narrow(letter, owed)
        answers = sorted({reply.short for reply in (*outcome.later.values(), *outcome.never.values())})
        if outcome.later or outcome.unknown:
            wait = self._defer(letter, _reason(outcome))
            log.warning(
                "letter_deferred",
                **_named(letter),
                answers=answers,
                unknown=bool(outcome.unknown),
                owed=len(owed),
                seconds=round(wait),
            )
            return _End.DEFERRED
        with self._house.store.write() as tx:
            tx.outbox.dead(letter.id, _reason(outcome))
        log.error("letter_dead", **_named(letter), answers=answers, owed=len(owed))
        return _End.DEAD

    def _defer(self, letter: Letter, reason: str) -> float:
        """Have a letter tried again later, the later the more often it was tried; in how many seconds."""
        doubled = FIRST_WAIT * 2.0 ** min(letter.attempts - 1, 20)
        wait = min(LONGEST_WAIT, doubled * self._jitter())
        with self._house.store.write() as tx:
            tx.outbox.failed(letter.id, reason, self._house.clock.now() + int(wait * SECOND))
        return wait

    def _put_behind(self, letter: Letter, reason: str) -> None:
        """Have the next probe made with another letter, if there is one: this one may be what the server dislikes."""
        with self._house.store.write() as tx:
            tx.outbox.failed(letter.id, reason, self._house.clock.now())

    def _jitter(self) -> float:
        return 0.7 + 0.6 * self._house.random.random()

    # --- the mail server -----------------------------------------------------------------------------------------

    def _leave_alone(self, error: NoPost) -> None:
        """The mail server takes nothing: wait before the next probe, and say so once."""
        now = self._house.clock.now()
        self._tries += 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._tries - 1, 20) * self._jitter())
        self._pause_until = now + int(pause * SECOND)
        self._clean = False
        if self._tries == 1:
            log.warning("mail_troubled", what=error.what, code=error.code)
        with self._house.store.write(durable=False) as tx:
            known: Mapping[str, object] = tx.cursors.get_note(TROUBLE) or {}
            tx.cursors.set_note(TROUBLE, {"words": str(error), "since": known.get("since", now)})

    def _answered(self) -> None:
        """The mail server has answered: whatever troubled it, or an earlier process, is over."""
        if self._tries:
            log.info("mail_recovered")
        if not self._clean:
            with self._house.store.write(durable=False) as tx:
                tx.cursors.drop_note(TROUBLE)
        self._tries, self._clean = 0, True

    def _miss(self) -> None:
        """Nobody can be told: say so once, when there is something to tell."""
        if self._missed:
            return
        with self._house.store.read() as tx:
            waiting = tx.outbox.next_due() is not None
        if waiting:
            self._missed = True
            log.warning("mail_missing")

    def _forget_old(self) -> None:
        now = self._house.clock.now()
        if (now - self._forgot_at) / SECOND < FORGETTING:
            return
        self._forgot_at = now
        with self._house.store.write(durable=False) as tx:
            tx.outbox.forget(now - KEPT * SECOND)


def _named(letter: Letter) -> dict[str, Any]:
    """What a log may say of a letter."""
    return {
        "agreement": letter.agreement,
        "letter": letter.id,
        "key": letter.key,
        "attempts": letter.attempts,
    }


def _reason(outcome: Outcome) -> str:
    """What the mail server said, for the operator: once for each answer, with how many addresses it was about."""
    answers = Counter(str(reply) for reply in (*outcome.never.values(), *outcome.later.values()))
    words = [f"{answer} ({count} addresses)" if count > 1 else answer for answer, count in answers.items()]
    if outcome.unknown:
        words.append("no answer after the mail was handed over: it may have arrived")
    return "; ".join(words) or str(outcome.reply)
