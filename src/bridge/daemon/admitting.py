"""What is asked before a house may write: the same for the daemon, for one pass and for a reviewed plan."""

from __future__ import annotations

from bridge.daemon.house import House
from bridge.daemon.preflight import require
from bridge.daemon.recalling import check_witness
from bridge.daemon.remembering import check_memory, check_sites


def admit(house: House, *, anew: bool = False, moved: bool = False) -> None:
    """See that sites, trackers and memory are those that the agreements were worked under so far.

    Args:
        house: a house that is about to work.
        anew: begin with an empty memory on purpose.
        moved: a site has a new address on purpose.

    Raises:
        OtherSite: an agreement with links points to another site.
        ConfigError: the configuration does not fit the live trackers.
        ForgottenMirrors: the database knows nothing of mirrors that are there.
        TrackerError: a tracker cannot be asked now.
        StoreError: our own database failed.
    """
    check_sites(house, house.terms, moved=moved)
    require(house.terms)
    if not anew:
        check_memory(house)
    check_witness(house, anew=anew)
