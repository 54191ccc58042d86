"""Scores: running sums against counting everything again."""

from __future__ import annotations

from itertools import product
from math import fsum, isclose, log

from hypothesis import given
from hypothesis import strategies as st

from operators.scores import ClassifierScores, RegressorScores

ODDS = st.floats(0, 1) | st.sampled_from([0.0, 0.005, 0.29, 0.5, 0.995, 1.0])
JUDGED = st.lists(st.tuples(ODDS, st.booleans()), min_size=1, max_size=40)


def hundredth(odds: float) -> int:
    return min(int(odds * 100), 99)


def area(judged: list[tuple[float, bool]]) -> float:
    """Return how often, of a true and a false, the true one had the higher odds; ties half."""
    trues = [hundredth(odds) for odds, label in judged if label]
    falses = [hundredth(odds) for odds, label in judged if not label]
    pairs = list(product(trues, falses))
    right = [1.0 if true > false else 0.5 if true == false else 0.0 for true, false in pairs]
    return sum(right) / len(pairs) if pairs else 0.5


def loss(odds: float, label: bool) -> float:
    return -log(max(odds if label else 1 - odds, 1e-15))


def miscalibration(judged: list[tuple[float, bool]]) -> float:
    """Return the mean distance of odds and truth over tenths, weighted by how many each holds."""
    odds_sums, trues = [0.0] * 10, [0] * 10
    for odds, label in judged:
        odds_sums[min(int(odds * 10), 9)] += odds
        trues[min(int(odds * 10), 9)] += label
    return fsum(abs(o - t) for o, t in zip(odds_sums, trues, strict=True)) / len(judged)


@given(JUDGED)
def test_a_classifiers_scores_are_those_of_counting_again(
    judged: list[tuple[float, bool]],
) -> None:
    scores, n, base = ClassifierScores(), len(judged), list[float]()
    for number, (odds, label) in enumerate(judged):
        scores.update(odds, label)
        trues = sum(label for _, label in judged[:number])
        base.append(loss((trues + 1) / (number + 2), label))
    numbers = scores.numbers()
    assert numbers["count"] == n
    assert numbers["auc"] == area(judged)
    assert numbers["accuracy"] == sum((odds > 0.5) == label for odds, label in judged) / n
    assert numbers["base_rate"] == sum(label for _, label in judged) / n
    assert isclose(numbers["log_loss"], fsum(loss(*j) for j in judged) / n, rel_tol=1e-12)
    assert isclose(numbers["base_log_loss"], fsum(base) / n, rel_tol=1e-12)
    assert numbers["calibration"] == miscalibration(judged)
    assert {type(number) for number in numbers.values()} == {float}


RETURN = st.floats(-1, 1)


@given(st.lists(st.tuples(RETURN, RETURN), min_size=1, max_size=40))
def test_a_regressors_scores_are_those_of_counting_again(
    judged: list[tuple[float, float]],
) -> None:
    scores, n = RegressorScores(), len(judged)
    for expected, happened in judged:
        scores.update(expected, happened)
    numbers = scores.numbers()
    assert numbers["count"] == n
    assert numbers["accuracy"] == sum((e > 0) == (h > 0) for e, h in judged) / n
    assert isclose(numbers["mae"], fsum(abs(e - h) for e, h in judged) / n, rel_tol=1e-12)
    assert isclose(numbers["mse"], fsum((e - h) ** 2 for e, h in judged) / n, rel_tol=1e-12)
    assert isclose(numbers["base_mse"], fsum(h * h for _, h in judged) / n, rel_tol=1e-12)
    assert {type(number) for number in numbers.values()} == {float}


def test_odds_of_nothing_and_everything_cost_much_but_not_infinitely() -> None:
    scores = ClassifierScores()
    scores.update(0.0, True)
    scores.update(1.0, False)
    assert 34 < scores.numbers()["log_loss"] < 35
