"""Simulated Jiras for the tests of the adapters; each test gets fresh ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from jira_house import House

from bridge.simulator import SimulatorServer, make_acme, make_home


def _house(site) -> Iterator[House]:
    with SimulatorServer(site) as server:
        house = House(server)
        yield house
        house.close()


@pytest.fixture
def datacenter() -> Iterator[House]:
    yield from _house(make_home())


@pytest.fixture
def cloud() -> Iterator[House]:
    yield from _house(make_acme())


@pytest.fixture(params=["datacenter", "cloud"])
def jira(request) -> House:
    """Each flavour in turn."""
    return request.getfixturevalue(request.param)
