"""``bridge webhooks register|status|remove``: the webhooks that stand in the trackers, and whether they speak."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from bridge.cli.options import config_option, json_option, print_json, quiet, read_settings
from bridge.clock import SECOND, SystemClock
from bridge.config.settings import Settings, TrackerSettings, WebhookSettings
from bridge.errors import ConfigError, Gone, Problem, Refused, StoreError, TrackerError, Unauthorised
from bridge.store.database import Store
from bridge.sync.ticket import Side
from bridge.trackers.hook_steps import steps
from bridge.trackers.hooks import Registrar, Standing, Wanted
from bridge.trackers.registry import open_tracker, registrar

tracker_argument = click.argument("tracker", required=False)


@dataclass(frozen=True, slots=True)
class _Hook:
    """One tracker whose webhooks are taken."""

    tracker: TrackerSettings
    webhook: WebhookSettings
    wanted: Wanted

    def ours(self, standing: Standing) -> bool:
        """Whether a webhook is the one that we registered: same address, or same name, which holds our own address."""
        return standing.url == self.wanted.url or standing.name == self.wanted.name

    def by_hand(self) -> str:
        """What a person would do."""
        return steps(self.tracker.kind, self.wanted.url, self.webhook.secret_name, self.wanted.projects)


@click.group()
def command() -> None:
    """Register, see and remove the webhooks that tell the bridge of changes."""


@command.command()
@tracker_argument
@config_option
def register(*, tracker: str | None, config: Path) -> None:
    """Register the webhook at TRACKER, or at all that have one configured; harmless when it is there.

    Where the tracker has no API for that, or our account is no administrator, the steps for a person are printed. After
    a change of the secret, register again.
    """
    settings = read_settings(config)
    done = True
    for hook in _hooks(settings, tracker):
        done = _register(hook) and done
    sys.exit(0 if done else 1)


@command.command()
@tracker_argument
@config_option
@json_option
def status(*, tracker: str | None, config: Path, as_json: bool) -> None:
    """Show which webhooks are registered, when each last spoke, and which have fallen silent.

    Ends with 1 when one is not registered, or silent.
    """
    with quiet():
        settings = read_settings(config)
    notes = _notes(settings)
    rows = [_row(hook, notes.get(hook.tracker.name) or {}) for hook in _hooks(settings, tracker)]
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            click.echo(f"{row['tracker']}: {row['url']}")
            click.echo(f"  {_standing_words(row)}; {_heard_words(row)}")
    sys.exit(1 if any(row["silent"] or row["registered"] is False for row in rows) else 0)


@command.command()
@tracker_argument
@config_option
def remove(*, tracker: str | None, config: Path) -> None:
    """Remove the webhook that the bridge registered at TRACKER, or at all; never anybody else's."""
    settings = read_settings(config)
    for hook in _hooks(settings, tracker):
        count = 0
        with _opened(hook) as desk:
            if desk is None:
                click.echo(
                    f"{hook.tracker.name}: has no API for webhooks; remove it by hand: {hook.wanted.url}"
                )
                continue
            for one in desk.standing():
                if hook.ours(one):
                    desk.remove(one)
                    count += 1
        click.echo(f"{hook.tracker.name}: {'removed' if count else 'there was none of ours'}")


def _register(hook: _Hook) -> bool:
    name = hook.tracker.name
    with _opened(hook) as desk:
        if desk is None:
            click.echo(f"{name}: by hand\n{hook.by_hand()}")
            return False
        try:
            found = [one for one in desk.standing() if hook.ours(one)]
            desk.put(hook.wanted, found[0] if found else None)
            for extra in found[1:]:
                desk.remove(extra)
        except (
            Refused,
            Gone,
            Unauthorised,
        ) as error:  # how a Jira says that we are no administrator is its own affair
            click.echo(f"{name}: {error.words}\n{hook.by_hand()}")
            return False
    click.echo(f"{name}: {'renewed' if found else 'registered'} at {hook.wanted.url}")
    return True


def _hooks(settings: Settings, only: str | None) -> Iterator[_Hook]:
    """The trackers whose webhooks are taken.

    Raises:
        ConfigError: the named one is not among them, or trackers would not know where to send.
    """
    chosen = [
        one for one in settings.trackers.values() if one.webhook is not None and only in (None, one.name)
    ]
    if not chosen:
        what = f"'{only}' has no 'webhook'" if only else "no tracker has a 'webhook'"
        fix = "add e.g. 'webhook: {secret: {secret: home_hook}}' to the tracker, and 'web: {public-url: ...}'"
        raise ConfigError([Problem("bridge.yaml", 0, "trackers", what, fix)])
    assert settings.web is not None, "the configuration has been checked"
    if not settings.web.public_url:
        fix = "add e.g. 'public-url: https://bridge.example.com', the address that the trackers can reach"
        raise ConfigError(
            [Problem("bridge.yaml", 0, "web", "trackers would not know where to send webhooks", fix)]
        )
    used = {agreement.scope(side).tracker for agreement in settings.agreements for side in Side}
    idle = [one.name for one in chosen if one.name not in used]
    if idle:
        what = f"no agreement uses {', '.join(idle)}: there is nothing to be told of"
        raise ConfigError(
            [
                Problem(
                    "bridge.yaml", 0, "trackers", what, "write the agreement first, or name another tracker"
                )
            ]
        )
    host = urlsplit(settings.web.public_url).netloc
    for one in chosen:
        assert one.webhook is not None
        projects = dict.fromkeys(
            scope.project
            for agreement in settings.agreements
            for side in Side
            if (scope := agreement.scope(side)).tracker == one.name
        )
        wanted = Wanted(
            name=f"bridge at {host} ({one.webhook.path})",
            url=settings.web.hook_url(one.webhook),
            secret=one.webhook.secrets[0].get_secret_value(),
            projects=tuple(projects),
        )
        yield _Hook(one, one.webhook, wanted)


@contextmanager
def _opened(hook: _Hook) -> Iterator[Registrar | None]:
    """What registers webhooks at that tracker; None where it has no API for them."""
    tracker = open_tracker(hook.tracker, SystemClock())
    try:
        yield registrar(tracker)
    finally:
        tracker.close()


def _notes(settings: Settings) -> dict[str, Any]:
    """What the daemon remembers of the webhooks; nothing before its first start."""
    try:
        with Store.open(settings.database, migrate=False) as store, store.read() as tx:
            return {key.removeprefix("hook/"): note for key, note in tx.cursors.notes("hook/").items()}
    except StoreError:
        return {}


def _row(hook: _Hook, note: dict[str, Any]) -> dict[str, Any]:
    now = SystemClock().now()
    heard = note.get("heard")
    registered, trouble = None, ""
    with _opened(hook) as desk:
        if desk is not None:
            try:
                registered = any(hook.ours(one) and one.active for one in desk.standing())
            except TrackerError as error:
                trouble = error.words
    return {
        "tracker": hook.tracker.name,
        "url": hook.wanted.url,
        "registered": registered,
        "trouble": trouble,
        "heard_seconds_ago": None if heard is None else round((now - heard) / SECOND),
        "silent": note.get("silent_since") is not None,
    }


def _standing_words(row: dict[str, Any]) -> str:
    if row["registered"] is None:
        return f"cannot tell whether it is registered ({row['trouble'] or 'the tracker has no API for that'})"
    return "registered" if row["registered"] else "NOT registered: run 'bridge webhooks register'"


def _heard_words(row: dict[str, Any]) -> str:
    ago = row["heard_seconds_ago"]
    heard = "never spoke" if ago is None else f"last spoke {ago} s ago"
    return f"{heard}; SILENT: the polls find changes that it did not announce" if row["silent"] else heard
