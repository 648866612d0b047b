"""Webhooks over real HTTP: what is taken, what is refused, and that whoever proves nothing learns nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests

from bridge.daemon import hints
from bridge.store.rows import LinkState
from bridge.web import gate, intake, server

SECRET = "the present secret of home"
OLD_SECRET = "the secret that home had before"


def event(ticket, **more):
    return {"webhookEvent": "jira:issue_updated", "issue": {"id": ticket, "key": "OPS-1"}, **more}


def test_a_proven_webhook_wakes_the_link_at_once_and_makes_its_ticket_be_read_anew(door):
    link = door.link("10401")
    assert door.due() == []
    assert door.post(event("10401")).status_code == 204
    assert door.due() == [link] == door.desk.woken
    assert door.desk.nudged == []
    assert door.metric("bridge_webhooks_total", tracker="home", outcome="accepted") == 1


def test_a_told_delete_is_noted_and_the_link_looked_at_and_no_more(door):
    link = door.link("10401")
    assert door.post(event("10401") | {"webhookEvent": "jira:issue_deleted"}).status_code == 204
    assert door.due() == [link]
    with door.house.store.read() as tx:
        assert tx.cursors.get_note(f"gone/{link}/internal").keys() == {"told"}
        assert tx.links.get(link).state is LinkState.NEW


def test_a_ticket_that_no_link_knows_makes_the_polls_come_early(door):
    door.link("10401")
    assert door.post(event("999")).status_code == 204
    assert door.desk.nudged == [("home", ("999",))]
    assert door.due() == []


def test_a_link_that_ended_is_not_woken(door):
    link = door.link("10401")
    with door.house.store.write() as tx:
        tx.links.set_state(link, LinkState.CLOSED)
    assert door.post(event("10401")).status_code == 204
    assert (door.due(), door.desk.woken, door.desk.nudged) == ([], [], [])


@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"[" * 300_000, b'{"issue": {"id": "../../etc"}}', b"null"]
)
def test_a_proven_body_that_names_nothing_is_still_a_hint(door, body):
    assert door.post(body).status_code == 204
    assert door.desk.nudged == [("home", ())]


def test_either_secret_proves_during_a_rotation(door):
    door.link("10401")
    assert door.post(event("10401")).status_code == 204
    assert door.post(event("10401", n=2), secret=OLD_SECRET).status_code == 204
    assert door.post(event("10401", n=3), secret="a secret of nobody's here").status_code == 401


def answers_of_strangers(door):
    """What callers get who can prove nothing, each for another reason."""
    body = json.dumps(event("10401")).encode()
    right = hmac.new(SECRET.encode(), body, "sha256").hexdigest()
    flipped = ("0" if right[0] != "0" else "1") + right[1:]
    sha1 = hmac.new(SECRET.encode(), body, "sha1").hexdigest()
    yield "signature", door.post(body, x_hub_signature=f"sha256={flipped}")
    yield "signature", door.post(body + b" ", x_hub_signature=f"sha256={right}")
    yield "signature", door.post(body, secret="another secret altogether")
    yield "signature", door.post(body, path="home", x_hub_signature=f"sha256={right[:-2]}")
    yield "algorithm", door.post(body, x_hub_signature=f"sha1={sha1}")
    yield "algorithm", door.post(body, x_hub_signature=f"none={right}")
    yield "unsigned", door.post(body, x_hub_signature="")
    yield "address", door.post(body, path="nobody")
    yield "address", door.post(body, path="home/deeper")
    yield "address", door.post(body, path="")


def test_whoever_proves_nothing_gets_one_and_the_same_answer_is_counted_and_wakes_nothing(door):
    door.link("10401")
    shown, reasons = set(), []
    for reason, answer in answers_of_strangers(door):
        reasons.append(reason)
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "date"}
        shown.add((answer.status_code, answer.text, tuple(sorted(headers.items()))))
    assert len(shown) == 1
    assert next(iter(shown))[0] == 401
    assert (door.due(), door.desk.woken, door.desk.nudged) == ([], [], [])
    for reason in set(reasons):
        name = "" if reason == "address" else "home"
        counted = door.metric("bridge_webhooks_refused_total", tracker=name, reason=reason)
        assert counted == reasons.count(reason), reason


def test_a_repeated_delivery_is_answered_and_does_nothing(door):
    link = door.link("10401")
    for _ in range(3):
        assert door.post(event("10401"), x_atlassian_webhook_identifier="one").status_code == 204
    with door.house.store.read() as tx:
        assert tx.links.get(link).gen == 2, "woken once after it was made"
    assert door.metric("bridge_webhooks_total", tracker="home", outcome="repeated") == 2
    assert door.post(event("10401"), x_atlassian_webhook_identifier="two").status_code == 204
    with door.house.store.read() as tx:
        assert tx.links.get(link).gen == 3


def test_ids_of_deliveries_are_forgotten_after_a_day(door):
    now = door.house.clock.now()
    with door.house.store.write() as tx:
        tx.deliveries.note("home", "old", now - hints.KEPT - 1)
        tx.deliveries.note("home", "young", now - hints.KEPT // 2)
    door.desk.made().forget_old()
    with door.house.store.write() as tx:
        assert tx.deliveries.note("home", "old", now)
        assert not tx.deliveries.note("home", "young", now)


def test_a_burst_for_one_ticket_is_worked_on_at_once_and_once_more(door):
    link = door.link("10401")
    for number in range(50):
        assert door.post(event("10401", n=number)).status_code == 204
    assert door.desk.woken.count(link) <= 10, "at once for the first, the rest gathered"
    assert door.desk.woken[0] == link
    assert door.desk.later, "and the rest is not left to chance"


def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(door):
    with door.raw() as sock:
        sock.sendall(b"POST /hooks/home HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 413")
    assert door.metric("bridge_webhooks_refused_total", tracker="home", reason="large") == 1


def test_a_body_that_grows_too_large_is_refused_when_it_does(door):
    def endless():
        for _ in range(200):
            yield b"x" * 65_536

    with suppress(requests.ConnectionError):  # hung up on in the middle of sending is as good
        assert requests.post(f"{door.url}/hooks/home", data=endless(), timeout=30).status_code == 413
    assert door.metric("bridge_webhooks_refused_total", tracker="home", reason="large") == 1


def test_the_largest_body_is_taken(door):
    door.link("10401")
    filler = "x" * (intake.LARGEST - 200)
    assert door.post(event("10401", filler=filler)).status_code == 204


def test_a_body_that_drips_is_cut_off(door, monkeypatch):
    monkeypatch.setattr(intake, "SLOWEST", 0.5)
    with door.raw() as sock:
        sock.sendall(b"POST /hooks/home HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        assert sock.recv(100).startswith(b"HTTP/1.1 408")
        sock.recv(1000)
        assert sock.recv(100) == b"", "and hung up on"
    assert door.metric("bridge_webhooks_refused_total", tracker="home", reason="slow") == 1


@pytest.mark.parametrize(
    "sent", [b"", b"POST /hooks/home HT", b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET"]
)
def test_a_caller_who_never_comes_to_the_point_is_hung_up_on(door, monkeypatch, sent):
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.5)
    with door.raw() as sock:
        sock.sendall(sent)
        while sock.recv(1000):
            pass  # the socket's own time-out would fail the test


def test_one_address_is_slowed_down_and_told_when_to_come_back(door, monkeypatch):
    monkeypatch.setattr(gate, "RATE", 0.001)
    monkeypatch.setattr(gate, "BURST", 5)
    answers = [door.post(event("1", n=number)) for number in range(8)]
    assert [one.status_code for one in answers] == [204] * 5 + [429] * 3
    assert answers[-1].headers["Retry-After"] == "1"
    other = door.post(event("1", n=99), x_forwarded_for="198.51.100.7")
    assert other.status_code == 204, "a proxy on this machine is believed: another caller is another address"


def test_beyond_the_calls_that_can_be_under_way_callers_are_told_to_come_back(door, monkeypatch):
    monkeypatch.setattr(gate, "UNDER_WAY", 2)
    with door.raw() as one, door.raw() as two:
        for sock in (one, two):
            sock.sendall(b"POST /hooks/home HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        deadline = time.monotonic() + 30
        while (answer := door.post(event("1"))).status_code != 503:
            assert time.monotonic() < deadline
        assert answer.headers["Retry-After"] == "2"
    deadline = time.monotonic() + 30
    while door.post(event("1", n=2)).status_code != 204:
        assert time.monotonic() < deadline, "the places were given back"


def test_bodies_in_memory_have_a_bound(door, monkeypatch):
    monkeypatch.setattr(gate, "BUFFERED", 1_000)
    assert door.post(b"x" * 2_000).status_code == 503
    assert door.post(event("1")).status_code == 204, "what was taken is given back"


def test_a_database_that_cannot_be_used_says_come_again(door):
    door.house.store.close()
    answer = door.post(event("1"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


def test_many_callers_at_once_are_all_served(door):
    links = {str(number): door.link(str(number)) for number in range(100, 140)}
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda ticket: door.post(event(ticket)).status_code, list(links) * 3))
    assert set(answers) == {204}
    with door.house.store.read() as tx:
        assert all(tx.links.get(link).gen > 1 for link in links.values())
    assert set(door.desk.woken) == set(links.values())


def test_other_methods_and_addresses_say_nothing_of_webhooks(door):
    for path in ("home", "nobody"):
        assert requests.get(f"{door.url}/hooks/{path}", timeout=30).status_code == 405
    assert requests.get(f"{door.url}/", timeout=30).status_code == 404


def test_health_tells_life_and_readiness_apart(door):
    assert requests.get(f"{door.url}/health/live", timeout=30).status_code == 200
    assert requests.get(f"{door.url}/health/ready", timeout=30).status_code == 200
    door.ready = False
    assert requests.get(f"{door.url}/health/live", timeout=30).status_code == 200
    assert requests.get(f"{door.url}/health/ready", timeout=30).status_code == 503


def test_metrics_hold_names_of_the_configuration_and_no_word_of_a_ticket(door):
    door.link("10401")
    door.post(event("10401", fields={"summary": "CANARY"}))
    door.post(b"CANARY", secret="CANARY and so on")
    answer = requests.get(f"{door.url}/metrics", timeout=30)
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "CANARY" not in answer.text
    assert "10401" not in answer.text
    assert 'bridge_links{agreement="acme",state="new"} 1' in answer.text
    for line in answer.text.splitlines():
        assert line.startswith("#") or float(line.rpartition(" ")[2]) >= 0, line


def test_the_signature_is_over_the_bytes_as_they_came(door):
    link = door.link("10401")
    raw = b'{ "issue" : {"id":"10401","summary":"\xc3\xa9\\u00e9"} }'
    proof = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    again = json.dumps(json.loads(raw)).encode()
    assert door.post(again, x_hub_signature=f"sha256={proof}").status_code == 401
    assert door.post(raw, x_hub_signature=f"sha256={proof}").status_code == 204
    assert door.due() == [link]
