"""Checks that tell a number from digits: a person's number by its check digits, an address of a network by its form.

Candidates come from patterns; only what passes is taken for what it looks like, so that order numbers stay. The check
digits are those of python-stdnum, which follows each country's own description.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from types import ModuleType

from stdnum.at import vnr
from stdnum.be import nn
from stdnum.ch import ssn
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.ee import ik
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.pt import cc
from stdnum.se import personnummer

PERSON_NUMBERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "at": ((r"\d{4} ?\d{6}", "at"),),
    "be": ((r"\d{2}[. ]?\d{2}[. ]?\d{2}[- ]?\d{3}[. -]?\d{2}", "be"),),
    "ch": ((r"756\.?\d{4}\.?\d{4}\.?\d{2}", "ch"),),
    "cz": ((r"\d{6}/?\d{3,4}", "cz"),),
    "de": ((r"\d{2} ?\d{3} ?\d{3} ?\d{3}", "de"),),
    "dk": ((r"\d{6}[- ]?\d{4}", "dk"),),
    "ee": ((r"[1-8]\d{10}", "ee"),),
    "es": ((r"(?i)\d{8}[- ]?[a-z]", "es"), (r"(?i)[xyz][- ]?\d{7}[- ]?[a-z]", "es-nie")),
    "fi": ((r"(?i)\d{6}[-+a-fu-y]\d{3}[0-9a-z]", "fi"),),
    "fr": ((r"(?i)[12] ?\d{2} ?\d{2} ?\d[0-9ab] ?\d{3} ?\d{3} ?\d{2}", "fr"),),
    "gb": ((r"\d{3}[ -]?\d{3}[ -]?\d{4}", "gb"),),
    "it": ((r"(?i)[a-z]{6}[0-9lmnpqrstuv]{2}[a-z][0-9lmnpqrstuv]{2}[a-z][0-9lmnpqrstuv]{3}[a-z]", "it"),),
    "nl": ((r"\d{3}[. ]?\d{3}[. ]?\d{3}|\d{4}[. ]\d{2}[. ]\d{3}", "nl"),),
    "no": ((r"\d{6} ?\d{5}", "no"),),
    "pl": ((r"\d{11}", "pl"),),
    "pt": ((r"(?i)\d{8}[ -]?\d ?[a-z0-9]{2}\d", "pt"),),
    "se": ((r"(?:\d{2})?\d{6}[-+ ]?\d{4}", "se"),),
}
"""Country -> patterns of what may be a person's number there, each with the name of its check."""


def _valid(module: ModuleType) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        return bool(module.is_valid(text))

    return check


def _swedish(text: str) -> bool:
    digits = text.replace(" ", "-")
    if digits.isdecimal():
        # The sign before the last four may be left out in writing; the check wants it.
        digits = f"{digits[:-4]}-{digits[-4:]}"
    return bool(personnummer.is_valid(digits))


def is_ip(text: str) -> bool:
    """Whether a text is an address of IPv4 or IPv6."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


CHECKS: Mapping[str, Callable[[str], bool]] = {
    "at": _valid(vnr),
    "be": _valid(nn),
    "ch": _valid(ssn),
    "cz": _valid(rc),
    "de": _valid(idnr),
    "dk": _valid(cpr),
    "ee": _valid(ik),
    "es": _valid(dni),
    "es-nie": _valid(nie),
    "fi": _valid(hetu),
    "fr": _valid(nir),
    "gb": _valid(nhs),
    "it": _valid(codicefiscale),
    "nl": _valid(bsn),
    "no": _valid(fodselsnummer),
    "pl": _valid(pesel),
    "pt": _valid(cc),
    "se": _swedish,
    "ip": is_ip,
}
"""What a place must be to count."""
