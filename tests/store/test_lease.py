"""Two bridges on one database would do everything twice."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from postgres_server import fresh_schema

from bridge.errors import AlreadyRunning, StoreError
from bridge.store.lease import Lease


def test_a_second_bridge_is_refused_and_told_who_works(tmp_path):
    url = f"sqlite:///{tmp_path}/bridge.db"
    lease = Lease(url)
    code = f"from bridge.store.lease import Lease; Lease({url!r})"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert other.returncode != 0
    assert f"Another bridge (process {os.getpid()})" in other.stderr
    lease.release()
    Lease(url).release()


def test_a_crash_leaves_nothing_to_clean_up(tmp_path):
    url = f"sqlite:///{tmp_path}/bridge.db"
    code = f"import os; from bridge.store.lease import Lease; lease = Lease({url!r}); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code], check=False)
    Lease(url).release()


def test_a_database_in_memory_needs_none():
    Lease("sqlite://").release()


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(StoreError, match="cannot be made"):
        Lease(f"sqlite:///{tmp_path}/missing/bridge.db")


def test_a_second_bridge_on_the_same_postgresql_is_refused_and_one_on_another_schema_is_not(postgres):
    with fresh_schema(postgres) as url, fresh_schema(postgres) as elsewhere:
        lease = Lease(url)
        with pytest.raises(AlreadyRunning, match="two would do everything twice"):
            Lease(url)
        Lease(elsewhere).release()
        lease.release()
        Lease(url).release()


def test_a_bridge_that_crashed_leaves_its_postgresql_free(postgres):
    with fresh_schema(postgres) as url:
        code = f"import os; from bridge.store.lease import Lease; lease = Lease({url!r}); os.kill(os.getpid(), 9)"
        subprocess.run([sys.executable, "-c", code], check=False)
        for _ in range(100):  # the server notices the death of a connection in its own time
            try:
                Lease(url).release()
            except AlreadyRunning:
                time.sleep(0.1)
            else:
                return
        Lease(url).release()


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://u:secret@127.0.0.1:9/x", "postgresql+nodriver://u:secret@h/x"]
)
def test_a_postgresql_that_cannot_be_used_says_so_without_the_password(url):
    with pytest.raises(StoreError, match=r"cannot be reached|needs a package") as caught:
        Lease(url)
    assert "secret" not in str(caught.value)
