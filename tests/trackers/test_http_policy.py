"""The HTTP policy: what is sent again, what never is (counted at the server), and what answers mean."""

from __future__ import annotations

import contextlib
import gzip
import logging
import random
import socket
import threading
import time

import pytest
import structlog
from jira_house import QuickClock
from pydantic import SecretStr
from scripted_server import ScriptedServer, answer

from bridge.clock import SystemClock
from bridge.config.settings import TrackerSettings
from bridge.errors import (
    Clashed,
    Gone,
    OutcomeUnknown,
    Refused,
    Throttled,
    TrackerError,
    Unauthorised,
    Unintelligible,
    Unreachable,
)
from bridge.trackers import sessions
from bridge.trackers.answers import WORDS_LIMIT
from bridge.trackers.http import Http
from bridge.trackers.jira_session import JiraSession
from bridge.trackers.limits import Limiter
from bridge.trackers.sessions import PlainSession, Sessions

FINE = answer(200, b'{"fine": true}')
HTML = b"<html><body>Log in</body></html>"
RESET = b""


def settings(url: str) -> TrackerSettings:
    return TrackerSettings(
        "far", "jira-cloud", url, SecretStr("s3cret"), user="üser", connect_timeout=1, read_timeout=0.5
    )


@pytest.fixture(params=["plain", "jira"])
def http_to(request):
    """Opens the policy towards an address, over a plain session and over the jira package's."""
    opened = []

    def make(url: str, **options) -> Http:
        def session():
            if request.param == "plain":
                return PlainSession(url, timeout=(1, 0.5), headers={"X-Key": "s3cret"})
            return JiraSession(settings(url), url, version="3", deployment="Cloud")

        clock = options.pop("clock", None) or QuickClock()
        limiter = Limiter(clock, rate=1000, burst=10, concurrency=4)
        http = Http(
            "far",
            url,
            sessions=Sessions(session),
            clock=clock,
            limiter=limiter,
            random_source=random.Random(1),
            **options,
        )
        http.clock, http.limiter = clock, limiter
        opened.append(http)
        return http

    yield make
    for http in opened:
        http.close()


def send(http_to, *scripts, method="GET", **options):
    """One call against a script; gives what came of it and how many requests reached the server."""
    with ScriptedServer(*scripts) as server:
        http = http_to(server.url)
        try:
            result = http.call(
                method, "/thing", body={"a": 1} if method in {"POST", "PUT"} else None, **options
            )
        except Exception as error:  # noqa: BLE001 - the test looks at what it is
            result = error
        return result, len(server.requests), http


REPEATABLE = [("GET", None), ("PUT", None), ("DELETE", None), ("POST", True)]


@pytest.mark.parametrize(("method", "repeatable"), REPEATABLE)
@pytest.mark.parametrize("trouble", [RESET, answer(502), answer(503), answer(504), answer(429)])
def test_what_can_be_repeated_is_repeated(http_to, method, repeatable, trouble):
    result, reached, _ = send(http_to, trouble, trouble, FINE, method=method, repeatable=repeatable)
    assert result.data == {"fine": True}
    assert reached == 3


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (RESET, Unreachable),
        (answer(502), Unreachable),
        (answer(503), Unreachable),
        (answer(429), Throttled),
        (answer(503, b"", "Retry-After: 1"), Throttled),
    ],
)
def test_repeating_ends(http_to, trouble, error):
    result, reached, http = send(http_to, trouble)
    assert type(result) is error
    assert reached == 4
    assert 0 < sum(http.clock.slept) < 10


@pytest.mark.parametrize(
    "trouble",
    [
        RESET,
        answer(500),
        answer(502),
        answer(503),
        answer(504),
        answer(408),
        b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{",
        answer(201, HTML),
        answer(201, b'{"id": '),
        answer(200, b"{}", "X-Seraph-LoginReason: AUTHENTICATED_FAILED"),
        [1.0, FINE],
    ],
)
def test_a_write_that_may_have_happened_is_never_repeated(http_to, trouble):
    result, reached, _ = send(http_to, trouble, FINE, method="POST")
    assert type(result) is OutcomeUnknown
    assert reached == 1


@pytest.mark.parametrize(
    "trouble", [answer(429), answer(429, b"", "Retry-After: 1"), answer(503, b"", "Retry-After: 1")]
)
def test_a_write_that_was_turned_away_is_repeated(http_to, trouble):
    result, reached, _ = send(http_to, trouble, trouble, FINE, method="POST")
    assert result.data == {"fine": True}
    assert reached == 3


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_listening_is_tried_again_and_nothing_was_sent(http_to, method):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    http = http_to(url)
    with pytest.raises(Unreachable, match="refused"):
        http.call(method, "/thing", body={})
    assert len(http.clock.slept) == 3


def test_an_unknown_host_is_unreachable_also_for_a_write(http_to):
    with pytest.raises(Unreachable):
        http_to("http://no-such-host.invalid").call("POST", "/thing", body={})


@pytest.mark.parametrize("trouble", [[1.0, FINE], [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", 1.0]])
def test_a_time_out_is_not_waited_for_again(http_to, trouble):
    result, reached, _ = send(http_to, trouble)
    assert type(result) is Unreachable
    assert reached == 1


def test_a_failing_server_is_not_pestered(http_to):
    result, reached, _ = send(http_to, answer(500, b'{"errorMessages": ["Boom"]}'))
    assert type(result) is Unreachable
    assert result.words == "HTTP 500 Internal Server Error", (
        "a failing server may say anything: it could be our words"
    )
    assert reached == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("1800", 1800),
        ("7.5", 7.5),
        ("Sun, 22 Nov 2026 12:30:00 GMT", 1800),
        ("Sun, 22 Nov 2026 13:30:00 +0100", 1800),
        ("99999999", 86_400),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_long_wait_is_handed_on_in_full_and_holds_everybody_back(http_to, method, header, seconds):
    """The date counts against the answer's own Date, whatever our clock says (RFC 9110, 10.2.3)."""
    with ScriptedServer(answer(429, b"", f"Retry-After: {header}"), FINE) as server:
        http = http_to(server.url)
        with pytest.raises(Throttled) as throttled:
            http.call(method, "/thing", body={})
        assert throttled.value.retry_after == pytest.approx(seconds)
        with pytest.raises(Throttled) as again:
            http.call("GET", "/other")
        assert again.value.retry_after == pytest.approx(seconds, rel=0.01)
        assert len(server.requests) == 1
        http.clock.slept.append(seconds)
        assert http.call("GET", "/other").data == {"fine": True}


@pytest.mark.parametrize("header", ["soon", "nan", "-5", "0", "Sun, 22 Nov 2026 11:00:00 GMT"])
def test_a_senseless_wait_is_a_short_one(http_to, header):
    result, reached, http = send(http_to, answer(429, b"", f"Retry-After: {header}"), FINE)
    assert result.data == {"fine": True}
    assert reached == 2
    assert sum(http.clock.slept) < 5


def test_a_limit_on_one_ticket_holds_back_nobody_else(http_to):
    headers = ["Retry-After: 60", "RateLimit-Reason: jira-per-issue-on-write"]
    result, _, http = send(http_to, answer(429, b"", *headers))
    assert type(result) is Throttled
    assert not result.shared
    assert http.limiter.blocked() == 0
    result, _, http = send(http_to, answer(429, b"", "Retry-After: 60"))
    assert result.shared


def test_the_wait_for_a_slot_is_not_the_trackers_time_to_answer(http_to):
    clock = QuickClock()
    with ScriptedServer(answer(201, b"{}")) as server:
        http = http_to(server.url, clock=clock)
        busy = contextlib.ExitStack()
        for _ in range(4):
            busy.enter_context(http.limiter.slot())
        results = []

        def work() -> None:
            try:
                results.append(http.call("POST", "/thing", body={}).status)
            except TrackerError as error:
                results.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.2)
        clock.slept.append(3_600)
        busy.close()
        thread.join()
    assert results == [201]


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (answer(401), Unauthorised),
        (answer(403, b"", "X-Authentication-Denied-Reason: CAPTCHA_CHALLENGE"), Unauthorised),
        (answer(403, b"", "X-Seraph-LoginReason: AUTHENTICATION_DENIED"), Unauthorised),
        (answer(200, b"{}", "X-Seraph-LoginReason: AUTHENTICATED_FAILED"), Unauthorised),
        (answer(404, b"{}", "X-Seraph-LoginReason: AUTHENTICATED_FAILED"), Unauthorised),
        (answer(403, b"{}", "X-Seraph-LoginReason: OK"), Refused),
        (answer(400, b"{}"), Refused),
        (answer(413, HTML), Refused),
        (answer(422, b"{}"), Refused),
        (answer(405), Refused),
        (answer(404, b"{}"), Gone),
        (answer(404), Gone),
        (answer(410, b"{}"), Gone),
        (answer(409, b"{}"), Clashed),
        (answer(412), Clashed),
        (answer(404, HTML), Unintelligible),
        (answer(404, b'{"title": "Not Found", "detail": "No endpoint GET /thing."}'), Unintelligible),
        (answer(200, HTML), Unintelligible),
        (answer(200, b'{"half": '), Unintelligible),
        (answer(302, b"", "Location: https://evil.example/login?token=x"), Unintelligible),
        (answer(303, HTML, "Location: /login"), Unintelligible),
    ],
)
def test_what_an_answer_means(http_to, script, error):
    result, reached, _ = send(http_to, script)
    assert type(result) is error
    assert reached == 1
    assert result.tracker == "far"


def test_a_redirect_is_told_without_its_query(http_to):
    result, _, _ = send(http_to, answer(302, b"", "Location: https://evil.example/login?token=x"))
    assert "https://evil.example/login" in result.words
    assert "token" not in result.words


@pytest.mark.parametrize(
    ("body", "words", "fields"),
    [
        (
            b'{"errorMessages": ["No."], "errors": {"duedate": "Bad date", "x": "y"}}',
            "No.; duedate: Bad date; x: y",
            {"duedate": "Bad date", "x": "y"},
        ),
        (b'{"errors": ["Subject cannot be blank", "No"]}', "Subject cannot be blank; No", {}),
        (b'{"title": "Bad", "detail": "Very bad"}', "Very bad", {}),
        (b'{"message": "Nope"}', "Nope", {}),
        (b'{"errorMessages": [], "errors": {}}', "HTTP 400 Bad Request", {}),
        (b"[1]", "HTTP 400 Bad Request", {}),
        (b"", "HTTP 400 Bad Request", {}),
        (b'{"message": "a\\nb\\u001b[31m"}', "a b [31m", {}),
    ],
)
def test_a_refusal_is_told_in_the_trackers_words(http_to, body, words, fields):
    result, _, _ = send(http_to, answer(400, body))
    assert (result.words, result.fields, result.status) == (words, fields, 400)


def test_long_words_are_shortened(http_to):
    result, _, _ = send(http_to, answer(400, b'{"message": "%s"}' % (b"x" * 5000)))
    assert len(result.words) == WORDS_LIMIT


def test_the_trackers_clock_is_told_with_the_answer(http_to):
    result, _, _ = send(http_to, FINE)
    assert result.at == 1_795_348_800_000_000
    result, _, http = send(http_to, answer(200, b"{}", date=False))
    assert abs(result.at - http.clock.now()) < 60e6


def test_an_empty_answer_is_fine_until_somebody_needs_it(http_to):
    result, _, _ = send(http_to, answer(204), method="PUT")
    assert result.data is None
    for need in (result.object, result.array, lambda: result.objects("issues")):
        with pytest.raises(Unintelligible):
            need()


@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_beyond_all_measure_is_cut_off(http_to, status):
    bomb = answer(status, gzip.compress(b"[" + b" " * 10_000_000 + b"]"), "Content-Encoding: gzip")
    with ScriptedServer(bomb) as server:
        http = http_to(server.url, body_limit=1_000_000)
        with pytest.raises(Unintelligible, match="larger"):
            http.call("GET", "/thing")


def test_a_drip_is_cut_off(http_to, monkeypatch):
    monkeypatch.setattr(sessions, "ANSWER_SECONDS", 0.6)
    drip = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *([b" ", 0.1] * 100)]
    with ScriptedServer(drip) as server:
        http = http_to(server.url)
        with pytest.raises(Unintelligible, match="longer"):
            http.call("GET", "/thing")


def test_a_broken_compression_is_unintelligible(http_to):
    result, _, _ = send(http_to, answer(200, b"no gzip", "Content-Encoding: gzip"))
    assert type(result) is Unintelligible


def test_a_value_never_leaves_its_place_in_the_path(http_to):
    with ScriptedServer(FINE) as server:
        http = http_to(server.url)
        http.call("GET", "/issue/{id}", parts={"id": "a/../b?c#d"})
        assert b"GET /issue/a%2F..%2Fb%3Fc%23d HTTP" in server.requests[0]
        with pytest.raises(ValueError, match="part of a path"):
            http.call("GET", "/issue/{id}", parts={"id": ".."})


def test_query_parameters_are_written_as_json_writes_them(http_to):
    with ScriptedServer(FINE) as server:
        http_to(server.url).call("GET", "/thing", query={"a": True, "b": None, "c": [1, 2]})
        assert b"/thing?a=true&c=1&c=2 " in server.requests[0]


def test_nothing_from_bodies_headers_or_queries_is_logged(http_to, caplog):
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as events:
        send(http_to, answer(400, b'{"message": "hush"}'), method="PUT", query={"jql": "hush"})
        send(http_to, RESET, FINE, method="GET", query={"jql": "hush"})
    assert [event["event"] for event in events] == ["tracker_call"] * 3
    assert set(events[0]) == {"event", "log_level", "tracker", "method", "path", "status", "ms", "attempt"}
    assert [event["attempt"] for event in events] == [1, 1, 2]
    said = str(events) + " ".join(
        record.getMessage() for record in caplog.records if record.name != "urllib3"
    )
    assert "s3cret" not in said
    assert "hush" not in str(events)
    assert not [record for record in caplog.records if record.name.startswith("jira")]


def test_credentials_beyond_latin_1_are_sent(http_to):
    with ScriptedServer(FINE) as server:
        http = http_to(server.url)
        http.call("GET", "/thing")
        assert b"s3cret" in server.requests[0] or b"Authorization: Basic w7xzZXI6" in server.requests[0]


def test_a_connection_is_used_again(jira):
    first = jira.tracker.whoami()
    for _ in range(5):
        jira.tracker.whoami()
    pools = jira.tracker._http._sessions.mine()._session.adapters["http://"].poolmanager.pools
    counts = [pools[key].num_connections for key in pools.keys()]  # noqa: SIM118 - not a dict
    assert counts == [1]
    assert first.id


def test_a_shutdown_ends_the_waiting(http_to):
    clock = SystemClock()
    clock.stop()
    with ScriptedServer(answer(503)) as server:
        with pytest.raises(Unreachable):
            http_to(server.url, clock=clock).call("GET", "/thing")
        assert len(server.requests) == 4
