"""A model that is asked and taught, and what of it a snapshot keeps."""

from __future__ import annotations

import pickle
from contextlib import suppress
from hashlib import blake2b
from typing import Protocol, TypeAlias

from operators.bulk import LARGE, Bulk
from schemas import Numbers

Truth: TypeAlias = bool | float
_Step: TypeAlias = tuple[Numbers] | tuple[Numbers, Truth]
"""What it was asked, or what it was taught."""
_State: TypeAlias = "tuple[bool, Model | Bulk, list[_Step]]"
_FEWEST = 128
"""So many steps, or up to three times as many, are done again rather than keeping a large model."""
_MOST = 10_000


class Model(Protocol):
    """What is needed of a River model: besides this, `predict_proba_one` or `predict_one`."""

    def learn_one(self, x: Numbers, y: bool | float) -> object:
        """Learn from one outcome."""
        ...


class Taught:
    """A model, and how it came to be what it is.

    A small model is kept whole in each snapshot. A large one, such as a forest of 10 MB, would take
    half a second each time: it is kept whole now and then, and with each snapshot what it was asked
    and taught since. Who goes on from there does that again, so that it is the same to the last
    bit; questions, too, for there are models that change when they are asked.

    Parameters
    ----------
    model
        The model; nobody else may change it.
    regresses
        Whether it answers with a number rather than with odds.

    Examples
    --------
    >>> from river import linear_model
    >>> taught = Taught(linear_model.LogisticRegression(), regresses=False)
    >>> taught.learn({"a": 1.0}, True)
    >>> again = pickle.loads(pickle.dumps(taught))
    >>> again.answer({"a": 1.0}) == taught.answer({"a": 1.0})
    True

    """

    __slots__ = ("_due", "_since", "_steps", "_whole", "model", "regresses")

    def __init__(self, model: Model, regresses: bool) -> None:
        self.model, self.regresses = model, regresses
        self._whole: Bulk | None = None
        self._since: list[_Step] = []
        self._steps = self._due = 0
        """How many steps the last look at its size is behind, and when the next one is due."""

    def answer(self, features: Numbers) -> float:
        """Return what the model expects, or its odds of a gain."""
        self._note((features,))
        return self._answer(features)

    def learn(self, features: Numbers, truth: Truth) -> None:
        """Teach it what became of a decision."""
        self._note((features, truth))
        self.model.learn_one(features, truth)

    def _answer(self, features: Numbers) -> float:
        if self.regresses:
            return float(self.model.predict_one(features))  # type: ignore[attr-defined]
        odds = self.model.predict_proba_one(features)  # type: ignore[attr-defined]
        return float(odds.get(True, 0.0) if odds else 0.5)  # it may know of no label yet, or of one

    def _note(self, step: _Step) -> None:
        """Take note of a step; of a small model only that there was one."""
        self._steps += 1
        if self._whole is not None:
            self._since.append(step)
            if self._steps > _MOST:  # nobody makes snapshots any more
                self._whole, self._since = None, []

    def __getstate__(self) -> _State:
        """Return what is kept of it; the model is as large as it was at the last look."""
        if self._steps >= self._due:
            content = pickle.dumps(self.model)
            self._whole = Bulk(content) if len(content) >= LARGE else None
            self._since, self._steps = [], 0
            # Models of many markets learn at the same moments: they are not kept at the same one.
            self._due = _FEWEST + blake2b(content, digest_size=1).digest()[0]
        if self._whole is None:
            return self.regresses, self.model, []
        return self.regresses, self._whole, self._since

    def __setstate__(self, state: _State) -> None:
        """Make of what was kept what it was."""
        self.regresses, kept, steps = state
        self._whole = kept if isinstance(kept, Bulk) else None
        self.model = pickle.loads(kept.content) if isinstance(kept, Bulk) else kept  # noqa: S301 - our own store
        self._since, self._steps = list(steps), len(steps)
        self._due = _FEWEST if self._whole is not None else 0
        for step in steps:
            with suppress(Exception):  # what the user's model raised then was told then
                self._answer(*step) if len(step) == 1 else self.model.learn_one(*step)
