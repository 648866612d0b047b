"""What the house asks of a tracker about files: the part of the protocol that moves bytes.

Which files a ticket has comes with the ticket; here is only how bytes come and go. Nothing is held in memory: a
download writes into a sink, an upload reads from a file of the spool. Bytes are foreign: a download ends at its limit
whatever the tracker says, and follows no address into our own network (``transfers``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn, Protocol

from bridge.clock import SECOND
from bridge.errors import Refused
from bridge.markup import Document, HardBreak, Media, Text, plain, transform
from bridge.sync.privacy import inherited
from bridge.sync.ticket import Attachment, Comment

NEARBY = 900 * SECOND
"""How long before a private comment a file may have been uploaded that the comment shows without naming it."""

UNSUPPORTED = 501


class Sink(Protocol):
    """Takes the bytes of a download."""

    def write(self, data: bytes) -> None:
        """Take bytes; raises when there is no room."""

    def restart(self) -> None:
        """Forget what was written: the download begins anew."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file that is to be uploaded.

    Attributes:
        path: where its bytes are.
        name: the name it shall have.
        media_type: what it is, e.g. ``image/png``.
        size: bytes.
        digest: SHA-256 of its bytes, in hex.
    """

    path: Path
    name: str
    media_type: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that is on a ticket now.

    Attributes:
        id: the tracker's id.
        name: the name it got.
        size: bytes, as the tracker counted them.
        url: where a person can open it.
        at: the tracker's time of the write, microseconds.
        digest: the tracker's own SHA-256 of it, in hex; "" where it tells none.
    """

    id: str
    name: str
    size: int
    url: str
    at: int
    digest: str = ""


class Files(Protocol):
    """Moving the files of one tracker. Raises as :class:`bridge.trackers.protocol.Tracker` does."""

    def download(self, file: Attachment, sink: Sink, limit: int) -> None:
        """Write a file's bytes into the sink, ``limit`` bytes at most.

        Raises:
            Unfit: the bytes are not what was promised: too many, packed in an unknown way, or behind an address that
                we do not go to. Another try would end alike.
            Gone: no such file.
        """

    def upload(self, ticket: str, file: Outgoing) -> Uploaded:
        """Attach a file.

        Raises:
            Refused: with the tracker's words.
            OutcomeUnknown: it may be there; see ``find``.
        """

    def find(self, ticket: str, name: str, size: int, since: int) -> Sequence[Uploaded]:
        """Files that our account has attached since ``since`` with this name and size, oldest first.

        Raises:
            Gone: no such ticket.
        """

    def delete(self, file: str) -> int:
        """Delete a file; deleting what is gone is fine. Returns the tracker's time of the write.

        Raises:
            Refused: with the tracker's words.
        """

    def limit(self) -> int | None:
        """The largest file that the site takes, in bytes; None when it does not say. 0 when it takes none."""


class NoFiles:
    """The files of a tracker whose adapter cannot move any; its ``abilities.attachments`` is False."""

    def __init__(self, tracker: str) -> None:
        self._tracker = tracker

    def download(self, file: Attachment, sink: Sink, limit: int) -> None:  # noqa: ARG002 - see Files
        """See :class:`Files`."""
        self._refuse()

    def upload(self, ticket: str, file: Outgoing) -> Uploaded:  # noqa: ARG002 - see Files
        """See :class:`Files`."""
        self._refuse()

    def find(self, ticket: str, name: str, size: int, since: int) -> Sequence[Uploaded]:  # noqa: ARG002 - see Files
        """See :class:`Files`."""
        return ()

    def delete(self, file: str) -> int:  # noqa: ARG002 - see Files
        """See :class:`Files`."""
        self._refuse()

    def limit(self) -> int | None:
        """See :class:`Files`."""
        return 0

    def _refuse(self) -> NoReturn:
        raise Refused(
            self._tracker, "the bridge cannot move files of this kind of tracker", status=UNSUPPORTED
        )


def with_private(files: Iterable[Attachment], comments: Iterable[Comment]) -> tuple[Attachment, ...]:
    """The files with those marked private that belong to private comments.

    A tracker lists such files with all others and does not say where they belong (Jira). A file is private when a
    private comment names it, in its markup or in words; and when a private comment shows something without naming it
    (Cloud's media ids) and the file was uploaded by the same person shortly before. When in doubt it stays.
    """
    known = inherited(tuple(comments))
    hushed = [(comment, plain(comment.body), _shown(comment.body)) for comment in known if comment.private]
    if not hushed:
        return tuple(files)
    listed = list(files)
    names = {file.name for file in listed}
    return tuple(
        replace(file, private=True) if any(_belongs(file, *one, names) for one in hushed) else file
        for file in listed
    )


def _belongs(
    file: Attachment, comment: Comment, text: str, shown: Sequence[Media], names: frozenset[str] | set[str]
) -> bool:
    if file.name and re.search(rf"(?<!\w){re.escape(file.name)}(?!\w)", text):
        return True
    if any(file.name in (media.ref, media.alt) for media in shown):
        return True
    nameless = any(media.ref not in names and media.alt not in names for media in shown)
    same = file.author is None or comment.author is None or file.author == comment.author
    return nameless and same and comment.created - NEARBY <= file.created <= comment.updated + NEARBY


def _shown(body: Document) -> list[Media]:
    found: list[Media] = []

    def look(node: object) -> HardBreak | Text:
        if isinstance(node, Media):
            found.append(node)
        return HardBreak()

    transform(body, inline=look)
    return found
