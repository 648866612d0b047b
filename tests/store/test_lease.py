"""Two bridges on one database would do everything twice."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bridge.errors import StoreError
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
