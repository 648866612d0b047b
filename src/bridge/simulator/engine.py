"""One request through the simulator: who asks, which fault hits, which endpoint answers, what the log keeps.

The engine is synchronous and free of sockets. ``begin`` draws the faults, ``finish`` does the work; between
and after them the caller waits as long as the pending request says. The server does so with asyncio; a
simulated world may do it by turning its own clock.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from email.utils import formatdate

from bridge.simulator import (
    control,
    routes_files,
    routes_issue,
    routes_people,
    routes_site,
    routes_structure,
    webhooks,
)
from bridge.simulator.attachments import MEDIA
from bridge.simulator.calllog import CallLog, LoggedCall
from bridge.simulator.exchange import NO_BODY, ROUTES, Answer, Call, Request, Route
from bridge.simulator.faults import Fault, FaultBook, without
from bridge.simulator.fields import View
from bridge.simulator.model import User
from bridge.simulator.refusal import Refusal
from bridge.simulator.state import Site

REST = re.compile(r"(?:/ex/jira/(?P<cloud>[^/]+))?/rest/api/(?P<api>2|3|latest)(?P<rest>/.*)?")
BAD_LOGIN = "Client must be authenticated to access this resource."
JSON_TYPE = "application/json;charset=UTF-8"
HOOKS = re.compile(r"/rest/(webhooks|jira-webhook)/1\.0/.*")
# importing them fills the table of routes
MODULES = (routes_issue, routes_site, routes_structure, routes_files, routes_people, webhooks)


@dataclass(slots=True)
class Pending:
    """A request that has met its faults and waits to be done."""

    request: Request
    user: User | None
    rejected: bool
    faults: list[Fault] = field(default_factory=list)

    def delay(self, when: str) -> float:
        """Return the seconds to wait ``before`` or ``after`` the request is done."""
        return sum(one.delay_ms for one in self.faults if one.kind == "slow" and one.when == when) / 1000

    @property
    def fault(self) -> Fault | None:
        """Return the fault that decides the answer."""
        return next((one for one in self.faults if one.kind != "slow"), None)

    @property
    def told(self) -> str:
        """Return the names of the faults for the log."""
        return ",".join(one.kind for one in self.faults)


class Simulator:
    """A site with its faults and its call log, answering requests."""

    def __init__(self, site: Site, *, seed: int = 0) -> None:
        self.site = site
        self.faults = FaultBook(seed)
        self.calls = CallLog()
        self.hooks = site.hooks = webhooks.Hooks(site)

    def handle(self, request: Request) -> Answer:
        """Answer a request at once, leaving waits out: for use inside the process."""
        return self.finish(self.begin(request))

    def begin(self, request: Request) -> Pending:
        """Find out who asks and which faults hit the request."""
        with self.site.lock:
            if request.path.startswith(control.PREFIX):
                return Pending(request, None, rejected=False)
            user, rejected = self._caller(request)
            names = {user.id, user.name, user.email} if user else set()
            faults = self.faults.draw(request, names)
            if any(one.kind == "expired" for one in faults):
                user, rejected = None, True
            return Pending(request, user, rejected, faults)

    def finish(self, pending: Pending) -> Answer:
        """Do a request, or what its fault says, and log it."""
        request = pending.request
        with self.site.lock:
            if request.path.startswith(control.PREFIX):
                return control.answer(self, request)
            fault = pending.fault
            route, done = None, None
            if fault is not None and fault.strip:
                request.body = without(request.body, fault.strip)
            if fault is None or fault.applies:
                route, done = self._do(pending)
            else:
                route = self._route(request)[0]
            answer = (fault.answer(self.site.now(), done) if fault else None) or done
            assert answer is not None
            self._log(pending, route, answer)
            self._dress(pending, answer)
            return answer

    # -- who asks -----------------------------------------------------------------------------------

    def _caller(self, request: Request) -> tuple[User | None, bool]:
        """Return the caller, and whether a login was given but is not good."""
        site, header = self.site, request.headers.get("authorization", "")
        scheme, _, credentials = header.partition(" ")
        if not header:
            return None, False
        name, token = "", credentials.strip()
        if scheme.lower() == "basic":
            try:
                name, _, token = base64.b64decode(token).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None, True
        owner = site.users.get(site.tokens.get(token, ""))
        if owner is None or token in site.expired or not owner.active:
            return None, True
        login = owner.email if site.cloud else owner.name
        if scheme.lower() == "basic" and name.lower() != login.lower():
            return None, True
        direct = not request.path.startswith("/ex/jira/")
        if site.cloud and direct and (scheme.lower() == "bearer" or token in site.scoped_tokens):
            return None, True  # Cloud takes bearer and scoped tokens at the gateway only
        return owner, False

    # -- what answers -------------------------------------------------------------------------------

    def _route(self, request: Request) -> tuple[Route | None, dict[str, str], str]:
        """Return the route, the path's parts, and the version of the API."""
        site, path = self.site, request.path
        if site.context_path:
            if not path.startswith(site.context_path + "/"):
                return None, {}, ""
            path = path[len(site.context_path) :]
        if not site.cloud and path.startswith("/secure/"):
            found = ROUTES.find(request.method, path, site.flavour)
            return (found[0], found[1], "2") if found else (None, {}, "")
        if HOOKS.fullmatch(path):
            found = ROUTES.find(request.method, path.rstrip("/"), site.flavour)
            return (found[0], found[1], "2") if found else (None, {}, "")
        match = REST.fullmatch(path.rstrip("/") or "/")
        if match is None:
            return None, {}, ""
        api, gateway = match["api"], match["cloud"]
        if gateway is not None and (not site.cloud or gateway != site.cloud_id):
            return None, {}, ""
        if api == "latest":
            api = "3" if site.cloud else "2"
        if api == "3" and not site.cloud:
            return None, {}, ""
        found = ROUTES.find(request.method, match["rest"] or "/", site.flavour)
        return (found[0], found[1], api) if found else (None, {}, api)

    def _do(self, pending: Pending) -> tuple[Route | None, Answer]:
        request, site = pending.request, self.site
        if site.cloud and request.path == "/_edge/tenant_info":
            return None, Answer(200, {"cloudId": site.cloud_id})
        if request.path.startswith(MEDIA):
            return None, routes_files.media(site, request)
        route, parts, api = self._route(request)
        if route is None:
            return None, self._unknown(request, api)
        refused = pending.rejected and site.expired_means == "refuse"
        if pending.user is None and (refused or not route.anonymous):
            return route, Answer(401, Refusal(401, BAD_LOGIN).body())
        try:
            call = Call(View(site, pending.user, api), request, parts)
            return route, route.handler(call)
        except Refusal as refusal:
            return route, Answer(refusal.status, refusal.body())

    def _unknown(self, request: Request, api: str) -> Answer:
        path = request.path.removeprefix(self.site.context_path)
        if api or path.startswith(("/rest/", "/ex/")):
            told = f"{request.method} {request.path}"
            self.site.unsupported.append(told)
            return Answer(501, {"errorMessages": [f"The simulator does not support {told}."], "errors": {}})
        detail = f"No endpoint {request.method} {request.path}."
        body = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": detail}
        return Answer(404, body | {"instance": request.path}, {"content-type": "application/problem+json"})

    # -- what remains -------------------------------------------------------------------------------

    def _log(self, pending: Pending, route: Route | None, answer: Answer) -> None:
        request = pending.request
        self.calls.append(
            LoggedCall(
                seq=self.calls.next_seq(),
                at=self.site.now(),
                method=request.method,
                path=request.path,
                query=request.query,
                endpoint=route.template if route else "",
                kind=route.kind if route else "unknown",
                status=answer.status,
                user=pending.user.name if pending.user else "",
                json=request.parsed(),
                headers={name: told for name, told in request.headers.items() if name != "authorization"},
                fault=pending.told,
            ),
        )

    def _dress(self, pending: Pending, answer: Answer) -> None:
        """Add the headers that every answer carries; names are written as the server writes them."""
        site, headers = self.site, answer.headers
        mark = hashlib.sha256(f"{site.name}:{self.calls.last}".encode()).hexdigest()
        headers["date"] = formatdate(site.now() / 1000, usegmt=True)
        if answer.body is not NO_BODY:
            headers.setdefault("content-type", JSON_TYPE)
        if site.cloud:
            headers |= {"server": "AtlassianEdge", "atl-traceid": mark[:32], "x-arequestid": mark[32:]}
        else:
            headers |= {"x-arequestid": f"480x{self.calls.last}x1", "x-anodeid": "node1"}
            headers["x-ausername"] = pending.user.name if pending.user else "anonymous"
        if pending.rejected:
            headers["x-seraph-loginreason"] = "AUTHENTICATED_FAILED"
        elif pending.user is not None and not site.cloud:
            headers["x-seraph-loginreason"] = "OK"
        if site.cloud and pending.user is not None:
            headers["x-aaccountid"] = pending.user.id
