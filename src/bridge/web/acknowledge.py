"""The page behind the link in an alert: it says what is acknowledged, and a button does it.

Looking changes nothing, for programs that scan mail open every link in it. The token in the address is the proof, and
the page says no more than the mail did: a key, a clock. Whoever has no sound token learns nothing.
"""

from __future__ import annotations

from html import escape
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bridge.daemon.acknowledging import Invitation, acknowledge, invitation_of, secret_of
from bridge.daemon.house import House
from bridge.errors import StoreError
from bridge.store.rows import Link
from bridge.sync.agreement import Agreement
from bridge.sync.roles import Role

LONGEST: Final = 1_000
"""Characters of a token at most."""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


class Acknowledging:
    """The page.

    Args:
        house: the running parts.
    """

    def __init__(self, house: House) -> None:
        self._house = house

    async def show(self, request: Request) -> Response:
        """GET: what would be acknowledged, and the button."""
        return await self._answer(request, pressed=False)

    async def press(self, request: Request) -> Response:
        """POST: acknowledge."""
        return await self._answer(request, pressed=True)

    async def _answer(self, request: Request, *, pressed: bool) -> Response:
        token = request.path_params["token"]
        try:
            return await run_in_threadpool(self._page, token, pressed)
        except StoreError:
            return _page("Not now", "The bridge cannot read its database now. Try again in a minute.", 503)

    def _page(self, token: str, pressed: bool) -> Response:
        invitation = invitation_of(secret_of(self._house.store), token) if len(token) <= LONGEST else None
        agreement, role, link = self._invited(invitation)
        if invitation is None or agreement is None or role is None or link is None:
            return _page(
                "Nothing here", "This link is not valid any more, or was not copied as a whole.", 404
            )
        key = link.key(role.side) or link.key(role.side.other)
        what = f"the clock '{invitation.clock}' of {key}"
        if not pressed:
            said = f"You are about to acknowledge {what} for {role.name}. Then it is not told again."
            return _page(f"Acknowledge {key}", said, 200, button="Acknowledge")
        with self._house.store.write() as tx:
            new = acknowledge(
                tx,
                link,
                [(invitation.clock, invitation.cycle)],
                who=role.name,
                side=role.side,
                how="mail",
                now=self._house.clock.now(),
            )
        said = f"Thank you: {what} is acknowledged." if new else f"Somebody has acknowledged {what} before."
        return _page("Acknowledged", said, 200)

    def _invited(self, invitation: Invitation | None) -> tuple[Agreement | None, Role | None, Link | None]:
        if invitation is None:
            return None, None, None
        with self._house.store.read() as tx:
            link = tx.links.get(invitation.link)
        agreement = None if link is None else self._house.terms.agreement(link.agreement)
        return agreement, None if agreement is None else agreement.role(invitation.role), link


def _page(title: str, said: str, status: int, *, button: str = "") -> Response:
    form = f'<form method="post"><button type="submit">{escape(button)}</button></form>' if button else ""
    return HTMLResponse(
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>body{{font-family:sans-serif;max-width:34em;margin:3em auto;"
        "padding:0 1em;line-height:1.5}button{font-size:1.1em;padding:.5em 1.2em}</style></head>\n"
        f"<body><h1>{escape(title)}</h1><p>{escape(said)}</p>{form}</body></html>\n",
        status,
        headers=dict(_HEADERS),
    )
