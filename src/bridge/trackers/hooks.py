"""Webhooks, kind by kind: how one proves where it comes from, and which tickets it names. Pure functions of one call.

A webhook is a hint: "look at these tickets". Nothing else in it is read, and nothing in it is believed: the tickets are
read anew by id. So what must be proved is little, that the hint is not a stranger's, and it is proved over the raw
bytes, before anything is parsed:

* Jira (Cloud's admin webhooks, Data Center from 10.0): ``X-Hub-Signature: sha256=<hex>``, the HMAC of the body. The
  method stands in the header and may change (developer.atlassian.com, "Webhooks"); only SHA-256 is accepted.
* Redmine from 7.0: ``X-Redmine-Signature-256: sha256=<hex>``, the same otherwise.
* Everybody else, Request Tracker's scrips among them: Standard Webhooks 1.0.0 (standardwebhooks.com): an id, a
  time and a list of signatures over ``id.time.body``; the time must be within five minutes of ours.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from bridge.clock import SECOND

TOLERANCE = 300
"""Seconds by which the sender's clock may differ, where the time is signed (the usual of Standard Webhooks)."""

MOST_TICKETS = 100
"""Tickets that one hint may name."""

MOST_SIGNATURES = 5
"""Signatures of one call that are looked at: during a rotation a sender gives two."""

LONGEST_ID = 200
"""Characters of a delivery's id; a longer one is replaced by its digest."""

Complaint = Literal["", "unsigned", "algorithm", "signature", "stale"]
"""Why a call proves nothing; "" when it does prove where it comes from."""

Headers = Mapping[str, str]
"""Header names in lower case."""


@dataclass(frozen=True, slots=True)
class HookKind:
    """What the webhooks of one kind of tracker look like.

    Attributes:
        verify: ``(headers, body, secrets, now)`` -> complaint; ``now`` in microseconds. Takes the same time whichever
            secret or byte is wrong.
        delivery: the id that is the same in every repetition of one delivery; "" where the sender gives none.
        tickets: ids of the tickets that a parsed body names, which may be anything at all.
    """

    verify: Callable[[Headers, bytes, Sequence[str], int], Complaint]
    delivery: Callable[[Headers], str]
    tickets: Callable[[Any], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A webhook as it should stand in a tracker.

    Attributes:
        name: how it is called there.
        url: where it is posted to.
        secret: what it is signed with.
        projects: keys of the projects whose tickets it tells of.
    """

    name: str
    url: str
    secret: str
    projects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A webhook as it stands in a tracker."""

    id: str
    name: str
    url: str
    active: bool


class Registrar(Protocol):
    """Webhooks in the tracker itself, where it has an API for them. Raises what trackers raise."""

    def standing(self) -> Sequence[Standing]:
        """All webhooks of the site, ours and others'.

        Raises:
            Refused: the account may not see them, or this version cannot sign them.
        """

    def put(self, wanted: Wanted, known: Standing | None) -> None:
        """Make a webhook, or make the known one be as wanted.

        Raises:
            Refused: with the tracker's words.
        """

    def remove(self, known: Standing) -> None:
        """Remove a webhook; removing what is gone is fine."""


def named(body: bytes, kind: HookKind) -> tuple[str, ...]:
    """The tickets that a proven body names; none when it cannot be read, however it is broken."""
    try:
        return kind.tickets(json.loads(body))
    except (ValueError, RecursionError):
        return ()


def tells_delete(body: bytes) -> bool:
    """Whether a proven body says that the ticket it names was deleted (Jira's ``jira:issue_deleted``)."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and told.get("webhookEvent") == "jira:issue_deleted"


def delivery_id(headers: Headers, body: bytes, kind: HookKind, now: int) -> str:
    """What tells a repeated delivery from a new one.

    Where the sender gives no id, the same bytes within ten seconds count as one delivery: an economy, and harmless when
    wrong, because the first of them has just had its tickets looked at and polls see the rest.
    """
    given = kind.delivery(headers)
    if given and len(given) <= LONGEST_ID and given.isprintable():
        return given
    if given:
        return "sha256:" + hashlib.sha256(given.encode(errors="surrogateescape")).hexdigest()
    return f"sha256:{hashlib.sha256(body).hexdigest()}@{now // (10 * SECOND)}"


# --- proofs --------------------------------------------------------------------------------------------------------


def body_hmac(header: str) -> Callable[[Headers, bytes, Sequence[str], int], Complaint]:
    """The proof by ``<header>: sha256=<hex>`` over the body alone."""

    def verify(headers: Headers, body: bytes, secrets: Sequence[str], _now: int) -> Complaint:
        given = headers.get(header, "")
        method, _, claimed = given.partition("=")
        matches = _any_equal(
            [hmac.digest(secret.encode(), body, "sha256").hex().encode() for secret in secrets if secret],
            [claimed.encode(errors="replace")],
        )
        if not given:
            return "unsigned"
        if method != "sha256":
            return "algorithm"
        return "" if matches else "signature"

    return verify


def standard(headers: Headers, body: bytes, secrets: Sequence[str], now: int) -> Complaint:
    """The proof of Standard Webhooks: ``webhook-id``, ``webhook-timestamp``, ``webhook-signature``."""
    name, stamp, given = (headers.get(f"webhook-{part}", "") for part in ("id", "timestamp", "signature"))
    signed = b".".join((name.encode(errors="replace"), stamp.encode(errors="replace"), body))
    claims = [claim.partition(",") for claim in given.split()[:MOST_SIGNATURES]]
    matches = _any_equal(
        [base64.b64encode(hmac.digest(_key(secret), signed, "sha256")) for secret in secrets if secret],
        [claimed.encode(errors="replace") for version, _, claimed in claims if version == "v1"],
    )
    if not (name and stamp and given):
        return "unsigned"
    if not any(version == "v1" for version, _, _ in claims):
        return "algorithm"
    if not matches:
        return "signature"
    fresh = _digits(stamp) and abs(int(stamp) - now // SECOND) <= TOLERANCE
    return "" if fresh else "stale"


def _any_equal(good: Sequence[bytes], claimed: Sequence[bytes]) -> bool:
    """Whether any claim is good; compares all with all, so that the time tells nothing."""
    found = False
    for one in good:
        for claim in claimed:
            found |= hmac.compare_digest(one, claim)
    return found


def _key(secret: str) -> bytes:
    """The key behind a secret of Standard Webhooks: base64 after ``whsec_``, else its own bytes."""
    head, _, rest = secret.partition("_")
    if head == "whsec":
        try:
            return base64.b64decode(rest, validate=True)
        except binascii.Error:
            pass
    return secret.encode()


# --- names ---------------------------------------------------------------------------------------------------------


def _digits(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 20  # noqa: PLR2004 - a 64-bit number


def _ids(values: Iterable[Any]) -> tuple[str, ...]:
    """Ticket ids among what a body holds in their place."""
    found: dict[str, None] = {}
    for value in values:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if isinstance(text, str) and _digits(text):
            found[text] = None
    return tuple(found)[:MOST_TICKETS]


def _at(body: Any, *path: str) -> Any:
    """What stands at a path; None where there is no such path."""
    for step in path:
        body = body.get(step) if isinstance(body, dict) else None
    return body


def _jira(body: Any) -> tuple[str, ...]:
    """Jira names the issue; of a link both ends, of a worklog the issue's id. Attachment events name no issue."""
    return _ids(
        (
            _at(body, "issue", "id"),
            _at(body, "worklog", "issueId"),
            _at(body, "issueLink", "sourceIssueId"),
            _at(body, "issueLink", "destinationIssueId"),
        )
    )


def _redmine(body: Any) -> tuple[str, ...]:
    """Redmine's body is ``{type, timestamp, data}``; the issue is in the data."""
    return _ids((_at(body, "data", "issue", "id"),))


def _plain(body: Any) -> tuple[str, ...]:
    """Ours: ``{"ticket": 12}`` or ``{"tickets": [12, 13]}``."""
    several = _at(body, "tickets")
    return _ids((_at(body, "ticket"), *(several[:MOST_TICKETS] if isinstance(several, list) else ())))


def _header(name: str) -> Callable[[Headers], str]:
    return lambda headers: headers.get(name, "")


JIRA = HookKind(body_hmac("x-hub-signature"), _header("x-atlassian-webhook-identifier"), _jira)
REDMINE = HookKind(body_hmac("x-redmine-signature-256"), lambda _: "", _redmine)
GENERIC = HookKind(standard, _header("webhook-id"), _plain)

BUILT_IN_HOOKS: Mapping[str, HookKind] = {
    "jira-cloud": JIRA,
    "jira-datacenter": JIRA,
    "redmine": REDMINE,
}
"""The kinds of tracker whose webhooks are not of the generic kind."""
