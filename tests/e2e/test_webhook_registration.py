"""``bridge webhooks``: what it registers at the trackers, and that it touches nobody else's."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import structlog
from world import open_world

from bridge.cli import main
from bridge.simulator import Webhook
from bridge.trackers.hook_steps import RT_SCRIP, steps
from bridge.trackers.jira_hooks import EVENTS

SECRET = "what the hooks are signed with"
URL = "https://bridge.example.com"


@pytest.fixture
def hooked(tmp_path):
    """A world whose bridge may administrate both trackers, with another bridge's webhook at home."""
    hook = "webhook: {secret: {secret: hook}}"
    with open_world(tmp_path, top=f"web: {{public-url: '{URL}'}}", tracker=hook) as world:
        world.environ["BRIDGE_SECRET_HOOK"] = SECRET
        for server in (world.home, world.acme):
            account = server.site.person("bridge")
            server.site.users[account.id] = replace(account, admin=True)
        world.home.hooks.registered[1] = Webhook(
            1,
            "bridge at other.example.com (home)",
            "https://other.example.com/hooks/home",
            ["jira:issue_created"],
        )
        yield world


@dataclass
class Done:
    returncode: object
    stdout: str
    stderr: str


@pytest.fixture
def bridge(hooked, capsys, monkeypatch):
    """A ``bridge`` command to its end, in this process: a process of its own for each would take long."""

    def run(*arguments):
        for name, value in hooked.environ.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as end:
            main([*arguments, "--config", str(hooked.folder)])
        out, err = capsys.readouterr()
        return Done(end.value.code, out, err)

    yield run
    structlog.reset_defaults()  # the commands' log went to a stream that is closed by now
    logging.getLogger().handlers.clear()


def ours(server):
    """The webhooks that point at us."""
    return [one for one in server.hooks.registered.values() if one.url.startswith(URL)]


def test_registers_at_every_tracker_once_renews_shows_and_removes_only_its_own(hooked, bridge):
    world = hooked
    shown = bridge("webhooks", "status")
    assert shown.returncode == 1
    assert shown.stdout.count("NOT registered") == 2
    for _ in range(2):
        done = bridge("webhooks", "register")
        assert done.returncode == 0, done.stdout + done.stderr
        for server, name, project in ((world.home, "home", "OPS"), (world.acme, "acme", "CUST")):
            (one,) = ours(server)
            assert one.url == f"{URL}/hooks/{name}"
            assert (one.secret, one.jql, one.events) == (SECRET, f"project in ({project})", list(EVENTS))
    assert "renewed" in done.stdout
    shown = bridge("webhooks", "status", "--json")
    assert shown.returncode == 0
    rows = json.loads(shown.stdout)
    assert [(row["tracker"], row["registered"], row["silent"]) for row in rows] == [
        ("home", True, False),
        ("acme", True, False),
    ]
    assert SECRET not in shown.stdout + done.stdout + done.stderr
    assert bridge("webhooks", "remove", "home").returncode == 0
    assert (ours(world.home), len(ours(world.acme))) == ([], 1)
    assert len(world.home.hooks.registered) == 1, "the other bridge's webhook is still there"


def test_a_new_secret_is_registered_over_the_old_one(hooked, bridge):
    world = hooked
    bridge("webhooks", "register", "acme")
    world.environ["BRIDGE_SECRET_HOOK"] = "another secret of the hooks"
    assert bridge("webhooks", "register", "acme").returncode == 0
    (one,) = ours(world.acme)
    assert one.secret == "another secret of the hooks"
    assert ours(world.home) == []


def test_an_account_that_is_no_administrator_is_told_what_a_person_does(hooked, bridge):
    world = hooked
    account = world.home.site.person("bridge")
    world.home.site.users[account.id] = replace(account, admin=False)
    done = bridge("webhooks", "register")
    assert done.returncode == 1
    assert "Administrator rights" in done.stdout
    assert "As a Jira administrator" in done.stdout
    assert f"{URL}/hooks/home" in done.stdout
    assert "the secret 'hook'" in done.stdout
    assert SECRET not in done.stdout + done.stderr
    assert "acme: registered" in done.stdout, "one tracker's refusal stops no other"
    shown = bridge("webhooks", "status")
    assert "cannot tell whether it is registered (" in shown.stdout


def test_a_data_center_that_cannot_sign_is_told_apart(hooked, bridge):
    world = hooked
    world.home.site.version = "9.12.4"
    done = bridge("webhooks", "register", "home")
    assert done.returncode == 1
    assert "this Jira (9.12.4) cannot sign its webhooks" in done.stdout
    assert ours(world.home) == []


def test_without_an_address_or_a_webhook_it_says_what_is_missing(hooked, bridge):
    file = hooked.folder / "bridge.yaml"
    file.write_text(file.read_text().replace(f"public-url: '{URL}'", "listen: 127.0.0.1:8765"))
    for command in ("register", "status", "remove"):
        done = bridge("webhooks", command)
        assert done.returncode == 2
        assert "public-url" in done.stderr
    done = bridge("webhooks", "register", "nobody")
    assert done.returncode == 2
    assert "'nobody' has no 'webhook'" in done.stderr


@pytest.mark.parametrize(
    "kind", ["jira-cloud", "jira-datacenter", "redmine", "request-tracker", "somebody-elses"]
)
def test_the_steps_by_hand_name_address_and_secret(kind):
    told = steps(kind, f"{URL}/hooks/x", "x_hook", ("OPS", "WEB"))
    assert f"{URL}/hooks/x" in told
    assert "'x_hook'" in told


def test_the_page_shows_the_scrip_as_it_is_printed():
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    assert RT_SCRIP.replace("URL", f"{URL}/hooks/support") in page
