"""The pages are held against the code: events, links between pages, files that hold no address or path of a machine."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

from world import open_world

ROOT = Path(__file__).parents[1]
AT_HAND = """
calendars: {office: {zone: Europe/Copenhagen, holidays: DK, hours: {mon-fri: "08:00-16:00"}}}
mail: {server: "smtp://localhost:25", from: bridge@example.com}
"""
"""What the agreement of the README takes from bridge.yaml."""

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def logged_events() -> set[str]:
    """Every event name that the code logs."""
    events = set()
    for path in (ROOT / "src" / "bridge").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in LEVELS
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "log"
            ):
                assert isinstance(node.args[0], ast.Constant), f"{path}: an event needs a constant name"
                events.add(node.args[0].value)
    return events


def test_every_event_is_in_the_catalogue_and_the_reverse():
    page = (ROOT / "docs" / "events.md").read_text()
    catalogued = {
        name
        for row in page.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert catalogued == logged_events()


def test_links_between_pages_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_lock_files_hold_hashes_and_no_address():
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "://" not in text, lock
        assert "--index-url" not in text, lock
        pinned = re.findall(r"^[a-z0-9].*==", text, re.MULTILINE)
        assert pinned, lock
        assert text.count("--hash=sha256:") >= len(pinned), lock


def test_every_command_is_in_the_readme():
    from bridge.cli import COMMANDS

    readme = (ROOT / "README.md").read_text()
    for command in COMMANDS:
        assert f"bridge {command}" in readme, command


def test_the_agreement_of_the_readme_works_as_it_stands(tmp_path):
    readme = (ROOT / "README.md").read_text()
    agreement = readme.split("```yaml\n")[1].split("```")[0]
    with open_world(tmp_path) as world:
        (tmp_path / "agreements" / "acme.yaml").write_text(agreement)
        with (tmp_path / "bridge.yaml").open("a") as file:
            file.write(AT_HAND)
        assert json.loads(world.bridge("check", "--json").stdout)["mistakes"] == [], "remarks are fine"
        ann = world.at_home()
        key = ann.create("OPS", "As in the README", labels=["vendor-acme"], priority={"name": "High"})
        world.settle()
        ann.move(key, "Resolved", resolution={"name": "Fixed"})
        world.settle()
        peer = world.at_acme().read(world.peer(key))["fields"]
        shown = peer["summary"], peer["priority"]["name"], peer["status"]["name"]
        assert shown == ("As in the README", "P2", "Done")
