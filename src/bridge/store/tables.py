"""The tables as this program reads and writes them; ``migrations`` brings a database there, a test compares.

Rows are never deleted: links end as ``closed``, intents as ``done`` or ``dead``, the journal only grows. What people
wrote lies beside the journal and may be erased. All times are integer microseconds UTC (decision 16).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)

from bridge.store.columns import Json, RowId, Versioned, Word, Words
from bridge.store.rows import IntentKind, IntentState, LetterState, LinkState
from bridge.sync.base import PairState, PartKind
from bridge.sync.holding import HoldKind, HoldState
from bridge.sync.ticket import Side

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

HAS_MARKER = text("marker <> ''")
HAS_ORIGIN = text("origin_id <> ''")
HAS_COPY = text("copy_id <> ''")
LIVE_HOLD = text("state IN ('open', 'approved', 'rejected', 'reverted')")
OPEN_INTENT = text("state IN ('planned', 'sent', 'unknown')")
"""Literal in the index and in every query: with variables in it, no planner would see that the index fits."""

links = Table(
    "links",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("agreement", Words, nullable=False),
    Column("origin", Word(Side), nullable=False),
    Column("internal_id", Words),
    Column("internal_key", Words, nullable=False),
    Column("vendor_id", Words),
    Column("vendor_key", Words, nullable=False),
    Column("marker", Words, nullable=False),
    Column("state", Word(LinkState), nullable=False),
    Column("gen", BigInteger, nullable=False),
    Column("done_gen", BigInteger, nullable=False),
    Column("due_at", BigInteger),
    Column("epoch", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("reason", Words, nullable=False),
    Column("reason_since", BigInteger),
    Column("next_try", BigInteger),
    Column("internal_linked", Boolean, nullable=False),
    Column("vendor_linked", Boolean, nullable=False),
    Column("findings", Versioned, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("synced_at", BigInteger),
    UniqueConstraint("agreement", "internal_id"),
    UniqueConstraint("agreement", "vendor_id"),
    Index(
        "uq_links_marker",
        "agreement",
        "marker",
        unique=True,
        sqlite_where=HAS_MARKER,
        postgresql_where=HAS_MARKER,
    ),
    Index("ix_links_due", "due_at", "id"),
    Index("ix_links_state", "agreement", "state"),
    sqlite_autoincrement=True,  # an id in the journal must never come to mean another link
)

bases = Table(
    "bases",
    metadata,
    Column("link_id", RowId, ForeignKey("links.id"), primary_key=True),
    Column("side", Word(Side), primary_key=True),
    Column("fields", Json, nullable=False),  # carries its own version, see bridge.sync.base
    Column("seen", BigInteger, nullable=False),
    Column("written", BigInteger, nullable=False),
)

comments = Table(
    "comments",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("link_id", RowId, ForeignKey("links.id"), nullable=False),
    Column("origin", Word(Side), nullable=False),
    Column("origin_id", Words, nullable=False),
    Column("copy_id", Words, nullable=False),
    Column("origin_digest", Words, nullable=False),
    Column("copy_digest", Words, nullable=False),
    Column("state", Word(PairState), nullable=False),
    Index(
        "uq_comments_origin",
        "link_id",
        "origin",
        "origin_id",
        unique=True,
        sqlite_where=HAS_ORIGIN,
        postgresql_where=HAS_ORIGIN,
    ),
    # The copy's side is always the other one, so this is unique over (link, copy's side, copy's id).
    Index(
        "uq_comments_copy",
        "link_id",
        "origin",
        "copy_id",
        unique=True,
        sqlite_where=HAS_COPY,
        postgresql_where=HAS_COPY,
    ),
    Index("ix_comments_link", "link_id"),
)

parts = Table(
    "parts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("link_id", RowId, ForeignKey("links.id"), nullable=False),
    Column("kind", Word(PartKind), nullable=False),
    Column("origin", Word(Side), nullable=False),
    Column("origin_id", Words, nullable=False),
    Column("copy_id", Words, nullable=False),
    Column("digest", Words, nullable=False),
    Column("state", Word(PairState), nullable=False),
    Column("detail", Versioned, nullable=False),
    UniqueConstraint("link_id", "kind", "origin", "origin_id"),
    # The copy's side is always the other one, so this is unique over (link, kind, copy's side, copy's id).
    Index(
        "uq_parts_copy",
        "link_id",
        "kind",
        "origin",
        "copy_id",
        unique=True,
        sqlite_where=HAS_COPY,
        postgresql_where=HAS_COPY,
    ),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("hook", Words, primary_key=True),
    Column("delivery", Words, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Index("ix_deliveries_at", "at"),
)

intents = Table(
    "intents",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("link_id", RowId, ForeignKey("links.id"), nullable=False),
    Column("kind", Word(IntentKind), nullable=False),
    Column("side", Word(Side), nullable=False),
    Column("marker", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("state", Word(IntentState), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("resolved_at", BigInteger),
    Column("result", Words, nullable=False),
    Column("detail", Versioned, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("reason", Words, nullable=False),
    Index(
        "uq_intents_open",
        "link_id",
        "kind",
        "side",
        "subject",
        unique=True,
        sqlite_where=OPEN_INTENT,
        postgresql_where=OPEN_INTENT,
    ),
    sqlite_autoincrement=True,
)

holds = Table(
    "holds",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("link_id", RowId, ForeignKey("links.id"), nullable=False),
    Column("field", Words, nullable=False),
    Column("side", Word(Side), nullable=False),
    Column("kind", Word(HoldKind), nullable=False),
    Column("state", Word(HoldState), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("detail", Versioned, nullable=False),  # values, who and why: see bridge.sync.holding
    # One matter at a time for each field: a further change belongs to the hold that is there.
    Index(
        "uq_holds_live",
        "link_id",
        "field",
        unique=True,
        sqlite_where=LIVE_HOLD,
        postgresql_where=LIVE_HOLD,
    ),
    Index("ix_holds_link", "link_id", "id"),
    sqlite_autoincrement=True,  # an id that somebody was told must never come to mean another hold
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", Words, nullable=False),
    Column("agreement", Words, nullable=False),
    Column("link_id", RowId),  # no foreign key: what was told outlives what it tells of
    Column("state", Word(LetterState), nullable=False),
    Column("due_at", BigInteger),
    Column("attempts", Integer, nullable=False),
    Column("reason", Words, nullable=False),
    Column("message_id", Words, nullable=False),
    Column("content", Versioned, nullable=False),  # to whom and what: see bridge.store.rows.Letter
    Column("created_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("channel", Words, nullable=False, server_default="mail"),
    UniqueConstraint("key"),
    Index("ix_outbox_due", "due_at", "id"),
    sqlite_autoincrement=True,
)

timelines = Table(
    "timelines",
    metadata,
    Column("link_id", RowId, ForeignKey("links.id"), primary_key=True),
    Column("agreement", Words, nullable=False),
    Column("policy", Words, nullable=False),  # version that its clocks are measured by; "" until it was read
    Column("born", BigInteger),
    Column("stale_at", BigInteger),  # since when the trackers are to be asked again; none: they were
    Column("read_at", BigInteger),
    Column("next_at", BigInteger),  # the due index: the next instant at which any clock or step of it changes
    Column("timeline", Versioned, nullable=False),  # see bridge.sla.serial
    Column("summary", Versioned, nullable=False),  # what lists show without evaluating
    Index("ix_timelines_next", "next_at", "link_id"),
    Index("ix_timelines_stale", "stale_at", "link_id"),
    Index("ix_timelines_agreement", "agreement", "link_id"),
)

policies = Table(
    "policies",
    metadata,
    Column("agreement", Words, primary_key=True),
    Column("version", Words, primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("content", Versioned, nullable=False),  # see bridge.sla.serial
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("link_id", RowId, nullable=False),  # no foreign key: what was told outlives what it tells of
    Column("agreement", Words, nullable=False),
    Column("clock", Words, nullable=False),
    Column("cycle", BigInteger, nullable=False),  # when the cycle began: its number may change, this does not
    Column("step", Words, nullable=False),
    Column("round", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("claimed_at", BigInteger, nullable=False),
    Column("detail", Versioned, nullable=False),
    UniqueConstraint("link_id", "clock", "cycle", "step", "round"),
    Index("ix_alerts_claimed", "agreement", "claimed_at"),
    sqlite_autoincrement=True,
)

acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("link_id", RowId, primary_key=True),
    Column("clock", Words, primary_key=True),  # "" for the ticket as a whole
    Column("cycle", BigInteger, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("detail", Versioned, nullable=False),  # who, by what way
)

journal = Table(
    "journal",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("agreement", Words, nullable=False),
    Column("link_id", RowId),  # no foreign key: the journal outlives what it tells of
    Column("event", Words, nullable=False),
    Column("data", Versioned, nullable=False),  # values that people wrote are sealed: see bridge.sync.chain
    Column("seq", BigInteger),  # its number in the agreement's chain; none for what is older than the chains
    Column("hash", Words),
    Index("ix_journal_link", "link_id", "id"),
    Index("uq_journal_seq", "agreement", "seq", unique=True),
    sqlite_autoincrement=True,
)

journal_values = Table(
    "journal_values",
    metadata,
    Column("agreement", Words, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("key", Words, primary_key=True),
    Column("salt", Words, nullable=False),
    Column("value", Words, nullable=False),  # in canonical JSON, to the letter as it was sealed
)

chains = Table(
    "chains",
    metadata,
    Column("agreement", Words, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Words, nullable=False),
    Column("at", BigInteger, nullable=False),
)

cursors = Table(
    "cursors",
    metadata,
    Column("agreement", Words, primary_key=True),
    Column("side", Word(Side), primary_key=True),
    Column("kind", Words, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

notes = Table(
    "notes",
    metadata,
    Column("key", Words, primary_key=True),
    Column("value", Versioned, nullable=False),
)
