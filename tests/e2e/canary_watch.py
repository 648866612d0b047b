"""The daemon with its most talkative log, in good times and bad, its web server, and everything that commands print."""

from __future__ import annotations

import hashlib
import hmac
import json

import requests
from canary_day import INTERNAL, Day
from test_webhooks import ACME_HOOK, HOME_HOOK, port, register
from world import World, eventually


def watch(day: Day, world: World, keys: dict[str, str]) -> tuple[str, str]:
    """Run the daemon while things happen, then type every command; returns its log and what its web server told."""
    world.restart()
    with world.daemon(BRIDGE_LOG_LEVEL="debug"):
        where = port(world)
        register(world, where)
        told = [call_in(day, world, where, keys)]
        _trouble(world)
        ivan, cy = day.at_home(world, "ivan"), day.at_acme(world, "cy")
        ivan.comment(keys["lamp"], day.ours.new("home: a note in bad times"), **INTERNAL)
        ivan.comment(keys["lamp"], "a word in bad times")
        cy.comment(keys["bulb"], day.theirs.new("acme: a note in bad times"), **INTERNAL)
        cy.comment(keys["bulb"], "a word in bad times")
        eventually(lambda: not (world.home.faults.rules or world.acme.faults.rules), seconds=90)
        told += [requests.get(f"http://127.0.0.1:{where}{path}", timeout=30).text for path in PAGES]
    ask(day, world, keys)
    return (day.folder / "daemon.log").read_text(), "\n".join(told)


PAGES = ("/metrics", "/health/live", "/health/ready")


def call_in(day: Day, world: World, where: int, keys: dict[str, str]) -> str:
    """Webhooks, proven and not, with private text wherever a caller can put some; returns the answers."""
    answers, base = [], f"http://127.0.0.1:{where}/hooks"

    def post(place: str, body: bytes, key: str = "", **headers: str) -> None:
        if key:
            headers["x-hub-signature"] = "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        answer = requests.post(f"{base}/{place}", data=body, headers=headers, timeout=30)
        answers.append(f"{answer.status_code} {answer.headers} {answer.text}")

    for server, name, key, ticket, canaries in (
        (world.home, "home", HOME_HOOK, keys["lamp"], day.ours),
        (world.acme, "acme", ACME_HOOK, keys["bulb"], day.theirs),
    ):

        def body(place: str, name=name, server=server, ticket=ticket, canaries=canaries) -> bytes:
            word = canaries.new(f"{name}: {place}")
            issue = {"id": str(server.site.issue(ticket).id), "key": ticket, "fields": {"summary": word}}
            said = {"webhookEvent": "comment_created", "issue": issue, "comment": {"id": "1", "body": word}}
            return json.dumps({**said, "user": {"name": word}, "timestamp": server.site.now()}).encode()

        post(name, body("body of a forged webhook"), "a secret that is none")
        post(name, body("body of a proven webhook"), key)
        post(name, canaries.new(f"{name}: proven nonsense").encode(), key)
    post(day.ours.new("home: address"), b"{}")
    post(f"home?{day.ours.new('home: query')}=1", b"{}")
    word = day.ours.new("home: header")
    post("home", b"{}", HOME_HOOK, **{"x-atlassian-webhook-identifier": word, "user-agent": word})
    assert {answer[:3] for answer in answers} == {"204", "401"}
    return "\n".join(answers)


def _trouble(world: World) -> None:
    """Both trackers fall into trouble, and quote what they were asked."""
    for server in (world.home, world.acme):
        echo = {"kind": "echo", "status": 400, "method": "POST", "path_regex": "/comment"}
        broken = {"kind": "truncated", "path_regex": r"/issue/([0-9]+|bulkfetch)(\?|$)"}
        failing = {"kind": "echo", "status": 500, "path_regex": broken["path_regex"]}
        for fault in (echo, failing if server is world.home else broken):
            server.faults.add_json({**fault, "user": "bridge"})


def ask(day: Day, world: World, keys: dict[str, str]) -> None:
    """Every command that prints, plain and as JSON, while all is well and while a tracker fails."""
    day.typed(world, "check", "--offline")
    for more in ([], ["--json"]):
        for command in (["status"], ["plan"], ["check"]):
            day.typed(world, *command, *more)
        for one in world.links():
            day.typed(world, "explain", one.internal_key or one.vendor_key, *more)
    for server, kind in ((world.home, "echo"), (world.acme, "truncated")):
        server.faults.add_json({"kind": kind, "status": 500, "user": "bridge", "times": None})
        for command in (
            ["plan", keys["lamp"], "--json"],
            ["check", "--json"],
            ["link", keys["home"], keys["bulb"]],
            ["import", str(world.folder / "pairs.csv"), "--dry-run"],
            ["sync", "--once"],
        ):
            day.typed(world, *command)
        server.faults.clear()
    for name in ("linked", "lamp", "home"):
        day.typed(world, "unlink", keys[name])
