"""What JQL means: a parsed query becomes a test over indexed issues and an order.

Values are checked before anything is searched, as Jira does: an unknown project, status, user, function or
date is a 400 in Jira's words. Quoted dates have minute precision and are read in the calling user's own
time zone; bare digits are epoch milliseconds. The index holds times at the site's ``stamp_resolution_ms``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bridge.simulator import adf
from bridge.simulator.fields import LISTED, View, is_text
from bridge.simulator.jql import Clause, Combined, Function, Node, Operand, Order, Query, Value
from bridge.simulator.model import Issue, words
from bridge.simulator.refusal import Refusal

Test = Callable[[Issue], bool]
RELATIVE = re.compile(r"([+-]?)((?:\d+[wdhm]\s*)+)")
UNITS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000}
FORMATS = ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d")
ALIASES = {
    "issue": "id",
    "issuekey": "id",
    "key": "id",
    "id": "id",
    "type": "issuetype",
    "issuetype": "issuetype",
    "createddate": "created",
    "updateddate": "updated",
    "due": "duedate",
    "component": "components",
    "components": "components",
    "fixversion": "fixVersions",
    "affectedversion": "versions",
    "duedate": "duedate",
    "resolved": "resolutiondate",
    "resolutiondate": "resolutiondate",
}
SAME_NAME = words(
    """
    project status priority resolution labels assignee reporter creator created updated summary description
    environment parent comment statuscategory
    """,
)
DATES = frozenset({"created", "updated", "resolutiondate", "duedate"})
USERS = frozenset({"assignee", "reporter", "creator"})
TEXTUAL = frozenset({"summary", "description", "environment", "comment"})
SIMPLE = frozenset({"=", "!=", "in", "not in", "is", "is not"})
RANGED = SIMPLE | {"<", "<=", ">", ">="}
MATCHING = frozenset({"~", "!~", "is", "is not"})


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query ready to run."""

    test: Test
    order: tuple[tuple[Callable[[Issue], Any], bool], ...]

    def sorted(self, issues: list[Issue]) -> list[Issue]:
        """Return the issues in the query's order; ties, which Jira leaves open, fall newest id first."""
        found = sorted(issues, key=lambda one: -one.id)
        for key, descending in reversed(self.order):
            found.sort(key=key, reverse=descending)
        return found


def compile_query(view: View, query: Query) -> Compiled:
    """Check every name and value, and return what to run; refuse with every complaint at once."""
    return _Compiler(view).compile(query)


class _Compiler:
    """Compiles one query for one caller."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.site = view.site
        self.complaints: list[str] = []

    def compile(self, query: Query) -> Compiled:
        test = self.node(query.where) if query.where else _always
        order = tuple((self.sort_key(item), item.descending) for item in query.order)
        if self.complaints:
            raise Refusal(400, self.complaints)
        return Compiled(test, order)

    def complain(self, text: str) -> None:
        if text not in self.complaints:
            self.complaints.append(text)

    def node(self, node: Node) -> Test:
        if isinstance(node, Clause):
            return self.clause(node)
        parts = [self.node(part) for part in node.parts]
        return _combine(node, parts)

    def field(self, name: str) -> str | None:
        low = name.lower()
        if low in ALIASES or low in SAME_NAME:
            return ALIASES.get(low, low)
        for custom in self.site.custom.values():
            number = custom.id.removeprefix("customfield_")
            if low in {custom.name.lower(), f"cf[{number}]", custom.id}:
                return custom.id
        self.complain(f"Field '{name}' does not exist or you do not have permission to view it.")
        return None

    # -- clauses ------------------------------------------------------------------------------------

    def clause(self, clause: Clause) -> Test:
        name = self.field(clause.field)
        if name is None:
            return _never
        if clause.op not in self.operators(name):
            self.complain(f"The operator '{clause.op}' is not supported by the '{clause.field}' field.")
            return _never
        negative = clause.op in {"!=", "not in", "is not", "!~"}
        if clause.op in {"is", "is not"} or (
            clause.op in {"=", "!="} and isinstance(clause.operands[0], Value) and clause.operands[0].empty
        ):
            return (
                (lambda one: bool(self.held(one, name)))
                if negative
                else (lambda one: not self.held(one, name))
            )
        if clause.op in {"~", "!~"}:
            return self.matching(name, clause, negative=negative)
        if name in DATES or self.kind(name) in {"date", "datetime", "number"}:
            return self.ranged(name, clause)
        wanted = {value for operand in clause.operands for value in self.values(name, clause.field, operand)}
        if negative:  # != and not in leave out issues whose field is empty, as in Jira
            return lambda one: bool(self.held(one, name)) and not self.held(one, name) & wanted
        return lambda one: bool(self.held(one, name) & wanted)

    def kind(self, name: str) -> str:
        return self.site.custom[name].type if name in self.site.custom else ""

    def operators(self, name: str) -> frozenset[str]:
        if name in DATES or self.kind(name) in {"date", "datetime", "number"}:
            return RANGED
        if name in TEXTUAL or self.kind(name) in {"string", "text", "url", "raw"}:
            return MATCHING
        if name in {"id", "priority"}:
            return RANGED
        return SIMPLE

    def held(self, one: Issue, name: str) -> set[Any]:
        """Return what an issue holds in a field, as a set; empty when it holds nothing."""
        if name == "id":
            return {one.id}
        if name in {"project", "status", "creator", "resolution"}:
            found = getattr(one, name)
            return {found} if found else set()
        if name == "statuscategory":
            return {self.site.statuses[one.status].category}
        if name == "issuetype":
            return {one.type}
        if name in {"created", "updated"}:
            return {getattr(one, name)}
        if name == "resolutiondate":
            return {one.resolution_date} if one.resolution_date is not None else set()
        value = one.values.get(name)
        if isinstance(value, list):
            return set(value)
        if isinstance(value, dict):
            return {adf.to_text(value)}
        return set() if value is None else {value}

    # -- texts --------------------------------------------------------------------------------------

    def matching(self, name: str, clause: Clause, *, negative: bool) -> Test:
        operand = clause.operands[0]
        if not isinstance(operand, Value):
            self.complain(f"The function '{operand.name}' cannot be used with the '~' operator.")
            return _never
        phrase = operand.text.strip()
        if not phrase:
            self.complain(f"The field '{clause.field}' does not support searching for an empty string.")
            return _never
        exact = len(phrase) > 1 and phrase[0] == phrase[-1] == '"'
        words = [_words(phrase)] if exact else [[word] for word in _words(phrase)]
        prefix = phrase.endswith("*")

        def test(one: Issue) -> bool:
            text = self.text(one, name)
            return bool(text) and all(_contains(text, part, prefix=prefix) for part in words) is not negative

        return test

    def text(self, one: Issue, name: str) -> list[str]:
        if name == "comment":
            return [word for comment in one.comments for word in _words(adf.to_text(comment.body))]
        value = one.values.get(name)
        return _words(adf.to_text(value) if is_text(self.site, name) else str(value or ""))

    # -- dates and numbers --------------------------------------------------------------------------

    def ranged(self, name: str, clause: Clause) -> Test:
        plain = self.kind(name) == "number"
        bounds: list[float] = []
        for operand in clause.operands:
            bound = self.number(clause.field, operand) if plain else self.moment(clause.field, operand)
            if bound is None:
                return _never
            bounds.append(bound)
        grain = 1 if plain else self.site.stamp_resolution_ms
        marks = [bound // grain if not plain else bound for bound in bounds]

        def test(one: Issue) -> bool:
            found = self.comparable(one, name)
            if found is None:
                return False
            seen = found if plain else found // grain
            return _compare(clause.op, seen, marks)

        return test

    def comparable(self, one: Issue, name: str) -> float | None:
        for value in self.held(one, name):
            if isinstance(value, str):
                return datetime.fromisoformat(value).replace(tzinfo=self.zone()).timestamp() * 1000
            return float(value)
        return None

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.view.user.time_zone if self.view.user else "Etc/UTC")

    def number(self, field: str, operand: Operand) -> float | None:
        if isinstance(operand, Value):
            try:
                return float(operand.text)
            except ValueError:
                pass
        said = operand.text if isinstance(operand, Value) else operand.name
        self.complain(f"The value '{said}' for field '{field}' is not a number.")
        return None

    def moment(self, field: str, operand: Operand) -> int | None:
        now = self.site.now()
        if isinstance(operand, Function):
            return self.moment_of(operand, now)
        text = operand.text.strip()
        if text.isdigit() and not operand.quoted:
            return int(text)
        relative = RELATIVE.fullmatch(text)
        if relative:
            span = sum(
                int(part[:-1]) * UNITS[part[-1]] for part in re.findall(r"\d+[wdhm]", relative.group(2))
            )
            return now - span if relative.group(1) == "-" else now + span
        for form in FORMATS:
            try:
                local = datetime.strptime(text, form).replace(tzinfo=self.zone())
            except ValueError:
                continue
            return int(local.timestamp() * 1000)
        self.complain(
            f"Date value '{text}' for field '{field}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
            "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'.",
        )
        return None

    def moment_of(self, call: Function, now: int) -> int | None:
        name = call.name.lower()
        if name == "now" and not call.args:
            return now
        if name in {"startofday", "endofday"} and not call.args:
            local = datetime.fromtimestamp(now / 1000, UTC).astimezone(self.zone())
            midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
            if name == "endofday":
                return int((midnight + timedelta(days=1)).timestamp() * 1000) - 1
            return int(midnight.timestamp() * 1000)
        self.complain(f"Unable to find JQL function '{call.name}({', '.join(call.args)})'.")
        return None

    # -- chosen things ------------------------------------------------------------------------------

    def values(self, name: str, field: str, operand: Operand) -> set[Any]:
        """Return the stored values an operand stands for; complain when there is none."""
        if isinstance(operand, Function):
            return self.function(name, operand)
        if operand.empty:
            return set()
        text = operand.text
        if name == "id":
            return self.issue_ids(field, text)
        found: Any = None
        if name == "labels" or self.kind(name) == "labels":
            return {text}
        if name == "project":
            project = self.site.project_at(text) or next(
                (one for one in self.site.projects.values() if one.name.lower() == text.lower()),
                None,
            )
            hidden = (
                project
                and self.view.user
                and not self.site.may(self.view.user, "BROWSE_PROJECTS", project.key)
            )
            found = project.key if project and not hidden else None
        elif name in USERS:
            person = self.site.user_called(text)
            found = person.id if person else None
        elif name == "parent":
            parent = self.site.find(text)
            found = parent.id if parent else None
        elif name == "statuscategory":
            keys = {"to do": "new", "in progress": "indeterminate", "done": "done", "new": "new"}
            found = keys.get(text.lower())
        elif name in LISTED:
            found = next(
                (
                    key
                    for project in self.site.projects.values()
                    for key, said in project.listed(name).items()
                    if text in {key, said}
                ),
                None,
            )
        elif name in self.site.custom:
            found = next((key for key, value in self.site.custom[name].options if text in {key, value}), None)
        else:
            found = self.registered(name, text)
        if found is None:
            self.complain(f"The value '{text}' does not exist for the field '{field}'.")
            return set()
        return {found}

    def registered(self, name: str, text: str) -> str | None:
        site = self.site
        things: dict[str, Any] = {
            "status": site.statuses,
            "priority": site.priorities,
            "resolution": site.resolutions,
            "issuetype": site.types,
        }
        if text in things[name]:
            return text
        return next((key for key, one in things[name].items() if one.name.lower() == text.lower()), None)

    def issue_ids(self, field: str, text: str) -> set[Any]:
        issue = self.site.find(text)
        visible = issue is not None and (
            self.view.user is None or self.site.may(self.view.user, "BROWSE_PROJECTS", issue.project)
        )
        if issue is not None and visible:
            return {issue.id}
        if self.site.strict_ids:
            if text.isdigit():
                self.complain(f"A value with ID '{text}' does not exist for the field '{field}'.")
            else:
                self.complain(f"An issue with key '{text}' does not exist for field '{field}'.")
        return set()

    def function(self, name: str, call: Function) -> set[Any]:
        low = call.name.lower()
        if low == "currentuser" and name in USERS and not call.args:
            return {self.view.user.id} if self.view.user else set()
        if low == "issueswithremotelinksbyglobalid" and name == "id":
            wanted = set(call.args)
            return {
                one.id
                for one in self.site.indexed()
                if wanted & {link.global_id for link in one.remote_links}
            }
        self.complain(f"Unable to find JQL function '{call.name}({', '.join(call.args)})'.")
        return set()

    # -- order --------------------------------------------------------------------------------------

    def sort_key(self, item: Order) -> Callable[[Issue], Any]:
        name = self.field(item.field)
        if name is None:
            return lambda _: 0
        if name == "id" and item.field.lower() in {"key", "issuekey", "issue"}:
            return lambda one: (one.project, int(one.key.rsplit("-", 1)[1]))
        if name == "id":
            return lambda one: one.id
        if name in DATES or self.kind(name) in {"date", "datetime", "number"}:
            grain = self.site.stamp_resolution_ms if self.kind(name) != "number" else 1
            return lambda one: _empty_last(self.comparable(one, name), grain)
        ranks = {
            "priority": list(self.site.priorities),
            "status": list(self.site.statuses),
            "resolution": list(self.site.resolutions),
            "issuetype": list(self.site.types),
        }.get(name)
        if ranks is not None:
            return lambda one: min((ranks.index(value) for value in self.held(one, name)), default=len(ranks))
        return lambda one: (not self.held(one, name), sorted(map(str, self.held(one, name))))


def _always(_: Issue) -> bool:
    return True


def _never(_: Issue) -> bool:
    return False


def _combine(node: Combined, parts: list[Test]) -> Test:
    if node.kind == "not":
        return lambda one: not parts[0](one)
    if node.kind == "and":
        return lambda one: all(part(one) for part in parts)
    return lambda one: any(part(one) for part in parts)


def _empty_last(value: float | None, grain: int) -> tuple[bool, float]:
    return value is None, (value or 0) // grain


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _contains(text: list[str], part: list[str], *, prefix: bool) -> bool:
    if not part:
        return True
    if prefix and len(part) == 1:
        return any(word.startswith(part[0]) for word in text)
    size = len(part)
    return any(text[place : place + size] == part for place in range(len(text) - size + 1))


def _compare(op: str, seen: float, marks: list[float]) -> bool:
    if op in {"=", "in"}:
        return seen in marks
    if op in {"!=", "not in"}:
        return seen not in marks
    bound = marks[0]
    return {"<": seen < bound, "<=": seen <= bound, ">": seen > bound, ">=": seen >= bound}[op]
