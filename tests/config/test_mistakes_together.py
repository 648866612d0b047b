"""No mistake hides another: what is reported for each alone is reported for any of them together."""

from __future__ import annotations

import random
import re

import pytest
from test_broken_agreement_file import CASES

from bridge.config import load
from bridge.errors import ConfigError

# what stands there, what is put there
RIGHTS = {
    "mode": ("mode: pilot", "mode: pilots"),
    "no pilot": ('pilot: {tickets: [OPS-1, CUST-7], labels: ["pilot-*"]}\n', ""),
    "key of a pilot": ("CUST-7", "CUST7"),
    "misspelt labels of a pilot": ('labels: ["pilot-*"]', 'label: ["pilot-*"]'),
    "no side": ("{side: internal, people: [ann@", "{people: [ann@"),
    "side": ("    side: vendor", "    side: vender"),
    "person of a role twice": ("people: [bo@acme.example]", "people: [bo@acme.example, BO@acme.example]"),
    "nobody": ("    people: [bo@acme.example]\n", ""),
    "mail": ("mail: [desk@acme.example]", "mail: [desk]"),
    "groups": ("groups: [ops]", "groups: []"),
    "no field": ("field: assignee, ", ""),
    "field": ("field: assignee", "field: priority"),
    "required-within": ("required-within: 4h", "required-within: 4"),
    "approver": ("vendor: delivery-manager}", "vendor: service-owner}"),
    "unknown approver": ("internal: service-owner,", "internal: service-owners,"),
    "expire": ("expire: 14d", "expire: never"),
    "no expiry": ("  expire: 14d\n", ""),
    "then": ("then: reject", "then: refuse"),
    "value of a right": ("      - Task\n", "      - Tusk\n"),
    "vendor's value": ("{to: Bug,", "{to: Fault,"),
    "value before": ("from: Task", "from: Bug"),
    "by": ("by: [delivery-manager, eva@", "by: [delivery-manger, eva@"),
    "rights in another form": ("internal-may: any", "internal-may: all"),
    "unentitled": ("unentitled: flag", "unentitled: flags"),
}

UNCLEAR = {
    *("unknown tracker", "unknown tracker far off", "side missing", "misspelt key of a side"),
    *("both sides the same", "project in small letters", "project title"),
}
DEPENDENT = [
    UNCLEAR,  # of which kind of tracker, of which project?
    *({name, "key of a pilot"} for name in UNCLEAR),  # how are its tickets called?
    *({name, "labels on redmine"} for name in UNCLEAR),  # where the pilot's ticket is another tracker's
    {"labels on redmine", "no pilot", "key of a pilot"},
    {"labels on redmine", "role without private comments"},  # reported either way, in other words
    {"unknown key", "create", "no summary"},  # are tickets created?
    {"custom field without names", "custom field with one name", "custom field twice"},
    {"mode", "no pilot"},
    {"no side", "side", "approver"},
    {"no field", "required-within"},
    {"no expiry", "then"},
    {"vendor's value", "value before"},
]
"""Of these, one may hide another: without the first, nobody could tell whether the second is one."""

EDITS = {**{name: case[:2] for name, case in CASES.items()}, **RIGHTS}


def told(folder, text):
    """Path and message of every problem; lines and spelling suggestions move with other edits."""
    folder.acme.write_text(text)
    try:
        load(folder.path, environ={}, secrets=False)
    except ConfigError as error:
        return {(problem.path, re.sub(r"line \d+", "line", problem.message)) for problem in error.problems}
    return set()


def together(text, names):
    """The text with all these edits; None where they touch the same place or depend on one another."""
    if any(len(names & group) > 1 for group in DEPENDENT):
        return None
    places = sorted((text.index(EDITS[name][0]), name) for name in names)
    result, end = "", 0
    for start, name in places:
        old, new = EDITS[name]
        assert text.count(old) == 1, name
        if start < end:
            return None
        result, end = f"{result}{text[end:start]}{new}", start + len(old)
    return result + text[end:]


@pytest.mark.parametrize("name", RIGHTS)
def test_a_mistake_alone_is_reported(governed, name):
    text = governed.acme.read_text()
    assert len(told(governed, together(text, {name}))) == 1


@pytest.mark.parametrize("seed", range(20))
def test_several_mistakes_are_reported_together(governed, seed):
    chance = random.Random(seed)
    text = governed.acme.read_text()
    broken, names = None, set()
    while broken is None:
        names = set(chance.sample(sorted(EDITS), chance.randint(3, 7)))
        broken = together(text, names)
    alone = [told(governed, together(text, {name})) for name in names]
    assert all(alone)
    assert set.union(*alone) <= told(governed, broken), names
