"""Signed webhooks: proven by their signature, tried until they are taken, never to where they must not go."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from belfry import BORN, MINUTE, Belfry, step
from pydantic import SecretStr

from bridge.config.settings import OutgoingHook
from bridge.daemon.hooker import TRIES, Hooker, Posted, forbidden
from bridge.daemon.once import tell_all_the_same
from bridge.errors import Unreachable
from bridge.store.rows import LetterState

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef").decode()


@dataclass
class Receiver:
    """A real server on loopback: what it took, and what it answers."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that the library asks for
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(made.answers.pop(0) if made.answers else 204)
            self.send_header("Location", f"http://127.0.0.1:{made.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def hooked(tmp_path):
    """(house with one message to post, receiver)."""
    with receiver() as made:
        belfry = Belfry(tmp_path, ladder=[replace(step("100%"), tell=(), webhook="chat")])
        hook = OutgoingHook("chat", f"http://127.0.0.1:{made.port}/in", SecretStr(SECRET))
        settings = replace(belfry.settings, hooks={"chat": hook})
        belfry.house.terms = replace(belfry.house.terms, settings=settings)
        belfry.link()
        belfry.at(60)
        yield belfry, made
        belfry.kill()


def test_what_is_posted_is_signed_and_holds_no_text(hooked):
    belfry, made = hooked
    assert Hooker(belfry.house).flush() == Posted(sent=1)
    ((headers, body),) = made.taken
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    proof = base64.b64encode(hmac.new(b"0123456789abcdef", said, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{proof}"
    assert headers["webhook-timestamp"] == str((BORN + 60 * MINUTE) // 1_000_000)
    told = json.loads(body)
    assert told["type"] == "bridge.clock.step"
    assert told["timestamp"] == told["data"]["breached_at"]
    assert told["data"]["tickets"] == {"internal": "OPS-1", "vendor": "CUST-1"}
    assert told["data"]["late"] is None
    assert b"@" not in body
    assert Hooker(belfry.house).flush() == Posted()
    assert belfry.letters("mail") == []


@pytest.mark.parametrize("answer", [500, 404, 302])
def test_what_is_not_taken_is_posted_again_under_the_same_id(hooked, answer):
    belfry, made = hooked
    made.answers = [answer]
    assert Hooker(belfry.house).flush() == Posted(deferred=1)
    assert str(answer) in belfry.letters("hook")[0].reason
    assert Hooker(belfry.house).flush() == Posted(), "it waits"
    belfry.clock.at += MINUTE
    assert Hooker(belfry.house).flush() == Posted(sent=1)
    assert len({headers["webhook-id"] for headers, _ in made.taken}) == 1
    assert len(made.taken) == 2, "no redirect is followed"


def test_one_that_nobody_takes_is_given_up_and_shown(hooked):
    belfry, made = hooked
    made.answers = [503] * TRIES
    for _ in range(TRIES):
        Hooker(belfry.house).flush()
        belfry.clock.at += 120 * MINUTE
    (letter,) = belfry.letters("hook")
    assert (letter.state, letter.attempts) == (LetterState.DEAD, TRIES)


def test_a_receiver_that_is_down_holds_up_no_other_and_no_mail(hooked):
    belfry, made = hooked
    settings = belfry.house.terms.settings
    gone = OutgoingHook("gone", "http://127.0.0.1:9/in", SecretStr("s"))
    belfry.house.terms = replace(
        belfry.house.terms, settings=replace(settings, hooks={**settings.hooks, "gone": gone})
    )
    first = belfry.letters("hook")[0]
    with belfry.store.write() as tx:
        for number in range(3):
            tx.outbox.put(replace(first, key=f"k{number}", to=("gone",), created_at=BORN, due_at=BORN))
    assert Hooker(belfry.house).flush() == Posted(sent=1, deferred=3)
    assert sorted(letter.attempts for letter in belfry.letters("hook")) == [0, 0, 1, 1]
    assert len(made.taken) == 1
    assert all("127.0.0.1" not in letter.reason for letter in belfry.letters("hook"))


@pytest.mark.parametrize(
    ("url", "addresses", "called"),
    [
        ("https://chat.example.com/in", ["93.184.216.34"], True),
        ("https://chat.example.com/in", ["10.0.0.1"], False),
        ("https://chat.example.com/in", ["93.184.216.34", "169.254.169.254"], False),
        ("https://chat.example.com/in", ["::ffff:127.0.0.1"], False),
        ("https://10.0.0.1/in", ["10.0.0.1"], True),
        ("https://mattermost/in", ["10.0.0.1"], True),
        ("https://mattermost.internal/in", ["10.0.0.1"], True),
    ],
)
def test_a_public_name_that_leads_inside_is_not_called(url, addresses, called):
    assert (forbidden(url, lambda _: addresses) == "") is called


def test_a_start_that_fails_for_want_of_a_tracker_posts_what_is_owed(hooked):
    belfry, made = hooked
    with pytest.raises(Unreachable), tell_all_the_same(belfry.house):
        raise Unreachable("home", "the connection was refused")
    assert len(made.taken) == 1
