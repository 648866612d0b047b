"""What the bridge tells a Prometheus server: counts, ages and states, in its text format.

Labels are names from the configuration (agreements, trackers) and fixed words; never a ticket's key, a person or a word
that somebody wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bridge import __version__
from bridge.clock import SECOND
from bridge.daemon.brakes import all_pulled
from bridge.daemon.house import House
from bridge.store.rows import LinkState
from bridge.sync.ticket import Side

Sample = tuple[Mapping[str, str], float]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(house: House, refused: Mapping[tuple[str, str], int]) -> str:
    """The metrics as they are now.

    Raises:
        StoreError: our own database failed.
    """
    now = house.clock.now()
    settings = house.terms.settings
    with house.store.read() as tx:
        counts = tx.links.counts()
        feeds = tx.cursors.notes("feed/")
        waiting = len(tx.links.due(now, 100_000))
        held = tx.holds.counts()
        braked = {brake.agreement for brake in all_pulled(tx)}
        letters = tx.outbox.counts()
        oldest = tx.outbox.oldest()
    hooked = [name for name, tracker in settings.trackers.items() if tracker.webhook is not None]
    reports = {name: house.hooks.report(name) for name in hooked}
    fed = [
        ({"agreement": one.name, "side": side.value}, note)
        for one in settings.agreements
        for side in Side
        if (note := feeds.get(f"feed/{one.name}/{side.value}")) is not None
    ]
    families: list[tuple[str, str, str, Iterable[Sample]]] = [
        ("bridge_info", "gauge", "The version that runs.", [({"version": __version__}, 1)]),
        (
            "bridge_links",
            "gauge",
            "Links by state.",
            [
                ({"agreement": one.name, "state": state.value}, counts.get((one.name, state), 0))
                for one in settings.agreements
                for state in LinkState
            ],
        ),
        (
            "bridge_holds_open",
            "gauge",
            "Changes that wait for a decision of people.",
            [({"agreement": one.name}, held.get(one.name, 0)) for one in settings.agreements],
        ),
        ("bridge_links_waiting", "gauge", "Links that are due to be looked at.", [({}, waiting)]),
        (
            "bridge_brake_pulled",
            "gauge",
            "Whether an agreement's brake is pulled: nothing is written under it.",
            [({"agreement": one.name}, float(one.name in braked)) for one in settings.agreements],
        ),
        (
            "bridge_feed_age_seconds",
            "gauge",
            "Time since a feed's latest poll.",
            [(labels, (now - note["at"]) / SECOND) for labels, note in fed],
        ),
        (
            "bridge_feed_troubled",
            "gauge",
            "Whether a feed's latest poll failed.",
            [(labels, float(bool(note["trouble"]))) for labels, note in fed],
        ),
        (
            "bridge_tracker_troubled",
            "gauge",
            "Whether a tracker is left alone for now.",
            [
                ({"tracker": name}, float(house.health.trouble(name) is not None))
                for name in settings.trackers
            ],
        ),
        (
            "bridge_letters",
            "gauge",
            "Mails by state: queued, sent, given up.",
            [({"state": state.value}, count) for state, count in letters.items()],
        ),
        (
            "bridge_letter_age_seconds",
            "gauge",
            "How long the oldest queued mail has waited; 0 when none does.",
            [({}, (now - oldest) / SECOND if oldest is not None else 0.0)],
        ),
        (
            "bridge_redactions_total",
            "counter",
            "Places cut out of what was written, by rule and by the side that it went to.",
            [
                ({"agreement": agreement, "rule": rule, "to": side}, count)
                for (agreement, rule, side), count in sorted(house.redactions.report().items())
            ],
        ),
        (
            "bridge_webhooks_total",
            "counter",
            "Proven webhooks; repeated ones did nothing.",
            [
                ({"tracker": name, "outcome": word}, count)
                for name, one in reports.items()
                for word, count in (("accepted", one.accepted), ("repeated", one.repeated))
            ],
        ),
        (
            "bridge_webhooks_refused_total",
            "counter",
            "Webhooks that were not taken; no tracker where the address is none of ours.",
            [
                ({"tracker": name, "reason": reason}, count)
                for (name, reason), count in sorted(refused.items())
            ],
        ),
        (
            "bridge_webhook_age_seconds",
            "gauge",
            "Time since a tracker's latest proven webhook.",
            [
                ({"tracker": name}, (now - one.heard) / SECOND)
                for name, one in reports.items()
                if one.heard is not None
            ],
        ),
        (
            "bridge_webhook_silent",
            "gauge",
            "Whether a tracker's webhooks miss changes that the polls find.",
            [({"tracker": name}, float(one.silent_since is not None)) for name, one in reports.items()],
        ),
    ]
    return "".join(_family(*family) for family in families)


def _family(name: str, kind: str, meaning: str, samples: Iterable[Sample]) -> str:
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{{{inside}}} {value:g}" if inside else f"{name} {value:g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
