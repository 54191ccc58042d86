"""A model goes on from what is kept of it as if nothing had been, small or large."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import forest, linear_model

from operators import taught as under_test
from operators.bulk import LARGE, Bulk
from operators.taught import Model, Taught
from schemas import Numbers


class Moody:
    """A model that each question changes, that fails at times, and that is as large as it likes."""

    def __init__(self, size: int) -> None:
        self.weight = bytes(size)
        self.steps = 0.0

    def predict_one(self, x: Numbers) -> float:
        self.steps = (self.steps * 31 + x["a"]) % 1_000_003
        if x["a"] > 90:
            msg = "not today"
            raise ArithmeticError(msg)
        return self.steps

    def learn_one(self, x: Numbers, y: bool | float) -> None:
        self.steps = (self.steps * 17 + x["a"] + y) % 1_000_003
        if x["a"] > 90:
            msg = "nor tomorrow"
            raise ArithmeticError(msg)


def forest_of(size: int) -> Model:
    del size
    return forest.ARFClassifier(n_models=5, seed=1)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "_FEWEST", 20)


def steps(taught: Taught, numbers: list[int]) -> Iterator[float | str]:
    """Ask and teach; yield what comes of each step."""
    for number in numbers:
        features = {"a": float(number % 100), "b": float(number % 7)}
        try:
            if number % 2:
                yield taught.answer(features)
            else:
                truth = number % 3 == 0
                taught.learn(features, float(truth) if taught.regresses else truth)
        except ArithmeticError as error:
            yield str(error)


PLAN = st.lists(
    st.tuples(st.integers(0, 1_000), st.sampled_from(["go on", "keep", "resume"])),
    min_size=20, max_size=200,
)  # fmt: skip


@given(PLAN, st.sampled_from([0, LARGE]))
@settings(max_examples=40)
def test_wherever_it_is_kept_and_resumed_it_answers_as_if_it_had_not_been(
    plan: list[tuple[int, str]], size: int
) -> None:
    undisturbed = list(steps(Taught(Moody(size), regresses=True), [number for number, _ in plan]))
    taught, told = Taught(Moody(size), regresses=True), list[float | str]()
    for number, action in plan:
        if action != "go on":
            state = pickle.dumps(taught)
            taught = pickle.loads(state) if action == "resume" else taught
        told += steps(taught, [number])
    assert told == undisturbed


def test_a_forest_that_is_resumed_is_the_same_forest() -> None:
    numbers = [number * 37 % 1_009 for number in range(1_500)]
    undisturbed = Taught(forest_of(0), regresses=False)
    answers = list(steps(undisturbed, numbers))
    taught, told = Taught(forest_of(0), regresses=False), list[float | str]()
    for at in range(0, len(numbers), 100):
        taught = pickle.loads(pickle.dumps(taught))
        told += steps(taught, numbers[at : at + 100])
    assert told == answers
    assert len(pickle.dumps(taught.model)) > LARGE


def test_a_large_model_is_kept_whole_now_and_then_and_its_steps_meanwhile() -> None:
    taught = Taught(Moody(LARGE), regresses=True)
    _, whole, since = taught.__getstate__()
    assert isinstance(whole, Bulk)
    assert since == []
    next(steps(taught, [1]))
    kept = [taught.__getstate__()[1] for _ in range(3)]
    assert all(one is whole for one in kept)
    assert taught.__getstate__()[2] == [({"a": 1.0, "b": 1.0},)]
    list(steps(taught, [1] * 300))
    assert taught.__getstate__()[1] is not whole
    assert taught.__getstate__()[2] == []


def test_a_small_model_is_kept_as_it_is() -> None:
    taught = Taught(linear_model.LogisticRegression(), regresses=False)
    list(steps(taught, [1, 2, 3, 4]))
    assert taught.__getstate__() == (False, taught.model, [])


def test_what_is_kept_does_not_change_when_the_model_learns() -> None:
    taught = Taught(Moody(LARGE), regresses=True)
    pickle.dumps(taught)
    list(steps(taught, [1]))
    before = copy.deepcopy(taught)
    after = list(steps(taught, [3, 4, 5, 7]))
    assert list(steps(before, [3, 4, 5, 7])) == after


def test_who_makes_no_snapshots_any_more_remembers_no_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(under_test, "_MOST", 10)
    taught = Taught(Moody(LARGE), regresses=True)
    pickle.dumps(taught)
    list(steps(taught, [1] * 20))
    assert taught._since == []
    assert pickle.loads(pickle.dumps(taught)).answer({"a": 1.0}) == taught.answer({"a": 1.0})
