"""What exists in a Jira project: types, workflows, priorities, fields, and the rights we lack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.trackers.http import Http
from bridge.trackers.jira_fields import CANONICAL_NAMES, JiraField
from bridge.trackers.jira_values import BELOW
from bridge.trackers.protocol import FieldMeta, FieldSpec, ProjectMeta

RIGHTS = (
    "BROWSE_PROJECTS",
    "CREATE_ISSUES",
    "EDIT_ISSUES",
    "TRANSITION_ISSUES",
    "ADD_COMMENTS",
    "EDIT_OWN_COMMENTS",
    "DELETE_OWN_COMMENTS",
    "LINK_ISSUES",
)
"""What the bridge's account needs in every project it mirrors."""

_PAGE = 50


class Project:
    """Reads one project.

    Args:
        http: the policy.
        api: prefix of the API's paths.
        key: the project.
        cloud: which of the two shapes of paging to expect.
    """

    def __init__(self, http: Http, api: str, key: str, *, cloud: bool) -> None:
        self._http = http
        self._api = api
        self._parts = {"project": key}
        self._key = key
        self._cloud = cloud

    def read(
        self, fields: Sequence[JiraField], wanted: Sequence[FieldSpec], unfit: Mapping[str, str]
    ) -> ProjectMeta:
        """Everything that ``bridge check`` compares an agreement with.

        Args:
            fields: the fields of the site.
            wanted: those that the agreement maps; one may be named by its id.
            unfit: names of mapped fields that cannot be used, and why.

        Raises:
            Gone: no such project, or it is hidden from us.
        """
        statuses = {
            str(row.get("name")): tuple(str(status.get("name")) for status in row.get("statuses", ()))
            for row in self._http.call(
                "GET", f"{self._api}/project/{{project}}/statuses", parts=self._parts
            ).array()
        }
        path = f"{self._api}/issue/createmeta/{{project}}/issuetypes"
        types = list(self._pages(path, self._parts, "issueTypes", "values", "createMetaIssueType"))
        create = {
            str(row["name"]): tuple(
                _field(field)
                for field in self._pages(
                    f"{path}/{{type}}", {**self._parts, "type": str(row["id"])}, "fields", "values", "results"
                )
            )
            for row in types
            if not row.get("subtask")
        }
        ids = {field.id for field in fields}
        by_id = [spec.native for spec in wanted if spec.native in ids]
        return ProjectMeta(
            types=tuple(str(row["name"]) for row in types),
            statuses=statuses,
            priorities=self._priorities(),
            fields=tuple(
                dict.fromkeys([*(CANONICAL_NAMES.get(field.id, field.name) for field in fields), *by_id])
            ),
            create=create,
            missing_rights=self._missing_rights(),
            unfit=unfit,
        )

    def _priorities(self) -> tuple[str, ...]:
        if self._cloud:
            rows = list(self._pages(f"{self._api}/priority/search", {}, "values"))
        else:
            rows = self._http.call("GET", f"{self._api}/priority").array()
        return tuple(str(row["name"]) for row in rows)

    def _missing_rights(self) -> tuple[str, ...]:
        answer = self._http.call(
            "GET",
            f"{self._api}/mypermissions",
            query={"projectKey": self._key, "permissions": ",".join(RIGHTS)},
        )
        granted = answer.object().get("permissions") or {}
        return tuple(
            str(granted.get(right, {}).get("name") or right)
            for right in RIGHTS
            if not granted.get(right, {}).get("havePermission")
        )

    def _pages(self, path: str, parts: Mapping[str, str], *names: str) -> Iterator[Mapping[str, Any]]:
        """All rows of an offset-paged list, which Cloud and Data Center name differently."""
        start = 0
        while True:
            answer = self._http.call("GET", path, parts=parts, query={"startAt": start, "maxResults": _PAGE})
            rows = answer.objects(*names)
            yield from rows
            start += len(rows)
            total = answer.object().get("total")
            if not rows or answer.object().get("isLast") or (isinstance(total, int) and start >= total):
                return


def _field(raw: Mapping[str, Any]) -> FieldMeta:
    return FieldMeta(
        name=CANONICAL_NAMES.get(str(raw.get("fieldId")), str(raw.get("name"))),
        required=bool(raw.get("required")) and not raw.get("hasDefaultValue"),
        allowed=tuple(name for value in raw.get("allowedValues") or () for name in _offered(value)),
    )


def _offered(value: Mapping[str, Any]) -> Iterator[str]:
    """An allowed value under the name that the core knows it by, and those below it."""
    name = str(value.get("value") or value.get("name") or "")
    yield name
    for child in value.get("children") or ():
        yield f"{name}{BELOW}{child.get('value')}"
