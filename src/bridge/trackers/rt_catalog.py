"""What a Request Tracker calls its things (queues, custom fields, people), and who we are there.

None of it changes often, so it is kept for some minutes. Nothing here needs an administrator's rights: a queue is
shown to whoever may see it (SeeQueue), a custom field likewise (SeeCustomField), people to any privileged user.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from bridge.clock import SECOND, Clock
from bridge.errors import Gone, Refused, Unauthorised
from bridge.sync.ticket import Person
from bridge.trackers.http import Http
from bridge.trackers.keeping import Keeper
from bridge.trackers.rt_values import CustomField, Json, person

KEEP = 600 * SECOND
"""How long names are believed."""

_TOKEN = re.compile(r"[0-9]+-([0-9]+)-[0-9a-fA-F]+")
_UNPROCESSABLE = 422


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are.

    Attributes:
        person: us, by login.
        number: our number among RT's users.
        zone: the time zone that the account is set to; None where it is set to none, or to one that is unknown here.
    """

    person: Person
    number: int
    zone: tzinfo | None

    @property
    def days(self) -> tzinfo:
        """The zone whose midnights bound a due date."""
        return self.zone or UTC


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue.

    Attributes:
        id: its number.
        name: what people call it, and agreements.
        fields: custom field name -> number, of the fields on its tickets that we may see.
        may_create: whether it takes tickets from us.
    """

    id: int
    name: str
    fields: Mapping[str, int]
    may_create: bool


class Catalog:
    """Names and numbers of one Request Tracker, shared by all threads.

    Args:
        http: the way to it.
        clock: the time.
        token: our token; the number of its owner stands in it.
    """

    def __init__(self, http: Http, clock: Clock, token: str) -> None:
        self._http = http
        self._token = token
        self._keeper = Keeper(clock.now)

    def account(self) -> Account:
        """Who we are.

        Raises:
            Unauthorised: the token is refused.
        """
        return self._keeper.kept("account", KEEP, self.ask_account)

    def ask_account(self) -> Account:
        """Who we are, asked now. REST 2 has no such question, but a token begins with its owner's number."""
        form = _TOKEN.fullmatch(self._token.strip())
        if form is None:
            words = "the token is not of the form that Request Tracker gives out (1-27-0a1b...)"
            raise Unauthorised(self._http.tracker, words)
        user = self._http.call("GET", "/user/{id}", parts={"id": form[1]}).object()
        us = person({"id": user.get("Name"), **user, "Name": user.get("Name")})
        # Only of ourselves (and to administrators) RT tells more than a summary.
        if us is None or "Memberships" not in user:
            raise Unauthorised(self._http.tracker, "Request Tracker does not say who we are")
        return Account(us, int(form[1]), _zone(str(user.get("Timezone") or "")))

    def queue(self, name: str) -> Queue:
        """A queue by its name.

        Raises:
            Gone: no such queue, or it is hidden from us.
        """
        return self._keeper.kept(("queue", name), KEEP, lambda: self.ask_queue(name))

    def ask_queue(self, name: str) -> Queue:
        """A queue by its name, asked now.

        Raises:
            Gone: no such queue, or it is hidden from us.
        """
        wanted = [{"field": "Name", "operator": "=", "value": name}]
        found = self._http.call(
            "POST", "/queues", query={"fields": "Name"}, body=wanted, repeatable=True
        ).objects("items")
        number = next((str(one["id"]) for one in found if one.get("Name") == name), None)
        if number is None:
            raise Gone(self._http.tracker, f"there is no queue {name!r} that our account may see")
        queue = self._http.call("GET", "/queue/{id}", parts={"id": number}).object()
        return Queue(
            id=int(number),
            name=name,
            fields={str(one["name"]): int(one["id"]) for one in queue.get("TicketCustomFields") or ()},
            may_create=any(one.get("ref") == "create" for one in queue.get("_hyperlinks") or ()),
        )

    def field(self, ref: Json) -> CustomField:
        """What is known of a custom field that a ticket carries or a queue names (``id`` and ``name``)."""
        number, name = int(ref["id"]), str(ref["name"])
        return self._keeper.kept(("field", number), KEEP, lambda: self._ask_field(number, name))

    def _ask_field(self, number: int, name: str) -> CustomField:
        try:
            field = self._http.call("GET", "/customfield/{id}", parts={"id": str(number)}).object()
        except (Gone, Refused):
            return CustomField(number, name)
        return CustomField(
            id=number,
            name=str(field.get("Name") or name),
            kind=str(field.get("Type") or ""),
            multiple=str(field.get("MaxValues")) != "1",
            options=tuple(str(value) for value in field.get("Values") or ()),
        )

    def field_name(self, number: str) -> str:
        """The name of a custom field by its number; the number itself where it is hidden from us."""
        if not number.isdecimal():
            return number
        return self.field({"id": number, "name": number}).name

    def login(self, number: str) -> str:
        """A user's login by number; the number itself where there is none."""
        return self._keeper.kept(("login", number), KEEP, lambda: self._ask_login(number))

    def _ask_login(self, number: str) -> str:
        try:
            return str(
                self._http.call("GET", "/user/{id}", parts={"id": number}).object().get("Name") or number
            )
        except (Gone, Refused):
            return number

    def owner(self, handle: str) -> str:
        """The login of the person whom a configuration names by login, e-mail or full name.

        Raises:
            Refused: nobody, or more than one, is called so.
        """
        wanted = handle.strip()
        return self._keeper.kept(("owner", wanted), KEEP, lambda: self._ask_owner(wanted))

    def _ask_owner(self, handle: str) -> str:
        found = self.called(handle)
        if len(found) == 1:
            return found[0].id
        if found:
            raise self.refuse("assignee", f"more than one user is known as {handle!r}; name a login")
        raise self.refuse("assignee", f"no user is known as {handle!r}; name a login, e-mail or full name")

    def called(self, handle: str) -> list[Person]:
        """The users whom a configuration names by login, by e-mail or by full name: whoever the first of these finds.

        RT leaves out those who are disabled.
        """
        for field in ("Name", "EmailAddress", "RealName"):
            query = [{"field": field, "operator": "=", "value": handle}]
            found = self._http.call(
                "POST", "/users", query={"fields": f"Name,{field}"}, body=query, repeatable=True
            ).objects("items")
            logins = {str(one["Name"]) for one in found if _alike(one.get(field), handle)}
            if logins:
                return [Person(login) for login in sorted(logins)]
        return []

    def refuse(self, name: str, words: str) -> Refused:
        """A refusal that we can foretell."""
        return Refused(self._http.tracker, words, status=_UNPROCESSABLE, fields={name: words})


def _alike(found: Any, handle: str) -> bool:
    return str(found or "").casefold() == handle.casefold()


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError):  # a zone that this machine's tables do not know
        return None
