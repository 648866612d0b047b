"""Short ways to say agreements, tickets and links in the tests of single modules."""

from __future__ import annotations

from bridge.markup import Document, Paragraph, Text
from bridge.sync.agreement import Agreement, CommentRule, FieldRule, Scope
from bridge.sync.base import Base
from bridge.sync.plan import LinkView, View
from bridge.sync.ticket import Comment, Person, Side, Ticket

ANN = Person("u1", "Ann", ("ann@home.example",))
BO = Person("v1", "Bo", ("bo@acme.example",))


def doc(*paragraphs: str) -> Document:
    """A text of plain paragraphs."""
    return Document(tuple(Paragraph((Text(text),)) for text in paragraphs))


def agreement(*rules: FieldRule, people=(), comments=None, dialects=("adf", "adf")) -> Agreement:
    """An agreement over these fields."""
    return Agreement(
        "acme",
        Scope("home", "OPS", "Home", dialects[0]),
        Scope("acme", "CUST", "Acme", dialects[1]),
        fields=rules,
        people=people,
        comments=comments or CommentRule(),
    )


def ticket(side: Side, fields=None, comments=(), *, complete=True, updated=100) -> Ticket:
    """One side's ticket."""
    return Ticket(
        f"1{side[0]}",
        f"{side[0]}-1",
        "",
        "OPS" if side is Side.INTERNAL else "CUST",
        50,
        updated,
        fields or {},
        tuple(comments),
        comments_complete=complete,
    )


def comment(name: str, body: Document, *, author: Person | None = ANN, private=False, created=60) -> Comment:
    """A comment."""
    return Comment(name, author, body, created, created, private=private)


def link(
    internal: Ticket, vendor: Ticket | None, *, bases=({}, {}), pairs=(), times=None, **more
) -> LinkView:
    """A link whose sides carry the link back already."""
    return LinkView(
        Side.INTERNAL,
        "bridge-0",
        View(internal, Base(bases[0], 100, 0)),
        View(vendor, Base(bases[1], 100, 0), exists=vendor is not None),
        pairs=tuple(pairs),
        linked=frozenset(Side),
        changed_at=times or {},
        **more,
    )
