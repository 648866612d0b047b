"""Reading JQL: text in, a small tree out, or Jira's 400 with the place of the mistake.

Covers what feeds and look-ups need: comparisons, IN, IS EMPTY, functions, AND OR NOT, parentheses, ORDER
BY. History operators (WAS, CHANGED) and sub-queries are refused honestly. What the clauses mean is in
`jql_eval`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from bridge.simulator.refusal import Refusal

TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<op><=|>=|!=|!~|=|~|<|>)
      | (?P<punct>[(),])
      | (?P<cf>cf\[\d+\])
      | (?P<not>!)
      | (?P<word>[^\s"'=!~<>(),\[\]&|]+)
      | (?P<and>&&?)
      | (?P<or>\|\|?)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
RESERVED = frozenset({"and", "or", "not", "in", "is", "was", "changed", "order", "by", "empty", "null"})


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the query; ``kind`` is string, op, punct, word, cf, not, and, or, end."""

    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """Return the lower-cased text of a bare word, else nothing."""
        return self.text.lower() if self.kind == "word" else ""


@dataclass(frozen=True, slots=True)
class Value:
    """A literal: ``quoted`` matters for dates; ``empty`` is the word EMPTY or NULL."""

    text: str
    quoted: bool = False
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function call."""

    name: str
    args: tuple[str, ...] = ()


Operand = Value | Function


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison; ``in`` and ``not in`` carry several operands, ``is``/``is not`` an empty one."""

    field: str
    op: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Combined:
    """AND, OR or NOT over other nodes."""

    kind: Literal["and", "or", "not"]
    parts: tuple[Node, ...]


Node = Clause | Combined


@dataclass(frozen=True, slots=True)
class Order:
    """One ORDER BY item."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query."""

    where: Node | None
    order: tuple[Order, ...] = ()


def tokens(text: str) -> list[Token]:
    """Cut a query into tokens."""
    found: list[Token] = []
    place = 0
    while place < len(text):
        if not text[place:].strip():
            break
        match = TOKEN.match(text, place)
        if match is None:
            bad = text[place:].lstrip()[0]
            raise _wrong(f"The character '{bad}' is a reserved JQL character.", place)
        kind = match.lastgroup or ""
        raw = match.group(kind)
        if kind == "string":
            raw = ESCAPE.sub(_unescape, raw[1:-1])
        found.append(Token(kind, raw, match.start(kind)))
        place = match.end()
    found.append(Token("end", "", len(text)))
    return found


def _unescape(match: re.Match[str]) -> str:
    code = match.group(1)
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return ESCAPED.get(code, code)


def _wrong(message: str, place: int) -> Refusal:
    return Refusal(400, f"Error in the JQL Query: {message} (line 1, character {place + 1})")


def parse(text: str) -> Query:
    """Parse a query, or refuse it."""
    return _Parser(tokens(text)).query()


class _Parser:
    """Recursive descent over the tokens of one query."""

    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.place = 0

    @property
    def head(self) -> Token:
        return self.tokens[self.place]

    def step(self) -> Token:
        token = self.head
        self.place += 1
        return token

    def expect(self, kind: str, text: str) -> None:
        if self.head.kind != kind or self.head.text.lower() != text:
            raise self.unexpected(f"Expecting '{text}'")
        self.place += 1

    def unexpected(self, wanted: str) -> Refusal:
        got = f"got '{self.head.text}'" if self.head.kind != "end" else "but reached the end of the query"
        return _wrong(f"{wanted} {got}.", self.head.at)

    def query(self) -> Query:
        where = None if self.head.kind == "end" or self.head.word == "order" else self.either()
        order: list[Order] = []
        if self.head.word == "order":
            self.step()
            self.expect("word", "by")
            order.append(self.order_item())
            while self.head.text == "," and self.head.kind == "punct":
                self.step()
                order.append(self.order_item())
        if self.head.kind != "end":
            raise self.unexpected("Expecting either 'OR' or 'AND' but")
        return Query(where, tuple(order))

    def order_item(self) -> Order:
        name = self.field()
        descending = self.head.word == "desc"
        if self.head.word in {"asc", "desc"}:
            self.step()
        return Order(name, descending)

    def either(self) -> Node:
        parts = [self.both()]
        while self.head.word == "or" or self.head.kind == "or":
            self.step()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Combined("or", tuple(parts))

    def both(self) -> Node:
        parts = [self.one()]
        while self.head.word == "and" or self.head.kind == "and":
            self.step()
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else Combined("and", tuple(parts))

    def one(self) -> Node:
        if self.head.word == "not" or self.head.kind == "not":
            self.step()
            return Combined("not", (self.one(),))
        if self.head.kind == "punct" and self.head.text == "(":
            self.step()
            inside = self.either()
            self.expect("punct", ")")
            return inside
        return self.clause()

    def field(self) -> str:
        if self.head.kind == "cf":
            return self.step().text.lower()
        if self.head.kind == "string" or (self.head.kind == "word" and self.head.word not in RESERVED):
            return self.step().text
        raise self.unexpected("Expecting a field name")

    def clause(self) -> Clause:
        name = self.field()
        if self.head.kind == "op":
            op = self.step().text
            return Clause(name, op, (self.operand(),))
        if self.head.word == "is":
            self.step()
            op = "is"
            if self.head.word == "not":
                self.step()
                op = "is not"
            if self.head.word not in {"empty", "null"}:
                raise self.unexpected("Expecting 'EMPTY' or 'NULL'")
            self.step()
            return Clause(name, op, (Value("", empty=True),))
        op = "in"
        if self.head.word == "not":
            self.step()
            op = "not in"
        if self.head.word in {"was", "changed"}:
            raise _wrong(f"The simulator does not know the operator '{self.head.text}'.", self.head.at)
        if self.head.word != "in":
            raise self.unexpected("Expecting operator but")
        self.step()
        return Clause(name, op, self.operands())

    def operands(self) -> tuple[Operand, ...]:
        if self.head.kind == "word":  # a function that returns a list: in membersOf("x")
            return (self.operand(),)
        self.expect("punct", "(")
        found = [self.operand()]
        while self.head.kind == "punct" and self.head.text == ",":
            self.step()
            found.append(self.operand())
        self.expect("punct", ")")
        return tuple(found)

    def operand(self) -> Operand:
        if self.head.kind == "string":
            return Value(self.step().text, quoted=True)
        if self.head.kind != "word" or self.head.word in RESERVED - {"empty", "null"}:
            raise self.unexpected("Expecting either a value, list or function but")
        token = self.step()
        if self.head.kind == "punct" and self.head.text == "(":
            return Function(token.text, self.arguments())
        return Value(token.text, empty=token.word in {"empty", "null"})

    def arguments(self) -> tuple[str, ...]:
        self.expect("punct", "(")
        found: list[str] = []
        while not (self.head.kind == "punct" and self.head.text == ")"):
            if self.head.kind not in {"string", "word"}:
                raise self.unexpected("Expecting an argument")
            found.append(self.step().text)
            if self.head.kind == "punct" and self.head.text == ",":
                self.step()
        self.step()
        return tuple(found)
