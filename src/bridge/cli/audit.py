"""``bridge audit``: the chain of everything that was done, for both companies: exported, verified, erased from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bridge.cli.options import config_option, json_option, operator, print_json, quiet, read_settings
from bridge.sync.chain import Head
from bridge.sync.ledger import Verdict, lines, verify
from bridge.sync.personal import Mention, mention

if TYPE_CHECKING:
    from bridge.store.database import Store

F = TypeVar("F", bound=Callable[..., None])

BRIDGE = "the bridge itself"


@click.group()
def command() -> None:
    """Prove what was done, and let others prove it.

    Everything that the bridge does is a record in a chain of hashes, one chain for each agreement, and one for the
    bridge itself. docs/audit.md tells the form.
    """


def _head_options(function: F) -> F:
    """``--head`` and ``--seq``: what the other side holds."""
    return click.option(
        "--head", "held", metavar="HASH", default="", help="A head that somebody else holds."
    )(
        click.option(
            "--seq", type=click.IntRange(1), default=None, help="The number of the record with that head."
        )(function)
    )


@command.command(name="export")
@click.argument("agreement", required=False)
@click.option("--bridge", "own", is_flag=True, help="The chain of the bridge itself.")
@click.option(
    "--sealed", is_flag=True, help="Leave out what people wrote: fit to be handed to the other company."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="The file; standard output without it.",
)
@config_option
def export(agreement: str | None, *, own: bool, sealed: bool, output: Path | None, config: Path) -> None:
    """Write the chain of AGREEMENT as JSON lines, which anybody can verify.

    With the words of tickets and the salts of their seals, unless --sealed is given.
    """
    with quiet(), _store(config) as store, store.read() as tx:
        head = _chosen(tx.chains.heads(), agreement, own=own)
        with _bar("records exported", head.seq) as told:
            written = lines(head, tx.chains.entries(head.agreement), sealed=sealed)
            if output is None:
                for line in written:
                    click.echo(line, nl=False)
                    told(1)
                return
            with output.open("wb") as file:
                for line in written:
                    file.write(line)
                    told(1)
    click.echo(f"{output}: {head.seq} records of {_named(head.agreement)}, head {head.hash}", err=True)


@command.command(name="verify")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--agreement", metavar="NAME", help="Of the store: only that agreement's chain.")
@click.option("--bridge", "own", is_flag=True, help="Of the store: only the chain of the bridge itself.")
@_head_options
@config_option
@json_option
def verify_command(
    file: Path | None,
    *,
    agreement: str | None,
    own: bool,
    held: str,
    seq: int | None,
    config: Path,
    as_json: bool,
) -> None:
    """Verify the chains in the store, or an exported FILE, for which neither store nor configuration is needed.

    With --head (and --seq), the chain must contain that record: whoever holds a head finds a chain that was cut off
    or written anew. Tells the first record that is not in order. Ends with 1 when there is one.
    """
    if seq is not None and not held:
        raise click.UsageError("--seq says which record has the head that --head gives: give both")
    known = Head("", seq or 0, held.strip().lower()) if held else None
    if file is not None:
        if agreement is not None or own:
            raise click.UsageError("a file holds one chain: leave out --agreement and --bridge")
        with file.open("rb") as source, _bar("lines verified", None) as told:
            verdicts = [verify(_counted(source, told), known)]
    else:
        verdicts = _verify_store(config, agreement, known, own=own)
    _tell(verdicts, as_json=as_json)
    sys.exit(1 if any(one.flaw for one in verdicts) else 0)


@command.command(name="head")
@click.argument("agreement", required=False)
@click.option("--bridge", "own", is_flag=True, help="The chain of the bridge itself.")
@config_option
@json_option
def head_command(agreement: str | None, *, own: bool, config: Path, as_json: bool) -> None:
    """Show the newest record of the chain of AGREEMENT, or of all: its number and its hash.

    Hand it to the other company: with it they can verify every later export.
    """
    with quiet(), _store(config) as store, store.read() as tx:
        heads = tx.chains.heads()
        if agreement is not None or own:
            heads = [_chosen(heads, agreement, own=own)]
    if as_json:
        print_json([_head(one) for one in heads])
        return
    for one in heads:
        click.echo(f"{_named(one.agreement)}: record {one.seq}, {one.hash}")


@command.command(name="erase")
@click.option(
    "--person",
    "names",
    multiple=True,
    required=True,
    metavar="HANDLE",
    help="Id, login, address or name; again for each.",
)
@click.option("--texts", is_flag=True, help="Also the texts that contain one of these names.")
@click.option("--agreement", metavar="NAME", help="Only in that agreement's chain.")
@click.option("--dry-run", is_flag=True, help="Only count.")
@config_option
@json_option
def erase(
    names: tuple[str, ...],
    *,
    texts: bool,
    agreement: str | None,
    dry_run: bool,
    config: Path,
    as_json: bool,
) -> None:
    """Erase a person from the journal: the values that are that person, and with --texts those that mention them.

    The chains stay whole, for the records hold only seals. That values were erased, and how many, is recorded; who
    they were is not.
    """
    from bridge.clock import SystemClock

    least = Mention.TEXT if texts else Mention.PERSON
    with quiet(), _store(config) as store:
        with store.read() as tx:
            heads = tx.chains.heads()
            chains = [one.agreement for one in heads]
            if agreement is not None:
                chains = [_chosen(heads, agreement, own=False).agreement]
            with _bar("values read", None) as told:
                doomed = tx.chains.find(lambda value: mention(value, names) >= least, chains, told)
        count = doomed.count
        if not dry_run and count:
            with store.write() as tx:
                count = tx.chains.erase(doomed, SystemClock().now(), why="person", who=operator())
    if as_json:
        print_json({"erased": 0 if dry_run else count, "found": doomed.count})
    elif dry_run:
        click.echo(f"{count} values would be erased")
    else:
        click.echo(f"{count} values erased; their seals stay, and the chains are whole")


def _verify_store(config: Path, agreement: str | None, known: Head | None, *, own: bool) -> list[Verdict]:
    with quiet(), _store(config) as store:
        with store.read() as tx:
            heads = tx.chains.heads(missing=True)
        if known is not None and agreement is None and not own:
            heads = [_chosen(heads, None, own=False)]
        elif agreement is not None or own:
            heads = [_chosen(heads, agreement, own=own)]
        verdicts = []
        with _bar("records verified", sum(one.seq for one in heads)) as told:
            for one in heads:
                with store.read() as tx:
                    verdicts.append(tx.chains.verify(one.agreement, known, lambda _: told(1)))
        return verdicts


def _tell(verdicts: Sequence[Verdict], *, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                _head(one.head)
                | {
                    "without_value": one.missing,
                    "sealed": one.sealed,
                    "flaw": {"seq": one.flaw.seq, "what": one.flaw.what, "meaning": one.flaw.meaning}
                    if one.flaw
                    else None,
                }
                for one in verdicts
            ]
        )
        return
    for one in verdicts:
        name = _named(one.head.agreement)
        if one.flaw is not None:
            click.echo(f"{name}: {one.flaw} Everything before it is in order.")
            continue
        left = "left out" if one.sealed else "erased"
        values = f", {one.missing} values {left}" if one.missing else ""
        click.echo(f"{name}: {one.head.seq} records in order, head {one.head.hash}{values}")


@contextmanager
def _store(config: Path) -> Iterator[Store]:
    from bridge.store.database import Store

    store = Store.open(read_settings(config, secrets=False).database, migrate=False)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _bar(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """How far it has come, for those who watch."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


def _counted(source: Iterator[bytes], told: Callable[[int], None]) -> Iterator[bytes]:
    for line in source:
        yield line
        told(1)


def _chosen(heads: Sequence[Head], agreement: str | None, *, own: bool) -> Head:
    """The chain that is meant.

    Raises:
        click.UsageError: none of that name, or several and no name.
    """
    wanted = "" if own else agreement
    several = [one for one in heads if one.agreement]
    for one in heads:
        if one.agreement == wanted or (wanted is None and [one] == several):
            return one
    names = ", ".join(f"'{one.agreement}'" for one in several) or "none yet"
    raise click.UsageError(f"say which agreement's chain; there are: {names}")


def _head(one: Head) -> dict[str, str | int]:
    return {"agreement": one.agreement, "seq": one.seq, "hash": one.hash, "at": one.at}


def _named(agreement: str) -> str:
    return f"agreement '{agreement}'" if agreement else BRIDGE
