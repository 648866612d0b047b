"""Asking who changed what, between a decision and its write, does not make the write rest on a newer ticket."""

from __future__ import annotations

import pytest

from bridge.clock import SystemClock
from bridge.errors import Clashed
from bridge.trackers import rt_tracker


def test_a_history_that_is_asked_for_hides_no_colleague_from_the_write(rt):
    tracker = rt_tracker.open_tracker(rt.settings(), SystemClock())
    try:
        ticket = rt.new_ticket(rt.new_queue(), "Somebody is quicker")
        tracker.fetch([ticket], ())
        rt.edit_ticket(ticket, Subject="Theirs")
        assert [one.after for one in tracker.histories([ticket])[ticket]] == ["Theirs"]
        with pytest.raises(Clashed):
            tracker.update(ticket, {"summary": "Ours"}, ())
        assert rt.read_ticket(ticket)["Subject"] == "Theirs"
    finally:
        tracker.close()
