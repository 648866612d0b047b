"""Endpoints of attached files, in the API and beside it."""

from __future__ import annotations

from email.message import Message

from bridge.simulator import attachments, render
from bridge.simulator.blobs import parts
from bridge.simulator.exchange import ROUTES, Answer, Call, Request
from bridge.simulator.refusal import Refusal
from bridge.simulator.state import Site


@ROUTES.add("GET", "/attachment/meta", kind="meta", anonymous=True)
def meta(call: Call) -> Answer:
    """Tell whether files may be attached, and how big."""
    site = call.view.site
    return Answer(200, {"enabled": site.attachments_enabled, "uploadLimit": site.attachment_limit})


@ROUTES.add("POST", "/issue/{issue}/attachments", kind="write")
def upload(call: Call) -> Answer:
    """Attach the files of a multipart body. Without the header that keeps browsers out: 403."""
    request, view = call.request, call.view
    if request.headers.get("x-atlassian-token", "").lower() not in {"no-check", "nocheck"}:
        raise Refusal(403, "XSRF check failed")
    issue = view.site.readable(view.user, call.parts["issue"])
    kind = Message()
    kind["content-type"] = request.headers.get("content-type", "")
    boundary = kind.get_param("boundary")
    if kind.get_content_type() != "multipart/form-data" or not boundary:
        raise Refusal(415, "Unsupported Media Type")
    found = parts(request.blob, str(boundary), view.site.folder)
    return Answer(200, attachments.add(view, issue, found))


@ROUTES.add("GET", "/attachment/content/{id}", kind="read", only="cloud", anonymous=True)
def content(call: Call) -> Answer:
    """Send the caller to the media host, or with ``redirect=false`` serve the bytes."""
    site = call.view.site
    _, held = attachments.find(call.view, call.parts["id"])
    if call.text("redirect") == "false":
        kind = {"content-type": held["mimeType"]}
        return Answer(200, attachments.content(site, held["id"]), kind)
    return Answer(303, b"", {"location": attachments.media_address(site, held["id"])})


@ROUTES.add("GET", "/attachment/{id}", kind="read", anonymous=True)
def read(call: Call) -> Answer:
    """Describe a file."""
    _, held = attachments.find(call.view, call.parts["id"])
    body = render.attachment(call.view, held)
    return Answer(200, {**body, "id": int(held["id"])} if call.view.site.cloud else body)


@ROUTES.add("DELETE", "/attachment/{id}", kind="write")
def delete(call: Call) -> Answer:
    """Delete a file."""
    attachments.delete(call.view, call.parts["id"])
    return Answer(204)


# Beside the API: Data Center's own address of a file, at which browsers and programs alike get the bytes.
@ROUTES.add("GET", "/secure/attachment/{id}/{name}", kind="read", only="datacenter", anonymous=True)
def serve(call: Call) -> Answer:
    """Serve a file's bytes; an anonymous caller is sent to the login page."""
    site = call.view.site
    if call.view.user is None and not site.public:
        return Answer(302, b"", {"location": f"{site.base_url}{site.context_path}/login.jsp"})
    _, held = attachments.find(call.view, call.parts["id"])
    return Answer(200, attachments.content(site, held["id"]), {"content-type": held["mimeType"]})


def media(site: Site, request: Request) -> Answer:
    """Answer as the media host does: whoever holds the address gets the bytes; a login has no business here."""
    if "authorization" in request.headers or "cookie" in request.headers:
        site.misdirected_logins += 1
    number = site.media_tokens.get(request.path.removeprefix(attachments.MEDIA))
    if number is None or number not in site.blobs:
        return Answer(404, b"gone", {"content-type": "text/plain"})
    return Answer(200, attachments.content(site, number), {"content-type": "application/octet-stream"})
