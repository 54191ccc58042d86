"""How much of the best is luck, where it is known: on returns that are nothing but drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random

import pytest

from infra.whatif import luck
from infra.whatif.independent import trials
from infra.whatif.tried import Position, sharpe

COUNT = 100
"""The positions of each cell."""


def cell(returns: Sequence[float]) -> list[Position]:
    return [
        Position(60 * n + 59, "m", 60 * n, Decimal(0), Decimal(0), one, one)
        for n, one in enumerate(returns)
    ]


def noise(draw: Random) -> list[float]:
    return [draw.gauss(0, 0.01) for _ in range(COUNT)]


def independent(draw: Random, count: int) -> list[list[float]]:
    return [noise(draw) for _ in range(count)]


def twins(draw: Random, count: int) -> list[list[float]]:
    """Return two families, within which all are the same but for a trifle."""
    return [
        [one + draw.gauss(0, 0.0001) for one in family]
        for family in (noise(draw), noise(draw))
        for _ in range(count // 2)
    ]


def related(draw: Random, count: int) -> list[list[float]]:
    """Return cells that all have half of what they do in common."""
    shared = noise(draw)
    return [[(x + y) / 2**0.5 for x, y in zip(shared, noise(draw), strict=True)]
            for _ in range(count)]  # fmt: skip


@pytest.mark.parametrize("count", [2, 7, 60])
def test_the_same_again_and_again_is_one_trial(count: int) -> None:
    assert trials([cell(noise(Random(1)))] * count).independent == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("count", [2, 20, 100, 300])
def test_noise_counts_as_often_as_it_was_drawn(count: int) -> None:
    cells = [*map(cell, independent(Random(count), count))]
    found = trials(cells)
    assert found.independent == pytest.approx(count, rel=0.15)
    draw = Random(3)
    best = [max(draw.gauss(0, 1) for _ in range(count)) for _ in range(1_000)]
    assert found.best == pytest.approx(sum(best) / len(best), abs=0.1)


def test_two_families_count_as_two_however_large_they_are() -> None:
    for size in (4, 100):
        found = trials([*map(cell, twins(Random(5), size))]).independent
        assert found == pytest.approx(2, rel=0.15)
    assert 5 < trials([*map(cell, related(Random(5), 50))]).independent < 40


@pytest.mark.parametrize("family", [independent, twins, related])
def test_the_best_of_what_is_worth_nothing_is_called_luck_as_often_as_it_should(
    family: Callable[[Random, int], list[list[float]]],
) -> None:
    draw, wrong, rounds = Random(11), 0, 100
    for _ in range(rounds):
        returns = sorted(family(draw, 12), key=lambda one: -(sharpe(one) or 0.0))
        found = luck.luck([*map(cell, returns)], 12)
        assert found is not None
        wrong += found.odds >= luck.SURE
    # One in twenty; with so few rounds it is between one and twelve in 99 of 100 cases.
    assert 1 <= wrong <= 12


def test_a_best_with_something_in_it_is_more_than_luck() -> None:
    draw = Random(4)
    good = [one + 0.005 for one in noise(draw)]
    found = luck.luck([*map(cell, [good, *independent(draw, 30)])], 31)
    assert found is not None
    assert found.odds > luck.SURE
    assert "look at what it made" in luck.said(found, 31)


def test_cells_of_a_few_positions_say_nothing_of_luck() -> None:
    usual = [cell(one) for one in independent(Random(2), 2)]
    few = cell([0.01, 0.0100001])
    found = luck.luck([*usual, few, cell([])], 4)
    assert found is not None
    assert found.independent == luck.luck(usual, 2).independent  # type: ignore[union-attr]
    assert luck.luck([few, *usual], 3) is None
    assert "closed fewer than 20 positions" in luck.said(None, 3)
    assert luck.luck([cell([0.01] * 30)], 2) is None
