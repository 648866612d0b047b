"""Request Tracker's files: parts of what was said. How they are listed is in ``rt_lists`` and ``rt_values``.

**Down.** ``/attachment/N`` packs the bytes in base64 within JSON; they are unpacked as they come, never held. The page
that browsers download from would save the packing, but it belongs to the web interface, which may stand behind another
login, makes a session for each file, and gives a text in its first encoding, whose length RT tells nobody.

**Up.** A file goes with a reply of its own, which has no text, as a multipart form that is read from the spool. RT
turns texts into UTF-8 and then counts other bytes than it was given, so that a text goes up as a mere file
(``application/octet-stream``). An empty file it takes in JSON only.

**Gone.** RT lets nobody take back a file.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from bridge.clock import SECOND
from bridge.errors import Gone, OutcomeUnknown, Refused, TrackerError, Unfit, Unintelligible, Unreachable
from bridge.sync.ticket import Attachment
from bridge.trackers.answers import Answer
from bridge.trackers.files import Outgoing, Sink, Uploaded
from bridge.trackers.http import Http
from bridge.trackers.rt_catalog import Catalog
from bridge.trackers.rt_desk import UNPROCESSABLE, Desk
from bridge.trackers.rt_lists import read_files, walk_transactions
from bridge.trackers.rt_messages import Messages
from bridge.trackers.rt_values import Json, file_size, file_url, instant, second
from bridge.trackers.transfers import FileBody, Transfers

LARGEST = 10 * 1024 * 1024
"""Bytes: RT's ``$MaxAttachmentSize`` as it is delivered. It tells its own to nobody, and holds a file in memory."""

_FRAME = 1024 * 1024
"""Bytes that may stand around a file in JSON: RT repeats the headers of its part of the mail."""

_CONTENT = re.compile(rb'"Content"\s*:\s*("|null)')
"""How the bytes begin. Within another text the second quotation mark would have a backslash before it."""

_WINDOW = 64
"""Bytes that are enough to hold ``_CONTENT`` with its blanks."""

_PLAIN_TYPE = re.compile(r"(?!text/|message/|multipart/)[a-z]+/[a-z0-9.+-]+", re.IGNORECASE)
"""Types whose bytes RT leaves alone."""

_ANY_TYPE = "application/octet-stream"


class RtFiles:
    """The files of one Request Tracker. Implements :class:`bridge.trackers.files.Files`.

    Args:
        url: the address people open.
        http: the policy, for what is JSON.
        transfers: for bytes.
        catalog: tells who we are.
        desk: tells whether a ticket is what its number says.
        messages: undoes what scrips make of a reply.
    """

    def __init__(
        self,
        url: str,
        *,
        http: Http,
        transfers: Transfers,
        catalog: Catalog,
        desk: Desk,
        messages: Messages,
    ) -> None:
        self._url = url
        self._http = http
        self._transfers = transfers
        self._catalog = catalog
        self._desk = desk
        self._messages = messages

    def download(self, file: Attachment, sink: Sink, limit: int) -> None:
        """See :meth:`bridge.trackers.files.Files.download`."""
        unpacking = Unpacking(self._http.tracker, sink, limit)
        try:
            # Four characters for three bytes, and a line feed (two characters in JSON) after each 76.
            self._transfers.download("/attachment/{id}", {"id": file.id}, unpacking, limit * 3 // 2 + _FRAME)
        except Unreachable:
            # Of a file that it does not have RT says nothing but "500".
            if not self._has(file.id):
                raise Gone(self._http.tracker, f"there is no file {file.id} that we may see") from None
            raise
        unpacking.finish()

    def upload(self, ticket: str, file: Outgoing) -> Uploaded:
        """See :meth:`bridge.trackers.files.Files.upload`."""
        self._desk.read(ticket)  # a file on a ticket that was merged would silently go to the other one
        try:
            answer = self._send(ticket, file)
            number, at = self._messages.settle(ticket, answer)
        finally:
            self._desk.forget(ticket)
        try:
            made = read_files(self._http, [number]).get(number)
        except TrackerError as trouble:
            raise OutcomeUnknown(
                self._http.tracker, f"the file was sent, but not read back: {trouble}"
            ) from trouble
        if not made:
            raise Refused(
                self._http.tracker,
                f"Request Tracker took a reply to ticket {ticket} but did not keep the file with it: it may be larger"
                " than its database takes",
                status=UNPROCESSABLE,
            )
        return self._uploaded(made[0], at)

    def find(self, ticket: str, name: str, size: int, since: int) -> Sequence[Uploaded]:
        """See :meth:`bridge.trackers.files.Files.find`."""
        self._desk.read(ticket)
        me, floor = self._catalog.account().person, second(since)
        ours = {
            str(one["id"]): instant(one["Created"])
            for page in walk_transactions(self._http, [ticket], ("Correspond",), gapless=True)
            for one in page
            if one["Creator"]["id"] == me.id and instant(one["Created"]) >= floor
        }
        files = read_files(self._http, list(ours))
        return [
            self._uploaded(raw, ours[number])
            for number in ours
            for raw in files.get(number, ())
            if raw["Filename"] == kept(name) and file_size(raw) == size
        ]

    def delete(self, file: str) -> NoReturn:
        """See :meth:`bridge.trackers.files.Files.delete`. Always refused: RT keeps what was said."""
        words = f"Request Tracker lets nobody take back a file ({file})"
        raise Refused(self._http.tracker, words, status=UNPROCESSABLE)

    def limit(self) -> int | None:
        """See :meth:`bridge.trackers.files.Files.limit`."""
        return LARGEST

    def _send(self, ticket: str, file: Outgoing) -> Answer:
        name = kept(file.name)
        kind = file.media_type if _PLAIN_TYPE.fullmatch(file.media_type) else _ANY_TYPE
        if not file.size:
            return self._send_empty(ticket, name, kind)
        boundary = f"bridge-{secrets.token_hex(16)}"
        return self._transfers.http.call(
            "POST",
            "/ticket/{id}/correspond",
            parts={"id": ticket},
            content=lambda: reply_form(file.path, name, kind, boundary),
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )

    def _send_empty(self, ticket: str, name: str, kind: str) -> Answer:
        """Reply with an empty file. RT demands a content, and finds none in a lone sign of padding.

        It takes the characters of a name in JSON for bytes of UTF-8, which it does not do in a form.
        """
        part = {"FileName": name.encode().decode("latin-1"), "FileType": kind, "FileContent": "="}
        return self._http.call(
            "POST", "/ticket/{id}/correspond", parts={"id": ticket}, body={"Attachments": [part]}
        )

    def _has(self, file: str) -> bool:
        chosen = [{"field": "id", "operator": "=", "value": file}]
        found = self._http.call("POST", "/attachments", body=chosen, repeatable=True).objects("items")
        return any(str(one["id"]) == file for one in found)

    def _uploaded(self, raw: Json, at: int) -> Uploaded:
        address = file_url(self._url, raw)
        return Uploaded(str(raw["id"]), str(raw["Filename"]), file_size(raw), address, at // SECOND * SECOND)


class Unpacking:
    """A sink that takes RT's JSON and gives the file in it to another sink. Implements :class:`Sink`.

    Args:
        tracker: the tracker's name, for errors.
        sink: takes the file's bytes.
        limit: how many of them at most.
    """

    def __init__(self, tracker: str, sink: Sink, limit: int) -> None:
        self._tracker = tracker
        self._sink = sink
        self._limit = limit
        self._begun = self._ended = False
        self._rest = b""
        self._size = 0

    def restart(self) -> None:
        """See :class:`bridge.trackers.files.Sink`."""
        self._begun = self._ended = False
        self._rest = b""
        self._size = 0
        self._sink.restart()

    def write(self, data: bytes) -> None:
        """See :class:`bridge.trackers.files.Sink`.

        Raises:
            Unfit: the file goes on beyond the limit.
            Unintelligible: this is no base64.
        """
        if self._ended:
            return
        rest = self._rest + data
        if not self._begun:
            start = _CONTENT.search(rest)
            if start is None:
                self._rest = rest[-_WINDOW:]
                return
            self._begun, rest = True, rest[start.end() :]
            if start[1] == b"null":
                self._ended = True
                return
        text, quote, _ = rest.partition(b'"')
        self._ended = bool(quote)
        self._rest = self._unpack(text)

    def finish(self) -> None:
        """See that the file has come to its end.

        Raises:
            Unintelligible: it has not.
        """
        if not self._ended or (self._begun and self._rest):
            raise Unintelligible(self._tracker, "the answer lacks the whole content of a file")

    def _unpack(self, text: bytes) -> bytes:
        """Write what is complete of a text; returns what is not. Between two writes JSON's escapes are whole."""
        split = text.endswith(b"\\")
        held = b"\\" if split else b""
        bare = text.removesuffix(held).replace(b"\\n", b"").replace(b"\\r", b"").replace(b"\\/", b"/")
        whole = len(bare) // 4 * 4
        try:
            data = base64.b64decode(bare[:whole], validate=True)
        except binascii.Error:
            raise Unintelligible(self._tracker, "the content of a file is no base64") from None
        self._size += len(data)
        if self._size > self._limit:
            raise Unfit(self._tracker, f"the file's bytes go on beyond the {self._limit} that were announced")
        if data:
            self._sink.write(data)
        return bare[whole:] + held


def kept(name: str) -> str:
    """The name under which RT keeps a file.

    What it makes something else of is replaced first: quotation marks end the name in a form, ``=?`` begins a word in
    the encoding of mails (RFC 2047), and a name that Perl takes for "nothing" is none.
    """
    bare = name.rpartition("/")[2].replace('"', "'").replace("=?", "=_")
    bare = re.sub(r"[\r\n]+", "_", bare)
    return bare if bare not in {"", "0"} else f"_{bare}"


def reply_form(path: Path, name: str, kind: str, boundary: str) -> FileBody:
    """A reply without a text as a multipart form (RFC 7578), with a file read from the disk."""
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="JSON"\r\n\r\n{{}}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="Attachments"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    return FileBody(path, head.encode(), f"\r\n--{boundary}--\r\n".encode())
