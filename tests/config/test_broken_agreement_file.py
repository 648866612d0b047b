"""Each mistake in an agreement alone: one problem, at its line, with its cure."""

# ruff: noqa: E501 - a case is a row of a table

from __future__ import annotations

import pytest

from bridge.sync.ticket import Side

VENDOR = Side.VENDOR

# what stands there, what is put there, where the finger points, path, what is wrong, what would be right
CASES = {
    "unknown key": ("create: both", "creat: both", "creat:", "creat", "'creat' is not a key here", "did you mean 'create'?"),
    "no clock": ("create: both", "create: both\nclocks: {}", "clocks", "clocks", "no clock is given", "write e.g. resolve:"),
    "name missing": ("name: acme\n", "", "internal:", "", "'name' is missing", "add 'name: ...': unique name"),
    "name": ("name: acme", "name: acme & sons", "name", "name", "'acme & sons' cannot be a name", "letters, digits"),
    "side missing": ("vendor:\n  tracker: acme\n  project: CUST\n  company: Acme\n", "", "name", "", "'vendor' is missing", "the vendor's side"),
    "company missing": ("  company: Acme\n", "", "vendor:", "vendor", "'company' is missing", "how this party is called"),
    "unknown tracker": ("  tracker: home", "  tracker: hom", "hom", "internal.tracker", "no tracker 'hom'", "did you mean 'home'?"),
    "unknown tracker far off": ("  tracker: home", "  tracker: zzz", "zzz", "internal.tracker", "no tracker 'zzz'", "one of 'home', 'acme', 'shop'"),
    "project in small letters": ("project: OPS", "project: ops", "ops", "internal.project", "'ops' is not a project key", "did you mean 'OPS'?"),
    "project title": ("project: OPS", "project: Operations Team", "Operations", "internal.project", "not a project key", "not the project's title"),
    "misspelt key of a side": ("  project: OPS", "  projekt: OPS", "projekt", "internal.projekt", "'projekt' is not a key here", "did you mean 'project'?"),
    "both sides the same": ("  tracker: acme\n  project: CUST", "  tracker: home\n  project: OPS", "vendor:", "vendor", "same project of the same tracker", "two projects"),
    "create": ("create: both", "create: to-vender", "create", "create", "'to-vender' is not possible here", "did you mean 'to-vendor'?"),
    "deleted": ("create: both", "create: both\ndeleted: nota", "deleted", "deleted", "'nota' is not possible here", "did you mean 'note'?"),
    "deleted with close alone": ("create: both", "create: both\ndeleted: close", "deleted", "deleted", "'close' is not possible here", "'note', 'keep'"),
    "deleted and close of a third side": ("create: both", "create: both\ndeleted: {close: {extern: Done}}", "deleted", "deleted.close.extern", "'extern' is not a key here", "one of 'internal', 'vendor'"),
    "redact a word": ("create: both", "create: both\nredact: [secret]", "redact", "redact[0].find", "'secret' is nothing that can be found", "did you mean 'secrets'?"),
    "redact numbers without countries": ("create: both", "create: both\nredact: [person-numbers]", "redact", "redact[0].find", "'person-numbers' is nothing", "name the countries"),
    "redact numbers of nowhere": ("create: both", "create: both\nredact: [{person-numbers: [dk, xx]}]", "redact", "redact[0].person-numbers[1]", "person numbers of 'xx' are not known", "one of 'at'"),
    "redact without as": ("create: both", "create: both\nredact: [{words: [Falcon]}]", "redact", "redact[0]", "does not say what stands there instead", "as:"),
    "redact nothing": ("create: both", "create: both\nredact: [{as: x}]", "redact", "redact[0]", "says nothing to look for", "one of 'find'"),
    "redact two ways": ("create: both", "create: both\nredact: [{words: [Falcon], pattern: F+, as: x}]", "redact", "redact[0]", "'pattern', 'words' are several rules", "in each entry"),
    "redact by look-ahead": ("create: both", "create: both\nredact: [{pattern: 'a(?=b)', as: '[x]'}]", "redact", "redact[0].pattern", "is no pattern", "no look-ahead"),
    "redact everywhere": ("create: both", "create: both\nredact: [{pattern: 'x*', as: '[x]'}]", "redact", "redact[0].pattern", "finds nothing at all", "+ in place of *"),
    "redact from no file": ("create: both", "create: both\nredact: [{dictionary: names.txt, as: '[x]'}]", "redact", "redact[0].dictionary", "no file 'names.txt'", "create it"),
    "redact towards a third side": ("create: both", "create: both\nredact: [{find: secrets, to: extern}]", "redact", "redact[0].to", "'extern' is not possible here", "'vendor'"),
    "classified without values": ("create: both", "create: both\nclassified: {field: Level}", "classified", "classified.field", "no effect without 'values'", "values: [Secret]"),
    "classified without field": ("create: both", "create: both\nclassified: {values: [Secret]}", "classified", "classified.values", "no effect without 'field'", "field: Confidentiality"),
    "show people": ("create: both", "create: both\nshow-people: names", "show-people", "show-people", "'names' is not possible here", "did you mean 'name'?"),
    "since": ("create: both", "create: both\nsince: 15.1.2027", "since", "since", "'15.1.2027' is not a date", "2027-01-31"),
    "share": ("create: both", "create: both\nbrakes: {share: 30}", "brakes", "brakes.share", "'30' is not a share", "write e.g. 30%, or off"),
    "share of nothing": ("create: both", "create: both\nbrakes: {share: 0%}", "brakes", "brakes.share", "0% is out of range", "more than 0%"),
    "share of more than all": ("create: both", "create: both\nbrakes: {share: 130%}", "brakes", "brakes.share", "130% is out of range", "at most 100%"),
    "brake that is off and set": ("create: both", "create: both\nbrakes: {share: off, within: 5m}", "brakes", "brakes.within", "'within' has no effect while 'share' is off", "or remove it"),
    "brake for none": ("create: both", "create: both\nbrakes: {least: 0}", "brakes", "brakes.least", "0 is out of range", "from 1 to 100000"),
    "person without partner": ("cy@example.com, vendor: di@acme.example", "cy@example.com", "cy@", "people[1]", "'vendor' is missing", "add 'vendor: ...'"),
    "person twice": ("cy@example.com", "Ann@example.com", "Ann@", "people[1].internal", "'Ann@example.com' is already paired on line 13", "one pair per person"),
    "vendor's person twice": ("di@acme.example", "bo@acme.example", "cy@", "people[1].vendor", "already paired on line 13", "one pair per person"),
    "misspelt side of a person": ("vendor: di@acme.example", "vendr: di@acme.example", "di@", "people[1].vendr", "'vendr' is not a key here", "did you mean 'vendor'?"),
    "person as text": ("{internal: cy@example.com, vendor: di@acme.example}", "cy = di", "cy = di", "people[1]", "must hold keys and values", "{key: value"),
    "owner": ("summary: {owner: internal}", "summary: {owner: intern}", "summary", "fields.summary.owner", "'intern' is not possible here", "did you mean 'internal'?"),
    "owner and rule": ("summary: {owner: internal}", "summary: {owner: internal, rule: newest}", "summary", "fields.summary.rule", "'rule: newest' contradicts 'owner: internal'", "keep one"),
    "rule owner without owner": ("{rule: newest}", "{rule: owner}", "description", "fields.description.rule", "does not say who owns", "'owner: internal' or 'owner: vendor'"),
    "rule": ("{rule: newest}", "{rule: latest}", "description", "fields.description.rule", "'latest' is not possible here", "'newest'"),
    "merge of dates": ("due: {owner: vendor}", "due: {rule: merge}", "due", "fields.due.rule", "two values of 'due' cannot be merged", "merge is for labels, texts"),
    "values of a text": ("{rule: newest}", "{values: {a: b}}", "description", "fields.description.values", "its values cannot be mapped", "remove 'values'"),
    "values of a date": ("due: {owner: vendor}", "due: {values: {a: b}}", "due", "fields.due.values", "cannot be mapped", "remove 'values'"),
    "values of persons": ("assignee: {otherwise: keep}", "assignee: {values: {a: b}}", "assignee", "fields.assignee.values", "not mapped by 'values'", "'people'"),
    "same person": ("assignee: {otherwise: keep}", "assignee: {otherwise: same}", "assignee", "fields.assignee.otherwise", "unknown in the other", "keep, hold"),
    "otherwise": ("    otherwise: hold", "    otherwise: hald", "hald", "fields.priority.otherwise", "'hald' is not possible here", "did you mean 'hold'?"),
    "otherwise for one side": ("    otherwise: hold", "    otherwise: {vendor: P2}", "otherwise: {v", "fields.priority.otherwise", "'internal' is missing", "add 'internal: ...'"),
    "otherwise for a third side": ("    otherwise: hold", "    otherwise: {vendor: P2, internal: Low, extern: x}", "extern", "fields.priority.otherwise.extern", "'extern' is not a key here", "one of 'internal', 'vendor'"),
    "flag": ("create: both", "create: both\nrelations: {parent: yes}", "relations", "relations.parent", "'yes' is not yes or no", "write true or false"),
    "two types of links to one": ("create: both", "create: both\nrelations:\n  links:\n    Blocks: blocks\n    Relates: {vendor: Blocks}", "    Relates", "relations.links.Relates", "'Blocks' at the vendor already answers to 'Blocks'", "one type of link"),
    "link to nothing": ("create: both", "create: both\nrelations: {links: {Blocks: {reversed: true}}}", "relations", "relations.links.Blocks", "'vendor' is missing", "name of the type in the vendor's tracker"),
    "worklogs": ("create: both", "create: both\nworklogs: {cross: public}", "worklogs", "worklogs.cross", "'public' is not possible here", "'both'"),
    "otherwise of nothing": ("{rule: newest}", "{otherwise: keep}", "description", "fields.description.otherwise", "no effect without 'values'", "add the values"),
    "only elsewhere": ("summary: {owner: internal}", "summary: {only: [a]}", "summary", "fields.summary.only", "'only' is for labels", "remove it"),
    "only as text": ('only: ["sev-*"]', "only: sev-*", "labels:", "fields.labels.only", "must be a list", "[one, two"),
    "only nothing": ('only: ["sev-*"]', "only: []", "labels:", "fields.labels.only", "must not be an empty list", "drop the key"),
    "value for nothing": ("{High: P1, Low: P2}", "{High: [], Low: P2}", "values: {High", "fields.priority.values.High", "must not be an empty list", "drop the key"),
    "via elsewhere": ("due: {owner: vendor}", "due: {via: {vendor: {x: [y]}}}", "due", "fields.due.via", "'via' is for the status", "under 'status'"),
    "fill elsewhere": ("due: {owner: vendor}", "due: {fill: {vendor: {x: {y: z}}}}", "due", "fields.due.fill", "'fill' is for the status", "under 'status'"),
    "via to an unmapped status": ("{vendor: {Done: [In Progress]}}", "{vendor: {Dome: [In Progress]}}", "via", "fields.status.via.vendor.Dome", "no value maps to 'Dome' on the vendor side", "did you mean 'Done'?"),
    "via on the wrong side": ("{vendor: {Done: [In Progress]}}", "{internal: {Done: [In Progress]}}", "via", "fields.status.via.internal.Done", "no value maps to 'Done' on the internal side", "one of 'Open', 'Resolved', 'Closed'"),
    "via through a near miss": ("{vendor: {Done: [In Progress]}}", "{vendor: {Done: [to do]}}", "via", "fields.status.via.vendor.Done[0]", "'to do' is written 'To Do'", "did you mean 'To Do'?"),
    "via through itself": ("{vendor: {Done: [In Progress]}}", "{vendor: {Done: [Done]}}", "via", "fields.status.via.vendor.Done[0]", "'Done' is the goal itself", "before it"),
    "fill for an unmapped status": ("{internal: {Resolved: {", "{internal: {Resolve: {", "fill", "fields.status.fill.internal.Resolve", "no value maps to 'Resolve'", "did you mean 'Resolved'?"),
    "custom field without names": ("    internal: Severity\n    vendor: Impact\n", "", "severity:", "fields.severity", "no name for internal and vendor", "field: ..."),
    "custom field with one name": ("    vendor: Impact\n", "", "severity:", "fields.severity", "no name for vendor", "give 'internal: ...'"),
    "custom field with three names": ("    vendor: Impact", "    vendor: Impact\n    field: Harm", "field: Harm", "fields.severity.field", "a side has its own as well", "'field: ...'"),
    "built-in field misspelt": ("  due: {owner: vendor}", "  due: {owner: vendor}\n  asignee: {}", "asignee", "fields.asignee", "is no built-in field", "did you mean 'assignee'?"),
    "built-in field renamed": ("due: {owner: vendor}", "due: {field: Deadline}", "due", "fields.due.field", "'due' is a built-in field", "remove the key"),
    "custom field twice": ("comments:\n", "  impact: {internal: Impact, vendor: impact}\ncomments:\n", "  impact:", "fields.impact", "'impact' on the vendor side already crosses as 'severity'", "keep one"),
    "labels on redmine": ("  tracker: acme\n  project: CUST", "  tracker: shop\n  project: web-shop", "labels:", "fields.labels", "tracker 'shop' (vendor) is of a kind that has no labels", "remove 'labels'"),
    "placeholder": ('"{author} ({company})"', '"{autor} ({company})"', "attribute", "comments.attribute", "'{autor}' is not a placeholder", "{author} and {company}"),
    "placeholder's attribute": ('"{author} ({company})"', '"{author.token}"', "attribute", "comments.attribute", "is not a placeholder", "{author} and {company}"),
    "attribution of nobody's": ('"{author} ({company})"', '"{author}"', "attribute", "comments.attribute", "does not name the company", "{author} ({company})"),
    "role without private comments": ("company: Acme", "company: Acme\n  private-role: Staff", "private-role", "vendor.private-role", "has no effect while private comments never cross", "private: as-private"),
    "placeholder without end": ('"{author} ({company})"', '"{author"', "attribute", "comments.attribute", "a brace without its partner", "{author} and {company}"),
    "braces without quotes": ('"{author} ({company})"', "{author}", "attribute", "comments.attribute", "must be a text", "quotes"),
    "cross": ("  cross: public", "  cross: true", "cross", "comments.cross", "'true' is not possible here", "'public', 'none', 'to-vendor', 'to-internal'"),
    "empty field": ("due: {owner: vendor}", "due:", "due", "fields.due", "has no value", "write {} for the defaults"),
    "no summary": ("  summary: {owner: internal}\n", "", "fields:", "fields", "no summary crosses", "add 'summary: {}'"),
    "blank text": ("company: Acme", 'company: " "', 'company: "', "vendor.company", "must not be empty", "write a text"),
    "blank value": ("{High: P1, Low: P2}", '{High: "", Low: P2}', "values: {High", "fields.priority.values.High", "must not be empty", "write a text"),
    "blank key": ("{High: P1, Low: P2}", '{"": P1, Low: P2}', 'values: {"', "fields.priority.values.", "must not be empty", "write a text"),
    "key twice": ("{High: P1, Low: P2}", "{High: P1, High: P2}", "values: {High", "fields.priority.values.High", "'High' stands twice; the first is on line 20", "keep one"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_is_reported_once_with_line_and_cure(folder, case):
    old, new, needle, path, message, fix = CASES[case]
    folder.replace(folder.acme, old, new)
    (problem,) = folder.problems()
    assert problem.file == str(folder.acme)
    if case == "name missing":
        assert problem.line == 1
    else:
        assert problem.line == folder.line(folder.acme, needle)
    assert problem.path == path
    assert message in problem.message
    assert fix in problem.fix


@pytest.mark.parametrize(
    "line",
    ["owner:", "rule: ~", "otherwise: null", "internal:", "values:", "only: ", "via:", "fill: {vendor: }"],
)
def test_no_key_stays_without_a_value(folder, line):
    folder.replace(folder.acme, "  due: {owner: vendor}", f"  due:\n    {line}")
    assert [problem.message for problem in folder.problems()] == ["has no value"]


def test_no_field_at_all(folder):
    text = folder.acme.read_text()
    start, end = text.index("fields:"), text.index("comments:")
    folder.acme.write_text(text[:start] + "fields: {}\n" + text[end:])
    (problem,) = folder.problems()
    assert (problem.path, problem.message) == ("fields", "no field crosses")


def test_a_stand_in_is_a_goal_too(folder):
    folder.replace(
        folder.acme,
        "    via: {vendor: {Done: [In Progress]}}",
        "    via: {vendor: {Triage: [Inbox]}}\n    otherwise: {internal: Open, vendor: Triage}",
    )
    assert folder.load().agreements[0].field("status").via[VENDOR] == {"Triage": ("Inbox",)}


def test_two_files_with_one_name(folder):
    text = folder.acme.read_text().replace("name: acme", "name: Acme").replace("project: OPS", "project: DEV")
    second = folder.add("agreements/second.yaml", text.replace("project: CUST", "project: OTHER"))
    (problem,) = folder.problems()
    assert (problem.file, problem.line, problem.path) == (str(second), 1, "name")
    assert problem.message == f"the name 'Acme' is taken by {folder.acme}:1"


@pytest.mark.parametrize(
    ("select", "how"),
    [("labels  =  Vendor-Acme", "with the same selection"), (None, "and one of the two selects all tickets")],
)
def test_two_agreements_that_claim_the_same_tickets(folder, select, how):
    text = (
        folder.acme.read_text().replace("name: acme", "name: beta").replace("project: CUST", "project: BETA")
    )
    line = f"  select: {select}\n" if select else ""
    second = folder.add("agreements/beta.yaml", text.replace("  select: labels = vendor-acme\n", line))
    (problem,) = folder.problems()
    assert problem.file == str(second)
    assert problem.line == folder.line(second, "select" if select else "project: OPS")
    assert (
        f"'acme' ({folder.acme}:4) claims project OPS on the internal side as well, {how}" in problem.message
    )
    assert "'select' of its own" in problem.fix


def test_different_selections_may_share_a_project(folder):
    text = (
        folder.acme.read_text().replace("name: acme", "name: beta").replace("project: CUST", "project: BETA")
    )
    folder.add("agreements/beta.yaml", text.replace("vendor-acme", "vendor-beta"))
    assert [agreement.name for agreement in folder.load().agreements] == ["acme", "beta"]


def test_mirrors_only_are_no_claim(folder):
    """Two teams may both send tickets into one project of the vendor, when nothing of it comes back unasked."""
    folder.replace(folder.acme, "create: both", "create: to-vendor")
    text = folder.acme.read_text().replace("name: acme", "name: beta").replace("project: OPS", "project: DEV")
    folder.add("agreements/beta.yaml", text)
    assert len(folder.load().agreements) == 2


def test_two_names_of_one_tracker_are_one_tracker(folder):
    folder.replace(
        folder.bridge,
        "agreements:",
        "  twin: {kind: jira-datacenter, url: https://jira.example.com/, token: {secret: t}}\nagreements:",
    )
    folder.replace(folder.acme, "  tracker: acme\n  project: CUST", "  tracker: twin\n  project: OPS")
    (problem,) = folder.problems()
    assert "same project of the same tracker" in problem.message
