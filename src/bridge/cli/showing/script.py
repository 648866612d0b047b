"""The scripted day, its ordinary part: tickets, edits, comments and steps on both sides, one act each."""

from __future__ import annotations

from datetime import date, timedelta

from bridge.cli.showing.day import Day
from bridge.cli.showing.people import INSIDE, VENDOR, paragraphs
from bridge.simulator.presets import SEVERITY

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
"""A file that begins as a picture does."""

FILL_SECONDS = 120.0
"""The longest that the first fill may take."""


def first_fill(day: Day) -> None:
    """Everything that is in scope crosses, both ways."""
    stage, voice = day.stage, day.voice
    voice.act("The first fill")
    start = {site: list(stage.server(site).site.issues.values()) for site in (INSIDE, VENDOR)}
    meant = {site: sum(owner == site for owner, _ in stage.ledger.tickets) for site in (INSIDE, VENDOR)}
    voice.does(
        f"{meant[INSIDE]} of {len(start[INSIDE])} tickets inside are meant for the vendor, and all "
        f"{meant[VENDOR]} of the vendor's for us. None has crossed yet."
    )
    day.start_daemon()
    total = len(stage.ledger.tickets)
    begun = stage.home.site.now()

    def linked() -> int:
        sites = [stage.home.site, stage.acme.site]
        return min(sum(bool(issue.remote_links) for issue in list(site.issues.values())) for site in sites)

    with voice.bar("tickets with a twin", total) as advance:

        def complete() -> bool:
            done = linked()
            advance(done)
            return done >= total

        day.until(f"all {total} tickets have their twin", complete, FILL_SECONDS)
        day.until("the bridge comes to rest", lambda: day.quiet_since(day.last_write()), FILL_SECONDS)
    seconds = (day.last_write() - begun) / 1000
    voice.seen(f"all {total} have their twin, with comments and status", seconds)


def new_ticket_inside(day: Day) -> None:
    """Ann opens a ticket with formatted text, for the vendor to see."""
    day.voice.act("A new ticket inside")
    summary = "Badge reader at the north gate refuses new cards"
    text = (
        "Cards printed since Thursday are refused at the *north gate only*.\n\n"
        "||Card||North||South||\n|before Thursday|opens|opens|\n|since Thursday|refused|opens|\n\n"
        "h3. Tried\n\n# reader restarted\n# card list sent again\n\n"
        "{code}\nreader=N-1 card=48812 result=UNKNOWN_FORMAT\n{code}"
    )
    key = day.ann.opens(
        summary,
        text,
        issuetype={"name": "Incident"},
        priority={"name": "High"},
        labels=["area-access"],
        assignee={"name": "ann"},
    )
    day.voice.does(f'Ann opens {key} "{summary}", with a table, a list and a log.')
    twin = day.arrives(day.ann, key)
    kind, priority = day.bo.sees(twin, "issuetype"), day.bo.sees(twin, "priority")
    assignee = day.bo.sees(twin, "assignee")
    day.voice.seen(f"at the vendor it is {twin}, {kind}, {priority}, assigned to {assignee}")


def new_ticket_at_vendor(day: Day) -> None:
    """Cy opens a ticket."""
    day.voice.act("A new ticket at the vendor")
    summary = "Fan of disk shelf 2 has failed"
    text = paragraphs(
        "The second fan runs at full speed and keeps the shelf cool.", "A spare part arrives on Tuesday."
    )
    key = day.cy.opens(summary, text, priority={"name": "P1"}, labels=["area-storage"])
    day.voice.does(f'Cy opens {key} "{summary}" with priority P1.')
    twin = day.arrives(day.cy, key)
    priority = day.ann.sees(twin, "priority")
    day.voice.seen(f"inside it is {twin} with priority {priority}")


def edits(day: Day) -> None:
    """Both sides edit one ticket, each its own fields."""
    day.voice.act("Edits on both sides of one ticket")
    inside = "OPS-4"
    vendor = day.twin(inside)
    day.ann.edits(inside, priority={"name": "Highest"}, **{SEVERITY: {"value": "Major"}})
    promised = (date.today() + timedelta(weeks=6)).isoformat()  # noqa: DTZ011 - a day in the calendar on the wall
    day.cy.edits(vendor, duedate=promised)
    day.cy.adds_label(vendor, "area-backup")
    day.voice.does(
        f"Ann sets priority and severity of {inside}; Cy promises a date for {vendor} and adds a label."
    )
    day.comes(
        f"{vendor} is P1 and Major",
        lambda: day.bo.sees(vendor, "priority") == "P1" and day.bo.sees(vendor, SEVERITY) == "Major",
    )
    day.comes(
        f"{inside} is due on {promised} and has area-backup among its labels",
        lambda: (
            day.ann.sees(inside, "duedate") == promised and "area-backup" in day.ann.sees(inside, "labels")
        ),
    )


def comments(day: Day) -> None:
    """Comments both ways, an edit, a deletion, and one that is nobody else's business."""
    day.voice.act("Comments")
    inside = "OPS-18"
    vendor = day.twin(inside)
    mine = day.ann.says(inside, "The parcel service starts on Monday.")
    theirs = day.bo.says(vendor, "Which servers send the manifests?")
    day.voice.does(f"Ann comments on {inside}, Bo asks something on {vendor}.")
    day.comes(
        'both read the other, under "Ann Owner (Example Corp)" and "Bo Manager (Acme)"',
        lambda: (
            "Ann Owner (Example Corp)" in str(day.bo.reads(vendor))
            and "Bo Manager (Acme)" in str(day.ann.reads(inside))
        ),
    )
    day.ann.rewrites(inside, mine, "The parcel service starts on *Wednesday*.")
    day.bo.takes_back(vendor, theirs)
    day.ann.says(inside, "The price is still being discussed.", private=True)
    last = "SHOP-1 and SHOP-2 send them."
    day.ann.says(inside, last)
    day.voice.does(
        "Ann corrects hers to Wednesday and writes two more, one for colleagues only; "
        "Bo takes his question back."
    )
    day.comes(
        f"{vendor} says Wednesday and has the new comment; Bo's is gone from {inside}",
        lambda: (
            "Wednesday" in str(day.bo.reads(vendor))
            and last in str(day.bo.reads(vendor))
            and "Bo Manager" not in str(day.ann.reads(inside))
        ),
    )
    day.voice.notes("The one for colleagues stays inside; the proof at the end looks for it.")


def files(day: Day) -> None:
    """Files both ways, one of them shown in a comment, and one that is not what it says."""
    day.voice.act("Files")
    inside = "OPS-9"
    vendor = day.twin(inside)
    day.ann.attaches(inside, "reader.png", PICTURE)
    day.ann.says(inside, "This is what the reader shows:\n\n!reader.png!")
    day.bo.attaches(vendor, "answer.txt", b"Firmware 7.2 knows the new cards.\n")
    day.ann.attaches(inside, "update.png", b"MZ\x90\x00 This program cannot be run", crosses=False)
    day.voice.does(
        f"Ann attaches reader.png to {inside} and shows it in a comment; Bo attaches answer.txt to {vendor}. "
        "And Ann attaches a program that is called update.png."
    )
    day.comes(
        f"both tickets hold reader.png and answer.txt, and the comment at {vendor} leads to the picture there",
        lambda: (
            set(day.bo.holds(vendor)) == {"reader.png", "answer.txt"}
            and set(day.ann.holds(inside)) == {"reader.png", "answer.txt", "update.png"}
            and "/attachment/content/" in str(day.bo.reads(vendor))
        ),
    )
    day.voice.notes("update.png stays inside: 'bridge status' says why.")


def statuses(day: Day) -> None:
    """One step inside is three at the vendor; their last is one inside, with what its screen asks for."""
    day.voice.act("A status, through both workflows")
    inside = "OPS-6"
    vendor = day.twin(inside)
    day.ann.moves(inside, "Resolved", resolution={"name": "Fixed"})
    day.voice.does(f"Ann resolves {inside} in one step. The vendor's workflow has none from To Do to Done.")
    day.comes(f"{vendor} has gone its three steps", lambda: day.bo.sees(vendor, "status") == "Done")
    history = day.stage.acme.site.find(vendor)
    assert history is not None, "it was just read"
    steps = [
        item["toString"] for change in history.history for item in change.items if item["field"] == "status"
    ]
    day.voice.notes(f"{vendor}: To Do, {', '.join(steps)}")
    theirs = "CUST-10"
    ours = day.twin(theirs)
    for status in ("In Progress", "In Review", "Done"):
        day.bo.moves(theirs, status)
    day.voice.does(f"Bo finishes {theirs}. Inside, Resolved asks for a resolution.")
    day.comes(
        f'{ours} is Resolved with the resolution "Fixed"',
        lambda: day.ann.sees(ours, "status") == "Resolved" and day.ann.sees(ours, "resolution") == "Fixed",
    )
