"""The list on which every stage writes the mistakes it finds, and the words they share.

Nothing here ever sees a value from under ``token`` or ``password``: callers pass paths and their own
sentences.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from bridge.errors import ConfigError, Problem

Path = tuple[str | int, ...]
"""Where in a document: keys and 0-based list positions from the root."""


def dotted(path: Path) -> str:
    """A path as people write it: ``fields.status.via`` or ``people[2].vendor`` (the third pair)."""
    words = ""
    for step in path:
        words += f"[{step}]" if isinstance(step, int) else f".{step}" if words else step
    return words


def listed(words: Iterable[str]) -> str:
    """The words in quotes, separated by commas."""
    return ", ".join(f"'{word}'" for word in words)


def did_you_mean(word: str, options: Iterable[str], *, otherwise: str = "") -> str:
    """The cure for a word that is not among the options: the nearest one, or else all of them.

    Args:
        word: what was written.
        options: what may be written, in the order to show.
        otherwise: said instead of the list when nothing is near.
    """
    known = list(options)
    by_folded = {option.casefold(): option for option in known}
    near = get_close_matches(word.casefold(), by_folded, n=1)
    if near:
        return f"did you mean '{by_folded[near[0]]}'?"
    return otherwise or f"one of {listed(known)}"


class Findings:
    """All mistakes found so far; files keep the order in which they were read."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._files: list[str] = []

    def open(self, file: str) -> None:
        """Give a file its place in the order."""
        if file not in self._files:
            self._files.append(file)

    def add(self, problem: Problem) -> None:
        """Note one mistake; the same one twice counts once."""
        self.open(problem.file)
        if problem not in self._found:
            self._found.append(problem)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every mistake, by file and line."""
        return tuple(sorted(self._found, key=lambda p: (self._files.index(p.file), p.line)))

    def raise_if_any(self) -> None:
        """End the loading when there is anything to report.

        Raises:
            ConfigError: with every mistake.
        """
        if self._found:
            raise ConfigError(self.problems)
