"""What the words ``secrets``, ``addresses``, ``ip-addresses`` and ``person-numbers`` of an agreement look for.

The patterns of secrets are those of the gitleaks project, in its own file beside this one, but without its comments: a
newer one can take its place (docs/adr/0010). A few of ours go with them for what people write into tickets and nobody
into code.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from bridge.sync.numbers import PERSON_NUMBERS
from bridge.sync.redaction import Detector, fold

MARKS = {
    "secrets": "[redacted: secret]",
    "addresses": "[redacted: address]",
    "ip-addresses": "[redacted: IP address]",
    "person-numbers": "[redacted: person number]",
}
"""What stands in the place of what was found, unless the agreement says otherwise."""

PORTION = 200
"""Words of a dictionary in one pattern: an engine that never backtracks needs room for each."""

_CODE_END = r"""(?:[\x60'"\s;]|\\[nr]|$)"""
_PROSE_END = r"(?:[^\w+/=-]|$)"
"""What may follow a secret: in code a quote or a blank, in a sentence also a comma or a bracket."""

_OURS = (
    Detector(r"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@?#]{0,80}:([^\s/@]{3,200})@", ("://",)),
    Detector(
        r"(?i)\bauthorization[\"']?[ \t]*[:=][ \t]*[\"']?(?:basic|bearer|token|digest)[ \t]+([\w.~+/=-]{8,})",
        ("authorization",),
    ),
    Detector(r"(?i)\bbearer[ \t]+([\w.~+/-]{20,}=*)", ("bearer",), must=r"\d"),
    Detector(
        r"(?i)(?:password|passwd|passphrase|passwort|kennwort|adgangskode|l\x{f6}senord|passord|wachtwoord|salasana|"
        r"mot de passe|\bpwd|\bpin)[\"']?[ \t]*(?:[:=]|\bis\b|\bist\b|\ber\b|\b\x{e4}r\b)[ \t]*[\"']?"
        r"([^\s\"'<>]{4,200})",
        ("pass", "kennwort", "adgangskode", "senord", "wachtwoord", "salasana", "pwd", "pin"),
        must=r"[0-9!@#$%^&*_+=~]",
    ),
    Detector(
        r"-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----(?:\s+[A-Za-z0-9+/=]{32,})+", ("-----begin",)
    ),
)
"""A login in an address, a header, a password in a sentence, the beginning of a key whose end was cut off."""

_ADDRESS = r"[\pL\pN._%+'-]+@[\pL\pN](?:[\pL\pN-]*[\pL\pN])?(?:\.[\pL\pN](?:[\pL\pN-]*[\pL\pN])?)+"
_IP = (
    r"(?:^|[^\w.])(\d{1,3}(?:\.\d{1,3}){3})(?:$|[^\w.]|\.(?:\D|$))",
    r"(?i)(?:[0-9a-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4})",
)


def built_in(word: str) -> tuple[Detector, ...]:
    """What one of the words looks for; ``person-numbers`` takes countries, see :func:`person_numbers`."""
    match word:
        case "secrets":
            return (*_gitleaks(), *_OURS)
        case "addresses":
            return (Detector(_ADDRESS, ("@", "\uff20")),)
        case "ip-addresses":
            return tuple(Detector(pattern, check="ip", whole=True) for pattern in _IP)
        case _:
            raise KeyError(word)


def person_numbers(countries: Iterable[str]) -> tuple[Detector, ...]:
    """What finds the person numbers of these countries."""
    return tuple(
        Detector(pattern, check=check, whole=True)
        for country in countries
        for pattern, check in PERSON_NUMBERS[country]
    )


def dictionary(words: Sequence[str]) -> tuple[Detector, ...]:
    """What finds these words, whole, in any case, whatever blanks are between their parts."""
    folded = dict.fromkeys(r"\s+".join(map(re.escape, fold(word).split())) for word in words)
    patterns = [_escaped(one) for one in folded if one]
    return tuple(
        Detector("(?i)" + "|".join(patterns[start : start + PORTION]), whole=True, longest=True)
        for start in range(0, len(patterns), PORTION)
    )


def _escaped(pattern: str) -> str:
    """Python's escapes are RE2's, but for letters beyond ASCII and blanks, which need none."""
    return re.sub(r"\\([^\x21-\x7e])", r"\1", pattern)


@cache
def _gitleaks() -> tuple[Detector, ...]:
    data = tomllib.loads(files("bridge.config").joinpath("gitleaks.toml").read_text(encoding="utf-8"))
    everywhere = data["allowlist"]
    unless = [f"^(?:{pattern})$" for pattern in everywhere.get("regexes", ())]
    stopwords = everywhere.get("stopwords", ())
    return tuple(_detectors(data["rules"], unless, stopwords))


def _detectors(
    rules: Iterable[Mapping[str, Any]], unless: Sequence[str], stopwords: Sequence[str]
) -> Iterator[Detector]:
    for rule in rules:
        if "regex" not in rule:
            continue  # it is about names of files alone
        allowed = [one for one in rule.get("allowlists", ()) if one.get("regexTarget", "secret") == "secret"]
        yield Detector(
            pattern=rule["regex"].replace(_CODE_END, _PROSE_END),
            keywords=tuple(word.lower() for word in rule.get("keywords", ())),
            group=rule.get("secretGroup"),
            entropy=float(rule.get("entropy", 0)),
            must=r"\d" if rule["id"].startswith("generic") else "",
            unless=(*unless, *(pattern for one in allowed for pattern in one.get("regexes", ()))),
            stopwords=(
                *(word.lower() for word in stopwords),
                *(word.lower() for one in allowed for word in one.get("stopwords", ())),
            ),
        )
