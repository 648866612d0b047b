"""The stage: two simulated trackers in this process, a configuration in a folder, the daemon as a process.

The daemon is started as anybody would start it, ``bridge run --config FOLDER``, with its tokens in
``secrets/`` and its log in a file. Whatever is started here is ended here, by its process id.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from types import FrameType
from typing import Any, Self

from bridge.cli.showing.people import INSIDE, VENDOR, Ledger, Person
from bridge.cli.showing.post import Post
from bridge.cli.showing.telling import DemoFailed
from bridge.simulator import LoggedCall, SimulatorServer, Site, add_person, load, make_acme, make_home

HERE = resources.files("bridge.cli.showing")

FILES = ("bridge.yaml", "agreements/acme.yaml")
"""The configuration that the demo ships, below ``config/``."""

BEGINNERS = {INSIDE: (("mia", "Mia Desk"), ("olu", "Olu Network")), VENDOR: (("dee", "Dee Support"),)}
"""People beside those whom the simulator's sites come with."""

INDEX_LAG = 300
"""Milliseconds by which the vendor's search trails the truth, as Cloud's does."""

ROBOT = "bridge"
"""Login of the integration account, on both sites."""

GRACE = 20.0
"""Seconds that the daemon gets to end what it is doing before it is killed."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What ends the demo."""

COMMAND_SECONDS = 60.0
"""The longest that another command of the bridge may take."""

STAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}\+0000")
"""A moment as Jira writes it; :meth:`datetime.fromisoformat` reads it."""


class Stage:
    """Everything the demo runs on, as a context manager.

    Args:
        folder: where configuration, database and log go; must exist.

    Attributes:
        home, acme: the servers.
        post: the mail server.
        ledger: what people made.
        starts: how often the daemon was started.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = Ledger()
        self.home = SimulatorServer(_filled(make_home(), INSIDE, self.ledger))
        self.acme = SimulatorServer(_filled(make_acme(), VENDOR, self.ledger))
        self.acme.site.set_lag(INDEX_LAG)
        self.post = Post()
        self.starts = 0
        self._daemon: subprocess.Popen[bytes] | None = None
        self._log_from = 0

    def __enter__(self) -> Self:
        """Open both trackers and the mail server, and write the configuration."""
        self.home.start()
        self.acme.start()
        self.post.start()
        self._write_configuration()
        return self

    def __exit__(self, *_: object) -> None:
        """End the daemon, then the trackers, whatever else happens."""
        # Answers that the trackers still hold back are cut off now, which is no news to anybody.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        with _undisturbed():
            try:
                self.stop()
            finally:
                self.home.stop()
                self.acme.stop()
                self.post.stop()
                logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)

    # -- people and trackers --

    def person(self, name: str, site: str, login: str = "") -> Person:
        """Somebody who works in one of the trackers."""
        return Person(name, site, self.server(site).url, login or name.lower(), self.ledger)

    def server(self, site: str) -> SimulatorServer:
        """A site's server."""
        return self.home if site == INSIDE else self.acme

    def calls(self, site: str, since: int = 0) -> list[LoggedCall]:
        """What the integration account has asked a tracker, from a call's number on."""
        return [call for call in self.server(site).calls.since(since) if call.user == ROBOT]

    # -- the daemon --

    @property
    def log(self) -> Path:
        """The daemon's log."""
        return self.folder / "daemon.log"

    @property
    def pid(self) -> int:
        """The daemon's process id."""
        assert self._daemon is not None, "it is asked for while the daemon runs"
        return self._daemon.pid

    def start(self) -> None:
        """Start the daemon; it says in its log when it is ready."""
        self._log_from = self.log.stat().st_size if self.log.exists() else 0
        with _undisturbed(), self.log.open("ab") as log:
            self._daemon = subprocess.Popen(  # noqa: S603 - ourselves
                self._command("run"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                start_new_session=True,  # a Ctrl-C is ours to pass on, once and by id
            )
        self.starts += 1

    def started(self) -> bool:
        """Whether the daemon has said that it runs."""
        return any(line.get("event") == "daemon_started" for line in self._lines())

    def check(self) -> None:
        """Complain if the daemon has ended by itself."""
        if self._daemon is not None and self._daemon.poll() is not None:
            raise DemoFailed(f"The daemon has ended by itself, with {self._daemon.returncode}.")

    def freeze(self) -> None:
        """Hold the daemon where it is."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the daemon go on."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Take the daemon away without a word: kill -9."""
        assert self._daemon is not None, "it is killed while it runs"
        self._daemon.kill()
        self._daemon.wait()
        self._daemon = None

    def stop(self) -> None:
        """End the daemon in good order, and by force if it does not listen."""
        daemon, self._daemon = self._daemon, None
        if daemon is None or daemon.poll() is not None:
            return
        try:
            daemon.send_signal(signal.SIGCONT)  # it may be frozen
            daemon.terminate()
            daemon.wait(GRACE)
        except subprocess.TimeoutExpired:
            pass
        finally:
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()

    def bridge(self, *arguments: str) -> str:
        """The output of another command of the bridge, as a person would type it."""
        try:
            done = subprocess.run(  # noqa: S603 - ourselves
                self._command(*arguments),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=self._environment(),
                encoding="utf-8",
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DemoFailed(f"'bridge {arguments[0]}' takes more than {COMMAND_SECONDS:.0f} s.") from None
        if done.returncode not in (0, 1) or not done.stdout:  # 1: it has found something, and says what
            last = (done.stderr.strip().splitlines() or ["nothing at all"])[-1]
            raise DemoFailed(f"'bridge {arguments[0]}' ended with {done.returncode} and said: {last}")
        return done.stdout

    def last_words(self, count: int = 8) -> list[str]:
        """The end of the daemon's log, each line cut to a readable length."""
        if not self.log.exists():
            return []
        longest = 240
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
        return [line if len(line) <= longest else line[:longest] + " ..." for line in lines]

    # -- inside --

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "bridge.cli", *arguments, "--config", str(self.folder)]

    def _environment(self) -> Mapping[str, str]:
        """Ours, without what would lead the daemon to another configuration or through a proxy."""
        astray = {"BRIDGE_CONFIG", "BRIDGE_SECRETS_DIR", "BRIDGE_LOG_LEVEL", "CREDENTIALS_DIRECTORY"}
        kept = {name: value for name, value in os.environ.items() if name not in astray}
        return {**kept, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "PYTHONUTF8": "1"}

    def _lines(self) -> Iterator[dict[str, Any]]:
        """The log's lines since the last start."""
        with self.log.open("rb") as log:
            log.seek(self._log_from)
            for line in log:
                if line.startswith(b"{") and line.endswith(b"\n"):
                    yield json.loads(line)

    def _write_configuration(self) -> None:
        for name in FILES:
            text = HERE.joinpath("config", *name.split("/")).read_text(encoding="utf-8")
            for key, placeholder, address in (
                ("url", "HOME_URL", self.home.url),
                ("url", "ACME_URL", self.acme.url),
                ("server", "POST_URL", self.post.url),
            ):
                text = text.replace(f"{key}: {placeholder}", f"{key}: {address}")
            target = self.folder / name
            target.parent.mkdir(exist_ok=True)
            target.write_text(text, encoding="utf-8")
        secrets = self.folder / "secrets"
        secrets.mkdir(mode=0o700)
        for name in ("home_token", "acme_token"):
            file = secrets / name
            file.write_text(f"{ROBOT}-token\n", encoding="utf-8")
            file.chmod(0o400)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let signals wait until a step is complete that must not be left half done: no daemon without its id."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    missed: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        missed.append(number)

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if missed:
            signal.raise_signal(missed[0])


def _filled(site: Site, name: str, ledger: Ledger) -> Site:
    """The site with the people and tickets that the demo ships; the ledger notes what is meant to cross."""
    for login, shown in BEGINNERS[name]:
        add_person(site, login, shown)
    text = HERE.joinpath("contents", f"{name}.jsonl").read_text(encoding="utf-8")
    for row in _recent([json.loads(line) for line in text.splitlines()]):
        (issue,) = load(site, [row])
        if name == VENDOR or "vendor-acme" in issue.values["labels"]:
            ledger.tickets.add((name, issue.key))
            public = (one for one in issue.comments if one.visibility is None)
            ledger.comments.update((name, issue.key, one.id) for one in public)
    return site


def _recent(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tickets with their times moved, whole days, so that the newest is from yesterday."""
    newest = max(datetime.fromisoformat(row["fields"]["updated"]) for row in rows)
    days = timedelta((datetime.now(UTC) - newest).days)

    def moved(value: Any, name: str = "") -> Any:
        match value:
            case dict():
                return {key: moved(one, key) for key, one in value.items()}
            case list():
                return [moved(one) for one in value]
            case str() if name == "duedate":
                return (date.fromisoformat(value) + days).isoformat()
            case str() if STAMP.fullmatch(value):
                moment = datetime.fromisoformat(value) + days
                return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"
            case _:
                return value

    return [moved(row) for row in rows]
