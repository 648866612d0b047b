"""Custom fields of the usual types, and lists of names: their schemas, their checks, how they look.

Stored forms: an option is its id, several are a list of ids in the order of the field, a cascading choice is the id
of the parent or of the child; a moment is epoch milliseconds; labels are a list; people are handled by ``fields``,
because who may be named depends on who asks. Refusals carry Jira's words under the field's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

from bridge.simulator.model import CustomField, Json
from bridge.simulator.refusal import field_refusal

TEXT_LIMIT = 255
LABEL_LIMIT = 255
NOT_STRING = "Operation value must be a string"
NOT_ARRAY = "data was not an array"

_PLUGIN = "com.atlassian.jira.plugin.system.customfieldtypes"

SCHEMAS: Mapping[str, tuple[str, str, str]] = {
    "string": ("string", "textfield", ""),
    "text": ("string", "textarea", ""),
    "url": ("string", "url", ""),
    "number": ("number", "float", ""),
    "date": ("date", "datepicker", ""),
    "datetime": ("datetime", "datetime", ""),
    "labels": ("array", "labels", "string"),
    "select": ("option", "select", ""),
    "radio": ("option", "radiobuttons", ""),
    "multiselect": ("array", "multiselect", "option"),
    "checkboxes": ("array", "multicheckboxes", "option"),
    "cascading": ("option-with-child", "cascadingselect", ""),
    "user": ("user", "userpicker", ""),
    "users": ("array", "multiuserpicker", "user"),
    "raw": ("any", "unknown", ""),
}
"""Type of a custom field -> type, plugin's name and type of members in its schema."""

ONE_OF = frozenset({"select", "radio"})
SOME_OF = frozenset({"multiselect", "checkboxes"})
CHOSEN = ONE_OF | SOME_OF | {"cascading"}


def schema(custom: CustomField) -> Json:
    """The schema that field lists and screens show."""
    kind, suffix, items = SCHEMAS[custom.type]
    body: Json = {"type": kind, "custom": f"{_PLUGIN}:{suffix}"}
    body["customId"] = int(custom.id.removeprefix("customfield_"))
    return {**body, "items": items} if items else body


def parse(custom: CustomField, raw: Any) -> Any:
    """Turn a value from outside into its stored form, or refuse in Jira's words; not for texts and people."""
    name = custom.id
    if custom.type == "labels":
        return labels(name, raw)
    if custom.type == "date":
        return day(name, raw)
    if raw is None:
        return None
    if custom.type == "datetime":
        return _moment(name, raw)
    if custom.type == "number":
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            raise field_refusal(name, "Operation value must be a number")
        return float(raw)
    if custom.type in ONE_OF:
        return _option(custom, raw, custom.options)
    if custom.type in SOME_OF:
        if not isinstance(raw, list):
            raise field_refusal(name, NOT_ARRAY)
        chosen = {_option(custom, one, custom.options) for one in raw}
        return [option for option, _ in custom.options if option in chosen]
    if custom.type == "cascading":
        return _cascade(custom, raw)
    if not isinstance(raw, str):
        raise field_refusal(name, NOT_STRING)
    if len(raw) > TEXT_LIMIT:
        raise field_refusal(
            name, "The entered text is too long. It exceeds the allowed limit of 255 characters."
        )
    if custom.type == "url" and raw and not _is_url(raw):
        raise field_refusal(name, "Not a valid URL")
    return raw or None


def labels(name: str, raw: Any) -> list[str]:
    """Labels: words without blanks, sorted."""
    if raw is None:
        return []
    if not isinstance(raw, list) or not all(isinstance(one, str) for one in raw):
        raise field_refusal(name, "Operation value must be an array of strings")
    for one in raw:
        if re.search(r"\s", one):
            raise field_refusal(name, f"The label '{one}' contains spaces which is invalid.")
        if len(one) > LABEL_LIMIT:
            raise field_refusal(name, f"The label '{one}' exceeds the maximum length of 255 characters.")
    return sorted({one for one in raw if one})


def day(name: str, raw: Any) -> str | None:
    """A calendar date."""
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str):
        raise field_refusal(name, NOT_STRING)
    refusal = field_refusal(name, f"Error parsing date string: {raw}")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", raw):
        raise refusal
    try:
        return date.fromisoformat(raw).isoformat()
    except ValueError:
        raise refusal from None


def named(name: str, raw: Any, known: Mapping[str, str]) -> list[str]:
    """Components or versions: a list of ids, each given by id or name.

    Args:
        name: ``components``, ``fixVersions`` or ``versions``.
        raw: the value from outside.
        known: id -> name of what the project has.
    """
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise field_refusal(name, NOT_ARRAY)
    word = "Component" if name == "components" else "Version"
    chosen: set[str] = set()
    for one in raw:
        if not isinstance(one, Mapping) or not (one.get("id") or one.get("name")):
            raise field_refusal(name, "expected an object with either an 'id' or a 'name' property")
        wanted = str(one.get("id") or next((key for key, said in known.items() if said == one["name"]), ""))
        if wanted not in known:
            said = f"id '{one['id']}'" if one.get("id") else f"name '{one['name']}'"
            raise field_refusal(name, f"{word} {said} is not valid")
        chosen.add(wanted)
    return [key for key in known if key in chosen]


def show(custom: CustomField, stored: Any, link: Callable[[str], str], *, cloud: bool) -> Any:
    """Render a stored value of a type with options, or a moment; others look as they are stored."""
    if custom.type == "datetime":
        moment = datetime.fromtimestamp(stored // 1000, UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{stored % 1000:03d}+0000"
    if custom.type in ONE_OF:
        return _shown(stored, dict(custom.options)[stored], link, cloud=cloud)
    if custom.type in SOME_OF:
        return [_shown(one, dict(custom.options)[one], link, cloud=cloud) for one in stored]
    if custom.type == "cascading":
        for parent, option, value in custom.children:
            if option == stored:
                above = _shown(parent, dict(custom.options)[parent], link, cloud=cloud)
                return {**above, "child": _shown(option, value, link, cloud=cloud)}
        return _shown(stored, dict(custom.options)[stored], link, cloud=cloud)
    return stored


def allowed(custom: CustomField, link: Callable[[str], str]) -> list[Json] | None:
    """The values that a screen offers; None for a field without options."""
    if custom.type not in CHOSEN:
        return None
    rows = []
    for option, value in custom.options:
        row = _shown(option, value, link, cloud=True)
        if custom.type == "cascading":
            below = [(child, said) for parent, child, said in custom.children if parent == option]
            row["children"] = [_shown(child, said, link, cloud=True) for child, said in below]
        rows.append(row)
    return rows


def spoken(custom: CustomField, stored: Any) -> str:
    """A stored value as the history tells it."""
    if custom.type in ONE_OF:
        return dict(custom.options)[stored]
    if custom.type in SOME_OF:
        return ",".join(dict(custom.options)[one] for one in stored)
    if custom.type == "cascading":
        for parent, option, value in custom.children:
            if option == stored:
                above = dict(custom.options)[parent]
                return f"Parent values: {above}({parent})Level 1 values: {value}({option})"
        return f"Parent values: {dict(custom.options)[stored]}({stored})"
    return str(stored)


def _shown(option: str, value: str, link: Callable[[str], str], *, cloud: bool) -> Json:
    body = {"self": link(f"customFieldOption/{option}"), "value": value, "id": option}
    return body if cloud else {**body, "disabled": False}


def _option(custom: CustomField, raw: Any, options: tuple[tuple[str, str], ...]) -> str:
    if not isinstance(raw, Mapping) or not (set(raw) & {"id", "value"}):
        raise field_refusal(custom.id, f"Specify a valid 'id' or 'name' for {custom.name}")
    for option, value in options:
        if str(raw.get("id", option)) == option and raw.get("value", value) == value:
            return option
    said = f"Option id '{raw['id']}'" if "id" in raw else f"Option value '{raw['value']}'"
    raise field_refusal(custom.id, f"{said} is not valid")


def _cascade(custom: CustomField, raw: Any) -> str:
    parent = _option(custom, raw, custom.options)
    if raw.get("child") is None:
        return parent
    return _option(
        custom, raw["child"], tuple((one, said) for up, one, said in custom.children if up == parent)
    )


def _moment(name: str, raw: Any) -> int:
    refusal = field_refusal(name, f"Error parsing time: {raw}")
    if not isinstance(raw, str) or not re.fullmatch(
        r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d+([+-]\d{4}|Z)", raw
    ):
        raise refusal
    try:
        return round(datetime.strptime(raw, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() * 1000)
    except ValueError:
        raise refusal from None


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    return bool(parts.scheme and parts.netloc)
