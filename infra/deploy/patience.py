"""How often, and after which delays, what died is started again."""

from __future__ import annotations

from dataclasses import dataclass

LIVED_SECONDS = 300.0
"""Who ran so long was well: the next death is the first one again."""
LONGEST_SECONDS = 60.0
DEATHS = 10


@dataclass
class Patience:
    """Counts deaths in a row.

    Parameters
    ----------
    deaths
        The last one that nothing is started behind.

    Examples
    --------
    >>> patience = Patience(deaths=4)
    >>> [patience.delay(lived=0.5) for _ in range(4)]
    [1.0, 2.0, 4.0, None]
    >>> patience.delay(lived=3_600)
    1.0

    """

    deaths: int = DEATHS
    _seen: int = 0

    def delay(self, lived: float) -> float | None:
        """Return how many seconds to wait behind a death; None to give up.

        Parameters
        ----------
        lived
            How many seconds it had run.

        """
        self._seen = 1 if lived >= LIVED_SECONDS else self._seen + 1
        if self._seen >= self.deaths:
            return None
        return min(2.0 ** (self._seen - 1), LONGEST_SECONDS)
