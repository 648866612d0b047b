"""The next step towards a status, and what is said when there is none."""

from __future__ import annotations

import pytest

from bridge.sync.ticket import Transition
from bridge.sync.workflow import Step, Unreachable, next_step


def go(to: str, *required: str) -> Transition:
    return Transition(f"t-{to}", f"Go {to}", to, required)


def walked(present: str, goal: str, steps: dict[str, list[Transition]], **more) -> list[str] | str:
    """The whole way, as the shell would walk it."""
    passed: list[str] = []
    while present != goal:
        found = next_step(present, goal, steps.get(present, []), passed=passed, **{"seen": {}, **more})
        if isinstance(found, Unreachable):
            return found.message
        present = found.transition.to
        passed.append(present)
        assert len(passed) < 10
    return passed


def test_a_direct_step_is_taken() -> None:
    step = next_step("Open", "Done", [go("Doing"), go("Done")], seen={}, via=("Doing",))
    assert step == Step(go("Done"))


def test_steps_seen_before_lead_the_shortest_way() -> None:
    seen = {"Doing": [go("Review")], "Review": [go("Done")], "Blocked": [go("Doing")]}
    step = next_step("Open", "Done", [go("Blocked"), go("Doing")], seen=seen)
    assert step == Step(go("Doing"))


def test_the_agreement_names_the_way() -> None:
    steps = {"Open": [go("Odd"), go("Doing")], "Doing": [go("Odd"), go("Review")], "Review": [go("Done")]}
    assert walked("Open", "Done", steps, via=("Doing", "Review")) == ["Doing", "Review", "Done"]
    assert walked("Doing", "Done", steps, via=("Doing", "Review")) == ["Review", "Done"]


def test_nobody_walks_in_circles() -> None:
    steps = {"Open": [go("Doing")], "Doing": [go("Open")]}
    message = walked("Open", "Done", steps, seen=steps, via=("Doing",))
    assert "no known way from 'Doing' to 'Done'" in message
    seen = {"Doing": [go("Open"), go("Doing")], "Open": [go("Doing")]}
    assert isinstance(next_step("Open", "Done", [go("Doing")], seen=seen), Unreachable)


def test_a_screen_that_asks_for_a_field_gets_it_from_the_agreement() -> None:
    fill = {"Done": {"Resolution": "Fixed"}}
    step = next_step("Open", "Done", [go("Done", "resolution")], seen={}, fill=fill)
    assert step == Step(go("Done", "resolution"), {"Resolution": "Fixed"})


def test_a_way_through_a_screen_that_cannot_be_filled_is_no_way() -> None:
    seen = {"Doing": [go("Done", "resolution")]}
    assert isinstance(next_step("Open", "Done", [go("Doing")], seen=seen), Unreachable)
    filled = next_step("Open", "Done", [go("Doing")], seen=seen, fill={"Done": {"resolution": "Fixed"}})
    assert filled == Step(go("Doing"))


@pytest.mark.parametrize(
    ("offered", "message"),
    [
        ([], "no step is offered from 'Open'; the account may lack the right to move tickets"),
        (
            [go("Done", "resolution", "cause")],
            "the step 'Go Done' to 'Done' asks for resolution, cause: name them under 'fill' of the status",
        ),
        (
            [go("Odd")],
            "no known way from 'Open' to 'Done'; offered: 'Go Odd' to 'Odd'. Name the way under 'via' of the status",
        ),
    ],
)
def test_an_unreachable_status_says_what_would_help(offered, message) -> None:
    assert next_step("Open", "Done", offered, seen={}) == Unreachable(message)


def test_a_field_is_asked_for_only_as_far_as_it_is_lacking() -> None:
    found = next_step(
        "Open", "Done", [go("Done", "resolution", "cause")], seen={}, fill={"Done": {"CAUSE": "x"}}
    )
    assert isinstance(found, Unreachable)
    assert "asks for resolution:" in found.message
