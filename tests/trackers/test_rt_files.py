"""Files of a real Request Tracker: parts of what was said, as public as that."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from test_redmine_files import Basket

from bridge.clock import SystemClock
from bridge.errors import Gone, Refused, Unfit, Unintelligible
from bridge.sync.ticket import Attachment
from bridge.trackers import rt_lists
from bridge.trackers.files import Outgoing
from bridge.trackers.rt_files import LARGEST, Unpacking, kept
from bridge.trackers.rt_tracker import open_tracker

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8


@pytest.fixture
def tracker(rt):
    opened = open_tracker(rt.settings(), SystemClock())
    yield opened
    opened.close()


def part(name, content=b"words", kind="application/octet-stream"):
    """A file as a person sends it."""
    return {"FileName": name, "FileType": kind, "FileContent": base64.b64encode(content).decode()}


def say(rt, ticket, how, *files, text="", who="alice"):
    """A person replies (``correspond``) or comments with files."""
    body = {"Attachments": list(files)}
    if text:
        body |= {"Content": text, "ContentType": "text/plain"}
    rt.call(who, "POST", f"/ticket/{ticket}/{how}", body)


def outgoing(folder, content, name, kind="text/plain"):
    path = folder / "1.part"
    path.write_bytes(content)
    return Outgoing(path, name, kind, len(content), hashlib.sha256(content).hexdigest())


def read(tracker, ticket):
    return tracker.fetch([ticket], ())[ticket]


def fetched(tracker, file, limit=None):
    basket = Basket()
    tracker.files.download(file, basket, file.size if limit is None else limit)
    return basket.data


@pytest.mark.real
def test_a_file_is_as_public_as_what_it_came_with(rt, tracker):
    queue = rt.new_queue()
    ticket = rt.new_ticket(queue, "Born with it", "text", Attachments=[part("born.bin", PNG, "image/png")])
    say(rt, ticket, "correspond", part("told.txt", b"h\xe9\n", "text/plain"), text="see this", who="bob")
    say(rt, ticket, "comment", part("secret.txt"), text="for us")
    say(rt, ticket, "comment", part("bare.txt"))
    say(rt, ticket, "correspond", part("one.txt", b"1"), part("two.txt", b"2"))
    seen = read(tracker, ticket)
    assert seen.attachments_complete
    assert [(file.name, file.private) for file in seen.attachments] == [
        ("born.bin", False),
        ("told.txt", False),
        ("secret.txt", True),
        ("bare.txt", True),
        ("one.txt", False),
        ("two.txt", False),
    ]
    by_name = {file.name: file for file in seen.attachments}
    born, told = by_name["born.bin"], by_name["told.txt"]
    assert (born.media_type, born.size, born.author.id, told.author.id) == (
        "image/png",
        len(PNG),
        "alice",
        "bob",
    )
    assert born.url.startswith(f"{rt.url}/Ticket/Attachment/")
    assert fetched(tracker, born) == PNG
    assert fetched(tracker, told) == "h\xe9\n".encode(), "as Request Tracker keeps it, and counts it"
    assert [(comment.author.id, comment.private) for comment in seen.comments] == [
        ("bob", False),
        ("alice", True),
    ], "a reply that is nothing but a file is no comment"


@pytest.mark.real
def test_what_has_no_files_costs_no_further_call(rt, tracker):
    queue = rt.new_queue()
    plain = rt.new_ticket(queue, "No file", "text")
    for number in range(3):
        rt.reply(plain, f"<p>{number}</p>", kind="text/html")
    full = rt.new_ticket(queue, "Many")
    for number in range(4):
        say(rt, full, "correspond", part(f"{number}.txt"))

    def calls(ticket):
        sent = []
        call = tracker._http.call

        def count(*args, **more):
            sent.append(args[1])
            return call(*args, **more)

        tracker._http.call = count
        try:
            files = read(tracker, ticket).attachments
        finally:
            tracker._http.call = call
        return len(files), sent.count("/attachments")

    read(tracker, plain)
    assert calls(plain) == (0, 1)
    assert calls(full) == (4, 2)


@pytest.mark.real
def test_files_are_read_over_many_pages(rt, tracker, monkeypatch):
    ticket = rt.new_ticket(rt.new_queue(), "Long")
    say(rt, ticket, "correspond", *(part(f"{number}.txt") for number in range(5)))
    for number in range(5, 9):
        say(rt, ticket, "correspond", part(f"{number}.txt"), who="bridge")
    monkeypatch.setattr(rt_lists, "PAGE", 2)
    assert [file.name for file in read(tracker, ticket).attachments] == [
        f"{number}.txt" for number in range(9)
    ]
    assert len(tracker.files.find(ticket, "8.txt", 5, 0)) == 1


@pytest.mark.real
@pytest.mark.parametrize(
    "sent",
    [
        ("gr\u00fc\u00df\r\n".encode("latin-1"), "latin.txt", "text/plain"),
        (b"<p>\xff\xfe</p>", "page.html", "text/html"),
        (b"From: a@b\r\n\r\nbody\r\n", "mail.eml", "message/rfc822"),
        (PNG, "\u00fc \u6f22\u5b57 \U0001f600.png", "image/png"),
        (b"", "empty \u20ac.txt", "text/plain"),
        (b"\x00" * 300_000, "a;b 'c' 100%.bin", "application/x-odd"),
        (b"0", "0", ""),
        (b"a", 'say "=?utf-8?Q?x?=".txt', "text/plain"),
        (b"\r\n--bridge--\r\n", "x" * 150 + ".txt", "text/plain"),
    ],
    ids=["latin", "html", "mail", "wide", "empty", "zeros", "nought", "quotes", "long"],
)
def test_a_file_goes_up_as_it_is(rt, tracker, tmp_path, sent):
    content, name, kind = sent
    ticket = rt.new_ticket(rt.new_queue(), "Up")
    since = tracker.now()
    made = tracker.files.upload(ticket, outgoing(tmp_path, content, name, kind))
    assert (made.name, made.size) == (kept(name), len(content))
    seen = read(tracker, ticket)
    (file,) = seen.attachments
    assert (file.id, file.url, file.private, file.author.id) == (made.id, made.url, False, "bridge")
    assert seen.comments == ()
    assert seen.updated == made.at
    assert fetched(tracker, file) == content
    assert [one.id for one in tracker.files.find(ticket, name, len(content), since)] == [made.id]
    assert tracker.files.find(ticket, name, len(content) + 1, since) == []


@pytest.mark.real
def test_an_upload_opens_no_ticket_again(rt, tracker, tmp_path):
    ticket = rt.new_ticket(rt.new_queue(), "Done")
    rt.edit_ticket(ticket, Status="resolved")
    read(tracker, ticket)
    tracker.files.upload(ticket, outgoing(tmp_path, b"words", "late.txt"))
    assert rt.read_ticket(ticket)["Status"] == "resolved"


@pytest.mark.real
def test_others_files_are_not_ours(rt, tracker, tmp_path):
    ticket = rt.new_ticket(rt.new_queue(), "Whose")
    say(rt, ticket, "correspond", part("plan.txt"))
    say(rt, ticket, "comment", part("plan.txt"), who="bridge")
    assert tracker.files.find(ticket, "plan.txt", 5, 0) == []
    other = rt.new_ticket(rt.new_queue(), "Merged into")
    rt.edit_ticket(ticket, MergeInto=other)
    with pytest.raises(Gone):
        tracker.files.upload(ticket, outgoing(tmp_path, b"words", "plan.txt"))
    assert read(tracker, other).attachments == ()


@pytest.mark.real
def test_what_cannot_be_had_and_what_cannot_be_done(rt, tracker):
    ticket = rt.new_ticket(rt.new_queue(), "Limits")
    say(rt, ticket, "correspond", part("big.bin", bytes(200_000)))
    (file,) = read(tracker, ticket).attachments
    basket = Basket()
    with pytest.raises(Unfit, match="beyond the 1000"):
        tracker.files.download(file, basket, 1_000)
    assert len(basket.data) <= 1_000
    with pytest.raises(Gone):
        tracker.files.download(Attachment("999999999", "x", 1, 0), Basket(), 1)
    with pytest.raises(Refused, match="nobody take back"):
        tracker.files.delete(file.id)
    assert tracker.files.limit() == LARGEST


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 5_000])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 57, 58, 4_000])
def test_base64_in_json_is_unpacked_as_it_comes(step, size):
    content = bytes(number * 7 % 256 for number in range(size))
    told = {"Filename": '"Content" : "no', "Content": base64.encodebytes(content).decode(), "id": 4}
    raw = json.dumps(told, indent=3, separators=(",", " : ")).replace("/", "\\/").encode()
    basket = Basket()
    unpacking = Unpacking("rt", basket, size)
    for _ in range(2):  # what came before a restart is forgotten
        unpacking.restart()
        for start in range(0, len(raw), step):
            unpacking.write(raw[start : start + step])
    unpacking.finish()
    assert basket.data == content


@pytest.mark.parametrize(
    "raw",
    [
        b'{"id" : 4}',
        b'{"Content" : "d29y',
        b'{"Content" : "d29',
        b'{"Content" : "d29y!!!!"}',
        b'{"Content" : "d29\\u0041"}',
        b'{"Content" : "d29"}',
    ],
)
def test_what_is_no_whole_file_is_unintelligible(raw):
    unpacking = Unpacking("rt", Basket(), 100)

    def take():
        unpacking.write(raw)
        unpacking.finish()

    with pytest.raises(Unintelligible):
        take()


def test_an_absent_content_is_an_empty_file():
    basket = Basket()
    unpacking = Unpacking("rt", basket, 0)
    unpacking.write(b'{"Content" : null, "id" : 4}')
    unpacking.finish()
    assert basket.data == b""
