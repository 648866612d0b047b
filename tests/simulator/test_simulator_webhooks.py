"""Webhooks as Jira sends them: registered, signed, repeated."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests
from simulator_people import Person

SECRET = "It's a Secret to Everybody"


@pytest.fixture
def ear():
    """A server that notes what it is sent and answers as told; 204 when nothing is."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(answers.pop(0) if answers else 204)
            self.end_headers()
            came.release()

        def log_message(self, *_):
            pass

    heard, answers, came = [], [], threading.Semaphore(0)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()

    def wait(count):
        for _ in range(count):
            assert came.acquire(timeout=30)
        return heard

    yield f"http://127.0.0.1:{server.server_port}/in", answers, wait
    server.shutdown()
    thread.join()
    server.server_close()


def place(server):
    return server.url + (
        "/rest/webhooks/1.0/webhook" if server.site.cloud else "/rest/jira-webhook/1.0/webhooks"
    )


def login(server, name):
    if server.site.cloud:
        return {"auth": (f"{name}@acme.example", f"{name}-token")}
    return {"headers": {"Authorization": f"Bearer {name}-token"}}


def register(server, url, *events, jql=""):
    body = {"name": "ours", "url": url, "events": list(events), "excludeBody": False}
    body |= {"secret": SECRET} if server.site.cloud else {"configuration": {"SECRET": SECRET}}
    if jql:
        body["filters"] = {"issue-related-events-section": jql}
    answer = requests.post(place(server), json=body, timeout=30, **login(server, "admin"))
    assert answer.status_code == 201, answer.text
    return answer.json()


def person(server):
    return Person(server, "ann" if not server.site.cloud else "bo")


def made(server, summary="New"):
    project = "OPS" if not server.site.cloud else "CUST"
    fields = {"project": {"key": project}, "summary": summary, "issuetype": {"name": "Task"}}
    return person(server).call("POST", "/issue", {"fields": fields})


def test_only_an_administrator_registers_and_nobody_is_told_the_secret(either):
    assert requests.get(place(either), timeout=30, **login(either, "bridge")).status_code == 403
    assert requests.get(place(either), timeout=30).status_code == 401
    shown = register(either, "http://127.0.0.1:9/x", "jira:issue_created")
    (listed,) = requests.get(place(either), timeout=30, **login(either, "admin")).json()
    assert listed == shown
    assert SECRET not in json.dumps(listed)
    where = f"{place(either)}/{listed['self'].rpartition('/')[2]}"
    changed = {"name": "other", "url": "http://127.0.0.1:9/y", "events": []}
    assert requests.put(where, json=changed, timeout=30, **login(either, "admin")).json()["name"] == "other"
    assert requests.delete(where, timeout=30, **login(either, "admin")).status_code == 204
    assert requests.delete(where, timeout=30, **login(either, "admin")).status_code == 404


def test_what_a_person_does_is_told_signed_over_the_raw_body(either, ear):
    url, _, wait = ear
    register(either, url, "jira:issue_created", "comment_created")
    issue = made(either)
    person(either).call("PUT", f"/issue/{issue['key']}", {"fields": {"summary": "Not asked for"}})
    words = "Hello"
    if either.site.cloud:
        inside = [{"type": "paragraph", "content": [{"type": "text", "text": words}]}]
        words = {"type": "doc", "version": 1, "content": inside}
    person(either).call("POST", f"/issue/{issue['key']}/comment", {"body": words})
    heard = wait(2)
    bodies = {(body := json.loads(raw))["webhookEvent"]: body for _, raw in heard}
    assert set(bodies) == {"jira:issue_created", "comment_created"}
    assert {one["issue"]["id"] for one in bodies.values()} == {issue["id"]}
    for headers, raw in heard:
        proof = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        assert headers["x-hub-signature"] == f"sha256={proof}"
        assert ("x-atlassian-webhook-identifier" in headers) == either.site.cloud


def test_a_filter_leaves_out_what_does_not_match(either, ear):
    url, _, wait = ear
    project = "CUST" if either.site.cloud else "OPS"
    register(either, url, "jira:issue_created", jql=f'project = {project} and summary ~ "wanted"')
    made(either, "other")
    made(either, "wanted")
    ((_, raw),) = wait(1)
    assert json.loads(raw)["issue"]["fields"]["summary"] == "wanted"


def test_cloud_repeats_what_is_not_answered_well_with_the_same_identifier(acme, ear):
    url, answers, wait = ear
    acme.hooks.retry_ms = 10
    answers += [503, 429, 204]
    register(acme, url, "jira:issue_created")
    made(acme)
    heard = wait(3)
    assert len({headers["x-atlassian-webhook-identifier"] for headers, _ in heard}) == 1
    assert [headers.get("x-atlassian-webhook-retry") for headers, _ in heard] == [None, "1", "2"]


def test_data_center_sends_once_whatever_the_answer(home, ear):
    url, answers, wait = ear
    home.hooks.retry_ms = 10
    answers += [503]
    register(home, url, "jira:issue_created")
    made(home, "one")
    wait(1)
    made(home, "two")
    assert [json.loads(raw)["issue"]["fields"]["summary"] for _, raw in wait(1)] == ["one", "two"]


def test_deliveries_can_be_held_back_lost_and_doubled(home, ear):
    url, _, wait = ear
    register(home, url, "jira:issue_created", "jira:issue_deleted")
    home.hooks.hold = True
    made(home, "held")
    (held,) = home.hooks.held
    assert home.hooks.send(held) == 204
    wait(1)
    home.hooks.hold, home.hooks.lost = False, 1.0
    made(home, "lost")
    home.hooks.lost, home.hooks.doubled = 0.0, 1.0
    made(home, "doubled")
    told = [json.loads(raw)["issue"]["fields"]["summary"] for _, raw in wait(2)]
    assert told == ["held", "doubled", "doubled"]
