"""A file of several hundred megabytes crosses without being held in memory."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest
from world import eventually, open_world

from bridge.simulator.blobs import Blob

SIZE = 300 * 1024 * 1024
ROOM = 32 * 1024 * 1024


def memory(pid: int, what: str) -> int:
    """Bytes of a process: ``VmRSS`` now, ``VmHWM`` at its highest."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{what}:"))


def place(server, key: str, number: str, path: Path, name: str) -> None:
    """Put a file from the disk onto a ticket, as if somebody had attached it."""
    site = server.site
    with site.lock:
        issue = site.issue(key)
        size = path.stat().st_size
        author = next(one.id for one in site.users.values() if one.name == "ann")
        held = {
            "id": number,
            "filename": name,
            "author": author,
            "created": "2026-11-22T12:00:00.000+0000",
            "size": size,
            "mimeType": "application/octet-stream",
        }
        site.blobs[number] = Blob(size, path=path)
        issue.attachments = [*issue.attachments, held]
        issue.updated = site.now()
        site.reindex(issue)


def digest(blob: Blob) -> str:
    seen = hashlib.sha256()
    for chunk in blob.chunks():
        seen.update(chunk)
    return seen.hexdigest()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_file_of_300_mb_crosses_while_the_process_grows_by_less_than_32_mb(tmp_path):
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(os.urandom(2 * 1024 * 1024))
    block = os.urandom(1024 * 1024)
    with large.open("wb") as file:
        for _ in range(SIZE // len(block)):
            file.write(block)
    more = "attachments: {cross: both, max: 1GB, types: ['*']}"
    with open_world(tmp_path, more=more) as world:
        world.acme.site.attachment_limit = 2 * SIZE
        key = world.at_home().create("OPS", "Large")
        with world.daemon() as process:
            eventually(lambda: world.acme.site.issues, 60)
            place(world.home, key, "90001", small, "small.bin")
            (there,) = world.acme.site.issues.values()
            eventually(lambda: len(there.attachments) == 1, 60)
            before = memory(process.pid, "VmRSS")
            place(world.home, key, "90002", large, "large.bin")
            eventually(lambda: len(there.attachments) == 2, 120)
            grown = memory(process.pid, "VmHWM") - before
        copies = {one["filename"]: world.acme.site.blobs[one["id"]] for one in there.attachments}
        assert copies["large.bin"].size == SIZE
        assert digest(copies["large.bin"]) == digest(world.home.site.blobs["90002"])
        assert grown < ROOM, f"{grown / 1024 / 1024:.1f} MB"
        assert not list((tmp_path / "spool").glob("*.part"))
