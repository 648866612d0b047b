"""Who we are on a Jira site, and which account a handle from the people map means.

On Cloud only the accountId names a person, and e-mail addresses are often hidden (GDPR), so an address is
looked up once and remembered. On Data Center the login name does.
"""

from __future__ import annotations

import threading

from bridge.errors import Gone, Refused, Unauthorised
from bridge.sync.mapping import names
from bridge.sync.ticket import Person
from bridge.trackers.answers import Answer
from bridge.trackers.http import Http
from bridge.trackers.jira_values import Values, WrongValue


class People:
    """The accounts of one site. Shared by all threads.

    Args:
        http: the policy.
        api: prefix of the API's paths.
        dialect: the markup, for the codec.
        person_key: ``accountId`` or ``name``.
    """

    def __init__(self, http: Http, api: str, values: Values) -> None:
        self._http = http
        self._api = api
        self._values = values
        self._lock = threading.Lock()
        self._found: dict[str, str] = {}
        self._me: Person | None = None

    def whoami(self) -> Person:
        """The account we are logged in as, asked anew.

        Raises:
            Unauthorised: the login is refused, or the site treats us as nobody.
        """
        answer = self._http.call("GET", f"{self._api}/myself")
        me = self._values.person(answer.object())
        if me is None:
            raise Unauthorised(self._http.tracker, "the tracker does not know who we are")
        with self._lock:
            self._me = me
        return me

    def me(self) -> Person:
        """The account we are logged in as, as it was when last asked."""
        with self._lock:
            known = self._me
        return known or self.whoami()

    def find(self, handle: str) -> str:
        """The id behind a handle: an id, an e-mail address, a login.

        Raises:
            WrongValue: nobody, or more than one person, is called so.
        """
        if self._values.person_key == "accountId" and "@" not in handle:
            return handle
        with self._lock:
            known = self._found.get(handle)
        if known is not None:
            return known
        chosen = self._called(handle, self._search(handle))
        if len(chosen) != 1:
            raise WrongValue(f"{'nobody' if not chosen else 'more than one person'} is called {handle!r}")
        with self._lock:
            self._found[handle] = chosen[0].id
        return chosen[0].id

    def everybody(self, handle: str) -> list[Person]:
        """Everybody who answers to a handle, those who have left among them as far as the site tells.

        Raises:
            Refused: our account may not look people up.
        """
        if self._values.person_key == "accountId" and "@" not in handle:
            try:
                answer = self._http.call("GET", f"{self._api}/user", query={"accountId": handle})
            except Gone:
                return []
            person = self._values.person(answer.object())
            return [] if person is None else [person]
        return self._called(handle, self._search(handle, inactive=True))

    def _called(self, handle: str, found: Answer) -> list[Person]:
        """Those of the people found whom a handle means, each once."""
        people = [person for raw in found.array() if (person := self._values.person(raw))]
        exact = [person for person in people if names(person, handle)]
        # A hidden address is not in the answer; a single hit for a whole address is still that person.
        chosen = exact or (people if "@" in handle else [])
        return list({person.id: person for person in chosen}.values())

    def look_up(self, handle: str, *, left: bool = False) -> Person | None:
        """The active person behind a handle, with the name that people see; None when there is no such one.

        Args:
            handle: an id, an e-mail address, a login.
            left: whether one who was deactivated will do as well.
        """
        query = "accountId" if self._values.person_key == "accountId" else "username"
        try:
            found = self._http.call("GET", f"{self._api}/user", query={query: self.find(handle)})
        except (WrongValue, Gone, Refused):  # the last: our account may not look people up
            return None
        person = self._values.person(found.object())
        return person if person is not None and (person.active or left) else None

    def _search(self, handle: str, *, inactive: bool = False) -> Answer:
        """Ask for people. Cloud shows active ones only; Data Center the others as well, if so asked."""
        cloud = self._values.person_key == "accountId"
        query = {"query" if cloud else "username": handle, "maxResults": 10}
        if inactive and not cloud:
            query["includeInactive"] = "true"
        return self._http.call("GET", f"{self._api}/user/search", query=query)
