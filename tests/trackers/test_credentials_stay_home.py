"""A tracker's login goes to that tracker: whatever answers, redirects and the environment say of other hosts."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import random

import pytest
import requests
from jira_house import QuickClock
from pydantic import SecretStr
from scripted_server import ScriptedServer, answer

from bridge.config.settings import TrackerSettings
from bridge.errors import TrackerError, Unintelligible
from bridge.sync.agreement import Scope
from bridge.sync.ticket import Attachment
from bridge.trackers.http import Http
from bridge.trackers.jira_session import JiraSession
from bridge.trackers.limits import Limiter
from bridge.trackers.protocol import Watch
from bridge.trackers.registry import open_tracker
from bridge.trackers.sessions import Astray, PlainSession, Sessions

TOKEN = "s3cret-of-the-first-company"
LOGINS = [TOKEN.encode(), base64.b64encode(f"bridge:{TOKEN}".encode()), b"uthorization", b"X-Redmine-API-Key"]
KINDS = ["jira-cloud", "jira-datacenter", "redmine", "request-tracker"]


def settings(kind: str, url: str, **more) -> TrackerSettings:
    user = "bridge" if kind == "jira-cloud" else ""
    return TrackerSettings(
        "first", kind, url, SecretStr(TOKEN), user=user, connect_timeout=1, read_timeout=2, **more
    )


SESSIONS = {
    "plain": lambda url: PlainSession(url, timeout=(1, 1), headers={"Authorization": f"token {TOKEN}"}),
    "basic": lambda url: PlainSession(url, timeout=(1, 1), auth=("bridge", TOKEN)),
    "jira": lambda url: JiraSession(settings("jira-cloud", url), url, version="3", deployment="Cloud"),
}


@pytest.fixture(params=SESSIONS)
def session_for(request):
    return SESSIONS[request.param]


def send(session, url: str) -> requests.Response:
    return session.request("GET", url, params={}, data=None, headers={}, hook=lambda _: None)


def policy(url: str, make) -> Http:
    clock = QuickClock()
    limiter = Limiter(clock, rate=1000, burst=10, concurrency=4)
    return Http(
        "first",
        url,
        sessions=Sessions(lambda: make(url)),
        clock=clock,
        limiter=limiter,
        random_source=random.Random(1),
    )


def logins_at(server: ScriptedServer) -> list[bytes]:
    """Requests at a server that hold any form of the first company's login."""
    return [one for one in server.requests if any(login in one for login in LOGINS)]


def test_a_session_sends_to_its_own_host_alone(session_for) -> None:
    with ScriptedServer(answer(200, b"{}")) as own, ScriptedServer(answer(200, b"{}")) as other:
        session = session_for(own.url)
        send(session, f"{own.url}/x")
        assert len(logins_at(own)) == 1
        port = other.url.rpartition(":")[2]
        for url in (
            other.url,
            other.url.replace("127.0.0.1", "localhost"),
            f"http://{own.url.removeprefix('http://')}@127.0.0.1:{port}/",
            f"HTTP://127.0.0.1:{port}/#{own.url}",
            own.url.replace("http://", "https://"),
            own.url.replace("127.0.0.1", "127.0.0.2"),
        ):
            with pytest.raises(Astray):
                send(session, url)
        assert other.requests == []
        assert len(own.requests) == 1
        session.close()


def test_a_post_that_was_not_sent_is_not_in_doubt(session_for) -> None:
    with ScriptedServer(answer(200, b"{}")) as own, ScriptedServer(answer(200, b"{}")) as other:
        http = policy(own.url, session_for)
        http.url = other.url
        with pytest.raises(Unintelligible, match="another host"):
            http.call("POST", "/comment", body={"words": "x"})
        assert other.requests == []
        http.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_no_login_along(session_for, status) -> None:
    with ScriptedServer(answer(200, b"{}")) as other:
        moved = answer(status, b"", f"Location: {other.url}/stolen")
        with ScriptedServer(moved) as own:
            http = policy(own.url, session_for)
            for method in ("GET", "POST", "PUT", "DELETE"):
                with pytest.raises(TrackerError):
                    http.call(method, "/x")
            assert len(logins_at(own)) == 4
            assert other.requests == []
            http.close()


def test_no_proxy_and_no_netrc_of_the_environment(session_for, monkeypatch, tmp_path) -> None:
    with ScriptedServer(answer(200, b"{}")) as own, ScriptedServer(answer(200, b"{}")) as other:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, other.url)
            monkeypatch.setenv(name.upper(), other.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login somebody password of-the-other-company\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", os.fspath(netrc))
        session = session_for(own.url)
        send(session, f"{own.url}/x")
        session._session.proxies = {"http": other.url}
        send(session, f"{own.url}/x")
        assert other.requests == []
        assert len(logins_at(own)) == 2
        stolen = base64.b64encode(b"somebody:of-the-other-company")
        assert not any(stolen in one for one in own.requests)
        session.close()


def hostile(other: str) -> bytes:
    """An answer in which every address is another host's, whoever reads it."""
    user = {"accountId": "1", "name": "b", "displayName": "B", "id": 1, "login": "b", "type": "user"}
    file = {"id": "7", "filename": "a.txt", "size": 5, "content": f"{other}/7", "content_url": f"{other}/7"}
    ticket = {"id": "1", "key": "OPS-1", "self": f"{other}/1", "_url": f"{other}/1", "type": "ticket"}
    data = {
        **user,
        **ticket,
        "self": f"{other}/self",
        "_url": f"{other}/self",
        "_hyperlinks": [{"ref": "history", "_url": f"{other}/history", "type": "history", "id": "1"}],
        "next_page": f"{other}/next",
        "nextPage": f"{other}/next",
        "prev_page": f"{other}/prev",
        "nextPageToken": f"{other}/token",
        "items": [ticket],
        "issues": [{**ticket, "fields": {"attachment": [file]}}],
        "issue": {**ticket, "attachments": [file], "project": {"id": 1, "name": "OPS"}},
        "attachment": {**file, "content_url": f"{other}/7"},
        "user": user,
        "count": 1,
        "total": 100,
        "total_count": 100,
        "per_page": 1,
        "pages": 3,
        "page": 1,
    }
    return json.dumps(data).encode()


@pytest.mark.parametrize("kind", KINDS)
def test_addresses_in_answers_are_not_followed_with_a_login(kind) -> None:
    with (
        ScriptedServer(answer(200, b"mine now")) as other,
        ScriptedServer(answer(200, hostile(other.url))) as own,
    ):
        given = settings(kind, own.url, marker_field="Mark", media_hosts=(other.url.removeprefix("http://"),))
        tracker = open_tracker(given, QuickClock())
        scope = Scope("first", "OPS", "Home", tracker.abilities.dialect)
        file = Attachment("7", "a.txt", 8, 0, url=f"{other.url}/7")
        for ask in (
            tracker.whoami,
            lambda: tracker.fetch(["1"], ()),
            lambda: list(tracker.changes(Watch(scope), 0)),
            lambda: tracker.histories(["1"]),
            lambda: tracker.metadata("OPS", ()),
            lambda: tracker.files.download(file, Sink(), 100),
        ):
            with contextlib.suppress(TrackerError, KeyError, TypeError, ValueError, AttributeError):
                ask()
        assert logins_at(own)
        assert logins_at(other) == []
        tracker.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_redirected_download_takes_no_login_along(kind) -> None:
    with ScriptedServer(answer(200, b"mine now")) as other:
        moved = answer(302, b"", f"Location: {other.url}/bytes?of=7")
        with ScriptedServer(moved) as own:
            given = settings(
                kind, own.url, marker_field="Mark", media_hosts=(other.url.removeprefix("http://"),)
            )
            tracker = open_tracker(given, QuickClock())
            file = Attachment("7", "a.txt", 8, 0, url=f"{own.url}/7")
            with contextlib.suppress(TrackerError):
                tracker.files.download(file, Sink(), 100)
            assert logins_at(own)
            assert logins_at(other) == []
            tracker.close()


class Sink:
    """Takes bytes and forgets them."""

    def write(self, data: bytes) -> None:
        pass

    def restart(self) -> None:
        pass
