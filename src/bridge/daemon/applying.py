"""Carrying out a reviewed plan, line by line: exactly what was planned, or nothing.

Each line's two tickets are read by id and decided about anew. Only if that is, to the last value, what was planned, it
is carried out; otherwise the line is refused with what has changed, and the others go on. Of a creation that covers
what follows from it alone: links back, the status, and the comments and files that were there when it was planned.
A line that has begun is finished: what became of a write whose answer was lost is found out, and the rest done then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import structlog

from bridge.clock import SECOND
from bridge.daemon.foresee import agreed, link_to_be, plan_firmly, prints, run_over
from bridge.daemon.house import House, Terms, field_specs
from bridge.daemon.neighbours import mirrored
from bridge.daemon.planfile import Line
from bridge.daemon.run import Run
from bridge.daemon.worker import APPLIED, Report, Worker, record_answer, record_failure
from bridge.errors import Clashed, Gone, Refused, StoreError, Throttled, TrackerError, Unreachable
from bridge.store.database import Tx
from bridge.store.rows import Link, LinkState
from bridge.sync.agreement import Agreement
from bridge.sync.fingerprint import plan_print
from bridge.sync.plan import AWAY, Plan
from bridge.sync.ticket import Side
from bridge.trackers.protocol import Watch

log = structlog.get_logger(__name__)

PATIENCE = 180.0
"""Seconds for which a line that has begun is tried again: so long it may take to learn that a lost write never came.

And seconds that a tracker may be out of reach before what was not begun is left."""

Progress = Callable[[int, int], None]
"""Told how many lines are done and how many there are."""

Result = Literal["done", "already", "refused", "left"]
"""What became of a line. ``already``: nothing of it was left to do. ``left``: a tracker cannot be worked with now."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one line.

    Attributes:
        line: the line.
        result: in a word.
        reason: why it was refused or left, or how it is done already, for people.
        writes: requests that changed something.
    """

    line: Line
    result: Result
    reason: str = ""
    writes: int = 0


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all lines of a plan are carried out upon.

    Attributes:
        house: the running parts.
        terms: what is in force.
        worker: does the work.
        mirrored: links that had both their tickets before anything was carried out.
        in_scope: (agreement, side) -> ids of the tickets that are selected there; only where one is to be mirrored.
    """

    house: House
    terms: Terms
    worker: Worker
    mirrored: Collection[int]
    in_scope: dict[tuple[str, Side], Collection[str]]


def carry_out(house: House, lines: Sequence[Line], progress: Progress | None = None) -> Iterator[Outcome]:
    """Carry out the lines of a plan; what became of each, in their order.

    Raises:
        TrackerError: it cannot be asked now what is in scope; nothing was written.
        StoreError: our own database failed.
    """
    terms = house.terms
    with house.store.read() as tx:
        known = frozenset(link.id for link in tx.links.list() if mirrored(link))
    ground = _Ground(house, terms, Worker(house), known, _in_scope(terms, lines))
    with ThreadPoolExecutor(terms.settings.threads) as pool:
        for done, outcome in enumerate(pool.map(lambda line: _one(ground, line), lines), 1):
            yield outcome
            if progress is not None:
                progress(done, len(lines))


def _in_scope(terms: Terms, lines: Sequence[Line]) -> dict[tuple[str, Side], Collection[str]]:
    """What the agreements select now, of the sides from which tickets are to be mirrored for the first time."""
    found: dict[tuple[str, Side], Collection[str]] = {}
    for place in sorted({(line.agreement, line.origin) for line in lines if not line.link}):
        agreement, side = terms.agreement(place[0]), place[1]
        if agreement is not None and agreement.scope(side).select:
            scope = agreement.scope(side)
            watch = Watch(scope, field_specs(agreement, side))
            found[place] = {
                stamp.id for page in terms.trackers[scope.tracker].census(watch) for stamp in page
            }
    return found


def _one(ground: _Ground, line: Line) -> Outcome:
    """Carry out one line. No trouble with one keeps another from its turn, but our own database's."""
    agreement = ground.terms.agreement(line.agreement)
    if agreement is None:
        return Outcome(line, "refused", f"no agreement '{line.agreement}' in the configuration")
    with ground.house.store.read() as tx:
        found = _link(tx, line, agreement)
        if isinstance(found, Link) and _applied(tx, line, found):
            return Outcome(line, "already", "it was carried out before")
    if isinstance(found, str):
        return Outcome(line, "refused", found)
    try:
        while True:
            run = run_over(ground.house, ground.terms, agreement, found)
            run.mirrored = ground.mirrored
            try:
                return _weigh(ground, line, run)
            except (Unreachable, Throttled) as error:
                # Met on reading: nothing of the line was written yet.
                record_failure(ground.house, error)
                if _given_up(ground.house, run):
                    return Outcome(line, "left", f"{error.tracker}: {error.words}")
    except (Refused, Gone, Clashed) as error:
        return Outcome(line, "refused", f"{error.tracker}: {error.words}")
    except TrackerError as error:
        record_failure(ground.house, error)
        return Outcome(line, "left", f"{error.tracker}: {error.words}")
    except StoreError:
        raise
    except Exception:  # a bug of ours: this line is refused with a trace in the log; the others go on
        log.exception(
            "line_failed", agreement=line.agreement, internal=line.internal.key, vendor=line.vendor.key
        )
        return Outcome(line, "refused", "an internal error; see 'line_failed' in the log")


def _weigh(ground: _Ground, line: Line, run: Run) -> Outcome:
    """Decide anew, compare, and carry out what is the same."""
    tracker = _given_up(ground.house, run)
    if tracker:
        return Outcome(line, "left", f"{tracker}: left alone for now, because it could not be worked with")
    plan, follows = plan_firmly(run)
    for side in run.asked:
        record_answer(ground.house, run.scope(side).tracker)
    obstacle = _obstacle(ground, line, run, plan)
    if obstacle:
        return Outcome(line, "refused", obstacle)
    if not plan.actions and not plan.holds:
        return Outcome(line, "already", "nothing is left to do")
    if plan_print(plan, follows) != line.digest:
        return Outcome(line, "refused", _difference(line, run))
    run.warrant = line.digest
    if not run.link.id:
        run.link = _made(ground.house, run)
    report, writes = _patiently(ground, run)
    if report.ending == "synced" and not report.reason:
        return Outcome(line, "done", writes=writes)
    result: Result = "left" if report.ending == "postponed" else "refused"
    return Outcome(line, result, report.reason or "the link was changed at this very moment", writes)


def _patiently(ground: _Ground, run: Run) -> tuple[Report, int]:
    """Carry out what was reviewed, and again what is left of it while its link is only postponed; and all its writes.

    An answer that was lost, or a tracker that is busy for a moment, must not leave a line half done.
    """
    clock = ground.house.clock
    patient_until = clock.now() + int(PATIENCE * SECOND)
    report = ground.worker.carry_out(run)
    writes = report.writes
    while report.ending == "postponed":
        with ground.house.store.read() as tx:
            link = tx.links.get(run.link.id)
        due = clock.now() if link is None or link.due_at is None else link.due_at
        if due > patient_until:
            break
        clock.sleep(max(0.05, (due - clock.now()) / SECOND))
        report = ground.worker.carry_out(run)
        writes += report.writes
    return report, writes


def _given_up(house: House, run: Run) -> str:
    """Wait until both trackers may be asked; the name of one whose trouble has lasted or will last too long, or ""."""
    for side in Side:
        tracker = run.scope(side).tracker
        while (until := house.health.blocked_until(tracker, house.clock.now())) is not None:
            trouble = house.health.trouble(tracker)
            if trouble is not None and until > trouble.since + int(PATIENCE * SECOND):
                return tracker
            house.clock.sleep(max(0.05, (until - house.clock.now()) / SECOND))
    return ""


def _link(tx: Tx, line: Line, agreement: Agreement) -> Link | str:
    """The link of a line, or one to be; or why there is none to work on."""
    if line.link:
        link = tx.links.get(line.link)
        if link is None or link.agreement != line.agreement:
            return "its link is not in this database"
    else:
        ticket = line.subject(line.origin)
        link = tx.links.by_ticket(line.agreement, line.origin, [ticket.id]).get(ticket.id)
        if link is None:
            return link_to_be(agreement, line.origin, ticket.id, ticket.key)
    if link.state is LinkState.CLOSED:
        return "its link has ended"
    strangers = [side for side in Side if line.subject(side).id not in ("", link.ticket(side))]
    return f"its link has another {strangers[0]} ticket by now" if strangers else link


def _applied(tx: Tx, line: Line, link: Link) -> bool:
    """Whether this very line was carried out before."""
    return any(
        entry.event == APPLIED and entry.data.get("digest") == line.digest
        for entry in (tx.journal.for_link(link.id) if link.id else ())
    )


def _obstacle(ground: _Ground, line: Line, run: Run, plan: Plan) -> str:
    """What keeps a line from being carried out whatever the tickets say; "" for nothing."""
    link = run.link
    if agreed(run.terms, run.agreement) != line.terms:
        return f"the terms of agreement '{line.agreement}' have changed since"
    if link.state is LinkState.PARKED and not line.parked:
        return f"its link is parked: {link.reason}"
    for side in Side:
        ticket = run.read(side).ticket
        if ticket is not None and ticket.id != link.ticket(side):
            return f"the {side} ticket was merged into {ticket.key}"
        if not line.subject(side).id and link.ticket(side):
            return f"it has a mirror by now: {link.key(side)}"
    selected = ground.in_scope.get((line.agreement, line.origin))
    if not line.link and selected is not None and link.ticket(line.origin) not in selected:
        return f"the {line.origin} ticket is not in the agreement's scope any more"
    return next((finding.message for finding in plan.findings if finding.kind in AWAY), "")


def _difference(line: Line, run: Run) -> str:
    """Why another plan came out, as far as can be told: whose ticket has changed, and where."""
    told = []
    for side in Side:
        before, now = line.subject(side).prints or {}, prints(run, side)
        changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
        if changed:
            told.append(f"the {side} ticket has changed since: {', '.join(changed)}")
    return "; ".join(told) or "the two were synchronised since, or what they are related to has changed"


def _made(house: House, run: Run) -> Link:
    """The link that a line asks for."""
    link, side = run.link, run.link.origin
    ticket = link.ticket(side)
    assert ticket is not None
    with house.store.write() as tx:
        made, _ = tx.links.add(link.agreement, side, ticket, link.key(side), link.marker, house.clock.now())
    return made
