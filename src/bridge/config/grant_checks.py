"""Who may change a field: ``vendor-may``, ``internal-may`` and ``unentitled``, and whether they can come to pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from bridge.config.field_shape import FieldShape, PairShape
from bridge.config.findings import Path, did_you_mean, listed
from bridge.config.role_shape import GrantShape
from bridge.config.shape import AgreementShape
from bridge.config.source import Source
from bridge.sync.agreement import PERSON_FIELDS, SET_FIELDS, TEXT_FIELDS, FieldRule
from bridge.sync.roles import Grant, Unentitled
from bridge.sync.ticket import Side

_ANY = "*"

_UNNAMED = TEXT_FIELDS | PERSON_FIELDS | {"summary", "due"}
"""Built-in fields whose values nobody could list: a right to change them is for all values or none."""


@dataclass(frozen=True, slots=True)
class _Place:
    """One side's key of one field.

    Attributes:
        field: the field's name.
        side: whose right it is.
        shape: the field.
        source: the file.
    """

    field: str
    side: Side
    shape: FieldShape
    source: Source

    @property
    def key(self) -> str:
        return f"{self.side}-may"

    @property
    def at(self) -> Path:
        return ("fields", self.field, self.key)

    def problem(self, message: str, fix: str, *steps: str | int, key: bool = False) -> None:
        self.source.problem((*self.at, *steps), message, fix, key=key)

    def within(self, position: int, key: str) -> tuple[str | int, ...]:
        """Where a key of a grant stands: a value alone is its own ``to``."""
        return (position, key) if (*self.at, position, key) in self.source.lines else (position,)


def settle_grants(
    name: str, field: FieldShape, source: Source, agreement: AgreementShape
) -> dict[Side, tuple[Grant, ...]]:
    """What the people of each side may do with a field, where the file says so; mistakes go to the findings.

    Args:
        name: the field's canonical name.
        field: its keys.
        source: the file.
        agreement: the whole of it, for its roles and people.
    """
    given = {Side.VENDOR: field.vendor_may, Side.INTERNAL: field.internal_may}
    may = {}
    for side, value in given.items():
        if value is None:
            continue
        place = _Place(name, side, field, source)
        _check_owner(place)
        if not isinstance(value, str):
            for position, grant in enumerate(value):
                if source.sound((*place.at, position)):
                    _check_values(place, position, grant)
                    _check_by(place, position, grant, agreement)
            _check_covered(place, value)
        may[side] = _grants(value)
    _check_nobody(name, may, source)
    _check_unreachable(name, field, may, source)
    _check_unentitled(name, field, may, source, agreement)
    return may


def _grants(value: str | tuple[GrantShape, ...]) -> tuple[Grant, ...]:
    if isinstance(value, str):
        return (Grant(),) if value == "any" else ()
    return tuple(Grant(grant.to, grant.before, grant.by) for grant in value)


def _check_owner(place: _Place) -> None:
    """An owner decides alone: what is left to say is which of its people, and what the others may all the same."""
    owner, given = place.shape.owner, getattr(place.shape, f"{place.side}_may")
    if owner is None or not place.source.sound(("fields", place.field, "owner"), place.at):
        return
    if owner is place.side and given == "any":
        place.problem(
            f"'{place.key}: any' has no effect: the {owner} side owns '{place.field}'", "remove it", key=True
        )
    elif owner is place.side and (given == "none" or any(not grant.by for grant in given)):
        place.problem(
            f"'{place.key}' contradicts 'owner: {owner}': an owner may set everything",
            f"remove it, say which of its people with 'by', or write '{owner.other}-may: none' in place of 'owner'",
            key=True,
        )
    elif owner is not place.side and given == "none":
        place.problem(
            f"'{place.key}: none' has no effect: the {owner} side owns '{place.field}'", "remove it", key=True
        )
    elif owner is not place.side and given == "any":
        place.problem(
            f"'{place.key}: any' contradicts 'owner: {owner}': an owner decides alone",
            "keep one of the two, or name the values that the other side may set",
            key=True,
        )


def _check_values(place: _Place, position: int, grant: GrantShape) -> None:
    """The values of one grant: such as the field can have, and this side can set."""
    for key, value in (("to", grant.to), ("from", grant.before)):
        if value == _ANY:
            continue
        steps = place.within(position, key)
        if value in {"any", "none"} and value not in place.shape.values:
            place.problem(f"'{value}' stands alone, not in a list", f"write '{place.key}: {value}'", *steps)
        elif place.field in _UNNAMED:
            place.problem(
                f"the values of '{place.field}' cannot be told apart here",
                f"write '{place.key}: any', 'none', or [{{by: [...]}}] for some people",
                *steps,
            )
        elif key == "from" and place.field in SET_FIELDS:
            place.problem(
                f"'{place.field}' holds several values at once: there is no one before",
                "remove 'from'; 'to' names what may be added or removed",
                *steps,
                key=True,
            )
        elif (
            place.field in SET_FIELDS
            and place.shape.only
            and not any(fnmatchcase(value, pattern) for pattern in place.shape.only)
        ):
            _check_only(place, value, steps)
        elif place.source.sound(("fields", place.field, "values"), ("fields", place.field, "otherwise")):
            _check_known(place, value, steps)
    if grant.to == grant.before != _ANY:
        place.problem(
            f"'{grant.to}' stays '{grant.to}': that is no change",
            "name another value in 'from', or remove it",
            *place.within(position, "from"),
        )


def _check_only(place: _Place, value: str, steps: tuple[str | int, ...]) -> None:
    """What does not cross needs no right; a member crosses by its name on either side."""
    names = place.shape.values.get(value, ())
    if not any(fnmatchcase(name, pattern) for name in names for pattern in place.shape.only):
        place.problem(
            f"'{value}' does not cross: nothing under 'only' matches it",
            f"add it there, or name what matches {listed(place.shape.only)}",
            *steps,
        )


def _check_known(place: _Place, value: str, steps: tuple[str | int, ...]) -> None:
    """A value must be one of the map, in the internal side's words, that this side's own values can mean."""
    values = place.shape.values
    if not values:
        return
    instead = place.shape.otherwise
    words = [*values, *([instead.internal] if isinstance(instead, PairShape) else [])]
    if value not in words:
        folded = {word.casefold(): word for word in words}
        meant = [inner for inner, outers in values.items() if value in outers]
        if instead in {"keep", "same"} and value.casefold() not in folded and not meant:
            return
        options = meant or words
        place.problem(
            f"'{value}' is the vendor's word"
            if meant
            else f"no value '{value}' is on the left side of 'values'",
            f"write the internal side's: {listed(meant)}" if meant else did_you_mean(value, options),
            *steps,
        )
    elif place.side is Side.VENDOR and value not in _sayable(place.shape):
        outer = values[value][0]
        first = next(inner for inner, outers in values.items() if outer in outers)
        place.problem(
            f"the vendor can never set '{value}': its '{outer}' comes back as '{first}'",
            f"write '{first}', or give '{value}' a value of its own at the vendor",
            *steps,
        )


def _sayable(field: FieldShape) -> frozenset[str]:
    """Internal values that some value of the vendor's becomes: of several with one pair only the first."""
    seen: set[str] = set()
    said = {field.otherwise.internal} if isinstance(field.otherwise, PairShape) else set[str]()
    for inner, outers in field.values.items():
        if not seen.issuperset(outers):
            said.add(inner)
        seen.update(outers)
    return frozenset(said)


def _check_by(place: _Place, position: int, grant: GrantShape, agreement: AgreementShape) -> None:
    """Whoever is named must be a role, or a person as the file or an address knows them."""
    roles = agreement.roles or {}
    known = _named(place.source)
    seen: set[str] = set()
    for number, name in enumerate(grant.by):
        steps: tuple[str | int, ...] = (position, "by", number)
        if (*place.at, *steps) not in place.source.lines:
            steps = (position, "by")  # one name without a list
        if name.casefold() in seen:
            place.problem(f"'{name}' stands twice", "keep one of them", *steps)
        elif name not in roles and "@" not in name and known is not None and name.casefold() not in known:
            right = "name a role, or a person by e-mail or as they stand under 'people'"
            place.problem(
                f"'{name}' is neither a role nor a person of this agreement",
                did_you_mean(name, roles, otherwise=right),
                *steps,
            )
        seen.add(name.casefold())


def _named(source: Source) -> frozenset[str] | None:
    """Everybody whom the file names, in a part that is flawed as well; None when nobody can say."""
    if {(), ("roles",), ("people",)} & source.damaged:
        return None
    roles: dict[str, Any] = source.data.get("roles") or {}
    found = set(_texts(source.data.get("people")))
    for name, role in roles.items():
        found.update((name, *_texts(role.get("people") if isinstance(role, dict) else None)))
    return frozenset(word.casefold() for word in found)


def _texts(data: Any) -> Iterator[str]:
    """Every text in a piece of a file that is not a key."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict | list):
        for inner in data.values() if isinstance(data, dict) else data:
            yield from _texts(inner)


def _check_covered(place: _Place, grants: tuple[GrantShape, ...]) -> None:
    """A grant that another one contains says nothing, and its author may have meant something else by it."""
    for position, grant in enumerate(grants):
        for other, wider in enumerate(grants):
            twins = _covers(grant, wider)
            if position == other or not _covers(wider, grant) or (twins and position < other):
                continue
            if not place.source.sound((*place.at, position), (*place.at, other)):
                continue
            line = place.source.line((*place.at, other))
            place.problem(
                "this right stands twice" if twins else f"this right is part of another one (line {line})",
                "keep one of them",
                position,
            )
            break


def _covers(wide: GrantShape, narrow: GrantShape) -> bool:
    return (
        wide.to in {_ANY, narrow.to}
        and wide.before in {_ANY, narrow.before}
        and (not wide.by or (bool(narrow.by) and set(wide.by) >= set(narrow.by)))
    )


def _check_nobody(name: str, may: Mapping[Side, tuple[Grant, ...]], source: Source) -> None:
    """A field that neither side may change would never cross."""
    at: Path = ("fields", name)
    paths = [(*at, f"{side}-may") for side in Side]
    if len(may) == len(Side) and not any(may.values()) and source.sound(*paths):
        source.problem(
            paths[-1],
            f"neither side may change '{name}'",
            "let one of them, or remove the field",
            key=True,
        )


def _check_unreachable(
    name: str, field: FieldShape, may: Mapping[Side, tuple[Grant, ...]], source: Source
) -> None:
    """A ticket starts in one status; of the others, somebody must be able to set each."""
    at: Path = ("fields", name)
    paths = [(*at, key) for key in ("vendor-may", "internal-may", "values", "otherwise")]
    if name != "status" or len(may) != len(Side) or not all(may.values()) or not source.sound(*paths):
        return
    granted = {grant.to for grants in may.values() for grant in grants}
    never = [] if _ANY in granted else [value for value in field.values if value not in granted]
    if len(never) > 1:
        source.problem(
            (*at, "values"),
            f"nobody may set {listed(never)}, and a ticket starts in one status only",
            "add all but the one where tickets start to 'vendor-may' or 'internal-may', or remove them here",
            key=True,
        )


def _check_unentitled(
    name: str,
    field: FieldShape,
    may: Mapping[Side, tuple[Grant, ...]],
    source: Source,
    agreement: AgreementShape,
) -> None:
    """What becomes of a change that nobody may make: only where there is one, and somebody to decide."""
    at: Path = ("fields", name)
    keys = [(*at, key) for key in ("owner", "vendor-may", "internal-may", "unentitled")]
    if not source.sound(*keys):
        return
    limited = field.owner is not None or any(Grant() not in grants for grants in may.values())
    if field.unentitled is not None and not limited:
        source.problem(
            (*at, "unentitled"),
            f"'unentitled' has no effect: everybody may change '{name}'",
            "add 'owner', 'vendor-may' or 'internal-may', or remove it",
            key=True,
        )
    elif field.unentitled is Unentitled.HOLD and agreement.roles is None and source.sound(("roles",)):
        source.problem(
            (*at, "unentitled"),
            "there are no roles: nobody could decide about what is held",
            "name the people who decide under 'roles', or write 'revert' or 'flag'",
        )


def check_deciders(shape: AgreementShape, rules: Iterable[FieldRule], source: Source) -> None:
    """What one side's people may not change is for the other side to decide: somebody must be there to do it.

    Where the file says which roles may make a change, those are asked. It is only checked in files with roles: without
    any, nothing is held.

    Args:
        shape: the fitted agreement.
        rules: its fields, settled.
        source: its file.
    """
    roles = shape.roles or {}
    if (
        not roles
        or any(role.side is None for role in roles.values())
        or len(roles) < len(source.data["roles"])
    ):
        return
    for side in Side:
        held = [
            rule.name
            for rule in rules
            if rule.unentitled in {None, Unentitled.HOLD}
            and _limited(rule, side)
            and not any(name in roles for grant in rule.may.get(side, ()) for name in grant.by)
            and source.sound(*(("fields", rule.name, key) for key in ("owner", f"{side}-may", "unentitled")))
        ]
        if held and not any(role.side is side.other for role in roles.values()):
            source.problem(
                ("roles",),
                f"no role belongs to the {side.other} side: nobody there could decide about what the {side} side "
                f"changes in {listed(held)} without a right to",
                f"add a role with 'side: {side.other}', or write 'unentitled: revert' or 'flag' for these fields",
                key=True,
            )


def _limited(rule: FieldRule, side: Side) -> bool:
    """Whether the people of a side may not do everything with a field."""
    return Grant() not in rule.may[side] if side in rule.may else rule.owner is side.other
