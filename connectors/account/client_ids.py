"""Client order ids: names of orders that every exchange takes, the same on each try."""

from __future__ import annotations

import hashlib

_LENGTH = 26
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SIGNS = _LETTERS + "0123456789"


def client_id(flow: str, run: str, market: str, what: str) -> str:
    """Return the id of an order: 26 characters a-z and 0-9, the first one a letter.

    Parameters
    ----------
    flow, run, market
        Whose it is, and where.
    what
        What tells it from the others of this run and market: the order's own count.

    Examples
    --------
    >>> client_id("demo", "1f", "binance:BTC/USDT", "7")
    'awmzqs156f0jcadjir17o1i6ly'

    """
    # Lengths stand in front, so that no two lists of texts are one text.
    text = "".join(f"{len(part)}:{part}" for part in (flow, run, market, what))
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    number = int.from_bytes(digest, "big")
    number, first = divmod(number, len(_LETTERS))
    signs = [_LETTERS[first]]
    for _ in range(_LENGTH - 1):
        number, sign = divmod(number, len(_SIGNS))
        signs.append(_SIGNS[sign])
    return "".join(signs)
