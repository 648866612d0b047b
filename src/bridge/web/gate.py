"""How much the web server takes on: callers' rates, calls under way, bytes in memory. Used from one event loop only.

Whatever is beyond a limit is told to come back (429 or 503 with Retry-After) before its body is read. A hint that is
lost that way is found by the polls; a server without memory finds nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from bridge.clock import SECOND

RATE = 300
"""Calls per second that one address may make, on average; a storm of ten thousand webhooks a minute is 167."""

BURST = 1_000
"""Calls that one address may make at once after a quiet time."""

ADDRESSES = 4_096
"""Addresses that are remembered; the longest unheard is forgotten first."""

UNDER_WAY = 256
"""Calls under way at once."""

BUFFERED = 32 * 1024 * 1024
"""Bytes of bodies in memory at once, over all calls."""


class Full(Exception):
    """The call is one too many. ``status`` is the answer, ``seconds`` when to come back."""

    def __init__(self, status: int, seconds: int) -> None:
        self.status = status
        self.seconds = seconds
        super().__init__(status)


class Gate:
    """The limits of one server."""

    def __init__(self) -> None:
        self._callers: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._under_way = 0
        self._buffered = 0

    @contextmanager
    def call(self, address: str, now: int) -> Iterator[None]:
        """Let one call in for as long as the block lasts.

        Raises:
            Full: it is one too many.
        """
        if not self._may(address, now):
            raise Full(429, 1)
        if self._under_way >= UNDER_WAY:
            raise Full(503, 2)
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    @contextmanager
    def body(self) -> Iterator[Body]:
        """Memory for one body, given back at the end of the block."""
        body = Body(self)
        try:
            yield body
        finally:
            self._buffered -= len(body.content)

    def reserve(self, size: int) -> None:
        """Take memory for so many bytes.

        Raises:
            Full: there is no more.
        """
        if self._buffered + size > BUFFERED:
            raise Full(503, 2)
        self._buffered += size

    def _may(self, address: str, now: int) -> bool:
        """A token bucket for each address."""
        left, at = self._callers.get(address, (float(BURST), now))
        left = min(float(BURST), left + max(0, now - at) * RATE / SECOND)
        allowed = left >= 1
        self._callers[address] = (left - 1 if allowed else left, now)
        self._callers.move_to_end(address)
        if len(self._callers) > ADDRESSES:
            self._callers.popitem(last=False)
        return allowed


class Body:
    """A body as it arrives."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.content = bytearray()

    def add(self, chunk: bytes) -> None:
        """Keep a piece.

        Raises:
            Full: there is no memory for it.
        """
        self._gate.reserve(len(chunk))
        self.content += chunk
