"""What a sound configuration becomes, and that one run reports every mistake in every file."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from bridge.config import BUILT_IN_KINDS, Kind, load
from bridge.config.settings import TrackerSettings
from bridge.errors import ConfigError
from bridge.sync.agreement import CommentRule, DeletedRule, Otherwise, Rule, Scope
from bridge.sync.ticket import Side

ROOT = Path(__file__).resolve().parents[2]
INTERNAL, VENDOR = Side.INTERNAL, Side.VENDOR


def test_trackers_with_defaults_by_kind(folder):
    settings = folder.load()
    assert list(settings.trackers) == ["home", "acme", "shop"]
    assert settings.trackers["home"] == TrackerSettings(
        name="home",
        kind="jira-datacenter",
        url="https://jira.example.com",
        token=SecretStr(""),
        search_lag=30.0,
    )
    assert settings.trackers["acme"].search_lag == 120.0
    assert settings.trackers["acme"].user == "bridge@example.com"
    assert settings.trackers["shop"].search_lag == 5.0
    assert settings.trackers["shop"].marker_field == "External ID"
    assert (settings.threads, settings.census) == (64, 86_400.0)
    assert settings.database == f"sqlite:///{folder.path}/bridge.db"
    assert settings.sources == {"acme": str(folder.acme)}


def test_every_tracker_key_arrives(folder):
    folder.replace(
        folder.bridge,
        "    user: bridge@example.com\n",
        "    cloud-id: 11111111-2222-3333-4444-555555555555\n    gateway: http://localhost:9/gw/\n"
        "    expires: 2027-01-31\n    poll: 1m30s\n    rate: 2.5\n    concurrency: 3\n    search-lag: 0s\n"
        "    connect-timeout: 500ms\n    read-timeout: 1m\n    ca: certs/ca.pem\n",
    )
    assert folder.load().trackers["acme"] == TrackerSettings(
        name="acme",
        kind="jira-cloud",
        url="https://acme.atlassian.net",
        token=SecretStr(""),
        cloud_id="11111111-2222-3333-4444-555555555555",
        gateway="http://localhost:9/gw",
        rate=2.5,
        concurrency=3,
        search_lag=0.0,
        poll=90.0,
        connect_timeout=0.5,
        read_timeout=60.0,
        ca_file=str(folder.path / "certs/ca.pem"),
        expires="2027-01-31",
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("15m", 900),
        ("4h", 14_400),
        ("1d", 86_400),
        ("2w", 1_209_600),
        ("1h30m", 5_400),
        ("0.5s", 0.5),
    ],
)
def test_durations(folder, text, seconds):
    folder.replace(folder.bridge, "census: 24h", f"census: {text}")
    assert folder.load().census == seconds


def test_no_slash_stays_at_the_end_of_an_address(folder):
    folder.replace(folder.bridge, "https://jira.example.com", "https://jira.example.com/jira//")
    assert folder.load().trackers["home"].url == "https://jira.example.com/jira"


def test_an_absolute_database_path_stays(folder):
    folder.replace(folder.bridge, "sqlite:///bridge.db", "sqlite:////var/lib/bridge/bridge.db?timeout=5")
    assert folder.load().database == "sqlite:////var/lib/bridge/bridge.db?timeout=5"


def test_a_small_file_gets_defaults(folder):
    folder.bridge.write_text(
        "trackers:\n"
        "  home: {kind: jira-datacenter, url: https://a.example, token: {secret: a}}\n"
        "  acme: {kind: jira-datacenter, url: https://b.example, token: {secret: b}}\n"
    )
    settings = folder.load()
    assert settings.database == f"sqlite:///{folder.path}/bridge.db"
    assert (settings.threads, settings.census) == (64, 86_400.0)


def test_the_agreement(folder):
    (agreement,) = folder.load().agreements
    assert agreement.name == "acme"
    assert agreement.internal == Scope("home", "OPS", "Example Corp", "wiki", "labels = vendor-acme", {})
    assert agreement.vendor == Scope("acme", "CUST", "Acme", "adf")
    assert agreement.people == (("ann@example.com", "bo@acme.example"), ("cy@example.com", "di@acme.example"))
    assert [rule.name for rule in agreement.fields] == [
        "summary", "description", "priority", "status", "labels", "due", "assignee", "severity",
    ]  # fmt: skip
    assert (agreement.field("summary").rule, agreement.field("summary").owner) == (Rule.OWNER, INTERNAL)
    assert agreement.field("summary").name_on(VENDOR) == "summary"
    assert agreement.field("description").rule is Rule.NEWEST
    assert agreement.field("labels").rule is Rule.MERGE
    assert agreement.field("labels").only == ("sev-*",)
    assert agreement.field("priority").values == (("High", "P1"), ("Low", "P2"))
    assert agreement.field("assignee").otherwise == Otherwise("keep")
    status = agreement.field("status")
    assert status.values == (("Open", "To Do"), ("Resolved", "Done"), ("Closed", "Done"))
    assert status.via[VENDOR] == {"Done": ("In Progress",)}
    assert status.fill[INTERNAL] == {"Resolved": {"resolution": "Fixed"}}
    severity = agreement.field("severity")
    assert (severity.name_on(INTERNAL), severity.name_on(VENDOR)) == ("Severity", "Impact")
    assert severity.otherwise == Otherwise("hold")
    assert agreement.comments == CommentRule()


@pytest.mark.parametrize(
    ("word", "sides"),
    [("both", {INTERNAL, VENDOR}), ("to-vendor", {VENDOR}), ("to-internal", {INTERNAL}), ("none", set())],
)
def test_where_mirrors_are_created(folder, word, sides):
    folder.replace(folder.acme, "create: both", f"create: {word}")
    assert folder.load().agreements[0].create_on == sides


@pytest.mark.parametrize(
    ("word", "sides"),
    [("public", {INTERNAL, VENDOR}), ("to-vendor", {INTERNAL}), ("to-internal", {VENDOR}), ("none", set())],
)
def test_whose_comments_cross(folder, word, sides):
    folder.replace(folder.acme, "cross: public", f"cross: {word}")
    assert folder.load().agreements[0].comments.cross == sides


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("note", DeletedRule()),
        ("keep", DeletedRule(tell=False)),
        ("{close: {vendor: Done}}", DeletedRule(close={VENDOR: "Done"})),
        (
            "{close: {internal: Closed, vendor: Done}}",
            DeletedRule(close={INTERNAL: "Closed", VENDOR: "Done"}),
        ),
    ],
)
def test_what_becomes_of_the_mirror_of_a_deleted_ticket(folder, text, rule):
    folder.replace(folder.acme, "create: both", f"create: both\ndeleted: {text}")
    assert folder.load().agreements[0].deleted == rule


def test_from_when_on_tickets_get_mirrors(folder):
    assert folder.load().agreements[0].internal.since == 0
    folder.replace(folder.acme, "create: both", "create: both\nsince: 2027-01-15")
    agreement = folder.load().agreements[0]
    assert agreement.internal.since == agreement.vendor.since == 1_799_971_200_000_000


def test_one_internal_value_may_pair_with_several_of_the_vendor(folder):
    folder.replace(folder.acme, "{High: P1, Low: P2}", "{High: [P0, P1], Low: P2}")
    assert folder.load().agreements[0].field("priority").values == (
        ("High", "P0"),
        ("High", "P1"),
        ("Low", "P2"),
    )


def test_a_stand_in_for_each_side_and_one_name_for_both(folder):
    folder.replace(folder.acme, "    otherwise: hold", "    otherwise: {internal: Low, vendor: P2}")
    folder.replace(folder.acme, "    internal: Severity\n    vendor: Impact\n", "    field: Severity\n")
    agreement = folder.load().agreements[0]
    assert agreement.field("priority").otherwise == Otherwise("value", {INTERNAL: "Low", VENDOR: "P2"})
    assert agreement.field("severity").names == {INTERNAL: "Severity", VENDOR: "Severity"}


def test_a_kind_from_elsewhere(folder):
    folder.replace(folder.bridge, "kind: redmine", "kind: rt")
    folder.replace(folder.acme, "  tracker: acme\n  project: CUST", "  tracker: shop\n  project: General")
    kinds = {**BUILT_IN_KINDS, "rt": Kind(dialect="markdown", search_lag=1.0)}
    settings = load(folder.path, environ={}, secrets=False, kinds=kinds)
    assert settings.trackers["shop"].search_lag == 1.0
    assert settings.agreements[0].vendor.dialect == "markdown"
    assert any("'rt'" in problem.message for problem in folder.problems())


def test_a_redmine_that_is_set_to_textile(folder):
    folder.replace(folder.acme, "  tracker: acme\n  project: CUST", "  tracker: shop\n  project: web")
    folder.replace(folder.acme, '  labels: {only: ["sev-*"]}\n', "")
    assert load(folder.path, environ={}, secrets=False).agreements[0].vendor.dialect == "markdown"
    folder.replace(
        folder.bridge,
        "    marker-field: External ID",
        "    marker-field: External ID\n    formatting: textile",
    )
    settings = load(folder.path, environ={}, secrets=False)
    assert settings.trackers["shop"].formatting == "textile"
    assert settings.agreements[0].vendor.dialect == "textile"


def test_the_file_or_its_folder(folder):
    assert load(folder.bridge, environ={}, secrets=False) == load(str(folder.path), environ={}, secrets=False)


def test_reading_again_sees_the_change_and_leaves_the_old_settings_alone(folder):
    old = folder.load()
    folder.replace(folder.bridge, "threads: 64", "threads: 8")
    assert folder.load() == replace(old, threads=8)
    folder.replace(folder.bridge, "threads: 8", "threads: none")
    folder.problems()
    assert old.threads == 64


def test_an_absolute_pattern_hidden_files_and_the_file_itself(folder):
    folder.replace(folder.bridge, "agreements/*.yaml", f"{folder.path}/**/*.yaml")
    folder.add("agreements/.#acme.yaml", "an editor's lock")
    assert [agreement.name for agreement in folder.load().agreements] == ["acme"]


def test_everything_is_reported_at_once(folder):
    folder.replace(folder.bridge, "threads: 64", "treads: 64")
    folder.replace(folder.bridge, "poll: 15s", "poll: 15")
    folder.replace(folder.bridge, "kind: redmine", "kind: readmine")
    folder.replace(folder.bridge, "url: https://acme.atlassian.net", "url: http://acme.atlassian.net")
    folder.replace(folder.acme, "  tracker: home", "  tracker: hom")
    folder.replace(folder.acme, "  company: Acme\n", "")
    folder.replace(folder.acme, "di@acme.example", "bo@acme.example")
    folder.replace(
        folder.acme, "summary: {owner: internal}", "summary: {owner: internal, rule: hold, colour: red}"
    )
    folder.replace(folder.acme, "otherwise: keep", "otherwise: kept")
    folder.replace(folder.acme, "{vendor: {Done: ", "{vendor: {Dome: ")
    broken = folder.add("agreements/broken.yaml", "name: beta\nfields: {summary: {}\n")
    bare = folder.add("agreements/bare.yaml", "name: acme\n")
    found = [(Path(p.file).name, p.line, p.path) for p in folder.problems()]
    assert found == [
        ("bridge.yaml", 2, "treads"),
        ("bridge.yaml", 9, "trackers.home.poll"),
        ("bridge.yaml", 12, "trackers.acme.url"),
        ("bridge.yaml", 16, "trackers.shop.kind"),
        ("acme.yaml", 3, "internal.tracker"),
        ("acme.yaml", 7, "vendor"),
        ("acme.yaml", 13, "people[1].vendor"),
        ("acme.yaml", 15, "fields.summary.colour"),
        ("acme.yaml", 15, "fields.summary.rule"),
        ("acme.yaml", 23, "fields.status.via.vendor.Dome"),
        ("acme.yaml", 27, "fields.assignee.otherwise"),
        (bare.name, 1, ""),
        (bare.name, 1, ""),
        (bare.name, 1, ""),
        (bare.name, 1, "name"),
        (broken.name, 3, ""),
    ]


def test_agreements_are_read_even_when_the_main_file_is_no_yaml(folder):
    folder.replace(folder.bridge, "threads: 64", "threads: 'x")
    folder.replace(folder.acme, "create: both", "create: bot")
    assert [Path(p.file).name for p in folder.problems()] == ["bridge.yaml", "acme.yaml"]


def test_the_error_prints_one_line_for_each_mistake(folder):
    folder.replace(folder.bridge, "threads: 64", "treads: 64")
    with pytest.raises(ConfigError) as caught:
        folder.load()
    assert (
        str(caught.value)
        == f"{folder.bridge}:2: treads: 'treads' is not a key here (did you mean 'threads'?)"
    )


def test_the_shipped_example_is_accepted_without_secrets():
    settings = load(ROOT / "config" / "bridge.yaml", environ={}, secrets=False)
    assert set(settings.trackers) == {"home", "acme", "shop"}
    assert [agreement.name for agreement in settings.agreements] == ["acme"]


def test_built_in_kinds_are_the_entry_points():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(BUILT_IN_KINDS) == set(project["entry-points"]["bridge.trackers"])
