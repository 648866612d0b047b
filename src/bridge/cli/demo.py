"""``bridge demo``: watch it work. Two trackers, the real daemon, a scripted day, and the proof."""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bridge.cli.showing.ending import Result
    from bridge.cli.showing.stage import Stage
    from bridge.cli.showing.telling import Voice


@click.command()
@click.option("--keep", is_flag=True, help="Leave everything running at the end, and say how to look around.")
@click.option(
    "--json",
    "figures",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the result to this file, for a program.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="A new or empty folder for configuration, database and log.  [default: a temporary one]",
)
def command(*, keep: bool, figures: Path | None, folder: Path | None) -> None:
    """Show a day of work between two simulated trackers, and prove that nothing is lost, doubled or leaked.

    Needs nothing but this machine, takes about a minute, and touches nothing outside its folder. Ends
    with 0 when everything holds, with 1 when something does not.
    """
    from bridge.cli.showing.stage import Stage
    from bridge.cli.showing.telling import DemoFailed, Voice

    place = _folder(folder)
    voice = Voice()
    if figures is not None:
        figures.unlink(missing_ok=True)  # of an earlier demo
    with _ending_in_order():
        try:
            with Stage(place) as stage:
                try:
                    result = _play(stage, voice)
                except DemoFailed as failure:
                    _tell_failure(stage, voice, failure, figures)
                    sys.exit(1)
                if figures is not None:
                    result.write(figures)
                if keep:
                    _stay(stage, voice)
        except KeyboardInterrupt:
            voice.plain()
            voice.does("Interrupted; the daemon and both trackers are stopped.")
            sys.exit(130)
    sys.exit(0 if result.holds else 1)


def _play(stage: Stage, voice: Voice) -> Result:
    """The day and its proof."""
    from bridge.cli.showing import clocks, rights, script, trouble
    from bridge.cli.showing.day import Day
    from bridge.cli.showing.ending import Result, show_checks, show_end, show_head, show_sides
    from bridge.cli.showing.proof import prove

    begun = time.monotonic()
    voice.plain("bridge demo: two simulated trackers, the real daemon, a scripted day, the proof")
    voice.plain()
    voice.does(f"home   Jira Data Center of Example Corp, OPS   {stage.home.url}")
    voice.does(f"acme   Jira Cloud of its vendor Acme, CUST     {stage.acme.url}")
    voice.does(f"post   the mail server of Example Corp         {stage.post.url}")
    day = Day(stage, voice)
    for act in (
        script.first_fill,
        script.new_ticket_inside,
        script.new_ticket_at_vendor,
        script.edits,
        trouble.conflict,
        rights.held,
        script.comments,
        rights.secret,
        script.files,
        script.statuses,
        clocks.missed,
        trouble.storm,
        trouble.killed,
        trouble.shared_login,
    ):
        act(day)
    day.rest()
    idle_writes, planned = day.further_pass()
    chains, verdicts = day.audit(), day.verdicts()
    proof = prove(stage.home.site, stage.acme.site, stage.ledger)
    expected, seconds = len(stage.ledger.tickets), time.monotonic() - begun
    result = Result(
        proof,
        expected,
        idle_writes=idle_writes,
        planned=planned,
        verdicts=verdicts,
        mails=len(stage.post.mails),
        chains=chains,
        seconds=seconds,
    )
    show_sides(voice, stage, proof)
    show_checks(voice, result)
    show_head(voice, result)
    show_end(voice, stage, result)
    return result


def _stay(stage: Stage, voice: Voice) -> None:
    """Leave everything running until Ctrl-C."""
    from bridge.cli.showing.ending import show_addresses

    show_addresses(voice, stage)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        voice.plain()
        voice.does("Stopped.")


def _tell_failure(stage: Stage, voice: Voice, failure: Exception, figures: Path | None) -> None:
    from bridge.cli.showing.ending import write_json

    voice.failed(f"The demo ends here. {failure}")
    words = stage.last_words()
    if words:
        voice.head(f"The last lines of {stage.log}")
        for line in words:
            voice.plain(line)
    if figures is not None:
        write_json(figures, {"holds": False, "failed": str(failure)})


def _folder(given: Path | None) -> Path:
    if given is None:
        return Path(tempfile.mkdtemp(prefix="bridge-demo-"))
    if given.exists() and any(given.iterdir()):
        raise click.BadParameter(
            f"{given} is not empty; the demo wants a folder of its own", param_hint="--folder"
        )
    given.mkdir(parents=True, exist_ok=True)
    return given.resolve()


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """A closed terminal and SIGTERM end the demo as Ctrl-C does: with everything that it started."""
    from bridge.cli.showing.stage import SIGNALS

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
