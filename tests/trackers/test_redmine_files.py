"""Files of a real Redmine: up in two steps, down by number, private with the note they came with."""

from __future__ import annotations

import hashlib

import pytest
import requests

from bridge.clock import SystemClock
from bridge.errors import Gone
from bridge.sync.ticket import Attachment
from bridge.trackers.files import Outgoing
from bridge.trackers.redmine import open_tracker

pytestmark = pytest.mark.real


class Basket:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def restart(self) -> None:
        self.data = b""


@pytest.fixture
def tracker(redmine):
    opened = open_tracker(redmine.settings(), SystemClock())
    yield opened
    opened.close()


def upload(redmine, issue, name, content, *, who="alice", **more):
    """Somebody attaches a file, perhaps with a note."""
    answer = requests.post(
        f"{redmine.url}/uploads.json",
        params={"filename": name},
        data=content,
        headers={"X-Redmine-API-Key": redmine.keys[who], "Content-Type": "application/octet-stream"},
        timeout=60,
    )
    token = answer.json()["upload"]["token"]
    redmine.edit_issue(issue, who=who, uploads=[{"token": token, "filename": name}], **more)
    return token.partition(".")[0]


@pytest.mark.parametrize("content", [b"words", b"", b"\x00\xff" * 400_000], ids=["small", "empty", "large"])
def test_a_file_goes_up_is_listed_found_read_and_deleted(redmine, tracker, tmp_path, content):
    issue = redmine.new_issue(redmine.new_project(), "With a file")
    path = tmp_path / "1.part"
    path.write_bytes(content)
    sha = hashlib.sha256(content).hexdigest()
    before = tracker.now()
    made = tracker.files.upload(issue, Outgoing(path, "bréve 1.txt", "text/plain", len(content), sha))
    assert (made.name, made.size, made.digest) == ("bréve 1.txt", len(content), sha)
    ticket = tracker.fetch([issue], ())[issue]
    assert ticket.attachments_complete
    (listed,) = ticket.attachments
    assert (listed.id, listed.name, listed.size, listed.private) == (made.id, made.name, made.size, False)
    assert ticket.comments == (), "a file is no comment"
    basket = Basket()
    tracker.files.download(listed, basket, len(content))
    assert basket.data == content
    (found,) = tracker.files.find(issue, made.name, made.size, before - 2_000_000)
    assert found.id == made.id
    assert tracker.files.find(issue, "other", made.size, 0) == []
    tracker.files.delete(made.id)
    tracker.files.delete(made.id)
    assert tracker.fetch([issue], ())[issue].attachments == ()
    with pytest.raises(Gone):
        tracker.files.download(listed, Basket(), 1)


def test_a_file_of_a_private_note_is_private(redmine, tracker):
    issue = redmine.new_issue(redmine.new_project(), "Secret")
    public = upload(redmine, issue, "a.txt", b"a", notes="for all", who="bob")
    hidden = upload(redmine, issue, "b.txt", b"b", notes="for us", private_notes=True)
    ticket = tracker.fetch([issue], ())[issue]
    assert {file.id: file.private for file in ticket.attachments} == {public: False, hidden: True}


def test_a_file_whose_note_we_may_not_see_is_private(redmine, tracker):
    """The list shows it; no journal that we see tells where it came from."""
    issue = redmine.new_issue(redmine.new_project(), "Secret")
    hidden = upload(redmine, issue, "b.txt", b"b", notes="for us", private_notes=True)
    raw = tracker._issue(issue)
    raw["journals"] = []
    raw["created_on"] = "2020-01-01T00:00:00Z"
    from bridge.trackers.redmine_values import to_ticket

    (file,) = to_ticket(raw, tracker._shape(())).attachments
    assert (file.id, file.private) == (hidden, True)


def test_a_file_that_came_with_the_issue_is_public(redmine, tracker):
    project = redmine.new_project()
    answer = requests.post(
        f"{redmine.url}/uploads.json",
        params={"filename": "a.txt"},
        data=b"a",
        headers={"X-Redmine-API-Key": redmine.keys["alice"], "Content-Type": "application/octet-stream"},
        timeout=60,
    )
    token = answer.json()["upload"]["token"]
    issue = redmine.new_issue(project, "Born with it", uploads=[{"token": token, "filename": "a.txt"}])
    (file,) = tracker.fetch([issue], ())[issue].attachments
    assert isinstance(file, Attachment)
    assert not file.private
