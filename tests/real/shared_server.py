"""One real server for all workers of a test run, started by its script in this folder.

The first worker that needs the server starts it, the last one that lets go stops it. A script is called as
``SCRIPT start DIR``, which prints the server's address, and ``SCRIPT stop DIR``.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def common_folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    """A folder that all workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / name
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def shared_server(folder: Path, script: Path) -> Iterator[tuple[str, Path]]:
    """Start the server unless another worker has; stop it when no worker uses it any more.

    Args:
        folder: shared by all workers.
        script: starts and stops the server.

    Yields:
        The server's address and the folder of its instance.
    """
    users = folder / "users"
    with _locked(folder):
        count = int(users.read_text()) if users.exists() else 0
        if count == 0:
            _start(folder, script)
        users.write_text(str(count + 1))
        url = (folder / "url").read_text()
        instance = Path((folder / "instance").read_text())
    try:
        yield url, instance
    finally:
        with _locked(folder):
            count = int(users.read_text()) - 1
            users.write_text(str(count))
            if count == 0:
                subprocess.run([script, "stop", instance], check=True)


def _start(folder: Path, script: Path) -> None:
    """Start a fresh instance and note where it is."""
    instance = folder / f"instance-{secrets.token_hex(4)}"
    started = subprocess.run([script, "start", instance], check=False, capture_output=True, text=True)
    assert started.returncode == 0, started.stderr
    (folder / "url").write_text(started.stdout.strip())
    (folder / "instance").write_text(str(instance))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel lets go of it if the process dies."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
