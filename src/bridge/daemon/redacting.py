"""Text files redacted on their way, and a count of all that was redacted: how often, never what."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bridge.daemon.books import Books
from bridge.daemon.run import Run
from bridge.daemon.spool import Spooled
from bridge.errors import Unfit
from bridge.markup import Document
from bridge.sync.plan import (
    Action,
    AddComment,
    AddWorklog,
    CreateTicket,
    EditComment,
    EditWorklog,
    SpillText,
    UpdateFields,
    WriteNote,
)
from bridge.sync.redacted_files import Stream, encodings, is_text, is_text_file
from bridge.sync.redacting import marks_in
from bridge.sync.redaction import count_marks
from bridge.sync.ticket import Side, Value

_PORTION = 256 * 1024


@contextmanager
def redacted_file(
    run: Run, to: Side, spooled: Spooled, kind: str, name: str
) -> Iterator[tuple[Spooled, Mapping[str, int]]]:
    """A file as it may go to a side, and what was cut out of it; the very same where nothing was.

    Raises:
        Unfit: it calls itself a text, and cannot be read as one.
        SpoolFull: there is no room for the redacted file.
    """
    redaction = run.agreement.redaction
    if not redaction.toward(to) or not is_text_file(kind, spooled.head):
        yield spooled, {}
        return
    encoding = next((one for one in encodings(spooled.head) if _reads(spooled, one)), "")
    if not encoding:
        words = f"the file '{name}' cannot be read as a text, so that nothing could be redacted in it"
        raise Unfit(run.scope(to.other).tracker, words)
    stream = Stream(redaction, to)
    with run.house.spool.room() as copy:
        for portion in _portions(spooled, encoding):
            copy.write(stream.feed(portion).encode(encoding, "replace"))
        copy.write(stream.finish().encode(encoding, "replace"))
        copy.done()
        yield (copy, dict(stream.counts)) if stream.counts else (spooled, {})


def _portions(spooled: Spooled, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    with spooled.path.open("rb") as file:
        while data := file.read(_PORTION):
            yield decoder.decode(data)
    yield decoder.decode(b"", final=True)


def _reads(spooled: Spooled, encoding: str) -> bool:
    try:
        return all(map(is_text, _portions(spooled, encoding)))
    except UnicodeDecodeError:
        return False


def note_redactions(run: Run, to: Side, counts: Mapping[str, int], books: Books) -> None:
    """Count what was cut out of something that has been written, and leave a line in the journal."""
    if counts:
        run.house.redactions.add(run.agreement.name, to, counts)
        books.journal.append(("text.redacted", {"side": to.value, "counts": dict(counts)}))


def redacted_in(run: Run, action: Action) -> Mapping[str, int]:
    """How often each rule's mark stands in what an action writes."""
    redaction, to = run.agreement.redaction, action.side
    if not redaction.toward(to):
        return {}
    found: Counter[str] = Counter()
    for value in _written(action):
        if isinstance(value, Document):
            found += marks_in(redaction, to, value)
        elif isinstance(value, str):
            found.update(count_marks(redaction, to, value))
    return dict(found)


def _written(action: Action) -> Iterator[Value]:
    match action:
        case CreateTicket(values=values) | UpdateFields(values=values):
            yield from values.values()
        case (
            AddComment(body=body)
            | EditComment(body=body)
            | AddWorklog(body=body)
            | EditWorklog(body=body)
            | WriteNote(body=body)
        ):
            yield body
        case SpillText(text=text):
            yield text
        case _:
            pass
