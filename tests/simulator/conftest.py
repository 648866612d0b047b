"""A home (Data Center) and an acme (Cloud) on loopback, a clock that tests turn, and people who can act."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from simulator_people import Person, TurnedClock

from bridge.simulator import SimulatorServer, make_acme, make_home


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def home(clock) -> Iterator[SimulatorServer]:
    with SimulatorServer(make_home(clock)) as server:
        yield server


@pytest.fixture
def acme(clock) -> Iterator[SimulatorServer]:
    with SimulatorServer(make_acme(clock)) as server:
        yield server


@pytest.fixture(params=["home", "acme"])
def either(request) -> SimulatorServer:
    """Each flavour in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def ann(home) -> Person:
    return Person(home, "ann")


@pytest.fixture
def bo(acme) -> Person:
    return Person(acme, "bo")


@pytest.fixture
def someone(either) -> Person:
    """A person on either flavour."""
    return Person(either, "bo" if either.site.cloud else "ann")
