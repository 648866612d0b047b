"""Whether whoever must be told by mail can be: the roles of an agreement against the mail server of ``bridge.yaml``."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.config.agreement_checks import Draft
from bridge.config.policy_checks import told
from bridge.sync.agreement import Agreement, Rule
from bridge.sync.ownership import approver, grants
from bridge.sync.roles import Unentitled
from bridge.sync.ticket import Side


def check_told(draft: Draft) -> None:
    """Report roles that wait for mails which nobody could send. Without a mail server, nobody expects any.

    Only addresses of the configuration count: what a tracker knows of a group's people is not written to.
    """
    agreement, source = draft.agreement, draft.source
    for name in dict.fromkeys((*_asked(agreement), *told(draft))):
        role = agreement.role(name)
        if role is not None and not role.mail and source.sound(("roles", name)):
            source.problem(
                ("roles", name),
                f"'{name}' is to be told by mail, and no address of theirs is known",
                "add e.g. 'mail: [ops@example.com]'",
                key=True,
            )


def _asked(agreement: Agreement) -> Iterator[str]:
    """Names of the roles that are told something: those that decide, and those of which somebody must be there."""
    for rule in agreement.fields:
        if rule.rule is Rule.HOLD:
            yield approver(agreement, rule, Side.VENDOR, conflict=True)
        if agreement.unentitled(rule) is not Unentitled.FLAG:
            # What is undone at once is held in the end, too, when it comes back again and again.
            yield from (approver(agreement, rule, side) for side in Side if grants(rule, side) is not None)
    yield from (role.name for role in agreement.roles if role.required_within is not None)
