"""What clocks must say, found by walking minute by minute; written from docs/clocks.md and knowing nothing of bridge.

Everything is plain data. A moment is the number of a minute since the beginning of some days; a calendar is a string
of bytes, one for each of their minutes, 1 where it is open. Nothing is solved here: minutes are looked at one after the
other and counted. A story is what ``clock_histories`` makes.
"""

from __future__ import annotations


def told(story: dict, tables: dict[str, bytes], now: int) -> dict:
    """What there is to be said of a story at a minute: its ``cycles``, and ``owners``: (owner, why) of each minute."""
    walk = _Walk(story, tables)
    ended = story["ended"]
    until = now if ended is None else min(now, ended)
    groups: dict[int, list[dict]] = {}
    for entry in story["entries"]:
        if entry["at"] <= until:
            groups.setdefault(entry["at"], []).append(entry)
    for minute in range(story["born"], until + 1):
        if minute in groups:
            for entry in sorted(groups[minute], key=lambda one: _rank(one, story["origin"])):
                walk.happens(entry, minute)
        if ended is not None and minute == ended:
            walk.all_end(minute)
        walk.minute_begins(minute, changed=minute in groups)
        if minute < until:
            walk.minute_passes(minute)
    cycles = [cycle for clock in walk.clocks for cycle in clock["cycles"]]
    for cycle in cycles:
        _sum_up(cycle, walk.owners, story["born"], tables, until)
    return {"cycles": cycles, "owners": walk.owners}


def when(cycle: dict, tables: dict[str, bytes], amount: int, until: int) -> int | str | None:
    """The minute by which so much has counted, walking on from ``until`` if the cycle runs; "beyond" the tables."""
    if amount <= 0:
        return cycle["goal_since"]
    table = tables[cycle["goal"][2]] if cycle["goal"] else None
    so_far = 0
    for minute in cycle["ran"]:
        so_far += 1 if table is None else table[minute]
        if so_far >= amount:
            return max(minute + 1, cycle["goal_since"])
    if cycle["state"] != "running":
        return None
    if table is None:
        return until + amount - so_far
    for minute in range(until, len(table)):
        so_far += table[minute]
        if so_far >= amount:
            return minute + 1
    return "beyond"


def _rank(entry: dict, origin: str) -> tuple:
    """The order within one minute: birth, then the tracker of origin, then by the numbers of the events."""
    number = int(entry["event"].split("/")[1])
    return (entry["kind"] != "created", entry["side"] != origin, number, entry["kind"] == "released")


class _Walk:
    """The state of the world while the minutes pass."""

    def __init__(self, story: dict, tables: dict[str, bytes]) -> None:
        self.story, self.tables = story, tables
        self.values = dict(story["start"])
        self.people = {(story["origin"], name): value for name, value in story["start"].items()}
        self.comment = None
        self.held: set = set()
        self.owners: list[tuple[str, str]] = []
        self.owner = ("", "")
        self.clocks = [{"rule": rule, "cycles": [], "open": None} for rule in story["clocks"]]

    def happens(self, entry: dict, minute: int) -> None:
        facts = self._facts(entry)
        for clock in self.clocks:
            rule, last = clock["rule"], clock["cycles"][-1] if clock["cycles"] else None
            if entry["kind"] != "created":
                self._ending(clock, facts, entry, minute)
            if clock["open"] is None:
                back = ("reopened", None) in facts and last is not None and last["by"] == "resolved"
                if back and rule["reopen"] == "resume":
                    last["young"] = last["young"] and last["stopped"] == minute
                    last.update(state="running", stopped=None, by=None, stop_event="")
                    clock["open"] = last
                elif (back and rule["reopen"] == "new") or _any(rule["start"], facts):
                    clock["open"] = {
                        "clock": rule["name"],
                        "number": len(clock["cycles"]) + 1,
                        "state": "running",
                        "started": minute,
                        "start_event": entry["event"],
                        "stopped": None,
                        "stop_event": "",
                        "by": None,
                        "goal": None,
                        "goal_since": minute,
                        "breached": None,
                        "warned": None,
                        "elapsed": 0,
                        "ran": [],
                        "young": True,
                    }
                    clock["cycles"].append(clock["open"])
            if entry["kind"] == "created":
                self._ending(clock, facts, entry, minute)

    def _ending(self, clock: dict, facts: set, entry: dict, minute: int) -> None:
        cycle, rule = clock["open"], clock["rule"]
        if cycle is None:
            return
        if _any(rule["stop"], facts):
            resolving = [one for one in rule["stop"] if one["what"] == "resolved" and _any([one], facts)]
            cycle.update(state="stopped", by="resolved" if resolving else "other")
        elif _any(rule["cancel"], facts):
            cycle.update(state="cancelled", by="cancel")
        else:
            return
        if cycle["young"]:
            cycle["goal"] = self._goal(rule)
        cycle.update(stopped=minute, stop_event=entry["event"])
        clock["open"] = None

    def all_end(self, minute: int) -> None:
        for clock in self.clocks:
            if clock["open"] is not None:
                if clock["open"]["young"]:
                    clock["open"]["goal"] = self._goal(clock["rule"])
                clock["open"].update(state="cancelled", stopped=minute, stop_event="", by="end")
                clock["open"] = None

    def minute_begins(self, minute: int, *, changed: bool) -> None:
        """Everything of this moment is told: look at the ball, goals, pauses and what is over."""
        if changed:
            self.owner = self._owner()
        for clock in self.clocks:
            cycle, rule = clock["open"], clock["rule"]
            if cycle is None:
                continue
            renewed = False
            if changed:
                cycle["state"] = "paused" if self._paused(rule) else "running"
                goal = self._goal(rule)
                if cycle["young"]:
                    cycle["goal"], cycle["young"] = goal, False
                elif goal is not cycle["goal"] and (rule["goal_change"] == "whole" or cycle["goal"] is None):
                    if (goal and goal[1:]) != (cycle["goal"] and cycle["goal"][1:]):
                        cycle["goal_since"] = minute
                    cycle["goal"], renewed = goal, True
                    table = self.tables[goal[2]] if goal else None
                    cycle["elapsed"] = sum(1 if table is None else table[one] for one in cycle["ran"])
            if cycle["goal"]:
                budget = cycle["goal"][1]
                if cycle["breached"] is None and cycle["elapsed"] >= budget:
                    cycle["breached"] = minute
                if rule["warn"] and cycle["warned"] is None and cycle["elapsed"] * 4 >= budget * rule["warn"]:
                    cycle["warned"] = minute
            if renewed and cycle["breached"] is None:
                safe = not cycle["goal"] or cycle["elapsed"] * 4 < cycle["goal"][1] * (rule["warn"] or 4)
                if safe:
                    cycle["warned"] = None

    def minute_passes(self, minute: int) -> None:
        self.owners.append(self.owner)
        for clock in self.clocks:
            cycle = clock["open"]
            if cycle is not None and cycle["state"] == "running":
                cycle["ran"].append(minute)
                cycle["elapsed"] += self.tables[cycle["goal"][2]][minute] if cycle["goal"] else 1

    def _facts(self, entry: dict) -> set:
        """What an entry amounts to, as (what, detail); and the world is as it is afterwards."""
        kind, side, field, after = entry["kind"], entry["side"], entry["field"], entry["after"]
        facts: set = {("side", side)}
        if kind == "created":
            facts.add(("created", None))
            for name, value in self.values.items():
                facts.add(("is", (name, value)))
                if value:
                    facts.add(("owned", name))
            if self.values.get("status") in self.story["resolved"]:
                facts.add(("resolved", None))
        elif kind == "comment" and entry["public"]:
            facts.add(("comment", None))
            self.comment = side
        elif kind == "acknowledged":
            facts.add(("acknowledged", None))
        elif kind == "held":
            self.held.add(entry["event"])
        elif kind == "released":
            self.held -= {entry["event"]}
        elif kind == "field":
            if after and self.people.get((side, field), entry["before"]) != after:
                facts.add(("owned", field))
            before = self.values.get(field, entry["before"])
            if before != after:
                facts |= {("changed", field), ("is", (field, after))}
                resolved = self.story["resolved"]
                if field == "status" and (before in resolved) != (after in resolved):
                    facts.add(("resolved" if after in resolved else "reopened", None))
            self.values[field] = self.people[side, field] = after
        return facts

    def _owner(self) -> tuple[str, str]:
        status = self.values.get("status")
        for rule in self.story["ball"]:
            fits = not rule["statuses"] or status in rule["statuses"]
            fits = fits and rule["comment"] in {None, self.comment}
            for side, wanted in rule["assigned"].items():
                fits = fits and (self.people.get((side, "assignee"), "") != "") == wanted
            if fits:
                return rule["owner"], rule["words"]
        return ("nobody", "resolved") if status in self.story["resolved"] else ("vendor", "not resolved")

    def _paused(self, rule: dict) -> bool:
        owner, status = self.owner[0], self.values.get("status")
        return any(
            pause["ball"] in {None, owner}
            and (not pause["statuses"] or status in pause["statuses"])
            and (not pause["held"] or len(self.held) > 0)
            for pause in rule["pause"]
        )

    def _goal(self, rule: dict) -> tuple | None:
        for goal in rule["goals"]:
            if all(self.values.get(name, "") in values for name, values in goal[0].items()):
                return goal
        return None


def _any(triggers: list[dict], facts: set) -> bool:
    for one in triggers:
        if one["side"] and ("side", one["side"]) not in facts:
            continue
        if one["what"] == "field":
            if one["values"]:
                if any(("is", (one["field"], value)) in facts for value in one["values"]):
                    return True
            elif ("changed", one["field"]) in facts:
                return True
        elif one["what"] == "owned":
            if ("owned", one["field"] or "assignee") in facts:
                return True
        elif (one["what"], None) in facts:
            return True
    return False


def _sum_up(cycle: dict, owners: list, born: int, tables: dict[str, bytes], until: int) -> None:
    """Whose minutes a cycle was made of, and whose of those counted."""
    table = tables[cycle["goal"][2]] if cycle["goal"] else None
    wall = dict.fromkeys(("internal", "vendor", "nobody"), 0)
    counted = dict(wall)
    end = until if cycle["stopped"] is None else cycle["stopped"]
    for minute in range(cycle["started"], end):
        wall[owners[minute - born][0]] += 1
    for minute in cycle["ran"]:
        counted[owners[minute - born][0]] += 1 if table is None else table[minute]
    cycle["wall"], cycle["counted"] = wall, counted
