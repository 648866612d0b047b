"""What ``bridge.yaml`` says about telling other machines: outgoing webhooks, and signs of life."""

from __future__ import annotations

from pathlib import Path

from bridge.config.settings import Heartbeat, OutgoingHook
from bridge.config.shape import BridgeShape
from bridge.config.source import Source
from bridge.config.tracker_checks import reveal_signing
from bridge.config.vault import Vault

_DAY = 86_400.0
_SHORTEST_BEAT = 5.0
"""Seconds: more often, a sign of life would only be a load."""


def settle_hooks(shape: BridgeShape, source: Source, vault: Vault | None) -> dict[str, OutgoingHook]:
    """The outgoing webhooks by name; what is wrong goes to the source's findings."""
    return {
        name: OutgoingHook(
            name=name,
            url=hook.url,
            secret=reveal_signing(hook.secret, source, ("hooks", name, "secret", "secret"), vault),
            secret_name=hook.secret.secret if hook.secret is not None else "",
        )
        for name, hook in shape.hooks.items()
    }


def settle_heartbeat(shape: BridgeShape, source: Source, folder: Path) -> Heartbeat | None:
    """The signs of life; what is wrong goes to the source's findings."""
    beat = shape.heartbeat
    if beat is None:
        return None
    ways = [("heartbeat", key) for key in ("file", "url", "mail")]
    if not (beat.file or beat.url or beat.mail) and source.sound(*ways):
        source.problem(
            ("heartbeat",),
            "nobody would see a sign of life",
            "add 'file: ...', 'url: https://...' or 'mail: ops@example.com'",
            key=True,
        )
    if beat.mail and shape.mail is None and source.sound(("mail",)):
        source.problem(
            ("heartbeat", "mail"),
            "there is no mail server that could send it",
            "add e.g. 'mail: {server: \"smtp://localhost:25\", from: bridge@example.com}'",
            key=True,
        )
    if beat.every < _SHORTEST_BEAT:
        source.problem(("heartbeat", "every"), "that is more often than anybody looks", "write e.g. 60s")
    if beat.every > _DAY:
        source.problem(
            ("heartbeat", "every"), "a bridge that stopped would be missed too late", "write at most 1d"
        )
    file = str(folder.absolute() / beat.file) if beat.file else ""
    return Heartbeat(file=file, url=beat.url, mail=beat.mail, every=beat.every)
