"""Persons who work in one of the two trackers, through its API and under their own login."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import requests

from bridge.cli.showing.telling import DemoFailed

SECONDS = 20.0
"""The longest a person waits for an answer of a simulator."""

INSIDE, VENDOR = "home", "acme"
"""The two sites."""


@dataclass(slots=True)
class Ledger:
    """What people made and did not take away again: it must all be there at the end.

    Attributes:
        tickets: (site, key) of tickets that are meant to cross.
        comments: (site, key, id) of their public comments.
        files: (site, key, id) of files that are meant to cross.
        notes: (site, key) of tickets on which the bridge has something to say of its own.
        secrets: words that may not leave, by what stands for them on the other side.
    """

    tickets: set[tuple[str, str]] = field(default_factory=set)
    comments: set[tuple[str, str, str]] = field(default_factory=set)
    files: set[tuple[str, str, str]] = field(default_factory=set)
    notes: set[tuple[str, str]] = field(default_factory=set)
    secrets: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Person:
    """Somebody with a login.

    Attributes:
        name: the first name, for the story.
        site: ``home`` or ``acme``.
        url: the tracker's address.
        login: the login name; the token is ``LOGIN-token``.
        ledger: where their work is noted.
    """

    name: str
    site: str
    url: str
    login: str
    ledger: Ledger
    _session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        """Log in: with a personal access token inside, with e-mail and API token at the vendor."""
        self._session.trust_env = False  # a proxy for the internet is none for this machine
        if self.site == INSIDE:
            self._session.headers["Authorization"] = f"Bearer {self.login}-token"
        else:
            self._session.auth = (f"{self.login}@acme.example", f"{self.login}-token")

    # -- doing --

    def opens(self, summary: str, description: Any, **fields: Any) -> str:
        """Open a ticket that is meant to cross; its key."""
        if self.site == INSIDE:
            fields["labels"] = ["vendor-acme", *fields.get("labels", [])]
        project = "OPS" if self.site == INSIDE else "CUST"
        given = {"project": {"key": project}, "summary": summary, "description": description, **fields}
        given.setdefault("issuetype", {"name": "Task"})
        key = str(self._call("POST", "/issue", {"fields": given})["key"])
        self.ledger.tickets.add((self.site, key))
        return key

    def edits(self, key: str, **fields: Any) -> None:
        """Set fields of a ticket."""
        self._call("PUT", f"/issue/{key}", {"fields": fields})

    def adds_label(self, key: str, label: str) -> None:
        """Add one label and leave the others."""
        self._call("PUT", f"/issue/{key}", {"update": {"labels": [{"add": label}]}})

    def says(self, key: str, words: str, *, private: bool = False) -> str:
        """Comment on a ticket; the comment's id."""
        body: dict[str, Any] = {"body": self._text(words)}
        if private:
            body["visibility"] = {"type": "role", "value": "Developers"}
        comment = str(self._call("POST", f"/issue/{key}/comment", body)["id"])
        if not private:
            self.ledger.comments.add((self.site, key, comment))
        return comment

    def rewrites(self, key: str, comment: str, words: str) -> None:
        """Edit a comment."""
        self._call("PUT", f"/issue/{key}/comment/{comment}", {"body": self._text(words)})

    def takes_back(self, key: str, comment: str) -> None:
        """Delete a comment."""
        self._call("DELETE", f"/issue/{key}/comment/{comment}")
        self.ledger.comments.discard((self.site, key, comment))

    def attaches(self, key: str, name: str, content: bytes, *, crosses: bool = True) -> str:
        """Attach a file; its id."""
        version = 2 if self.site == INSIDE else 3
        try:
            answer = self._session.post(
                f"{self.url}/rest/api/{version}/issue/{key}/attachments",
                files={"file": (name, content)},
                headers={"X-Atlassian-Token": "no-check"},
                timeout=SECONDS,
            )
        except requests.RequestException as error:
            raise DemoFailed(
                f"{self.name} gets no answer from {self.site}: {type(error).__name__}"
            ) from error
        if not answer.ok:
            raise DemoFailed(f"{self.site} refuses {self.name}'s file: {answer.status_code} {answer.text}")
        number = str(answer.json()[0]["id"])
        if crosses:
            self.ledger.files.add((self.site, key, number))
        return number

    def moves(self, key: str, status: str, **fields: Any) -> None:
        """Take the workflow's step to a status."""
        steps = self._call("GET", f"/issue/{key}/transitions")["transitions"]
        step = next((one for one in steps if one["to"]["name"] == status), None)
        if step is None:
            raise DemoFailed(f"{self.name} finds no step from the status of {key} to {status}.")
        self._call("POST", f"/issue/{key}/transitions", {"transition": {"id": step["id"]}, "fields": fields})

    # -- looking --

    def sees(self, key: str, name: str) -> Any:
        """One field of a ticket; of a thing with a name, the name."""
        value = self._call("GET", f"/issue/{key}")["fields"][name]
        if isinstance(value, dict):
            return value.get("name") or value.get("value") or value.get("displayName") or value
        return value

    def reads(self, key: str) -> list[dict[str, Any]]:
        """The comments of a ticket that this person may see."""
        return list(self._call("GET", f"/issue/{key}/comment?maxResults=1000")["comments"])

    def holds(self, key: str) -> list[str]:
        """The names of a ticket's files."""
        return [str(one["filename"]) for one in self.sees(key, "attachment")]

    def follows(self, key: str) -> str:
        """The key of the ticket that this one's link leads to; empty while there is none."""
        links = self._call("GET", f"/issue/{key}/remotelink")
        return str(links[0]["object"]["url"]).rpartition("/")[2] if links else ""

    # -- inside --

    def _text(self, words: str) -> Any:
        return words if self.site == INSIDE else paragraphs(words)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        version = 2 if self.site == INSIDE else 3
        try:
            answer = self._session.request(
                method, f"{self.url}/rest/api/{version}{path}", json=body, timeout=SECONDS
            )
        except requests.RequestException as error:
            raise DemoFailed(
                f"{self.name} gets no answer from {self.site}: {type(error).__name__}"
            ) from error
        if not answer.ok:
            raise DemoFailed(
                f"{self.site} refuses {self.name}'s {method} {path}: {answer.status_code} {answer.text}"
            )
        return answer.json() if answer.content else None


def paragraphs(*texts: str) -> dict[str, Any]:
    """Plain paragraphs as the vendor's tracker takes them (ADF)."""
    content = [{"type": "paragraph", "content": [{"type": "text", "text": text}]} for text in texts]
    return {"type": "doc", "version": 1, "content": content}
