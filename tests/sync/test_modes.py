"""Which pairs of tickets the mode of an agreement lets be written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from makings import agreement
from makings import ticket as made

from bridge.sync.modes import may_write
from bridge.sync.roles import Mode, Pilot
from bridge.sync.ticket import Side


def ticket(*labels):
    """A ticket with these labels, its key none of those that the pilots here name."""
    return made(Side.VENDOR, {"labels": frozenset(labels)})


def test_live_writes_and_observe_does_not():
    assert may_write(agreement(), ["OPS-1", "CUST-1"], [])
    assert not may_write(replace(agreement(), mode=Mode.OBSERVE), ["OPS-1", "CUST-1"], [])


@pytest.mark.parametrize("keys", [("OPS-1", ""), ("ops-1", "CUST-9"), ("OPS-9", "CUST-7")])
def test_a_pilot_names_tickets_by_the_key_of_either_side(keys):
    terms = replace(agreement(), mode=Mode.PILOT, pilot=Pilot(tickets=("OPS-1", "cust-7")))
    assert may_write(terms, keys, [])
    assert not may_write(terms, ("OPS-11", "CUST-77"), [])
    assert not may_write(terms, ("", ""), [])


def test_a_pilot_names_tickets_by_the_labels_of_either_side():
    terms = replace(agreement(), mode=Mode.PILOT, pilot=Pilot(labels=("pilot-*",)))
    plain, chosen = ticket("a", "pilot"), ticket("a", "Pilot-2")
    assert may_write(terms, [], [plain, chosen])
    assert may_write(terms, [], [chosen])
    assert not may_write(terms, [], [plain])
    assert not may_write(terms, [], [ticket(), made(Side.VENDOR)])


def test_a_pilot_that_names_nothing_writes_nothing():
    assert not may_write(replace(agreement(), mode=Mode.PILOT), ["OPS-1"], [ticket("x")])
