"""The control interface under ``/_sim/``: no part of Jira; for the demo, and for tests in another process.

GET    /_sim/health       flavour, number of issues, server time
GET    /_sim/calls        ?since=N: the call log after call N
GET    /_sim/issues       everything about every issue
GET    /_sim/unsupported  the calls that were answered with 501
GET    /_sim/faults       the rules, and how often they fired
POST   /_sim/faults       a rule (the attributes of Fault as JSON) or a list of rules: put in force
DELETE /_sim/faults       lift all rules
POST   /_sim/lag          {"ms": N, "issue": KEY or absent}: set the search lag
POST   /_sim/settle       bring the search index up to date now
POST   /_sim/login        {"expired": true, "user": "bridge" or absent}: expire or restore tokens
POST   /_sim/permission   {"user", "permission", "granted", "project" or absent}: take or give back
POST   /_sim/person       {"user", "active"}: deactivate an account, or give it back
POST   /_sim/move         {"issue", "project", "by"}: move an issue to another project
"""

from __future__ import annotations

from typing import Protocol
from urllib.parse import parse_qs

from bridge.simulator import issues, render
from bridge.simulator.calllog import CallLog
from bridge.simulator.exchange import Answer, Request
from bridge.simulator.faults import FaultBook
from bridge.simulator.model import Json
from bridge.simulator.state import Site

PREFIX = "/_sim/"


class Controlled(Protocol):
    """What can be controlled: a simulator's parts."""

    site: Site
    faults: FaultBook
    calls: CallLog


def answer(simulator: Controlled, request: Request) -> Answer:
    """Answer a control call; mistakes are 400 with the reason."""
    try:
        body = _route(simulator, request)
    except (KeyError, ValueError, TypeError) as error:
        return _answer(400, {"error": f"{type(error).__name__}: {error}"})
    if body is None:
        return _answer(404, {"error": f"no control call {request.method} {request.path}"})
    return _answer(200, body)


def _answer(status: int, body: Json) -> Answer:
    return Answer(status, body, {"content-type": "application/json"})


def _route(simulator: Controlled, request: Request) -> Json | None:
    name = request.path.removeprefix(PREFIX).strip("/")
    if request.method == "GET":
        return _read(simulator, name, request)
    site, faults = simulator.site, simulator.faults
    if (request.method, name) == ("DELETE", "faults"):
        faults.clear()
        return {"faults": faults.report()}
    if request.method != "POST":
        return None
    body = request.parsed() or {}
    if name == "faults":
        rules = body if isinstance(body, list) else [body]
        added = {faults.add_json(one).id for one in rules}
        return {"faults": [one for one in faults.report() if one["id"] in added]}
    if name == "lag":
        site.set_lag(int(body["ms"]), body.get("issue"))
    elif name == "settle":
        site.settle()
    elif name == "login":
        site.expire_logins(body.get("user"), expired=bool(body["expired"]))
    elif name == "permission":
        change = site.restore if body["granted"] else site.revoke
        change(body["user"], body["permission"], body.get("project", "*"))
    elif name == "person":
        site.deactivate(body["user"], active=bool(body["active"]))
    elif name == "move":
        return {"key": issues.move(site, body["issue"], body["project"], body["by"]).key}
    else:
        return None
    return {"done": name}


def _read(simulator: Controlled, name: str, request: Request) -> Json | None:
    site = simulator.site
    if name == "health":
        return {
            "flavour": site.flavour,
            "name": site.name,
            "issues": len(site.issues),
            "time": site.now(),
            "calls": simulator.calls.last,
        }
    if name == "calls":
        since = int(parse_qs(request.query).get("since", ["0"])[0])
        return {"last": simulator.calls.last, "calls": simulator.calls.rows(since)}
    if name == "issues":
        return {"issues": render.dump(site)}
    if name == "faults":
        return {"faults": simulator.faults.report()}
    if name == "unsupported":
        return {"unsupported": site.unsupported}
    return None
