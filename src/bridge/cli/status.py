"""``bridge status``: where things stand."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from bridge.cli.mail import mail_standing, mail_words
from bridge.cli.options import config_option, json_option, print_json, quiet, read_settings
from bridge.clock import SECOND, SystemClock
from bridge.store.database import Store
from bridge.store.rows import Link, LinkState
from bridge.sync.ticket import Side


@click.command()
@config_option
@json_option
def command(*, config: Path, as_json: bool) -> None:
    """Show links, feeds, what is parked or held, and why; works while the daemon runs.

    Ends with 1 when something is parked, held or found, a brake is pulled, a feed or the mail is in trouble, or a
    webhook is silent. Clocks at risk or missed are shown and change nothing of that: 'bridge sla' ends with 1 for them.
    """
    from bridge.daemon.brakes import all_pulled
    from bridge.daemon.restraint import WITHHELD

    with quiet():
        settings = read_settings(config, secrets=False)
        store = Store.open(settings.database, migrate=False)
    try:
        now = SystemClock().now()
        with store.read() as tx:
            counts = tx.links.counts()
            stuck = tx.links.list(states=(LinkState.PARKED, LinkState.HELD))
            remarked = [
                link for link in tx.links.list(states=(LinkState.ACTIVE, LinkState.NEW)) if link.findings
            ]
            ended = tx.links.list(states=(LinkState.CLOSED,))
            remarked += [link for link in ended if any(one["kind"] == "returned" for one in link.findings)]
            feeds = tx.cursors.notes("feed/")
            hooks = tx.cursors.notes("hook/")
            brakes = all_pulled(tx)
            over = {f"{WITHHELD}{link.id}" for link in ended}
            withheld = [note for key, note in tx.cursors.notes(WITHHELD).items() if key not in over]
            waiting = len(tx.links.due(now, 100_000))
            held = tx.holds.counts()
            mail = mail_standing(tx, settings, now)
            clocks = {
                one.name: _clocks(tx.chronicles.summaries(one.name), now) for one in settings.agreements
            }
    finally:
        store.close()
    data: dict[str, Any] = {
        "agreements": [
            {
                "name": one.name,
                "mode": one.mode.value,
                "withheld": _withheld([note for note in withheld if note["agreement"] == one.name]),
                "holds": held.get(one.name, 0),
                "clocks": clocks[one.name],
                "links": {state.value: counts.get((one.name, state), 0) for state in LinkState},
                "feeds": {
                    side.value: _feed(feeds.get(f"feed/{one.name}/{side.value}"), now) for side in Side
                },
            }
            for one in settings.agreements
        ],
        "webhooks": [
            _hook(name, hooks.get(f"hook/{name}") or {}, now)
            for name, tracker in settings.trackers.items()
            if tracker.webhook is not None
        ],
        "brakes": [
            {
                "agreement": one.agreement,
                "cause": one.cause.value,
                "reason": one.reason,
                "since_seconds": round((now - one.since) / SECOND),
            }
            for one in brakes
        ],
        "waiting": waiting,
        "mail": mail,
        "parked": [_stuck(link, now) for link in stuck if link.state is LinkState.PARKED],
        "held": [_stuck(link, now) for link in stuck if link.state is LinkState.HELD],
        "findings": [_stuck(link, now) for link in remarked],
    }
    if as_json:
        print_json(data)
    else:
        _show(data)
    troubled = any(feed["trouble"] for one in data["agreements"] for feed in one["feeds"].values())
    silent = any(hook["silent"] for hook in data["webhooks"])
    sys.exit(1 if stuck or remarked or troubled or silent or brakes or mail["trouble"] else 0)


def _withheld(notes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is planned and not written, by what restrains it."""
    return [
        {
            "why": why,
            "links": sum(1 for note in notes if note["why"] == why and note["actions"]),
            "actions": sum(note["actions"] for note in notes if note["why"] == why),
            "findings": sum(note["findings"] for note in notes if note["why"] == why),
        }
        for why in sorted({note["why"] for note in notes})
    ]


def _clocks(summaries: Iterable[Mapping[str, Any]], now: int) -> dict[str, int]:
    """How many clocks run, and how many of them are at risk or missed, as the last tick found."""
    found = [clock for summary in summaries for clock in summary.get("clocks", ())]
    missed = [one for one in found if one["breached"] is not None or (one["due"] or now + 1) <= now]
    at_risk = sum(one["warned"] is not None and one not in missed for one in found)
    return {"running": len(found), "at_risk": at_risk, "breached": len(missed)}


def _feed(note: dict[str, Any] | None, now: int) -> dict[str, Any]:
    if note is None:
        return {"seconds_ago": None, "trouble": ""}
    return {"seconds_ago": round((now - note["at"]) / SECOND, 1), "trouble": note["trouble"]}


def _hook(name: str, note: dict[str, Any], now: int) -> dict[str, Any]:
    heard, silent = note.get("heard"), note.get("silent_since")
    return {
        "tracker": name,
        "heard_seconds_ago": None if heard is None else round((now - heard) / SECOND),
        "silent": silent is not None,
        "silent_seconds": None if silent is None else round((now - silent) / SECOND),
    }


def _stuck(link: Link, now: int) -> dict[str, Any]:
    return {
        "agreement": link.agreement,
        "internal": link.internal_key,
        "vendor": link.vendor_key,
        "state": link.state.value,
        "reason": link.reason or "; ".join(finding["message"] for finding in link.findings),
        "since_seconds": round((now - link.reason_since) / SECOND) if link.reason_since else None,
        "next_try_seconds": round((link.next_try - now) / SECOND) if link.next_try else None,
        "attempts": link.attempts,
    }


def _show(data: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 200)
    table = Table(box=None, pad_edge=False)
    for heading in (
        "agreement",
        "mode",
        *(state.value for state in LinkState),
        "internal polled",
        "vendor polled",
    ):
        table.add_column(heading)
    for one in data["agreements"]:
        table.add_row(
            one["name"],
            one["mode"],
            *(str(one["links"][state.value]) for state in LinkState),
            *(_ago(one["feeds"][side.value]) for side in Side),
        )
    console.print(table)
    console.print(f"{data['waiting']} waiting to be looked at")
    undecided = sum(one["holds"] for one in data["agreements"])
    if undecided:
        console.print(f"{undecided} waiting for a decision of people: 'bridge holds'")
    for one in data["agreements"]:
        clocks = one["clocks"]
        if clocks["running"]:
            late = f"{clocks['at_risk']} at risk, {clocks['breached']} missed"
            console.print(
                f"{one['name']}: {clocks['running']} clocks run, {late}: 'bridge sla'", highlight=False
            )
    for brake in data["brakes"]:
        pulled = f"brake pulled {brake['since_seconds']} s ago ({brake['cause']}), nothing is written"
        console.print(f"{brake['agreement']}: {pulled}: {brake['reason']}", markup=False, highlight=False)
    for one in data["agreements"]:
        for rest in one["withheld"]:
            planned = f"{rest['links']} links with {rest['actions']} writes planned and not made"
            console.print(f"{one['name']}: {planned}: {rest['why']}", markup=False, highlight=False)
    for hook in data["webhooks"]:
        ago = hook["heard_seconds_ago"]
        heard = "never heard" if ago is None else f"heard {ago} s ago"
        silent = (
            f"; silent for {hook['silent_seconds']} s: the polls find changes that it did not announce"
            if hook["silent"]
            else ""
        )
        console.print(f"webhooks of {hook['tracker']}: {heard}{silent}", markup=False, highlight=False)
    if words := mail_words(data["mail"]):
        console.print(words, markup=False, highlight=False)
    for title, rows in (("parked", data["parked"]), ("held", data["held"]), ("findings", data["findings"])):
        if rows:
            console.print(f"\n{title}:")
        for row in rows:
            keys = " = ".join(key for key in (row["internal"], row["vendor"]) if key)
            again = (
                f" (next try in {max(0, row['next_try_seconds'])} s)"
                if row["next_try_seconds"] is not None
                else ""
            )
            console.print(
                f"  {row['agreement']} {keys}: {row['reason']}{again}", markup=False, highlight=False
            )


def _ago(feed: dict[str, Any]) -> str:
    if feed["trouble"]:
        return f"in trouble: {feed['trouble']}"
    return "never" if feed["seconds_ago"] is None else f"{feed['seconds_ago']:.0f} s ago"
