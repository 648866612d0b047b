"""What the adapter knows before it touches a ticket: the account, the time, the project."""

from __future__ import annotations

import pytest

from bridge.errors import Gone
from bridge.sync.agreement import BUILT_IN_FIELDS
from bridge.testing.desk import Desk
from bridge.trackers.registry import kinds


class Knowing:
    """Promises about the account, the clock and the project."""

    def test_the_adapter_says_who_it_is(self, desk: Desk) -> None:
        """``name`` and ``kind`` are the configured ones; the abilities name fields that everybody knows."""
        assert desk.tracker.name == desk.stand.settings.name
        assert desk.tracker.kind == desk.stand.settings.kind
        assert desk.abilities.fields <= set(BUILT_IN_FIELDS)
        assert {"summary", "status"} <= desk.abilities.fields

    def test_the_configuration_is_told_the_same(self, desk: Desk) -> None:
        """What the entry point tells the configuration (``Kind``) agrees with the adapter's abilities."""
        if desk.tracker.kind not in kinds():
            pytest.skip(f"no entry point of the group bridge.trackers is called {desk.tracker.kind}")
        assert desk.kind.lacks == set(BUILT_IN_FIELDS) - desk.abilities.fields
        assert desk.kind.dialect == desk.abilities.dialect or desk.abilities.dialect in desk.kind.formattings
        assert desk.kind.summary_limit <= desk.abilities.summary_limit

    def test_whoami_names_the_account_that_creates(self, desk: Desk) -> None:
        """``whoami`` is the account whose tickets are recognised by their creator; a person is somebody else."""
        me = desk.tracker.whoami()
        assert me.id
        assert me.active
        assert desk.read(desk.create().id).creator == me
        assert desk.read(desk.filed()).creator != me

    def test_now_is_the_clock_of_the_tracker(self, desk: Desk) -> None:
        """A ticket that a person creates is stamped between two readings of ``now``."""
        with desk.moment() as moment:
            ticket = desk.filed()
        assert moment.holds(desk.read(ticket).created)

    def test_metadata_shows_what_an_agreement_may_name(self, desk: Desk) -> None:
        """Types, statuses, priorities, fields are there under the names in use, unless the tracker tells none."""
        desk.create()  # some trackers show custom fields only once a ticket carries them
        meta = desk.tracker.metadata(desk.stand.project, desk.specs)
        assert desk.abilities.fields <= set(meta.fields)
        assert {spec.native for spec in desk.specs} <= set(meta.fields)
        if "type" in desk.abilities.fields:
            assert set(desk.samples.types) <= set(meta.types)
        if meta.priorities:
            assert set(desk.samples.priorities) <= set(meta.priorities)
        for kind, statuses in meta.statuses.items():
            assert set(desk.samples.step) <= set(statuses), kind
        assert meta.create
        for screen in meta.create.values():
            assert "summary" in {field.name for field in screen}

    def test_an_account_with_all_rights_lacks_none(self, desk: Desk) -> None:
        """No right and nothing of the mark is missing for the stand's account, which does what the suite does."""
        desk.create()
        meta = desk.tracker.metadata(desk.stand.project, desk.specs)
        assert not meta.missing_rights
        assert meta.marker == ()

    def test_a_project_that_is_not_there_is_gone(self, desk: Desk) -> None:
        """``metadata`` of an unknown project raises Gone."""
        with pytest.raises(Gone):
            desk.tracker.metadata("nosuchproject")
