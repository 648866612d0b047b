"""Each mistake in bridge.yaml alone: one problem, at its line, with its cure."""

# ruff: noqa: E501 - a case is a row of a table

from __future__ import annotations

import pytest

# what stands there, what is put there, where the finger points, path, what is wrong, what would be right
CASES = {
    "unknown key": ("threads: 64", "treads: 64", "treads", "treads", "'treads' is not a key here", "did you mean 'threads'?"),
    "underscore for hyphen": ("    poll: 15s", "    search_lag: 15s", "search_lag", "trackers.home.search_lag", "not a key here", "did you mean 'search-lag'?"),
    "no keys": ("threads: 64", "calendars: {office: x}", "calendars", "calendars.office", "must hold keys and values", "write {key: value, ...}"),
    "merge key": ("    poll: 15s", "    <<: {poll: 15s}", "<<", "trackers.home.<<", "not part of YAML 1.2", "write the keys out"),
    "not a number": ("threads: 64", "threads: many", "many", "threads", "'many' is not a whole number", "from 1 to 1024"),
    "fraction of a thread": ("threads: 64", "threads: 6.5", "6.5", "threads", "'6.5' is not a whole number", "from 1 to 1024"),
    "out of range": ("threads: 64", "threads: 0", "threads", "threads", "0 is out of range", "from 1 to 1024"),
    "rate of nothing": ("    poll: 15s", "    rate: 0", "rate", "trackers.home.rate", "0 is out of range", "from 0.01 to 10000"),
    "duration without unit": ("poll: 15s", "poll: 15", "poll", "trackers.home.poll", "'15' has no unit", "did you mean '15s'?"),
    "not a duration": ("census: 24h", "census: daily", "census", "census", "'daily' is not a duration", "4h, 1d"),
    "no duration": ("poll: 15s", "poll: 0s", "poll", "trackers.home.poll", "longer than nothing", "15s"),
    "value on the next line": ("census: 24h", "census:\n  24x", "24x", "census", "'24x' is not a duration", "90s"),
    "empty value": ("census: 24h", "census:", "census", "census", "has no value", "drop the key"),
    "list for a text": ("    user: bridge@example.com", "    user: [a, b]", "[a, b]", "trackers.acme.user", "must be a text", "quotes"),
    "text for a mapping": ("    poll: 15s\n", "    poll: 15s\n  old: gone\n", "old", "trackers.old", "must hold keys and values", "{key: value"),
    "name of a tracker": ("  shop:", "  web shop:", "web shop", "trackers.web shop", "'web shop' cannot be a name", "letters, digits"),
    "twin trackers": ("  shop:", "  Home:", "Home", "trackers.Home", "'Home' and 'home' differ by capitals only", "another name"),
    "kind": ("kind: redmine", "kind: readmine", "readmine", "trackers.shop.kind", "there is no kind 'readmine'", "did you mean 'redmine'?"),
    "kind far off": ("kind: redmine", "kind: zammad", "zammad", "trackers.shop.kind", "there is no kind 'zammad'", "one of 'jira-cloud', 'jira-datacenter', 'redmine'"),
    "kind missing": ("    kind: redmine\n", "", "shop:", "trackers.shop", "'kind' is missing", "add 'kind: ...': kind of tracker"),
    "url missing": ("    url: https://shop.example.com\n", "", "shop:", "trackers.shop", "'url' is missing", "base address"),
    "token missing": ("    token: {secret: shop_key}\n", "", "shop:", "trackers.shop", "'token' is missing", "{secret: name}"),
    "url of nothing": ("https://shop.example.com", "shop.example.com", "shop.example.com", "trackers.shop.url", "is not a web address", "https://jira.example.com"),
    "url with bad port": ("https://shop.example.com", "https://shop.example.com:port", ":port", "trackers.shop.url", "is not a web address", "https://"),
    "url with query": ("https://shop.example.com", "https://shop.example.com/?x=1", "?x=1", "trackers.shop.url", "'?' or '#'", "base address only"),
    "http": ("https://shop.example.com", "http://shop.example.com/rm", "http:", "trackers.shop.url", "in clear over http", "write https://shop.example.com/rm"),
    "cloud without user": ("    user: bridge@example.com\n", "", "acme:", "trackers.acme", "jira-cloud needs 'user' or 'cloud-id'", "add 'user: ...'"),
    "redmine without marker-field": ("    marker-field: External ID\n", "", "shop:", "trackers.shop", "redmine needs 'marker-field'", "marker-field: External ID"),
    "jira with marker-field": ("    poll: 15s", "    marker-field: X", "marker-field: X", "trackers.home.marker-field", "no use for 'marker-field'", "remove it"),
    "cloud-id elsewhere": ("    poll: 15s", "    cloud-id: a-b", "cloud-id", "trackers.home.cloud-id", "jira-datacenter has no use for 'cloud-id'", "remove it"),
    "gateway without cloud-id": ("    user: bridge@example.com", "    user: b\n    gateway: https://x.example", "gateway", "trackers.acme.gateway", "no effect without 'cloud-id'", "give the cloud-id"),
    "user of redmine": ("    marker-field: External ID", "    marker-field: External ID\n    user: me", "user: me", "trackers.shop.user", "redmine has no use for 'user'", "remove it"),
    "formatting of jira": ("    poll: 15s", "    formatting: textile", "formatting", "trackers.home.formatting", "jira-datacenter has no use for 'formatting'", "remove it"),
    "formatting": ("    marker-field: External ID", "    marker-field: External ID\n    formatting: textil", "textil", "trackers.shop.formatting", "'textil'", "did you mean 'textile'?"),
    "expiry": ("    poll: 15s", "    expires: 31.1.2027", "expires", "trackers.home.expires", "'31.1.2027' is not a date", "2027-01-31"),
    "api key": ("    poll: 15s", "    api_key: x", "api_key", "trackers.home.api_key", "'api_key' is not a key here", "token: {secret: some_name}"),
    "database": ("sqlite:///bridge.db", "bridge.db", "database", "database", "is not a database address", "sqlite:///bridge.db"),
    "database kind": ("sqlite:///bridge.db", "postgres://db/bridge", "database", "database", "'postgres' is not a database", "did you mean 'postgresql'?"),
    "database in memory": ("sqlite:///bridge.db", '"sqlite://"', "database", "database", "in memory forgets", "sqlite:///bridge.db"),
    "no agreements": ("agreements/*.yaml", "agreement/*.yaml", "agreements:", "agreements", "no file matches 'agreement/*.yaml'", "acme.yaml"),
    "bad pattern": ("agreements/*.yaml", "agreements/**x/", "agreements:", "agreements", "", "agreements/"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_is_reported_once_with_line_and_cure(folder, case):
    old, new, needle, path, message, fix = CASES[case]
    folder.replace(folder.bridge, old, new)
    (problem,) = folder.problems()
    assert problem.file == str(folder.bridge)
    assert problem.line == folder.line(folder.bridge, needle)
    assert problem.path == path
    assert message in problem.message
    assert fix in problem.fix


def test_no_trackers_at_all(folder):
    text = folder.bridge.read_text()
    start, end = text.index("trackers:"), text.index("agreements:")
    folder.bridge.write_text(text[:start] + text[end:])
    (problem,) = folder.problems()
    assert (problem.line, problem.message) == (1, "'trackers' is missing")
    assert "home: {kind: jira-datacenter" in problem.fix


def test_empty_trackers(folder):
    text = folder.bridge.read_text()
    start, end = text.index("trackers:"), text.index("agreements:")
    folder.bridge.write_text(text[:start] + "trackers: {}\n" + text[end:])
    assert "there is no tracker" in [p.message for p in folder.problems()]


def test_loopback_may_be_plain_http(folder):
    for host in ["localhost:8080", "127.0.0.1", "[::1]:3000", "a.localhost"]:
        folder.replace(folder.bridge, "https://shop.example.com", f"http://{host}")
        assert folder.load().trackers["shop"].url == f"http://{host}"
        folder.replace(folder.bridge, f"http://{host}", "https://shop.example.com")


def test_certificate_is_looked_for_only_where_the_daemon_runs(folder):
    folder.replace(folder.bridge, "    poll: 15s", "    ca: nowhere.pem")
    assert folder.load().trackers["home"].ca_file == str(folder.path / "nowhere.pem")
    problem = folder.problems(secrets=True, environ=dict.fromkeys(
        ["BRIDGE_SECRET_HOME_TOKEN", "BRIDGE_SECRET_ACME_TOKEN", "BRIDGE_SECRET_SHOP_KEY"], "x"
    ))[0]  # fmt: skip
    assert problem.line == folder.line(folder.bridge, "nowhere.pem")
    assert "there is no file" in problem.message
