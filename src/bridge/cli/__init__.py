"""What people type. Commands load when they are called, so that ``bridge --help`` is quick.

Exit codes: 0 fine, 1 found something, 2 wrong usage or configuration, 3 a tracker or the store could not be reached,
70 an internal error.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from typing import Any

import click

from bridge import __version__
from bridge.errors import BridgeError, ConfigError

INTERNAL_ERROR = 70
"""Exit code of a crash (EX_SOFTWARE of sysexits.h)."""

COMMANDS = {
    "apply": "Carry out a saved plan, exactly, and refuse what has changed since.",
    "audit": "Prove what was done: export, verify, heads, erasure.",
    "brakes": "Show which agreements have stopped writing, and why; let them go on.",
    "check": "Find every mistake in the files and on the live trackers, all at once.",
    "demo": "Watch it work: two trackers, the real daemon, a scripted day, and the proof.",
    "explain": "Tell one link's whole story.",
    "holds": "Show what waits for people; approve or reject it.",
    "import": "Mirror many pairs of tickets that are there already.",
    "link": "Mirror two tickets that are there already.",
    "mail": "Show the mails that wait or were given up, test the mail server, try again.",
    "plan": "Show what would be written where, and write nothing.",
    "report": "Report on an agreement over a period: figures, and the evidence ticket by ticket.",
    "run": "Run the daemon.",
    "simulator": "Run a Jira-compatible server by itself, for trying things out.",
    "sla": "Show the clocks, explain one ticket's, acknowledge, try another policy.",
    "status": "Show links, lag, what is parked or held, and why.",
    "sync": "Make one pass over everything, for cron.",
    "unlink": "End a link; both tickets stay.",
    "webhooks": "Register, see and remove the webhooks that tell of changes.",
}
"""Command -> its line in the help; the command itself is in the module of the same name."""

MODULES = {"import": "importing"}
"""Command -> its module, where that cannot have the same name."""


class _Lazy(click.Group):
    """A group that imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - likewise
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"bridge.cli.{MODULES.get(cmd_name, cmd_name)}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - likewise
        # The help needs no command's module, only its line.
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bridge")
def cli() -> None:
    """Mirror tickets between your issue tracker and your vendors', each party kept to its role."""


def main(args: list[str] | None = None) -> Any:
    """The console script: runs a command and turns our errors into a sentence and an exit code."""
    try:
        return cli.main(args=args, prog_name="bridge", standalone_mode=True)
    except BridgeError as error:
        tell(error)
        sys.exit(error.exit_code)
    except Exception:  # noqa: BLE001 - a bug of ours, whatever it is: never to be mistaken for "found something"
        traceback.print_exc()
        click.echo("bridge: an internal error; please report the lines above.", err=True)
        sys.exit(INTERNAL_ERROR)


def tell(error: BridgeError) -> None:
    """Print an error for a person: what happened, and what to do next."""
    if isinstance(error, ConfigError):
        count = len(error.problems)
        click.echo(
            f"{count} mistake{'s' if count != 1 else ''} in the configuration; nothing was written:", err=True
        )
        for problem in error.problems:
            click.echo(f"  {problem}", err=True)
    else:
        click.echo(f"bridge: {error}", err=True)
    if error.next_step:
        click.echo(error.next_step, err=True)
