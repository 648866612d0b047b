"""Components, versions and custom fields of the usual types, carried both ways between two kinds of Jira."""

from __future__ import annotations

from world import FIELDS, open_world

MORE = """
  components: {values: {Billing: Portal, Portal: Billing}}
  fix-versions: {}
  affects-versions: {only: ["1.*"]}
  ref: {field: External id}
  effort: {field: Effort}
  impact: {internal: Impact, vendor: Manual}
  severity: {field: Severity, values: {Critical: Critical, Major: Minor}, otherwise: keep}
  channel: {field: Channel}
  platforms: {field: Platforms, rule: merge}
  checks: {field: Checks}
  place: {field: Place, values: {Copenhagen > North: Aarhus > Harbour, Aarhus: Copenhagen}}
  contact: {field: Contact, otherwise: keep}
  promised: {field: Promised for}
  window: {field: Change window}
  tags: {field: Tags}
"""
NUMBERS = {
    "ref": "customfield_10042",
    "effort": "customfield_10043",
    "impact": "customfield_10044",
    "severity": "customfield_10041",
    "channel": "customfield_10047",
    "platforms": "customfield_10046",
    "checks": "customfield_10048",
    "place": "customfield_10049",
    "contact": "customfield_10050",
    "promised": "customfield_10045",
    "window": "customfield_10052",
    "manual": "customfield_10053",
    "tags": "customfield_10054",
}


def ids(**given):
    """Custom fields under the ids that requests take."""
    return {NUMBERS.get(name, name): value for name, value in given.items()}


def shown(fields, name):
    """A field in short."""
    value = fields.get(NUMBERS.get(name, name))
    if isinstance(value, list):
        return sorted(one if isinstance(one, str) else one.get("value") or one["name"] for one in value)
    if isinstance(value, dict):
        child = value.get("child")
        text = value.get("value") or value.get("emailAddress")
        return f"{text} > {child['value']}" if child else text
    return value


def test_fields_of_every_type_cross_and_come_to_rest(tmp_path):
    with open_world(tmp_path, fields=FIELDS + MORE) as world:
        ann, bo = world.at_home(), world.at_acme()
        key = ann.create(
            "OPS",
            "Everything",
            components=[{"name": "Billing"}],
            fixVersions=[{"name": "2.0"}],
            versions=[{"name": "1.0"}, {"name": "2.0"}],
            **ids(
                ref="REF-1",
                effort=3,
                severity={"value": "Major"},
                channel={"value": "Phone"},
                platforms=[{"value": "Linux"}],
                checks=[{"value": "Backup"}],
                place={"value": "Copenhagen", "child": {"value": "North"}},
                contact={"name": "ann"},
                promised="2026-12-24",
                window="2026-12-24T20:30:00.000+0200",
                tags=["red"],
            ),
        )
        world.settle()
        peer = world.peer(key)
        fields = bo.read(peer)["fields"]
        assert {
            name: shown(fields, name) for name in ("components", "fixVersions", "versions", *NUMBERS)
        } == {
            "components": ["Portal"],
            "fixVersions": ["2.0"],
            "versions": ["1.0"],
            "ref": "REF-1",
            "effort": 3.0,
            "impact": None,
            "severity": "Minor",
            "channel": "Phone",
            "platforms": ["Linux"],
            "checks": ["Backup"],
            "place": "Aarhus > Harbour",
            "contact": "bo@acme.example",
            "promised": "2026-12-24",
            "window": "2026-12-24T18:30:00.000+0000",
            "manual": None,
            "tags": ["red"],
        }
        assert world.sync().writes == 0
        bo.edit(
            peer,
            components=[{"name": "Portal"}, {"name": "Billing"}],
            versions=[],
            **ids(
                effort=4.5,
                platforms=[{"value": "Linux"}, {"value": "macOS"}],
                place={"value": "Copenhagen"},
                contact=None,
                window=None,
                manual="https://example.com/impact",
                severity={"value": "Major"},
            ),
        )
        ann.edit(key, **ids(platforms=[{"value": "Windows"}]))
        world.settle()
        fields = ann.read(key)["fields"]
        assert shown(fields, "components") == ["Billing", "Portal"]
        assert shown(fields, "versions") == ["2.0"], "what may not cross stays"
        assert (fields[NUMBERS["effort"]], shown(fields, "place")) == (4.5, "Aarhus")
        assert shown(fields, "platforms") == ["Windows", "macOS"], (
            "merged: one side added, the other exchanged"
        )
        assert shown(fields, "contact") is None
        assert shown(fields, "window") is None
        assert shown(fields, "impact").replace("\\", "") == "https://example.com/impact"
        assert shown(fields, "severity") == "Major", "the vendor's Major has no pair and does not cross"
        assert world.sync().writes == 0


def test_a_value_that_the_other_side_lacks_costs_that_field_alone(tmp_path):
    fields = FIELDS + "  fix-versions: {}\n  contact: {field: Contact, otherwise: hold}\n"
    with open_world(tmp_path, fields=fields) as world:
        ann = world.at_home()
        site = world.home.site
        site.projects["OPS"].versions["77"] = "3.0"
        key = ann.create("OPS", "Ahead", fixVersions=[{"name": "3.0"}], **ids(contact={"name": "ivan"}))
        world.sync()
        world.sync()
        peer = world.peer(key)
        assert world.at_acme().field(peer, "summary") == "Ahead"
        (link,) = world.links()
        told = {finding["field"]: finding["message"] for finding in link.findings}
        assert "'contact' has no pair" in told["contact"]
        assert "ivan" not in str(world.at_acme().read(peer)).casefold()
        assert "Version name '3.0' is not valid" in link.reason
        ann.edit(key, summary="Ahead of time")
        world.sync()
        assert world.at_acme().field(peer, "summary") == "Ahead of time", "the other fields go on"
        world.acme.site.projects["CUST"].versions["77"] = "3.0"
        ann.edit(key, fixVersions=[{"name": "3.0"}, {"name": "1.0"}])
        world.settle()
        assert shown(world.at_acme().read(peer)["fields"], "fixVersions") == ["1.0", "3.0"]


def test_the_check_speaks_of_fields_that_cannot_cross(tmp_path):
    fields = FIELDS + "  watchers: {field: Watched by}\n  fix-versions: {}\n"
    with open_world(tmp_path, fields=fields) as world:
        world.home.site.projects["OPS"].versions["77"] = "3.0"
        said = world.bridge("check")
        assert said.returncode == 1
        assert "several people cannot cross yet" in said.stdout + said.stderr
