"""From a folder of YAML to ``Settings``, or to the complete list of what is wrong with it.

``load`` keeps nothing between calls and touches nothing but the files, so that a running daemon can call it
again and keep its old settings when the new files have mistakes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bridge.config.agreement_checks import KnownTracker, settle_agreement
from bridge.config.calendar_checks import settle_calendars
from bridge.config.findings import Findings
from bridge.config.fitting import fit
from bridge.config.hook_checks import settle_heartbeat, settle_hooks
from bridge.config.kinds import BUILT_IN_KINDS, Kind
from bridge.config.mail_checks import settle_mail
from bridge.config.overlap import check_overlap
from bridge.config.policy_checks import Ground, settle_policy
from bridge.config.settings import Heartbeat, MailSettings, Settings, TrackerSettings, WebSettings
from bridge.config.shape import AgreementShape, BridgeShape
from bridge.config.source import Source, read
from bridge.config.telling_checks import check_told
from bridge.config.tracker_checks import settle_database, settle_spool, settle_trackers
from bridge.config.vault import Vault
from bridge.config.web_checks import settle_web
from bridge.sla.policy import Policy


def load(
    path: str | Path,
    *,
    environ: Mapping[str, str],
    secrets: bool = True,
    kinds: Mapping[str, Kind] = BUILT_IN_KINDS,
) -> Settings:
    """Read a whole configuration.

    Args:
        path: ``bridge.yaml``, or the folder that holds it.
        environ: the environment, for secrets.
        secrets: False leaves every token empty and does not look for files that only the daemon's machine has
            (secrets, certificates), so that the files can be checked anywhere.
        kinds: the kinds of trackers that exist.

    Raises:
        ConfigError: with every mistake in every file.
    """
    main = _main_file(path)
    findings = Findings()
    source = read(main, findings)
    shape = fit(BridgeShape, source)
    vault = Vault(main.parent, environ) if secrets else None
    trackers: dict[str, TrackerSettings] = {}
    database = ""
    web: WebSettings | None = None
    mail: MailSettings | None = None
    ground: Ground | None = None
    heartbeat: Heartbeat | None = None
    if shape is not None:
        web = settle_web(shape, source)
        mail = settle_mail(shape, source, main.parent, vault)
        trackers = settle_trackers(shape, source, kinds, main.parent, vault)
        database = settle_database(shape, source, main.parent, vault)
        heartbeat = settle_heartbeat(shape, source, main.parent)
        ground = Ground(
            calendars=settle_calendars(shape, source),
            hooks=settle_hooks(shape, source, vault),
            mail=mail is not None or not source.sound(("mail",)),
        )
    known = _known(source, trackers, kinds) if shape is not None else None
    drafts = [
        settle_agreement(agreement, file, known)
        for file in _agreement_files(shape, source, main)
        if (agreement := fit(AgreementShape, file)) is not None
    ]
    check_overlap(drafts)
    settled = {draft.agreement.name: settle_policy(draft, ground) for draft in drafts}
    if mail is not None:
        for draft in drafts:
            check_told(draft)
    findings.raise_if_any()
    assert shape is not None  # a file that could not be read has been reported
    assert ground is not None  # likewise
    return Settings(
        database=database,
        trackers=trackers,
        agreements=tuple(draft.agreement for draft in drafts),
        threads=shape.threads,
        census=shape.census,
        spool=settle_spool(shape, database, main.parent),
        spool_quota=shape.spool.quota,
        sources={draft.agreement.name: draft.source.file for draft in drafts},
        web=web,
        mail=mail,
        keep_values=shape.retention.values,
        file=source.file,
        calendars=ground.calendars,
        hooks=ground.hooks,
        heartbeat=heartbeat,
        policies={name: policy for name, (policy, _) in settled.items()},
        pledges={name: pledge for name, (_, pledge) in settled.items()},
    )


def try_policy(
    path: str | Path,
    file: Path,
    agreement: str,
    *,
    kinds: Mapping[str, Kind] = BUILT_IN_KINDS,
) -> Policy:
    """The policy that another file would give an agreement; everything that the file leaves out stays as it is.

    Args:
        path: the configuration in force, as for :func:`load`.
        file: an agreement file, or only what it says of time (``clocks``, ``ball``, ``office``, ``resolved``).
        agreement: name of the agreement.
        kinds: the kinds of trackers that exist.

    Raises:
        ConfigError: with every mistake in the file.
    """
    main = _main_file(path)
    findings = Findings()
    source = read(main, findings)
    shape = fit(BridgeShape, source)
    tried = read(file, findings)
    findings.raise_if_any()
    assert shape is not None  # a file that could not be read has been reported
    present = [
        one for one in _agreement_files(shape, source, main) if (one.data or {}).get("name") == agreement
    ]
    # Lines are the tried file's: what comes from the present one is in order.
    for one in present:
        tried.data = {**one.data, **tried.data, "name": agreement}
    trackers = settle_trackers(shape, source, kinds, main.parent, None)
    ground = Ground(settle_calendars(shape, source), settle_hooks(shape, source, None), mail=True)
    fitted = fit(AgreementShape, tried)
    findings.raise_if_any()
    assert fitted is not None  # likewise
    policy, _ = settle_policy(settle_agreement(fitted, tried, _known(source, trackers, kinds)), ground)
    findings.raise_if_any()
    return policy


def _main_file(path: str | Path) -> Path:
    """``bridge.yaml``, of which the folder may be named instead."""
    main = Path(path)
    return main / "bridge.yaml" if main.is_dir() else main


def _known(
    source: Source, trackers: Mapping[str, TrackerSettings], kinds: Mapping[str, Kind]
) -> dict[str, KnownTracker] | None:
    """The trackers that agreements may name, flawed ones too; None when that is unclear."""
    named = source.data.get("trackers")
    if not isinstance(named, dict):
        return None
    known = {str(name): KnownTracker(None, "") for name in named}
    for name, tracker in trackers.items():
        kind = kinds.get(tracker.kind)
        chosen = next((way for way in kind.formattings if way == tracker.formatting), None) if kind else None
        known[name] = KnownTracker(replace(kind, dialect=chosen) if kind and chosen else kind, tracker.url)
    return known


def _agreement_files(shape: BridgeShape | None, source: Source, main: Path) -> list[Source]:
    """The agreement files in the order of their names; with a broken ``bridge.yaml``, the usual ones."""
    pattern = shape.agreements if shape is not None else BridgeShape().agreements
    start, rest = main.parent, pattern
    if Path(pattern).is_absolute():
        start, rest = Path(Path(pattern).anchor), str(Path(pattern).relative_to(Path(pattern).anchor))
    try:
        found = sorted(
            file
            for file in start.glob(rest)
            if file.is_file() and file.resolve() != main.resolve() and not file.name.startswith(".")
        )
    except (ValueError, NotImplementedError):
        source.problem(("agreements",), "is not a file pattern", "write e.g. agreements/*.yaml")
        return []
    if not found and shape is not None and source.sound(("agreements",)):
        source.problem(
            ("agreements",),
            f"no file matches '{pattern}' in {main.parent}",
            "write an agreement there, e.g. agreements/acme.yaml",
        )
    return [read(file, source.findings) for file in found]
