"""Posting signed webhooks: hands the messages of the outbox's channel ``hook`` to their addresses.

The same guarantees as for mail: a message stays queued until its receiver has taken it, so a kill sends it again, under
the same id, by which a receiver knows it. Signed as https://www.standardwebhooks.com has it. A receiver that is out of
reach delays its own messages alone. No redirect is followed, and a public name that leads into a private network is not
called: what an address is allowed to reach is what the configuration says in so many words.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import requests
import structlog

from bridge.clock import SECOND
from bridge.config.settings import OutgoingHook
from bridge.daemon.house import House
from bridge.daemon.rounds import Rounds
from bridge.notify.hook_message import CHANNEL
from bridge.store.rows import Letter
from bridge.trackers.transfers import public

log = structlog.get_logger(__name__)

ROUND: Final = 1.0
"""Seconds between looks into the outbox."""

BATCH: Final = 50
"""Messages that are read from it at once."""

FIRST_WAIT, LONGEST_WAIT = 10.0, 3_600.0
"""Seconds before a message that was not taken is tried again: doubled each time."""

TRIES: Final = 30
"""A message is given up after so many tries, which is about a day."""

CONNECT, ANSWER = 5.0, 15.0
"""Seconds to wait for a connection, and for the answer."""

GOODBYE: Final = 5.0

Resolve = Callable[[str], Iterable[str]]
"""The addresses of a host."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What one round did.

    Attributes:
        sent: messages that their receivers have taken.
        deferred: messages that are tried again.
        dead: messages that were given up.
    """

    sent: int = 0
    deferred: int = 0
    dead: int = 0


class Hooker:
    """Posts what is due, by itself as a thread or when asked.

    Args:
        house: the running parts.
        resolve: finds the addresses of a host.
    """

    def __init__(self, house: House, resolve: Resolve | None = None) -> None:
        self._house = house
        self._resolve = resolve or _addresses
        self._rounds = Rounds(house, "hooker", self.flush, ROUND)

    # --- as a thread ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to work, in a thread of its own."""
        self._rounds.start()

    def stop(self) -> None:
        """Take up no further message."""
        self._rounds.stop()

    def join(self) -> None:
        """Wait a little for the message that is on its way; it may be sent twice."""
        self._rounds.join(GOODBYE)

    # --- one round -----------------------------------------------------------------------------------------------

    def flush(self) -> Posted:
        """Post every message that is due.

        Raises:
            StoreError: our own database failed.
        """
        ends = {"sent": 0, "deferred": 0, "dead": 0}
        failing: set[str] = set()
        while not self._rounds.over():
            with self._house.store.read() as tx:
                due = tx.outbox.due(self._house.clock.now(), BATCH, CHANNEL)
            if not due:
                break
            for letter in due:
                if self._rounds.over():
                    break
                ends[self._post(letter, failing)] += 1
        return Posted(**ends)

    def _post(self, letter: Letter, failing: set[str]) -> str:
        """Post one message, and note what became of it; a receiver that failed in this round is not asked again."""
        name = letter.to[0] if letter.to else ""
        hook = self._house.terms.settings.hooks.get(name)
        if name in failing:
            with self._house.store.write() as tx:
                reason = "its receiver did not take the message before it"
                tx.outbox.failed(letter.id, reason, self._house.clock.now() + int(FIRST_WAIT * SECOND))
            return "deferred"
        with self._house.store.write() as tx:
            tx.outbox.claim(letter.id, letter.message_id)
        if hook is None:
            return self._defer(letter, f"bridge.yaml has no outgoing webhook '{name}' any more")
        trouble = self._call(hook, letter)
        if trouble:
            failing.add(name)
            return self._defer(letter, trouble)
        with self._house.store.write() as tx:
            tx.outbox.sent(letter.id, self._house.clock.now())
        log.info(
            "hook_sent", agreement=letter.agreement, hook=name, key=letter.key, attempts=letter.attempts + 1
        )
        return "sent"

    def _call(self, hook: OutgoingHook, letter: Letter) -> str:
        """Call the address once; why it has not taken the message, or ""."""
        try:
            refused = forbidden(hook.url, self._resolve)
            if refused:
                return refused
            with requests.post(
                hook.url,
                data=letter.text.encode(),
                headers={
                    "Content-Type": "application/json",
                    "User-Agent": "bridge",
                    **signed(hook, letter.message_id, letter.text, self._house.clock.now() // SECOND),
                },
                timeout=(CONNECT, ANSWER),
                allow_redirects=False,
                stream=True,  # what the answer says beside its status is not read
            ) as answer:
                status = answer.status_code
                if status // 100 == HTTPStatus.OK // 100:
                    return ""
                hint = (
                    "; look at the address in bridge.yaml"
                    if status < HTTPStatus.INTERNAL_SERVER_ERROR
                    else ""
                )
                return f"it answered {status}{hint}"
        except (requests.RequestException, OSError, ValueError) as error:
            return f"no answer ({type(error).__name__})"  # its words may hold the address, which is a secret

    def _defer(self, letter: Letter, reason: str) -> str:
        tries = letter.attempts + 1
        now = self._house.clock.now()
        if tries >= TRIES:
            with self._house.store.write() as tx:
                tx.outbox.dead(letter.id, reason)
            log.error(
                "hook_dead", agreement=letter.agreement, hook=letter.to[0], key=letter.key, reason=reason
            )
            return "dead"
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(tries - 1, 20))
        wait *= 0.7 + 0.6 * self._house.random.random()
        with self._house.store.write() as tx:
            tx.outbox.failed(letter.id, reason, now + int(wait * SECOND))
        log.warning(
            "hook_deferred",
            agreement=letter.agreement,
            hook=letter.to[0],
            key=letter.key,
            reason=reason,
            seconds=round(wait),
        )
        return "deferred"


def signed(hook: OutgoingHook, message_id: str, body: str, timestamp: int) -> dict[str, str]:
    """The headers that prove who wrote a message, when, and that nobody has changed it (Standard Webhooks 1.0).

    A secret that begins with ``whsec_`` is base64, as receivers' libraries hand them out; any other is taken as it is.

    Args:
        hook: whose secret.
        message_id: the same at each try.
        body: as it is sent.
        timestamp: seconds since 1970, of this try.
    """
    secret = hook.secret.get_secret_value()
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    said = f"{message_id}.{timestamp}.{body}".encode()
    proof = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{proof}",
    }


def forbidden(url: str, resolve: Resolve) -> str:
    """Why an address is not called, or "": a name that somebody outside may point into our network.

    Whoever writes a numeric address, ``localhost`` or a name without a public ending into the configuration means it.

    Raises:
        OSError: the name cannot be resolved.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    if _is_address(host) or "." not in host or host.endswith((".local", ".internal", ".lan", ".home.arpa")):
        return ""
    private = [one for one in resolve(host) if not public(one)]
    return "its name leads to a private address; write that address, or an internal name" if private else ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _addresses(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]).split("%")[0] for entry in found]
