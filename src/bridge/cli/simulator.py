"""``bridge simulator``: a Jira-compatible server by itself."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("flavour", type=click.Choice(["datacenter", "cloud"]))
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8080,
    show_default=True,
    help="Port on 127.0.0.1; 0 takes a free one.",
)
@click.option("--project", help="Key of its project; OPS or CUST if not given.")
@click.option(
    "--load",
    "contents",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Exported Jira issues: a REST search page, or one issue a line.",
)
def command(*, flavour: str, port: int, project: str | None, contents: Path | None) -> None:
    """Run a Jira of that FLAVOUR with a ready-made project, people and workflow, on this machine alone.

    People log in with their name and NAME-token: ann, ivan, admin and bridge on a Data Center site, bo, cy, admin and
    bridge on a Cloud site (there with the e-mail NAME@acme.example). Everything is forgotten when it ends.
    """
    import threading

    from bridge.simulator import SimulatorServer, load, make_acme, make_home, read

    site = (
        make_home(project=project or "OPS")
        if flavour == "datacenter"
        else make_acme(project=project or "CUST")
    )
    if contents is not None:
        try:
            load(site, read(contents))
        except (ValueError, KeyError, TypeError) as error:
            message = f"{contents} holds no exported Jira issues ({type(error).__name__}: {error})"
            raise click.BadParameter(message, param_hint="--load") from error
    server = SimulatorServer(site, port=port)
    try:
        server.start()
    except OSError as error:
        raise click.BadParameter(f"port {port}: {error.strerror}", param_hint="--port") from error
    try:
        click.echo(f"{flavour} simulator at {server.url}; stop it with Ctrl-C")
        threading.Event().wait()
    except KeyboardInterrupt:
        click.echo("stopped")
    finally:
        server.stop()
