"""The trackers and the database of ``bridge.yaml``: what each kind needs, and their secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bridge.config.findings import Path as Place
from bridge.config.findings import did_you_mean
from bridge.config.kinds import Kind, MarkerField
from bridge.config.settings import TrackerSettings, WebhookSettings
from bridge.config.shape import BridgeShape, SecretShape, TrackerShape
from bridge.config.source import Source
from bridge.config.vault import NoSecret, Vault

_DATABASES = ("sqlite", "postgresql")

_SHORTEST_SECRET = 16
"""Characters: with fewer, a signature could be forged by trying (Standard Webhooks asks for 24 bytes)."""


def settle_trackers(
    shape: BridgeShape, source: Source, kinds: Mapping[str, Kind], folder: Path, vault: Vault | None
) -> dict[str, TrackerSettings]:
    """The trackers, as far as they can be made; what is wrong goes to the source's findings.

    Args:
        shape: the fitted file.
        source: the file itself.
        kinds: the kinds of trackers there are.
        folder: folder of the configuration.
        vault: where secrets are; None leaves tokens empty and does not look for files of this machine.
    """
    if not shape.trackers and source.sound(("trackers",)):
        source.problem(
            ("trackers",), "there is no tracker", "name at least two, e.g. home: {kind: jira-datacenter, ...}"
        )
    _check_twins(shape.trackers, source)
    result = {}
    for name, tracker in shape.trackers.items():
        at: Place = ("trackers", name)
        kind = kinds.get(tracker.kind)
        if kind is None:
            if tracker.kind:
                source.problem(
                    (*at, "kind"), f"there is no kind '{tracker.kind}'", did_you_mean(tracker.kind, kinds)
                )
        else:
            _check_kind(tracker, kind, source, at)
        ca_file = str(folder / tracker.ca) if tracker.ca else ""
        if ca_file and vault is not None and not Path(ca_file).is_file():
            source.problem(
                (*at, "ca"),
                f"there is no file {ca_file}",
                "give a PEM file, relative to the configuration's folder",
            )
        usual_lag = kind.search_lag if kind is not None else 0.0
        result[name] = TrackerSettings(
            name=name,
            kind=tracker.kind,
            url=tracker.url,
            token=reveal(tracker.token, source, (*at, "token", "secret"), vault),
            user=tracker.user,
            cloud_id=tracker.cloud_id,
            gateway=tracker.gateway,
            rate=tracker.rate,
            concurrency=tracker.concurrency,
            search_lag=usual_lag if tracker.search_lag is None else tracker.search_lag,
            poll=tracker.poll,
            connect_timeout=tracker.connect_timeout,
            read_timeout=tracker.read_timeout,
            ca_file=ca_file,
            marker_field=tracker.marker_field,
            formatting=tracker.formatting,
            expires=tracker.expires,
            media_hosts=tracker.media_hosts,
            webhook=_webhook(name, tracker, source, at, vault),
        )
    return result


def _check_twins(names: Iterable[str], source: Source) -> None:
    """Names that differ by capitals only would be told apart by nobody."""
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(name.casefold(), name)
        if first != name:
            source.problem(
                ("trackers", name),
                f"'{name}' and '{first}' differ by capitals only",
                "choose another name",
                key=True,
            )


def _check_kind(tracker: TrackerShape, kind: Kind, source: Source, at: Place) -> None:
    """What this kind must and must not be given."""
    what = tracker.kind
    if (
        kind.marker_field is MarkerField.NEEDED
        and not tracker.marker_field
        and source.sound((*at, "marker-field"))
    ):
        source.problem(
            at,
            f"{what} needs 'marker-field'",
            "make a text custom field for issues there and name it here, e.g. marker-field: External ID",
            key=True,
        )
    if kind.marker_field is MarkerField.UNUSED and tracker.marker_field:
        source.problem(
            (*at, "marker-field"),
            f"{what} has no use for 'marker-field'",
            "remove it: the mark goes into an entity property",
            key=True,
        )
    if tracker.cloud_id and not kind.takes_cloud_id:
        source.problem(
            (*at, "cloud-id"),
            f"{what} has no use for 'cloud-id'",
            "remove it: only jira-cloud has a gateway",
            key=True,
        )
    if tracker.formatting and tracker.formatting not in kind.formattings:
        source.problem(
            (*at, "formatting"),
            f"{what} has no use for 'formatting'",
            "remove it: only redmine can be set to another",
            key=True,
        )
    if tracker.user and not kind.takes_user:
        source.problem(
            (*at, "user"), f"{what} has no use for 'user'", "remove it: the key is the whole login", key=True
        )
    if "gateway" in tracker.model_fields_set and not tracker.cloud_id and source.sound((*at, "cloud-id")):
        source.problem(
            (*at, "gateway"),
            "'gateway' has no effect without 'cloud-id'",
            "give the cloud-id, or remove it",
            key=True,
        )
    if (
        kind.needs_user
        and not tracker.user
        and not tracker.cloud_id
        and source.sound((*at, "user"), (*at, "cloud-id"))
    ):
        source.problem(
            at,
            f"{what} needs 'user' or 'cloud-id'",
            "add 'user: ...', the e-mail address that the token belongs to; or 'cloud-id: ...' for a "
            "service account's token",
            key=True,
        )


def _webhook(
    name: str, tracker: TrackerShape, source: Source, at: Place, vault: Vault | None
) -> WebhookSettings | None:
    """How the tracker's webhooks prove themselves."""
    shape = tracker.webhook
    if shape is None:
        return None
    secrets = []
    for key, reference in (("secret", shape.secret), ("previous", shape.previous)):
        if reference is None:
            continue
        place = (*at, "webhook", key, "secret")
        secrets.append(reveal_signing(reference, source, place, vault))
    return WebhookSettings(tuple(secrets), shape.path or name, shape.secret.secret if shape.secret else "")


def reveal(reference: SecretShape | None, source: Source, at: Place, vault: Vault | None) -> SecretStr:
    """The secret behind a reference; empty when it cannot or shall not be had."""
    if reference is None or not reference.secret or vault is None:
        return SecretStr("")
    try:
        return vault.open(reference.secret)
    except NoSecret as trouble:
        source.problem(at, trouble.message, trouble.fix)
        return SecretStr("")


def reveal_signing(
    reference: SecretShape | None, source: Source, at: Place, vault: Vault | None
) -> SecretStr:
    """The secret behind a reference with which webhooks are signed: it must be long enough for that."""
    value = reveal(reference, source, at, vault)
    if reference is not None and 0 < len(value.get_secret_value()) < _SHORTEST_SECRET:
        source.problem(
            at,
            f"the secret '{reference.secret}' is too short to sign webhooks with",
            f"use at least {_SHORTEST_SECRET} characters, e.g. the output of 'openssl rand -hex 32'",
        )
    return value


def settle_spool(shape: BridgeShape, database: str, folder: Path) -> str:
    """The spool's folder: beside a database that is a file, else in the configuration's folder."""
    beside = folder.absolute()
    if (
        database.startswith("sqlite")
        and (place := make_url(database).database)
        and not place.startswith("file:")
    ):
        beside = Path(place).parent
    return str(beside / shape.spool.folder)


def settle_database(shape: BridgeShape, source: Source, folder: Path, vault: Vault | None) -> str:
    """The database's address, with a relative SQLite path made absolute and the password put in."""
    at: Place = ("database",)
    text = shape.database.url
    if not text:
        return ""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        source.problem(
            at,
            "is not a database address",
            "write e.g. sqlite:///bridge.db or postgresql+psycopg://bridge@db.example.com/bridge",
        )
        return ""
    backend = url.get_backend_name()
    if backend not in _DATABASES:
        source.problem(
            at, f"'{backend}' is not a database the bridge can use", did_you_mean(backend, _DATABASES)
        )
    if url.password is not None:
        source.problem(
            at,
            "a secret must not stand in the file",
            "write {url: ..., password: {secret: db_password}}, put the value into "
            "secrets/db_password, and change the password",
        )
        return ""
    if backend == "sqlite":
        if not url.database or url.database == ":memory:":
            source.problem(
                at,
                "a database in memory forgets every link at the next start",
                "name a file, e.g. sqlite:///bridge.db",
            )
        elif not url.database.startswith("file:"):
            url = url.set(database=str(folder.absolute() / url.database))
        if shape.database.password is not None:
            source.problem((*at, "password"), "SQLite knows no password", "remove it", key=True)
    elif shape.database.password is not None:
        value = reveal(shape.database.password, source, (*at, "password", "secret"), vault).get_secret_value()
        url = url.set(password=value) if value else url
    return url.render_as_string(hide_password=False)
