"""Entity properties of issues and comments: small JSON values under a key. They do not move ``updated``."""

from __future__ import annotations

import json
from typing import Any

from bridge.simulator.model import Issue, Json
from bridge.simulator.refusal import BAD_PAYLOAD, Refusal

KEY_LIMIT = 255
VALUE_LIMIT = 32_768


def check_value(key: str, value: Any) -> None:
    """Refuse a key or value that is too long."""
    if not key or len(key) > KEY_LIMIT:
        raise Refusal(400, "The property key cannot be longer than 255 characters.")
    if len(json.dumps(value)) > VALUE_LIMIT:
        raise Refusal(400, "The property value cannot be longer than 32768 characters.")


def as_dict(listed: Any) -> Json:
    """Turn ``[{"key": ..., "value": ...}]`` into a dictionary, refusing anything else."""
    if not isinstance(listed, list):
        raise Refusal(400, BAD_PAYLOAD, bare=True)
    held: Json = {}
    for one in listed:
        if not isinstance(one, dict) or not isinstance(one.get("key"), str) or "value" not in one:
            raise Refusal(400, BAD_PAYLOAD, bare=True)
        check_value(one["key"], one["value"])
        held[one["key"]] = one["value"]
    return held


def put_all(issue: Issue, listed: Any) -> None:
    """Upsert properties that came inside a create or an edit."""
    issue.properties = {**issue.properties, **as_dict(listed)}


def put(held: Json, key: str, value: Any) -> tuple[Json, bool]:
    """Return the properties with one upserted, and whether it is new."""
    check_value(key, value)
    return {**held, key: value}, key not in held


def get(held: Json, key: str) -> Json:
    """Return one property as Jira shows it, or refuse with 404."""
    if key not in held:
        raise Refusal(404, f"The property with key '{key}' does not exist.")
    return {"key": key, "value": held[key]}


def remove(held: Json, key: str) -> Json:
    """Return the properties without one, or refuse with 404."""
    get(held, key)
    return {name: value for name, value in held.items() if name != key}
