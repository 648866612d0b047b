"""What the agreement redacts is in nothing that leaves: secrets planted in every place for words, on both sides.

Everything that left is searched: each request to the other tracker, what it stores and every file it was given, and
the logs at their most talkative. The marks have to be found in their place, or nothing crossed at all.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict

import pytest
import structlog
from canary_redaction import KINDS, PLACES, REDACT, Planted
from test_attachments import attach, files, findings
from world import FIELDS, open_world

from bridge.log import configure
from bridge.simulator.render import dump
from bridge.web.metrics import render

MORE = f"attachments: {{cross: both, max: 3MB, types: ['*']}}\nworklogs: {{cross: both}}\n{REDACT}"
ENVIRONMENT = "\n  surroundings: {internal: Environment, vendor: Environment}\n"


def adf(*content, code: str = "") -> dict:
    """A document for the vendor's tracker, with a code block where one is wanted."""
    blocks = [{"type": "paragraph", "content": list(content)}]
    if code:
        blocks.append({"type": "codeBlock", "content": [{"type": "text", "text": code}]})
    return {"type": "doc", "version": 1, "content": blocks}


def text(words: str, *marks) -> dict:
    return {"type": "text", "text": words, **({"marks": list(marks)} if marks else {})}


def halves(words: str) -> tuple[str, str]:
    at = words.index("AKIA") + 9
    return words[:at], words[at:]


def said(body) -> str:
    """The letters of a text as a reader sees them, whatever nodes or colours they are in."""
    if isinstance(body, dict):
        return str(body.get("text", "")) + "".join(map(said, body.get("content", ())))
    return re.sub(r"\{color[^}]*\}", "", str(body or ""))


def words_of(issue) -> list:
    return [*issue.values.values(), *(one.body for one in issue.comments)]


def worklog(person, key: str, words: str) -> None:
    body = {"timeSpentSeconds": 600, "comment": person.text(words)}
    person.call("POST", f"/issue/{key}/worklog", body)


def put_files(person, key: str, planted: Planted) -> None:
    attach(person, key, f"report for {planted.new('name of a file')} .txt".replace("/", ""), b"plain words")
    attach(person, key, "a.txt", f"{planted.new('file')}\n".encode() + b"x" * 300_000)
    attach(person, key, "b.log", planted.new("file in UTF-16").encode("utf-16"))
    attach(person, key, "c.csv", f"h\u00f8j;{planted.new('file in Latin-1')}".encode("latin-1"))


def start(world, planted: dict[str, Planted]) -> tuple[str, str]:
    """One ticket from each side, with a secret in every place."""
    ann, bo = world.at_home(), world.at_acme()
    ours, theirs = planted["home"], planted["acme"]
    first, second = halves(ours.new("over a bold word"))
    description = (
        f"{ours.new('description')}\n\n{first}{{color:#ff0000}}{second[:4]}{{color}}{second[4:]}\n\n"
        f"{{code}}\n{ours.new('code in a description')}\n{{code}}\n\n"
        f"|a|{ours.new('cell of a table')}|\n\n[here|https://files.example/{ours.new('address of a link').split()[1]}]"
        f"\n\n{'a long text ' * 2_600}\n\n{ours.new('end of a long text')}"
    )
    key = ann.create(
        "OPS",
        ours.new("summary"),
        description=description.replace("{code}", "{noformat}"),
        environment=ours.new("field of one line"),
    )
    peer_first, peer_second = halves(theirs.new("over a bold word"))
    link = {
        "type": "link",
        "attrs": {"href": f"https://a.example/{theirs.new('address of a link').split()[1]}"},
    }
    bulb = bo.create(
        "CUST",
        theirs.new("summary"),
        description=adf(
            text(theirs.new("description")),
            text(peer_first),
            text(peer_second[:5], {"type": "strong"}),
            text(peer_second[5:]),
            text("here", link),
            code=theirs.new("code in a description"),
        ),
    )
    for person, ticket, mine in ((ann, key, ours), (bo, bulb, theirs)):
        person.comment(ticket, mine.new("comment"))
        put_files(person, ticket, mine)
        worklog(person, ticket, mine.new("worklog"))
    return key, bulb


def test_no_secret_leaves(tmp_path) -> None:
    planted = {"home": Planted(25), "acme": Planted(26)}
    log = tmp_path / "passes.log"
    with (
        open_world(tmp_path, fields=FIELDS + ENVIRONMENT.lstrip("\n"), more=MORE) as world,
        log.open("w") as stream,
    ):
        keys = start(world, planted)
        names = [name for one in planted.values() for name in one.customers]
        (tmp_path / "agreements" / "customers.txt").write_text("# customers\n" + "\n".join(names))
        before = structlog.get_config()
        configure(stream=stream, level="debug")
        try:
            world.settle()
            for person, ticket, side in (
                (world.at_home(), keys[0], "home"),
                (world.at_acme(), keys[1], "acme"),
            ):
                (first,) = [one for one in person.comments(ticket) if "use" in json.dumps(one["body"])][:1]
                later = planted[side].new("edited comment")
                (tmp_path / "agreements" / "customers.txt").write_text(
                    "\n".join(name for one in planted.values() for name in one.customers)
                )
                world.restart()
                person.call("PUT", f"/issue/{ticket}/comment/{first['id']}", {"body": person.text(later)})
            world.settle()
            assert world.sync().writes == 0
            metrics = render(world.house, {})
        finally:
            structlog.configure(**before)
        expected = {f"{place} ({kind})" for place in PLACES for kind in KINDS}
        assert set(planted["home"].words.values()) == expected
        for side, other in (("home", world.acme), ("acme", world.home)):
            sent = "\n".join(
                json.dumps(asdict(call), ensure_ascii=False)
                for call in other.calls.since(0)
                if call.user in {"bridge", ""}
            )
            stored = json.dumps(dump(other.site), ensure_ascii=False)
            read = "\n".join(said(one) for issue in other.site.issues.values() for one in words_of(issue))
            given = b"\n".join(blob.read() for blob in other.site.blobs.values())
            held = "\n".join(given.decode(one, "replace") for one in ("utf-8", "latin-1", "utf-16-le"))
            assert planted[side].found(sent) == set()
            assert planted[side].found(stored) == set()
            assert planted[side].found(read) == set()
            assert planted[side].found(held.replace("\x00", "")) == set()
            assert planted[side].found(log.read_text()) == set()
            assert planted[side].found(metrics) == set()
        for mirror, server in ((world.peer(keys[0]), world.acme), (world.peer(keys[1]), world.home)):
            issue = server.site.issue(mirror)
            shown = json.dumps(issue.values, ensure_ascii=False) + json.dumps(
                [one.body for one in issue.comments], ensure_ascii=False
            )
            for mark in (
                "redacted: secret",
                "redacted: address",
                "redacted: person number",
                "internal address",
            ):
                assert shown.count(mark) >= 3, mark
        assert 'bridge_redactions_total{agreement="acme",rule="secrets",to="vendor"}' in metrics
        told = [one for one in world.journal(keys[0]) if one["event"] == "text.redacted"]
        assert sum(one["counts"].get("secrets", 0) for one in told) > 5


RULE = "\nredact: [secrets]\n"
KEY, OTHER = "AKIAQ3EGU7RZ2LMNOP4X", "AKIAZ7RUGE3Q2LMNOP4Y"


@pytest.fixture
def world(tmp_path):
    with open_world(tmp_path, more="attachments: {cross: both}") as opened:
        yield opened


def add(world, more: str) -> None:
    """Change the agreement, as a reload would."""
    path = world.folder / "agreements" / "acme.yaml"
    path.write_text(path.read_text() + more)
    world.restart()


def renewed(world) -> None:
    """What a start of the daemon does with links of an agreement that has changed."""
    from bridge.daemon.remembering import renew

    renew(world.house)


def test_a_rule_that_came_later_takes_back_what_crossed(world) -> None:
    ann = world.at_home()
    renewed(world)
    key = ann.create("OPS", f"login {KEY}", description=f"first\n\nwith {KEY}\n\nlast")
    ann.comment(key, f"it is {KEY}")
    world.settle()
    peer = world.peer(key)
    assert KEY in json.dumps(dump(world.acme.site))
    add(world, RULE)
    renewed(world)
    world.settle()
    assert KEY not in json.dumps(world.acme.site.issue(peer).values)
    assert KEY not in json.dumps([one.body for one in world.acme.site.issue(peer).comments])
    assert world.at_home().field(key, "summary") == f"login {KEY}"
    assert KEY in world.at_home().field(key, "description")
    world.restart()
    renewed(world)
    assert world.settle() == 0


def test_an_edit_of_the_copy_never_costs_the_original_its_words(world) -> None:
    add(world, RULE)
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", f"login {KEY}", description=f"first\n\nwith {KEY}\n\nlast")
    world.settle()
    peer = world.peer(key)
    assert bo.field(peer, "summary") == "login [redacted: secret]"
    shown = bo.field(peer, "description")
    shown["content"][0]["content"][0]["text"] = "first, better"
    bo.edit(peer, description=shown)
    world.settle()
    assert re.sub(r"\s+", " ", ann.field(key, "description")) == f"first, better with {KEY} last"
    shown["content"][1]["content"] = [{"type": "text", "text": "all mine"}]
    bo.edit(peer, description=shown, summary="login lost")
    world.settle()
    assert KEY in ann.field(key, "description")
    assert ann.field(key, "summary") == f"login {KEY}"
    assert [(one["kind"], one["field"]) for one in findings(world, key)] == [
        ("held", "summary"),
        ("held", "description"),
    ]
    ann.edit(key, summary="login found", description="first, better\n\nwith nothing\n\nlast")
    world.settle()
    assert bo.field(peer, "summary") == "login found"
    assert findings(world, key) == []


def test_a_file_that_cannot_be_read_as_a_text_stays(world) -> None:
    add(world, RULE)
    ann = world.at_home()
    key = ann.create("OPS", "files")
    image = b"\x89PNG\r\n\x1a\n" + KEY.encode()
    attach(ann, key, "a.txt", b"words " * 2_000 + b"\x00\x01 more")
    attach(ann, key, "b.txt", f"one\n{KEY}\n".encode("utf-16"))
    attach(ann, key, "c.png", image, "image/png")
    attach(ann, key, f"{OTHER}.txt", b"words")
    world.settle()
    held = files(world.acme, world.peer(key))
    assert held["b.txt"].decode("utf-16") == "one\n[redacted: secret]\n"
    assert held["c.png"] == image, "binary files are not looked into"
    assert set(held) == {"b.txt", "c.png", "[redacted_ secret].txt"}
    (found,) = findings(world, key)
    assert found["kind"] == "left-behind"
    assert "cannot be read as a text" in found["message"]
    assert world.settle() == 0


def test_a_classified_ticket_does_not_cross_while_it_is(tmp_path) -> None:
    rule = "classified: {labels: [confidential]}"
    fields = FIELDS.replace("  labels: {rule: merge}\n", "")
    with open_world(tmp_path, more=rule, fields=fields) as world:
        ann = world.at_home()
        secret = ann.create("OPS", "a merger", labels=["Confidential"])
        key = ann.create("OPS", "a lamp")
        world.settle()
        assert [one.values["summary"] for one in world.acme.site.issues.values()] == ["a lamp"]
        assert [one["kind"] for one in findings(world, secret)] == ["classified"]
        ann.edit(key, labels=["confidential"])
        world.settle()
        assert [one["kind"] for one in findings(world, key)] == ["classified"], "the label alone tells"
        ann.edit(key, summary="a merger, too")
        ann.comment(key, "not for them")
        world.settle()
        assert [one.values["summary"] for one in world.acme.site.issues.values()] == ["a lamp"]
        ann.edit(key, labels=[])
        ann.edit(secret, labels=[])
        world.settle()
        shown = {one.values["summary"] for one in world.acme.site.issues.values()}
        assert shown == {"a merger, too", "a merger"}
        assert findings(world, key) == []


def test_people_are_shown_as_agreed(tmp_path) -> None:
    more = """
show-people: role
roles:
  service-owner: {side: internal, people: [ann@home.example]}
"""
    with open_world(tmp_path, more=more) as world:
        key = world.at_home().create("OPS", "a lamp")
        world.at_home().comment(key, "from the owner")
        world.at_home("ivan").comment(key, "from somebody")
        world.settle()
        said = json.dumps([one.body for one in world.acme.site.issue(world.peer(key)).comments])
        assert "service owner (Example Corp)" in said
        assert "Example Corp team" in said
        assert "Ann" not in said
        assert "Ivan" not in said
