"""What exists in a Jira project: types, workflows, priorities, fields, and the rights we lack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.trackers.http import Http
from bridge.trackers.jira_fields import CANONICAL_NAMES, JiraField
from bridge.trackers.jira_values import BELOW
from bridge.trackers.protocol import FieldMeta, FieldSpec, ProjectMeta
from bridge.trackers.survey import Flaw, Need

RIGHTS: Mapping[Need, str] = {
    Need.READ: "BROWSE_PROJECTS",
    Need.CREATE: "CREATE_ISSUES",
    Need.EDIT: "EDIT_ISSUES",
    Need.MOVE: "TRANSITION_ISSUES",
    Need.ASSIGN: "ASSIGN_ISSUES",
    Need.LINK_BACK: "LINK_ISSUES",
    Need.COMMENT: "ADD_COMMENTS",
    Need.EDIT_COMMENT: "EDIT_OWN_COMMENTS",
    Need.DELETE_COMMENT: "DELETE_OWN_COMMENTS",
    Need.ATTACH: "CREATE_ATTACHMENTS",
    Need.DELETE_FILE: "DELETE_OWN_ATTACHMENTS",
    Need.RELATE: "LINK_ISSUES",
    Need.PARENT: "EDIT_ISSUES",
    Need.BOOK: "WORK_ON_ISSUES",
    Need.EDIT_TIME: "EDIT_OWN_WORKLOGS",
    Need.DELETE_TIME: "DELETE_OWN_WORKLOGS",
    Need.PEOPLE: "USER_PICKER",
}
"""Jira's permission for each thing that the bridge may have to do; the last one is global, the others the project's."""

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
            marker=tuple(_unmarkable(create)),
            private_notes=self._is_desk(),
            unfit=unfit,
        )

    def _is_desk(self) -> bool:
        """Whether the project is a service desk, whose comments can be internal by themselves."""
        answer = self._http.call("GET", f"{self._api}/project/{{project}}", parts=self._parts)
        return bool(answer.object().get("projectTypeKey") == "service_desk")

    def _priorities(self) -> tuple[str, ...]:
        if self._cloud:
            rows = list(self._pages(f"{self._api}/priority/search", {}, "values"))
        else:
            rows = self._http.call("GET", f"{self._api}/priority").array()
        return tuple(str(row["name"]) for row in rows)

    def _missing_rights(self) -> dict[Need, tuple[str, ...]]:
        asked = ",".join(dict.fromkeys(RIGHTS.values()))
        answer = self._http.call(
            "GET", f"{self._api}/mypermissions", query={"projectKey": self._key, "permissions": asked}
        )
        granted = answer.object().get("permissions") or {}
        missing: dict[Need, tuple[str, ...]] = {
            need: (str(granted.get(right, {}).get("name") or right),)
            for need, right in RIGHTS.items()
            if not granted.get(right, {}).get("havePermission")
        }
        if self._http.call("GET", f"{self._api}/attachment/meta").object().get("enabled") is False:
            missing[Need.ATTACH] = ("to attach files at all: the whole site has them switched off",)
        return missing

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


def _unmarkable(create: Mapping[str, tuple[FieldMeta, ...]]) -> Iterator[Flaw]:
    """The types whose create screen takes no labels: our mark is one, and without it Jira refuses the whole request."""
    without = [kind for kind, screen in create.items() if all(one.name != "labels" for one in screen)]
    for kind in without:
        yield Flaw(
            f"the create screen of '{kind}' has no labels, and the bridge's mark is one",
            f"put the field Labels on the create screen of '{kind}'",
        )


def _field(raw: Mapping[str, Any]) -> FieldMeta:
    return FieldMeta(
        name=CANONICAL_NAMES.get(str(raw.get("fieldId")), str(raw.get("name"))),
        required=bool(raw.get("required")) and not raw.get("hasDefaultValue"),
        allowed=tuple(name for value in raw.get("allowedValues") or () for name in _offered(value)),
        id=str(raw.get("fieldId") or ""),
    )


def _offered(value: Mapping[str, Any]) -> Iterator[str]:
    """An allowed value under the name that the core knows it by, and those below it."""
    name = str(value.get("value") or value.get("name") or "")
    yield name
    for child in value.get("children") or ():
        yield f"{name}{BELOW}{child.get('value')}"
