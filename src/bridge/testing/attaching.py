"""Files: up, listed, down, found again, and gone."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import pytest

from bridge.errors import Gone, OutcomeUnknown, Refused, TrackerError, Unfit
from bridge.sync.ticket import Attachment
from bridge.testing.desk import Desk
from bridge.testing.failing import wired
from bridge.trackers.files import Outgoing

CONTENTS = {"empty": b"", "small": b"words\r\n", "large": bytes(range(256)) * 1_500}

REPLACED = "Bob's plan, 100%.txt"
"""A name with characters that some trackers replace: the file is found under the name that was meant."""


class Basket:
    """A sink that keeps what it is given. Implements :class:`bridge.trackers.files.Sink`."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        """Take bytes."""
        self.data += data

    def restart(self) -> None:
        """Forget them."""
        self.data = b""


def packed(folder: Path, content: bytes, name: str) -> Outgoing:
    """A file that is to be uploaded."""
    path = folder / "content"
    path.write_bytes(content)
    return Outgoing(path, name, "text/plain", len(content), hashlib.sha256(content).hexdigest())


def listed(desk: Desk, ticket: str) -> dict[str, Attachment]:
    """A ticket's files as a read shows them, by id."""
    seen = desk.read(ticket)
    assert seen.attachments_complete
    return {file.id: file for file in seen.attachments}


class Attaching:
    """Promises of ``files``."""

    @pytest.fixture
    def filing(self, desk: Desk) -> Desk:
        """The desk, where files can be moved."""
        if not desk.abilities.attachments:
            pytest.skip(f"the adapter for {desk.tracker.kind} moves no files")
        return desk

    @pytest.mark.parametrize("size", sorted(CONTENTS))
    def test_a_file_goes_up_and_comes_down_whole(self, filing: Desk, tmp_path: Path, size: str) -> None:
        """It is listed as it was returned, is public and ours, and its bytes are the same."""
        content, ticket = CONTENTS[size], filing.filed()
        with filing.moment() as moment:
            made = filing.tracker.files.upload(ticket, packed(tmp_path, content, "plan \u00e5.txt"))
        assert moment.holds(made.at)
        assert made.size == len(content)
        assert made.digest in {"", hashlib.sha256(content).hexdigest()}
        file = listed(filing, ticket)[made.id]
        assert (file.name, file.size, file.url) == (made.name, made.size, made.url)
        assert file.author == filing.tracker.whoami()
        assert not file.private
        basket = Basket()
        filing.tracker.files.download(file, basket, len(content))
        assert basket.data == content

    def test_a_download_ends_at_its_limit(self, filing: Desk, tmp_path: Path) -> None:
        """No more is taken than was asked for."""
        ticket = filing.filed()
        made = filing.tracker.files.upload(ticket, packed(tmp_path, CONTENTS["large"], "plan.txt"))
        basket = Basket()
        with pytest.raises(Unfit):
            filing.tracker.files.download(listed(filing, ticket)[made.id], basket, 1_000)
        assert len(basket.data) <= 1_000  # noqa: PLR2004 - as asked for

    def test_one_name_may_stand_twice(self, filing: Desk, tmp_path: Path) -> None:
        """Two files of one name are two files; both are found, oldest first, and no file of another name or size."""
        ticket = filing.filed()
        ids = [
            filing.tracker.files.upload(ticket, packed(tmp_path, content, "plan.txt")).id
            for content in (b"one", b"two")
        ]
        assert list(listed(filing, ticket)) == ids
        since = filing.read(ticket).created
        assert [one.id for one in filing.tracker.files.find(ticket, "plan.txt", 3, since)] == ids
        assert not filing.tracker.files.find(ticket, "plan.txt", 4, since)
        assert not filing.tracker.files.find(ticket, "other.txt", 3, since)

    def test_a_file_is_found_after_a_lost_answer(self, filing: Desk, tmp_path: Path) -> None:
        """It was attached once at most, and what was attached is found."""
        since = filing.tracker.now()
        with wired(filing) as (far, wire, ticket):
            with suppress(OutcomeUnknown), wire.losing() as fault:
                far.tracker.files.upload(ticket, packed(tmp_path, b"words", REPLACED))
            assert fault.fired, "no write went through the wire"
        found = filing.tracker.files.find(ticket, REPLACED, 5, since)
        assert [one.id for one in found] == list(listed(filing, ticket))
        assert len(found) <= 1

    def test_a_file_is_deleted_and_again(self, filing: Desk, tmp_path: Path) -> None:
        """It is gone from the list and cannot be had any more; deleting what is gone is fine."""
        filing.needs_edits()
        ticket = filing.filed()
        made = filing.tracker.files.upload(ticket, packed(tmp_path, b"words", "plan.txt"))
        file = listed(filing, ticket)[made.id]
        for _ in range(2):
            filing.tracker.files.delete(made.id)
        assert listed(filing, ticket) == {}
        with pytest.raises(Gone):
            filing.tracker.files.download(file, Basket(), 5)

    def test_a_file_that_cannot_be_taken_back_stays(self, filing: Desk, tmp_path: Path) -> None:
        """Where everything stays as it was written, a deletion is refused and changes nothing."""
        if filing.kind.edits_texts:
            pytest.skip(f"a tracker of kind {filing.tracker.kind} lets files be removed")
        ticket = filing.filed()
        made = filing.tracker.files.upload(ticket, packed(tmp_path, b"words", "plan.txt"))
        with pytest.raises(Refused):
            filing.tracker.files.delete(made.id)
        assert list(listed(filing, ticket)) == [made.id]

    def test_no_file_goes_onto_a_ticket_that_is_not_there(self, filing: Desk, tmp_path: Path) -> None:
        """It is refused in the tracker's words, or gone."""
        with pytest.raises(TrackerError) as refused:
            filing.tracker.files.upload(filing.samples.absent, packed(tmp_path, b"words", "plan.txt"))
        assert not isinstance(refused.value, OutcomeUnknown)
