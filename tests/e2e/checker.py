"""An independent judge of what the bridge wrote: the simulators' call logs against the agreement, restated.

It shares nothing with the bridge. It knows what people did from the requests that they sent under their own logins,
what was decided from the test that decided it, and what is allowed from ``restated``; from that it says of every
request of the integration account whether it may be, and at the end whether everything that may cross has crossed.

Whatever the bridge writes into a field must be what the other side has there at that moment, in this side's words.
What the other side has must be there by right: since the start, since the sides last agreed, by somebody who may, or
because exactly that was approved. And nobody's lawful change is overwritten by what nobody changed.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from restated import (
    ANY,
    COMMENTS,
    COMPANY,
    CROSSING_LABELS,
    HIDDEN,
    MAY,
    NAMES,
    OTHER,
    STATIONS,
    WORDS,
)

NATIVE = {"summary": "summary", "description": "description", "priority": "priority", "duedate": "due"}
"""The trackers' names of agreed fields that are set by a plain edit."""

TOKEN, COMMENT = re.compile(r"\bh\d{5}\b"), re.compile(r"\bc\d{6}\b")
MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
NETWORK = re.compile(r"\b10\.\d+\.\d+\.\d+\b")
NOTES = ("On hold:", "Settled:")
WRITES = re.compile(r"^/rest/api/[23]/issue(?:/(?P<issue>[^/]+)(?P<rest>/.*)?)?$")
READS = {"/search", "/search/jql", "/search/approximate-count", "/issue/bulkfetch", "/changelog/bulkfetch"}


@dataclass
class Cell:
    """A field of one ticket as it stands.

    Attributes:
        value: in its side's words.
        author: login of whoever put it there.
        touched: a person has changed it since both sides last agreed.
        agreed: what stood there then.
    """

    value: Any = None
    author: str = ""
    touched: bool = False
    agreed: Any = None


@dataclass
class Said:
    """A comment.

    Attributes:
        author: login.
        text: as it was written.
        private: not for everybody.
    """

    author: str
    text: str
    private: bool


@dataclass(frozen=True)
class Decision:
    """What a person decided about a change: its ticket, field and side, its value, and what the other side had."""

    token: str
    field: str
    side: str
    value: Any
    other: Any
    approved: bool


@dataclass
class Ticket:
    """One ticket, as the requests made it."""

    fields: dict[str, Cell] = field(default_factory=dict)
    labels: dict[str, Cell] = field(default_factory=lambda: defaultdict(Cell))
    station: bool = False

    def has(self, label: str) -> bool:
        """Whether it has a label."""
        return label in self.labels and bool(self.labels[label].value)


class Checker:
    """The judge of one world.

    Args:
        sites: the simulators' sites by name, for what their numbers mean: issues, steps, people.
        talk: which comments cross: a key of ``restated.COMMENTS``.
        planted: words that must not cross as they are -> (side, kind).
        tokens: the logins' secrets.

    Attributes:
        faults: what was wrong, each with its history's token.
        story: what the bridge wrote, by token.
        writes: how many writes were judged.
    """

    def __init__(
        self, sites: dict[str, Any], talk: str, planted: dict[str, tuple[str, str]], tokens: Iterable[str]
    ) -> None:
        self.sites, self.talkers, self.planted, self.tokens = sites, COMMENTS[talk], planted, tuple(tokens)
        self.tickets: dict[str, dict[str, Ticket]] = defaultdict(dict)
        self.said: dict[str, tuple[str, str, Said]] = {}
        self.copies: dict[str, int] = defaultdict(int)
        self.decisions: list[Decision] = []
        self.faults: list[tuple[str, str]] = []
        self.story: dict[str, list[str]] = defaultdict(list)
        self.writes = 0
        self._known: dict[tuple[str, str], str] = {}

    # --- reading ---------------------------------------------------------------------------------

    def read(self, calls: dict[str, list[Any]]) -> None:
        """Judge the requests of one phase: of people, or of the bridge between two of those."""
        mixed = sorted(
            ((call.at, name, call.seq, call) for name, some in calls.items() for call in some),
            key=lambda one: one[:3],
        )
        for _, side, _, call in mixed:
            if call.user in NAMES:
                if call.status < 400 and call.method != "GET":
                    self._person(side, call)
            else:
                self._bridge(side, call)
        for token, pair in self.tickets.items():
            for side, ticket in pair.items():
                self._left_alone(token, side, ticket)
            self._agreed(token)

    def decided(self, decision: Decision) -> None:
        """Somebody decided about a change."""
        self.decisions.append(decision)
        word = "approved" if decision.approved else "rejected"
        self.story[decision.token].append(
            f"  {word}: {decision.field} {decision.value} of {decision.side}, beside {decision.other}"
        )

    def wrong(self, token: str, words: str) -> None:
        """Note a fault."""
        self.faults.append((token, words))

    def _token(self, side: str, ref: str) -> str:
        if (side, ref) not in self._known:
            site = self.sites[side]
            number = int(ref) if ref.isdigit() else site.issue(ref).id
            found = TOKEN.search(site.issues[number].values["summary"])
            self._known[side, ref] = found.group() if found else ""
        return self._known[side, ref]

    def _step(self, side: str, number: str) -> str:
        (project,) = self.sites[side].projects.values()
        step = next(one for one in project.workflow.transitions if one.id == number)
        return str(self.sites[side].statuses[step.to].name)

    # --- people ----------------------------------------------------------------------------------

    def _person(self, side: str, call: Any) -> None:
        place = WRITES.match(call.path)
        assert place is not None, call.path
        ref, rest, body = place["issue"], place["rest"] or "", call.json or {}
        token = TOKEN.search(body["fields"]["summary"]).group() if ref is None else self._token(side, ref)
        self.story[token].append(f"  {call.user}@{side}: {call.method} {rest} {_short(body)}")
        if ref is None:
            start = "Open" if side == "home" else "To Do"
            ticket = self.tickets[token][side] = Ticket({"status": Cell(start, call.user)})
            for name in NATIVE.values():
                ticket.fields[name] = Cell(None, call.user)
            self._fields(ticket, call.user, body["fields"], touched=False)
            return
        ticket = self.tickets[token][side]
        if rest.startswith("/comment"):
            self._comment(token, side, call)
        elif rest == "/transitions":
            _put(ticket.fields["status"], self._step(side, body["transition"]["id"]), call.user)
        else:
            self._fields(ticket, call.user, body["fields"], touched=True)

    def _fields(self, ticket: Ticket, user: str, given: dict[str, Any], *, touched: bool) -> None:
        for native, raw in given.items():
            if native in NATIVE:
                _put(ticket.fields[NATIVE[native]], _plain(native, raw), user, touched=touched)
            elif native == "labels":
                for label in {*ticket.labels, *raw}:
                    _put(ticket.labels[label], label in raw, user, touched=touched)

    def _comment(self, token: str, side: str, call: Any) -> None:
        text = _flat(call.json["body"])
        name = COMMENT.search(text).group()
        self.said[name] = (token, side, Said(call.user, text, "visibility" in call.json))

    # --- the bridge ------------------------------------------------------------------------------

    def _bridge(self, side: str, call: Any) -> None:
        if call.user != "bridge":
            self.wrong("", f"a request to {side} under the login {call.user!r}: {call.method} {call.path}")
        place = WRITES.match(call.path)
        api = re.sub(r"^/rest/api/[23]", "", call.path)
        reading = call.method == "GET" or api in READS
        token = ""
        if not reading and place is not None:
            body = call.json or {}
            if place["issue"] is None:
                found = TOKEN.search(str(body.get("fields", {}).get("summary")))
                token = found.group() if found else ""
            else:
                token = self._token(side, place["issue"])
        self._words(side, call, token)
        if reading:
            return
        self.writes += 1
        if place is None or not token:
            self.wrong(token, f"a write that no agreement knows: {call.method} {call.path}")
            return
        self.story[token].append(
            f"  bridge@{side}: {call.method} {place['rest'] or ''} {_short(call.json)} -> {call.status} {call.fault}"
        )
        done = (call.status < 400 and call.status > 0) or call.fault.startswith("apply-then")
        self._write(side, token, call, place["rest"] or "", done=done)

    def _words(self, side: str, call: Any, token: str) -> None:
        """Nothing that must not be there stands anywhere in a request."""
        text = json.dumps([call.path, call.query, call.json, call.headers], ensure_ascii=False)
        text = text.replace("\\", "").replace("%40", "@")
        for word in re.findall(r"[\w./+@-]{6,}", text):
            at = self.planted.get(word.strip("./+@-"))
            if at is None or at[0] == side:
                continue
            if at[1] == "private" or (side != at[0] and at[0] in HIDDEN[at[1]][0]):
                self.wrong(token, f"a {at[1]} word of {at[0]} reached {side}: {word}")
        said = json.dumps(call.json, ensure_ascii=False) if call.json is not None else ""
        shapes = ((MAIL, OTHER), (NETWORK, {"acme"})) if call.kind == "write" else ()
        for shape in (shape for shape, sides in shapes if side in sides):
            for found in shape.finditer(said):
                if self.planted.get(found.group(), ("",))[0] != side:
                    self.wrong(token, f"an address reached {side}: {found.group()}")
        for secret in self.tokens:
            if secret in text:
                self.wrong(token, f"a login's secret stands in a request to {side}")

    def _write(self, side: str, token: str, call: Any, rest: str, *, done: bool) -> None:
        body, pair = call.json or {}, self.tickets[token]
        shape = (
            call.method,
            re.sub(r"/\d+", "/N", re.sub(r"/properties/bridge[.].*", "/properties/bridge", rest)),
        )
        if shape == ("POST", "") and "fields" in body:
            self._create(side, token, body["fields"], done=done)
            return
        if side not in pair:
            self.wrong(token, f"a write to a ticket of {side} that nobody made")
            return
        match shape:
            case ("PUT", ""):
                self._edit(side, token, body, done=done)
            case ("POST", "/transitions"):
                self._move(side, token, body, done=done)
            case ("POST", "/comment"):
                name = self._copy(side, token, body)
                if name and done:
                    self.copies[name] += 1
            case ("PUT", "/comment/N"):
                self._copy(side, token, body)
            case (
                ("POST", "/remotelink")
                | ("PUT", "/properties/bridge")
                | ("PUT", "/comment/N/properties/bridge")
            ):
                pass
            case _:
                self.wrong(token, f"a write that no agreement knows: {call.method} {call.path}")

    def _create(self, side: str, token: str, given: dict[str, Any], *, done: bool) -> None:
        origin = self.tickets[token].get(OTHER[side])
        if origin is None or side in self.tickets[token]:
            self.wrong(token, f"a ticket was created on {side} that nobody asked for, or once more")
            return
        made = Ticket({"status": Cell("Open" if side == "home" else "To Do")})
        for name in NATIVE.values():
            made.fields[name] = Cell()
        for native, raw in given.items():
            if native in NATIVE:
                value = _plain(native, raw)
                name = NATIVE[native]
                if value not in self.image(name, origin.fields[name].value, OTHER[side]):
                    self.wrong(
                        token, f"{side} was created with {name} {value!r}, which is not the original's"
                    )
                made.fields[name].value = value
            elif native == "labels":
                for label in raw:
                    if not label.startswith("bridge-") and not origin.has(label):
                        self.wrong(token, f"{side} was created with a label that the original lacks: {label}")
                    made.labels[label].value = True
            elif native not in {"project", "issuetype"}:
                self.wrong(token, f"{side} was created with {native}, which is not agreed")
        if done:
            self.tickets[token][side] = made

    def _edit(self, side: str, token: str, body: dict[str, Any], *, done: bool) -> None:
        ticket = self.tickets[token][side]
        for native, raw in body.get("fields", {}).items():
            if native not in NATIVE:
                self.wrong(token, f"the bridge wrote {native} on {side}, which is not agreed")
                continue
            name, value = NATIVE[native], _plain(native, raw)
            theirs, mine = self._cell(token, OTHER[side], name), ticket.fields[name]
            own = not theirs.touched and value == mine.agreed  # with its own words, which never left it
            if not own and value not in self.image(name, theirs.value, OTHER[side]):
                self.wrong(
                    token, f"the bridge wrote {name} {value!r} on {side}, which {OTHER[side]} does not have"
                )
            self._by_right(side, token, name)
            if done:
                ticket.fields[name] = Cell(value, "bridge", agreed=value)
                self._agreed(token, name, written=True)
        for native, steps in body.get("update", {}).items():
            if native != "labels":
                self.wrong(token, f"the bridge wrote {native} on {side}, which is not agreed")
                continue
            for step in steps:
                ((verb, label),) = step.items()
                self._label(side, token, label, there=verb == "add")
                if done:
                    ticket.labels[label] = Cell(verb == "add", "bridge")

    def _move(self, side: str, token: str, body: dict[str, Any], *, done: bool) -> None:
        ticket, goal = self.tickets[token][side], self._cell(token, OTHER[side], "status").value
        if set(body.get("fields", {})) - {"resolution"}:
            self.wrong(token, f"a step on {side} with fields that are not agreed: {_short(body)}")
        to = self._step(side, body["transition"]["id"])
        arrived = to in self.image("status", goal, OTHER[side])
        if not arrived and to not in STATIONS[side]:
            self.wrong(token, f"the bridge moved {side} to {to}, where {OTHER[side]} has {goal}")
        self._by_right(side, token, "status")
        if not done:
            return
        ticket.fields["status"] = Cell(to, "bridge", agreed=ticket.fields["status"].agreed)
        ticket.station = not arrived
        if arrived:
            self._agreed(token, "status", written=True)

    def _by_right(self, side: str, token: str, name: str) -> None:
        """The other side's value may come here, and nothing that was done here by right is lost to it."""
        mine, theirs = self._cell(token, side, name), self._cell(token, OTHER[side], name)
        if theirs.touched and not _may(OTHER[side], name, theirs.value, theirs.author):
            verdict = self._verdict(token, name, OTHER[side], theirs.value, approved=True)
            if verdict is None:
                self.wrong(
                    token,
                    f"{name} {theirs.value!r} of {theirs.author}, who may not, went from {OTHER[side]} to {side}",
                )
            elif mine.author != "bridge" and verdict.other != mine.value:
                self.wrong(
                    token,
                    f"{name} {theirs.value!r} was approved beside {verdict.other!r}, not {mine.value!r}",
                )
        if mine.touched and not theirs.touched and _may(side, name, mine.value, mine.author):
            self.wrong(token, f"{name} {mine.value!r} of {mine.author}, who may, was undone on {side}")

    def _label(self, side: str, token: str, label: str, *, there: bool) -> None:
        other = OTHER[side]
        mine = self.tickets[token][side].labels[label]
        theirs = self.tickets[token][other].labels[label]
        if not label.startswith(CROSSING_LABELS):
            self.wrong(token, f"the label {label} is not agreed")
        if bool(theirs.value) != there:
            self.wrong(token, f"the bridge changed the label {label} on {side}, which {other} did not")
        decided = [one for one in self.decisions if one.token == token and one.field == "labels"]
        if theirs.touched and not _may(other, "labels", label, theirs.author):
            covered = any(
                one.approved and one.side == other and (label in one.value) == there for one in decided
            )
            if not covered:
                self.wrong(
                    token, f"the label {label} of {theirs.author}, who may not, went from {other} to {side}"
                )
        if mine.touched and not theirs.touched and _may(side, "labels", label, mine.author):
            rejected = any(
                not one.approved and one.side == side and (label in one.value) != there for one in decided
            )
            if not rejected:
                self.wrong(token, f"the label {label} of {mine.author}, who may, was undone on {side}")

    def _copy(self, side: str, token: str, body: dict[str, Any]) -> str:
        """A comment of the bridge: the copy of a public one of the other side, or its own note; returns which."""
        text = _flat(body["body"])
        if text.startswith(NOTES):
            if COMMENT.search(text) or TOKEN.search(text):
                self.wrong(token, f"a note on {side} quotes what people wrote: {text}")
            return ""
        found = COMMENT.findall(text)
        if len(found) != 1 or found[0] not in self.said:
            self.wrong(token, f"a comment on {side} that nobody wrote: {text}")
            return ""
        whose, origin, said = self.said[found[0]]
        expected = _squeezed(f"{NAMES[said.author]} ({COMPANY[origin]}) {self.redacted(said.text, origin)}")
        if whose != token or origin == side:
            self.wrong(token, f"a comment of {whose} on {origin} was copied to {side} of {token}")
        if said.private:
            self.wrong(token, f"a private comment of {origin} went to {side}: {text}")
        if origin not in self.talkers:
            self.wrong(token, f"comments of {origin} do not cross: {text}")
        if text != expected:
            self.wrong(token, f"a comment reads {text!r} on {side} and should read {expected!r}")
        return found[0]

    # --- what is what ----------------------------------------------------------------------------

    def image(self, name: str, value: Any, side: str) -> set[Any]:
        """What a value of a side may be on the other side."""
        if name in WORDS:
            pairs = [(ours, theirs) if side == "home" else (theirs, ours) for ours, theirs in WORDS[name]]
            return {there for here, there in pairs if here == value}
        if name in {"summary", "description"} and value is not None:
            return {_squeezed(self.redacted(value, side))}
        return {value}

    def redacted(self, text: str, side: str) -> str:
        """A text of a side without the words that do not leave it."""
        for word, (_, kind) in self.planted.items():
            if kind in HIDDEN and side in HIDDEN[kind][0] and word in text:
                text = text.replace(word, HIDDEN[kind][1])
        return text

    def _cell(self, token: str, side: str, name: str) -> Cell:
        ticket = self.tickets[token].get(side)
        return ticket.fields[name] if ticket is not None else Cell()

    def _verdict(self, token: str, name: str, side: str, value: Any, *, approved: bool) -> Decision | None:
        return next(
            (
                one
                for one in reversed(self.decisions)
                if (one.token, one.field, one.side, one.value, one.approved)
                == (token, name, side, value, approved)
            ),
            None,
        )

    def _same(self, token: str, name: str) -> bool:
        ours, theirs = (self._cell(token, side, name).value for side in ("home", "acme"))
        return theirs in self.image(name, ours, "home") or ours in self.image(name, theirs, "acme")

    def _kept(self, token: str, name: str) -> bool:
        """Whether a text holds words that the other side may not see: nothing from there replaces it."""
        values = [(side, self._cell(token, side, name)) for side in OTHER]
        return name in {"summary", "description"} and any(
            self.redacted(text, side) != text
            for side, cell in values
            for text in (cell.value, cell.agreed)
            if text
        )

    def _agreed(self, token: str, only: str = "", *, written: bool = False) -> None:
        """Where both sides are in agreement, what led to it is over."""
        pair = self.tickets[token]
        if len(pair) < len(OTHER):
            return
        for name in [only] if only else MAY:
            if name == "labels":
                for label in {one for ticket in pair.values() for one in ticket.labels}:
                    cells = [ticket.labels[label] for ticket in pair.values()]
                    if len({bool(cell.value) for cell in cells}) == 1:
                        for cell in cells:
                            cell.touched, cell.agreed = False, bool(cell.value)
            elif written or self._same(token, name):
                for ticket in pair.values():
                    cell = ticket.fields[name]
                    cell.touched, cell.agreed = False, cell.value
                self.decisions = [one for one in self.decisions if (one.token, one.field) != (token, name)]

    def _left_alone(self, token: str, side: str, ticket: Ticket) -> None:
        """No ticket is left at a status that was only on the way."""
        if ticket.station and ticket.fields["status"].author == "bridge" and not self._same(token, "status"):
            self.wrong(token, f"{side} was left on the way, in {ticket.fields['status'].value}")

    # --- at the end ------------------------------------------------------------------------------

    def finish(self) -> None:
        """Everything that may cross has crossed, once; and the trackers show what the requests say."""
        shown: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
        for side, site in self.sites.items():
            for issue in site.issues.values():
                shown[TOKEN.search(issue.values["summary"]).group()][side].append(issue)
        for token, pair in self.tickets.items():
            for side, site in self.sites.items():
                if len(shown[token][side]) != 1 or side not in pair:
                    self.wrong(token, f"{len(shown[token][side])} tickets on {side}")
                else:
                    self._as_shown(token, side, site, shown[token][side][0])
            for name in MAY:
                if name != "labels" and not self._same(token, name) and not self._kept(token, name):
                    values = [self._cell(token, side, name).value for side in ("home", "acme")]
                    self.wrong(token, f"{name} differs at the end: {values}")
            ours, theirs = (
                {label for label in ticket.labels if ticket.has(label) and label.startswith(CROSSING_LABELS)}
                for ticket in pair.values()
            )
            if ours != theirs:
                self.wrong(token, f"labels differ at the end: {sorted(ours)} / {sorted(theirs)}")
        for name, (token, side, said) in self.said.items():
            wanted = 0 if said.private or side not in self.talkers else 1
            if self.copies[name] != wanted:
                self.wrong(
                    token, f"{self.copies[name]} copies of the comment {name} of {side}, {wanted} expected"
                )

    def _as_shown(self, token: str, side: str, site: Any, issue: Any) -> None:
        ticket, values = self.tickets[token][side], issue.values
        real = {
            "summary": _squeezed(values["summary"]),
            "description": _flat(values.get("description")),
            "due": values.get("duedate"),
            "priority": site.priorities[values["priority"]].name,
            "status": site.statuses[issue.status].name,
        }
        for name, value in real.items():
            if ticket.fields[name].value != value:
                self.wrong(
                    token, f"{side} shows {name} {value!r}, its requests say {ticket.fields[name].value!r}"
                )
        labels = {label for label in ticket.labels if ticket.has(label)}
        if labels != set(values.get("labels") or ()):
            self.wrong(
                token, f"{side} shows labels {values.get('labels')}, its requests say {sorted(labels)}"
            )


def _may(side: str, name: str, value: Any, login: str) -> bool:
    """Whether somebody may bring about a value, by the agreement."""
    granted = MAY[name][side]
    who = granted.get(ANY) or granted.get(value)
    return who in {ANY, login}


def _put(cell: Cell, value: Any, author: str, *, touched: bool = True) -> None:
    if bool(cell.value) != value if isinstance(value, bool) else cell.value != value:
        cell.value, cell.author = value, author
        cell.touched = touched and value != cell.agreed  # what is taken back is no change


def _plain(native: str, raw: Any) -> Any:
    if native == "priority":
        return raw["name"]
    if native == "duedate":
        return raw
    return _flat(raw)


def _flat(body: Any) -> str:
    """The words of a text: wiki text or ADF."""
    return _squeezed(body if isinstance(body, str) else _adf(body))


def _adf(node: Any) -> str:
    if not isinstance(node, dict):
        return ""
    inner = "".join(_adf(one) for one in node.get("content", ()))
    return str(node.get("text", "")) + inner + ("\n" if node.get("type") == "paragraph" else "")


def _squeezed(text: str) -> str:
    return " ".join(text.replace("\\", "").replace("*", "").split())


def _short(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False)[:300]
