"""Random stories for the clocks, as plain data: a policy and a history, minutes counted since the window began.

Moments are drawn from few numbers, and goals are round, so that entries meet each other and the due instant exactly.
"""

from __future__ import annotations

from random import Random

SIDES = ("internal", "vendor")
STATUSES = ("Open", "Working", "Waiting", "Resolved", "Closed")
VALUES = {
    "status": STATUSES,
    "priority": ("P1", "P2", "P3", ""),
    "severity": ("Major", "Minor"),
    "assignee": ("", "Bo", "Ann"),
}
KINDS = ("field", "field", "field", "field", "comment", "comment", "held", "acknowledged")
STARTS = (
    "created",
    "created",
    "created",
    "comment",
    "owned",
    "status",
    "reopened",
    "priority",
    "acknowledged",
)
BUDGETS = (0, 16, 20, 60, 60, 120, 240, 480)
STOPS = ("resolved", "resolved", "resolved", "comment", "owned", "status", "acknowledged", "severity")


def story(random: Random, born: int, calendars: list[str]) -> dict:
    """One story that begins at minute ``born``."""
    length = random.choice((60, 120, 240, 240, 240, 480, 480, 1440))
    start = {name: random.choice(values) for name, values in VALUES.items() if random.random() < 0.9}
    if random.random() < 0.8:
        start["status"] = "Open"
    origin = random.choice(SIDES)
    entries = _entries(random, born, length, start, origin)
    return {
        "born": born,
        "origin": origin,
        "start": start,
        "entries": entries,
        "ended": random.choice((random.choice(entries)["at"], born + random.randrange(length)))
        if random.random() < 0.2
        else None,
        "resolved": {"Resolved", "Closed"},
        "ball": [_ball(random, number) for number in range(random.randrange(4))],
        "clocks": [_clock(random, number, calendars) for number in range(random.choice((1, 1, 2, 3)))],
        "length": length,
    }


def _entries(random: Random, born: int, length: int, start: dict, origin: str) -> list[dict]:
    count = random.choice((0, 1, 2, 3, 5, 8, 12, 20))
    step = random.choice((1, 5, 15, 15, 30, 60))
    numbers = random.sample(range(1, 200), count)
    moments = sorted(random.choices(range(0, length, step), k=count))
    made = [_entry("created", born, origin, f"{origin}:x/0")]
    before = dict(start)
    for at, number in zip(moments, numbers, strict=True):
        side = random.choice(SIDES)
        entry = _entry(random.choice(KINDS), born + at, side, f"{side}:x/{number}")
        made.append(entry)
        if entry["kind"] == "field":
            name = random.choice(("status", "status", "priority", "severity", "assignee"))
            entry.update(field=name, before=before.get(name, ""), after=random.choice(VALUES[name]))
            before[name] = entry["after"]
        elif entry["kind"] == "held" and random.random() < 0.8:
            over = _entry("released", born + random.randrange(at, length + 1), side, entry["event"])
            made.append(over)
        elif entry["kind"] == "comment":
            entry["public"] = random.random() < 0.8
    random.shuffle(made)
    return made


def _entry(kind: str, at: int, side: str, event: str) -> dict:
    return {
        "kind": kind,
        "at": at,
        "side": side,
        "event": event,
        "field": "",
        "before": "",
        "after": "",
        "public": True,
    }


def _trigger(random: Random, what: str) -> dict:
    made = {"what": what, "side": random.choice((None, None, *SIDES)), "field": "", "values": set()}
    if what in {"created", "resolved", "reopened"} and random.random() < 0.8:
        made["side"] = None
    if what in {"status", "priority", "severity"}:
        made.update(what="field", field=what)
        if random.random() < 0.8:
            made["values"] = set(random.sample(VALUES[what], 2))
    if what == "owned" and random.random() < 0.2:
        made["field"] = "severity"
    return made


def _some(random: Random, kinds: tuple[str, ...], most: int) -> list[dict]:
    return [_trigger(random, random.choice(kinds)) for _ in range(random.randint(1, most))]


def _clock(random: Random, number: int, calendars: list[str]) -> dict:
    return {
        "name": f"clock{number}",
        "start": _some(random, STARTS, 2),
        "stop": _some(random, STOPS, 2),
        "cancel": _some(random, STOPS, 1) if random.random() < 0.3 else [],
        "pause": [_pause(random) for _ in range(random.choice((0, 0, 1, 1, 2)))],
        "goals": [_goal(random, calendars) for _ in range(random.choice((0, 1, 2, 2, 3)))]
        + ([({}, random.choice((60, 240, 480)), random.choice(calendars))] if random.random() < 0.5 else []),
        "reopen": random.choice(("new", "resume", "ignore")),
        "goal_change": random.choice(("whole", "whole", "keep")),
        "warn": random.choice((0, 2, 3)),  # quarters of the budget
    }


def _pause(random: Random) -> dict:
    made = {"ball": None, "statuses": set(), "held": False}
    match random.randrange(4):
        case 0 | 1:
            made["ball"] = random.choice(("internal", "internal", "vendor", "nobody"))
        case 2:
            made["statuses"] = {"Waiting", random.choice(STATUSES)}
        case _:
            made["held"] = True
    return made


def _goal(random: Random, calendars: list[str]) -> tuple:
    name = random.choice(("priority", "priority", "priority", "severity", "assignee"))
    kinds = VALUES[name]
    fits = {name: set(random.sample(kinds, random.randint(1, len(kinds) - 1)))}
    budget = random.choice(BUDGETS) if random.random() < 0.9 else 4 * random.randint(1, 200)
    return fits, budget, random.choice(calendars)


def _ball(random: Random, number: int) -> dict:
    made = {"owner": random.choice(("internal", "vendor", "nobody")), "words": f"rule {number}"}
    made |= {"statuses": set(), "comment": None, "assigned": {}}
    match random.randrange(4):
        case 0:
            made["statuses"] = set(random.sample(STATUSES, 2))
        case 1:
            made["comment"] = random.choice(SIDES)
        case 2:
            made["assigned"] = {random.choice(SIDES): random.random() < 0.5}
        case _:
            made["comment"] = random.choice(SIDES)
            made["assigned"] = {side: random.random() < 0.5 for side in SIDES}
    return made
