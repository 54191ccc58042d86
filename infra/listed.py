"""Names in one text, as options take them."""

from __future__ import annotations


def listed(text: str) -> tuple[str, ...]:
    """Return the names in a text with commas between, each once, in their order.

    Examples
    --------
    >>> listed("okx:B/USDT, okx:A/USDT,okx:B/USDT,"), listed("")
    (('okx:B/USDT', 'okx:A/USDT'), ())

    """
    return tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))
