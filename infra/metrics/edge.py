"""What a model knows beyond the base rate, over its life and of late; the difference is drift."""

from __future__ import annotations

from dataclasses import dataclass

from schemas import Numbers

_KINDS = (("log_loss", "base_log_loss"), ("mse", "base_mse"))
HALF = 200
"""After so many outcomes one counts half in what is of late."""
_KEEP = 0.5 ** (1 / HALF)


@dataclass(slots=True)
class Edge:
    """The losses of a model, and of somebody who knows the base rate only, outcome by outcome.

    The edge is how much lower the model's loss is. Of late it is an exponentially weighted mean,
    whose weights halve every `HALF` outcomes. Drift is the edge over the whole life, less the
    edge of late: above 0, the model knows less than it used to. Markets that are harder for
    everybody are no drift.

    Examples
    --------
    >>> edge = Edge()
    >>> edge.take({"count": 1.0, "log_loss": 0.5, "base_log_loss": 0.7})
    >>> edge.take({"count": 2.0, "log_loss": 0.7, "base_log_loss": 0.7})
    >>> edge.kind, round(edge.recent, 2), round(edge.recent_base, 2), round(edge.drift, 3)
    ('log_loss', 0.7, 0.7, 0.0)

    """

    kind: str = ""
    """`log_loss` of a classifier, `mse` of a regressor; empty before the first outcome."""
    loss: float = 0.0
    base: float = 0.0
    count: float = 0.0
    _recent: float = 0.0
    _recent_base: float = 0.0
    _weight: float = 0.0

    @property
    def recent(self) -> float:
        """The model's loss of late."""
        return self._recent / self._weight if self._weight else 0.0

    @property
    def recent_base(self) -> float:
        """The base rate's loss of late."""
        return self._recent_base / self._weight if self._weight else 0.0

    @property
    def drift(self) -> float:
        """The edge over the whole life, less that of late."""
        return (self.base - self.loss) - (self.recent_base - self.recent)

    def take(self, metrics: Numbers) -> None:
        """Take the running metrics of an outcome; those without a loss say nothing."""
        for kind, base_kind in _KINDS:
            if kind in metrics and base_kind in metrics:
                self.kind = kind
                self._next(metrics["count"], metrics[kind], metrics[base_kind])

    def _next(self, count: float, loss: float, base: float) -> None:
        """Tell what the last outcome cost by how the means have moved."""
        if count > self.count:
            new = count - self.count
            self._recent = self._recent * _KEEP + self._cost(count, loss, self.loss) / new
            self._recent_base = self._recent_base * _KEEP + self._cost(count, base, self.base) / new
            self._weight = self._weight * _KEEP + 1.0
        self.count, self.loss, self.base = count, loss, base

    def _cost(self, count: float, mean: float, before: float) -> float:
        return count * mean - self.count * before
