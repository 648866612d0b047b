"""``bridge explain KEY``: one link's whole story, from the store alone."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bridge.cli.options import config_option, json_option, print_json, quiet, read_settings
from bridge.cli.showing_clocks import short_line
from bridge.cli.showing_holds import WAITING, as_row
from bridge.clock import SystemClock
from bridge.report.measuring import measure_link
from bridge.store.database import Store, Tx
from bridge.store.rows import Intent, JournalEntry, Link
from bridge.sync.agreement import FieldRule
from bridge.sync.attachments import megabytes
from bridge.sync.base import Base, decode_value, encode_value
from bridge.sync.chain import ERASED
from bridge.sync.mapping import crossing, show, show_change
from bridge.sync.moments import for_programs
from bridge.sync.plan import TAKEN_BACK
from bridge.sync.ticket import Side, Value


@click.command()
@click.argument("key")
@config_option
@json_option
def command(key: str, *, config: Path, as_json: bool) -> None:
    """Tell what is known of the ticket KEY, on either side: its link, its state, and all that was done and why."""
    with quiet():
        settings = read_settings(config, secrets=False)
        known = {one.name: one for one in settings.agreements}
        rules = {one.name: {rule.name: rule for rule in one.fields} for one in settings.agreements}
        store = Store.open(settings.database, migrate=False)
    try:
        with store.read() as tx:
            stories = [
                _story(
                    link,
                    _crossing(rules.get(link.agreement, {}), tx.bases.get(link.id)),
                    [_fit(entry, rules.get(link.agreement, {})) for entry in tx.journal.for_link(link.id)],
                    tx.intents.open(link.id),
                    holds=[
                        as_row(known[link.agreement], link, hold)
                        for hold in tx.holds.list(link.id)
                        if hold.state in WAITING and link.agreement in known
                    ],
                    clocks=_clocks(tx, link),
                )
                for link in tx.links.by_key(key)
            ]
    finally:
        store.close()
    if as_json:
        print_json(stories)
    elif not stories:
        click.echo(
            f"no link knows the ticket {key}; is it in the scope of an agreement? See 'bridge status'."
        )
    else:
        for story in stories:
            _tell(story)
    sys.exit(0 if stories else 1)


def _crossing(
    rules: Mapping[str, FieldRule], bases: Mapping[Side, Base]
) -> Mapping[Side, Mapping[str, Value]]:
    """What both sides last agreed on; of a set only what may cross, for the rest is no matter of the link."""
    return {
        side: {
            name: crossing(rules[name], value, side) if isinstance(value, frozenset) else value
            for name, value in base.fields.items()
            if name in rules or not isinstance(value, frozenset)
        }
        for side, base in bases.items()
    }


def _fit(entry: JournalEntry, rules: Mapping[str, FieldRule]) -> JournalEntry:
    """An entry of the journal; of a set only what may cross, as above."""
    if "field" not in entry.data:
        return entry
    data, rule = dict(entry.data), rules.get(entry.data["field"])

    def fit(value: Any, side: str) -> Any:
        decoded = decode_value(value)
        if not isinstance(decoded, frozenset):
            return value
        return encode_value(crossing(rule, decoded, Side(side)) if rule is not None else frozenset())

    for name, side in (("before", "to"), ("after", "to"), ("value", "side")):
        if name in data and side in data:
            data[name] = fit(data[name], data[side])
    if "hold" in data:
        # Its value is fitted above: it stands on the side that the entry names.
        data["before"] = fit(data["before"], data["side"])
        data["other"] = fit(data["other"], Side(data["side"]).other)
    if "loser" in data and data["loser"] != ERASED:
        data["loser"] = {**data["loser"], "value": fit(data["loser"]["value"], data["loser"]["side"])}
    return replace(entry, data=data)


def _story(
    link: Link,
    agreed: Mapping[Side, Mapping[str, Value]],
    journal: list[JournalEntry],
    intents: list[Intent],
    *,
    holds: list[dict[str, Any]],
    clocks: list[str],
) -> dict[str, Any]:
    return {
        "agreement": link.agreement,
        "internal": link.internal_key,
        "vendor": link.vendor_key,
        "origin": link.origin.value,
        "state": link.state.value,
        "reason": link.reason,
        "next_try": _time(link.next_try),
        "found": _time(link.created_at),
        "synced": _time(link.synced_at),
        "findings": list(link.findings),
        "holds": holds,
        "clocks": clocks,
        "agreed": {
            name: {side.value: show(agreed[side].get(name)) for side in Side}
            for name in sorted(agreed[Side.INTERNAL].keys() | agreed[Side.VENDOR].keys())
        },
        "open": [
            {
                "what": one.kind.value,
                "side": one.side.value,
                "state": one.state.value,
                "sent": _time(one.sent_at),
            }
            for one in intents
        ],
        "journal": [_entry(one) for one in journal],
    }


def _clocks(tx: Tx, link: Link) -> list[str]:
    """The newest cycle of each clock, in one line each; 'bridge sla KEY' tells more."""
    found = measure_link(tx, link, SystemClock().now())
    newest = {} if found is None else {cycle.clock: cycle for cycle in found.verdict.cycles}
    return [short_line(cycle) for cycle in newest.values()]


def _entry(one: JournalEntry) -> dict[str, Any]:
    """An entry of the journal; what it calls ``event``, the id in the tracker's own history, is the evidence here."""
    rest = {key: value for key, value in one.data.items() if key != "event"}
    evidence = {"evidence": one.data["event"]} if "event" in one.data else {}
    return {"at": _time(one.at), "event": one.event, **rest, **evidence}


def _tell(story: dict[str, Any]) -> None:
    click.echo(
        f"{story['internal'] or '(to be created)'} = {story['vendor'] or '(to be created)'}"
        f"  agreement {story['agreement']}, from the {story['origin']} side, {story['state']}"
    )
    if story["reason"]:
        click.echo(f"  {story['reason']} (next try {story['next_try']})")
    for finding in story["findings"]:
        click.echo(f"  {finding['kind']}: {finding['message']}")
    for hold in story["holds"]:
        decides = " or ".join(hold["decides"]) or "anybody"
        click.echo(
            f"  hold {hold['id']} ({hold['state']}): {hold['field']}: {hold['change']}; {decides} decides"
        )
    for line in story["clocks"]:
        click.echo(f"  clock {line}")
    for one in story["open"]:
        click.echo(
            f"  the outcome of a {one['what']} on the {one['side']} side, sent {one['sent']}, is being looked for"
        )
    if story["agreed"]:
        click.echo("  last in agreement:")
        width = max(len(name) for name in story["agreed"])
        for name, values in story["agreed"].items():
            click.echo(f"    {name:<{width}}  {values['internal']}  |  {values['vendor']}")
    click.echo(f"  {story['found']}  found on the {story['origin']} side")
    for entry in story["journal"]:
        click.echo(f"  {entry['at']}  {_line(entry)}")
    if story["synced"]:
        click.echo(f"  {story['synced']}  last brought into agreement")


def _line(entry: dict[str, Any]) -> str:  # noqa: C901, PLR0911, PLR0912 - one return for each event
    match entry["event"]:
        case "field.written" | "status.moved":
            change = show_change(decode_value(entry["before"]), decode_value(entry["after"]))
            text = f"{entry['field']} on the {entry['to']} side: {change} ({entry['why']})"
            if entry.get("steps", ERASED) not in ([], ERASED):
                text += f", by way of {' -> '.join(entry['steps'])}"
            if "loser" in entry and entry["loser"] != ERASED:
                lost = show(decode_value(entry["loser"]["value"]))
                text += f"; gave way: {lost} of the {entry['loser']['side']} side"
            return text + _whose(entry)
        case "value.kept":
            kept = show(decode_value(entry["value"]))
            return f"{entry['field']} of the {entry['side']} side is about to give way: {kept}"
        case "words.kept":
            return f"words that others typed into comment {entry['copy']} on the {entry['side']} side are kept here"
        case "ticket.created":
            return f"{entry['key']} created on the {entry['side']} side"
        case "link.shown":
            return f"link to {entry['peer']} shown on the {entry['side']} side"
        case "comment.added" if not entry["origin"]:
            return f"a note of the bridge itself on the {entry['side']} side ({entry['copy']})"
        case "comment.added":
            return f"comment {entry['origin']} carried to the {entry['side']} side as {entry['copy']}"
        case "comment.edited":
            return f"comment {entry['copy']} on the {entry['side']} side rewritten ({entry['why']})"
        case "comment.deleted":
            return (
                f"comment {entry['copy']} on the {entry['side']} side taken back ({TAKEN_BACK[entry['why']]})"
            )
        case "comment.withdrawn":
            return f"comment {entry['copy']} on the {entry['side']} side was not private, and was taken back at once"
        case "file.added" | "file.removed":
            return _file(entry)
        case "parent.set" | "relation.added" | "relation.removed":
            return _relation(entry)
        case "worklog.added" | "worklog.edited" | "worklog.deleted":
            return _worklog(entry)
        case "hold.opened" | "hold.changed" | "hold.reverted" | "hold.decided" | "hold.closed":
            return _hold(entry)
        case "note.updated":
            return f"the note about what is held, on the {entry['side']} side, says what is new"
        case "finding.opened" | "finding.closed":
            return f"{'found' if entry['event'] == 'finding.opened' else 'settled'}: {entry['message']}"
        case "request.refused" | "outcome.unknown" | "outcome.found" | "outcome.absent":
            return _request(entry)
        case event:
            rest = {key: value for key, value in entry.items() if key not in ("at", "event")}
            return _life(entry) or f"{event} {rest}"


def _whose(entry: dict[str, Any]) -> str:
    """Whose change it was that crossed, and who let it."""
    text = f"; changed by {show(decode_value(entry['who']))}" if "who" in entry else ""
    text += f"; decided by {entry['by']}" if "by" in entry else ""
    return text + ("; its author may not, and the agreement lets it cross" if entry.get("flagged") else "")


def _hold(entry: dict[str, Any]) -> str:
    """A step in the life of a hold."""
    change = show_change(decode_value(entry["before"]), decode_value(entry["value"]))
    what = f"hold {entry['hold']}, {entry['field']} on the {entry['side']} side ({change})"
    by = f" by {entry['by']}" if entry.get("by") else ""
    reason = f": {entry['reason']}" if entry.get("reason") else ""
    who = show(decode_value(entry["who"])) if "who" in entry else "somebody"
    match entry["event"]:
        case "hold.opened":
            again = f" after {entry['rounds']} times undone" if entry.get("rounds") else ""
            return f"{what}: held{again}, changed by {who}; {entry.get('approver') or 'anybody'} decides"
        case "hold.changed":
            return f"{what}: is about other values now"
        case "hold.reverted":
            return f"{what}: changed by {who}, who may not; undone, {entry['rounds']} times so far"
        case "hold.decided":
            return f"{what}: {_DECIDED.get(entry['state'], entry['state'])}{by or ' by time'}{reason}"
        case _:
            return f"{what}: over, {entry['state']}"


_DECIDED = {"crossed": "approved", "restored": "rejected"}
"""What was decided, by the state that a hold has when that is told."""


def _request(entry: dict[str, Any]) -> str:
    request = f"the request '{entry['what']}' on the {entry['side']} side"
    match entry["event"]:
        case "request.refused":
            status = f", status {entry['http']}" if entry.get("http") else ""
            return f"{request} changed nothing: {entry['error']}{status}"
        case "outcome.unknown":
            return f"the answer to {request} was lost"
        case "outcome.found":
            return f"the result of {request} was found"
        case _:
            return f"{request} had no result"


def _life(entry: dict[str, Any]) -> str:
    """What happened to a ticket or the link as a whole; "" for anything else."""
    match entry["event"]:
        case "ticket.moved":
            return f"{entry['from']} on the {entry['side']} side is called {entry['to']} now"
        case "ticket.merged":
            return f"{entry['from']} on the {entry['side']} side was merged into {entry['to']}, which is followed"
        case "link.made":
            how = "linked by hand" if entry["anew"] else "linked again by hand"
            how += f" by {entry['who']}" if "who" in entry else ""
            won = "" if entry["winner"] == "none" else f", the values of the {entry['winner']} side stand"
            return f"{how}{won}{', with the comments so far' if entry['history'] else ''}"
        case "plan.applied":
            return "a reviewed plan was carried out, exactly"
        case "link.found":
            return f"{entry['key']} found on the {entry['side']} side"
        case "link.closed":
            return f"the link has ended: {entry['why']}" + (f" by {entry['who']}" if "who" in entry else "")
        case "link.hidden":
            return f"the link to the peer taken off on the {entry['side']} side, for {entry['who']}"
        case _:
            return ""


def _file(entry: dict[str, Any]) -> str:
    if entry["event"] == "file.added":
        size = megabytes(entry["size"])
        return f"file {entry['origin']} ({size}) carried to the {entry['side']} side as {entry['copy']}"
    if entry["why"] == "not-whole":
        return f"file {entry['copy']} on the {entry['side']} side taken back: it was not what was sent"
    return f"file {entry['copy']} on the {entry['side']} side taken back (the original was {entry['why']})"


def _relation(entry: dict[str, Any]) -> str:
    match entry["event"]:
        case "parent.set":
            return f"part of {entry['parent'] or 'no other ticket'} on the {entry['side']} side"
        case "relation.added":
            way = "to" if entry["outward"] else "from"
            return f"linked {way} {entry['other']} on the {entry['side']} side ({entry['kind']})"
        case _:
            return (
                f"a link taken away on the {entry['side']} side ({entry['kind']}): it was gone on the other"
            )


def _worklog(entry: dict[str, Any]) -> str:
    where = f"on the {entry['side']} side"
    match entry["event"]:
        case "worklog.added":
            return f"time {entry['origin']} booked {where} as {entry['copy']}"
        case "worklog.edited":
            return f"booked time {entry['copy']} {where} changed ({entry['why']})"
        case _:
            return f"booked time {entry['copy']} {where} taken back (the original was {entry['why']})"


def _time(micros: int | None) -> str | None:
    return None if micros is None else for_programs(micros)
