"""How two timelines of one link differ, in words for whoever decides whether the new one is to be kept."""

from __future__ import annotations

from bridge.sla.timeline import Entry, EntryKind, Timeline
from bridge.sync.moments import to_second


def differences(old: Timeline | None, new: Timeline) -> tuple[str, ...]:
    """What the new timeline says otherwise; nothing when both tell the same story.

    Args:
        old: what was known; None when nothing was.
        new: what is told now.
    """
    if old is None:
        return (f"there was no timeline; now there is one of {len(new.entries)} entries",)
    found: list[str] = []
    if old.born != new.born:
        found.append(f"the first ticket was created {to_second(new.born)}, not {to_second(old.born)}")
    if old.origin is not new.origin:
        found.append(f"it began on the {new.origin} side, not on the {old.origin} side")
    for name in sorted(old.start.keys() | new.start.keys()):
        before, after = old.start.get(name, ""), new.start.get(name, "")
        if before != after:
            found.append(f"{name} was {after or '(none)'} at the beginning, not {before or '(none)'}")
    if old.ended != new.ended:
        ends = [to_second(one.ended) if one.ended is not None else "not ended" for one in (new, old)]
        found.append(f"the link: {ends[0]}; before: {ends[1]}")
    mine, theirs = _by_identity(old), _by_identity(new)
    for key in dict.fromkeys((*theirs, *mine)):
        was, is_ = mine.get(key), theirs.get(key)
        if was is None and is_ is not None:
            found.append(f"new: {_told(is_)}")
        elif is_ is None and was is not None:
            found.append(f"gone: {_told(was)}")
        elif was is not None and is_ is not None and was != is_:
            found.append(f"otherwise: {_told(is_)}; before: {_told(was)}")
    return tuple(found)


def _by_identity(timeline: Timeline) -> dict[tuple[EntryKind, str, str], Entry]:
    return {(one.kind, one.event, one.field): one for one in timeline.entries}


def _told(entry: Entry) -> str:
    """An entry in words, without anybody's."""
    what = entry.kind.value
    if entry.kind is EntryKind.FIELD:
        what = f"{entry.field}: {entry.before or '(none)'} -> {entry.after or '(none)'}"
    elif entry.kind is EntryKind.COMMENT:
        what = "comment" if entry.public else "private comment"
    elif entry.field:
        what = f"{what} ({entry.field})"
    seen = ", only observed" if entry.observed else ""
    return f"{to_second(entry.at)} {entry.side} {what} ({entry.event}{seen})"
