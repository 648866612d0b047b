"""Looking at one link: read both sides, decide, act, store. The heart of the daemon.

Errors never leave the worker. What a tracker refuses parks this link alone, with the tracker's words and the next try;
a tracker that is out of reach postpones its links without a call for each; a lost answer is looked for. Every run ends
in one fenced write, so that a run that was overtaken changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import structlog

from bridge.clock import SECOND
from bridge.daemon.acting import act
from bridge.daemon.books import Books, Withheld
from bridge.daemon.closing import end
from bridge.daemon.escalating import escalate
from bridge.daemon.holding import keep_holds, let_go, to_store
from bridge.daemon.house import House
from bridge.daemon.lookout import another
from bridge.daemon.moving import follow_survivors, note_key
from bridge.daemon.owning import look_after
from bridge.daemon.policies import mark_stale
from bridge.daemon.rebasing import new_base
from bridge.daemon.recalling import recall
from bridge.daemon.relating import wait_for
from bridge.daemon.resolving import resolve
from bridge.daemon.restraint import note_withheld, restrained
from bridge.daemon.run import Run
from bridge.daemon.stumbles import TOO_OFTEN
from bridge.daemon.telling import journal_findings, keep_told
from bridge.daemon.vanishing import forget, judge
from bridge.errors import (
    Clashed,
    Gone,
    OutcomeUnknown,
    Refused,
    StoreError,
    Throttled,
    TrackerError,
    Unintelligible,
    Unreachable,
)
from bridge.store.database import Tx
from bridge.store.rows import JournalEntry, Link, LinkState
from bridge.sync.fingerprint import is_rest, plan_print
from bridge.sync.plan import AWAY, CreateTicket, Finding, Plan
from bridge.sync.sequel import foreseen
from bridge.sync.ticket import Side

log = structlog.get_logger(__name__)

ROUNDS = 3
"""Rounds in one run at most: create, then what follows from it; the rest waits for the next wake-up."""

FIRST_RETRY, LONGEST_RETRY = 15, 3_600
"""Seconds before a parked link is tried again; doubles from the first to the longest."""

REVISIT = 3_600
"""Seconds after which a link is looked at again by itself that waits for people, or for what will wake it anyway."""

APPLIED = "plan.applied"
"""The journal's word for a line of a reviewed plan that was carried out."""

SLOW = frozenset({"unreachable", "person-inactive"})
"""Kinds of those findings: a status without a known way, a person whom the tracker does not take."""

Ending = Literal["synced", "parked", "closed", "postponed", "skipped", "overtaken", "withheld"]


@dataclass(frozen=True, slots=True)
class Report:
    """How a run ended; for the canonical log line and for ``bridge sync --once``.

    Attributes:
        link: its row id.
        ending: how it ended.
        writes: requests that changed something.
        reason: why it is parked or postponed, in the tracker's words: for the operator, never for the log.
        findings: their kinds and fields, for the log.
        agreement: under which agreement.
        keys: what people call the two tickets.
        planned: writes that were planned and not made, because the run may not write.
    """

    link: int
    ending: Ending
    writes: int = 0
    reason: str = ""
    findings: tuple[str, ...] = ()
    agreement: str = ""
    keys: str = ""
    planned: int = 0


class _Unwarranted(Exception):
    """The plan is another one than what was reviewed."""


class Worker:
    """Works on links; one instance serves all threads.

    Args:
        house: the running parts.
    """

    def __init__(self, house: House) -> None:
        self._house = house

    def sync(self, link_id: int) -> Report:
        """Look at a link if it is due. Safe to call twice: the second call finds nothing owed.

        Raises:
            StoreError: our own database failed; the link stays due.
        """
        house = self._house
        started = house.clock.now()
        terms = house.terms
        with house.store.write(durable=False) as tx:
            glance = tx.links.get(link_id)
            if glance is None or glance.due_at is None or glance.due_at > started:
                return Report(link_id, "skipped")
            if glance.state is LinkState.CLOSED:
                tx.links.rest(link_id)
                return Report(link_id, "skipped")
            link = tx.links.start(link_id)
            assert link is not None, "links are never deleted"
            agreement = terms.agreement(link.agreement)
            if agreement is None:
                # Its agreement is not in the configuration any more: it waits for its return.
                tx.links.postpone(link_id, link.epoch, link.gen, started + REVISIT * SECOND)
                return Report(
                    link_id, "postponed", reason=f"no agreement '{link.agreement}' in the configuration"
                )
            bases, pairs = tx.bases.get(link_id), tuple(tx.comments.list(link_id))
            parts = tuple(tx.parts.list(link_id))
            open_intents = tuple(tx.intents.open(link_id))
            holds = tuple(tx.holds.list(link_id))
        run = Run(house, terms, agreement, link, bases, pairs, open_intents, parts=parts, holds=holds)
        return self._report(run, started)

    def carry_out(self, run: Run) -> Report:
        """Carry out the reviewed plan that a run has its warrant for, if it is still the plan; due or not.

        A link that is left as it was ends ``withheld``. ``reason`` says what was not done.

        Raises:
            StoreError: our own database failed.
        """
        before, started = run.link, self._house.clock.now()
        with self._house.store.write(durable=False) as tx:
            link = tx.links.start(before.id)
            assert link is not None, "links are never deleted"
            same = all(link.ticket(side) == before.ticket(side) for side in Side)
            if link.state is LinkState.CLOSED or not same:
                return Report(link.id, "withheld", reason="the link was changed at this very moment")
            run.link, run.bases = link, tx.bases.get(link.id)
            run.pairs, run.parts = tuple(tx.comments.list(link.id)), tuple(tx.parts.list(link.id))
            run.holds, run.intents = tuple(tx.holds.list(link.id)), tuple(tx.intents.open(link.id))
        if run.begun is None:
            run.views = {side: replace(view, base=run.bases[side]) for side, view in run.views.items()}
        else:
            run.views.clear()  # something of it was written, or may have been
            run.histories.clear()
        return self._report(run, started)

    def _report(self, run: Run, started: int) -> Report:
        """Work on the link, and write the canonical line of the log."""
        report = self._conduct(run, Books())
        log.info(
            "link_synced",
            agreement=run.agreement.name,
            link=run.link.id,
            internal=run.link.internal_key,
            vendor=run.link.vendor_key,
            ending=report.ending,
            writes=report.writes,
            planned=report.planned or None,
            findings=list(report.findings) or None,
            ms=(self._house.clock.now() - started) // 1000,
        )
        return report

    def _conduct(self, run: Run, books: Books) -> Report:  # noqa: PLR0911 - one return for each way to end
        """Work on the link and end the run, whatever happens."""
        blocked = self._blocked(run)
        if blocked is not None:
            return self._postpone(run, books, blocked, "the tracker is left alone for now")
        findings: list[Finding] = []
        try:
            wait = self._rounds(run, books, findings)
        except (Refused, Gone) as error:
            books.refused.append(Finding("refused", None, "", f"{error.tracker}: {error.words}"))
            return self._finish(run, books, findings)
        except Clashed as error:
            return self._postpone(run, books, run.house.clock.now() + 2 * SECOND, error.words)
        except OutcomeUnknown as error:
            return self._postpone(run, books, run.house.clock.now() + SECOND, error.words)
        except Throttled as error:
            if error.shared:
                return self._postpone(run, books, record_failure(self._house, error), error.words)
            # Only this ticket was written too often (jira-per-issue-on-write); the others go on.
            until = run.house.clock.now() + int(error.retry_after * SECOND)
            return self._postpone(run, books, until, error.words)
        except TrackerError as error:
            if self._own_trouble(run, error):
                books.refused.append(Finding("failing", None, "", f"{error.tracker}: {error.words}"))
                return self._finish(run, books, findings)
            return self._postpone(run, books, record_failure(self._house, error), error.words)
        except StoreError:
            raise  # the link stays due; it is not its fault
        except _Unwarranted:
            return self._leave(run)
        except Exception:  # a bug of ours: park this link with a trace in the log; the others go on
            log.exception("link_failed", agreement=run.agreement.name, link=run.link.id)
            books.refused.append(
                Finding("refused", None, "", "an internal error; see 'link_failed' in the log")
            )
            return self._finish(run, books, findings)
        for side in run.asked:
            record_answer(self._house, run.scope(side).tracker)
        if wait is not None:
            return self._postpone(
                run, books, wait, "the outcome of an earlier write, or a first poll, is waited for"
            )
        return self._finish(run, books, findings)

    def _own_trouble(self, run: Run, error: TrackerError) -> bool:
        """Whether only this link meets the failure: it fails again and again at a tracker that answers the others."""
        if not isinstance(error, Unreachable | Unintelligible):
            return False
        if self._house.health.trouble(error.tracker) is not None:
            return False
        return self._house.stumbles.again(run.link.id, error.tracker) >= TOO_OFTEN

    def _rounds(self, run: Run, books: Books, findings: list[Finding]) -> int | None:
        """Rounds of plan and act; returns when to look again if an outcome is still unknown."""
        # Looking for a lost answer may take back what came out public: that is a write as well.
        wait = resolve(run) if run.intents and restrained(run) is None else None
        if wait is not None:
            return wait
        for number in range(ROUNDS):
            if run.warrant and (number or run.begun is not None):
                # As it came into being, its status with it: nobody will look again by himself in every mode.
                run.views.pop(run.link.origin.other, None)
                run.read(run.link.origin.other, strong=True)
            plan, before = recall(run, run.plan()), run.link
            if run.warrant:
                plan = self._warranted(run, plan)
            merged = follow_survivors(run)
            if run.link is not before:
                # By the link's new ticket, and without what was said on the old one.
                plan = recall(run, run.plan())
            away = merged or another(run) or next((one for one in plan.findings if one.kind in AWAY), None)
            why = restrained(run, plan if away is None or away.kind == "gone" else None)
            if why is not None:
                findings[:] = plan.findings if away is None else [away]
                books.withheld = Withheld(why, len(plan.actions), len(findings))
                break
            if away is not None:
                findings[:] = [away]
                if away.kind == "gone":
                    self._missing(run, away, books)
                break
            creates = any(isinstance(action, CreateTicket) for action in plan.actions)
            if creates and not run.warrant and not self._both_polled(run):
                # The peer may be there already, known only to a poll that has not ended yet. Its end wakes this link;
                # looking sooner would read every ticket again and again while that poll wants to read them all.
                return run.house.clock.now() + REVISIT * SECOND
            findings[:] = [*plan.findings]
            books.created = False
            act(run, plan, books)
            if not books.created:
                look_after(run, books)
                if not run.warrant:
                    escalate(run, books)
                break
        if run.warrant and not (books.refused or books.findings or books.withheld):
            books.journal.append((APPLIED, {"digest": run.warrant}))
        return None

    def _warranted(self, run: Run, plan: Plan) -> Plan:
        """The plan of a round, if it is what was reviewed; later, what is left of that.

        Left is of a creation what was foreseen to follow from it, of anything else the actions that were reviewed.

        Raises:
            _Unwarranted: it is another plan by now.
        """
        created = run.begun is not None and any(isinstance(one, CreateTicket) for one in run.begun.actions)
        if run.begun is None or (created and run.link.ticket(run.link.origin.other) is None):
            if plan_print(plan, run.sequel(plan)) != run.warrant:
                raise _Unwarranted
            run.begun = plan
            return plan
        if created:
            rest = foreseen(plan, run.link.origin.other)
            return rest if rest.actions == plan.actions else replace(rest, deferred=True)
        if not is_rest(plan, run.begun):
            raise _Unwarranted
        return plan

    def _missing(self, run: Run, away: Finding, books: Books) -> None:
        """A ticket cannot be seen: once it is sure that it was deleted, its peer hears of it and the link ends."""
        assert away.side is not None
        verdict = judge(run, away.side)
        books.again = verdict.again
        if verdict.deleted:
            end(run, away.side, verdict, books)

    def _both_polled(self, run: Run) -> bool:
        """Whether both sides were polled, since the start of this process: our database may be older than that."""
        name = run.agreement.name
        if not all(self._house.watched(name, side).polled for side in Side):
            return False
        with self._house.store.read() as tx:
            return all(tx.cursors.get(name, side, "poll") is not None for side in Side)

    def _finish(self, run: Run, books: Books, findings: Sequence[Finding]) -> Report:
        """Store what came of the run: done, or parked with the trackers' words."""
        house, link = run.house, run.link
        now = house.clock.now()
        away = [finding for finding in findings if finding.kind in AWAY]
        problems = [*away, *books.refused]
        every = tuple(dict.fromkeys([*findings, *books.findings, *books.refused]))
        if books.parted is not None:
            problems, every = [], (books.parted,)
        rows = tuple(finding.as_json() for finding in every)
        with house.store.write(durable=False) as tx:
            if problems:
                reason = "; ".join(dict.fromkeys(finding.message for finding in problems))
                pause = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(link.attempts, 16))
                next_try = now + int(pause * (0.9 + 0.2 * house.random.random()) * SECOND)
                next_try = min(
                    [next_try, *(moment for moment in (books.again, books.look) if moment is not None)]
                )
                if books.cleared:
                    next_try = now
                held = tx.links.park(
                    link.id, link.epoch, link.gen, reason=reason, now=now, next_try=next_try, findings=rows
                )
                ending: Ending = "parked"
            else:
                # Of a reviewed plan nothing may be left out in silence, not even what is nobody's mistake.
                reason = self._undone(run, books)
                house.stumbles.forget(link.id)
                held = tx.links.finish(
                    link.id,
                    link.epoch,
                    link.gen,
                    due_at=self._again_at(run, books, every, now),
                    state=self._state(link, every) if books.parted is None else LinkState.CLOSED,
                    findings=rows,
                    synced_at=now if self._ending(books) == "synced" else None,
                )
                ending = self._ending(books)
            self._store(tx, run, books, now, held=held)
            if held:
                journal_findings(tx, link, rows, now)
                missed = any(row["kind"] == "gone" for row in link.findings)
                if books.parted is not None or (missed and not any(one.kind == "gone" for one in away)):
                    forget(tx, link.id)
                if books.parted is not None:
                    let_go(tx, link, now)
                    tx.journal.add(now, link.agreement, link.id, "link.closed", {"why": books.parted.kind})
        if held and books.parted is not None:
            log.info(
                "link_closed",
                agreement=link.agreement,
                link=link.id,
                internal=link.internal_key,
                vendor=link.vendor_key,
                why=books.parted.kind,
                side=books.parted.side,
            )
        told = tuple(f"{one.kind}:{one.field}" if one.field else one.kind for one in every)
        keys = " = ".join(key for key in (link.internal_key, link.vendor_key) if key)
        return Report(
            link.id,
            ending if held else "overtaken",
            books.writes,
            reason,
            told,
            run.agreement.name,
            keys,
            books.withheld.actions if books.withheld is not None else 0,
        )

    def _ending(self, books: Books) -> Ending:
        """How a run ended that met no trouble."""
        if books.parted is not None:
            return "closed"
        return "synced" if books.withheld is None else "withheld"

    def _again_at(self, run: Run, books: Books, findings: Sequence[Finding], now: int) -> int | None:
        """When a link that is done is looked at again by itself."""
        # A hold that was not stored, for the write that it goes with was not made, would have it looked at for ever.
        if books.cleared or (books.deferred and (not books.holds or to_store(run, books))):
            return now
        if any(one.kind in SLOW for one in findings):
            books.look_by(now + REVISIT * SECOND)
        return books.look

    def _undone(self, run: Run, books: Books) -> str:
        """What was not done of a reviewed plan, and why; "" for nothing, and for a run of the daemon's own."""
        if not run.warrant:
            return ""
        return books.withheld.why if books.withheld else "; ".join(one.message for one in books.findings)

    def _leave(self, run: Run) -> Report:
        """Leave the link exactly as it was: what was reviewed is not what would be done."""
        link = run.link
        with run.house.store.write(durable=False) as tx:
            tx.links.postpone(link.id, link.epoch, link.gen, link.due_at)
        return Report(link.id, "withheld", reason="what there is to do has changed at this very moment")

    def _postpone(self, run: Run, books: Books, until: int, reason: str) -> Report:
        """Keep what succeeded, leave the rest for later."""
        link = run.link
        with run.house.store.write(durable=False) as tx:
            held = tx.links.postpone(link.id, link.epoch, link.gen, until)
            self._store(tx, run, books, run.house.clock.now(), held=held)
        return Report(link.id, "postponed" if held else "overtaken", books.writes, reason)

    def _store(self, tx: Tx, run: Run, books: Books, now: int, *, held: bool) -> None:
        """The books of the run: journal, and unless it was overtaken, bases, comment pairs and keys."""
        tx.journal.add_many(
            JournalEntry(0, now, run.agreement.name, run.link.id, event, data)
            for event, data in books.journal
        )
        if not held:
            return
        bases = {side: new_base(run, books, side) for side in Side}
        note_withheld(tx, run.link, books.withheld, {side: base.seen for side, base in bases.items()})
        for side in Side:
            base = bases[side]
            if base != run.bases[side] and books.withheld is None:
                tx.bases.put(run.link.id, side, base)
            ticket = run.views[side].ticket if side in run.views else None
            if ticket is not None and run.link.ticket(side) == ticket.id:
                note_key(tx, run.link, side, ticket, now)
        for pair in books.pairs:
            if pair.id:
                tx.comments.update(pair)
            else:
                tx.comments.add(run.link.id, pair)
        for part in books.parts:
            tx.parts.put(run.link.id, part)
        wait_for(tx, run, books.waits)
        mark_stale(tx, run.terms, run.link, now)
        if books.withheld is None:
            keep_holds(tx, run, books, now)
        keep_told(tx, books)

    def _state(self, link: Link, findings: Sequence[Finding]) -> LinkState:
        if link.internal_id is None or link.vendor_id is None:
            return LinkState.NEW
        return LinkState.HELD if any(finding.kind == "held" for finding in findings) else LinkState.ACTIVE

    def _blocked(self, run: Run) -> int | None:
        now = run.house.clock.now()
        times = [run.house.health.blocked_until(run.scope(side).tracker, now) for side in Side]
        return max((time for time in times if time is not None), default=None)


def record_failure(house: House, error: TrackerError) -> int:
    """Note that a tracker cannot be worked with now; returns when to try again (microseconds)."""
    trouble, new = house.health.failed(error, house.clock.now(), house.random.random())
    if new:
        log.warning(
            "tracker_troubled",
            tracker=error.tracker,
            kind=type(error).__name__,
            words=error.words,
            until=trouble.until,
        )
    return trouble.until


def record_answer(house: House, tracker: str) -> None:
    """Note that a tracker works."""
    ended = house.health.answered(tracker)
    if ended is not None:
        seconds = (house.clock.now() - ended.since) / SECOND
        log.info("tracker_recovered", tracker=tracker, seconds=round(seconds, 1))
