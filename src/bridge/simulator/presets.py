"""Ready-made sites for tests, the demo and the benchmark: a Data Center site 'home' and a Cloud site 'acme'.

Both come with people who can act through the normal API. A person's token is the login name and ``-token``:
``bridge-token`` is the integration account's. Data Center takes it as a bearer token (PAT) or as a password
with the login name; Cloud takes it as basic authentication with the e-mail address, or as a bearer token at
the gateway.

| site | login   | e-mail                    | who                                                |
|------|---------|---------------------------|----------------------------------------------------|
| home | bridge  | bridge@home.example       | the integration account                            |
| home | ann     | ann@home.example          | service owner                                      |
| home | ivan    | ivan@home.example         | on duty                                            |
| home | admin   | admin@home.example        | administrator                                      |
| acme | bridge  | bridge@acme.example       | the integration account                            |
| acme | bo      | bo@acme.example           | delivery manager                                   |
| acme | cy      | cy@acme.example           | engineer; e-mail hidden                            |
| acme | admin   | admin@acme.example        | administrator                                      |
"""

from __future__ import annotations

from bridge.simulator.model import (
    CustomField,
    IssueType,
    LinkType,
    Named,
    Project,
    Status,
    Transition,
    User,
    Workflow,
)
from bridge.simulator.state import Clock, Site, real_clock

PEOPLE = {
    "datacenter": (("bridge", "Bridge"), ("ann", "Ann Owner"), ("ivan", "Ivan Duty"), ("admin", "Ada Admin")),
    "cloud": (("bridge", "Bridge"), ("bo", "Bo Manager"), ("cy", "Cy Engineer"), ("admin", "Ada Admin")),
}
STATUSES = {
    "datacenter": (
        ("1", "Open", "new"),
        ("3", "In Progress", "indeterminate"),
        ("4", "Reopened", "new"),
        ("5", "Resolved", "done"),
        ("6", "Closed", "done"),
    ),
    "cloud": (
        ("10000", "To Do", "new"),
        ("10001", "In Progress", "indeterminate"),
        ("10002", "In Review", "indeterminate"),
        ("10003", "Done", "done"),
    ),
}
PRIORITIES = {
    "datacenter": ("Highest", "High", "Medium", "Low", "Lowest"),
    "cloud": ("P1", "P2", "P3", "P4"),
}
TYPES = {
    "datacenter": ("Bug", "Task", "Incident", "Improvement"),
    "cloud": ("Bug", "Task", "Incident", "Service Request"),
}
LINKS = (
    ("Blocks", "is blocked by", "blocks"),
    ("Cloners", "is cloned by", "clones"),
    ("Duplicate", "is duplicated by", "duplicates"),
    ("Relates", "relates to", "relates to"),
)
RESOLUTIONS = ("Done", "Fixed", "Won't Do", "Duplicate", "Cannot Reproduce")
SEVERITIES = ("Critical", "Major", "Minor")

SEVERITY = "customfield_10041"
EXTERNAL_ID = "customfield_10042"
EFFORT = "customfield_10043"
IMPACT = "customfield_10044"
DUE_ON = "customfield_10045"
PLATFORMS = "customfield_10046"
CHANNEL = "customfield_10047"
CHECKS = "customfield_10048"
PLACE = "customfield_10049"
CONTACT = "customfield_10050"
WATCHED_BY = "customfield_10051"
WINDOW = "customfield_10052"
MANUAL = "customfield_10053"
TAGS = "customfield_10054"

ROOMS = (("10340", "10345", "North"), ("10340", "10346", "South"), ("10341", "10347", "Harbour"))
COMPONENTS = ("Billing", "Portal")
VERSIONS = ("1.0", "1.1", "2.0")


def make_home(
    clock: Clock = real_clock, *, project: str = "OPS", context_path: str = "", service_desk: bool = False
) -> Site:
    """Return the Data Center site 'home' with one project, whose Resolved asks for a resolution."""
    return make_site(
        "datacenter",
        "home",
        project=project,
        clock=clock,
        context_path=context_path,
        service_desk=service_desk,
    )


def make_acme(clock: Clock = real_clock, *, project: str = "CUST", service_desk: bool = False) -> Site:
    """Return the Cloud site 'acme' with one project, whose Done lies three steps away."""
    return make_site("cloud", "acme", project=project, clock=clock, service_desk=service_desk)


def make_site(
    flavour: str,
    name: str,
    *,
    project: str,
    clock: Clock = real_clock,
    base_url: str = "",
    context_path: str = "",
    service_desk: bool = False,
) -> Site:
    """Return a site of a flavour with people, fields, one project and its several-step workflow.

    Args:
        flavour: ``datacenter`` or ``cloud``.
        name: a word for people; mail addresses end in ``@NAME.example``.
        project: the key of its project.
        clock: the server's time in epoch milliseconds.
        base_url: what ``self`` links start with; the server fills it in when empty.
        context_path: e.g. ``/jira``.
        service_desk: make the project a service desk, whose comments are public by default.
    """
    site = Site(flavour, name, clock=clock, base_url=base_url, context_path=context_path)
    for number, (login, shown) in enumerate(PEOPLE[flavour], 1):
        add_person(site, login, shown, number=number)
    if site.cloud:
        site.tokens["bridge-scoped"] = site.person("bridge").id
        site.scoped_tokens.add("bridge-scoped")
    for key, title, category in STATUSES[flavour]:
        site.statuses[key] = Status(key, title, category)
    for number, title in enumerate(PRIORITIES[flavour], 1):
        site.priorities[str(number)] = Named(str(number), title)
    site.default_priority = "3"
    for number, title in enumerate(RESOLUTIONS, 10_000):
        site.resolutions[str(number)] = Named(str(number), title)
    for number, title in enumerate(TYPES[flavour], 10_100):
        site.types[str(number)] = IssueType(str(number), title)
    for number, (title, inward, outward) in enumerate(LINKS, 10_600):
        site.link_types[str(number)] = LinkType(str(number), title, inward, outward)
    site.types["10199"] = IssueType("10199", "Sub-task", subtask=True)
    severities = tuple((str(number), value) for number, value in enumerate(SEVERITIES, 10_300))
    for custom in (
        CustomField(SEVERITY, "Severity", "select", severities),
        CustomField(EXTERNAL_ID, "External id", "string"),
        CustomField(EFFORT, "Effort", "number"),
        CustomField(IMPACT, "Impact", "text"),
        CustomField(DUE_ON, "Promised for", "date"),
        CustomField(PLATFORMS, "Platforms", "multiselect", _options(10_310, "Linux", "Windows", "macOS")),
        CustomField(CHANNEL, "Channel", "radio", _options(10_320, "Mail", "Phone", "Web")),
        CustomField(CHECKS, "Checks", "checkboxes", _options(10_330, "Backup", "Rollback plan")),
        CustomField(PLACE, "Place", "cascading", _options(10_340, "Copenhagen", "Aarhus"), children=ROOMS),
        CustomField(CONTACT, "Contact", "user"),
        CustomField(WATCHED_BY, "Watched by", "users"),
        CustomField(WINDOW, "Change window", "datetime"),
        CustomField(MANUAL, "Manual", "url"),
        CustomField(TAGS, "Tags", "labels"),
    ):
        site.custom[custom.id] = custom
    add_project(site, project, service_desk=service_desk)
    return site


def _options(first: int, *values: str) -> tuple[tuple[str, str], ...]:
    return tuple((str(number), value) for number, value in enumerate(values, first))


def add_person(
    site: Site,
    login: str,
    shown: str,
    *,
    number: int | None = None,
    time_zone: str = "Etc/UTC",
    token: str = "",
) -> User:
    """Add a person with the token ``LOGIN-token``; 'admin' administrates, 'cy' hides the e-mail address."""
    serial = number if number is not None else len(site.users) + 1
    user = User(
        id=f"5b10ac8d82e05b22cc7d{serial:04d}" if site.cloud else f"JIRAUSER{10_100 + serial}",
        name=login,
        display_name=shown,
        email=f"{login}@{site.name}.example",
        time_zone=time_zone,
        account_type="app" if login == "bridge" and site.cloud else "atlassian",
        groups=frozenset({"jira-users", "staff"}),
        roles=frozenset({"Users", "Developers"} | ({"Administrators"} if login == "admin" else set())),
        admin=login == "admin",
        hidden_email=site.cloud and login == "cy",
    )
    return site.add_user(user, token or f"{login}-token")


def add_project(
    site: Site, key: str, *, workflow: Workflow | None = None, service_desk: bool = False
) -> Project:
    """Add a project with every issue type, and the flavour's usual workflow unless another is given."""
    chosen = workflow or (cloud_workflow() if site.cloud else home_workflow())
    number = str(10_000 + len(site.projects))
    project = Project(number, key, key.title(), tuple(site.types), chosen, service_desk)
    project.components = dict(_options(10_500 + 100 * len(site.projects), *COMPONENTS))
    project.versions = dict(_options(10_550 + 100 * len(site.projects), *VERSIONS))
    site.projects[key] = project
    return project


def home_workflow() -> Workflow:
    """Return Open -> In Progress -> Resolved (asks for a resolution) -> Closed, and back by Reopened."""
    ask = (("resolution", True), ("assignee", False))
    return Workflow(
        "1",
        (
            Transition("4", "Start Progress", "3", frozenset({"1", "4"})),
            Transition("301", "Stop Progress", "1", frozenset({"3"})),
            Transition("5", "Resolve Issue", "5", frozenset({"1", "3", "4"}), screen=ask),
            Transition("701", "Close Issue", "6", frozenset({"5"})),
            Transition("3", "Reopen Issue", "4", frozenset({"5", "6"}), sets_resolution=""),
        ),
    )


def cloud_workflow() -> Workflow:
    """Return To Do -> In Progress -> In Review -> Done, one step at a time, and Done -> To Do."""
    return Workflow(
        "10000",
        (
            Transition("11", "Start", "10001", frozenset({"10000", "10002"})),
            Transition("21", "Ask for review", "10002", frozenset({"10001"})),
            Transition("31", "Approve", "10003", frozenset({"10002"}), sets_resolution="10000"),
            Transition("41", "Back to the list", "10000", frozenset({"10001", "10003"}), sets_resolution=""),
        ),
    )


def open_workflow(statuses: tuple[str, ...], initial: str) -> Workflow:
    """Return a permissive workflow: every status reaches every other in one step."""
    steps = tuple(Transition(str(number), f"To {key}", key) for number, key in enumerate(statuses, 11))
    return Workflow(initial, steps)
