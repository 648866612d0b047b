"""What is cut out of words before they leave for the other company, and what stands there instead.

A rule finds places in a text by detectors; each place becomes the rule's mark, which people can see. A mark is never
looked into again, so that redacting twice is redacting once. Everything here is a function of the rules and the text:
patterns run in an engine whose time grows with the text alone (RE2), so that no pattern and no text can hang the
daemon; see docs/adr/0010.

A text is read as its reader sees it: characters that show nothing are skipped, wide and other compatible forms of a
letter count as the letter.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import re2

from bridge.sync.naming import invisible
from bridge.sync.numbers import CHECKS
from bridge.sync.ticket import Side

MOST_ROUNDS = 20
"""Times at most that what is left between marks is looked over: each mark makes new edges of words."""

OBJECT = "\ufffc"
"""Stands for something in a text that is no character of it."""


@dataclass(frozen=True, slots=True)
class Detector:
    """One way to find something.

    Attributes:
        pattern: in RE2's syntax.
        keywords: lower-case; where none of them is in the text, the pattern is not tried. Empty: it always is.
        group: which group is to go; None: the first that took part, or all of it where there are none.
        entropy: bits per character that the place must have more of; 0: it does not matter.
        must: pattern that the place must hold; "" for none.
        unless: patterns of places that are nothing after all.
        stopwords: lower-case; a place that holds one is nothing after all.
        check: name of a check in ``numbers.CHECKS`` that the place must pass; "" for none.
        whole: no letter or digit may stand beside the place.
        longest: the longest of several alternatives counts, not the first.
    """

    pattern: str
    keywords: tuple[str, ...] = ()
    group: int | None = None
    entropy: float = 0.0
    must: str = ""
    unless: tuple[str, ...] = ()
    stopwords: tuple[str, ...] = ()
    check: str = ""
    whole: bool = False
    longest: bool = False


@dataclass(frozen=True, slots=True)
class RedactionRule:
    """What is cut out, and what stands there instead.

    Attributes:
        name: how it is counted: ``secrets``, ``addresses``, or the mark of a rule of one's own.
        mark: what people see in its place, one line.
        to: sides towards which it works.
        detectors: what finds it.
    """

    name: str
    mark: str
    detectors: tuple[Detector, ...]
    to: frozenset[Side] = frozenset(Side)


@dataclass(frozen=True, eq=False)
class Redaction:
    """All rules of an agreement, in file order. Compared by identity, so that results can be remembered by it."""

    rules: tuple[RedactionRule, ...] = ()

    def toward(self, side: Side) -> tuple[RedactionRule, ...]:
        """The rules for what goes to a side."""
        return tuple(rule for rule in self.rules if side in rule.to)

    @property
    def marks(self) -> frozenset[str]:
        """What stands in the place of words, whatever the direction."""
        return frozenset(rule.mark for rule in self.rules)


NOTHING = Redaction()
"""No rules: texts cross as they are."""


@dataclass(frozen=True, slots=True)
class Place:
    """Characters ``start:end`` of a text, and the rule that they fall under."""

    start: int
    end: int
    rule: RedactionRule


def compiled(pattern: str, *, longest: bool = False, limit: int = 8 << 20) -> Any:
    """A pattern, ready to use.

    Raises:
        re2.error: it is none, or takes more memory than ``limit`` bytes.
    """
    return _compiled(pattern, longest, limit)


@lru_cache(maxsize=4096)
def _compiled(pattern: str, longest: bool, limit: int) -> Any:
    options = re2.Options()
    options.longest_match = longest
    options.log_errors = False
    options.max_mem = limit
    return re2.compile(pattern, options=options)


@lru_cache(maxsize=512)
def places(redaction: Redaction, to: Side, text: str) -> tuple[Place, ...]:
    """What must go from a text before it goes to a side: in order, apart from one another, and outside of marks."""
    rules = redaction.toward(to)
    if not rules or not text:
        return ()
    seen, where = _as_seen(text)
    taken = _marked(redaction.marks, seen)
    found: list[Place] = []
    for _ in range(MOST_ROUNDS):
        new = _apart(
            Place(start + first, start + last, rule)
            for start, end in _between(taken, len(seen))
            for rule in rules
            for first, last in _found(rule, seen[start:end])
        )
        if not new:
            break
        found += new
        taken = sorted([*taken, *((one.start, one.end) for one in new)])
    joined = _joined(sorted(found, key=lambda one: one.start))
    return tuple(Place(where(one.start), where(one.end - 1) + 1, one.rule) for one in joined)


def redact_line(redaction: Redaction, to: Side, text: str) -> str:
    """A plain text with marks for all that must go."""
    return "".join(pieces(text, places(redaction, to, text)))


def pieces(text: str, found: Sequence[Place]) -> Iterator[str]:
    """What is left of a text, and marks between it."""
    at = 0
    for place in found:
        yield text[at : place.start]
        yield place.rule.mark
        at = place.end
    yield text[at:]


def hidden_in(redaction: Redaction, to: Side, text: str) -> Counter[str]:
    """The words that must go from a text, as a reader sees them."""
    return Counter(_as_seen(text[one.start : one.end])[0] for one in places(redaction, to, text))


def holds_mark(redaction: Redaction, text: str) -> bool:
    """Whether a mark of any rule stands in a text."""
    return any(mark in text for mark in redaction.marks)


def count_marks(redaction: Redaction, to: Side, text: str) -> Mapping[str, int]:
    """How often each rule's mark stands in a text that goes to a side."""
    marks = {rule.mark: rule.name for rule in redaction.toward(to)}
    found = Counter(dict.fromkeys(marks.values(), 0))
    for mark, name in marks.items():
        found[name] += text.count(mark)
    return {name: count for name, count in found.items() if count}


def fold(text: str) -> str:
    """A text as its reader sees it, which is how texts are searched."""
    return _as_seen(text)[0]


def _as_seen(text: str) -> tuple[str, Callable[[int], int]]:
    """A text as its reader sees it, and where each character of it stands in the text itself."""
    if text.isascii():
        return text, lambda at: at
    out: list[str] = []
    where: list[int] = []
    for at, one in enumerate(text):
        if one >= "\x80":
            if one != OBJECT and invisible(one):
                continue
            plain = unicodedata.normalize("NFKC", one)
            one = plain if len(plain) == 1 else one  # noqa: PLW2901 - the same character as it is seen
        out.append(one)
        where.append(at)
    return "".join(out), where.__getitem__


def _marked(marks: Iterable[str], seen: str) -> list[tuple[int, int]]:
    """Where marks stand already."""
    found: list[tuple[int, int]] = []
    for mark in sorted(marks, key=len, reverse=True):
        at = seen.find(mark)
        while at >= 0:
            end = at + len(mark)
            if all(end <= start or at >= stop for start, stop in found):
                found.append((at, end))
            at = seen.find(mark, end)
    return sorted(found)


def _between(taken: Sequence[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    for (_, end), (start, _) in pairwise([(0, 0), *taken, (length, length)]):
        if start > end:
            yield end, start


def _apart(found: Iterable[Place]) -> list[Place]:
    """Places that do not overlap: those that do become one, under the rule of the first and longest."""
    out: list[Place] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if out and one.start < out[-1].end:
            out[-1] = Place(out[-1].start, max(out[-1].end, one.end), out[-1].rule)
        else:
            out.append(one)
    return out


def _joined(found: Sequence[Place]) -> list[Place]:
    """Places of one rule that touch are one."""
    out: list[Place] = []
    for one in found:
        if out and one.start == out[-1].end and one.rule.mark == out[-1].rule.mark:
            out[-1] = Place(out[-1].start, one.end, one.rule)
        else:
            out.append(one)
    return out


def _found(rule: RedactionRule, text: str) -> Iterator[tuple[int, int]]:
    lower = text.lower()
    for detector in rule.detectors:
        if not detector.keywords or any(word in lower for word in detector.keywords):
            yield from _detected(detector, text)


def _detected(detector: Detector, text: str) -> Iterator[tuple[int, int]]:
    pattern = compiled(detector.pattern, longest=detector.longest)
    at = 0
    while at <= len(text) and (match := pattern.search(text, at)) is not None:
        start, end = _span(detector, match)
        if end > start and _counts(detector, text, start, end):
            yield start, end
            at = end
        else:
            # What is nothing after all may hide something that begins within it.
            at = max(at, match.start()) + 1


def _span(detector: Detector, match: Any) -> tuple[int, int]:
    if detector.group is not None:
        return tuple(match.span(detector.group))
    for number in range(1, match.re.groups + 1):
        if match.span(number) != (-1, -1) and match.end(number) > match.start(number):
            return tuple(match.span(number))
    return tuple(match.span())


def _counts(detector: Detector, text: str, start: int, end: int) -> bool:
    """Whether a place is what its pattern took it for."""
    said = text[start:end]
    if detector.whole and _inside_word(text, start, end):
        return False
    if detector.must and compiled(detector.must).search(said) is None:
        return False
    if detector.check and not CHECKS[detector.check](said):
        return False
    if detector.entropy and entropy(said) <= detector.entropy:
        return False
    if detector.stopwords:
        lower = said.lower()
        if any(word in lower for word in detector.stopwords):
            return False
    return not any(compiled(pattern).search(said) for pattern in detector.unless)


def _inside_word(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return (before.isalnum() and text[start].isalnum()) or (after.isalnum() and text[end - 1].isalnum())


def entropy(text: str) -> float:
    """Shannon's bits per character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())
