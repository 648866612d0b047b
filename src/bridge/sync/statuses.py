"""The status of a ticket, whose way to a value is a walk that may stop halfway."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from bridge.sync.agreement import Agreement, FieldRule
from bridge.sync.enforcing import Judged, judge
from bridge.sync.mapping import agree
from bridge.sync.merge import Agreed, Now, Quiet, cross, merge
from bridge.sync.plan import LinkView, View
from bridge.sync.ticket import Side


def judge_status(agreement: Agreement, link: LinkView, rule: FieldRule, now: Now) -> Judged:
    """What becomes of a status; one where our own walk stopped halfway is nobody's change.

    The decision goes by the status before the walk, so that the walk is taken up again, or taken back.
    """
    merging = partial(merge, agreement, rule)
    stopped = [side for side in Side if _halfway(link.view(side))]
    if not stopped or agree(agreement, rule, now.internal, now.vendor):
        return judge(agreement, link, rule, now, merging)
    before = now
    for side in stopped:
        underway = link.view(side).base.underway
        assert underway is not None
        before = (
            replace(before, internal=underway[0])
            if side is Side.INTERNAL
            else replace(before, vendor=underway[0])
        )
    judged = judge(agreement, link, rule, before, merging)
    if isinstance(judged.outcome, Quiet | Agreed) and judged.held is None and not judged.asks:
        # What the walk was for is gone meanwhile: back to where the other side is.
        return replace(judged, outcome=cross(agreement, rule, now, stopped[0].other, "changed"))
    return judged


def _halfway(view: View) -> bool:
    """Whether the status is where a walk of ours stopped."""
    assert view.ticket is not None
    return view.base.underway is not None and view.ticket.fields.get("status") == view.base.underway[1]
