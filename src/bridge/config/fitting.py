"""Laying a file over its shape: every misfit becomes a sentence with its line, and what fits is kept.

pydantic gives no object at all when one key is wrong. So the wrong places are cut out and the rest is
fitted again: the later checks then see everything that is sound, and one run reports all there is to
report.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bridge.config.findings import Path, did_you_mean
from bridge.config.form import Shape
from bridge.config.source import Source

_S = TypeVar("_S", bound=Shape)

_LOOKS_SECRET = frozenset({"api-key", "apikey", "key", "pass", "passwd", "password", "pat", "secret"})

_VALUE = "write a value, or drop the key"
_REFERENCE = "write {secret: some_name}"

_TYPES = {
    "string_type": ("must be a text", "put it in quotes if it has brackets or braces"),
    "dict_type": ("must hold keys and values", "write {key: value, ...}"),
    "model_type": ("must hold keys and values", "write {key: value, ...}"),
    "model_attributes_type": ("must hold keys and values", "write {key: value, ...}"),
    "list_type": ("must be a list", "write [one, two, ...]"),
    "tuple_type": ("must be a list", "write [one, two, ...]"),
    "int_type": ("must be a whole number", "write e.g. 8"),
    "float_type": ("must be a number or a duration", "write e.g. 20, or 15s for a duration"),
}


def fit(shape: type[_S], source: Source) -> _S | None:
    """The file as its shape, without the parts that do not fit; None when there was nothing to read."""
    if not isinstance(source.data, dict):
        return None
    fitted = _fitted(shape, source)
    for path in _empty(source.data, ()):
        if source.sound(path):
            source.problem(path, "has no value", _REFERENCE if _secret_place(path) else _VALUE)
    for path, meaning in _missing(fitted, ()):
        if source.sound(path):
            fix = f"add '{path[-1]}: ...': {meaning}"
            source.problem(path, f"'{path[-1]}' is missing", fix, key=True, shown=path[:-1])
    return fitted


def _fitted(shape: type[_S], source: Source) -> _S:
    """The shape, after as many rounds of cutting as it takes; the first round sees every misfit."""
    data = copy.deepcopy(source.data)
    first, known = True, frozenset(source.damaged)
    while True:
        try:
            return shape.model_validate(data)
        except ValidationError as error:
            details = error.errors(include_url=False)
        paths = [_real_path(detail["loc"], data) for detail in details]
        for detail, path in zip(details, paths, strict=True):
            if first and path not in known:
                _report(detail, path, shape, source)
        first = False
        for path in sorted(paths, key=_depth, reverse=True):
            _cut(data, path)


def _depth(path: Path) -> tuple[int, int]:
    """Deeper places are cut out first, and of a list the last ones: the places of the others stay right till then."""
    return len(path), path[-1] if path and isinstance(path[-1], int) else 0


def _real_path(loc: tuple[int | str, ...], data: Any) -> Path:
    """The validator's location without its own additions (names of union members, ``[key]``)."""
    path: list[str | int] = []
    here = data
    for step in loc:
        in_list = isinstance(here, list) and isinstance(step, int) and step < len(here)
        if in_list or (isinstance(here, dict) and step in here):
            here = here[step]
            path.append(step)
    return tuple(path)


def _cut(data: Any, path: Path) -> None:
    """Take one place out of the data; a list keeps its length, so that later lines stay right."""
    here = data
    for step in path[:-1]:
        try:
            here = here[step]
        except (KeyError, IndexError):
            return
    if not path:
        data.clear()
    elif isinstance(here, dict):
        here.pop(path[-1], None)
    elif isinstance(path[-1], int) and path[-1] < len(here):
        if here[path[-1]] == {}:
            del here[path[-1]]
        else:
            here[path[-1]] = {}


def _report(detail: ErrorDetails, path: Path, shape: type[Shape], source: Source) -> None:
    """Put one of pydantic's findings into our words."""
    kind, value = detail["type"], detail["input"]
    context = detail.get("ctx", {})
    if kind == "misfit":
        source.problem(path, context["message"], context["fix"], key=detail["loc"][-1:] == ("[key]",))
    elif secret := _secret_place(path):
        source.problem(path, "takes nothing but the name of a secret", _REFERENCE, shown=secret)
    elif kind == "extra_forbidden":
        _unknown_key(path, shape, source)
    elif value is None:
        fix = "write {} for the defaults" if kind.startswith(("model", "dict")) else _VALUE
        source.problem(path, "has no value", fix)
    elif kind in {"literal_error", "enum"}:
        options = [word for word in re.findall(r"'([^']*)'", str(context["expected"])) if word]
        said = f"'{value}' is not possible here" if isinstance(value, str) else "must be one word"
        source.problem(path, said, did_you_mean(value if isinstance(value, str) else "", options))
    else:
        message, fix = _TYPES.get(kind, (detail["msg"], ""))
        source.problem(path, message, fix)


def _secret_place(path: Path) -> Path:
    """The part of the path down to the key that stands for a secret; empty when there is none."""
    if path[:1] == ("trackers",) and path[2:3] == ("token",):
        return path[:3]
    if path[:1] == ("trackers",) and path[2:3] == ("webhook",) and path[3:4] in {("secret",), ("previous",)}:
        return path[:4]
    if path[:1] == ("hooks",) and path[2:3] == ("secret",):
        return path[:3]
    return path[:2] if path[:2] in {("database", "password"), ("mail", "password")} else ()


def _unknown_key(path: Path, shape: type[Shape], source: Source) -> None:
    """Report a key that the shape does not have."""
    key = str(path[-1])
    options = _keys_at(shape, path[:-1])
    if key == "<<":
        message, fix = "merge keys ('<<') are not part of YAML 1.2", "write the keys out"
    elif key.casefold().replace("_", "-") in _LOOKS_SECRET and "token" in options:
        message, fix = (
            f"'{key}' is not a key here",
            "write 'token: {secret: some_name}' and put the value into secrets/some_name",
        )
    else:
        message, fix = f"'{key}' is not a key here", did_you_mean(key, options)
        source.damaged.update((*path[:-1], option) for option in options if f"mean '{option}'" in fix)
    source.problem(path, message, fix, key=True)


def _keys_at(shape: type[Shape], path: Path) -> list[str]:
    """The keys that may stand at a path."""
    places: list[Any] = [shape]
    for step in path:
        places = [inner for place in places for inner in _inside(place, step)]
    models = [
        one
        for place in places
        for one in _one_of(place)
        if isinstance(one, type) and issubclass(one, BaseModel)
    ]
    return [field.alias or name for model in models for name, field in model.model_fields.items()]


def _inside(place: Any, step: str | int) -> Iterator[Any]:
    """The types that a step leads to from a type, unions and annotations opened."""
    if isinstance(place, type) and issubclass(place, BaseModel):
        for field in place.model_fields.values():
            if field.alias == step:
                yield from _opened(field.annotation)
    elif get_origin(place) is dict:
        yield from _opened(get_args(place)[1])
    elif get_origin(place) is tuple:
        if isinstance(step, int):
            yield from _opened(get_args(place)[0])
        else:
            for one in _one_of(place):
                yield from _inside(one, step)


def _one_of(place: Any) -> Iterator[Any]:
    """The type itself; of a list, where one may stand without the list, the types of one."""
    if get_origin(place) is tuple:
        yield from _opened(get_args(place)[0])
    else:
        yield place


def _opened(annotation: Any) -> Iterator[Any]:
    """The plain types within a union or an annotated type."""
    if isinstance(annotation, type) or get_origin(annotation) in {dict, tuple}:
        yield annotation
    else:
        for part in get_args(annotation):
            yield from _opened(part)


def _empty(value: Any, path: Path) -> Iterator[Path]:
    """Keys without a value; where one may be absent, pydantic takes that for its absence."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if inner is None:
                yield (*path, key)
            yield from _empty(inner, (*path, key))


def _missing(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Needed keys that are not there, with what each means."""
    if isinstance(value, Shape):
        for name, field in type(value).model_fields.items():
            here = (*path, field.alias or name)
            extra = field.json_schema_extra
            if name in value.model_fields_set:
                yield from _missing(getattr(value, name), here)
            elif isinstance(extra, Mapping) and extra.get("needed"):
                yield here, field.description or ""
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _missing(inner, (*path, key))
    elif isinstance(value, tuple):
        for position, inner in enumerate(value):
            yield from _missing(inner, (*path, position))
