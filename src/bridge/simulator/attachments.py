"""Attached files: who may attach and delete, what is kept, how their addresses look.

Cloud answers a request for the bytes with 303 to a media host, under an address that is good without a login;
Data Center serves them itself.
"""

from __future__ import annotations

import secrets

from bridge.simulator import render
from bridge.simulator.blobs import Blob, Part
from bridge.simulator.fields import View
from bridge.simulator.history import record
from bridge.simulator.model import Issue, Json
from bridge.simulator.refusal import Refusal
from bridge.simulator.state import Site

MOST_PARTS = 60
MEDIA = "/media/file/"
"""Where the media host keeps its files."""


def add(view: View, issue: Issue, parts: list[Part]) -> list[Json]:
    """Attach files; all of them or none."""
    site = view.site
    files = [part for part in parts if part.name == "file"]
    if not site.may(view.user, "CREATE_ATTACHMENTS", issue.project):
        raise Refusal(403, "You do not have permission to create attachments for this issue.")
    if not files:
        raise Refusal(400, "No file was given under the name 'file'.")
    if len(files) > MOST_PARTS or any(part.blob.size > site.attachment_limit for part in files):
        raise Refusal(413, "The attachment is larger than the site's limit.")
    fresh = []
    for part in files:
        number = str(site.new_id("part"))
        held: Json = {
            "id": number,
            "filename": part.filename or "",
            "author": view.me.id,
            "created": render.stamp(site.now()),
            "size": part.blob.size,
            "mimeType": part.media_type,
        }
        site.blobs[number] = part.blob
        issue.attachments = [*issue.attachments, held]
        record(site, issue, view.me.id, [_item(None, held)])
        fresh.append(render.attachment(view, held))
    return fresh


def find(view: View, number: str) -> tuple[Issue, Json]:
    """Return a file the caller may see, and its issue."""
    for issue in view.site.issues.values():
        for one in issue.attachments:
            if one["id"] == number and view.site.may(view.user, "BROWSE_PROJECTS", issue.project):
                return issue, one
    raise Refusal(404, f"The attachment with id '{number}' does not exist")


def delete(view: View, number: str) -> None:
    """Delete a file."""
    site = view.site
    issue, held = find(view, number)
    own = held["author"] == view.me.id and site.may(view.user, "DELETE_OWN_ATTACHMENTS", issue.project)
    if not own and not site.may(view.user, "DELETE_ALL_ATTACHMENTS", issue.project):
        raise Refusal(403, f"You do not have permission to delete attachment with id: {number}")
    issue.attachments = [one for one in issue.attachments if one["id"] != number]
    site.blobs.pop(number, None)
    record(site, issue, view.me.id, [_item(held, None)])


def content(site: Site, number: str) -> Blob:
    """Return a file's bytes; one that was loaded without any has zeros."""
    known = site.blobs.get(number)
    if known is not None:
        return known
    sizes = (
        one["size"] for issue in site.issues.values() for one in issue.attachments if one["id"] == number
    )
    size = int(next(sizes, 0))
    return Blob(size, bytes(size))


def media_address(site: Site, number: str) -> str:
    """Return where the media host has a file, for whoever holds the address."""
    token = secrets.token_urlsafe(16)
    site.media_tokens[token] = number
    return f"{site.media_url or site.base_url}{MEDIA}{token}"


def _item(before: Json | None, after: Json | None) -> Json:
    return {
        "field": "Attachment",
        "fieldtype": "jira",
        "fieldId": "attachment",
        "from": before and before["id"],
        "fromString": before and before["filename"],
        "to": after and after["id"],
        "toString": after and after["filename"],
    }
