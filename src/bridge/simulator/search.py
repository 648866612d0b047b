"""Searching: Cloud's token-paged search/jql and Data Center's offset-paged search, over the lagging index.

Search answers with the *indexed* state of an issue; only ``reconcileIssues`` (Cloud) forces numbered issues
fresh.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bridge.simulator import render
from bridge.simulator.fields import View
from bridge.simulator.jql import Combined, Query, parse
from bridge.simulator.jql_eval import compile_query
from bridge.simulator.model import Issue, Json
from bridge.simulator.refusal import BAD_PAYLOAD, Refusal

UNBOUNDED = "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
BAD_PAGE = "The provided next page token is invalid or expired."
BAD_SIZE = "The max results parameter has to be between 1 and 5,000."
MOST = 5000
MOST_ORDER = 7
MOST_RECONCILED = 50
MOST_PROPERTIES = 5
DC_MOST = 1000
TOKEN_LIFE_MS = 7 * 86_400_000
KEPT_TOKENS = 2000


@dataclass(frozen=True, slots=True)
class Ask:
    """One call of Cloud's search/jql, already typed."""

    jql: str
    size: int = 50
    token: str | None = None
    fields: Sequence[str] = ()
    expand: Sequence[str] = ()
    properties: Sequence[str] = ()
    reconcile: Sequence[int] = ()


def find(view: View, query: Query, reconcile: Sequence[int] = ()) -> list[Issue]:
    """Return the issues that match, in order, as the index sees them (reconciled ones as they are)."""
    site = view.site
    compiled = compile_query(view, query)
    fresh = set(reconcile)
    seen = [one for one in site.indexed() if one.id not in fresh]
    seen += [site.issues[number].snapshot() for number in fresh if number in site.issues]
    found = [
        one for one in seen if site.may(view.user, "BROWSE_PROJECTS", one.project) and compiled.test(one)
    ]
    return compiled.sorted(found)


def cloud(view: View, ask: Ask) -> Json:
    """Answer search/jql."""
    site = view.site
    if not 1 <= ask.size <= MOST:
        raise Refusal(400, BAD_SIZE)
    if len(ask.reconcile) > MOST_RECONCILED:
        raise Refusal(400, "The reconcileIssues parameter accepts at most 50 issue ids.")
    if len(ask.properties) > MOST_PROPERTIES:
        raise Refusal(400, "The properties parameter accepts at most 5 entity properties.")
    try:
        query = parse(ask.jql)
        numbers, start = _page(view, ask, query)
    except Refusal as refusal:
        if view.user is None and refusal.messages not in ([UNBOUNDED], [BAD_PAGE]):
            return {"issues": [], "isLast": True}  # recorded: an anonymous caller's bad query is just empty
        raise
    size = ask.size if set(ask.fields) <= {"id", "key"} else min(ask.size, site.rich_page)
    shown: list[Json] = []
    fresh = set(ask.reconcile)
    for number in numbers[start : start + size]:
        one = site.issues.get(number) if number in fresh else site.indexed_issue(number)
        if one is not None:
            shown.append(_row(view, one, ask))
    body: Json = {"issues": shown, "isLast": start + size >= len(numbers)}
    if not body["isLast"]:
        body["nextPageToken"] = _keep(view, ask.jql, numbers, start + size)
    return body


def _row(view: View, one: Issue, ask: Ask) -> Json:
    asked = list(ask.fields) or ["id"]
    row = render.issue(
        view,
        one,
        asked,
        expand=ask.expand,
        properties=ask.properties,
        most_comments=view.site.comments_in_search,
    )
    if set(asked) <= {"id"}:
        return {"id": row["id"], **({"properties": row["properties"]} if "properties" in row else {})}
    return row


def _page(view: View, ask: Ask, query: Query) -> tuple[list[int], int]:
    if query.where is None:
        raise Refusal(400, UNBOUNDED)
    if len(query.order) > MOST_ORDER:
        raise Refusal(400, "The ORDER BY clause can have at most 7 fields.")
    if ask.token is None:
        return [one.id for one in find(view, query, ask.reconcile)], 0
    kept = view.site.search_pages.get(ask.token)
    if kept is None or kept[0] != ask.jql or view.site.now() - kept[3] > TOKEN_LIFE_MS:
        raise Refusal(400, BAD_PAGE)
    return kept[1], kept[2]


def _keep(view: View, jql: str, numbers: list[int], start: int) -> str:
    pages = view.site.search_pages
    seed = f"{view.site.new_id('thing')}:{start}:{jql}"
    token = hashlib.sha256(seed.encode()).hexdigest()[:40]
    pages[token] = (jql, numbers, start, view.site.now())
    while len(pages) > KEPT_TOKENS:
        del pages[next(iter(pages))]
    return token


def data_center(view: View, body: Json) -> Json:
    """Answer Data Center's /search; positions shift when issues change between pages, as they really do."""
    start, size = int(body.get("startAt") or 0), body.get("maxResults", 50)
    size = min(int(50 if size is None else size), DC_MOST)
    if size < 0:
        size = DC_MOST
    query = parse(str(body.get("jql") or ""))
    found = find(view, query)
    asked = body.get("fields") or ["*navigable"]
    rows = [
        render.issue(
            view, one, asked, expand=body.get("expand") or (), properties=body.get("properties") or ()
        )
        for one in found[start : start + size]
    ]
    return {
        "expand": "schema,names",
        "startAt": start,
        "maxResults": size,
        "total": len(found),
        "issues": rows,
    }


def match(view: View, body: Any) -> Json:
    """Answer Cloud's /jql/match: which of the numbered issues satisfy each query, without the index."""
    if not isinstance(body, dict) or not isinstance(body.get("jqls"), list) or "issueIds" not in body:
        raise Refusal(400, BAD_PAYLOAD, bare=True)
    numbers = [int(one) for one in body["issueIds"]]
    matches: list[Json] = []
    for text in body["jqls"]:
        try:
            found = {one.id for one in find(view, parse(text), numbers)} & set(numbers)
            matches.append({"matchedIssues": sorted(found), "errors": []})
        except Refusal as refusal:
            matches.append({"matchedIssues": [], "errors": refusal.messages})
    return {"matches": matches}


def check(view: View, body: Any) -> Json:
    """Answer /jql/parse: each query with its errors."""
    if not isinstance(body, dict) or not isinstance(body.get("queries"), list):
        raise Refusal(400, BAD_PAYLOAD, bare=True)
    rows: list[Json] = []
    for text in body["queries"]:
        row: Json = {"query": text}
        try:
            query = parse(str(text))
            compile_query(view, query)
        except Refusal as refusal:
            row["errors"] = refusal.messages
        else:
            where = {"operator": query.where.kind} if isinstance(query.where, Combined) else {}
            row["structure"] = {"orderBy": {"fields": []}, **({"where": where} if where else {})}
        rows.append(row)
    return {"queries": rows}
