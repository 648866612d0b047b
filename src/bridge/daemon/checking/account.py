"""What is to be said of a tracker as such: the token's end, its clock, the time zone of our account."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from bridge.clock import SECOND
from bridge.config.settings import TrackerSettings
from bridge.daemon.checking.looking import SideLook, TrackerLook
from bridge.daemon.checking.report import Check, Desk

MONTH = 30
"""Days before its expiry from which a token is spoken of."""

NOTED_SKEW = 5 * SECOND
"""How far a clock may be off before a person hears of it; a Date header is up to a second behind."""

WRONG_SKEW = 300 * SECOND
"""From here on the search for a write whose answer was lost looks at the wrong time, and webhooks are refused."""

_UTC = frozenset({"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Etc/UCT", "Zulu", "Universal"})
_DATES = re.compile(
    r"""["']?\d{4}[-/]\d{1,2}[-/]\d{1,2}|\b(?:start|end)of(?:day|week|month|year)\b""", re.IGNORECASE
)


def days_left(tracker: TrackerSettings, now: int) -> int | None:
    """Days until a tracker's token expires, if that is within a month or past; no tracker tells that by itself."""
    if not tracker.expires:
        return None
    today = datetime.fromtimestamp(now // SECOND, UTC).date()
    days = (date.fromisoformat(tracker.expires) - today).days
    return days if days <= MONTH else None


def check_token(desk: Desk, settings: TrackerSettings, now: int) -> None:
    """Whether the token will last."""
    days = days_left(settings, now)
    if days is not None:
        when = f"expires in {days} days" if days >= 0 else f"expired {-days} days ago"
        path = ("trackers", settings.name, "expires")
        desk.remark(
            Check.LOGIN, path, f"the token {when}", "make a new one in time, and write when that one expires"
        )


def check_clock(desk: Desk, look: TrackerLook) -> None:
    """Whether the tracker's clock agrees with ours."""
    if look.skew is None:
        desk.unseen(Check.CLOCK, "the tracker does not tell the time in its answers")
        return
    off = abs(look.skew)
    if off < NOTED_SKEW:
        return
    way = "ahead of" if look.skew > 0 else "behind"
    message = f"the clock of '{look.name}' is {_spoken(off)} {way} ours: where both sides changed a field, the later "
    message += "change may be taken for the earlier one"
    path, fix = ("trackers", look.name, "url"), "let both machines follow a time server (NTP)"
    if off < WRONG_SKEW:
        desk.remark(Check.CLOCK, path, message, fix)
    else:
        message += (
            "; a write whose answer was lost is looked for at the wrong time and may be made twice, and signed "
            "webhooks are refused as too old"
        )
        desk.mistake(Check.CLOCK, path, message, fix)


def check_zone(desk: Desk, look: TrackerLook) -> None:
    """Whether our account has the time zone that the tracker's polls need."""
    if look.zone == "":
        desk.remark(
            Check.CLOCK,
            ("trackers", look.name, "url"),
            f"our account on '{look.name}' has no time zone that is known here: every poll looks half a day back, and "
            "due dates are taken for days of UTC",
            "set the account's time zone in the tracker",
        )


def check_dates(desk: Desk, side: SideLook, look: TrackerLook) -> None:
    """Whether the selection names dates that are read in a zone which nobody may have thought of."""
    if look.zone and look.zone not in _UTC and _DATES.search(side.scope.select):
        desk.remark(
            Check.PROJECT,
            (side.side.value, "select"),
            f"'{look.name}' reads the dates in it in the time zone of our account, {look.zone}",
            "mean that zone, or set the account's to the one you mean",
        )


def _spoken(micros: int) -> str:
    seconds = micros // SECOND
    minutes, hours = seconds // 60, seconds // 3600
    return f"{hours} hours" if hours > 1 else f"{minutes} minutes" if minutes > 1 else f"{seconds} seconds"
