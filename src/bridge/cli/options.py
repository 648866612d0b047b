"""Options and openings that several commands share."""

from __future__ import annotations

import json
import os
import pwd
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from bridge.config import Kind, Settings, load
from bridge.log import configure
from bridge.sync.agreement import Agreement

PLACES = (Path("config/bridge.yaml"), Path("bridge.yaml"), Path("/etc/bridge/bridge.yaml"))
"""Where a configuration is looked for when none is named."""

F = TypeVar("F", bound=Callable[..., Any])


def config_option(function: F) -> F:
    """``--config``: which configuration."""
    return click.option(
        "-c",
        "--config",
        "config",
        type=click.Path(path_type=Path),
        envvar="BRIDGE_CONFIG",
        default=_found,
        show_default="config/bridge.yaml, bridge.yaml or /etc/bridge/bridge.yaml",
        help="The configuration: bridge.yaml or its folder. Also $BRIDGE_CONFIG.",
    )(function)


def anew_option(function: F) -> F:
    """``--anew``: begin with an empty memory on purpose."""
    return click.option(
        "--anew",
        is_flag=True,
        help="Begin with an empty database though mirrors of this agreement are there; they are adopted, but their "
        "comments cross once more.",
    )(function)


def moved_option(function: F) -> F:
    """``--moved``: a site has a new address."""
    return click.option(
        "--moved",
        is_flag=True,
        help="A tracker's address has changed, but it is the same site with the same tickets.",
    )(function)


def json_option(function: F) -> F:
    """``--json``: for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(function)


def agreement_option(function: F) -> F:
    """``--agreement``: under which agreement."""
    return click.option("--agreement", metavar="NAME", help="Under which agreement, if there are several.")(
        function
    )


def winner_option(function: F) -> F:
    """``--from``: whose values stand when two tickets are linked."""
    return click.option(
        "--from",
        "winner",
        type=click.Choice(["internal", "vendor", "none"]),
        default="none",
        show_default=True,
        help="The side whose values stand where the tickets differ at first; 'none' leaves that to the rules of the "
        "fields, as for a conflict.",
    )(function)


def history_option(function: F) -> F:
    """``--history``: carry old comments."""
    return click.option(
        "--history",
        is_flag=True,
        help="Carry what is there already as well (public comments, with their dates; worklogs); otherwise only new "
        "ones cross.",
    )(function)


def chosen_agreement(settings: Settings, name: str | None) -> Agreement:
    """The agreement of that name, or the only one.

    Raises:
        click.UsageError: there is none of that name, or several and no name.
    """
    names = ", ".join(f"'{one.name}'" for one in settings.agreements)
    for one in settings.agreements:
        if one.name == name or (name is None and len(settings.agreements) == 1):
            return one
    raise click.UsageError(f"say which agreement with --agreement: {names}")


def log_option(function: F) -> F:
    """``--log-level``: sets up logging before the command runs."""

    def set_up(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
        configure(value)  # type: ignore[arg-type]  # click.Choice has checked it
        return value

    return click.option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        envvar="BRIDGE_LOG_LEVEL",
        default="info",
        show_default=True,
        callback=set_up,
        expose_value=False,
        help="The least level that is logged, to standard error.",
    )(function)


def read_settings(
    config: Path, *, secrets: bool = True, environ: Mapping[str, str] | None = None
) -> Settings:
    """The configuration, checked.

    Raises:
        ConfigError: with every mistake.
    """
    return load(config, environ=os.environ if environ is None else environ, secrets=secrets, kinds=kinds())


def operator() -> str:
    """Who runs this command, as the operating system knows them; not what the environment says."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def kinds() -> Mapping[str, Kind]:
    """The kinds of trackers that are installed."""
    from bridge.trackers.registry import kinds as installed

    return installed()


def print_json(data: Any) -> None:
    """Print a result for a program."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error while something long goes on; nothing where that is no terminal.

    Args:
        what: what is counted.

    Yields:
        To be told how many are done and how many there are.
    """
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def quiet(level: str = "warning") -> Iterator[None]:
    """Log only what matters while a command prints its own result."""
    configure(level)  # type: ignore[arg-type]  # callers pass literals
    yield


def _found() -> Path:
    return next((place for place in PLACES if place.exists()), PLACES[0])
