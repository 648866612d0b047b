"""The proof: both trackers as they are, held against the agreement, without asking the bridge.

Nothing of the product's core is used. The agreement is written out again below, texts are compared as words,
tickets are paired by the links that people can click. What does not hold is a sentence that names the ticket.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.cli.showing.people import INSIDE, VENDOR, Ledger
from bridge.cli.showing.reading import is_note, words
from bridge.simulator import Site, dump
from bridge.simulator.attachments import content

Ticket = Mapping[str, Any]

SEVERITY = "customfield_10041"
TYPES = {"Bug": "Bug", "Task": "Task", "Incident": "Incident", "Improvement": "Service Request"}
PRIORITIES = {"Highest": "P1", "High": "P2", "Medium": "P3", "Low": "P4", "Lowest": "P4"}
STATUSES = {
    "Open": {"To Do"},
    "Reopened": {"To Do"},
    "In Progress": {"In Progress", "In Review"},
    "Resolved": {"Done"},
    "Closed": {"Done"},
}
PEOPLE = {"Ann Owner": "Bo Manager", "Ivan Duty": "Cy Engineer"}
COMPANIES = {INSIDE: "Example Corp", VENDOR: "Acme"}
IN_SCOPE = "vendor-acme"
MARK = "bridge-"
"""How the labels begin by which the bridge finds its tickets again."""

ROBOT = "Bridge"
"""The integration account's name, on both sites."""

CROSSING = ("area-", "release-")
"""How the labels begin that cross."""


@dataclass(slots=True)
class Proof:
    """What was found.

    Attributes:
        links: pairs of tickets that show each other.
        equal: pairs that agree in every field and public comment.
        duplicates: tickets too many: with a mark that another has, with two peers, or sharing a peer.
        lost: tickets in scope without a twin, public comments without one, and people's work that is gone.
        leaked: private comments, tickets out of scope, or secrets, that are on the other side.
        wrong: sentences about all that does not hold.
        counts: (site, what) -> how many, for the table.
    """

    links: int = 0
    equal: int = 0
    duplicates: int = 0
    lost: int = 0
    leaked: int = 0
    wrong: list[str] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def holds(self) -> bool:
        """Whether everything is as agreed."""
        return not self.wrong and self.links > 0 and self.links == self.equal


def prove(home: Site, acme: Site, made: Ledger) -> Proof:
    """Compare both trackers.

    Args:
        home: the tracker inside.
        acme: the vendor's.
        made: what people made and did not take away again.
    """
    proof = Proof()
    tickets = {
        INSIDE: {one["key"]: one for one in dump(home)},
        VENDOR: {one["key"]: one for one in dump(acme)},
    }
    roots = {INSIDE: _root(home), VENDOR: _root(acme)}
    peers = {
        site: {key: _peers(one, roots[_other(site)]) for key, one in mine.items()}
        for site, mine in tickets.items()
    }
    _count(proof, tickets)
    _duplicates(proof, tickets, peers)
    pairs = [
        (ours, theirs)
        for ours, found in peers[INSIDE].items()
        for theirs in found
        if ours in peers[VENDOR].get(theirs, ())
    ]
    proof.links = len(pairs)
    for ours, theirs in pairs:
        differences = [
            *_fields(tickets[INSIDE][ours], tickets[VENDOR][theirs]),
            *_comments(proof, tickets[INSIDE][ours], tickets[VENDOR][theirs], made),
            *_files(proof, (home, acme), tickets[INSIDE][ours], tickets[VENDOR][theirs], made),
        ]
        proof.equal += not differences
        proof.wrong += [f"{ours} and {theirs}: {difference}" for difference in differences]
    _lost(proof, tickets, pairs, made)
    _leaked(proof, tickets, pairs)
    _secrets(proof, tickets[VENDOR], made)
    _notes(proof, tickets, made)
    return proof


# -- pairs --


def _root(site: Site) -> str:
    return f"{site.base_url}{site.context_path}/browse/"


def _other(site: str) -> str:
    return VENDOR if site == INSIDE else INSIDE


def _peers(ticket: Ticket, root: str) -> set[str]:
    """The keys that a ticket's links lead to on the other site."""
    targets = (str(link["object"]["url"]) for link in ticket["remoteLinks"])
    return {target.removeprefix(root) for target in targets if target.startswith(root)}


def _duplicates(
    proof: Proof, tickets: Mapping[str, Mapping[str, Ticket]], peers: Mapping[str, Mapping[str, set[str]]]
) -> None:
    for site, mine in tickets.items():
        marked: dict[str, list[str]] = defaultdict(list)
        claimed: dict[str, list[str]] = defaultdict(list)
        for key, ticket in mine.items():
            for label in ticket["fields"]["labels"]:
                if label.startswith(MARK):
                    marked[label].append(key)
            for peer in peers[site][key]:
                claimed[peer].append(key)
            if len(peers[site][key]) > 1:
                proof.duplicates += len(peers[site][key]) - 1
                proof.wrong.append(f"{key} has several twins: {', '.join(sorted(peers[site][key]))}")
        for what, groups in (("carry one mark", marked), ("have one twin", claimed)):
            for keys in groups.values():
                if len(keys) > 1:
                    proof.duplicates += len(keys) - 1
                    proof.wrong.append(f"{', '.join(keys)} {what}")


# -- equal --


def _fields(ours: Ticket, theirs: Ticket) -> Iterator[str]:
    """What differs between the fields of a pair."""
    here, there = ours["fields"], theirs["fields"]

    def name(ticket: Mapping[str, Any], field_name: str, key: str = "name") -> Any:
        value = ticket.get(field_name)
        return value[key] if value else None

    checks = {
        "summary": here["summary"].split() == there["summary"].split(),
        "description": words(here["description"]) == words(there["description"]),
        "type": TYPES.get(name(here, "issuetype")) == name(there, "issuetype"),
        "priority": PRIORITIES.get(name(here, "priority")) == name(there, "priority"),
        "status": name(there, "status") in STATUSES.get(name(here, "status"), ()),
        "due date": here["duedate"] == there["duedate"],
        "severity": name(here, SEVERITY, "value") == name(there, SEVERITY, "value"),
        "labels": _crossing(here["labels"]) == _crossing(there["labels"]),
        "assignee": _same_person(
            name(here, "assignee", "displayName"), name(there, "assignee", "displayName")
        ),
        "resolution": (name(here, "resolution") is not None) == (name(there, "status") == "Done"),
    }
    yield from (f"the {what} differs" for what, holds in checks.items() if not holds)


def _crossing(labels: list[str]) -> set[str]:
    return {label for label in labels if label.startswith(CROSSING)}


def _same_person(ours: str | None, theirs: str | None) -> bool:
    """Whether two assignees are a pair. Those without a pair do not cross: nothing is claimed of them."""
    if (ours is not None and ours not in PEOPLE) or (theirs is not None and theirs not in PEOPLE.values()):
        return True
    return PEOPLE.get(ours or "") == theirs


def _public(ticket: Ticket) -> list[Mapping[str, Any]]:
    """What people say to everybody; the bridge's own notes are no copies, and are looked at by themselves."""
    return [one for one in ticket["comments"] if not _private(one) and not _is_note(one)]


def _is_note(comment: Mapping[str, Any]) -> bool:
    return comment["author"]["displayName"] == ROBOT and is_note(comment["body"])


def _private(comment: Mapping[str, Any]) -> bool:
    return "visibility" in comment or comment.get("jsdPublic") is False


def _attributed(comment: Mapping[str, Any], site: str, made: Ledger) -> list[str]:
    """The words of a comment as the other side must show it: under who wrote it, without what may not leave."""
    text = _run(comment["body"])
    for secret, mark in made.secrets.items() if site == INSIDE else ():
        text = text.replace(_run(secret), _run(mark))
    return [*words(f"{comment['author']['displayName']} ({COMPANIES[site]})"), *text.split()]


def _comments(proof: Proof, ours: Ticket, theirs: Ticket, made: Ledger) -> Iterator[str]:
    """What differs between the public comments of a pair: each is the copy of one over there, or has one."""
    sides = {INSIDE: _public(ours), VENDOR: _public(theirs)}
    paired: dict[str, set[str]] = {INSIDE: set(), VENDOR: set()}
    for site, comments in sides.items():
        for comment in comments:
            wanted = _attributed(comment, site, made)
            other = _other(site)
            copy = next(
                (
                    one
                    for one in sides[other]
                    if one["id"] not in paired[other] and words(one["body"]) == wanted
                ),
                None,
            )
            if copy is not None:
                paired[site].add(comment["id"])
                paired[other].add(copy["id"])
    for site, comments in sides.items():
        for comment in comments:
            if comment["id"] not in paired[site]:
                proof.lost += 1
                yield f"the {site} comment {comment['id']} has no twin"


def _files(
    proof: Proof, sites: tuple[Site, Site], ours: Ticket, theirs: Ticket, made: Ledger
) -> Iterator[str]:
    """What differs between the files of a pair: byte for byte, but for those that were never to cross."""
    held = {
        name: Counter(
            (one["filename"], hashlib.sha256(content(site, one["id"]).read()).hexdigest())
            for one in ticket["fields"]["attachment"]
            if (name, ticket["key"], one["id"]) in made.files or not _by_people(one)
        )
        for name, site, ticket in ((INSIDE, sites[0], ours), (VENDOR, sites[1], theirs))
    }
    for site in (INSIDE, VENDOR):
        for file, _ in held[site] - held[_other(site)]:
            proof.lost += 1
            yield f"the {site} file {file} has no twin"
    kept = {one["id"] for one in (*ours["fields"]["attachment"], *theirs["fields"]["attachment"])}
    for site, key, number in made.files:
        if key in {ours["key"], theirs["key"]} and number not in kept:
            proof.lost += 1
            yield f"the {site} file {number} is gone"


def _by_people(attachment: Mapping[str, Any]) -> bool:
    return (attachment.get("author") or {}).get("displayName") != ROBOT


# -- lost and leaked --


def _lost(
    proof: Proof, tickets: Mapping[str, Mapping[str, Ticket]], pairs: list[tuple[str, str]], made: Ledger
) -> None:
    paired = {INSIDE: {ours for ours, _ in pairs}, VENDOR: {theirs for _, theirs in pairs}}
    for site, mine in tickets.items():
        alone = [key for key, one in mine.items() if key not in paired[site] and _in_scope(site, one)]
        gone = sorted(key for owner, key in made.tickets if owner == site and key not in mine)
        proof.lost += len(alone) + len(gone)
        proof.wrong += [f"{key} has no twin" for key in alone] + [f"{key} is gone" for key in gone]
        for owner, key, comment in sorted(made.comments):
            if owner == site and key in mine and all(one["id"] != comment for one in mine[key]["comments"]):
                proof.lost += 1
                proof.wrong.append(f"comment {comment} of {key} is gone")


def _in_scope(site: str, ticket: Ticket) -> bool:
    """Whether a ticket should have a twin: all at the vendor; inside, the labelled and what came over."""
    labels = ticket["fields"]["labels"]
    return site == VENDOR or IN_SCOPE in labels or any(label.startswith(MARK) for label in labels)


def _leaked(proof: Proof, tickets: Mapping[str, Mapping[str, Ticket]], pairs: list[tuple[str, str]]) -> None:
    for ours, theirs in pairs:
        if not _in_scope(INSIDE, tickets[INSIDE][ours]):
            proof.leaked += 1
            proof.wrong.append(f"{ours} is out of scope and yet at the vendor as {theirs}")
        for site, key, other in ((INSIDE, ours, theirs), (VENDOR, theirs, ours)):
            shown = [_run(one["body"]) for one in tickets[_other(site)][other]["comments"]]
            for comment in tickets[site][key]["comments"]:
                if _private(comment) and any(_run(comment["body"]) in text for text in shown):
                    proof.leaked += 1
                    proof.wrong.append(f"the private comment {comment['id']} of {key} is on {other}")


def _secrets(proof: Proof, theirs: Mapping[str, Ticket], made: Ledger) -> None:
    """No secret stands anywhere at the vendor, in whatever field."""
    for key, ticket in theirs.items():
        text = json.dumps(ticket, ensure_ascii=False)
        for secret in made.secrets:
            if secret in text:
                proof.leaked += 1
                proof.wrong.append(f"{key} shows what was to be cut out")


def _notes(proof: Proof, tickets: Mapping[str, Mapping[str, Ticket]], made: Ledger) -> None:
    """One note of the bridge where a change waited for a person, and none elsewhere."""
    for site, mine in tickets.items():
        for key, ticket in mine.items():
            found, meant = sum(map(_is_note, ticket["comments"])), int((site, key) in made.notes)
            if found != meant:
                proof.wrong.append(f"{key} has {found} notes of the bridge, not {meant}")


def _run(text: Any) -> str:
    return f" {' '.join(words(text))} "


# -- the table --


def _count(proof: Proof, tickets: Mapping[str, Mapping[str, Ticket]]) -> None:
    for site, mine in tickets.items():
        for ticket in mine.values():
            private = sum(_private(one) for one in ticket["comments"])
            proof.counts[site, "tickets"] += 1
            proof.counts[site, "mirrored"] += bool(ticket["remoteLinks"])
            notes = sum(map(_is_note, ticket["comments"]))
            proof.counts[site, "comments"] += len(ticket["comments"]) - private - notes
            proof.counts[site, "private"] += private
            proof.counts[site, "notes"] += notes
            proof.counts[site, "files"] += len(ticket["fields"]["attachment"])
            proof.counts[site, f"status {ticket['fields']['status']['name']}"] += 1
