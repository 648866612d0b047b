"""What the demo prints: an act's title, what a person does, when it is seen on the other side.

On a terminal with colour and a bar while tickets cross; in a pipe or a file plain lines without escape codes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

WIDTH = 80
"""Wider terminals get no wider lines: the times belong near their sentences."""

INDENT, TIME = 4, 9


class DemoFailed(Exception):
    """Something that had to come did not. The text is a sentence for the person at the terminal."""


class Advance(Protocol):
    """Moves the bar to a number."""

    def __call__(self, done: int) -> None:
        """Show that so many are done."""


class Voice:
    """Tells the story.

    Args:
        console: where to; None takes standard output.
    """

    def __init__(self, console: Console | None = None) -> None:
        given = console or Console(highlight=False)
        self.console = given
        self.width = min(given.width, WIDTH)
        self._act = 0
        self._told = time.monotonic()

    def act(self, title: str) -> None:
        """Begin an act."""
        self._act += 1
        self.console.print()
        self.console.print(Text(f"{self._act:>2}  {title}", style="bold"))

    def head(self, title: str) -> None:
        """Begin a part that is no act."""
        self.console.print()
        self.console.print(Text(f"    {title}", style="bold"))

    def does(self, sentence: str) -> None:
        """Tell what a person does, or what happens to the daemon; what is seen next is timed from here."""
        self._line(sentence)
        self._told = time.monotonic()

    def seen(self, sentence: str, seconds: float | None = None) -> None:
        """Tell what has arrived, and after how long; by default since the latest deed was told."""
        if seconds is None:
            seconds = time.monotonic() - self._told
        self._line(sentence, "green", mark="→ " if self.fancy else "> ", after=f"{seconds:.1f} s")

    def notes(self, sentence: str) -> None:
        """Add a remark."""
        self._line(sentence, "dim")

    def quotes(self, sentence: str) -> None:
        """Repeat what somebody else says."""
        self._line(sentence, "dim", mark="  ")

    def failed(self, sentence: str) -> None:
        """Tell what went wrong."""
        self.console.print()
        self._line(sentence, "bold red")

    def table(self, table: Table) -> None:
        """Print a table, as far in as the sentences."""
        self.console.print(Padding(table, (0, 0, 0, INDENT), expand=False), width=self.width)

    def plain(self, line: str = "") -> None:
        """Print a line as it is, unwrapped, for copying."""
        self.console.print(Text(line), soft_wrap=True)

    @property
    def fancy(self) -> bool:
        """Whether the output can show more than ASCII."""
        return (self.console.encoding or "").lower().replace("-", "").startswith("utf")

    @contextmanager
    def bar(self, words: str, total: int) -> Iterator[Advance]:
        """A progress bar on a terminal; nothing elsewhere."""
        if not self.console.is_terminal or self.console.is_dumb_terminal:
            yield lambda done: None  # noqa: ARG005 - there is nothing to move
            return
        columns = (TextColumn(" " * (INDENT - 1)), TextColumn(words), BarColumn(28), MofNCompleteColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task("", total=total)
            yield lambda done: progress.update(task, completed=done)

    def _line(self, sentence: str, style: str = "", *, mark: str = "", after: str = "") -> None:
        room = self.width - INDENT - (TIME if after else 0)
        lines = Text(sentence).wrap(self.console, room - len(mark))
        for number, words in enumerate(lines):
            words.rstrip()
            shown = mark if number == 0 else " " * len(mark)  # a continued line stands under the words
            line = Text.assemble(" " * INDENT, (shown + words.plain, style))
            if number == len(lines) - 1 and after:
                line.append(" " * (INDENT + room - cell_len(line.plain)))
                line.append(after.rjust(TIME), style="cyan")
            self.console.print(line, soft_wrap=True)
