"""Bytes come and go: streamed, within limits, and never from or to where they have no business."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
from jira_house import House, QuickClock
from pydantic import SecretStr
from scripted_server import ScriptedServer, answer

from bridge.config.settings import TrackerSettings
from bridge.errors import Gone, OutcomeUnknown, Refused, Throttled, Unfit, Unreachable
from bridge.markup import Document, Media, Paragraph, Text
from bridge.simulator import Fault, SimulatorServer, make_acme
from bridge.sync.ticket import Attachment, Comment, Person
from bridge.trackers import jira_datacenter
from bridge.trackers.files import NEARBY, NoFiles, Outgoing, with_private
from bridge.trackers.transfers import public

HEADERS = {"X-Atlassian-Token": "no-check"}


class Basket:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.data = b""
        self.restarts = 0

    def write(self, data: bytes) -> None:
        self.data += data

    def restart(self) -> None:
        self.data = b""
        self.restarts += 1


def outgoing(folder: Path, content: bytes, name: str = "plan.txt", kind: str = "text/plain") -> Outgoing:
    path = folder / "1.part"
    path.write_bytes(content)
    return Outgoing(path, name, kind, len(content), hashlib.sha256(content).hexdigest())


def attach(jira: House, content: bytes, name: str = "plan.txt") -> tuple[str, Attachment]:
    """A person attaches a file; the ticket's id, and the file as our adapter lists it."""
    human = jira.person()
    key = human.create()
    made = human.session.post(
        f"{human.root}/issue/{key}/attachments", files={"file": (name, content)}, headers=HEADERS, timeout=10
    )
    assert made.ok
    (file,) = jira.tracker.fetch([key], ())[key].attachments
    return key, file


def download(jira: House, file: Attachment, limit: int | None = None) -> bytes:
    basket = Basket()
    jira.tracker.files.download(file, basket, file.size if limit is None else limit)
    return basket.data


@pytest.mark.parametrize("content", [b"", b"words", b"\x00\xff" * 700_000], ids=["empty", "small", "large"])
def test_a_file_is_listed_downloaded_and_uploaded_again(jira, tmp_path, content):
    key, file = attach(jira, content, "pln \u00e5.bin")
    assert (file.name, file.size) == ("pln \u00e5.bin", len(content))
    assert download(jira, file) == content
    made = jira.tracker.files.upload(key, outgoing(tmp_path, content, "copy \u00e6.bin"))
    assert (made.name, made.size) == ("copy \u00e6.bin", len(content))
    listed = jira.tracker.fetch([key], ())[key]
    assert listed.attachments_complete
    assert [one.id for one in listed.attachments] == [file.id, made.id]
    assert listed.attachments[1].url == made.url
    assert jira.server.site.blobs[made.id].read() == content
    (found,) = jira.tracker.files.find(key, made.name, made.size, made.at)
    assert found.id == made.id
    assert jira.tracker.files.find(key, made.name, made.size + 1, made.at) == []
    assert jira.tracker.files.find(key, file.name, file.size, 0) == [], "somebody else's"
    jira.tracker.files.delete(made.id)
    jira.tracker.files.delete(made.id)
    assert len(jira.tracker.fetch([key], ())[key].attachments) == 1
    assert jira.tracker.files.limit() == jira.server.site.attachment_limit


def test_files_cost_no_further_call_in_a_poll(jira):
    attach(jira, b"words")
    before = jira.server.calls.last
    (ticket,) = jira.poll()
    assert len(ticket.attachments) == 1
    assert len(jira.reached(since=before)) <= 2, "the search, and the list of fields"


def test_a_lost_answer_to_an_upload_is_not_sent_again(jira, tmp_path):
    key, _ = attach(jira, b"words")
    jira.server.faults.add(Fault("apply-then-drop", "POST", "/attachments"))
    with pytest.raises(OutcomeUnknown):
        jira.tracker.files.upload(key, outgoing(tmp_path, b"mine"))
    assert len(jira.tracker.files.find(key, "plan.txt", 4, 0)) == 1


def test_a_throttled_upload_is_sent_whole_again(jira, tmp_path):
    key, _ = attach(jira, b"words")
    jira.server.faults.add(Fault("throttle", "POST", "/attachments", retry_after=1, times=2))
    made = jira.tracker.files.upload(key, outgoing(tmp_path, b"mine" * 50_000))
    assert jira.server.site.blobs[made.id].read() == b"mine" * 50_000
    jira.server.faults.add(Fault("throttle", "POST", "/attachments", retry_after=100))
    with pytest.raises(Throttled):
        jira.tracker.files.upload(key, outgoing(tmp_path, b"mine"))


def test_an_upload_beyond_the_limit_is_refused_in_the_trackers_words(jira, tmp_path):
    key, _ = attach(jira, b"words")
    jira.server.site.attachment_limit = 3
    with pytest.raises(Refused) as refused:
        jira.tracker.files.upload(key, outgoing(tmp_path, b"mine"))
    assert refused.value.status == 413


# --- bodies that go wrong ------------------------------------------------------------------------------------------


def test_a_body_that_breaks_off_is_asked_for_again(jira):
    _, file = attach(jira, b"0123456789" * 30_000)
    where = "/media/" if jira.cloud else "/secure/"
    jira.server.faults.add(Fault("cut", "GET", where))
    basket = Basket()
    jira.tracker.files.download(file, basket, file.size)
    assert basket.data == b"0123456789" * 30_000
    assert basket.restarts == 2
    jira.server.faults.add(Fault("cut", "GET", where, times=None))
    with pytest.raises(Unreachable):
        download(jira, file)


@pytest.mark.parametrize("kind", ["endless", "bomb"])
def test_a_body_without_end_and_a_bomb_end_at_the_limit(jira, kind):
    _, file = attach(jira, b"words")
    jira.server.faults.add(Fault(kind, "GET", "/media/" if jira.cloud else "/secure/"))
    basket = Basket()
    with pytest.raises(Unfit):
        jira.tracker.files.download(file, basket, 1_000_000)
    assert len(basket.data) <= 1_000_000


def test_a_packed_body_is_unpacked_within_the_limit(scripted):
    content = b"0123456789" * 1000
    server, tracker = scripted(answer(200, gzip.compress(content), "Content-Encoding: gzip"))
    assert download_from(tracker, 10_000) == content
    with pytest.raises(Unfit, match="beyond"):
        download_from(tracker, 9_999)
    server.scripts = [answer(200, b"xx", "Content-Encoding: br")]
    with pytest.raises(Unfit, match="packing"):
        download_from(tracker)
    server.scripts = [answer(200, b"xx", "Content-Encoding: gzip")]
    with pytest.raises(Unfit, match="packing"):
        download_from(tracker)


def test_a_body_that_drips_ends(scripted):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    _, tracker = scripted([head, *([b"1\r\nx\r\n", 0.05] * 200)])

    class Slow(Basket):
        def write(self, data: bytes) -> None:
            super().write(data)
            clock.sleep(10)  # so that no test has to wait for an hour of dripping

    clock = tracker._clock
    sink = Slow()
    with pytest.raises(Unfit, match="slowly"):
        tracker.files.download(Attachment("1", "a", 10, 0), sink, 10_000_000)
    assert len(sink.data) < 100


def test_an_error_in_the_place_of_a_file_is_no_file(jira):
    _, file = attach(jira, b"words")
    where = "/attachment/content/" if jira.cloud else "/secure/"
    jira.server.faults.add(Fault("error", "GET", where, status=404, body={"errorMessages": ["gone"]}))
    with pytest.raises(Gone):
        download(jira, file)
    jira.server.faults.add(Fault("error", "GET", where, status=403, body={"errorMessages": ["no"]}))
    with pytest.raises(Refused):
        download(jira, file)


# --- redirects -----------------------------------------------------------------------------------------------------


def test_the_media_host_gets_no_login_and_must_be_named_when_it_is_not_public():
    with SimulatorServer(make_acme(), media_port=True) as server:
        house = House(server)
        _, file = attach(house, b"words")
        with pytest.raises(Unfit, match="media-hosts"):
            download(house, file)
        port = server.site.media_url.rpartition(":")[2]
        house.tracker.close()
        house.tracker = house.open(media_hosts=(f"127.0.0.1:{port}",))
        assert download(house, file) == b"words"
        assert server.site.misdirected_logins == 0
        house.close()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("http://169.254.169.254/latest/meta-data/", "public internet"),
        ("http://127.0.0.1:1/", "public internet"),
        ("http://localhost:1/", "public internet"),
        ("http://[::1]:1/", "public internet"),
        ("http://[::ffff:169.254.169.254]/", "public internet"),
        ("https://10.0.0.8/", "public internet"),
        ("https://100.64.0.1/", "public internet"),
        ("https://[fd00::1]/", "public internet"),
        ("http://0.0.0.0:80/", "public internet"),
        ("http://2130706433/", "public internet"),
        ("ftp://203.0.113.4/a", "not https"),
        ("file:///etc/passwd", "not https"),
        ("http://bridge:secret@127.0.0.1:1/", "login"),
        ("http://[", "no address"),
    ],
)
def test_a_redirect_into_our_own_network_is_refused(jira, target, words):
    _, file = attach(jira, b"words")
    where = "/attachment/content/" if jira.cloud else "/secure/"
    jira.server.faults.add(
        Fault("error", "GET", where, status=302, body=b"", headers={"location": target}, times=None)
    )
    with pytest.raises(Unfit, match=words):
        download(jira, file)


def test_redirects_end_after_two(jira):
    _, file = attach(jira, b"words")
    where = "/attachment/content/" if jira.cloud else "/secure/"
    again = f"{jira.server.url}{where}{file.id}/x"
    jira.server.faults.add(
        Fault("error", "GET", where, status=302, body=b"", headers={"location": again}, times=None)
    )
    before = jira.server.calls.last
    with pytest.raises(Unfit, match="redirects"):
        download(jira, file)
    assert len(jira.reached("GET", where, since=before)) == 3


def test_the_body_of_a_redirect_is_not_read(cloud):
    _, file = attach(cloud, b"words")
    cloud.server.faults.add(Fault("endless", "GET", "/attachment/content/"))
    assert download(cloud, file) == b"words"


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_that_is_called(jira):
    """DNS rebinding: a second look at the name would give another answer."""
    _, file = attach(jira, b"words")
    with ScriptedServer(answer(200, b"words")) as media:
        port = int(media.url.rpartition(":")[2])
        where = "/attachment/content/" if jira.cloud else "/secure/"
        target = f"http://media.example:{port}/a?b=c"
        jira.server.faults.add(
            Fault("error", "GET", where, status=302, body=b"", headers={"location": target}, times=None)
        )
        answers = [["127.0.0.1"], ["169.254.169.254"]]
        jira.tracker.close()
        jira.tracker = jira.open(media_hosts=(f"media.example:{port}",))
        jira.tracker.files._transfers._resolve = lambda *_: answers.pop(0)
        assert download(jira, file) == b"words"
        assert len(answers) == 1
        (request,) = media.requests
        assert request.startswith(b"GET /a?b=c HTTP/1.1\r\n")
        assert f"Host: media.example:{port}".encode() in request
        assert b"Authorization" not in request
        jira.tracker.files._transfers._resolve = lambda *_: ["203.0.113.9", "127.0.0.1"]
        jira.tracker.files._transfers._settings = jira.settings()
        with pytest.raises(Unfit):
            download(jira, file)


INWARD = """127.0.0.1 10.1.2.3 192.168.0.1 169.254.169.254 100.100.0.1 0.0.0.0 224.0.0.1 ::1 :: fe80::1%eth0
    fd12::1 ::ffff:10.0.0.1 2002:7f00:1:: 64:ff9b::a00:1 x"""


@pytest.mark.parametrize("address", INWARD.split())
def test_addresses_that_are_not_public(address):
    assert not public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_addresses_that_are_public(address):
    assert public(address)


# --- which files are private ---------------------------------------------------------------------------------------

ANN, BO = Person("ann", "Ann"), Person("bo", "Bo")


def comment(*nodes, private=True, at=1_000, author=ANN):
    return Comment("1", author, Document((Paragraph(nodes),)), at, at, private)


def file(name, *, at=1_000, author=ANN):
    return Attachment(name, name, 1, at, author)


@pytest.mark.parametrize(
    ("said", "private"),
    [
        (comment(Media("a.png")), {"a.png"}),
        (comment(Text("see a.png, please")), {"a.png"}),
        (comment(Text("see ba.png")), set()),
        (comment(Media("0f0f0f0f-0000-4000-8000-000000000000", "a.png")), {"a.png"}),
        (comment(Media("0f0f0f0f-0000-4000-8000-000000000000")), {"a.png", "b.png"}),
        (comment(Media("0f0f0f0f-0000-4000-8000-000000000000"), author=BO), set()),
        (comment(Media("0f0f0f0f-0000-4000-8000-000000000000"), at=2 * NEARBY), set()),
        (comment(Media("a.png"), private=False), set()),
        (comment(Text("nothing")), set()),
    ],
)
def test_a_file_of_a_private_comment_is_private(said, private):
    files = with_private([file("a.png"), file("b.png")], [said])
    assert {one.name for one in files if one.private} == private


def test_a_file_shown_in_a_private_comment_is_told_as_private_by_the_adapter(jira):
    key, _ = attach(jira, b"words", "salaries.txt")
    jira.person().comment(key, "see salaries.txt", visibility={"type": "role", "value": "Developers"})
    (found,) = jira.tracker.fetch([key], ())[key].attachments
    assert found.private


def test_a_kind_that_cannot_move_files_says_so(tmp_path):
    none = NoFiles("odd")
    with pytest.raises(Refused, match="cannot move files"):
        none.upload("1", outgoing(tmp_path, b""))
    with pytest.raises(Refused):
        none.download(file("a"), Basket(), 1)
    with pytest.raises(Refused):
        none.delete("1")
    assert (none.find("1", "a", 1, 0), none.limit()) == ((), 0)


@pytest.fixture
def scripted():
    servers = []

    def make(*scripts):
        server = ScriptedServer(*scripts)
        servers.append(server)
        settings = TrackerSettings("home", "jira-datacenter", server.url, SecretStr("t"), rate=1000.0)
        tracker = jira_datacenter.open_tracker(settings, QuickClock())
        servers.append(tracker)
        return server, tracker

    yield make
    for one in reversed(servers):
        (one.close if hasattr(one, "close") else lambda one=one: one.__exit__())()


def download_from(tracker, limit: int = 100_000) -> bytes:
    basket = Basket()
    tracker.files.download(Attachment("1", "a", 10, 0), basket, limit)
    return basket.data
