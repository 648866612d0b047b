"""``bridge run``: the daemon."""

from __future__ import annotations

from pathlib import Path

import click

from bridge.cli.options import anew_option, config_option, log_option, moved_option, read_settings


@click.command()
@anew_option
@moved_option
@config_option
@log_option
def command(*, anew: bool, moved: bool, config: Path) -> None:
    """Run the daemon until SIGTERM. SIGHUP reads the configuration again.

    Before the first write, the configuration is compared with the live trackers; mistakes end the command with 2, a
    tracker that cannot be reached or refuses the login with 3.
    """
    from bridge.clock import SystemClock
    from bridge.daemon.admitting import admit
    from bridge.daemon.once import tell_all_the_same
    from bridge.daemon.opening import close_house, open_house
    from bridge.daemon.service import Service

    clock = SystemClock()
    house = open_house(read_settings(config), clock)
    try:
        with tell_all_the_same(house):
            admit(house, anew=anew, moved=moved)
    except BaseException:
        close_house(house)
        raise
    listener = None
    if house.terms.settings.web is not None:
        from bridge.web.server import WebServer

        listener = WebServer(house, house.terms.settings.web)
    Service(house, clock, lambda: read_settings(config), listener=listener).run()
