"""The ladder of an agreement: steps in order, for clocks, roles and webhooks that there are."""

from __future__ import annotations

from collections.abc import Collection

from bridge.clock import SECOND
from bridge.config.clock_words import point_of
from bridge.config.findings import Path, did_you_mean
from bridge.config.ladder_shape import StepShape
from bridge.config.shape import AgreementShape
from bridge.config.vocabulary import Vocabulary
from bridge.sla.policy import Step


def settle_ladder(
    shape: AgreementShape, words: Vocabulary, hooks: Collection[str] | None
) -> tuple[Step, ...]:
    """The steps; what is wrong goes to the file's findings.

    Args:
        shape: the fitted agreement.
        words: its fields and their values.
        hooks: names of outgoing webhooks; None when they are not known.
    """
    source = words.source
    given = shape.ladder or ()
    if shape.ladder == () and source.sound(("ladder",)):
        source.problem(
            ("ladder",), "it has no step", "write e.g. [{at: 80%, tell: delivery-manager}]", key=True
        )
    elif given and not shape.clocks and source.sound(("clocks",)):
        source.problem(
            ("ladder",),
            "there are no clocks: no step would ever be taken",
            "add 'clocks', or remove it",
            key=True,
        )
    for position, step in enumerate(given):
        at: Path = ("ladder", position)
        _check_named(step, at, shape, words, hooks)
        _check_step(step, at, words)
    _check_order(given, words)
    names = _names(given)
    return tuple(
        _step(step, name, ("ladder", position), words)
        for position, (step, name) in enumerate(zip(given, names, strict=True))
    )


def _step(step: StepShape, name: str, at: Path, words: Vocabulary) -> Step:
    share, after = point_of(step.at) if step.at else (1.0, None)
    priority = sorted(words.value("priority", step.priority, (*at, "priority"))) if step.priority else []
    return Step(
        name=name,
        share=share,
        after=after,
        tell=step.tell,
        clocks=frozenset(step.clocks),
        comment=step.comment,
        label=step.label,
        priority=_first(priority, words),
        webhook=step.hook,
        every=None if step.every is None else round(step.every * SECOND),
        urgent=step.urgent,
    )


def _first(values: list[str], words: Vocabulary) -> str:
    """The one that the map names first, as everywhere where one of several must be chosen; "" of none."""
    rule = words.draft.agreement.field("priority")
    order = [inner for inner, _ in rule.values] if rule is not None else []
    return min(values, key=lambda value: order.index(value) if value in order else len(order), default="")


def _names(steps: tuple[StepShape, ...]) -> list[str]:
    """A name for each step: its point, and its clocks where several steps share a point."""
    points = [step.at for step in steps]
    return [
        f"{step.at} {'+'.join(step.clocks)}".strip() if points.count(step.at) > 1 else step.at
        for step in steps
    ]


def _check_named(
    step: StepShape, at: Path, shape: AgreementShape, words: Vocabulary, hooks: Collection[str] | None
) -> None:
    """Roles, clocks and webhooks must be there."""
    check_roles(step.tell, (*at, "tell"), shape, words)
    check_clocks(step.clocks, (*at, "clocks"), shape, words)
    if step.hook and hooks is not None and step.hook not in hooks:
        fix = did_you_mean(step.hook, hooks) if hooks else f"add 'hooks: {{{step.hook}: ...}}' there"
        words.source.problem((*at, "hook"), f"bridge.yaml has no outgoing webhook '{step.hook}'", fix)


def check_roles(names: tuple[str, ...], at: Path, shape: AgreementShape, words: Vocabulary) -> None:
    """Report roles that there are none of, and those that stand twice."""
    roles = shape.roles or {}
    for position, name in enumerate(names):
        here: Path = (*at, position)
        here = here if here in words.source.lines else at
        if name in names[:position]:
            words.source.problem(here, f"'{name}' stands twice", "keep one of them")
        elif name not in roles and words.source.sound(("roles", name)):
            fix = did_you_mean(name, roles) if roles else "name the people under 'roles'"
            words.source.problem(here, f"there is no role '{name}'", fix)


def check_clocks(names: tuple[str, ...], at: Path, shape: AgreementShape, words: Vocabulary) -> None:
    """Report clocks that there are none of; without any clock, that is said elsewhere."""
    for position, name in enumerate(names):
        here: Path = (*at, position)
        here = here if here in words.source.lines else at
        if shape.clocks and name not in shape.clocks and words.source.sound(("clocks", name)):
            words.source.problem(here, f"there is no clock '{name}'", did_you_mean(name, shape.clocks))


def _check_step(step: StepShape, at: Path, words: Vocabulary) -> None:
    """A step must do something; what is repeated is repeated until somebody acknowledges."""
    source = words.source
    deeds = [(*at, key) for key in ("tell", "comment", "label", "priority", "hook")]
    if not (step.tell or step.comment or step.label or step.priority or step.hook) and source.sound(*deeds):
        source.problem(
            at, "nobody is told and nothing is done", "add e.g. 'tell: delivery-manager'", key=True
        )
    if step.every is not None and not step.until and source.sound((*at, "until")):
        source.problem(
            (*at, "every"),
            "it would be repeated for ever",
            "add 'until: acknowledged', or remove 'every'",
            key=True,
        )
    if step.until and step.every is None and source.sound((*at, "every")):
        source.problem(
            (*at, "until"),
            "it is told once: nothing is repeated",
            "add e.g. 'every: 1h', or remove it",
            key=True,
        )
    if step.every is not None and not (step.tell or step.hook) and source.sound(*deeds):
        source.problem(
            (*at, "every"),
            "only mails and webhooks are repeated",
            "add e.g. 'tell: delivery-manager', or remove it",
            key=True,
        )
    if step.urgent and not step.tell and source.sound(*deeds):
        source.problem(
            (*at, "urgent"),
            "only mails wait for quiet hours to end, and nobody gets one",
            "add e.g. 'tell: delivery-manager', or remove it",
            key=True,
        )


def _check_order(steps: tuple[StepShape, ...], words: Vocabulary) -> None:
    """Steps of the same clock ascend: shares first, then times after the goal was missed; none comes twice."""
    for position, step in enumerate(steps):
        at: Path = ("ladder", position, "at")
        if not step.at:
            continue
        for earlier in range(position - 1, -1, -1):
            other = steps[earlier]
            if not other.at or (step.clocks and other.clocks and not {*step.clocks} & {*other.clocks}):
                continue
            line = words.source.line(("ladder", earlier, "at"))
            if _order(other) == _order(step):
                words.source.problem(
                    at, f"there is already a step at {other.at} (line {line})", "make it one step"
                )
            elif _order(other) > _order(step):
                words.source.problem(
                    at, f"{step.at} comes before {other.at} on line {line}", "write the steps in order"
                )
            else:
                continue
            break


def _order(step: StepShape) -> tuple[int, float]:
    share, after = point_of(step.at)
    return (1, after) if after is not None else (0, share or 0.0)
