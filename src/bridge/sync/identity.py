"""The mark by which a mirrored ticket can be found again, whatever happened in between.

It is a function of the origin alone, so that a process that lost its memory computes the same mark. It says nothing
about the other company: a hash, not a name.
"""

from __future__ import annotations

import hashlib

from bridge.sync.ticket import Side

PREFIX = "bridge-"
"""How every mark begins; labels that begin so are the bridge's own and never cross."""


def marker_for(agreement: str, origin: Side, ticket: str) -> str:
    """The mark of the peer of a ticket: fit for a label (no spaces), 64 bits of a hash.

    Args:
        agreement: the agreement's name.
        origin: the side on which the ticket was first.
        ticket: the tracker's id of the ticket there.
    """
    text = f"{agreement}\x00{origin.value}\x00{ticket}"
    return PREFIX + hashlib.sha256(text.encode()).hexdigest()[:16]
