"""Flows to begin with: two rungs of the ladder, under another name."""

from __future__ import annotations

from pathlib import Path

import flows.ladder

_LADDER = Path(flows.ladder.__file__).parent
_PLAIN, _LEARNED = "rung5_costs.py", "rung6_learned.py"


def template(name: str, *, learned: bool = False) -> str:
    """Return the text of a flow that is called `name`.

    Examples
    --------
    >>> template("mine")[3:39]
    'mine: buy when the fast average of t'

    """
    text = (_LADDER / (_LEARNED if learned else _PLAIN)).read_text("utf-8")
    begin, rest = text[:3], text[3:]
    return f"{begin}{name}: {rest[0].lower()}{rest[1:]}"
