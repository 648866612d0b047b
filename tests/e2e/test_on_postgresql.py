"""The main job with the bridge's own records in a real PostgreSQL."""

from __future__ import annotations

from collections import Counter

import pytest
from postgres_server import fresh_schema
from world import eventually, open_world

pytestmark = pytest.mark.real


@pytest.mark.slow
def test_a_day_on_postgresql_with_a_kill_and_a_second_bridge_that_is_refused(tmp_path, postgres):
    with fresh_schema(postgres) as url, open_world(tmp_path, database=url) as world:
        ann, bo = world.at_home(), world.at_acme()
        keys = [ann.create("OPS", f"Made {number}") for number in range(8)]
        with world.daemon() as daemon:
            eventually(lambda: world.judge() == 8, 60)
            second = world.bridge("run")
            assert second.returncode == 1
            assert "Another bridge works on" in second.stderr
            daemon.kill()
            daemon.wait()
        bo.create("CUST", "From the vendor")
        for key in keys:
            ann.comment(key, f"said on {key}.")
            bo.edit(world.peer(key), duedate="2027-03-04")
        ann.move(keys[0], "In Progress")
        with world.daemon():
            eventually(lambda: world.judge() == 9 and ann.field(keys[-1], "duedate") == "2027-03-04", 60)
            eventually(lambda: all(link.due_at is None for link in world.links()), 60)
        events = Counter(line["event"] for line in world.log())
        assert events["duplicates_found"] == events["stray_mirror"] == events["link_failed"] == 0
        assert world.bridge("status").returncode == 0
        assert world.bridge("explain", keys[0]).returncode == 0
