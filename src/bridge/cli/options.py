"""Options and openings that several commands share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from bridge.config import Kind, Settings, load
from bridge.log import configure

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


def kinds() -> Mapping[str, Kind]:
    """The kinds of trackers that are installed."""
    from bridge.trackers.registry import kinds as installed

    return installed()


def print_json(data: Any) -> None:
    """Print a result for a program."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))


@contextmanager
def quiet(level: str = "warning") -> Iterator[None]:
    """Log only what matters while a command prints its own result."""
    configure(level)  # type: ignore[arg-type]  # callers pass literals
    yield


def _found() -> Path:
    return next((place for place in PLACES if place.exists()), PLACES[0])
