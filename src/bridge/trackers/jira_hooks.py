"""Registering webhooks at Jira: an administrator's API that is not part of the published REST description.

Cloud, and Data Center before 10: ``/rest/webhooks/1.0/webhook``. Data Center from 10.0:
``/rest/jira-webhook/1.0/webhooks``, where the secret belongs into ``configuration`` (one at the top is silently
ignored). Before 10, Data Center signs nothing, so nothing is registered there. Cloud's dynamic webhooks
(``/rest/api/3/webhook``) are for OAuth and Connect apps only, expire after 30 days and know no secret: not for us.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.errors import Gone, Refused
from bridge.trackers.hooks import Standing, Wanted
from bridge.trackers.http import Http

EVENTS = (
    "jira:issue_created",
    "jira:issue_updated",
    "jira:issue_deleted",
    "comment_created",
    "comment_updated",
    "comment_deleted",
    "attachment_created",
    "attachment_deleted",
    "issuelink_created",
    "issuelink_deleted",
    "worklog_created",
    "worklog_updated",
    "worklog_deleted",
)
"""What the bridge wants to hear of. Attachment events name no issue; they make the polls come early."""

_OLD = "/rest/webhooks/1.0/webhook"
_NEW = "/rest/jira-webhook/1.0/webhooks"
_SIGNS_FROM = 10


class JiraHooks:
    """The webhooks of one Jira site. Implements :class:`bridge.trackers.hooks.Registrar`.

    Args:
        http: the way to it.
        cloud: Cloud or Data Center.
    """

    def __init__(self, http: Http, *, cloud: bool) -> None:
        self._http = http
        self._cloud = cloud

    def standing(self) -> Sequence[Standing]:
        """See :class:`bridge.trackers.hooks.Registrar`."""
        found = self._http.call("GET", self._place()).array()
        return [_standing(one) for one in found if isinstance(one, dict)]

    def put(self, wanted: Wanted, known: Standing | None) -> None:
        """See :class:`bridge.trackers.hooks.Registrar`.

        Written anew each time, for Jira does not tell which secret it has.
        """
        place = self._place()
        body = self._body(wanted)
        if known is None:
            self._http.call("POST", place, body=body)
        else:
            self._http.call("PUT", f"{place}/{{id}}", parts={"id": known.id}, body=body)

    def remove(self, known: Standing) -> None:
        """See :class:`bridge.trackers.hooks.Registrar`."""
        try:
            self._http.call("DELETE", f"{self._place()}/{{id}}", parts={"id": known.id})
        except Gone:
            return

    def _place(self) -> str:
        if self._cloud:
            return _OLD
        info = self._http.call("GET", "/rest/api/2/serverInfo").object()
        numbers = info.get("versionNumbers")
        major = numbers[0] if isinstance(numbers, list) and numbers and isinstance(numbers[0], int) else 0
        if major < _SIGNS_FROM:
            words = (
                f"this Jira ({info.get('version', 'version unknown')}) cannot sign its webhooks: Data Center can from "
                "10.0 on; the polls do the work until then"
            )
            raise Refused(self._http.tracker, words, status=400)
        return _NEW

    def _body(self, wanted: Wanted) -> dict[str, Any]:
        body: dict[str, Any] = {
            "name": wanted.name,
            "url": wanted.url,
            "events": list(EVENTS),
            "filters": {"issue-related-events-section": f"project in ({', '.join(wanted.projects)})"},
            "excludeBody": False,
        }
        if self._cloud:
            return {**body, "secret": wanted.secret}
        return {**body, "active": True, "configuration": {"SECRET": wanted.secret, "EXCLUDE_BODY": "false"}}


def _standing(raw: dict[str, Any]) -> Standing:
    """One webhook of the list; Cloud and old versions tell its id at the end of ``self`` only."""
    number = raw.get("id") or str(raw.get("self", "")).rstrip("/").rpartition("/")[2]
    active = raw.get("active", raw.get("enabled", True))
    return Standing(str(number), str(raw.get("name", "")), str(raw.get("url", "")), bool(active))
