"""What must not leave: the rules of ``redact`` compiled once, here, and what makes a ticket classified."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path as FilePath

import re2

from bridge.config.boundary_shape import LevelShape, RedactShape
from bridge.config.detectors import MARKS, built_in, dictionary, person_numbers
from bridge.config.findings import Path, did_you_mean, listed
from bridge.config.kinds import Kind
from bridge.config.shape import AgreementShape
from bridge.config.source import Source
from bridge.sync.agreement import Classification
from bridge.sync.naming import invisible
from bridge.sync.numbers import PERSON_NUMBERS
from bridge.sync.redaction import NOTHING, Detector, Redaction, RedactionRule, compiled
from bridge.sync.ticket import Side

_WAYS = ("find", "person-numbers", "pattern", "words", "dictionary")
_WORDS = ("secrets", "addresses", "ip-addresses")
_TO = {
    "both": frozenset(Side),
    "vendor": frozenset({Side.VENDOR}),
    "internal": frozenset({Side.INTERNAL}),
}
_LONGEST_MARK = 60
_SHORTEST_WORD = 2
_LARGEST_FILE = 4_000_000
"""Bytes of a dictionary: more is no list of names but a database."""


def settle_redaction(shape: AgreementShape, source: Source) -> Redaction:
    """The rules, in file order; what is wrong goes to the source's findings."""
    rules: list[RedactionRule] = []
    for position, one in enumerate(shape.redact):
        rules += _rules(one, ("redact", position), source)
    return Redaction(tuple(rules)) if rules else NOTHING


def settle_classified(
    shape: AgreementShape, source: Source, kinds: Mapping[Side, Kind | None]
) -> Classification:
    """What makes a ticket classified; what is wrong goes to the source's findings."""
    given, at = shape.classified, ("classified",)
    if given is None:
        return Classification()
    names: dict[Side, str] = {}
    match given.field:
        case str(name):
            names = dict.fromkeys(Side, name)
        case LevelShape(internal=internal, vendor=vendor):
            named = {Side.INTERNAL: internal, Side.VENDOR: vendor}
            names = {side: name for side, name in named.items() if name}
            if not names and source.sound((*at, "field")):
                source.problem(
                    (*at, "field"), "names no field", "write field: Confidentiality, or drop the key"
                )
        case None:
            pass
    if not given.labels and given.field is None and not given.values and source.sound(at):
        source.problem(
            at,
            "says of no ticket that it is classified",
            "add labels: [...], or a field with its values",
            key=True,
        )
    if given.field is not None and not given.values and source.sound(at):
        source.problem(
            (*at, "field"), "'field' has no effect without 'values'", "add e.g. values: [Secret]", key=True
        )
    if given.values and given.field is None and source.sound(at):
        source.problem(
            (*at, "values"),
            "'values' has no effect without 'field'",
            "add e.g. field: Confidentiality",
            key=True,
        )
    known = [kind for kind in kinds.values() if kind is not None]
    if given.labels and len(known) == len(Side) and all("labels" in kind.lacks for kind in known):
        source.problem(
            (*at, "labels"),
            "neither tracker has labels",
            "name a field and its values instead",
            key=True,
        )
    return Classification(labels=given.labels, names=names, values=given.values)


def _rules(shape: RedactShape, at: Path, source: Source) -> list[RedactionRule]:
    """The rules that one entry makes: one for each word of ``find``, else one."""
    ways = [way for way in _WAYS if getattr(shape, way.replace("-", "_"))]
    if len(ways) != 1:
        if source.sound(at):
            said = f"{listed(ways)} are several rules" if ways else "says nothing to look for"
            source.problem(at, said, f"one of {listed(_WAYS)} in each entry", key=True)
        return []
    mark = _mark(shape, ways[0], at, source)
    to = _TO[shape.to]
    match ways[0]:
        case "find":
            found = []
            for word in shape.find:
                if word not in _WORDS:
                    source.problem((*at, "find"), f"'{word}' is nothing that can be found", _right_word(word))
                else:
                    found.append(RedactionRule(word, mark or MARKS[word], built_in(word), to))
            return found
        case "person-numbers":
            return [
                RedactionRule(
                    "person-numbers", mark or MARKS["person-numbers"], _numbers(shape, at, source), to
                )
            ]
        case "pattern":
            detectors = _pattern(shape.pattern, at, source)
        case "words":
            detectors = _words(shape.words, (*at, "words"), source)
        case _:
            detectors = _file(shape.dictionary, (*at, "dictionary"), source)
    return [RedactionRule(mark, mark, detectors, to)] if mark and detectors else []


def _right_word(word: str) -> str:
    if word == "person-numbers":
        return "name the countries: {person-numbers: [dk, nl, se]}"
    return did_you_mean(word, _WORDS)


def _mark(shape: RedactShape, way: str, at: Path, source: Source) -> str:
    """What stands in the place; "" where none is named or it cannot be."""
    mark = shape.instead
    if not mark:
        if way not in {"find", "person-numbers"} and source.sound(at):
            source.problem(
                at, "does not say what stands there instead", 'add e.g. as: "[internal address]"', key=True
            )
        return ""
    plain = " ".join(unicodedata.normalize("NFKC", mark).split())
    if (
        plain != mark
        or len(mark) > _LONGEST_MARK
        or any(map(invisible, mark))
        or not any(map(str.isalpha, mark))
    ):
        source.problem(
            (*at, "as"),
            f"'as' must be a few plain words, at most {_LONGEST_MARK} characters",
            'write e.g. "[customer]"',
        )
        return ""
    return mark


def _numbers(shape: RedactShape, at: Path, source: Source) -> tuple[Detector, ...]:
    known = []
    for position, country in enumerate(shape.person_numbers):
        if country.casefold() in PERSON_NUMBERS:
            known.append(country.casefold())
        else:
            source.problem(
                (*at, "person-numbers", position),
                f"the person numbers of '{country}' are not known here",
                f"one of {listed(PERSON_NUMBERS)}",
            )
    return person_numbers(known)


def _pattern(pattern: str, at: Path, source: Source) -> tuple[Detector, ...]:
    where = (*at, "pattern")
    try:
        ready = compiled(pattern)
    except re2.error as error:
        words = error.args[0] if error.args else ""
        said = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
        source.problem(
            where,
            f"is no pattern: {said}",
            "write it in RE2's syntax, which has no look-ahead, look-behind or back-references",
        )
        return ()
    if ready.search("") is not None:
        source.problem(
            where,
            "finds nothing at all, so that it would be found everywhere",
            "write + in place of *, or more",
        )
        return ()
    return (Detector(pattern),)


def _words(words: tuple[str, ...], where: Path, source: Source) -> tuple[Detector, ...]:
    short = [word for word in words if len(word.strip()) < _SHORTEST_WORD]
    if short:
        source.problem(
            where, f"{listed(short)}: too short to be told from other words", "write at least two letters"
        )
        return ()
    return dictionary(words)


def _file(name: str, where: Path, source: Source) -> tuple[Detector, ...]:
    """The words of a file: one a line, without empty lines and those that begin with ``#``."""
    path = FilePath(source.file).parent / name
    try:
        if path.stat().st_size > _LARGEST_FILE:
            source.problem(where, f"'{name}' is too large for a dictionary", "keep it below 4 MB")
            return ()
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        source.problem(
            where, f"there is no file '{name}' beside this one", "create it, or give the right path"
        )
        return ()
    except OSError as error:
        source.problem(where, f"'{name}' cannot be read: {error.strerror}", "check its rights")
        return ()
    except UnicodeDecodeError:
        source.problem(where, f"'{name}' is not UTF-8", "save the file as UTF-8")
        return ()
    words = tuple(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    if not words:
        source.problem(where, f"'{name}' holds no words", "write one a line, or drop the rule")
        return ()
    return _words(words, where, source)
