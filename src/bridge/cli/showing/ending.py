"""How the demo ends: the table of both sides, the checks, the figures, and what to try with ``--keep``."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from bridge.cli.showing.people import INSIDE, VENDOR
from bridge.cli.showing.proof import Proof
from bridge.cli.showing.stage import Stage
from bridge.cli.showing.telling import INDENT, Voice

EXAMPLE = json.dumps(
    {
        "fields": {
            "project": {"key": "OPS"},
            "issuetype": {"name": "Task"},
            "summary": "Hello",
            "labels": ["vendor-acme"],
        }
    }
)
"""A ticket for people to open."""

SHOWN = 12
"""Sentences about what does not hold, at most."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the demo came to.

    Attributes:
        proof: what both trackers hold.
        expected: tickets that people made to be mirrored.
        idle_writes: writes of the bridge during a further pass.
        planned: actions that ``bridge plan`` still asks for.
        verdicts: how the changes ended that waited for people: state -> how many.
        mails: how many mails have arrived.
        chains: what ``bridge audit verify`` says of each hash chain.
        seconds: how long everything took.
    """

    proof: Proof
    expected: int
    idle_writes: int
    planned: int
    verdicts: Mapping[str, int]
    mails: int
    chains: Sequence[Mapping[str, Any]]
    seconds: float

    @property
    def checks(self) -> tuple[tuple[str, bool, int, str], ...]:
        """Name, whether it holds, figure, and what it says."""
        proof = self.proof
        texts = "in every agreed field, public comment and file"
        return (
            (
                "linked",
                proof.links == self.expected,
                proof.links,
                f"of {self.expected} tickets made by people",
            ),
            ("equal", proof.equal == proof.links, proof.equal, f"of {proof.links} pairs, {texts}"),
            ("duplicates", not proof.duplicates, proof.duplicates, "tickets too many"),
            ("lost", not proof.lost, proof.lost, "tickets, comments or files without their twin"),
            ("leaked", not proof.leaked, proof.leaked, "secrets, private comments or tickets that crossed"),
            ("idle writes", not self.idle_writes, self.idle_writes, "in a further pass over both sides"),
            (
                "planned",
                not self.planned,
                self.planned,
                "actions in 'bridge plan', which reads everything anew",
            ),
            ("waiting", not self.waiting, self.waiting, "changes that still wait for a person"),
            (
                "audit",
                bool(self.chains) and all(one["flaw"] is None for one in self.chains),
                sum(one["seq"] for one in self.chains),
                "records in the hash chains, in order: 'bridge audit verify'",
            ),
        )

    @property
    def waiting(self) -> int:
        """Changes that nobody has decided about, or whose decision was not carried out."""
        return sum(self.verdicts.get(state, 0) for state in ("open", "approved", "rejected"))

    @property
    def holds(self) -> bool:
        """Whether every check does, and nothing else was found wrong."""
        return self.proof.holds and all(holds for _, holds, _, _ in self.checks)

    def write(self, file: Path) -> None:
        """Write the figures for a program."""
        proof = self.proof
        figures = {
            "links": proof.links,
            "expected": self.expected,
            "equal": proof.equal,
            "duplicates": proof.duplicates,
            "lost": proof.lost,
            "leaked": proof.leaked,
            "idle_writes": self.idle_writes,
            "planned": self.planned,
            "notes": sum(count for (_, what), count in proof.counts.items() if what == "notes"),
            "verdicts": dict(self.verdicts),
            "mails": self.mails,
            "audit": {one["agreement"]: [one["seq"], one["hash"], one["flaw"]] for one in self.chains},
            "seconds": round(self.seconds, 1),
            "holds": self.holds,
        }
        write_json(file, figures)


def write_json(file: Path, data: object) -> None:
    """Write a result for a program."""
    file.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def show_sides(voice: Voice, stage: Stage, proof: Proof) -> None:
    """Print what is on each side, and what it cost."""
    voice.head("What is where")
    table = Table(box=None, padding=(0, 3, 0, 0), show_edge=False)
    for heading in ("", "Example Corp (home)", "Acme (acme)"):
        table.add_column(Text(heading, style="dim"))
    for label, what in (
        ("tickets", "tickets"),
        ("with a twin", "mirrored"),
        ("public comments", "comments"),
        ("private comments", "private"),
        ("notes of the bridge", "notes"),
        ("files", "files"),
    ):
        table.add_row(label, *(str(proof.counts[site, what]) for site in (INSIDE, VENDOR)))
    table.add_row("by status", *(_statuses(stage, proof, site) for site in (INSIDE, VENDOR)))
    table.add_row("API calls", *(_calls(stage, site) for site in (INSIDE, VENDOR)))
    voice.table(table)


def show_checks(voice: Voice, result: Result) -> None:
    """Print the checks and what does not hold."""
    voice.head("The proof, from both trackers alone")
    good, bad = ("✓", "✗") if voice.fancy else ("ok", "NO")
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, show_header=False)
    table.add_column()
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for name, holds, figure, words in result.checks:
        mark = Text(good, style="green") if holds else Text(bad, style="bold red")
        table.add_row(mark, name, str(figure), words)
    voice.table(table)
    for sentence in result.proof.wrong[:SHOWN]:
        voice.notes(sentence)
    if len(result.proof.wrong) > SHOWN:
        voice.notes(f"and {len(result.proof.wrong) - SHOWN} more")


def show_head(voice: Voice, result: Result) -> None:
    """Print the head of the agreement's chain, as it is given to the vendor."""
    for one in result.chains:
        if one["agreement"]:
            voice.notes(
                f"Head of the chain of '{one['agreement']}', record {one['seq']}, for both companies to keep:"
            )
            voice.quotes(one["hash"])


def show_end(voice: Voice, stage: Stage, result: Result) -> None:
    """Print the verdict, and where to read on."""
    voice.plain()
    voice.does(f"{'Everything holds' if result.holds else 'It does not hold'}, after {result.seconds:.0f} s.")
    voice.plain(f"{' ' * INDENT}Configuration, database and the daemon's log: {stage.folder}")


def show_addresses(voice: Voice, stage: Stage) -> None:
    """Print what a person can try while everything is left running."""
    home, acme, bridge = stage.home.url, stage.acme.url, _typed()
    voice.head("Left running until Ctrl-C. Try, in another terminal:")
    for title, lines in (
        (
            "inside, as Ann (also ivan, mia, olu, admin)",
            (f"curl -s -H 'Authorization: Bearer ann-token' {home}/rest/api/2/issue/OPS-1",),
        ),
        (
            "at the vendor, as Bo (also cy, dee, admin)",
            (f"curl -s -u bo@acme.example:bo-token {acme}/rest/api/3/issue/CUST-1",),
        ),
        (
            "open a ticket of your own, and see it cross",
            (
                "curl -s -H 'Authorization: Bearer ann-token' -H 'Content-Type: application/json' \\",
                f"  -d '{EXAMPLE}' \\",
                f"  {home}/rest/api/2/issue",
            ),
        ),
        (
            "ask the bridge",
            (
                f"{bridge} status --config {stage.folder}",
                f"{bridge} explain OPS-9 --config {stage.folder}",
                f"{bridge} holds --all --config {stage.folder}",
                f"{bridge} audit verify --config {stage.folder}",
                f"{bridge} plan --config {stage.folder}",
                f"tail -f {stage.log}",
            ),
        ),
    ):
        voice.plain()
        voice.notes(f"# {title}")
        for line in lines:
            voice.plain(" " * INDENT + line)


def _typed() -> str:
    """What a person types, from here, to call the bridge."""
    called = Path(sys.argv[0]).absolute()
    if called.name != "bridge":
        return f"{sys.executable} -m bridge.cli"
    found = shutil.which("bridge")  # on Linux it may well be iproute2's, of the same name
    if found and Path(found).resolve() == called.resolve():
        return "bridge"
    here = Path.cwd()
    return str(called.relative_to(here) if called.is_relative_to(here) else called)


def _statuses(stage: Stage, proof: Proof, site: str) -> str:
    names = (status.name for status in stage.server(site).site.statuses.values())
    held = ((name, proof.counts[site, f"status {name}"]) for name in names)
    return "\n".join(f"{count:>2} {name}" for name, count in held if count)


def _calls(stage: Stage, site: str) -> str:
    calls = stage.calls(site)
    writes = sum(call.kind == "write" for call in calls)
    return f"{len(calls)}, of them {writes} writes"
