"""Webhooks as Jira sends them: registered by an administrator, signed, and delivered from threads of their own.

Cloud repeats a delivery up to five times when it is not answered well, with the same identifier; Data Center sends once
and gives no identifier. For tests, deliveries can be held back and taken away to be sent in any order (``hold``), lost,
doubled or delayed by seeded dice.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests

from bridge.simulator import render
from bridge.simulator.exchange import ROUTES, Answer, Call
from bridge.simulator.fields import View
from bridge.simulator.jql import parse
from bridge.simulator.jql_eval import compile_query
from bridge.simulator.model import Issue, Json
from bridge.simulator.refusal import BAD_PAYLOAD, Refusal
from bridge.simulator.state import Site

OLD, NEW = "/rest/webhooks/1.0/webhook", "/rest/jira-webhook/1.0/webhooks"
AGAIN = frozenset({408, 409, 425, 429})
MOST_TRIES = 6
SECTION = "issue-related-events-section"


@dataclass(slots=True)
class Webhook:
    """A registered webhook."""

    id: int
    name: str
    url: str
    events: list[str]
    jql: str = ""
    secret: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook on its way."""

    event: str
    issue: int
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Hooks:
    """The webhooks of one site.

    Attributes:
        hold: keep deliveries in ``held`` instead of sending them.
        lost, doubled: chances, drawn from ``dice``.
        delay_ms: wait before sending.
        retry_ms: wait before Cloud's first repetition; doubles.
        sent: how many requests were answered, by status; 0 for no answer.
    """

    site: Site
    hold: bool = False
    lost: float = 0.0
    doubled: float = 0.0
    delay_ms: int = 0
    retry_ms: int = 1_000
    dice: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - test dice
    registered: dict[int, Webhook] = field(default_factory=dict)
    held: list[Delivery] = field(default_factory=list)
    sent: dict[int, int] = field(default_factory=dict)
    listeners: list[Callable[[str, Issue], None]] = field(default_factory=list)
    _pool: ThreadPoolExecutor | None = None
    _over: threading.Event = field(default_factory=threading.Event)

    def happened(self, event: str, issue: Issue, by: str, more: Json | None = None) -> None:
        """Tell everybody who asked to be told; called under the site's lock, sends nothing itself."""
        for listener in self.listeners:
            listener(event, issue)
        for hook in self.registered.values():
            if hook.active and event in hook.events and self._matches(hook, issue):
                self._queue(self._delivery(hook, event, issue, by, more or {}))

    def close(self) -> None:
        """Send nothing more."""
        self._over.set()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _matches(self, hook: Webhook, issue: Issue) -> bool:
        if not hook.jql:
            return True
        return compile_query(View(self.site, self._admin(), "2"), parse(hook.jql)).test(issue)

    def _admin(self) -> Any:
        return next((one for one in self.site.users.values() if one.admin), None)

    def _delivery(self, hook: Webhook, event: str, issue: Issue, by: str, more: Json) -> Delivery:
        view = View(self.site, self._admin(), "2")
        body = {
            "timestamp": self.site.now(),
            "webhookEvent": event,
            "user": render.user_by_id(view, by),
            "issue": render.issue(view, issue, ["*all"]),
            **more,
        }
        raw = json.dumps(body, ensure_ascii=False).encode()
        headers = {
            "content-type": "application/json; charset=UTF-8",
            "user-agent": "Atlassian Webhook HTTP Client",
        }
        if hook.secret:
            headers["x-hub-signature"] = (
                "sha256=" + hmac.new(hook.secret.encode(), raw, hashlib.sha256).hexdigest()
            )
        if self.site.cloud:
            headers["x-atlassian-webhook-identifier"] = str(
                uuid.UUID(int=self.dice.getrandbits(128), version=4)
            )
            headers["x-atlassian-webhook-flow"] = "Primary"
        return Delivery(event, issue.id, hook.url, headers, raw)

    def _queue(self, delivery: Delivery) -> None:
        if self.hold:
            self.held.append(delivery)
            return
        if self._over.is_set() or self.dice.random() < self.lost:
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(8, thread_name_prefix="webhook")
        for _ in range(2 if self.dice.random() < self.doubled else 1):
            self._pool.submit(self.send, delivery)

    def send(self, delivery: Delivery) -> int:
        """Send a delivery, with Cloud's repetitions; returns the last status, 0 for no answer."""
        if self.delay_ms:
            time.sleep(self.delay_ms / 1000)
        tries = MOST_TRIES if self.site.cloud else 1
        status = 0
        for number in range(tries):
            headers = {**delivery.headers, **({"x-atlassian-webhook-retry": str(number)} if number else {})}
            try:
                answer = requests.post(delivery.url, data=delivery.body, headers=headers, timeout=(5, 20))
                status = answer.status_code
            except requests.RequestException:
                status = 0
            with self.site.lock:
                self.sent[status] = self.sent.get(status, 0) + 1
            again = status == 0 or status in AGAIN or status >= 500  # noqa: PLR2004 - HTTP
            if not again or self._over.wait(self.retry_ms * 2**number / 1000):
                break
        return status


# --- registering -----------------------------------------------------------------------------------


def _check(call: Call) -> Hooks:
    user = call.view.user
    if user is None or not user.admin:
        raise Refusal(403, "You must have Administrator rights to manage webhooks.")
    assert call.view.site.hooks is not None
    return call.view.site.hooks


def _one(call: Call) -> Webhook:
    hooks = _check(call)
    found = hooks.registered.get(int(call.parts["id"])) if call.parts["id"].isdigit() else None
    if found is None:
        raise Refusal(404, "No webhook with that id.")
    return found


def _shown(call: Call, one: Webhook) -> Json:
    """As listed: the secret is never told, and the old form has no id but in ``self``."""
    place = OLD if call.view.site.cloud else NEW
    root = f"{call.view.site.base_url}{call.view.site.context_path}"
    body: Json = {
        "name": one.name,
        "url": one.url,
        "events": one.events,
        "self": f"{root}{place}/{one.id}",
    }
    if call.view.site.cloud:
        return {**body, "enabled": one.active, "filters": {SECTION: one.jql}, "isSigned": bool(one.secret)}
    return {**body, "id": one.id, "active": one.active, "configuration": {"EXCLUDE_BODY": "false"}}


def _fill(call: Call, one: Webhook) -> Webhook:
    body = call.object()
    if not isinstance(body.get("url"), str) or not isinstance(body.get("events"), list):
        raise Refusal(400, BAD_PAYLOAD, bare=True)
    jql = str((body.get("filters") or {}).get(SECTION, ""))
    if jql:
        compile_query(call.view, parse(jql))
    secret = body.get("secret") if call.view.site.cloud else (body.get("configuration") or {}).get("SECRET")
    one.name, one.url, one.events = str(body.get("name", "")), body["url"], list(body["events"])
    one.jql, one.secret = jql, str(secret or "")
    return one


def _list(call: Call) -> Answer:
    return Answer(200, [_shown(call, one) for one in _check(call).registered.values()])


def _add(call: Call) -> Answer:
    hooks = _check(call)
    one = _fill(call, Webhook(call.view.site.new_id("thing"), "", "", []))
    hooks.registered[one.id] = one
    return Answer(201, _shown(call, one))


def _change(call: Call) -> Answer:
    return Answer(200, _shown(call, _fill(call, _one(call))))


def _remove(call: Call) -> Answer:
    del _check(call).registered[_one(call).id]
    return Answer(204)


for _flavour, _place in (("cloud", OLD), ("datacenter", NEW)):
    ROUTES.add("GET", _place, kind="meta", only=_flavour)(_list)
    ROUTES.add("POST", _place, kind="meta", only=_flavour)(_add)
    ROUTES.add("PUT", f"{_place}/{{id}}", kind="meta", only=_flavour)(_change)
    ROUTES.add("DELETE", f"{_place}/{{id}}", kind="meta", only=_flavour)(_remove)
