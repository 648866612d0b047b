"""What becomes of files: which cross, which copies are taken back, and why one stays where it is.

A file belongs to the side on which a person attached it. It crosses when the agreement says so, when it is not part
of a private text, and when its name, size and type are allowed; what it really is, only its first bytes tell
(``filetypes``), so that it is judged once more when they are there. A file that stays leaves a record with the
reason, so that it is told once and not judged again until the agreement changes. Copies are recognised by their
recorded ids, never by name or author.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, Literal

from bridge.sync.agreement import Agreement, AttachmentRule
from bridge.sync.base import PairState, PartKind, PartPair
from bridge.sync.filetypes import allowed, by_extension
from bridge.sync.plan import Action, AddAttachment, DeleteAttachment, Finding, LinkView
from bridge.sync.ticket import Attachment, Side, Ticket

TEXT = "text:"
"""How the origin's id of a part begins that is no file there but a text too long for the other side."""

_MADE = {"private": "made private", "deleted": "deleted"}

Planned = tuple[list[Action], list[Finding], list[PartPair]]


def plan_attachments(agreement: Agreement, link: LinkView) -> Planned:
    """Actions, findings and silent changes of records that bring both sides' files into agreement."""
    actions: list[tuple[int, Action]] = []
    findings: list[Finding] = []
    parts: list[PartPair] = []
    files = [pair for pair in link.parts if pair.kind is PartKind.ATTACHMENT]
    for origin in Side:
        here, there = link.view(origin).ticket, link.view(origin.other).ticket
        if here is None or there is None or not here.attachments_complete:
            continue
        ours = {number for pair in files if pair.origin is origin.other for number in older_copies(pair)}
        known = {pair.origin_id: pair for pair in files if pair.origin is origin and not is_text(pair)}
        for file in here.attachments:
            pair = known.pop(file.id, None)
            if file.id in ours:
                continue
            act, found, kept = _one(agreement, link, origin, file, pair)
            actions.extend((file.created, one) for one in act)
            findings.extend(found)
            parts.extend(kept)
        for pair in known.values():
            act, found, kept = _without_original(agreement, pair, there)
            actions.extend((0, one) for one in act)
            findings.extend(found)
            parts.extend(kept)
    actions.sort(key=lambda entry: entry[0])
    return [action for _, action in actions], findings, parts


def is_text(pair: PartPair) -> bool:
    """Whether a record is of a text that was too long, not of a file."""
    return pair.origin_id.startswith(TEXT)


def files_known(agreement: Agreement, side: Side, ticket: Ticket, parts: Iterable[PartPair]) -> bool:
    """Whether a side's files are exactly those that have been dealt with."""
    files = [pair for pair in parts if pair.kind is PartKind.ATTACHMENT]
    crossing = side in agreement.attachments.cross
    if not files and not crossing:
        return True
    if not ticket.attachments_complete:
        return False
    own = {pair.origin_id: pair for pair in files if pair.origin is side and not is_text(pair)}
    copies = {pair.copy_id: pair for pair in files if pair.origin is side.other and pair.copy_id}
    older = {number for pair in files if pair.origin is side.other for number in older_copies(pair)}
    expected = {
        number for known in (own, copies) for number, pair in known.items() if pair.state is PairState.PAIRED
    }
    for file in ticket.attachments:
        expected.discard(file.id)
        if file.id in copies or file.id in older:
            continue
        pair = own.get(file.id)
        if pair is None:
            if crossing and not file.private:
                return False
        elif _asks(agreement.attachments, pair, file, crossing=crossing):
            return False
    return not expected


def left_behind(
    pair: PartPair, rule: AttachmentRule, why: str, message: str, *, again: bool = False
) -> PartPair:
    """The record of a file that stays where it is.

    Args:
        pair: its record so far, or a new one.
        rule: the rule it was judged by; another one judges anew.
        why: the finding's kind.
        message: the finding's sentence.
        again: another try may end better.
    """
    detail = {
        "why": why,
        "message": message,
        "rule": fingerprint(rule),
        "again": again,
        "older": older_copies(pair),
    }
    return replace(pair, copy_id="", state=PairState.PAIRED, digest="", detail=detail)


def fingerprint(rule: AttachmentRule) -> str:
    """A rule in short, to tell whether a file was judged by this one."""
    said = repr((sorted(rule.cross), rule.most, rule.types, rule.names))
    if rule.redacted:
        said += " redacted"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def older_copies(pair: PartPair | None) -> list[str]:
    """Ids of files that we made for a record and that may still be there: they are nobody's but ours."""
    if pair is None:
        return []
    older = pair.detail.get("older") or []
    return list(dict.fromkeys([*map(str, older), *([pair.copy_id] if pair.copy_id else [])]))


def new_pair(origin: Side, origin_id: str) -> PartPair:
    """The record of a file that has none yet."""
    return PartPair(0, PartKind.ATTACHMENT, origin, origin_id, "")


def too_large(name: str, size: int, limit: int) -> str:
    """The finding's sentence for a file above a limit."""
    return f"the file '{name}' of {megabytes(size)} is larger than the {megabytes(limit)} that may cross"


def megabytes(size: int) -> str:
    """A size for people."""
    return f"{size / 1_000_000:.3g} MB"


def twins(parts: Sequence[PartPair]) -> Mapping[Side, Mapping[str, Mapping[str, str]]]:
    """For each side: a file's name or address there -> its twin's name and address on the other side.

    From the records alone, so that it does not depend on what a poll happened to show; files that are gone keep
    their place, so that a text which shows them is not written again.
    """
    found: dict[Side, dict[str, Mapping[str, str]]] = {side: {} for side in Side}
    for pair in parts:
        if pair.kind is not PartKind.ATTACHMENT or not pair.copy_id or is_text(pair):
            continue
        faces = {
            pair.origin: {"name": _said(pair.detail, "name"), "url": _said(pair.detail, "url")},
            pair.origin.other: {"name": _said(pair.detail, "copy"), "url": _said(pair.detail, "copy_url")},
        }
        for side in Side:
            for key in filter(None, faces[side].values()):
                found[side].setdefault(key, faces[side.other])
    return found


def _said(detail: Mapping[str, Any], key: str) -> str:
    return str(detail.get(key) or "")


def _asks(rule: AttachmentRule, pair: PartPair, file: Attachment, *, crossing: bool) -> bool:
    """Whether a person's file asks for something: to be taken back, or to cross after all."""
    if pair.state is PairState.ORIGIN_DELETED:
        return crossing and not file.private
    if pair.state is not PairState.PAIRED:
        return False
    if not pair.copy_id:
        return crossing and not file.private and pair.detail.get("rule") != fingerprint(rule)
    return file.private


def _one(
    agreement: Agreement, link: LinkView, origin: Side, file: Attachment, pair: PartPair | None
) -> Planned:
    """What to do about one file of a person's."""
    rule, to = agreement.attachments, origin.other
    there = link.view(to).ticket
    assert there is not None
    if pair is not None and pair.state in {PairState.COPY_DELETED, PairState.SKIPPED}:
        return [], [], []
    if pair is not None and pair.copy_id and pair.state is PairState.PAIRED:
        if _gone(pair, there):
            finding = Finding("copy-deleted", to, "", f"the copy of a file was deleted on the {to} side")
            state = PairState.ORIGIN_DELETED if file.private else PairState.COPY_DELETED
            return [], [] if file.private else [finding], [replace(pair, state=state)]
        return _take_back(agreement, pair, "private") if file.private else ([], [], [])
    if origin not in rule.cross or file.private:
        return [], [], []
    fresh = pair or new_pair(origin, file.id)
    judged = bool(fresh.detail.get("why")) and fresh.detail.get("rule") == fingerprint(rule)
    if judged and not fresh.detail.get("again"):
        return [], [_told(fresh)], []
    if not link.files_move:
        words = "files do not cross here: the bridge cannot move those of one of the two trackers"
        return [], [Finding("left-behind", origin, "", words)], []
    why = _unfit(rule, file)
    if why:
        left = left_behind(fresh, rule, "left-behind", why)
        return [], [_told(left)], [left]
    return [AddAttachment(to, file, fresh)], [], []


def _told(pair: PartPair) -> Finding:
    return Finding(str(pair.detail["why"]), pair.origin, "", str(pair.detail["message"]))


def _unfit(rule: AttachmentRule, file: Attachment) -> str:
    """Why a file does not cross, as far as its name and size tell; "" when they allow it."""
    if file.size > rule.most:
        return too_large(file.name, file.size, rule.most)
    if any(fnmatchcase(file.name.casefold(), pattern.casefold()) for pattern in rule.names):
        return f"the file '{file.name}' has a name that the agreement lets not cross"
    kind = by_extension(file.name)
    if kind and not allowed(kind, rule.types):
        return f"the file '{file.name}' is of a type ({kind}) that the agreement lets not cross"
    return ""


def _without_original(agreement: Agreement, pair: PartPair, there: Ticket) -> Planned:
    """What to do about a record whose file is gone."""
    if pair.state in {PairState.ORIGIN_DELETED, PairState.SKIPPED}:
        return [], [], []
    copied = pair.state is PairState.PAIRED and pair.copy_id and not _gone(pair, there)
    if copied and agreement.attachments.deletes == "follow":
        return _take_back(agreement, pair, "deleted")
    return [], [], [replace(pair, state=PairState.ORIGIN_DELETED)]


def _take_back(agreement: Agreement, pair: PartPair, why: Literal["private", "deleted"]) -> Planned:
    """Delete a copy; where a tracker keeps what was said, and the files with it, that it stays is told."""
    to = pair.origin.other
    if agreement.scope(to).edits_texts:
        return [DeleteAttachment(to, pair, why)], [], []
    message = (
        f"the file '{_said(pair.detail, 'name')}' was {_MADE[why]} after it had crossed; the {to} side's tracker lets"
        " nobody take its copy back"
    )
    return [], [Finding("fixed", to, "", message)], []


def _gone(pair: PartPair, there: Ticket) -> bool:
    """Whether our copy is surely not there any more."""
    return there.attachments_complete and all(file.id != pair.copy_id for file in there.attachments)
