"""Reading one YAML file into plain data that remembers its lines.

Only ruamel.yaml's composer is used (YAML 1.2): it builds a tree of nodes and constructs nothing, so no tag
can run code. From the nodes we take text as it was typed: ``on`` stays ``on``, ``1.10`` stays ``1.10``, a
date stays a date's letters; the shape decides later which texts are numbers. So a status called ``No``
needs no quotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from bridge.config.findings import Findings, Path, dotted
from bridge.errors import Problem

_MOST_NODES = 100_000
"""Aliases within aliases can make a small file enormous; no honest configuration comes near this."""

_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "map", "seq")
)
_NULL = "tag:yaml.org,2002:null"

_SLIPS = (
    (r"'\\t' that cannot start", "a tab is used for indentation", "indent with spaces"),
    (
        r"character '.' that cannot start",
        "a text starts with a character that YAML reserves",
        "put the text in quotes",
    ),
    (
        r"mapping values are not allowed",
        "a second ': ' on this line, or a line that is indented under a finished value",
        "put text that holds ': ' in quotes; indent keys of one mapping alike",
    ),
    (
        r"unknown escape",
        "an unknown escape in a text in double quotes",
        "use single quotes: a backslash is plain there",
    ),
    (r"expected alphabetic or numeric", "'*' or '&' starts a text", 'put the text in quotes, e.g. "*"'),
    (
        r"undefined alias",
        "an alias (a word after '*') that no '&' defines",
        "define it above, or put the text in quotes",
    ),
    (r"unexpected end of stream", "a quoted text starts here and never ends", "close the quote"),
    (
        r"expected ',' or|expected the node content",
        "a list or mapping in brackets is broken",
        "close the bracket; one comma between entries",
    ),
    (r"found another document", "a second document ('---') in one file", "one document per file"),
    (
        r"expected <block end>|<document start>",
        "this line does not fit the indentation above it",
        "indent entries of one list or mapping alike",
    ),
    (
        r"could not find expected ':'|sequence entries",
        "a key without ': ', or a list entry where none fits",
        "write 'key: value'; start list entries on lines of their own",
    ),
)


@dataclass(slots=True)
class Source:
    """One file, read.

    Attributes:
        file: its path as the operator knows it.
        data: dicts, lists, texts and None; None for the whole when there was nothing to read.
        lines: path -> 1-based line: of the value for a text, of the key for a mapping or list.
        findings: where mistakes in this file go.
        damaged: paths that a mistake already stands at; checks that rest on them keep silent.
    """

    file: str
    findings: Findings
    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    key_lines: dict[Path, int] = field(default_factory=dict)
    damaged: set[Path] = field(default_factory=set)

    def line(self, path: Path, *, key: bool = False) -> int:
        """The line of a path, or of the nearest thing above it that exists."""
        lines = self.lines | self.key_lines if key else self.lines
        while path and path not in lines:
            path = path[:-1]
        return lines.get(path, 1)

    def problem(
        self, path: Path, message: str, fix: str = "", *, key: bool = False, shown: Path | None = None
    ) -> None:
        """Note a mistake at a path.

        Args:
            path: where it is.
            message: what is wrong.
            fix: what would be right.
            key: point at the key rather than at its value.
            shown: the path to print, where the real one may not be shown.
        """
        self.damaged.add(path)
        where = dotted(path if shown is None else shown)
        self.findings.add(Problem(self.file, self.line(path, key=key), where, message, fix))

    def sound(self, *paths: Path) -> bool:
        """True when no mistake is known at, above or below any of these paths."""
        return not any(
            bad[: len(path)] == path or path[: len(bad)] == bad for path in paths for bad in self.damaged
        )


def read(path: FilePath, findings: Findings) -> Source:
    """Read a file; mistakes of YAML itself go to ``findings`` and leave ``data`` None or partial."""
    source = Source(file=str(path), findings=findings)
    findings.open(source.file)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        findings.add(
            Problem(source.file, 0, "", "there is no such file", "create it, or give the right path")
        )
        return source
    except OSError as error:
        findings.add(Problem(source.file, 0, "", f"cannot be read: {error.strerror}", "check its rights"))
        return source
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        findings.add(Problem(source.file, line, "", "this line is not UTF-8", "save the file as UTF-8"))
        return source
    root = _compose(text, source)
    if root is not None:
        source.data = _Walk(source).plain(root, ())
        if not isinstance(source.data, dict):
            source.data = None
            if not source.damaged:
                source.problem((), "the file must hold keys and values", "start with a line like 'name: ...'")
    return source


def _compose(text: str, source: Source) -> Node | None:
    """The tree of nodes, or None with the slip reported."""
    line, message, fix = 0, "the file is empty", "see docs/configuration.md for what belongs in it"
    try:
        root: Node | None = YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as error:
        line, message, fix = _slip(error)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message, fix = (
            "a control character that YAML forbids",
            "remove it, or write it as an escape in double quotes",
        )
    except RecursionError:
        message, fix = "brackets or indentation are nested too deeply", "flatten the file"
    except YAMLError:
        message, fix = "this is not YAML", "see docs/configuration.md for an example"
    else:
        if root is not None:
            return root
    source.damaged.add(())
    source.findings.add(Problem(source.file, line, "", message, fix))
    return None


def _slip(error: MarkedYAMLError) -> tuple[int, str, str]:
    """Line, message and fix for what the scanner or parser stumbled over.

    The parser's words may quote the file, and a line of it may hold a token: they are matched, not shown.
    """
    words = str(error.problem or "")
    mark = error.problem_mark or error.context_mark
    begun_earlier = re.search("unexpected end of stream|could not find expected", words)
    if begun_earlier and error.context_mark is not None:
        mark = error.context_mark
    line = mark.line + 1 if mark is not None else 0
    for pattern, message, fix in _SLIPS:
        if re.search(pattern, words):
            opened = error.context_mark.line + 1 if error.context_mark is not None else line
            tail = f" (opened on line {opened})" if "bracket" in message and opened != line else ""
            return line, message + tail, fix
    return line, "this is not YAML", "check quotes, colons and indentation on this line and the one above"


class _Walk:
    """Turns nodes into plain data, noting the line of each path and what must not be there."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.seen = 0
        self.open: list[Node] = []

    def plain(self, node: Node, path: Path) -> Any:
        """The data of a node and everything in it."""
        self.source.lines.setdefault(path, node.start_mark.line + 1)
        self.seen += 1
        if node in self.open or self.seen > _MOST_NODES:
            if self.seen <= _MOST_NODES + 1:
                self.source.problem(path, "aliases repeat without end", "write the part out")
            return None
        if node.tag not in _PLAIN_TAGS:
            self.source.problem(
                path,
                "YAML tags ('!...') are not used here",
                "write plain text; quote a text that starts with '!'",
            )
            return None
        if isinstance(node, ScalarNode):
            return None if node.tag == _NULL else str(node.value)
        self.open.append(node)
        try:
            if isinstance(node, SequenceNode):
                return [self.plain(item, (*path, position)) for position, item in enumerate(node.value)]
            assert isinstance(node, MappingNode)  # YAML has no fourth kind of node
            return self.mapping(node, path)
        finally:
            self.open.pop()

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        """The data of a mapping; the first of two equal keys counts."""
        result: dict[str, Any] = {}
        secret = path[-1:] in {("token",), ("password",)}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                self.source.findings.add(
                    Problem(
                        self.source.file,
                        line,
                        dotted(path),
                        "a key must be text",
                        "put a text that starts with '{' or '[' in quotes",
                    )
                )
                continue
            name = str(key.value)
            here = (*path, name)
            if name in result:
                first = self.source.key_lines[here]
                message = f"{'a key' if secret else repr(name)} stands twice; the first is on line {first}"
                self.source.findings.add(
                    Problem(
                        self.source.file, line, dotted(path if secret else here), message, "keep one of them"
                    )
                )
                continue
            self.source.key_lines[here] = line
            if not isinstance(value, ScalarNode) or not value.value:
                self.source.lines[here] = line
            result[name] = self.plain(value, here)
        return result
