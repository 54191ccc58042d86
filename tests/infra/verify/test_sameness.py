"""States are the same when they hold the same, however many objects they are made of."""

from __future__ import annotations

import pickle
from collections import deque
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import base, forest, linear_model, naive_bayes, preprocessing, tree

from infra.verify.sameness import Sameness
from schemas import Trades

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@dataclass(slots=True)
class Slotted:
    count: int = 0
    prices: deque[float] = field(default_factory=lambda: deque(maxlen=3))


def differ(ours: object, theirs: object) -> str:
    """Return where two values differ, however often they were pickled."""
    found = Sameness().spot(ours, pickle.loads(pickle.dumps(theirs)))
    return found.path if found is not None else "nowhere"


@given(VALUES)
def test_what_was_pickled_is_the_same(value: object) -> None:
    assert differ(value, value) == "nowhere"


@given(VALUES, VALUES)
def test_what_is_written_otherwise_is_not_the_same(one: object, other: object) -> None:
    same = Sameness().digest(one) == Sameness().digest(other)
    assert same == (repr(one) == repr(other))


def test_the_place_of_the_first_difference_is_named() -> None:
    state = {"okx:A": Slotted(7, deque([1.0, 2.0], 3))}
    other = {"okx:A": replace(state["okx:A"], prices=deque([1.0, 2.0 + 4e-16], 3))}
    assert differ(state, other) == "['okx:A'].prices[1]"
    assert differ({"b": 1}, {"a": 1}) == ""
    assert differ([1, 2], [1, 2, 3]) == ""
    assert differ({3, 1, 2}, {2, 3, 1}) == "nowhere"
    assert differ({3, 1, 2}, {2, 3, 4}) != "nowhere"


@pytest.mark.parametrize("model", [naive_bayes.GaussianNB, tree.HoeffdingTreeClassifier])
def test_models_that_learned_the_same_are_the_same(model: type[base.Classifier]) -> None:
    """Their distributions could be drawn from, and River begins each such draw elsewhere."""

    def taught(last: float) -> base.Classifier:
        learner = model()
        for number in (1.0, 2.0, 3.0, last):
            learner.learn_one({"x": number}, number > 2)
        return learner

    assert differ(taught(4.0), taught(4.0)) == "nowhere"
    assert differ(taught(4.0), taught(5.0)) != "nowhere"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True), (1, 1.0), (0.0, -0.0), (1.0, np.float64(1.0)), (Decimal("1.0"), Decimal(1)),
        ({"a": 1}, {"b": 1}), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ([1], (1,)), ("1", 1),
        (np.array([1, 2]), np.array([1.0, 2.0])), (deque([1]), deque([1], 3)),
        ({1: {2}}, {1: {3}}), ({(1, 2): 0}, {(1, 3): 0}),
    ],
)  # fmt: skip
def test_what_a_run_would_take_for_another_is_another(one: object, other: object) -> None:
    assert differ(one, other) != "nowhere"


def test_one_object_twice_is_as_good_as_two_and_a_circle_ends() -> None:
    text = "a text that is long enough to be an object"
    again = "".join([text[:5], text[5:]])
    assert differ([text, text], [text, again]) == "nowhere"
    circle: list[object] = [1]
    circle.append(circle)
    assert differ(circle, circle) == "nowhere"
    assert differ(circle, [1, [1]]) != "nowhere"


def test_a_slice_of_trades_is_what_it_shows() -> None:
    whole = Trades.of("m", [1, 2, 3], [7.0, 8.0, 9.0], [1.0] * 3)
    assert differ(whole.cut(1, 3), Trades.of("m", [2, 3], [8.0, 9.0], [1.0] * 2)) == "nowhere"
    assert differ(whole.cut(1, 3), whole.cut(0, 2)) != "nowhere"


@pytest.mark.parametrize("model", [linear_model.LogisticRegression(), forest.ARFClassifier(seed=1)])
def test_models_are_the_same_until_one_learns_more(model: base.Classifier) -> None:
    pipe = preprocessing.StandardScaler() | model
    for number in range(30):
        pipe.learn_one({"x": number % 7, "y": -number}, number % 3 == 0)
    before = pickle.loads(pickle.dumps(pipe))
    assert differ(pipe, before) == "nowhere"
    pipe.learn_one({"x": 0.5, "y": 1.0}, True)
    assert differ(pipe, before) != "nowhere"
