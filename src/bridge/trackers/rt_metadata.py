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
        missing_rights=tuple(_missing(http, queue, marker)),
    )


def _missing(http: Http, queue: Queue, marker: str) -> Iterator[str]:
    """The rights that RT's links show us to lack, and what the marker's field lacks."""
    if not queue.may_create:
        yield "CreateTicket"
    query = {"query": in_queue(queue.id), "orderby": "id", "order": "DESC", "per_page": 1}
    for newest in http.call("GET", "/tickets", query=query).objects("items"):
        links = (
            http.call("GET", "/ticket/{id}", parts={"id": str(newest["id"])}).object().get("_hyperlinks", ())
        )
        if all(link.get("ref") != "correspond" for link in links):
            yield "ReplyToTicket"
    if marker and marker not in queue.fields:
        yield f"SeeCustomField on a custom field {marker!r} that is applied to the queue"
