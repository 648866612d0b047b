"""What ``bridge check`` learns of a queue: its custom fields and their options, and the rights we lack.

RT shows its lifecycles to nobody over REST: which statuses there are is not told, nor is a list of priorities, which
are numbers. So neither can be compared with an agreement.
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.sync.agreement import BUILT_IN_FIELDS, LISTED_FIELDS
from bridge.trackers.http import Http
from bridge.trackers.protocol import FieldMeta, ProjectMeta
from bridge.trackers.rt_catalog import Catalog, Queue
from bridge.trackers.rt_queries import in_queue
from bridge.trackers.survey import Flaw, Need

_TEXTS = frozenset({"Freeform", "Text"})
"""Types of custom fields that can hold the mark."""

LACKS = frozenset({"type", "labels", *LISTED_FIELDS})
"""Built-in fields that RT does not have."""


def describe(http: Http, catalog: Catalog, name: str, marker: str) -> ProjectMeta:
    """What exists in a queue.

    Args:
        http: the way to RT.
        catalog: names and numbers.
        name: the queue's.
        marker: the custom field with the bridge's mark.

    Raises:
        Gone: no such queue, or it is hidden from us.
    """
    queue = catalog.ask_queue(name)
    custom = [catalog.field({"id": number, "name": field}) for field, number in queue.fields.items()]
    built_in = tuple(field for field in BUILT_IN_FIELDS if field not in LACKS)
    screen = (
        *(FieldMeta(field, required=False) for field in built_in),
        *(FieldMeta(field.name, required=False, allowed=field.options) for field in custom),
    )
    return ProjectMeta(
        types=(),
        statuses={},
        priorities=(),
        fields=(*built_in, *queue.fields),
        create={"": screen},
        missing_rights=_missing(http, queue),
        marker=tuple(_unmarkable(catalog, queue, marker)),
    )


def _missing(http: Http, queue: Queue) -> dict[Need, tuple[str, ...]]:
    """What RT's links show us not to be allowed: a part of what there is."""
    missing: dict[Need, tuple[str, ...]] = {}
    if not queue.may_create:
        missing[Need.CREATE] = ("CreateTicket",)
    query = {"query": in_queue(queue.id), "orderby": "id", "order": "DESC", "per_page": 1}
    for newest in http.call("GET", "/tickets", query=query).objects("items"):
        links = (
            http.call("GET", "/ticket/{id}", parts={"id": str(newest["id"])}).object().get("_hyperlinks", ())
        )
        refs = {link.get("ref") for link in links}
        if "correspond" not in refs:
            missing[Need.COMMENT] = missing[Need.ATTACH] = ("ReplyToTicket",)
        if "comment" not in refs:
            missing[Need.PRIVATE] = ("CommentOnTicket",)
    return missing


def _unmarkable(catalog: Catalog, queue: Queue, marker: str) -> Iterator[Flaw]:
    """What is wrong with the marker's field."""
    if not marker:
        return
    if marker not in queue.fields:
        yield Flaw(
            f"the queue has no custom field {marker!r} that our account can see",
            "apply a custom field 'Enter one value' to the queue, and grant the account SeeCustomField and "
            "ModifyCustomField on it",
        )
        return
    field = catalog.field({"id": queue.fields[marker], "name": marker})
    if field.kind and (field.kind not in _TEXTS or field.multiple):
        kind = "holds several values" if field.multiple else f"is of the type '{field.kind}'"
        yield Flaw(
            f"the custom field {marker!r} {kind}, and the mark is one text", "make it 'Enter one value'"
        )
