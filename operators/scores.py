"""Running scores of a model: whether it knows more than the base rate."""

from __future__ import annotations

from math import fsum, log

from schemas import Numbers

_BINS = 100
_LEAST = 1e-15


class ClassifierScores:
    """Log loss, ROC AUC, accuracy and calibration of odds, each judged before it was learnt.

    `base_log_loss` is that of somebody who only knows how often it came true so far (Laplace's
    rule of succession): a model is worth something below it. The area under the ROC curve counts
    pairs in bins of 0.01 (Hanley and McNeil, Radiology 143, 1982); `calibration` is the expected
    calibration error in ten bins (Naeini et al., AAAI 2015).

    Examples
    --------
    >>> scores = ClassifierScores()
    >>> for odds, label in ((0.8, True), (0.3, False), (0.6, True)):
    ...     scores.update(odds, label)
    >>> {name: round(value, 3) for name, value in scores.numbers().items()}  # doctest: +ELLIPSIS
    {'count': 3.0, 'log_loss': 0.364, 'base_log_loss': 0.828, 'auc': 1.0, 'accuracy': 1.0, ...

    """

    def __init__(self) -> None:
        self.count = 0
        self.trues = 0
        self.right = 0
        self.log_loss = 0.0
        self.base_log_loss = 0.0
        self.ordered = 0.0
        """Pairs of a true and a false in which the true one had the higher odds; ties half."""
        self.true_bins = [0] * _BINS
        self.false_bins = [0] * _BINS
        self.odds_sums = [0.0] * 10
        self.true_sums = [0] * 10
        self.sizes = [0] * 10

    def update(self, odds: float, label: bool) -> None:
        """Take the odds given to something, and whether it came true."""
        base = (self.trues + 1) / (self.count + 2)
        self.log_loss += _loss(odds, label)
        self.base_log_loss += _loss(base, label)
        at = min(int(odds * _BINS), _BINS - 1)
        if label:
            self.ordered += sum(self.false_bins[:at]) + self.false_bins[at] / 2
            self.true_bins[at] += 1
        else:
            self.ordered += sum(self.true_bins[at + 1 :]) + self.true_bins[at] / 2
            self.false_bins[at] += 1
        tenth = min(int(odds * 10), 9)
        self.odds_sums[tenth] += odds
        self.true_sums[tenth] += label
        self.sizes[tenth] += 1
        self.count += 1
        self.trues += label
        self.right += (odds > 0.5) == label  # noqa: PLR2004 - even odds

    def numbers(self) -> Numbers:
        """Return the scores so far, each a mean over all outcomes."""
        n, pairs = self.count, self.trues * (self.count - self.trues)
        off = fsum(abs(o - t) for o, t in zip(self.odds_sums, self.true_sums, strict=True))
        return {
            "count": float(n),
            "log_loss": self.log_loss / n,
            "base_log_loss": self.base_log_loss / n,
            "auc": self.ordered / pairs if pairs else 0.5,
            "accuracy": self.right / n,
            "calibration": off / n,
            "base_rate": self.trues / n,
        }


class RegressorScores:
    """Mean absolute and squared error of an expected return, beside those of always saying 0.

    Examples
    --------
    >>> scores = RegressorScores()
    >>> scores.update(0.25, 0.5)
    >>> scores.numbers()["mae"], scores.numbers()["base_mse"]
    (0.25, 0.25)

    """

    def __init__(self) -> None:
        self.count = 0
        self.absolute = 0.0
        self.squared = 0.0
        self.base_squared = 0.0
        self.right = 0

    def update(self, expected: float, happened: float) -> None:
        """Take an expected return, and the one that came."""
        self.count += 1
        self.absolute += abs(happened - expected)
        self.squared += (happened - expected) ** 2
        self.base_squared += happened**2
        self.right += (expected > 0) == (happened > 0)

    def numbers(self) -> Numbers:
        """Return the scores so far, each a mean over all outcomes."""
        n = self.count
        return {
            "count": float(n),
            "mae": self.absolute / n,
            "mse": self.squared / n,
            "base_mse": self.base_squared / n,
            "accuracy": self.right / n,
        }


def _loss(odds: float, label: bool) -> float:
    return -log(max(odds if label else 1 - odds, _LEAST))
