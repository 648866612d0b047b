"""Redmine's files: uploaded in two steps. How they are listed is in ``redmine_values``.

A file is first uploaded on its own, for a token (repeating that leaves at worst an orphan, which Redmine throws away
after a day), and then hung on the issue by the token. The token begins with the file's number and ends with a digest
of what Redmine received, so that a file can be compared and found again without reading it back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from bridge.clock import SECOND
from bridge.errors import Gone, OutcomeUnknown, Refused, TrackerError, Unintelligible
from bridge.sync.ticket import Attachment
from bridge.trackers.files import Outgoing, Sink, Uploaded
from bridge.trackers.http import Http
from bridge.trackers.redmine_clock import FarClock
from bridge.trackers.redmine_payload import UNPROCESSABLE
from bridge.trackers.redmine_values import Json, instant
from bridge.trackers.transfers import FileBody, Transfers

_SHA256 = 64
"""Characters of a SHA-256 in hex; older Redmines have an MD5 there."""

_REPLACED = re.compile(r"[/?%*:|\"'<>\n\r]+")
"""What Redmine puts an underscore for in a name (``Attachment#sanitize_filename``)."""


class RedmineFiles:
    """The files of one Redmine. Implements :class:`bridge.trackers.files.Files`.

    Args:
        url: the address people open.
        http: the policy, for what is JSON.
        transfers: for bytes.
        clock: the tracker's time.
        me: the id of our account.
        read: reads an issue with what the second argument includes; raises Gone.
    """

    def __init__(
        self,
        url: str,
        *,
        http: Http,
        transfers: Transfers,
        clock: FarClock,
        me: Callable[[], str],
        read: Callable[[str, str], dict[str, Any]],
    ) -> None:
        self._url = url
        self._http = http
        self._transfers = transfers
        self._clock = clock
        self._me = me
        self._read = read

    def download(self, file: Attachment, sink: Sink, limit: int) -> None:
        """See :meth:`bridge.trackers.files.Files.download`."""
        try:
            self._transfers.download("/attachments/download/{id}", {"id": file.id}, sink, limit)
        except Unintelligible:
            # What is gone is answered with a page for people here; the API says it plainly.
            self._http.call("GET", "/attachments/{id}.json", parts={"id": file.id})
            raise

    def upload(self, ticket: str, file: Outgoing) -> Uploaded:
        """See :meth:`bridge.trackers.files.Files.upload`."""
        token = self._token(file)
        number, _, digest = token.partition(".")
        entry = {"token": token, "filename": file.name, "content_type": file.media_type}
        body = {"issue": {"uploads": [entry]}}
        self._http.call("PUT", "/issues/{id}.json", parts={"id": ticket}, body=body, repeatable=False)
        try:
            issue = self._read(ticket, "attachments")
        except TrackerError as trouble:
            raise OutcomeUnknown(
                self._http.tracker, f"the file was sent, but not read back: {trouble}"
            ) from trouble
        made = next((raw for raw in issue.get("attachments", ()) if str(raw["id"]) == number), None)
        if made is None:
            raise Refused(
                self._http.tracker,
                f"Redmine accepted a file for {ticket} but did not keep it: its name or type may not be allowed",
                status=UNPROCESSABLE,
            )
        return self._uploaded(made, instant(issue["updated_on"]), digest if len(digest) == _SHA256 else "")

    def find(self, ticket: str, name: str, size: int, since: int) -> Sequence[Uploaded]:
        """See :meth:`bridge.trackers.files.Files.find`."""
        mine, listed = self._me(), self._read(ticket, "attachments").get("attachments", ())
        return [
            self._uploaded(raw, instant(raw["created_on"]))
            for raw in sorted(listed, key=lambda raw: int(raw["id"]))
            if raw["filename"] == _kept(name)
            and int(raw["filesize"]) == size
            and instant(raw["created_on"]) >= since // SECOND * SECOND
            and str((raw.get("author") or {}).get("id")) == mine
        ]

    def delete(self, file: str) -> int:
        """See :meth:`bridge.trackers.files.Files.delete`."""
        try:
            answer = self._http.call("DELETE", "/attachments/{id}.json", parts={"id": file})
        except Gone:
            return self._clock.now()
        return answer.at if "Date" in answer.headers else self._clock.now()

    def limit(self) -> int | None:
        """See :meth:`bridge.trackers.files.Files.limit`. Redmine tells its limit to nobody, and refuses with 422."""
        return None

    def _token(self, file: Outgoing) -> str:
        """Upload the bytes (as ``application/octet-stream``: anything else is 406)."""
        answer = self._transfers.http.call(
            "POST",
            "/uploads.json",
            query={"filename": file.name, "content_type": file.media_type},
            content=lambda: FileBody(file.path),
            headers={"Content-Type": "application/octet-stream"},
            repeatable=True,
        )
        upload = answer.object().get("upload")
        token = str(upload.get("token") or "") if isinstance(upload, dict) else ""
        if not token.partition(".")[0].isdecimal():
            raise Refused(
                self._http.tracker, "Redmine took a file but gave no token for it", status=answer.status
            )
        return token

    def _uploaded(self, raw: Json, at: int, digest: str = "") -> Uploaded:
        address = f"{self._url}/attachments/{raw['id']}"
        return Uploaded(str(raw["id"]), str(raw["filename"]), int(raw["filesize"]), address, at, digest)


def _kept(name: str) -> str:
    """The name under which Redmine keeps a file."""
    return _REPLACED.sub("_", re.split(r"[\\/]", name)[-1])
