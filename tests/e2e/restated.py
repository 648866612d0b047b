"""The agreement of the random histories, said a second time in plain data: what the checker goes by.

Written by hand beside ``histories.AGREEMENT``, which is what the bridge reads; nothing is derived from either.
Values are in the words of the side that they stand under. ``ANY`` value or person; what is not there may nobody.
"""

from __future__ import annotations

ANY = "*"
OTHER = {"home": "acme", "acme": "home"}
WORDS = {  # what a value of our side is called at the vendor
    "priority": [("Highest", "P1"), ("High", "P2"), ("Medium", "P3"), ("Low", "P4")],
    "status": [("Open", "To Do"), ("Reopened", "To Do"), ("In Progress", "In Progress"), ("Resolved", "In Review"),
               ("Closed", "Done")],
}  # fmt: skip
MAY = {  # who may bring about which value of a field, by the side of whoever does it
    "summary": {"home": {ANY: ANY}, "acme": {}},
    "description": {"home": {ANY: ANY}, "acme": {ANY: ANY}},
    "priority": {"home": {ANY: "ann"}, "acme": {}},
    "status": {"home": {ANY: ANY}, "acme": {"In Progress": ANY, "In Review": ANY, "To Do": "bo"}},
    "labels": {"home": {ANY: ANY}, "acme": {"team-red": ANY, "team-blue": ANY}},
    "due": {"home": {}, "acme": {ANY: ANY}},
}  # fmt: skip
CROSSING_LABELS = ("team-", "sev-")
STATIONS = {"home": {"Reopened", "In Progress", "Resolved"}, "acme": {"To Do", "In Progress", "In Review"}}
COMMENTS = {"both": {"home", "acme"}, "to-vendor": {"home"}}  # whose public comments cross; files never do
HIDDEN = {  # kind of planted words -> the sides whose words of that kind are hidden, and what stands instead
    "secret": ({"home", "acme"}, "[redacted: secret]"),
    "address": ({"home", "acme"}, "[redacted: address]"),
    "network": ({"home"}, "[internal address]"),
}
"""Words of the kind ``private`` stand in private comments and in fields that are not agreed: they cross in no form."""
COMPANY = {"home": "Example Corp", "acme": "Acme"}
NAMES = {"ann": "Ann Owner", "ivan": "Ivan Duty", "bo": "Bo Manager", "cy": "Cy Engineer"}
