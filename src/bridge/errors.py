"""Everything that can go wrong, as one tree. Each class tells the operator what happened and what to do next.

    BridgeError
    ├── ConfigError              the files are wrong: every problem at once, with file and line
    ├── StoreError               our own database cannot be used
    │   └── AlreadyRunning       another bridge works on it
    ├── OtherSite                an agreement with links points to another site
    ├── CannotListen             the web server's address is taken
    ├── NoPlan                   a file that is not a plan of ours, or not a whole one
    ├── ForgottenMirrors         the database knows nothing of mirrors that are there: it was lost
    ├── NoPost                   the mail server cannot be reached, or wants nothing from us at all
    └── TrackerError             a tracker said no, or said nothing
        ├── Unreachable          no connection, DNS, TLS, time-out on a read: try again later
        ├── Unauthorised         the login is refused or has silently become anonymous
        ├── Throttled            429 or 503 with Retry-After: wait as told
        ├── Refused              the tracker understood and refused this item: park it, in its own words
        │   └── Unfit            a file's bytes are not what was promised: it stays where it is
        ├── Gone                 404 or 410: deleted, moved out of sight, or never there
        ├── Clashed              409 or 412: somebody else was writing; read again
        ├── Unintelligible       an answer that is not what the API promises (an HTML page, broken JSON)
        └── OutcomeUnknown       a write that may or may not have happened: look before repeating it

``exit_code`` is what a command ends with (0 fine, 1 found something, 2 wrong usage or configuration, 3 a tracker
or the store could not be reached); ``next_step`` is the sentence printed under the message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class BridgeError(Exception):
    """Base of all our errors; never raised itself."""

    exit_code = 1
    next_step = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the configuration.

    Attributes:
        file: path of the file as the operator knows it.
        line: 1-based line, 0 when the mistake is the file itself (missing, unreadable).
        path: where in the document, e.g. ``fields.priority.values``.
        message: what is wrong.
        fix: what would be right.
    """

    file: str
    line: int
    path: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        where = f" {self.path}:" if self.path else ""
        cure = f" ({self.fix})" if self.fix else ""
        return f"{place}:{where} {self.message}{cure}"


class ConfigError(BridgeError):
    """The configuration has mistakes; ``problems`` holds all of them, in file order."""

    exit_code = 2
    next_step = "Mend the lines above, then run 'bridge check'."

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class StoreError(BridgeError):
    """The bridge's own database cannot be opened, read or written."""

    exit_code = 3
    next_step = "Check that the database exists, is writable and has room; then start again."


class AlreadyRunning(StoreError):
    """Another bridge works on the same database; two would do everything twice."""

    exit_code = 1
    next_step = "Let that one work, or stop it first."


class CannotListen(BridgeError):
    """The address that the web server is to listen on is taken, or not this machine's."""

    exit_code = 2
    next_step = "Give another address or port in 'web: {listen: ...}', or stop what listens there."


class NoPlan(BridgeError):
    """A file is not a plan that this version can carry out: another kind of file, cut off, or of a newer one."""

    exit_code = 2
    next_step = "Make it anew with 'bridge plan -o FILE'. Nothing was written."


class ForgottenMirrors(BridgeError):
    """The database knows no link of an agreement whose mirrors are there: it was lost, or is another one.

    Attributes:
        keys: some of the tickets.
        count: how many there are.
    """

    exit_code = 1
    next_step = (
        "Restore the database from its backup, or point 'database' at it. If there is none, start once with --anew: "
        "the mirrors are adopted, but their comments cross once more."
    )

    def __init__(self, keys: Sequence[str], count: int) -> None:
        self.keys = tuple(keys)
        self.count = count
        more = f" and {count - len(self.keys)} more" if count > len(self.keys) else ""
        super().__init__(
            f"the database knows no link, but {', '.join(self.keys)}{more} are mirrors that this agreement has made; "
            "their comments would cross a second time"
        )


class OtherSite(BridgeError):
    """An agreement that has links points to another site than the one where they were made.

    Attributes:
        agreement: its name.
        side: the side that points elsewhere.
    """

    exit_code = 2
    next_step = (
        "Ids of one site mean other tickets on another. If it is the same site under a new address, start once with "
        "--moved; else give the agreement a name and a database of its own."
    )

    def __init__(self, agreement: str, side: str, known: str, now: str) -> None:
        self.agreement = agreement
        self.side = side
        super().__init__(
            f"agreement '{agreement}' has links on its {side} side to '{known}', and now says '{now}'"
        )


class NoPost(BridgeError):
    """The mail server cannot be reached or will not serve us, whatever the letter: letters wait.

    Attributes:
        what: what happened, in our words: fit for a log.
        code: the codes of its answer, likewise; "" when it gave none.
    """

    exit_code = 3
    next_step = (
        "See 'mail' in bridge.yaml; 'bridge mail test ADDRESS' tries it. Letters wait and are sent later."
    )

    def __init__(self, what: str, code: str = "", said: str = "") -> None:
        self.what = what
        self.code = code
        super().__init__(f"{what}: {said}" if said else what)


class TrackerError(BridgeError):
    """A tracker said no, or nothing at all.

    Attributes:
        tracker: the tracker's name in the configuration.
        words: what the tracker said, shortened, safe to show an operator; never a request body.
    """

    exit_code = 3
    next_step = "See what the tracker said; 'bridge check' tests the connection and the rights."

    def __init__(self, tracker: str, words: str) -> None:
        self.tracker = tracker
        self.words = words
        super().__init__(f"{tracker}: {words}")


class Unreachable(TrackerError):
    """No answer: connection refused, DNS, TLS, a time-out or a gateway error on a request that changes nothing."""

    next_step = (
        "Check the URL, the network and the tracker's health; a running daemon keeps trying by itself."
    )


class Unauthorised(TrackerError):
    """The login is refused, or the tracker has started to treat us as anonymous."""

    next_step = (
        "Renew the token or key where the bridge finds it (secrets folder, credential or environment)."
    )


class Throttled(TrackerError):
    """The tracker asks us to wait.

    Attributes:
        retry_after: seconds to wait, honoured in full.
        shared: whether everybody must wait; False where only the ticket that was written to is meant.
    """

    next_step = "Nothing to do: the bridge waits as told. If it lasts, lower the tracker's 'rate'."

    def __init__(self, tracker: str, words: str, retry_after: float, *, shared: bool = True) -> None:
        self.retry_after = retry_after
        self.shared = shared
        super().__init__(tracker, words)


class Refused(TrackerError):
    """The tracker understood the request and will not do it (400, 403, 413, 422).

    Attributes:
        status: the HTTP status.
        fields: the tracker's complaint for each field it names, by canonical name where the adapter knows it.
    """

    exit_code = 1
    next_step = "Mend what the tracker complains about; the link is tried again by itself."

    def __init__(
        self, tracker: str, words: str, *, status: int, fields: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.fields = dict(fields or {})
        super().__init__(tracker, words)


class Unfit(Refused):
    """A file's bytes are not what was promised, or lie where we do not go; another try would end alike."""

    next_step = "See the finding: the file stays on its own side."

    def __init__(self, tracker: str, words: str) -> None:
        super().__init__(tracker, words, status=0)


class Gone(TrackerError):
    """The thing is not there, or no longer visible to us. Never taken as permission to delete its peer."""

    exit_code = 1
    next_step = "See whether the ticket was deleted, moved or hidden from the integration account."


class Clashed(TrackerError):
    """Somebody else changed the thing at the same moment (409, 412)."""

    exit_code = 1
    next_step = "Nothing to do: the ticket is read again."


class Unintelligible(TrackerError):
    """The answer is not what the API promises: an HTML page, broken JSON, a missing key."""

    next_step = "Look for a proxy or a login page between the bridge and the tracker."


class OutcomeUnknown(TrackerError):
    """A write that cannot be undone or recognised twice got no clear answer: it may have happened."""

    next_step = "Nothing to do: the bridge looks for the result before it tries again."
