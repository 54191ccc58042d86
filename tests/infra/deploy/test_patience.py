"""How often what died is started again."""

from __future__ import annotations

from infra.deploy.patience import LIVED_SECONDS, LONGEST_SECONDS, Patience


def test_delays_grow_to_the_longest_and_end_at_the_last_death() -> None:
    patience = Patience(deaths=9)
    delays = [patience.delay(lived=1.0) for _ in range(9)]
    assert delays == [1, 2, 4, 8, 16, 32, LONGEST_SECONDS, LONGEST_SECONDS, None]


def test_who_was_well_for_minutes_begins_to_count_anew() -> None:
    patience = Patience(deaths=3)
    assert patience.delay(1.0) == 1
    assert patience.delay(1.0) == 2
    assert [patience.delay(LIVED_SECONDS), patience.delay(1.0), patience.delay(1.0)] == [1, 2, None]
