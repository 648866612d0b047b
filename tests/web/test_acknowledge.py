"""The page behind the link of an alert: looking changes nothing, pressing acknowledges, and nobody else can."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import requests

sys.path.insert(0, str(Path(__file__).parents[1] / "daemon"))

from belfry import BORN, HOUR, MINUTE, Belfry

from bridge.daemon.acknowledging import Invitation, invitation_of, secret_of, token_for
from bridge.daemon.hints import HintDesk
from bridge.web.server import WebServer


@pytest.fixture
def page(tmp_path):
    """(house whose alert was told, address of its page on loopback)."""
    belfry = Belfry(tmp_path)
    server = WebServer(belfry.house, belfry.settings.web)
    desk = HintDesk(belfry.house, wake=lambda *_: None, later=lambda _: None, nudge=lambda *_: None)
    server.open(desk, lambda: True)
    belfry.link()
    belfry.at(120)
    found = re.search(r"https://bridge\.example(/ack/\S+)", belfry.letters()[-1].text)
    yield belfry, f"http://127.0.0.1:{server.port}{found[1]}"
    server.close()
    belfry.kill()


def words(belfry):
    with belfry.store.read() as tx:
        return tx.alerts.acknowledged(belfry.links[0])


def test_looking_changes_nothing_and_pressing_acknowledges_once(page):
    belfry, url = page
    for method in ("GET", "HEAD", "GET"):
        answer = requests.request(method, url, timeout=30)
        assert answer.status_code == 200
    assert words(belfry) == []
    assert "OPS-1" in answer.text
    assert '<form method="post">' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Thank you" in requests.post(url, timeout=30).text
    assert "before" in requests.post(url, timeout=30).text
    (word,) = words(belfry)
    assert (word.clock, word.cycle) == ("resolve", BORN)
    assert word.detail == {"who": "owner", "side": "internal", "how": "mail"}


def test_what_is_acknowledged_is_not_told_again_and_stands_in_the_history(page):
    belfry, url = page
    requests.post(url, timeout=30)
    told = belfry.told()
    for minute in range(121, 400, 10):
        belfry.at(minute)
    assert belfry.told() == told
    with belfry.store.read() as tx:
        row = tx.chronicles.get(belfry.links[0])
        journal = [entry.event for entry in tx.journal.for_link(belfry.links[0])]
    assert row.timeline["entries"][-1]["kind"] == "acknowledged"
    assert row.stale_at is not None, "the trackers are read again"
    assert "alert.acknowledged" in journal


def test_whoever_has_no_sound_link_learns_nothing(page):
    belfry, url = page
    root, token = url.rsplit("/", 1)
    other = token_for("another secret", Invitation(belfry.links[0], "resolve", BORN, "owner"))
    bent = token.replace("owner", "manager")
    answers = [
        requests.request(method, f"{root}/{bad}", timeout=30)
        for bad in (other, bent, "x", "1~resolve~1~owner~0", token[:-1], "a" * 3_000)
        for method in ("GET", "POST")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert words(belfry) == []


def test_there_is_no_page_without_a_public_address(tmp_path):
    belfry = Belfry(tmp_path)
    settings = replace(belfry.settings, web=replace(belfry.settings.web, public_url=""))
    belfry.house.terms = replace(belfry.house.terms, settings=settings)
    belfry.link()
    belfry.at(60)
    assert all("/ack/" not in letter.text for letter in belfry.letters())
    belfry.kill()


@pytest.mark.parametrize("clock", ["resolve", "next update/2~x", "løsning"])
def test_a_token_says_what_it_is_about(tmp_path, clock):
    invitation = Invitation(7, clock, BORN + HOUR, "service owner")
    token = token_for("secret", invitation)
    assert invitation_of("secret", token) == invitation
    assert invitation_of("secret", token.replace("7~", "8~", 1)) is None
    assert "/" not in token


def test_the_secret_is_made_once(tmp_path):
    belfry = Belfry(tmp_path)
    first = secret_of(belfry.store)
    belfry.kill()
    belfry.open()
    assert secret_of(belfry.store) == first
    assert len(first) == 64
    belfry.clock.at += MINUTE
    belfry.kill()
