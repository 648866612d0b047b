"""The web server of ``bridge.yaml``, and the addresses that its webhooks share."""

from __future__ import annotations

from ipaddress import ip_network
from urllib.parse import urlsplit

from bridge.config.settings import WebSettings
from bridge.config.shape import BridgeShape
from bridge.config.source import Source
from bridge.config.words import is_loopback


def settle_web(shape: BridgeShape, source: Source) -> WebSettings | None:
    """The web server's settings; what is wrong goes to the source's findings."""
    _check_paths(shape, source)
    web = shape.web
    if web is None:
        for name, tracker in shape.trackers.items():
            if tracker.webhook is not None and source.sound(("web",)):
                source.problem(
                    ("trackers", name, "webhook"),
                    "nothing listens for webhooks",
                    "add e.g. 'web: {listen: 127.0.0.1:8765, public-url: https://bridge.example.com}'",
                    key=True,
                )
        return None
    parts = urlsplit(f"//{web.listen}")
    assert parts.hostname is not None, "the shape has checked the address"
    assert parts.port is not None, "likewise"
    for position, proxy in enumerate(web.proxies):
        try:
            ip_network(proxy)
        except ValueError:
            source.problem(
                ("web", "proxies", position),
                f"'{proxy}' is not an address or network",
                "write e.g. 10.0.0.5 or 10.0.0.0/24",
            )
    if not is_loopback(parts.hostname) and not web.proxies and source.sound(("web", "proxies")):
        source.problem(
            ("web", "listen"),
            f"'{web.listen}' is reached from outside, and the bridge itself speaks no TLS",
            "listen on 127.0.0.1 behind a reverse proxy with TLS, or name the proxy: proxies: [10.0.0.5]",
        )
    return WebSettings(parts.hostname, parts.port, web.public_url, web.proxies)


def _check_paths(shape: BridgeShape, source: Source) -> None:
    """Two trackers must not share an address."""
    seen: dict[str, str] = {}
    for name, tracker in shape.trackers.items():
        if tracker.webhook is None:
            continue
        path = tracker.webhook.path or name
        first = seen.setdefault(path, name)
        if first != name:
            source.problem(
                ("trackers", name, "webhook"),
                f"its webhooks would arrive at /hooks/{path}, like those of '{first}'",
                "give one of them another 'path'",
                key=True,
            )
