"""Jira's files: how they are listed, and how their bytes come and go.

Cloud answers a request for bytes with a redirect to a media host; Data Center serves them itself, beside its API.
Jira tells no hash, takes the same name twice and recognises no upload, so that an upload without an answer is looked
for by name, size, account and time.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bridge.clock import SECOND
from bridge.config.settings import TrackerSettings
from bridge.errors import Gone, OutcomeUnknown, Refused
from bridge.sync.ticket import Attachment, Person
from bridge.trackers.files import Outgoing, Sink, Uploaded
from bridge.trackers.http import Http
from bridge.trackers.jira_values import Values, moment
from bridge.trackers.sessions import PlainSession
from bridge.trackers.transfers import Transfers, form, patient_session

SKEW = 300 * SECOND
"""How far the clocks of the tracker and of whoever wrote ``since`` may differ in a scan for our upload."""


def read_attachments(listed: Any, url: str, values: Values) -> tuple[Attachment, ...]:
    """The field ``attachment`` of an issue, in order of creation.

    Raises:
        KeyError, TypeError, ValueError: an entry lacks what every file has.
    """
    found = (
        Attachment(
            id=str(raw["id"]),
            name=str(raw["filename"]),
            size=int(raw["size"]),
            created=moment(raw["created"]),
            author=values.person(raw.get("author")),
            media_type=str(raw.get("mimeType") or ""),
            url=address(url, values, str(raw["id"]), str(raw["filename"])),
        )
        for raw in listed or ()
    )
    return tuple(sorted(found, key=lambda file: (file.created, file.id.zfill(20))))


def address(url: str, values: Values, number: str, name: str) -> str:
    """Where a person can open a file."""
    if values.person_key == "accountId":
        return f"{url}/rest/api/3/attachment/content/{number}"
    return f"{url}/secure/attachment/{number}/{quote(name, safe='')}"


def file_session(settings: TrackerSettings, url: str) -> PlainSession:
    """A session for bytes. The ``jira`` package's own reads every answer whole before it gives it out.

    Args:
        settings: credentials, time-outs.
        url: base address (the site, or the gateway for scoped tokens).
    """
    token = settings.token.get_secret_value()
    if settings.user:
        return patient_session(settings, auth=(settings.user, token), url=url)
    return patient_session(settings, headers={"Authorization": f"Bearer {token}"}, url=url)


class JiraFiles:
    """The files of one Jira site. Implements :class:`bridge.trackers.files.Files`.

    Args:
        url: the address people open.
        http: the policy, for what is JSON.
        transfers: for bytes.
        api: prefix of the API's paths.
        values: the flavour's codec.
        me: tells who we are.
    """

    def __init__(
        self,
        url: str,
        *,
        http: Http,
        transfers: Transfers,
        api: str,
        values: Values,
        me: Callable[[], Person],
    ) -> None:
        self._url = url
        self._http = http
        self._transfers = transfers
        self._api = api
        self._values = values
        self._me = me
        self._limit: int | None = None

    def download(self, file: Attachment, sink: Sink, limit: int) -> None:
        """See :meth:`bridge.trackers.files.Files.download`."""
        if self._values.person_key == "accountId":
            path, parts = f"{self._api}/attachment/content/{{id}}", {"id": file.id}
        else:
            name = file.name if file.name not in {"", ".", ".."} else "file"
            path, parts = "/secure/attachment/{id}/{name}", {"id": file.id, "name": name}
        self._transfers.download(path, parts, sink, limit)

    def upload(self, ticket: str, file: Outgoing) -> Uploaded:
        """See :meth:`bridge.trackers.files.Files.upload`.

        Without the header, Jira takes the request for one that a browser was tricked into (A5: 403).
        """
        boundary = f"bridge-{secrets.token_hex(16)}"
        answer = self._transfers.http.call(
            "POST",
            f"{self._api}/issue/{{id}}/attachments",
            parts={"id": ticket},
            content=lambda: form(file.path, file.name, file.media_type, boundary),
            headers={
                "Content-Type": f"multipart/form-data; boundary={boundary}",
                "X-Atlassian-Token": "no-check",
            },
        )
        listed = answer.data if isinstance(answer.data, list) else ()
        if len(listed) != 1 or not isinstance(listed[0], dict) or "id" not in listed[0]:
            raise OutcomeUnknown(self._http.tracker, f"HTTP {answer.status}, but the answer names no file")
        return self._uploaded(listed[0], answer.at)

    def find(self, ticket: str, name: str, size: int, since: int) -> Sequence[Uploaded]:
        """See :meth:`bridge.trackers.files.Files.find`."""
        mine = self._me().id
        answer = self._http.call(
            "GET", f"{self._api}/issue/{{id}}", parts={"id": ticket}, query={"fields": "attachment"}
        )
        listed = (answer.object().get("fields") or {}).get("attachment") or ()
        found = [
            self._uploaded(raw, moment(raw["created"]))
            for raw in listed
            if raw["filename"] == name
            and int(raw["size"]) == size
            and moment(raw["created"]) >= since - SKEW
            and (author := self._values.person(raw.get("author"))) is not None
            and author.id == mine
        ]
        return sorted(found, key=lambda one: (one.at, one.id.zfill(20)))

    def delete(self, file: str) -> int:
        """See :meth:`bridge.trackers.files.Files.delete`."""
        try:
            return self._http.call("DELETE", f"{self._api}/attachment/{{id}}", parts={"id": file}).at
        except Gone:
            return self._http.now()

    def limit(self) -> int | None:
        """See :meth:`bridge.trackers.files.Files.limit`; asked once."""
        if self._limit is None:
            try:
                told = self._http.call("GET", f"{self._api}/attachment/meta").object()
            except (Refused, Gone):
                return None
            limit = told.get("uploadLimit")
            if told.get("enabled") is False:
                self._limit = 0
            elif isinstance(limit, int):
                self._limit = limit
        return self._limit

    def _uploaded(self, raw: Mapping[str, Any], at: int) -> Uploaded:
        number, name = str(raw["id"]), str(raw.get("filename") or "")
        return Uploaded(
            number, name, int(raw.get("size") or 0), address(self._url, self._values, number, name), at
        )
