"""When things go wrong: errors are of our tree, say the truth about what happened, and give no secret away."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace

import pytest
from pydantic import SecretStr

from bridge.errors import (
    OutcomeUnknown,
    Refused,
    Throttled,
    TrackerError,
    Unauthorised,
    Unintelligible,
    Unreachable,
)
from bridge.testing.desk import Desk, Hurry, mark, said
from bridge.testing.stand import Stand
from bridge.testing.wire import WRITES, Wire
from bridge.trackers.protocol import Tracker

THREADS = 8
JSON = {"Content-Type": "application/json"}
LONG = 3_600
PAGE = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Please sign in.</body></html>"


@contextmanager
def opened(stand: Stand, **changes: object) -> Iterator[Tracker]:
    """The adapter with other settings, for which no waiting takes time."""
    tracker = stand.open(replace(stand.settings, **changes), Hurry())  # type: ignore[arg-type]
    with closing(tracker):
        yield tracker


@contextmanager
def unwarmed(desk: Desk) -> Iterator[tuple[Tracker, Wire]]:
    """An adapter that knows nothing yet, and the wire that it speaks through."""
    with Wire(desk.stand.settings.url) as wire, opened(desk.stand, url=wire.url) as tracker:
        yield tracker, wire


@contextmanager
def wired(desk: Desk, marker: str = "") -> Iterator[tuple[Desk, Wire, str]]:
    """A desk whose adapter speaks through a wire, and a ticket; the adapter has looked up what it needs to know."""
    with Wire(desk.stand.settings.url) as wire, opened(desk.stand, url=wire.url) as tracker:
        far = Desk(tracker, desk.stand)
        made = far.create(marker)
        far.read(made.id)
        yield far, wire, made.id


def reads(desk: Desk, tracker: Tracker, ticket: str) -> dict[str, Callable[[], object]]:
    """Ways to read, by name."""
    return {
        "whoami": tracker.whoami,
        "changes": lambda: list(tracker.changes(desk.watch(), 0, canary=ticket)),
        "census": lambda: list(tracker.census(desk.watch())),
        "fetch": lambda: tracker.fetch([ticket], desk.specs),
        "histories": lambda: tracker.histories([ticket]),
        "metadata": lambda: tracker.metadata(desk.stand.project),
    }


class Failing:
    """Promises for bad days."""

    @pytest.mark.parametrize("way", ["whoami", "changes", "census", "fetch", "histories", "metadata"])
    def test_a_dead_login_is_unauthorised(self, desk: Desk, way: str) -> None:
        """A token that is not valid any more never looks like an empty tracker or a deleted ticket."""
        ticket = desk.filed()
        dead = SecretStr("dead-" + "0" * 35)
        with opened(desk.stand, token=dead) as tracker:
            with pytest.raises(Unauthorised) as error:
                reads(desk, tracker, ticket)[way]()
            assert dead.get_secret_value() not in f"{error.value!r} {error.value}"

    def test_a_dead_login_writes_nothing(self, desk: Desk) -> None:
        """A create with a dead login raises an error of our tree, and nothing is there."""
        marker, began = mark(), desk.tracker.now()
        refused = pytest.raises((Unauthorised, Refused, OutcomeUnknown))
        with opened(desk.stand, token=SecretStr("dead-" + "0" * 35)) as tracker, refused:
            tracker.create(desk.draft(marker), desk.specs)
        assert list(desk.tracker.find_marked(desk.scope(), marker, began)) == []

    @pytest.mark.parametrize("way", ["whoami", "changes", "fetch", "create"])
    def test_nobody_there_is_unreachable(self, desk: Desk, way: str) -> None:
        """No connection raises Unreachable, of a create too: it was certainly not done."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # nobody listens, and nobody else can take it
            with opened(desk.stand, url=f"http://127.0.0.1:{taken.getsockname()[1]}") as tracker:
                ways = reads(desk, tracker, "1") | {"create": lambda: tracker.create(desk.draft(mark()), ())}
                with pytest.raises(Unreachable):
                    ways[way]()

    def test_a_login_page_is_unintelligible(self, desk: Desk) -> None:
        """An HTML page where JSON is due is no empty answer."""
        with unwarmed(desk) as (tracker, wire), wire.answering(200, PAGE, {"Content-Type": "text/html"}):
            for way, look in reads(desk, tracker, "1").items():
                with pytest.raises(Unintelligible):
                    pytest.fail(f"{way} made sense of a login page: {look()!r}")

    def test_a_redirect_takes_no_login_along(self, desk: Desk) -> None:
        """Another host that an answer points to gets no request: it would be handed the credentials."""
        with Wire(desk.stand.settings.url) as trap, unwarmed(desk) as (tracker, wire):
            elsewhere = wire.answering(302, b"", {"Location": f"{trap.url}/elsewhere"})
            with elsewhere, pytest.raises(TrackerError):
                tracker.whoami()
            assert trap.passed == []

    def test_a_throttled_request_tells_how_long_to_wait(self, desk: Desk) -> None:
        """A long Retry-After comes out as Throttled with the whole time, and is not slept through."""
        with unwarmed(desk) as (tracker, wire):
            stay_away = wire.answering(429, b"{}", JSON | {"Retry-After": str(LONG)})
            with stay_away, pytest.raises(Throttled) as error:
                tracker.whoami()
        assert error.value.retry_after >= LONG - 60

    def test_a_failing_server_is_unreachable(self, desk: Desk) -> None:
        """A gateway error on a read raises Unreachable after a few attempts."""
        with unwarmed(desk) as (tracker, wire):
            failing = wire.answering(502, PAGE, {"Content-Type": "text/html"})
            with failing, pytest.raises(Unreachable):
                tracker.whoami()

    def test_a_lost_create_is_done_once_and_found(self, desk: Desk) -> None:
        """The answer is lost: OutcomeUnknown, one request, and the ticket is found by its mark."""
        began, marker = desk.tracker.now(), mark()
        with wired(desk) as (far, wire, _):
            with suppress(OutcomeUnknown), wire.losing(times=100) as fault:
                far.create(marker)
            assert fault.fired, "no write went through the wire"
        found = desk.eventually(
            lambda: desk.tracker.find_marked(desk.scope(), marker, began), bool, "the lost ticket"
        )
        assert len(found) == 1

    def test_a_create_that_failed_within_is_unknown(self, desk: Desk) -> None:
        """A server's error says nothing about whether it was done."""
        with wired(desk) as (far, wire, _):
            failing = wire.answering(500, b"{}", JSON, methods=WRITES)
            with failing, pytest.raises(OutcomeUnknown):
                far.create()

    def test_a_lost_comment_is_said_once_and_found(self, desk: Desk) -> None:
        """The answer is lost: OutcomeUnknown, and ``find_comment`` finds the one comment."""
        began, marker = desk.tracker.now(), mark()
        with wired(desk) as (far, wire, ticket):
            with suppress(OutcomeUnknown), wire.losing(times=100) as fault:
                far.tracker.add_comment(ticket, said("Heard?"), marker)
            assert fault.fired, "no write went through the wire"
        comments = desk.read(ticket).comments
        assert [one.body for one in comments] == [desk.settled(said("Heard?"))]
        assert desk.tracker.find_comment(ticket, said("Heard?"), marker, began) == comments[0].id

    def test_a_lost_update_is_repeated(self, desk: Desk) -> None:
        """An update whose answer is lost once succeeds: it may be sent again."""
        with wired(desk) as (far, wire, ticket):
            with wire.losing() as fault:
                far.update(ticket, {"summary": "Heard?"})
            assert fault.fired
        assert desk.read(ticket).fields["summary"] == "Heard?"

    def test_a_lost_step_is_told_truly(self, desk: Desk) -> None:
        """The answer is lost: the step is reported as taken or unknown, never as refused; it was taken once."""
        with wired(desk) as (far, wire, ticket):
            step = far.step(ticket, desk.samples.step[1])
            with suppress(OutcomeUnknown), wire.losing() as fault:
                far.tracker.transition(ticket, step, {})
            assert fault.fired
        assert desk.read(ticket).fields["status"] == step.to
        history = desk.tracker.histories([ticket])[ticket]
        assert [one.after for one in history if one.field == "status"] == [step.to]

    def test_a_write_that_was_not_done_is_noticed(self, desk: Desk) -> None:
        """Where refusals look like successes, a write that is not there when read back raises Refused."""
        if not desk.abilities.read_back:
            pytest.skip(f"a tracker of kind {desk.tracker.kind} answers refusals as such")
        with wired(desk) as (far, wire, ticket):
            step = far.step(ticket, desk.samples.step[1])
            with wire.answering(200, b"[]", JSON, methods=frozenset({"PUT", "PATCH"})):
                with pytest.raises(Refused) as refusal:
                    far.update(ticket, {"summary": "Never arrives"})
                assert "summary" in refusal.value.fields
                with pytest.raises(Refused):
                    far.tracker.transition(ticket, step, {})
        seen = desk.read(ticket).fields
        assert seen["summary"] != "Never arrives"
        assert seen["status"] == desk.samples.step[0]

    def test_threads_share_one_adapter(self, desk: Desk) -> None:
        """Many threads work through one adapter at once, each on its own ticket, and nothing gets mixed up."""

        def work(number: int) -> str:
            marker = mark()
            made = desk.create(marker, summary=f"thread {number}")
            desk.tracker.add_comment(made.id, said(f"comment {number}"), mark())
            desk.update(made.id, {"summary": f"thread {number}, changed"})
            seen = desk.read(made.id)
            assert seen.marker == marker
            assert seen.fields["summary"] == f"thread {number}, changed"
            assert [one.body for one in seen.comments] == [desk.settled(said(f"comment {number}"))]
            return made.id

        with ThreadPoolExecutor(THREADS) as pool:
            made = set(pool.map(work, range(THREADS)))
        assert len(made) == THREADS

    def test_threads_share_one_ticket(self, desk: Desk) -> None:
        """Equal comments that threads add at once to one ticket each get an id of their own."""
        ticket = desk.filed()
        with ThreadPoolExecutor(THREADS) as pool:
            jobs = [
                pool.submit(desk.tracker.add_comment, ticket, said("Me too"), mark()) for _ in range(THREADS)
            ]
        ids = {job.result()[0] for job in jobs}
        assert len(ids) == THREADS
        assert {one.id for one in desk.read(ticket).comments} == ids
