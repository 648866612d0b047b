"""Counting the links that were changed lately."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from bridge.daemon.tally import SAVING, Tally


def begun(**changed):
    tally = Tally()
    tally.begin("acme", {int(link.removeprefix("l")): at for link, at in changed.items()})
    return tally


def test_a_link_counts_once_however_often_it_is_changed():
    tally = begun()
    assert all(tally.count("acme", 7, now=at, after=0, most=1) for at in range(1, 50))
    assert not tally.count("acme", 8, now=50, after=0, most=1)


def test_a_change_stays_counted_until_it_leaves_the_window():
    tally = begun(l1=10, l2=20)
    assert not tally.count("acme", 3, now=30, after=9, most=2)
    assert tally.count("acme", 3, now=30, after=10, most=2)
    assert not tally.count("acme", 4, now=31, after=10, most=2)


def test_no_number_of_threads_gets_across_the_line():
    tally = begun()
    with ThreadPoolExecutor(16) as pool:
        let = list(pool.map(lambda link: tally.count("acme", link, now=1, after=0, most=30), range(500)))
    assert sum(let) == 30


def test_what_is_counted_goes_into_the_store_now_and_then():
    tally = begun()
    tally.count("acme", 1, now=100, after=0, most=9)
    assert tally.to_save("acme", 100, within=50) == {1: 100}
    tally.count("acme", 2, now=101, after=0, most=9)
    assert tally.to_save("acme", 101, within=50) is None
    assert tally.to_save("acme", 100 + SAVING, within=SAVING) == {2: 101}
