"""A Jira that lives in a process: a stateful, faithful-enough server in the Cloud and Data Center flavours.

It is an independent witness for the product: it shares no code with it. What it claims about Jira, where
the claim comes from, and which test holds it, is in ``LEDGER.md`` beside this file.

    from bridge.simulator import Fault, SimulatorServer, make_acme, make_home

    with SimulatorServer(make_home()) as home:
        requests.get(f"{home.url}/rest/api/2/myself", headers={"Authorization": "Bearer ann-token"})
        home.faults.add(Fault("apply-then-drop", "POST", r"/issue$"))
        home.calls.since(0)

The parts: `model` and `state` (what a site is), `fields`, `issues`, `comments`, `links`, `properties`,
`workflow`, `meta` (the rules), `jql`, `jql_eval`, `search` (finding), `render` (the wire), `exchange`,
`routes_issue`, `routes_site`, `routes_structure`, `engine` (a request's way), `faults`, `calllog`,
`control` (for tests), `webhooks` (told to others), `server` (the socket), `loader`, `presets` (contents).
"""

from bridge.simulator.calllog import CallLog, LoggedCall
from bridge.simulator.engine import Simulator
from bridge.simulator.exchange import Answer, Request
from bridge.simulator.faults import Fault, FaultBook
from bridge.simulator.issues import move
from bridge.simulator.loader import load, read
from bridge.simulator.model import (
    CustomField,
    IssueType,
    Named,
    Project,
    Status,
    Transition,
    User,
    Workflow,
)
from bridge.simulator.presets import add_person, add_project, make_acme, make_home, make_site
from bridge.simulator.render import dump
from bridge.simulator.server import SimulatorServer, serve
from bridge.simulator.state import Site
from bridge.simulator.webhooks import Delivery, Hooks, Webhook

__all__ = [
    "Answer",
    "CallLog",
    "CustomField",
    "Delivery",
    "Fault",
    "FaultBook",
    "Hooks",
    "IssueType",
    "LoggedCall",
    "Named",
    "Project",
    "Request",
    "Simulator",
    "SimulatorServer",
    "Site",
    "Status",
    "Transition",
    "User",
    "Webhook",
    "Workflow",
    "add_person",
    "add_project",
    "dump",
    "load",
    "make_acme",
    "make_home",
    "make_site",
    "move",
    "read",
    "serve",
]
