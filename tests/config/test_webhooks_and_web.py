"""The web server and the webhooks in bridge.yaml: what is taken, and what is refused with its cure."""

from __future__ import annotations

import pytest

SECRET = "5f0e1d2c3b4a59687786950413223140"
WEB = "web: {listen: 127.0.0.1:8765, public-url: https://bridge.example.com}\n"
HOOK = "    webhook: {secret: {secret: home_hook}}"
ENVIRON = {f"BRIDGE_SECRET_{name}": SECRET for name in ("HOME_TOKEN", "ACME_TOKEN", "SHOP_KEY", "HOME_HOOK")}


@pytest.fixture
def hooked(folder):
    """A sound configuration with one webhook."""
    folder.replace(folder.bridge, "threads: 64\n", f"threads: 64\n{WEB}")
    folder.replace(folder.bridge, "    poll: 15s", HOOK)
    return folder


def test_without_a_word_nothing_listens(folder):
    settings = folder.load()
    assert settings.web is None
    assert all(tracker.webhook is None for tracker in settings.trackers.values())


def test_a_webhook_and_where_it_arrives(hooked):
    settings = hooked.load(secrets=True, environ=ENVIRON)
    webhook = settings.trackers["home"].webhook
    assert [one.get_secret_value() for one in webhook.secrets] == [SECRET]
    assert settings.web.hook_url(webhook) == "https://bridge.example.com/hooks/home"
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 8765)
    assert SECRET not in repr(settings)


def test_a_path_of_its_own_and_the_secret_before(hooked):
    more = "    webhook: {secret: {secret: home_hook}, previous: {secret: old_hook}, path: x7Yz}"
    hooked.replace(hooked.bridge, HOOK, more)
    old = {**ENVIRON, "BRIDGE_SECRET_OLD_HOOK": "the secret before it"}
    settings = hooked.load(secrets=True, environ=old)
    webhook = settings.trackers["home"].webhook
    assert [one.get_secret_value() for one in webhook.secrets] == [SECRET, "the secret before it"]
    assert settings.web.hook_url(webhook) == "https://bridge.example.com/hooks/x7Yz"


def test_a_secret_too_short_to_sign_with(hooked):
    (problem,) = hooked.problems(secrets=True, environ={**ENVIRON, "BRIDGE_SECRET_HOME_HOOK": "short-sEcReT"})
    assert problem.path == "trackers.home.webhook.secret.secret"
    assert "too short" in problem.message
    assert "openssl rand" in problem.fix
    assert "short-sEcReT" not in str(problem)


def test_a_literal_secret_is_refused_and_not_shown(hooked):
    hooked.replace(hooked.bridge, HOOK, "    webhook: {secret: hunter2hunter2hunter2}")
    (problem,) = hooked.problems()
    assert problem.path == "trackers.home.webhook.secret"
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize(
    "case",
    [
        (WEB, "", "trackers.home.webhook", "nothing listens for webhooks", "web: {listen"),
        (HOOK, "    webhook: {}", "trackers.home.webhook", "'secret' is missing", "{secret: name}"),
        (HOOK, HOOK.replace("webhook:", "webhooks:"), "trackers.home.webhooks", "not a key", "'webhook'"),
        ("127.0.0.1:8765", "0.0.0.0:8765", "web.listen", "speaks no TLS", "proxies: [10.0.0.5]"),
        ("127.0.0.1:8765", '"[::]:8765"', "web.listen", "speaks no TLS", "proxies"),
        ("127.0.0.1:8765", "127.0.0.1", "web.listen", "not an address and a port", "127.0.0.1:8765"),
        ("127.0.0.1:8765", "bridge.example.com:80", "web.listen", "not an address and a port", "127.0.0.1"),
        ("127.0.0.1:8765", "127.0.0.1:99999", "web.listen", "not an address and a port", "127.0.0.1"),
        ("https://bridge.example", "http://bridge.example", "web.public-url", "in clear", "https://"),
        (
            "127.0.0.1:8765",
            "127.0.0.1:1, proxies: [proxy.example]",
            "web.proxies[0]",
            "not an address",
            "10.0.0.5",
        ),
    ],
)
def test_a_mistake_is_told_once_with_its_cure(hooked, case):
    old, new, path, message, fix = case
    hooked.replace(hooked.bridge, old, new)
    (problem,) = hooked.problems()
    assert problem.path == path
    assert message in problem.message
    assert fix in problem.fix


def test_beyond_this_machine_only_behind_a_named_proxy(hooked):
    hooked.replace(hooked.bridge, "127.0.0.1:8765", "0.0.0.0:8765, proxies: [10.0.0.5, 10.1.0.0/16]")
    assert hooked.load().web.proxies == ("10.0.0.5", "10.1.0.0/16")


def test_two_trackers_cannot_share_an_address(hooked):
    hooked.replace(
        hooked.bridge,
        "    marker-field: External ID",
        "    marker-field: External ID\n    webhook: {secret: {secret: shop_hook}, path: home}",
    )
    (problem,) = hooked.problems()
    assert "/hooks/home" in problem.message
    assert "another 'path'" in problem.fix
